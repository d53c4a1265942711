//! Commands that build a program of the workspace and run it: the schema's export, benchmarks, and
//! screenshots.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::apt::{self, Needed};
use crate::phases::say;
use crate::postgres::{Durability, Postgres};
use crate::shell::{output, run};
use crate::workspace::Workspace;
use crate::{test, web};

/// Writes schema.graphql from the code.
pub fn schema(workspace: &Workspace) -> Result<()> {
    let mut export = workspace.cargo([
        "run",
        "--quiet",
        "--package",
        "dash-api",
        "--bin",
        "dash",
        "--",
        "schema",
    ]);
    // The compiler's words go to the terminal, the schema into the file.
    let sdl = output(export.stderr(std::process::Stdio::inherit()))?;
    fs::write(workspace.path("schema.graphql"), sdl).context("writing schema.graphql")?;
    say("schema.graphql is written");
    Ok(())
}

/// Runs the benchmark `name` on a release build; it prints a table and writes NAME.json.
pub fn bench(workspace: &Workspace, name: &str, options: &[String]) -> Result<()> {
    let results = workspace.target.join("bench");
    fs::create_dir_all(&results).with_context(|| format!("creating {}", results.display()))?;
    let mut bench = if name == "e2e-latency" {
        with_browser(workspace, "dash-bench")?
    } else if name == "pipelines" {
        // Reckons in memory: no server is asked.
        built(workspace, "dash-bench")?
    } else {
        crate::npm::install_packages(workspace, "tests")?;
        apt::install(workspace, &[Needed::Postgres])?;
        built(workspace, "dash-bench")?
    };
    let server = Needed::Postgres.get(workspace);
    let server = server.and_then(|bin| Postgres::start(workspace, bin, Durability::Full));
    if let Ok(server) = &server {
        bench.env("DASH_BENCH_POSTGRES_URL", server.url());
    }
    run(bench
        .arg(name)
        .args(options)
        .env("DASH_BENCH_DIR", &results))
}

/// Takes the pictures that the documentation shows.
pub fn screenshots(workspace: &Workspace) -> Result<()> {
    run(&mut with_browser(workspace, "dash-screenshots")?)
}

/// A program of the crate `dash-tests`, built together with the client and the server it drives.
fn with_browser(workspace: &Workspace, program: &str) -> Result<Command> {
    web::install(workspace)?;
    crate::npm::install_packages(workspace, "tests")?;
    apt::install(workspace, &[Needed::Chromium, Needed::ChromeDriver])?;
    web::build(workspace)?;
    let mut command = built(workspace, program)?;
    command.envs(test::browser_environment(workspace)?);
    Ok(command)
}

/// A program of the crate `dash-tests`, built together with the server.
fn built(workspace: &Workspace, program: &str) -> Result<Command> {
    say(&format!("building {program}"));
    let mut build = workspace.cargo(["build", "--release"]);
    run(build
        .args(test::SERVER_CRATES)
        .args(["--bin", "dash", "--bin", program]))?;
    let mut command = workspace.command(workspace.built("release", program));
    command.envs(test::environment(workspace));
    Ok(command)
}
