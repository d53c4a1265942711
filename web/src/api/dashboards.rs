//! Short lists of dashboards, and the directory of names that the frame shows and the command
//! palette searches.

use super::{DateTime, pipelines::PipelineSummaries, schema};

/// A dashboard in a short list.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Dashboard")]
pub struct DashboardSummary {
    /// Its global id.
    pub id: cynic::Id,
    /// What it is called.
    pub name: String,
    /// When it was changed last.
    pub updated_at: DateTime,
}

/// A page of short dashboards.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "DashboardConnection")]
pub struct DashboardSummaries {
    /// The dashboards of this page.
    pub nodes: Vec<DashboardSummary>,
    /// How many there are in all.
    pub total_count: i32,
}

/// Asks for the names of everything, as far as one page holds.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Query")]
pub struct DirectoryQuery {
    /// The pipelines, newest first.
    #[arguments(first: 100)]
    pub pipelines: PipelineSummaries,
    /// The dashboards, newest first.
    #[arguments(first: 100)]
    pub dashboards: DashboardSummaries,
}
