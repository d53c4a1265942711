//! npm packages of a folder, installed as its lock file says whenever that has changed.

use std::fs;

use anyhow::{Context, Result};

use crate::phases::say;
use crate::shell::{output, run};
use crate::workspace::Workspace;

const NODE_MAJOR: u32 = 20;

/// Installs the packages of `folder`, unless they are there already.
pub fn install_packages(workspace: &Workspace, folder: &str) -> Result<()> {
    let folder_path = workspace.path(folder);
    let lock = fs::read_to_string(folder_path.join("package-lock.json"))
        .with_context(|| format!("reading {folder}/package-lock.json"))?;
    let stamp = folder_path.join("node_modules/.installed-lock.json");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    check_node(workspace)?;
    say(&format!("installing the npm packages of {folder}/"));
    let mut npm = workspace.command("npm");
    run(npm
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(&folder_path))?;
    fs::write(&stamp, lock).with_context(|| format!("writing {}", stamp.display()))
}

fn check_node(workspace: &Workspace) -> Result<()> {
    let advice =
        || format!("Node.js {NODE_MAJOR} or newer, with npm, is needed to build the client");
    let version = output(workspace.command("node").arg("--version")).with_context(advice)?;
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .unwrap_or_default();
    if major.parse::<u32>().unwrap_or_default() < NODE_MAJOR {
        anyhow::bail!("{}; this is {}", advice(), version.trim());
    }
    Ok(())
}
