//! Puts Dash together: configuration, database, domains, schema. The one place that knows all of
//! them.

use std::fmt;
use std::sync::Arc;

use anyhow::Context as _;
use dash_migrations::{Migrator, MigratorTrait as _};
use sea_orm::ConnectionTrait as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts::{Accounts, ClientInfo, SignUp};
use crate::clock::Clock;
use crate::config::Config;
use crate::dashboards::Dashboards;
use crate::data::RecordStore;
use crate::db::{self, Db};
use crate::engine::Engine;
use crate::events::Events;
use crate::graphql::{self, DashSchema, Services, Subscriptions};
use crate::jobs::{Job, Jobs, Lane, Next};
use crate::outbound::{AllowedTargets, Outbound};
use crate::pipelines::Pipelines;
use crate::secrets::SecretBox;
use crate::sinks::{self, Sinks};

/// The advisory lock that processes take to change the tables: “dash” as a number.
const MIGRATIONS_LOCK: u32 = 0x6461_7368;

/// The account that `dash seed` makes.
pub const SEED_EMAIL: &str = "demo@dash.example";
/// Its password: the account is for trying things out on one's own machine.
pub const SEED_PASSWORD: &str = "try dash now";

/// A running Dash.
pub struct App {
    /// What the operator set.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// The database.
    pub db: Db,
    /// Users and teams.
    pub accounts: Accounts,
    /// Pipelines.
    pub pipelines: Pipelines,
    /// Sinks.
    pub sinks: Sinks,
    /// Dashboards.
    pub dashboards: Dashboards,
    /// Records and runs.
    pub store: RecordStore,
    /// Durable work.
    pub jobs: Jobs,
    /// The API.
    pub schema: DashSchema,
    /// What happens here and in other processes.
    pub events: Events,
    /// What runs of it over websockets.
    pub subscriptions: Arc<Subscriptions>,
    /// Cancelled when Dash is told to stop: no new requests are taken.
    pub stopping: CancellationToken,
    workers: TaskTracker,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Connects to the database that is configured.
pub async fn connect(config: &Config) -> anyhow::Result<Db> {
    if config.database.is_sqlite() {
        std::fs::create_dir_all(&config.data_dir)
            .with_context(|| format!("cannot make the folder {}", config.data_dir.display()))?;
    }
    let connections = config.database.max_connections;
    let db = Db::connect(&config.database.url, connections)
        .await
        .context("cannot connect to the database (DATABASE_URL)")?;
    match &config.database.replica_url {
        Some(url) => db
            .with_replica(url, connections)
            .await
            .context("DATABASE_REPLICA_URL is wrong"),
        None => Ok(db),
    }
}

/// Brings the database's tables up to date, as a whole or not at all. Of several processes that
/// begin at once, one does and the others wait.
pub async fn migrate(db: &Db) -> anyhow::Result<()> {
    let migrated = async {
        let transaction = db.begin_write().await?;
        if db.engine() == db::Engine::Postgres {
            transaction
                .execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATIONS_LOCK})"))
                .await?;
        }
        Migrator::up(&*transaction, None).await?;
        transaction.commit().await
    };
    migrated
        .await
        .context("cannot bring the database's tables up to date")
}

impl App {
    /// Connects to the database, brings its tables up to date, and puts everything together.
    pub async fn build(config: Config, clock: Clock) -> anyhow::Result<Arc<Self>> {
        let allowed = AllowedTargets::parse(&config.outbound.allowed_targets)
            .context("DASH_ALLOW_TARGETS is wrong")?;
        let outbound = Outbound::new(allowed).context("cannot set up the HTTP client")?;
        let outbound = Arc::new(outbound);
        let db = connect(&config).await?;
        migrate(&db).await?;
        let secrets = SecretBox::new(&config.secrets.encryption_key);
        let accounts = Accounts::new(db.clone(), clock.clone(), config.passwords);
        let jobs = Jobs::new(db.clone(), clock.clone());
        let events = Events::open(&db);
        let store = RecordStore::open(db.clone(), clock.clone(), events.clone());
        let engine = Engine::new(
            store.clone(),
            clock.clone(),
            Arc::clone(&outbound),
            &config.secrets.secret_key_base,
        );
        let pipelines = Pipelines::new(
            db.clone(),
            clock.clone(),
            engine,
            store.clone(),
            jobs.clone(),
            secrets.clone(),
            events.clone(),
        );
        let sinks = Sinks::new(sinks::Parts {
            db: db.clone(),
            clock: clock.clone(),
            store: store.clone(),
            pipelines: pipelines.clone(),
            jobs: jobs.clone(),
            events: events.clone(),
            outbound,
            secrets,
        });
        let dashboards = Dashboards::new(
            db.clone(),
            clock.clone(),
            store.clone(),
            pipelines.clone(),
            events.clone(),
        );
        let schema = graphql::schema(Services {
            accounts: accounts.clone(),
            pipelines: pipelines.clone(),
            sinks: sinks.clone(),
            dashboards: dashboards.clone(),
            store: store.clone(),
            clock: clock.clone(),
            public_url: config.http.public_url.clone(),
        });
        Ok(Arc::new(Self {
            config,
            clock,
            db,
            accounts,
            pipelines,
            sinks,
            dashboards,
            store,
            jobs,
            schema,
            events,
            subscriptions: Arc::default(),
            stopping: CancellationToken::new(),
            workers: TaskTracker::new(),
        }))
    }

    /// Starts running what is due, until Dash stops.
    pub fn start_workers(&self) {
        let (pipelines, sinks) = (self.pipelines.clone(), self.sinks.clone());
        let handler = move |job: Job| {
            let (pipelines, sinks) = (pipelines.clone(), sinks.clone());
            async move { run_job(&pipelines, &sinks, &job).await }
        };
        for lane in Lane::ALL {
            let jobs = self.jobs.clone();
            self.workers
                .spawn(jobs.work(lane, self.stopping.clone(), handler.clone()));
        }
        let waker = self.sinks.clone();
        self.workers
            .spawn(waker.wake_for_records(self.stopping.clone()));
        let readers = self.pipelines.clone();
        self.workers
            .spawn(readers.wake_readers(self.stopping.clone()));
        let (pipelines, sinks) = (self.pipelines.clone(), self.sinks.clone());
        self.workers.spawn(async move {
            if let Err(error) = pipelines.schedule_retention().await {
                tracing::error!(%error, "retention could not be scheduled");
            }
            if let Err(error) = sinks.schedule_upkeep().await {
                tracing::error!(%error, "the upkeep of sinks could not be scheduled");
            }
        });
    }

    /// Runs everything that is due now, and returns how many jobs there were. For tests, which
    /// move the clock themselves.
    pub async fn run_due_jobs(&self) -> anyhow::Result<usize> {
        self.sinks.wake_all().await?;
        self.pipelines.wake_all_readers().await?;
        let handler = async |job: Job| run_job(&self.pipelines, &self.sinks, &job).await;
        Ok(self.jobs.run_due(handler).await?)
    }

    /// Ends in order: jobs that run are finished, and every record that was taken is stored.
    pub async fn shutdown(&self) {
        self.stopping.cancel();
        self.workers.close();
        self.workers.wait().await;
        self.store.close().await;
        self.events.close();
    }

    /// Makes an account to try Dash with, with the demo pipeline and dashboard, unless it is there.
    pub async fn seed(&self) -> anyhow::Result<bool> {
        let sign_up = SignUp {
            email: SEED_EMAIL.to_owned(),
            password: SEED_PASSWORD.to_owned(),
            name: "Demo".to_owned(),
            organization_name: Some("Northwind".to_owned()),
        };
        let client = ClientInfo::new("dash seed", std::net::Ipv4Addr::LOCALHOST.into());
        let (viewer, _) = match self.accounts.sign_up(sign_up, &client).await {
            Ok(made) => made,
            Err(crate::accounts::AccountsError::EmailTaken) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        self.dashboards.start_demo(&viewer.scope()).await?;
        Ok(true)
    }
}

async fn run_job(pipelines: &Pipelines, sinks: &Sinks, job: &Job) -> Next {
    if Sinks::has_job(job) {
        sinks.run_job(job).await
    } else {
        pipelines.run_job(job).await
    }
}
