//! A throw-away PostgreSQL server for tests and benchmarks: its own folder, its own port, gone at the
//! end.
//!
//! PostgreSQL refuses to run as root, so root hands it to the user `postgres` of Debian's package.
//! The server dies with xtask, however that ends, where `setpriv` can arrange it.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::apt::is_root;
use crate::shell::{output, run};
use crate::workspace::Workspace;

const START_LIMIT: Duration = Duration::from_secs(30);
/// What the names of the servers' folders begin with; the id of their xtask follows.
const FOLDER: &str = "dash-postgres-";

/// The folder of the newest PostgreSQL's programs.
pub fn programs(workspace: &Workspace) -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    debian
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").is_file())
        .max_by_key(|bin| major_version(bin))
        .or_else(|| {
            let initdb = workspace.find("initdb")?;
            let real = fs::canonicalize(initdb).ok()?;
            real.parent().map(Path::to_owned)
        })
}

fn major_version(bin: &Path) -> u32 {
    let version = bin
        .parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    version
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

/// Whether what is committed survives a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It does, as in production; for benchmarks.
    Full,
    /// It does not, which is quicker; for tests.
    None,
}

/// A running server; it is stopped and its folder deleted when this is dropped.
#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
    as_root: bool,
    port: u16,
    server: Child,
}

impl Postgres {
    /// Makes a database cluster and starts its server on a free port of 127.0.0.1.
    pub fn start(workspace: &Workspace, bin: PathBuf, durability: Durability) -> Result<Self> {
        remove_leftovers();
        let as_root = is_root(workspace);
        let folder = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
        let owner: &[&str] = if as_root {
            &["--owner=postgres", "--group=postgres"]
        } else {
            &[]
        };
        run(Command::new("install")
            .args(["--directory", "--mode=700"])
            .args(owner)
            .arg(&folder))?;

        let mut initdb = as_user(as_root, &bin.join("initdb"));
        initdb.args([
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--no-locale",
        ]);
        output(
            initdb
                .args(["--no-sync", "--pgdata"])
                .arg(&folder)
                .current_dir("/"),
        )?;

        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let mut server = as_user(as_root, &bin.join("postgres"));
        server
            .arg("-D")
            .arg(&folder)
            .args(["-p", &port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=300",
            "shared_buffers=256MB",
        ] {
            server.args(["-c", setting]);
        }
        if durability == Durability::None {
            for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
                server.args(["-c", &format!("{setting}=off")]);
            }
        }
        let log = fs::File::create(folder.with_extension("log"))?;
        server
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let server = server.spawn().context("starting the PostgreSQL server")?;
        let mut postgres = Self {
            bin,
            folder,
            as_root,
            port,
            server,
        };
        postgres.wait_until_ready()?;
        Ok(postgres)
    }

    /// Where tests reach it, as a superuser.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        let port = self.port.to_string();
        loop {
            let mut ready = Command::new(self.bin.join("pg_isready"));
            if output(ready.args(["-q", "-h", "127.0.0.1", "-p", &port])).is_ok() {
                return Ok(());
            }
            if Instant::now() > deadline || self.server.try_wait()?.is_some() {
                let log = fs::read_to_string(self.log()).unwrap_or_default();
                bail!("the PostgreSQL server did not start:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.with_extension("log")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut stop = as_user(self.as_root, &self.bin.join("pg_ctl"));
        stop.args(["stop", "--mode=immediate", "--silent", "--pgdata"])
            .arg(&self.folder);
        if let Err(error) = output(stop.current_dir("/")) {
            println!("PostgreSQL was not stopped: {error:#}");
        }
        // Whatever is left is in the system's folder for temporary files.
        drop(self.server.wait());
        drop(fs::remove_dir_all(&self.folder));
        drop(fs::remove_file(self.log()));
    }
}

/// Deletes the folders of runs that were killed before they could.
fn remove_leftovers() {
    if !cfg!(target_os = "linux") {
        return;
    }
    for entry in fs::read_dir(std::env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(FOLDER));
        let id = process.map(|process| process.trim_end_matches(".log"));
        if id.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            drop(fs::remove_dir_all(entry.path()));
            drop(fs::remove_file(entry.path()));
        }
    }
}

/// A PostgreSQL program, run as a user it accepts and ended when xtask ends.
fn as_user(as_root: bool, program: &Path) -> Command {
    if !cfg!(target_os = "linux") {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    if as_root {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg("--pdeathsig=INT").arg(program);
    command
}
