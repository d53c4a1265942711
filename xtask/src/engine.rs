//! Building the transform engine for Node, as the browser runs it: a test compares it with the
//! server's.

use std::path::PathBuf;

use anyhow::Result;

use crate::phases::say;
use crate::shell::run;
use crate::workspace::Workspace;

/// The crate.
pub const PACKAGE: &str = "dash-test-engine";
const TARGET: &str = "wasm32-unknown-unknown";

/// Builds it and returns the module that Node loads.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    say("building the transform engine for Node");
    run(&mut workspace.cargo(["build", "--package", PACKAGE, "--target", TARGET]))?;
    let built = workspace
        .target
        .join(TARGET)
        .join("debug/dash_test_engine.wasm");
    let folder = workspace.target.join("engine");
    let mut bindgen = workspace.command("wasm-bindgen");
    bindgen.args([
        "--target",
        "nodejs",
        "--no-typescript",
        "--out-name",
        "engine",
    ]);
    run(bindgen.arg("--out-dir").arg(&folder).arg(built))?;
    Ok(folder.join("engine.js"))
}
