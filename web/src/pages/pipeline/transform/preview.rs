//! What steps did with records, in the form of the API, and the question for it. The engine in the
//! browser answers in the same form.

use cynic::QueryBuilder;

use crate::api::{self, ApiError, Json, UserError, schema};

/// What became of a record.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordFate {
    /// It goes on, and is stored in the end.
    Stored,
    /// A step left it out.
    Dropped,
    /// It is a part of a window.
    Held,
    /// A step could not handle it.
    Failed,
}

/// What is wrong with a record.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct StepProblem {
    /// The step, from 1.
    pub step: i32,
    /// The path of the value.
    pub path: String,
    /// The value, shortened.
    pub value: String,
    /// What is wrong with it.
    pub message: String,
}

/// What one step did with one record.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct StepPreview {
    /// The step, from 1.
    pub step: i32,
    /// The record before it.
    pub before: Json,
    /// The records after it.
    pub after: Vec<Json>,
    /// What became of the record.
    pub fate: RecordFate,
    /// What failed.
    pub errors: Vec<StepProblem>,
}

/// What became of a record in the end.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct PreviewResult {
    /// What became of it.
    pub fate: RecordFate,
    /// The step that decided it, from 1.
    pub step: Option<i32>,
    /// What would be stored.
    pub record: Option<Json>,
    /// Why it failed.
    pub error: Option<StepProblem>,
}

/// A record's way through the steps.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct PreviewedRecord {
    /// What came in.
    pub received: Json,
    /// What each step did.
    pub steps: Vec<StepPreview>,
    /// What became of it in the end.
    pub results: Vec<PreviewResult>,
}

/// A transform to try.
#[derive(cynic::InputObject, Clone, Debug)]
pub struct PreviewTransformInput {
    /// The steps.
    pub steps: Vec<Json>,
    /// The records.
    pub records: Option<Vec<Json>>,
}

/// Variables of [`PreviewQuery`].
#[derive(cynic::QueryVariables, Debug)]
pub struct PreviewVariables {
    /// The transform, and what to try it on.
    pub input: PreviewTransformInput,
}

/// Asks what a transform would do.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "PreviewVariables")]
pub struct PreviewQuery {
    /// What it would do, or what to fix.
    #[arguments(input: $input)]
    pub preview_transform: PreviewTransformPayload,
}

/// The answer to [`PreviewQuery`].
#[derive(cynic::QueryFragment, Debug)]
pub struct PreviewTransformPayload {
    /// What became of each record.
    pub records: Vec<PreviewedRecord>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// Asks the server what these steps do with these records.
pub async fn ask_server(
    steps: Vec<Json>,
    records: Vec<Json>,
) -> Result<PreviewTransformPayload, ApiError> {
    let input = PreviewTransformInput {
        steps,
        records: Some(records),
    };
    let answer = api::run(PreviewQuery::build(PreviewVariables { input })).await;
    answer.map(|answer| answer.preview_transform)
}
