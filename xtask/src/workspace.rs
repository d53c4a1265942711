//! Where things are: the repository, the build's target folder, and the folder for tools. The only
//! reader of the environment in this crate.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The folders that every command works in.
#[derive(Debug)]
pub struct Workspace {
    /// The repository.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// Where tools are installed that are not on the machine: a cache shared by all clones.
    pub tools: PathBuf,
}

impl Workspace {
    /// Finds the workspace that this run of `cargo xtask` belongs to.
    pub fn locate() -> Result<Self> {
        // Asked at run time: clones that share a target folder may share this program too.
        let manifest = env("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .parent()
            .context("xtask lies in a workspace")?
            .to_owned();
        let target = env("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
        let cache = match (env("XDG_CACHE_HOME"), env("HOME")) {
            (Some(cache), _) => PathBuf::from(cache),
            (None, Some(home)) => Path::new(&home).join(".cache"),
            (None, None) => target.clone(),
        };
        Ok(Self {
            target: root.join(target),
            tools: root.join(cache).join("dash/tools"),
            root,
        })
    }

    /// A path inside the repository.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A program that the build made, such as `("release", "dash")`.
    pub fn built(&self, profile: &str, name: &str) -> PathBuf {
        self.target
            .join(profile)
            .join(name)
            .with_extension(std::env::consts::EXE_EXTENSION)
    }

    /// A command that runs in the repository and finds the project's own tools first.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let program = program.as_ref();
        let found = if program.components().count() == 1 {
            self.find(program)
        } else {
            None
        };
        let mut command = Command::new(found.as_deref().unwrap_or(program));
        command
            .current_dir(&self.root)
            .env("PATH", self.search_path());
        command
    }

    /// A cargo command on this workspace.
    pub fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let cargo = env("CARGO").map_or_else(|| "cargo".into(), PathBuf::from);
        let mut command = self.command(cargo);
        command
            .args(arguments)
            .env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// Looks for a program where [`Self::command`] would find it.
    pub fn find(&self, program: impl AsRef<Path>) -> Option<PathBuf> {
        let name = program
            .as_ref()
            .with_extension(std::env::consts::EXE_EXTENSION);
        std::env::split_paths(&self.search_path())
            .map(|folder| folder.join(&name))
            .find(|path| path.is_file())
    }

    fn search_path(&self) -> OsString {
        let own = [self.tools.join("bin"), self.path("web/node_modules/.bin")];
        let machine = env("PATH").unwrap_or_default();
        let folders = own.into_iter().chain(std::env::split_paths(&machine));
        // A folder that cannot stand in a path is left out by falling back to the machine's own.
        std::env::join_paths(folders).unwrap_or(machine)
    }
}

/// An environment variable that is set and not empty.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask configures builds, not Dash; it reads here"
)]
pub fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
