//! Enums and short lists of pipelines that more than one page needs. The operations of one page
//! live beside that page.

use super::{DateTime, UserError, schema};

/// Whether a pipeline takes in data.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PipelineState {
    /// It does.
    Running,
    /// A person paused it.
    Paused,
    /// It tries, and its last runs failed.
    Failing,
}

/// A pipeline in a short list.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Pipeline")]
pub struct PipelineSummary {
    /// Its global id.
    pub id: cynic::Id,
    /// What it is called.
    pub name: String,
    /// Whether it takes in data.
    pub state: PipelineState,
    /// Records stored and not yet expired.
    pub record_count: f64,
    /// When the last record came.
    pub last_record_at: Option<DateTime>,
    /// Since when it fails.
    pub failing_since: Option<DateTime>,
}

/// A page of short pipelines.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "PipelineConnection")]
pub struct PipelineSummaries {
    /// The pipelines of this page.
    pub nodes: Vec<PipelineSummary>,
    /// How many there are in all.
    pub total_count: i32,
}

/// Makes the demo pipeline and its dashboard.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation")]
pub struct StartDemo {
    /// What was made.
    pub start_demo: StartDemoPayload,
}

/// The answer to [`StartDemo`].
#[derive(cynic::QueryFragment, Debug)]
pub struct StartDemoPayload {
    /// The dashboard to go to.
    pub dashboard: Option<DashboardId>,
    /// What to fix, such as a limit that is reached.
    pub user_errors: Vec<UserError>,
}

/// A dashboard by its id alone.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Dashboard")]
pub struct DashboardId {
    /// Its global id.
    pub id: cynic::Id,
}
