//! What a transform would do: step by step, over what a pipeline received or over given records.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use dash_shared::fields::Fields;
use dash_shared::transform::{After, Outcome, StepTrace};
use serde_json::Value;

use super::errors::{UserError, payload};
use super::pipelines::pipeline_id;
use super::steps::read_steps;
use super::{date_time, scope, services};
use crate::pipelines::{self, Draft, MAX_PREVIEWED};

/// A transform to try.
#[derive(Debug, InputObject)]
pub struct PreviewTransformInput {
    /// The steps, each as a JSON document with its `kind`.
    steps: Vec<Value>,
    /// The field that says when a record happened.
    time_field: Option<String>,
    /// The pipeline whose newest received events are taken, at most 100; or give `records`.
    pipeline_id: Option<ID>,
    /// The records to take, at most 100, as they come in.
    records: Option<Vec<Value>>,
}

/// The result of `previewTransform`.
#[derive(Debug, SimpleObject)]
pub struct PreviewTransformPayload {
    /// What became of each record, in the order in which they came in.
    records: Vec<PreviewedRecord>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// What became of one record.
#[derive(Debug, SimpleObject)]
pub struct PreviewedRecord {
    /// What came in.
    received: Value,
    /// What each step did, in the order in which it happened.
    steps: Vec<StepPreview>,
    /// What became of it in the end: one result, or several when a step made several records of it.
    results: Vec<PreviewResult>,
}

/// What one step did with one record.
#[derive(Debug, SimpleObject)]
pub struct StepPreview {
    /// The step, counted from 1.
    step: i32,
    /// The record before it.
    before: Value,
    /// The records after it: one, several when the step made several of it, or none.
    after: Vec<Value>,
    /// What became of the record.
    fate: RecordFate,
    /// What failed; with a fate other than `FAILED`, the record went on in spite of it.
    errors: Vec<StepProblem>,
}

/// What became of a record in the end.
#[derive(Debug, SimpleObject)]
pub struct PreviewResult {
    /// What became of it.
    fate: RecordFate,
    /// The step that decided it, counted from 1.
    step: Option<i32>,
    /// What would be stored.
    record: Option<Value>,
    /// Why it failed.
    error: Option<StepProblem>,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum RecordFate {
    /// It goes on, and is stored in the end.
    Stored,
    /// A step left it out.
    Dropped,
    /// It is a part of a window, which becomes a record when it closes.
    Held,
    /// A step could not handle it.
    Failed,
}

/// What is wrong with a record: where and why.
#[derive(Debug, SimpleObject)]
pub struct StepProblem {
    /// The step, counted from 1; 0 is before the first one.
    step: i32,
    /// The path of the value.
    path: String,
    /// The value, shortened.
    value: String,
    /// What is wrong with it.
    message: String,
}

/// An event as a pipeline received it, before the transform.
#[derive(Debug, SimpleObject)]
pub struct ReceivedEvent {
    /// When it came in.
    received_at: DateTime<Utc>,
    /// What came in, any JSON value.
    value: Value,
}

impl From<pipelines::ReceivedEvent> for ReceivedEvent {
    fn from(event: pipelines::ReceivedEvent) -> Self {
        Self {
            received_at: date_time(event.received_at_ms),
            value: event.value,
        }
    }
}

impl From<dash_shared::transform::StepError> for StepProblem {
    fn from(error: dash_shared::transform::StepError) -> Self {
        Self {
            step: number(error.step),
            path: error.path,
            value: error.value,
            message: error.message,
        }
    }
}

impl From<StepTrace> for StepPreview {
    fn from(trace: StepTrace) -> Self {
        let mut errors: Vec<StepProblem> = trace.kept.into_iter().map(Into::into).collect();
        let objects = |records: Vec<Fields>| records.into_iter().map(Value::Object).collect();
        let (fate, after) = match trace.after {
            After::Records(records) => (RecordFate::Stored, objects(records)),
            After::Dropped => (RecordFate::Dropped, Vec::new()),
            After::Held(closed) => (RecordFate::Held, objects(closed)),
            After::Failed(error) => {
                errors.push(error.into());
                (RecordFate::Failed, Vec::new())
            }
        };
        Self {
            step: number(trace.step),
            before: Value::Object(trace.before),
            after,
            fate,
            errors,
        }
    }
}

impl From<Outcome> for PreviewResult {
    fn from(outcome: Outcome) -> Self {
        let (fate, step, record, error) = match outcome {
            Outcome::Stored(fields) => {
                (RecordFate::Stored, None, Some(Value::Object(fields)), None)
            }
            Outcome::Dropped { step } => (RecordFate::Dropped, Some(step), None, None),
            Outcome::Held { step } => (RecordFate::Held, Some(step), None, None),
            Outcome::Failed(error) => (RecordFate::Failed, Some(error.step), None, Some(error)),
        };
        Self {
            fate,
            step: step.map(number),
            record,
            error: error.map(Into::into),
        }
    }
}

impl From<pipelines::Previewed> for PreviewedRecord {
    fn from(previewed: pipelines::Previewed) -> Self {
        Self {
            received: previewed.received,
            steps: previewed.steps.into_iter().map(Into::into).collect(),
            results: previewed.outcomes.into_iter().map(Into::into).collect(),
        }
    }
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[derive(Debug, Default)]
pub struct PreviewsQuery;

#[Object]
impl PreviewsQuery {
    /// What a transform would do, step by step, with the newest events that a pipeline received or
    /// with given records. Nothing is stored.
    #[graphql(complexity = "200 + child_complexity")]
    async fn preview_transform(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The transform, and what to try it on.")] input: PreviewTransformInput,
    ) -> async_graphql::Result<PreviewTransformPayload> {
        let scope = scope(ctx)?;
        let refused = |user_errors| PreviewTransformPayload {
            records: Vec::new(),
            user_errors,
        };
        let steps = match read_steps(input.steps) {
            Ok(steps) => steps,
            Err(user_errors) => return Ok(refused(user_errors)),
        };
        let pipelines = &services(ctx)?.pipelines;
        let received = match (input.records, &input.pipeline_id) {
            (Some(records), _) => records,
            (None, None) => Vec::new(),
            (None, Some(id)) => {
                let found = pipelines.received(&scope, pipeline_id(id)?, MAX_PREVIEWED);
                let (found, user_errors) = payload(ctx, found.await)?;
                if !user_errors.is_empty() {
                    return Ok(refused(user_errors));
                }
                let newest_first = found.unwrap_or_default();
                newest_first
                    .into_iter()
                    .rev()
                    .map(|event| event.value)
                    .collect()
            }
        };
        let draft = Draft {
            steps,
            time_field: input.time_field,
        };
        let previewed = pipelines.preview(&scope, draft, received).await;
        let (previewed, user_errors) = payload(ctx, previewed)?;
        Ok(PreviewTransformPayload {
            records: previewed
                .unwrap_or_default()
                .into_iter()
                .map(Into::into)
                .collect(),
            user_errors,
        })
    }
}
