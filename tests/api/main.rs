//! Dash tested through its API: the real router on a port of its own, on SQLite or PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails by panicking"
)]
#![expect(clippy::too_many_lines, reason = "some tests are long lists of cases")]

mod accounts;
mod architecture;
mod crash;
mod dashboards;
mod graphql;
mod hooks;
mod keys;
mod live;
mod operations;
mod outages;
mod partitions;
mod pipelines;
mod polling;
mod processes;
mod replica;
mod retention;
mod strangers;
mod usage;
