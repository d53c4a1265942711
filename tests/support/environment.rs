//! What `cargo xtask test` tells the tests: where the servers and programs are that it started.

use std::path::PathBuf;

#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the tests' environment"
)]
fn read(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn needed(name: &str) -> PathBuf {
    match read(name) {
        Some(value) => value.into(),
        None => panic!("{name} is not set: run these tests with `cargo xtask test`"),
    }
}

/// A PostgreSQL server where databases may be made; SQLite is used without one.
pub fn postgres_url() -> Option<String> {
    read("DASH_TEST_POSTGRES_URL")
}

/// Whether that server is the one with TimescaleDB.
pub fn is_timescale() -> bool {
    let server = postgres_url();
    server.is_some() && server == read("DASH_TEST_TIMESCALE_URL")
}

/// A PostgreSQL server that keeps what it was told, for benchmarks.
pub fn bench_postgres_url() -> String {
    let name = "DASH_BENCH_POSTGRES_URL";
    read(name).unwrap_or_else(|| panic!("{name} is not set: use `cargo xtask bench`"))
}

/// The folder of PostgreSQL's programs, for tests that start a server of their own.
pub fn postgres_programs() -> Option<PathBuf> {
    read("DASH_TEST_POSTGRES_PROGRAMS").map(PathBuf::from)
}

/// The built web client.
pub fn web_dist() -> PathBuf {
    needed("DASH_TEST_WEB_DIST")
}

/// The WebDriver server for Chromium.
pub fn chromedriver() -> PathBuf {
    needed("DASH_TEST_CHROMEDRIVER")
}

/// The module with which Node runs the transform engine of the browser.
pub fn engine() -> PathBuf {
    needed("DASH_TEST_ENGINE")
}

/// Chromium.
pub fn chromium() -> PathBuf {
    needed("DASH_TEST_CHROMIUM")
}

/// Where screenshots and logs are kept.
pub fn artifacts() -> PathBuf {
    needed("DASH_TEST_ARTIFACTS")
}

/// The installed npm packages that tests use.
pub fn node_modules() -> PathBuf {
    needed("DASH_TEST_NODE_MODULES")
}

/// A file of the npm package `vega-datasets`.
pub fn vega_dataset(name: &str) -> String {
    let file = node_modules().join("vega-datasets/data").join(name);
    std::fs::read_to_string(file).expect("the data set is installed")
}

/// Where a benchmark writes its results.
pub fn bench_dir() -> PathBuf {
    needed("DASH_BENCH_DIR")
}

/// The `dash` program, built beside the tests.
pub fn dash_program() -> PathBuf {
    let tests = std::env::current_exe().expect("a test knows its own path");
    let folder = tests
        .ancestors()
        .find(|folder| folder.join("dash").is_file());
    folder
        .expect("`cargo build -p dash-api` comes before these tests")
        .join("dash")
}
