//! The programs that tests drive and only the system's package manager has: a browser with its driver,
//! and a PostgreSQL server. Installed where xtask may, otherwise asked for with the command to type.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::phases::say;
use crate::postgres;
use crate::shell::{output, run};
use crate::workspace::{Workspace, env};

const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A program that tests need from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// Chromium, at `DASH_TEST_CHROMIUM` or on the path.
    Chromium,
    /// Its WebDriver server, at `DASH_TEST_CHROMEDRIVER` or on the path.
    ChromeDriver,
    /// The server and tools of PostgreSQL.
    Postgres,
}

impl Needed {
    /// Where the program is; for PostgreSQL, the folder of its programs.
    pub fn find(self, workspace: &Workspace) -> Option<PathBuf> {
        let named = |variable| env(variable).map(PathBuf::from);
        match self {
            Self::Chromium => named("DASH_TEST_CHROMIUM")
                .or_else(|| CHROMIUM.iter().find_map(|name| workspace.find(name))),
            Self::ChromeDriver => {
                named("DASH_TEST_CHROMEDRIVER").or_else(|| workspace.find("chromedriver"))
            }
            Self::Postgres => postgres::programs(workspace),
        }
    }

    /// The program's place; an error that names what is missing.
    pub fn get(self, workspace: &Workspace) -> Result<PathBuf> {
        self.find(workspace)
            .ok_or_else(|| anyhow::anyhow!("{} is not on this machine", self.title()))
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::ChromeDriver => "ChromeDriver",
            Self::Postgres => "the PostgreSQL server",
        }
    }

    const fn debian_package(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::ChromeDriver => "chromium-driver",
            Self::Postgres => "postgresql",
        }
    }
}

/// Makes sure that the programs are there.
pub fn install(workspace: &Workspace, needed: &[Needed]) -> Result<()> {
    let missing: Vec<Needed> = needed
        .iter()
        .copied()
        .filter(|program| program.find(workspace).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let titles = missing
        .iter()
        .map(|program| program.title())
        .collect::<Vec<_>>()
        .join(", ");
    let packages: Vec<&str> = missing
        .iter()
        .map(|program| program.debian_package())
        .collect();
    if workspace.find("apt-get").is_none() {
        bail!(
            "missing: {titles}. Install with your package manager, or name the programs in \
               DASH_TEST_CHROMIUM and DASH_TEST_CHROMEDRIVER"
        );
    }
    let install = format!(
        "apt-get install --yes --no-install-recommends {}",
        packages.join(" ")
    );
    if !is_root(workspace) {
        bail!("missing: {titles}. Install with:\n\n  sudo apt-get update && sudo {install}\n");
    }
    say(&format!("installing {titles}"));
    run(workspace.command("apt-get").args(["update", "--quiet"]))?;
    let mut arguments = install.split_whitespace();
    let mut command = workspace.command(arguments.next().unwrap_or_default());
    run(command
        .args(arguments)
        .arg("--quiet")
        .env("DEBIAN_FRONTEND", "noninteractive"))?;
    missing
        .iter()
        .try_for_each(|program| program.get(workspace).map(drop))
}

/// Whether this runs as root, who may install packages but may not run PostgreSQL.
pub fn is_root(workspace: &Workspace) -> bool {
    output(workspace.command("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
