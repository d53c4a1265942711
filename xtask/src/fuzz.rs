//! `cargo xtask fuzz`: each target is given inputs that libFuzzer makes up for a while, guided by
//! what they reach, on the ordinary compiler. An input that crashes a target, takes longer than a few
//! seconds or more memory than is allowed ends it with a failure; it is kept and named.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::phases::{Phases, say};
use crate::shell::run;
use crate::workspace::Workspace;

/// All targets; each has a program and a folder of seeds in `tests/fuzz`.
const TARGETS: [&str; 5] = ["bodies", "files", "signatures", "formulas", "transforms"];
/// How long each one runs unless told otherwise, in seconds.
pub const SECONDS: u32 = 60;
/// What makes the compiler note which places of a program an input reaches.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=16 --cfg fuzzing";

/// Runs the named targets, or all.
pub fn fuzz(workspace: &Workspace, names: &[String], seconds: u32) -> Result<()> {
    for name in names {
        if !TARGETS.contains(&name.as_str()) {
            bail!(
                "there is no target {name:?}; there are {}",
                TARGETS.join(", ")
            );
        }
    }
    let chosen = |target: &&str| names.is_empty() || names.iter().any(|name| name == target);
    let targets: Vec<&str> = TARGETS.into_iter().filter(chosen).collect();
    let host = host()?;
    let target_dir = workspace.target.join("fuzz");
    let mut build = Command::new("cargo");
    build
        .args(["build", "--release", "--target", &host, "--manifest-path"])
        .arg(workspace.path("tests/fuzz/Cargo.toml"))
        .env("CARGO_TARGET_DIR", &target_dir)
        .env("RUSTFLAGS", FLAGS);
    say("building the fuzz targets; that takes some minutes the first time");
    run(&mut build)?;
    let mut phases = Phases::new(targets.len());
    for target in targets {
        let corpus = target_dir.join("corpus").join(target);
        let findings = target_dir.join("findings").join(target);
        for folder in [&corpus, &findings] {
            fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        let mut program = Command::new(target_dir.join(&host).join("release").join(target));
        program
            .arg(&corpus)
            .arg(workspace.path("tests/fuzz/seeds").join(target))
            .arg(format!("-artifact_prefix={}/", findings.display()))
            .arg(format!("-max_total_time={seconds}"))
            .args(["-timeout=5", "-rss_limit_mb=1024", "-malloc_limit_mb=256"])
            .args(["-max_len=4096", "-print_final_stats=1", "-verbosity=0"]);
        phases.run(target, || run(&mut program));
    }
    phases.finish()
}

/// The machine's own target.
fn host() -> Result<String> {
    let version = crate::shell::output(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .context("rustc does not name its host")
}
