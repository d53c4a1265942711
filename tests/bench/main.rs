//! Benchmarks: `cargo xtask bench NAME` builds this in release mode and runs it. Each prints a
//! table and writes `NAME.json`, a list of measurements with the baseline that ran beside them.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool"
)]
#![expect(clippy::expect_used, reason = "a benchmark that cannot go on ends")]

mod data;
mod e2e_latency;
mod fan_out;
mod pipelines;
mod report;

use std::process::ExitCode;

/// Records are many small pieces of memory: this allocator hands them out twice as fast as the
/// system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let measured = match name.as_str() {
        "e2e-latency" => e2e_latency::measure().await,
        "data" => data::measure(std::env::args().nth(2).as_deref()).await,
        "pipelines" => pipelines::measure(std::env::args().nth(2).as_deref()).await,
        _ => {
            eprintln!(
                "usage: cargo xtask bench NAME, with NAME one of: data, e2e-latency, pipelines"
            );
            return ExitCode::FAILURE;
        }
    };
    report::publish(&name, &measured);
    ExitCode::SUCCESS
}
