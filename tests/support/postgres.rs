//! A PostgreSQL server of a test's own, to be stopped, started again and copied.
//!
//! PostgreSQL refuses to run as root, so root hands it to the user `postgres` of Debian's package.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::Connection;

use crate::environment;
use crate::gate::Gate;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server; it is stopped and its folder deleted when this is dropped.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    server: Option<Child>,
}

impl Postgres {
    /// Makes a new server and starts it. None where its programs are not, and where the tests are
    /// not on PostgreSQL.
    pub async fn start() -> Option<Self> {
        let mut server = Self::new(environment::postgres_programs()?);
        let mut initdb = as_user(&server.programs.join("initdb"));
        initdb.args([
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
            "--pgdata",
        ]);
        run(initdb.arg(server.data()));
        server.start_again().await;
        Some(server)
    }

    /// Makes a standby that follows this server by streaming, and starts it.
    pub async fn standby(&self) -> Self {
        let mut standby = Self::new(self.programs.clone());
        let mut copy = as_user(&self.programs.join("pg_basebackup"));
        copy.args([
            "--host=127.0.0.1",
            "--username=postgres",
            "--checkpoint=fast",
            "--wal-method=stream",
            "--write-recovery-conf",
            "--no-sync",
        ])
        .arg(format!("--port={}", self.port));
        run(copy.arg("--pgdata").arg(standby.data()));
        standby.start_again().await;
        standby
    }

    fn new(programs: PathBuf) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port is free")
            .port();
        let name = format!("dash-own-postgres-{}", uuid::Uuid::now_v7().simple());
        let folder = std::env::temp_dir().join(name);
        let owner: &[&str] = if is_root() {
            &["--owner=postgres", "--group=postgres"]
        } else {
            &[]
        };
        run(Command::new("install")
            .args(["--directory", "--mode=700"])
            .args(owner)
            .arg(&folder));
        Self {
            programs,
            folder,
            port,
            server: None,
        }
    }

    /// Where this server's first database is, as a superuser.
    pub fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// The same by way of another port.
    pub fn url_at(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
    }

    /// A way to it that can be blocked.
    pub async fn gate(&self) -> Gate {
        Gate::to(self.port).await
    }

    /// Starts it, after it was stopped, on the same port; returns when it answers.
    pub async fn start_again(&mut self) {
        let log = self.folder.join("log");
        let log = File::options().create(true).append(true).open(log);
        let log = log.expect("the log can be written");
        let mut server = as_user(&self.programs.join("postgres"));
        server
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=50",
            "shared_buffers=32MB",
            "fsync=off",
        ] {
            server.args(["-c", setting]);
        }
        server
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log can be shared"))
            .stderr(log);
        self.server = Some(server.spawn().expect("PostgreSQL can be started"));
        let deadline = Instant::now() + PATIENCE;
        while sqlx::PgConnection::connect(&self.url()).await.is_err() {
            assert!(Instant::now() < deadline, "PostgreSQL does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Stops it: connections are cut, and what is committed stays.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let mut stop = as_user(&self.programs.join("pg_ctl"));
            stop.args(["stop", "--mode=fast", "--silent", "--pgdata"]);
            run(stop.arg(self.data()));
            server.wait().expect("PostgreSQL ends");
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let mut stop = as_user(&self.programs.join("pg_ctl"));
            stop.args(["stop", "--mode=immediate", "--silent", "--pgdata"]);
            // Whatever is left is in the system's folder for temporary files.
            drop(stop.arg(self.data()).status());
            drop(server.wait());
        }
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A program of PostgreSQL, run as a user it accepts and ended when the test ends.
fn as_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg("--pdeathsig=INT").arg(program).current_dir("/");
    command
}

fn run(command: &mut Command) {
    let output = command.output().expect("a program can be run");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}
