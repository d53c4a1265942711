//! What the tab “Errors” asks the API and tells it to do.

use crate::api::{DateTime, Json, PageInfo, UserError, schema};

/// How many failed records one page has.
pub const FAILURES_PAGE: i32 = 25;

/// What became of a failed record.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureState {
    /// Nobody has seen to it.
    Open,
    /// It was put in again.
    Replayed,
    /// It does not matter.
    Dismissed,
}

/// A failed record.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Failure {
    /// Its global id.
    pub id: cynic::Id,
    /// When it failed.
    pub failed_at: DateTime,
    /// The step, from 1; 0 is before the first.
    pub step: i32,
    /// The path of the value.
    pub path: String,
    /// The value, shortened.
    pub value: String,
    /// What is wrong with it.
    pub message: String,
    /// The record as it came in, as JSON text.
    pub received: String,
}

/// A page of failed records.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct FailureConnection {
    /// They, the newest first.
    pub nodes: Vec<Failure>,
    /// Where the page ends.
    pub page_info: PageInfo,
    /// How many there are in all.
    pub total_count: i32,
}

/// Failed records with the same cause.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct FailureGroup {
    /// The step.
    pub step: i32,
    /// The path of the value.
    pub path: String,
    /// What is wrong with one of them.
    pub message: String,
    /// How many there are.
    pub count: i32,
    /// When the newest one failed.
    pub last_at: DateTime,
}

/// How far putting all in again has come.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct FailureReplay {
    /// Whether it goes on.
    pub running: bool,
    /// How many there were.
    pub total: i32,
    /// How many were put in again.
    pub done: i32,
    /// How many of those failed again.
    pub failed: i32,
}

/// Variables of [`FailuresQuery`].
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct FailuresVariables {
    /// Whose.
    pub id: cynic::Id,
    /// In which state.
    pub state: FailureState,
    /// How many.
    pub first: i32,
    /// The cursor of the page before.
    pub after: Option<String>,
}

/// What failed in a pipeline.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Pipeline", variables = "FailuresVariables")]
pub struct Failing {
    /// How many failed records are open.
    pub open_failure_count: i32,
    /// Their causes.
    pub failure_groups: Vec<FailureGroup>,
    /// How far putting all in again has come.
    pub failure_replay: Option<FailureReplay>,
    /// A page of them.
    #[arguments(state: $state, first: $first, after: $after)]
    pub failures: FailureConnection,
}

/// Asks for what failed.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "FailuresVariables")]
pub struct FailuresQuery {
    /// Whose.
    #[arguments(id: $id)]
    pub pipeline: Failing,
}

/// Which failed records are put in again.
#[derive(cynic::InputObject, Clone, Debug)]
pub struct ReplayFailuresInput {
    /// The pipeline.
    pub pipeline_id: cynic::Id,
    /// Which.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<cynic::Id>>,
    /// All of them.
    pub all: bool,
    /// What is put in instead.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub corrected: Option<Json>,
}

/// Variables of [`ReplayFailures`].
#[derive(cynic::QueryVariables, Debug)]
pub struct ReplayVariables {
    /// Which, and how.
    pub input: ReplayFailuresInput,
}

/// Puts failed records in again.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ReplayVariables")]
pub struct ReplayFailures {
    /// What became of them.
    #[arguments(input: $input)]
    pub replay_failures: ReplayFailuresPayload,
}

/// The answer to [`ReplayFailures`].
#[derive(cynic::QueryFragment, Clone, Debug)]
pub struct ReplayFailuresPayload {
    /// Those that went through.
    pub replayed_ids: Vec<cynic::Id>,
    /// Those that failed again.
    pub failed: Vec<FailedReplay>,
    /// How many records were stored.
    pub stored: i32,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// A failed record that failed again.
#[derive(cynic::QueryFragment, Clone, Debug)]
pub struct FailedReplay {
    /// What is wrong with it now.
    pub problem: StepProblem,
}

/// What is wrong with a record.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct StepProblem {
    /// The step, from 1; 0 is before the first.
    pub step: i32,
    /// The path of the value.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
}

/// Which failed records do not matter.
#[derive(cynic::InputObject, Clone, Debug)]
pub struct DismissFailuresInput {
    /// The pipeline.
    pub pipeline_id: cynic::Id,
    /// Which.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<cynic::Id>>,
    /// All of them.
    pub all: bool,
}

/// Variables of [`DismissFailures`].
#[derive(cynic::QueryVariables, Debug)]
pub struct DismissVariables {
    /// Which.
    pub input: DismissFailuresInput,
}

/// Says of failed records that they do not matter.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "DismissVariables")]
pub struct DismissFailures {
    /// How many they were.
    #[arguments(input: $input)]
    pub dismiss_failures: DismissFailuresPayload,
}

/// The answer to [`DismissFailures`].
#[derive(cynic::QueryFragment, Clone, Debug)]
pub struct DismissFailuresPayload {
    /// How many they were.
    pub count: i32,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// Which dismissed records are opened again.
#[derive(cynic::InputObject, Clone, Debug)]
pub struct ReopenFailuresInput {
    /// The pipeline.
    pub pipeline_id: cynic::Id,
    /// Which.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<cynic::Id>>,
    /// All of them.
    pub all: bool,
}

/// Variables of [`ReopenFailures`].
#[derive(cynic::QueryVariables, Debug)]
pub struct ReopenVariables {
    /// Which.
    pub input: ReopenFailuresInput,
}

/// Opens dismissed records again.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ReopenVariables")]
pub struct ReopenFailures {
    /// What became of it.
    #[arguments(input: $input)]
    pub reopen_failures: ReopenFailuresPayload,
}

/// The answer to [`ReopenFailures`].
#[derive(cynic::QueryFragment, Clone, Debug)]
pub struct ReopenFailuresPayload {
    /// What to fix.
    pub user_errors: Vec<UserError>,
}
