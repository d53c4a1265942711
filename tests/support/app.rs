//! A Dash of its own for each test: the real router on a port of its own, a fresh database, a clock
//! that the test moves.

use std::path::PathBuf;
use std::sync::Arc;

use dash_api::app::App;
use dash_api::clock::Clock;
use dash_api::config::Config;
use dash_api::db::Engine;
use dash_shared::plans::Plan;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::environment;
use crate::upstream::{Reply, Upstream};

/// Where every test begins: noon in UTC on 22 November 2026.
pub const START_MS: i64 = 1_795_348_800_000;

/// A running Dash.
#[derive(Debug)]
pub struct TestApp {
    /// The application, for what has no way in from outside: running jobs, setting a plan.
    pub app: Arc<App>,
    /// The clock of the application.
    pub clock: Clock,
    /// Where it is reached, without a slash at the end.
    pub url: String,
    server: JoinHandle<()>,
    setup: Builder,
}

/// How a test's Dash differs from the usual one, and on which database it is.
#[derive(Clone, Debug)]
pub struct Builder {
    clock: Clock,
    web_dir: Option<PathBuf>,
    workers: bool,
    allowed_targets: Vec<String>,
    server: Server,
    database: Option<Database>,
    replica_url: Option<String>,
}

/// Where a test's database is made.
#[derive(Clone, Debug)]
enum Server {
    /// On the PostgreSQL server that the tests were given, or in a file.
    Given,
    /// In a file.
    Sqlite,
    /// On this PostgreSQL server.
    Postgres(String),
}

/// A database, kept for as long as anybody is on it.
#[derive(Clone, Debug)]
struct Database {
    url: String,
    folder: Arc<TempDir>,
}

impl TestApp {
    /// A Dash with a manual clock, where jobs run only when told to.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// A Dash, somebody there, a server that answers with `reply`, and the id of a pipeline that
    /// polls it every minute.
    pub async fn polling(reply: Reply, records_path: &str) -> (Self, Client, Upstream, String) {
        let app = Self::start().await;
        let client = app.owner("ann").await;
        let upstream = Upstream::start(reply).await;
        let url = format!("{}/feed", upstream.url);
        let id = client.new_polling("Feed", &url, records_path).await;
        (app, client, upstream, id)
    }

    /// A Dash that is a little different.
    pub fn builder() -> Builder {
        Builder {
            clock: Clock::manual(START_MS),
            web_dir: None,
            workers: false,
            allowed_targets: vec!["127.0.0.1".to_owned()],
            server: Server::Given,
            database: None,
            replica_url: None,
        }
    }

    /// Somebody who is not logged in.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.url)
    }

    /// Somebody who has just signed up, as the owner of a new organization on the Enterprise plan.
    pub async fn owner(&self, name: &str) -> Client {
        let client = self.anonymous();
        let email = format!("{name}@corp.test");
        client.sign_up(name, &email, "correct horse battery").await;
        self.app
            .accounts
            .set_plan(&email, Plan::Enterprise)
            .await
            .expect("a plan can be set");
        client
    }

    /// Somebody who has logged in to an account that is there.
    pub async fn logged_in(&self, email: &str, password: &str) -> Client {
        let client = self.anonymous();
        let input = serde_json::json!({ "email": email, "password": password });
        client.done("logIn", "viewer { user { id } }", input).await;
        client
    }

    /// Runs the jobs that are due; returns how many there were.
    pub async fn run_due_jobs(&self) -> usize {
        self.app.run_due_jobs().await.expect("due jobs can be run")
    }

    /// Moves the clock on and runs what is due then; returns how many jobs there were.
    pub async fn pass(&self, ms: i64) -> usize {
        self.clock.advance_ms(ms);
        self.run_due_jobs().await
    }

    /// Stops this Dash as the signal to end does: requests under way are answered first.
    pub async fn stop(self) {
        self.app.stopping.cancel();
        self.server.await.expect("the server ends");
        self.app.shutdown().await;
    }

    /// Stops this Dash and starts another one on its database.
    pub async fn restart(self) -> Self {
        let setup = self.setup.clone();
        self.stop().await;
        setup.start().await
    }

    /// A second Dash on the same database, as another process is.
    pub async fn beside(&self) -> Self {
        self.setup.clone().start().await
    }

    /// The file of its SQLite database.
    pub fn sqlite_file(&self) -> PathBuf {
        let database = self.setup.database.as_ref().expect("it runs");
        database.folder.path().join("dash.db")
    }

    /// Runs a statement on the database; returns how many rows it changed.
    pub async fn execute(&self, sql: &str) -> u64 {
        let sql = AssertSqlSafe(sql);
        let orm = self.app.db.orm();
        let changed = match self.app.db.engine() {
            Engine::Sqlite => {
                let done = sqlx::query(sql).execute(orm.get_sqlite_connection_pool());
                done.await.map(|done| done.rows_affected())
            }
            Engine::Postgres => {
                let done = sqlx::query(sql).execute(orm.get_postgres_connection_pool());
                done.await.map(|done| done.rows_affected())
            }
        };
        changed.expect("a statement runs")
    }

    /// Where its database is.
    pub fn database_url(&self) -> &str {
        &self.app.config.database.url
    }

    /// Everything that the database keeps, as bytes to be searched; binary columns are there as
    /// they are, or in hexadecimal.
    pub async fn everything_stored(&self) -> Vec<u8> {
        let orm = self.app.db.orm();
        if self.app.db.engine() == Engine::Sqlite {
            let folder = self.setup.database.as_ref().expect("it runs").folder.path();
            let files = std::fs::read_dir(folder).expect("the folder can be read");
            return files
                .flat_map(|file| std::fs::read(file.expect("a file").path()).unwrap_or_default())
                .collect();
        }
        let pool = orm.get_postgres_connection_pool();
        let tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
        let tables: Vec<String> = sqlx::query_scalar(tables)
            .fetch_all(pool)
            .await
            .expect("the tables can be listed");
        let mut found = Vec::new();
        for table in tables {
            let sql = format!("SELECT t::text FROM \"{table}\" t");
            let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_all(pool)
                .await
                .expect("a table can be read");
            found.extend(rows.concat().into_bytes());
        }
        found
    }
}

impl Builder {
    /// With the machine's clock.
    #[must_use]
    pub fn real_clock(mut self) -> Self {
        self.clock = Clock::System;
        self
    }

    /// On SQLite, whatever the tests were given.
    #[must_use]
    pub fn on_sqlite(mut self) -> Self {
        self.server = Server::Sqlite;
        self
    }

    /// On a PostgreSQL server.
    #[must_use]
    pub fn on_postgres(mut self, server: &str) -> Self {
        self.server = Server::Postgres(server.to_owned());
        self
    }

    /// With the built web client.
    #[must_use]
    pub fn web(mut self) -> Self {
        self.web_dir = Some(environment::web_dist());
        self
    }

    /// With workers that run jobs when they are due.
    #[must_use]
    pub const fn workers(mut self) -> Self {
        self.workers = true;
        self
    }

    /// Where nobody allowed private addresses to be polled.
    #[must_use]
    pub fn no_private_targets(mut self) -> Self {
        self.allowed_targets.clear();
        self
    }

    /// On this database, whose tables it makes itself.
    #[must_use]
    pub fn database(mut self, url: &str) -> Self {
        self.database = Some(Database {
            url: url.to_owned(),
            folder: Arc::new(new_folder()),
        });
        self
    }

    /// With a replica of its database.
    #[must_use]
    pub fn replica(mut self, url: &str) -> Self {
        self.replica_url = Some(url.to_owned());
        self
    }

    /// Starts it, on a new database unless it has one.
    pub async fn start(mut self) -> TestApp {
        // Several tests share a process; the first one installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        dash_api::telemetry::metrics();
        let database = match self.database.take() {
            Some(database) => database,
            None => new_database(&self.server).await,
        };
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let url = format!("http://{address}");
        let mut config = Config::for_tests(&database.url, database.folder.path());
        config.http.listen = address;
        config.http.public_url.clone_from(&url);
        config.http.web_dir.clone_from(&self.web_dir);
        config.database.replica_url.clone_from(&self.replica_url);
        config
            .outbound
            .allowed_targets
            .clone_from(&self.allowed_targets);
        self.database = Some(database);
        let app = App::build(config, self.clock.clone())
            .await
            .expect("Dash starts");
        if self.workers {
            app.start_workers();
        }
        let serving = dash_api::http::serve(Arc::clone(&app), listener);
        let server = tokio::spawn(async move { serving.await.expect("the server runs") });
        TestApp {
            app,
            clock: self.clock.clone(),
            url,
            server,
            setup: self,
        }
    }
}

fn new_folder() -> TempDir {
    TempDir::new().expect("a temporary folder can be made")
}

async fn new_database(server: &Server) -> Database {
    let folder = new_folder();
    let postgres = match server {
        Server::Given => environment::postgres_url(),
        Server::Sqlite => None,
        Server::Postgres(url) => Some(url.clone()),
    };
    let url = match postgres {
        Some(server) => new_postgres_database(&server).await,
        None => format!("sqlite:{}", folder.path().join("dash.db").display()),
    };
    Database {
        url,
        folder: Arc::new(folder),
    }
}

/// Makes an empty database with all tables, as a copy of one that is made once per test process.
pub async fn new_postgres_database(server: &str) -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(async || {
            let name = new_name("template");
            create_database(server, &name, "template1").await;
            let config = Config::for_tests(&database_url(server, &name), std::path::Path::new("."));
            if environment::is_timescale() {
                add_timescale(&config.database.url).await;
            }
            let db = dash_api::app::connect(&config)
                .await
                .expect("the template can be connected");
            dash_api::app::migrate(&db)
                .await
                .expect("the template can be migrated");
            if environment::is_timescale() {
                // Its own workers would be on the template while it is copied.
                let stop = "SELECT _timescaledb_functions.stop_background_workers()";
                let stopped = sqlx::query(stop).execute(db.orm().get_postgres_connection_pool());
                stopped.await.expect("TimescaleDB's workers can be stopped");
            }
            db.orm()
                .clone()
                .close()
                .await
                .expect("the template can be left");
            name
        })
        .await;
    let name = new_name("test");
    create_database(server, &name, template).await;
    database_url(server, &name)
}

/// Makes an empty database without tables, with TimescaleDB where that is tested.
pub async fn new_bare_postgres_database(server: &str) -> String {
    let name = new_name("bare");
    create_database(server, &name, "template1").await;
    let url = database_url(server, &name);
    if environment::is_timescale() {
        add_timescale(&url).await;
    }
    url
}

async fn add_timescale(url: &str) {
    use sqlx::{Connection, Executor};
    let mut connection = sqlx::PgConnection::connect(url)
        .await
        .expect("the database can be connected");
    connection
        .execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        .await
        .expect("TimescaleDB is on this server");
    connection.close().await.expect("the database can be left");
}

fn new_name(kind: &str) -> String {
    format!("dash_{kind}_{}", uuid::Uuid::now_v7().simple())
}

fn database_url(server: &str, name: &str) -> String {
    let (base, _) = server
        .rsplit_once('/')
        .expect("DASH_TEST_POSTGRES_URL names a database");
    format!("{base}/{name}")
}

async fn create_database(server: &str, name: &str, template: &str) {
    use sqlx::{Connection, Executor};
    let mut connection = sqlx::PgConnection::connect(server)
        .await
        .expect("PostgreSQL can be connected");
    // Copies of one template wait for each other, and are refused while another one runs.
    let lock = "SELECT pg_advisory_lock(4242)";
    connection.execute(lock).await.expect("a lock can be taken");
    let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
    connection
        .execute(AssertSqlSafe(sql))
        .await
        .expect("a database can be made");
    connection.close().await.expect("PostgreSQL can be left");
}
