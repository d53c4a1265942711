//! `cargo xtask test`: everything that must hold before a change lands, phase by phase.

use std::ffi::OsString;

use anyhow::{Context, Result, bail};

use crate::apt::{self, Needed};
use crate::phases::{Phases, say};
use crate::postgres::{Durability, Postgres};
use crate::shell::run;
use crate::workspace::{Workspace, env};
use crate::{engine, npm, tools, web};

/// All crates but those of the browser. Every cargo command of a test run names the same ones: cargo unites the
/// features of what it builds together, and another set of crates would mean compiling them again.
pub const SERVER_CRATES: [&str; 5] = [
    "--workspace",
    "--exclude",
    "dash-web",
    "--exclude",
    engine::PACKAGE,
];

/// A server with TimescaleDB where databases may be made: none can be installed here.
const TIMESCALE: &str = "DASH_TEST_TIMESCALE_URL";

/// A part of the tests that can be run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// `cargo fmt --check`.
    Format,
    /// Clippy on everything, the client as WebAssembly.
    Lints,
    /// The tests inside the crates.
    Unit,
    /// The API tests on SQLite.
    Sqlite,
    /// The API tests on a PostgreSQL server started for them.
    Postgres,
    /// The API tests on a server with TimescaleDB, where there is one.
    Timescale,
    /// The release build of the web client.
    Web,
    /// The browser tests, on that build.
    Browser,
}

type Variables = Vec<(&'static str, OsString)>;

impl Phase {
    const ALL: [Self; 8] = [
        Self::Format,
        Self::Lints,
        Self::Unit,
        Self::Sqlite,
        Self::Postgres,
        Self::Timescale,
        Self::Web,
        Self::Browser,
    ];

    /// The phase that `--only` names.
    pub fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|phase| phase.name() == name);
        found.with_context(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no phase {name:?}; there are {names}")
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lints => "lints",
            Self::Unit => "unit",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Timescale => "timescale",
            Self::Web => "web",
            Self::Browser => "browser",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Lints => "lints",
            Self::Unit => "unit tests",
            Self::Sqlite => "API tests on SQLite",
            Self::Postgres => "API tests on PostgreSQL",
            Self::Timescale => "API tests on TimescaleDB",
            Self::Web => "web build",
            Self::Browser => "browser tests",
        }
    }

    fn install(self, workspace: &Workspace) -> Result<()> {
        match self {
            Self::Format | Self::Unit => Ok(()),
            Self::Lints => tools::install_wasm_target(workspace),
            Self::Sqlite | Self::Timescale => npm::install_packages(workspace, "tests"),
            Self::Postgres => {
                npm::install_packages(workspace, "tests")?;
                apt::install(workspace, &[Needed::Postgres])
            }
            Self::Web => web::install(workspace),
            Self::Browser => {
                npm::install_packages(workspace, "tests")?;
                apt::install(workspace, &[Needed::Chromium, Needed::ChromeDriver])
            }
        }
    }

    fn run(self, workspace: &Workspace) -> Result<()> {
        match self {
            Self::Format => run(&mut workspace.cargo(["fmt", "--all", "--check"])),
            Self::Lints => lints(workspace),
            Self::Unit => run(workspace.cargo(["test"]).args(SERVER_CRATES).arg("--lib")),
            Self::Sqlite => tests(workspace, "api", environment(workspace)),
            Self::Postgres => {
                let programs = Needed::Postgres.get(workspace)?;
                let server = Postgres::start(workspace, programs.clone(), Durability::None)?;
                let mut variables = environment(workspace);
                variables.push(("DASH_TEST_POSTGRES_PROGRAMS", programs.into()));
                variables.push(("DASH_TEST_POSTGRES_URL", server.url().into()));
                tests(workspace, "api", variables)
            }
            Self::Timescale => {
                let url = env(TIMESCALE).with_context(|| format!("{TIMESCALE} is not set"))?;
                let mut variables = environment(workspace);
                variables.push(("DASH_TEST_POSTGRES_URL", url));
                tests(workspace, "api", variables)
            }
            Self::Web => web::build(workspace).map(drop),
            Self::Browser => {
                let mut variables = environment(workspace);
                variables.extend(browser_environment(workspace)?);
                variables.push(("DASH_TEST_ENGINE", engine::build(workspace)?.into()));
                tests(workspace, "e2e", variables)
            }
        }
    }
}

/// Runs the given phases, or all; the browser tests bring the web build along.
pub fn test(workspace: &Workspace, only: &[Phase]) -> Result<()> {
    let wanted = |phase: Phase| {
        let for_browser = phase == Phase::Web && only.contains(&Phase::Browser);
        only.is_empty() || only.contains(&phase) || for_browser
    };
    let chosen: Vec<Phase> = Phase::ALL
        .into_iter()
        .filter(|phase| wanted(*phase))
        .collect();

    let mut phases = Phases::new(chosen.len() + 1);
    let install = || chosen.iter().try_for_each(|phase| phase.install(workspace));
    if !phases.run("tools", install) {
        bail!("the tools are incomplete");
    }
    let mut web_is_built = true;
    for phase in chosen {
        if phase == Phase::Browser && !web_is_built {
            phases.skip(phase.title(), "there is no web build to test");
            continue;
        }
        if phase == Phase::Timescale && env(TIMESCALE).is_none() && only.is_empty() {
            phases.skip(phase.title(), &format!("{TIMESCALE} is not set"));
            continue;
        }
        let passed = phases.run(phase.title(), || phase.run(workspace));
        web_is_built &= passed || phase != Phase::Web;
    }
    phases.finish()
}

fn lints(workspace: &Workspace) -> Result<()> {
    let deny = ["--", "--deny", "warnings"];
    run(workspace
        .cargo(["clippy", "--all-targets"])
        .args(SERVER_CRATES)
        .args(deny))?;
    let client = [
        "clippy",
        "--package",
        "dash-web",
        "--package",
        engine::PACKAGE,
        "--target",
        "wasm32-unknown-unknown",
    ];
    run(workspace.cargo(client).args(deny))
}

/// Runs one test binary of `dash-tests`, with the server's program beside it: some tests kill it.
fn tests(workspace: &Workspace, name: &str, variables: Variables) -> Result<()> {
    run(workspace
        .cargo(["build", "--bin", "dash"])
        .args(SERVER_CRATES))?;
    let mut test = workspace.cargo(["test", "--test", name]);
    run(test.args(SERVER_CRATES).envs(variables))
}

/// What every test may ask for: the packages from npm.
pub fn environment(workspace: &Workspace) -> Variables {
    let packages = workspace.path("tests/node_modules");
    vec![("DASH_TEST_NODE_MODULES", packages.into())]
}

/// What the browser tests need besides; their screenshots are kept in `target/e2e`.
pub fn browser_environment(workspace: &Workspace) -> Result<Variables> {
    let artifacts = workspace.target.join("e2e");
    std::fs::create_dir_all(&artifacts).context("creating the folder for screenshots")?;
    say(&format!("screenshots are kept in {}", artifacts.display()));
    Ok(vec![
        ("DASH_TEST_WEB_DIST", workspace.path("web/dist").into()),
        (
            "DASH_TEST_CHROMIUM",
            Needed::Chromium.get(workspace)?.into(),
        ),
        (
            "DASH_TEST_CHROMEDRIVER",
            Needed::ChromeDriver.get(workspace)?.into(),
        ),
        ("DASH_TEST_ARTIFACTS", artifacts.into()),
    ])
}
