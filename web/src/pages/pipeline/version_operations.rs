//! What the tab “Versions” asks the API and tells it to do.

use super::queries::Pipeline;
use crate::api::{DateTime, Json, PageInfo, UserError, schema};

/// How many versions one page has.
pub const VERSIONS_PAGE: i32 = 30;

/// What people saw of a pipeline from one change to the next.
#[expect(clippy::struct_field_names, reason = "the API's names")]
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "PipelineVersion")]
pub struct Version {
    /// Its number.
    pub version: i32,
    /// When it was made.
    pub at: DateTime,
    /// Who made it.
    pub author: Option<String>,
    /// What was changed, in words.
    pub summary: String,
    /// The pipeline's name.
    pub name: String,
    /// The source, as a document.
    pub source: Json,
    /// The steps, as documents.
    pub steps: Vec<Json>,
    /// The field that says when a record happened.
    pub time_field: Option<String>,
}

/// A page of versions.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "PipelineVersionConnection")]
pub struct Versions {
    /// They, the newest first.
    pub nodes: Vec<Version>,
    /// Where the page ends.
    pub page_info: PageInfo,
    /// How many there are in all.
    pub total_count: i32,
}

/// Variables of [`VersionsQuery`].
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct VersionsVariables {
    /// Whose.
    pub id: cynic::Id,
    /// How many.
    pub first: i32,
    /// The cursor of the page before.
    pub after: Option<String>,
}

/// The versions of a pipeline.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Pipeline", variables = "VersionsVariables")]
pub struct Versioned {
    /// A page of them.
    #[arguments(first: $first, after: $after)]
    pub versions: Versions,
}

/// Asks for the versions of a pipeline.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "VersionsVariables")]
pub struct VersionsQuery {
    /// Whose.
    #[arguments(id: $id)]
    pub pipeline: Versioned,
}

/// Variables of [`RestoreVersion`].
#[derive(cynic::QueryVariables, Debug)]
pub struct RestoreVariables {
    /// Whose.
    pub pipeline_id: cynic::Id,
    /// Which.
    pub version: i32,
}

/// Brings a version back.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RestoreVariables")]
pub struct RestoreVersion {
    /// The pipeline, or what to fix.
    #[arguments(input: { pipelineId: $pipeline_id, version: $version })]
    pub restore_pipeline_version: RestorePipelineVersionPayload,
}

/// The answer to [`RestoreVersion`].
#[derive(cynic::QueryFragment, Debug)]
pub struct RestorePipelineVersionPayload {
    /// The pipeline.
    pub pipeline: Option<Pipeline>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}
