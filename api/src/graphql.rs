//! The GraphQL schema: assembly and limits. Each file below holds the types, inputs, payloads and
//! thin resolvers of one domain: take the scope, call the domain, map the result.

mod accounts;
mod backfills;
mod dashboards;
mod deliveries;
mod errors;
mod events;
mod failures;
mod impact;
mod loaders;
mod node;
mod paging;
mod pipelines;
mod previews;
mod queries;
mod records;
mod runs;
mod shared;
mod sink_changes;
mod sink_targets;
mod sinks;
mod sources;
mod steps;
mod subscriptions;
mod transform_tests;
mod uploads;
mod versions;
mod widgets;

use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, MergedObject, SDLExportOptions, Schema};
use chrono::{DateTime, Utc};

use crate::accounts::{Accounts, TenantScope, Viewer};
use crate::clock::Clock;
use crate::dashboards::Dashboards;
use crate::data::RecordStore;
use crate::pipelines::Pipelines;
use crate::sinks::Sinks;

pub use errors::{error_with_code, is_internal};
pub use shared::{Answer, Subscriptions};

/// How deep a query may be nested; the usual introspection query has 14 levels.
const MAX_DEPTH: usize = 18;
/// How many fields a query may ask for, those of lists counted once for each item.
const MAX_COMPLEXITY: usize = 10_000;
/// How many directives a field may have.
const MAX_DIRECTIVES: usize = 10;

/// The schema.
pub type DashSchema = Schema<Query, Mutation, subscriptions::Subscription>;

/// Reading.
#[derive(Debug, Default, MergedObject)]
pub struct Query(
    node::NodeQuery,
    accounts::AccountsQuery,
    pipelines::PipelinesQuery,
    previews::PreviewsQuery,
    transform_tests::TransformTestsQuery,
    impact::ImpactQuery,
    sinks::SinksQuery,
    dashboards::DashboardsQuery,
);

/// Changing.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(
    accounts::AccountsMutation,
    pipelines::PipelinesMutation,
    sources::webhook::WebhooksMutation,
    backfills::BackfillsMutation,
    versions::VersionsMutation,
    transform_tests::TransformTestsMutation,
    failures::FailuresMutation,
    records::RecordsMutation,
    sink_changes::SinksMutation,
    dashboards::DashboardsMutation,
);

/// What the resolvers call.
#[derive(Clone, Debug)]
pub struct Services {
    /// Users and teams.
    pub accounts: Accounts,
    /// Pipelines.
    pub pipelines: Pipelines,
    /// Sinks.
    pub sinks: Sinks,
    /// Dashboards.
    pub dashboards: Dashboards,
    /// Records and runs.
    pub store: RecordStore,
    /// The time.
    pub clock: Clock,
    /// Where people and senders reach this Dash, without a slash at the end.
    pub public_url: String,
}

impl Services {
    /// Whether cookies are for https only.
    fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// The schema over these services.
pub fn schema(services: Services) -> DashSchema {
    let store = services.store.clone();
    limited()
        .data(DataLoader::new(
            loaders::Totals(store.clone()),
            tokio::spawn,
        ))
        .data(DataLoader::new(
            loaders::LastRuns(store.clone()),
            tokio::spawn,
        ))
        .data(DataLoader::new(
            loaders::Throughput(store.clone()),
            tokio::spawn,
        ))
        .data(DataLoader::new(loaders::LastMinute(store), tokio::spawn))
        .data(services)
        .finish()
}

fn limited() -> async_graphql::SchemaBuilder<Query, Mutation, subscriptions::Subscription> {
    Schema::build(
        Query::default(),
        Mutation::default(),
        subscriptions::Subscription,
    )
    .limit_depth(MAX_DEPTH)
    .limit_complexity(MAX_COMPLEXITY)
    .limit_directives(MAX_DIRECTIVES)
}

/// The schema's text, sorted, as `schema.graphql` holds it.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items();
    let sdl = limited()
        .finish()
        .sdl_with_options(options.prefer_single_line_descriptions());
    let mut lines: Vec<&str> = sdl.lines().map(str::trim_end).collect();
    lines.dedup_by(|a, b| a.is_empty() && b.is_empty());
    format!("{}\n", lines.join("\n").trim())
}

fn services<'a>(ctx: &Context<'a>) -> async_graphql::Result<&'a Services> {
    ctx.data::<Services>()
}

/// The scope of whoever asks.
fn scope(ctx: &Context<'_>) -> async_graphql::Result<TenantScope> {
    Ok(viewer(ctx)?.scope())
}

fn viewer<'a>(ctx: &Context<'a>) -> async_graphql::Result<&'a Viewer> {
    ctx.data_opt::<Viewer>().ok_or_else(errors::unauthenticated)
}

/// Milliseconds since 1970 as the API's time.
fn date_time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

/// A count as the API's 32-bit `Int`; beyond that the largest one.
fn int(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A count that may be beyond 32 bits, as the API's `Float`; exact up to 2^53.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to 2^53, far beyond any count here"
)]
fn float(count: i64) -> f64 {
    count as f64
}
