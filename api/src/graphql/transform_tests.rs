//! Test cases of transforms: records with what has to come of them.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, SimpleObject};
use chrono::{DateTime, Utc};
use dash_shared::ids::TransformTestId;
use serde_json::Value;

use super::errors::{UserError, UserErrorCode, not_found, payload, top_level};
use super::pipelines::pipeline_id;
use super::previews::StepProblem;
use super::steps::read_steps;
use super::{date_time, scope, services};
use crate::pipelines::{self, Expected, NewTest, TestChanges};

/// A record, and what a pipeline's transform has to make of it. While one fails, a changed transform
/// cannot be published.
#[derive(Debug, SimpleObject)]
pub struct TransformTest {
    /// The id.
    id: ID,
    /// The name; a pipeline has one test case of a name.
    name: String,
    /// The record, as it comes in.
    input: Value,
    /// What has to come of it.
    expected: Expectation,
    /// When it was written. To the transform it is always this moment.
    updated_at: DateTime<Utc>,
}

/// What has to come of a record; exactly one of these.
#[derive(Debug, Default, SimpleObject)]
pub struct Expectation {
    /// These records come out, in this order, and nothing fails.
    records: Option<Vec<Value>>,
    /// A step leaves it out.
    dropped: bool,
    /// It becomes a part of a window.
    held: bool,
    /// It fails, and the message has this text in it.
    failure: Option<String>,
}

/// What has to come of a record; exactly one of its fields.
#[derive(Debug, OneofObject)]
pub enum ExpectationInput {
    /// These records come out, in this order, and nothing fails.
    Records(Vec<Value>),
    /// `true`: a step leaves it out.
    Dropped(bool),
    /// `true`: it becomes a part of a window.
    Held(bool),
    /// It fails, and the message has this text in it; an empty text is any failure.
    Failure(String),
}

/// A test case and what came of it.
#[derive(Debug, SimpleObject)]
pub struct TransformTestResult {
    /// The test case.
    test: TransformTest,
    /// Whether what came is what is expected.
    passed: bool,
    /// Why it failed, for people.
    problem: Option<String>,
    /// The records that came out.
    records: Vec<Value>,
    /// Whether it became a part of a window.
    held: bool,
    /// What failed.
    errors: Vec<StepProblem>,
    /// Where the records that came differ from those that are expected, at most 50 places.
    differences: Vec<ValueDifference>,
}

/// A place where two values differ.
#[derive(Debug, SimpleObject)]
pub struct ValueDifference {
    /// Where it is, such as `[0].total`: the first of the records.
    path: String,
    /// What is expected there, as JSON; null when nothing is.
    expected: Option<String>,
    /// What came, as JSON; null when nothing did.
    actual: Option<String>,
}

impl From<pipelines::TransformTest> for TransformTest {
    fn from(test: pipelines::TransformTest) -> Self {
        Self {
            id: test.id.to_string().into(),
            name: test.name,
            input: test.input,
            expected: test.expected.into(),
            updated_at: date_time(test.updated_at_ms),
        }
    }
}

impl From<Expected> for Expectation {
    fn from(expected: Expected) -> Self {
        let none = Self::default();
        match expected {
            Expected::Records(records) => Self {
                records: Some(records),
                ..none
            },
            Expected::Dropped => Self {
                dropped: true,
                ..none
            },
            Expected::Held => Self { held: true, ..none },
            Expected::Failure(text) => Self {
                failure: Some(text),
                ..none
            },
        }
    }
}

impl ExpectationInput {
    fn read(self) -> Result<Expected, UserError> {
        match self {
            Self::Records(records) => Ok(Expected::Records(records)),
            Self::Dropped(true) => Ok(Expected::Dropped),
            Self::Held(true) => Ok(Expected::Held),
            Self::Failure(text) => Ok(Expected::Failure(text)),
            Self::Dropped(false) | Self::Held(false) => Err(UserError::at(
                "expected",
                UserErrorCode::Invalid,
                "Say what is expected, not what is not: true, or another field.",
            )),
        }
    }
}

impl From<pipelines::TestResult> for TransformTestResult {
    fn from(result: pipelines::TestResult) -> Self {
        let verdict = result.verdict;
        let text = |value: Option<Value>| value.map(|value| value.to_string());
        let differences = verdict.differences.into_iter();
        Self {
            test: result.test.into(),
            passed: verdict.problem.is_none(),
            problem: verdict.problem,
            records: verdict.actual.records,
            held: verdict.actual.held,
            errors: verdict.actual.errors.into_iter().map(Into::into).collect(),
            differences: differences
                .map(|difference| ValueDifference {
                    path: difference.path,
                    expected: text(difference.before),
                    actual: text(difference.after),
                })
                .collect(),
        }
    }
}

pub(super) async fn list(
    ctx: &Context<'_>,
    pipeline: &pipelines::Pipeline,
) -> async_graphql::Result<Vec<TransformTest>> {
    let pipelines = &services(ctx)?.pipelines;
    let found = pipelines.tests(&scope(ctx)?, pipeline.id).await;
    let found = found.map_err(|error| top_level(ctx, error))?;
    Ok(found.into_iter().map(TransformTest::from).collect())
}

/// The test cases to run, and the transform to run them with.
#[derive(Debug, InputObject)]
pub struct RunTransformTestsInput {
    /// The pipeline whose test cases they are.
    pipeline_id: ID,
    /// The steps; the pipeline's own without them.
    steps: Option<Vec<Value>>,
    /// The field that says when a record happened; the pipeline's own without it, none if it is an
    /// empty text.
    time_field: Option<String>,
}

/// The result of `runTransformTests`.
#[derive(Debug, SimpleObject)]
pub struct RunTransformTestsPayload {
    /// Each test case and what came of it.
    results: Vec<TransformTestResult>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// A new test case.
#[derive(Debug, InputObject)]
pub struct CreateTransformTestInput {
    /// The pipeline; it has at most 100 test cases.
    pipeline_id: ID,
    /// The name.
    name: String,
    /// The record, as it comes in: one that the pipeline received, for example.
    input: Value,
    /// What has to come of it; without it, what the pipeline's steps make of it now.
    expected: Option<ExpectationInput>,
}

/// Changes to a test case; what is left out stays.
#[derive(Debug, InputObject)]
pub struct UpdateTransformTestInput {
    /// The test case.
    id: ID,
    /// A new name.
    name: Option<String>,
    /// Another record.
    input: Option<Value>,
    /// Another expectation.
    expected: Option<ExpectationInput>,
}

/// The test case to delete.
#[derive(Debug, InputObject)]
pub struct DeleteTransformTestInput {
    /// The test case.
    id: ID,
}

/// The result of `createTransformTest`.
#[derive(Debug, SimpleObject)]
pub struct CreateTransformTestPayload {
    /// The new test case.
    test: Option<TransformTest>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The result of `updateTransformTest`.
#[derive(Debug, SimpleObject)]
pub struct UpdateTransformTestPayload {
    /// The changed test case.
    test: Option<TransformTest>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The result of `deleteTransformTest`.
#[derive(Debug, SimpleObject)]
pub struct DeleteTransformTestPayload {
    /// The id of the deleted test case.
    deleted_id: Option<ID>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

fn test_id(id: &ID) -> async_graphql::Result<TransformTestId> {
    id.parse().map_err(|_| not_found("test case"))
}

#[derive(Debug, Default)]
pub struct TransformTestsQuery;

#[Object]
impl TransformTestsQuery {
    /// What comes of a pipeline's test cases, with its transform or with a changed one. Each runs as
    /// if nothing had come before it; nothing is stored.
    #[graphql(complexity = "200 + child_complexity")]
    async fn run_transform_tests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The test cases, and the transform.")] input: RunTransformTestsInput,
    ) -> async_graphql::Result<RunTransformTestsPayload> {
        let steps = match input.steps.map(read_steps).transpose() {
            Ok(steps) => steps,
            Err(user_errors) => {
                return Ok(RunTransformTestsPayload {
                    results: Vec::new(),
                    user_errors,
                });
            }
        };
        let id = pipeline_id(&input.pipeline_id)?;
        let run = services(ctx)?
            .pipelines
            .run_tests(&scope(ctx)?, id, steps, input.time_field)
            .await;
        let (results, user_errors) = payload(ctx, run)?;
        let results = results.unwrap_or_default().into_iter();
        Ok(RunTransformTestsPayload {
            results: results.map(TransformTestResult::from).collect(),
            user_errors,
        })
    }
}

#[derive(Debug, Default)]
pub struct TransformTestsMutation;

#[Object]
impl TransformTestsMutation {
    /// Adds a test case to a pipeline.
    async fn create_transform_test(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: CreateTransformTestInput,
    ) -> async_graphql::Result<CreateTransformTestPayload> {
        let id = pipeline_id(&input.pipeline_id)?;
        let expected = match input.expected.map(ExpectationInput::read).transpose() {
            Ok(expected) => expected,
            Err(error) => {
                return Ok(CreateTransformTestPayload {
                    test: None,
                    user_errors: vec![error],
                });
            }
        };
        let new = NewTest {
            name: input.name,
            input: input.input,
            expected,
        };
        let pipelines = &services(ctx)?.pipelines;
        let created = pipelines.create_test(&scope(ctx)?, id, new).await;
        let (test, user_errors) = payload(ctx, created)?;
        Ok(CreateTransformTestPayload {
            test: test.map(TransformTest::from),
            user_errors,
        })
    }

    /// Changes a test case.
    async fn update_transform_test(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: UpdateTransformTestInput,
    ) -> async_graphql::Result<UpdateTransformTestPayload> {
        let id = test_id(&input.id)?;
        let expected = match input.expected.map(ExpectationInput::read).transpose() {
            Ok(expected) => expected,
            Err(error) => {
                return Ok(UpdateTransformTestPayload {
                    test: None,
                    user_errors: vec![error],
                });
            }
        };
        let changes = TestChanges {
            name: input.name,
            input: input.input,
            expected,
        };
        let pipelines = &services(ctx)?.pipelines;
        let updated = pipelines.update_test(&scope(ctx)?, id, changes).await;
        let (test, user_errors) = payload(ctx, updated)?;
        Ok(UpdateTransformTestPayload {
            test: test.map(TransformTest::from),
            user_errors,
        })
    }

    /// Deletes a test case.
    async fn delete_transform_test(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: DeleteTransformTestInput,
    ) -> async_graphql::Result<DeleteTransformTestPayload> {
        let id = test_id(&input.id)?;
        let deleted = services(ctx)?.pipelines.delete_test(&scope(ctx)?, id).await;
        let (deleted, user_errors) = payload(ctx, deleted)?;
        Ok(DeleteTransformTestPayload {
            deleted_id: deleted.map(|()| input.id),
            user_errors,
        })
    }
}
