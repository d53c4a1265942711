//! The command line: parses the subcommand and starts what it names; nothing else.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::{Args, Parser, Subcommand};
use dash_api::accounts::Accounts;
use dash_api::app::{self, App, SEED_EMAIL, SEED_PASSWORD};
use dash_api::clock::Clock;
use dash_api::config::Config;
use dash_api::outbound::AllowedTargets;
use dash_api::{graphql, http, telemetry};
use dash_shared::plans::Plan;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long requests and jobs under way may take to end.
const DRAIN_TIME_LIMIT: Duration = Duration::from_secs(25);

/// Data pipelines, transformations and real-time dashboards.
#[derive(Parser)]
#[command(name = "dash", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and the web client, and run due jobs.
    Serve {
        #[command(flatten)]
        settings: Settings,
        /// The port to listen on, instead of PORT; 0 takes a free one.
        #[arg(long)]
        port: Option<u16>,
    },
    /// Only run due jobs: polls, demos, clean-up.
    Work {
        #[command(flatten)]
        settings: Settings,
    },
    /// Bring the database to the newest schema.
    Migrate {
        #[command(flatten)]
        settings: Settings,
    },
    /// Print the GraphQL schema.
    Schema,
    /// Create an account to try Dash with, and its demo pipeline and dashboard.
    Seed {
        #[command(flatten)]
        settings: Settings,
    },
    /// What only the operator may do.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Throw the roll-ups away and count all records again. Dash may run meanwhile; its answers stay
    /// exact, the first ones take longer.
    RebuildRollups {
        #[command(flatten)]
        settings: Settings,
    },
    /// Put an organization on a plan, and end its trial.
    SetPlan {
        #[command(flatten)]
        settings: Settings,
        /// The e-mail address of one of its users, or the organization's id.
        whose: String,
        /// free, pro, business or enterprise.
        #[arg(value_parser = parse_plan)]
        plan: Plan,
    },
}

#[derive(Args)]
struct Settings {
    /// A file of KEY=value lines; the environment comes before it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Settings {
    fn load(&self, port: Option<u16>) -> anyhow::Result<Config> {
        let check_target = |target: &str| match AllowedTargets::parse(&[target]) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        };
        let config = Config::load(self.config.as_deref(), port, &check_target)?;
        telemetry::init(&config.log)?;
        Ok(config)
    }
}

/// Records are many small pieces of memory: this allocator hands them out twice as fast as the
/// system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when this fails.
            let _ = writeln!(io::stderr(), "dash: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow!("another TLS provider is installed already"))?;
    match command {
        Command::Serve { settings, port } => serve(settings.load(port)?).await,
        Command::Work { settings } => work(settings.load(None)?).await,
        Command::Migrate { settings } => {
            app::migrate(&app::connect(&settings.load(None)?).await?).await?;
            say("The database has the newest schema.")
        }
        Command::Schema => say(graphql::sdl().trim_end()),
        Command::Seed { settings } => seed(settings.load(None)?).await,
        Command::Admin {
            command: AdminCommand::RebuildRollups { settings },
        } => rebuild_rollups(settings.load(None)?).await,
        Command::Admin {
            command:
                AdminCommand::SetPlan {
                    settings,
                    whose,
                    plan,
                },
        } => set_plan(&settings.load(None)?, &whose, plan).await,
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let listen = config.http.listen;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}; is another Dash running?"))?;
    let port = listener
        .local_addr()
        .context("cannot tell the port")?
        .port();
    let url = config.http.public_url.clone();
    let url = if listen.port() == 0 {
        format!("http://localhost:{port}")
    } else {
        url
    };

    let stop = StopSignals::listen()?;
    let app = start(config).await?;
    let served = tokio::spawn(http::serve(Arc::clone(&app), listener));
    say(&format!("Dash is ready: {url}"))?;
    stop.wait().await;

    // From here on nothing new is taken; what is under way is finished.
    app.stopping.cancel();
    if let Ok(served) = tokio::time::timeout(DRAIN_TIME_LIMIT, served).await {
        served
            .context("serving was cut off")?
            .context("cannot serve")?;
    } else {
        tracing::warn!("some requests did not end in time and are cut off");
    }
    finish(&app).await;
    Ok(())
}

async fn work(config: Config) -> anyhow::Result<()> {
    let stop = StopSignals::listen()?;
    let app = start(config).await?;
    say("Dash is working.")?;
    stop.wait().await;
    finish(&app).await;
    Ok(())
}

/// A Dash that runs due jobs.
async fn start(config: Config) -> anyhow::Result<Arc<App>> {
    telemetry::metrics();
    tokio::spawn(telemetry::run_metrics_upkeep());
    let app = App::build(config, Clock::System).await?;
    app.start_workers();
    Ok(app)
}

/// Lets the jobs end and stores every record that was taken.
async fn finish(app: &App) {
    tracing::info!("stopping");
    if tokio::time::timeout(DRAIN_TIME_LIMIT, app.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some jobs did not end in time; they are run again");
    }
}

async fn seed(config: Config) -> anyhow::Result<()> {
    let app = App::build(config, Clock::System).await?;
    let made = app.seed().await.context("cannot make the demo account")?;
    app.shutdown().await;
    let what = if made {
        "There is a demo account now"
    } else {
        "The demo account is there"
    };
    say(&format!(
        "{what}: log in as {SEED_EMAIL} with the password \"{SEED_PASSWORD}\"."
    ))
}

async fn rebuild_rollups(config: Config) -> anyhow::Result<()> {
    let app = App::build(config, Clock::System).await?;
    let views = app.store.rebuild_rollups().await?;
    app.shutdown().await;
    say(&format!("Rebuilt: {views}."))
}

async fn set_plan(config: &Config, whose: &str, plan: Plan) -> anyhow::Result<()> {
    let db = app::connect(config).await?;
    let accounts = Accounts::new(db, Clock::System, config.passwords);
    let organization = accounts.set_plan(whose, plan).await?;
    say(&format!(
        "{} is on the plan {} now.",
        organization.name,
        plan.name()
    ))
}

/// The signals that end a process in order.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// From now on the signals do not end the process by themselves.
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        let (terminate, interrupt) = (
            listen(SignalKind::terminate())?,
            listen(SignalKind::interrupt())?,
        );
        Ok(Self {
            terminate,
            interrupt,
        })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// A line for the person at the terminal.
fn say(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}").context("cannot write to the standard output")
}

fn parse_plan(word: &str) -> Result<Plan, String> {
    let words = || Plan::ALL.map(Plan::as_str).join(", ");
    Plan::parse(word).ok_or_else(|| format!("it is one of {}", words()))
}
