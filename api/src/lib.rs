//! Dash's server: a headless GraphQL API over pipelines, records and dashboards.
//!
//! Data flows one way: request → scope → domain → store → event → subscriber. `ARCHITECTURE.md`
//! has the map and the invariants.

pub mod accounts;
pub mod app;
pub mod clock;
pub mod config;
pub mod dashboards;
pub mod data;
pub mod db;
pub mod engine;
pub mod events;
pub mod graphql;
pub mod http;
pub mod jobs;
pub mod outbound;
pub mod pipelines;
pub mod running;
pub mod secrets;
pub mod sinks;
pub mod telemetry;
