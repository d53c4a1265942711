//! Dash tested through its API: the real router on a port of its own, on SQLite or PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails by panicking"
)]
#![expect(clippy::too_many_lines, reason = "some tests are long lists of cases")]

mod accounts;
mod activity;
mod architecture;
mod backfill;
mod compliance;
mod crash;
mod crash_rollups;
mod crash_sinks;
mod dashboards;
mod exports;
mod failures;
mod fan_out;
mod graphql;
mod hooks;
mod impact;
mod keys;
mod live;
mod operations;
mod outages;
mod partitions;
mod pipelines;
mod polling;
mod polling_jobs;
mod polling_requests;
mod processes;
mod queries;
mod records;
mod relays;
mod replica;
mod retention;
mod searches;
mod sinks;
mod steps;
mod strangers;
mod transform_tests;
mod uploads;
mod usage;
mod versions;
mod webhook_bodies;
mod webhook_signatures;
