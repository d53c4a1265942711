//! What the tests stand on: a real Dash on a database of its own, typed-enough clients for HTTP and
//! websockets, servers for Dash to poll, and a browser.
//!
//! Panics are how tests fail, so this crate may panic.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails by panicking"
)]

pub mod app;
pub mod browser;
pub mod client;
pub mod environment;
pub mod gate;
pub mod live;
pub mod postgres;
pub mod upstream;

pub use app::TestApp;
pub use client::{Answer, Client};
