//! What test cases and the impact preview ask the API and tell it to do.

use super::failure_operations::StepProblem;
use crate::api::{DateTime, Json, UserError, schema};

/// What has to come of a record.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Expectation {
    /// These records.
    pub records: Option<Vec<Json>>,
    /// Nothing: a step leaves it out.
    pub dropped: bool,
    /// A part of a window.
    pub held: bool,
    /// A failure with this text.
    pub failure: Option<String>,
}

/// A test case.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct TransformTest {
    /// Its global id.
    pub id: cynic::Id,
    /// Its name.
    pub name: String,
    /// The record.
    pub input: Json,
    /// What has to come of it.
    pub expected: Expectation,
}

/// A place where what came differs from what is expected.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct ValueDifference {
    /// Where.
    pub path: String,
    /// What is expected, as JSON.
    pub expected: Option<String>,
    /// What came, as JSON.
    pub actual: Option<String>,
}

/// A test case and what came of it.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct TransformTestResult {
    /// The test case.
    pub test: TransformTest,
    /// Whether it is right.
    pub passed: bool,
    /// What is wrong.
    pub problem: Option<String>,
    /// Where the records differ.
    pub differences: Vec<ValueDifference>,
}

/// The test cases to run.
#[derive(cynic::InputObject, Clone, Debug)]
pub struct RunTransformTestsInput {
    /// Whose.
    pub pipeline_id: cynic::Id,
    /// With which steps.
    pub steps: Vec<Json>,
    /// With which time field; none is an empty text.
    pub time_field: String,
}

/// Variables of [`RunTests`].
#[derive(cynic::QueryVariables, Debug)]
pub struct RunTestsVariables {
    /// Which, and with what.
    pub input: RunTransformTestsInput,
}

/// Runs test cases.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "RunTestsVariables")]
pub struct RunTests {
    /// What came of them.
    #[arguments(input: $input)]
    pub run_transform_tests: RunTransformTestsPayload,
}

/// The answer to [`RunTests`].
#[derive(cynic::QueryFragment, Clone, Debug)]
pub struct RunTransformTestsPayload {
    /// Each test case.
    pub results: Vec<TransformTestResult>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// What has to come of a record, as it is entered.
#[derive(cynic::InputObject, Clone, Debug)]
#[cynic(rename_all = "camelCase")]
pub enum ExpectationInput {
    /// These records.
    Records(Vec<Json>),
    /// Nothing: a step leaves it out.
    Dropped(bool),
    /// A part of a window.
    Held(bool),
    /// A failure with this text.
    Failure(String),
}

/// A new test case.
#[derive(cynic::InputObject, Clone, Debug)]
pub struct CreateTransformTestInput {
    /// Whose.
    pub pipeline_id: cynic::Id,
    /// Its name.
    pub name: String,
    /// The record.
    pub input: Json,
    /// What has to come of it; what comes of it now, without one.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub expected: Option<ExpectationInput>,
}

/// Variables of [`CreateTest`].
#[derive(cynic::QueryVariables, Debug)]
pub struct CreateTestVariables {
    /// The test case.
    pub input: CreateTransformTestInput,
}

/// Adds a test case.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateTestVariables")]
pub struct CreateTest {
    /// What to fix, if anything.
    #[arguments(input: $input)]
    pub create_transform_test: CreateTransformTestPayload,
}

/// The answer to [`CreateTest`].
#[derive(cynic::QueryFragment, Debug)]
pub struct CreateTransformTestPayload {
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// A changed test case.
#[derive(cynic::InputObject, Clone, Debug)]
pub struct UpdateTransformTestInput {
    /// Which.
    pub id: cynic::Id,
    /// Its name.
    pub name: Option<String>,
    /// The record.
    pub input: Option<Json>,
    /// What has to come of it.
    pub expected: Option<ExpectationInput>,
}

/// Variables of [`UpdateTest`].
#[derive(cynic::QueryVariables, Debug)]
pub struct UpdateTestVariables {
    /// The change.
    pub input: UpdateTransformTestInput,
}

/// Changes a test case.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UpdateTestVariables")]
pub struct UpdateTest {
    /// What to fix, if anything.
    #[arguments(input: $input)]
    pub update_transform_test: UpdateTransformTestPayload,
}

/// The answer to [`UpdateTest`].
#[derive(cynic::QueryFragment, Debug)]
pub struct UpdateTransformTestPayload {
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// Variables of [`DeleteTest`].
#[derive(cynic::QueryVariables, Debug)]
pub struct DeleteTestVariables {
    /// Which.
    pub id: cynic::Id,
}

/// Deletes a test case.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "DeleteTestVariables")]
pub struct DeleteTest {
    /// What to fix, if anything.
    #[arguments(input: { id: $id })]
    pub delete_transform_test: DeleteTransformTestPayload,
}

/// The answer to [`DeleteTest`].
#[derive(cynic::QueryFragment, Debug)]
pub struct DeleteTransformTestPayload {
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// Variables of [`ReceivedQuery`].
#[derive(cynic::QueryVariables, Debug)]
pub struct ReceivedVariables {
    /// Whose.
    pub id: cynic::Id,
}

/// Asks for what came in last.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ReceivedVariables")]
pub struct ReceivedQuery {
    /// Whose.
    #[arguments(id: $id)]
    pub pipeline: Receiving,
}

/// What came in last.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Pipeline")]
pub struct Receiving {
    /// The newest events.
    #[arguments(first: 20)]
    pub received: Vec<ReceivedEvent>,
}

/// An event, as it came in.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct ReceivedEvent {
    /// When.
    pub received_at: DateTime,
    /// It.
    pub value: Json,
}

/// A change whose effect is asked for.
#[derive(cynic::InputObject, Clone, Debug)]
pub struct ImpactPreviewInput {
    /// Whose.
    pub pipeline_id: cynic::Id,
    /// The steps.
    pub steps: Vec<Json>,
    /// The time field; none is an empty text.
    pub time_field: Option<String>,
}

/// Variables of [`ImpactQuery`].
#[derive(cynic::QueryVariables, Debug)]
pub struct ImpactVariables {
    /// The change.
    pub input: ImpactPreviewInput,
}

/// Asks what a change would have done.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ImpactVariables")]
pub struct ImpactQuery {
    /// It, or what to fix.
    #[arguments(input: $input)]
    pub impact_preview: ImpactPreviewPayload,
}

/// The answer to [`ImpactQuery`].
#[derive(cynic::QueryFragment, Clone, Debug)]
pub struct ImpactPreviewPayload {
    /// What it would have done.
    pub impact: Option<Impact>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// What a change makes of an event.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImpactKind {
    /// The same.
    Unchanged,
    /// Other records.
    Changed,
    /// Nothing any more.
    NewlyDropped,
    /// Records, where there were none.
    NewlyStored,
    /// It fails, and did not.
    NewlyFailing,
    /// It does not fail any more.
    Mended,
}

/// What a change would have done.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Impact {
    /// How many events were looked at.
    pub events: i32,
    /// Whether these are all of the last day.
    pub complete: bool,
    /// The same.
    pub unchanged: i32,
    /// Other records.
    pub changed: i32,
    /// Nothing any more.
    pub newly_dropped: i32,
    /// Records, where there were none.
    pub newly_stored: i32,
    /// They fail, and did not.
    pub newly_failing: i32,
    /// They do not fail any more.
    pub mended: i32,
    /// Examples.
    pub examples: Vec<ImpactExample>,
    /// The fields that would be others.
    pub fields: Vec<ImpactField>,
    /// The widgets that use them.
    pub widgets: Vec<ImpactWidget>,
}

/// An event before and after a change.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct ImpactExample {
    /// What the change makes of it.
    pub kind: ImpactKind,
    /// What came in.
    pub received: Json,
    /// What becomes of it now.
    pub before: ImpactSide,
    /// What would become of it.
    pub after: ImpactSide,
}

/// What becomes of an event.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct ImpactSide {
    /// Records.
    pub records: Vec<Json>,
    /// Or a failure.
    pub error: Option<StepProblem>,
}

/// A field that would be another.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct ImpactField {
    /// Where.
    pub path: String,
    /// How many records have it now.
    pub records_before: i32,
    /// How many would have it.
    pub records_after: i32,
}

/// A widget that a change would touch.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct ImpactWidget {
    /// Its dashboard.
    pub dashboard_id: cynic::Id,
    /// The dashboard's name.
    pub dashboard_name: String,
    /// The widget's heading.
    pub title: String,
    /// The fields that it uses.
    pub fields: Vec<String>,
}
