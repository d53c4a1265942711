//! `cargo xtask build` and `serve`: Dash as its users get it, on this machine.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::phases::say;
use crate::shell::run;
use crate::web;
use crate::workspace::Workspace;

const START_LIMIT: Duration = Duration::from_mins(1);

/// Builds client and server in release mode; returns the client's folder.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    web::install(workspace)?;
    let dist = web::build(workspace)?;
    say("building the server");
    run(&mut workspace.cargo([
        "build",
        "--release",
        "--package",
        "dash-api",
        "--bin",
        "dash",
    ]))?;
    Ok(dist)
}

/// Builds everything, and becomes the server: signals reach it without a detour.
pub fn serve(workspace: &Workspace, port: u16, open: bool) -> Result<()> {
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
        bail!("port {port} is taken; choose another one with --port");
    }
    let dist = build(workspace)?;

    say(&format!("Dash is at {}", url(port)));
    if open {
        let program = std::env::current_exe().context("finding xtask")?;
        let mut opener = Command::new(program);
        opener
            .args(["open-when-ready", &port.to_string()])
            .spawn()?;
    } else {
        println!("  cargo xtask serve --open   opens it in the browser");
    }
    println!("  Ctrl-C                     stops it; the data stays in ./data\n");

    let mut server = workspace.command(workspace.built("release", "dash"));
    server
        .arg("serve")
        .env("PORT", port.to_string())
        .env("DASH_WEB_DIR", dist);
    become_program(&mut server)
}

/// Waits until the server answers, then opens it in the browser.
pub fn open_when_ready(port: u16) -> Result<()> {
    let deadline = Instant::now() + START_LIMIT;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if Instant::now() > deadline {
            bail!(
                "the server did not start within {} seconds",
                START_LIMIT.as_secs()
            );
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut browser = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        Command::new("explorer")
    } else {
        Command::new("xdg-open")
    };
    run(browser.arg(url(port)))
}

fn url(port: u16) -> String {
    format!("http://localhost:{port}")
}

#[cfg(unix)]
fn become_program(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(command.exec()).context("starting Dash")
}

#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Result<()> {
    run(command)
}
