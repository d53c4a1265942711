//! Installing what builds the web client: the WebAssembly target, Trunk, wasm-bindgen at exactly the
//! version in Cargo.lock, and wasm-split, which cuts the program into parts. (wasm-opt comes from npm, with the client's other packages.)

use std::process::Command;

use anyhow::{Context, Result};

use crate::phases::say;
use crate::shell::{output, run};
use crate::workspace::Workspace;

const WASM: &str = "wasm32-unknown-unknown";
const TRUNK: &str = "0.21.14";
const WASM_SPLIT: &str = "0.2.4";

/// Installs whatever of the web tools is missing.
pub fn install_web_tools(workspace: &Workspace) -> Result<()> {
    install_wasm_target(workspace)?;
    Tool {
        program: "trunk",
        package: "trunk",
        version: TRUNK.to_owned(),
        options: &["--locked", "--no-default-features", "--features", "rustls"],
    }
    .install(workspace)?;
    Tool {
        program: "wasm-bindgen",
        package: "wasm-bindgen-cli",
        version: locked_version(workspace, "wasm-bindgen")?,
        // Its own lock file names a version that the registry has withdrawn.
        options: &[],
    }
    .install(workspace)?;
    Tool {
        program: "wasm-split-cli",
        package: "wasm_split_cli_support",
        version: WASM_SPLIT.to_owned(),
        options: &["--features", "build-binary"],
    }
    .install(workspace)
}

/// Adds the standard library for WebAssembly. It is looked for first: rustup may be absent, or offline.
pub fn install_wasm_target(workspace: &Workspace) -> Result<()> {
    let mut rustc = workspace.command("rustc");
    let folder = output(rustc.args(["--print", "target-libdir", "--target", WASM]))?;
    if std::path::Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    say(&format!("installing the Rust target {WASM}"));
    run(workspace.command("rustup").args(["target", "add", WASM]))
        .with_context(|| format!("the standard library for {WASM} is missing"))
}

/// A program that cargo can install.
struct Tool {
    program: &'static str,
    package: &'static str,
    version: String,
    options: &'static [&'static str],
}

impl Tool {
    fn install(&self, workspace: &Workspace) -> Result<()> {
        if self.is_installed(workspace) {
            return Ok(());
        }
        let Self {
            package, version, ..
        } = self;
        if self.install_prebuilt(workspace) {
            return Ok(());
        }
        say(&format!(
            "installing {package} {version} from source; this happens once"
        ));
        let root = workspace.tools.to_string_lossy();
        let mut install = workspace.cargo(["install", package, "--version", version]);
        install
            .args(["--force", "--root", &root])
            .args(self.options);
        // The target folder is Cargo's temporary one, and the build is meant to be over soon.
        install
            .env_remove("CARGO_TARGET_DIR")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        run(&mut install)
    }

    /// Whether the program is at hand in the right version: by its own word, or, since not every
    /// program tells its version, by Cargo's record of what it installed.
    fn is_installed(&self, workspace: &Workspace) -> bool {
        if workspace.find(self.program).is_none() {
            return false;
        }
        let asked = output(workspace.command(self.program).arg("--version"));
        if let Ok(text) = asked {
            return text.split_whitespace().nth(1) == Some(&self.version);
        }
        let heading = format!("{} v{}:", self.package, self.version);
        let listed = |list: &mut Command| output(list).is_ok_and(|text| text.contains(&heading));
        let mut own = workspace.cargo(["install", "--list", "--root"]);
        listed(own.arg(&workspace.tools)) || listed(&mut workspace.cargo(["install", "--list"]))
    }

    /// Fetches a finished binary where cargo-binstall is at hand; building takes minutes.
    fn install_prebuilt(&self, workspace: &Workspace) -> bool {
        if workspace.find("cargo-binstall").is_none() {
            return false;
        }
        say(&format!(
            "installing {} {} with cargo-binstall",
            self.package, self.version
        ));
        let mut binstall = workspace.cargo(["binstall", "--no-confirm", "--force"]);
        binstall
            .args(["--disable-strategies", "compile", "--root"])
            .arg(&workspace.tools);
        binstall.arg(format!("{}@{}", self.package, self.version));
        run(&mut binstall).is_ok() && self.is_installed(workspace)
    }
}

/// The version of a package in Cargo.lock.
fn locked_version(workspace: &Workspace, package: &str) -> Result<String> {
    let lock =
        std::fs::read_to_string(workspace.path("Cargo.lock")).context("reading Cargo.lock")?;
    let heading = format!("name = \"{package}\"\nversion = \"");
    lock.split_once(&heading)
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(version, _)| version.to_owned())
        .with_context(|| format!("Cargo.lock does not name {package}"))
}
