//! Building the web client into web/dist, unless what it is made from has not changed since.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell::{output, run};
use crate::workspace::Workspace;
use crate::{npm, phases, tools};

/// All that the client is made from, but for the tools, which Cargo.lock and the npm lock file name.
const INPUTS: [&str; 8] = [
    ".cargo/config.toml",
    "Cargo.lock",
    "Cargo.toml",
    "Trunk.toml",
    "schema.graphql",
    "shared",
    "web",
    "xtask/src/tools.rs",
];
const OUTPUTS: [&str; 2] = ["dist", "node_modules"];
const DIST: &str = "web/dist";

/// Installs what the build needs and is missing.
pub fn install(workspace: &Workspace) -> Result<()> {
    npm::install_packages(workspace, "web")?;
    tools::install_web_tools(workspace)
}

/// Builds the client in release mode and returns the folder it is in.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    let dist = workspace.path(DIST);
    // Trunk empties the folder before it fills it, so that the stamp never outlives its build.
    let stamp = dist.join(".fingerprint");
    let fingerprint = fingerprint(workspace)?;
    if fs::read_to_string(&stamp).is_ok_and(|built| built == fingerprint) {
        phases::say("the web client is up to date");
        return Ok(dist);
    }
    phases::say("building the web client");
    // Trunk works offline, so that it never fetches another version of a tool.
    run(&mut workspace.cargo(["fetch"]))?;
    let mut trunk = workspace.command("trunk");
    trunk
        .args(["build", "--release"])
        .env("CARGO_TARGET_DIR", &workspace.target);
    // Trunk reads this variable as an option of its own and understands only `true` and `false`.
    trunk.env_remove("NO_COLOR");
    // A compiler's message is what matters when a build fails, not where Trunk was.
    trunk.env_remove("RUST_BACKTRACE");
    run(&mut trunk)?;
    fs::write(&stamp, fingerprint).with_context(|| format!("writing {}", stamp.display()))?;
    Ok(dist)
}

/// A hash over the compiler's version, and the names and contents of all inputs.
fn fingerprint(workspace: &Workspace) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    output(workspace.command("rustc").arg("--version"))?.hash(&mut hasher);
    for input in INPUTS {
        hash_path(&workspace.path(input), &mut hasher)?;
    }
    Ok(format!("{:016x}\n", hasher.finish()))
}

fn hash_path(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    let name = path.file_name().unwrap_or_default();
    if path.is_dir() {
        if OUTPUTS.iter().any(|output| name == *output) {
            return Ok(());
        }
        let mut entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        name.hash(hasher);
        return entries
            .iter()
            .try_for_each(|entry| hash_path(&entry.path(), hasher));
    }
    name.hash(hasher);
    fs::read(path)
        .with_context(|| format!("reading {}", path.display()))?
        .hash(hasher);
    Ok(())
}
