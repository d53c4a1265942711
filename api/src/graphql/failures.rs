//! The records that a pipeline could not handle, and what is done about them.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use dash_shared::ids::FailureId;
use serde_json::Value;

use super::errors::{UserError, UserErrorCode, not_found, payload, top_level};
use super::paging::{connection, cursor, page_size};
use super::pipelines::{Pipeline, pipeline_id};
use super::previews::StepProblem;
use super::{date_time, float, int, scope, services};
use crate::data;
use crate::pipelines::{self, Failures};

/// What became of a record that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "data::FailureState")]
pub enum FailureState {
    /// Nobody has seen to it.
    Open,
    /// It was put in again and went through.
    Replayed,
    /// Somebody said that it does not matter.
    Dismissed,
}

/// A record that a pipeline could not handle. It is kept for 30 days, at most 10,000 of a pipeline.
#[derive(Debug, SimpleObject)]
pub struct Failure {
    /// The id.
    id: ID,
    /// What became of it.
    state: FailureState,
    /// When it failed.
    failed_at: DateTime<Utc>,
    /// The run in which it failed.
    run_id: ID,
    /// The step, counted from 1; 0 is before the first one.
    step: i32,
    /// The path of the value.
    path: String,
    /// The value, shortened.
    value: String,
    /// What is wrong with it.
    message: String,
    /// What was received, as JSON.
    received: String,
}

impl From<data::Failure> for Failure {
    fn from(failure: data::Failure) -> Self {
        Self {
            id: failure.id.to_string().into(),
            state: failure.state.into(),
            failed_at: date_time(failure.failed_at_ms),
            run_id: failure.run_id.to_string().into(),
            step: i32::try_from(failure.error.step).unwrap_or(i32::MAX),
            path: failure.error.path,
            value: failure.error.value,
            message: failure.error.message,
            received: failure.received,
        }
    }
}

connection!(FailureConnection, FailureEdge, Failure, "failed records");

/// Open failed records that have the same cause.
#[derive(Debug, SimpleObject)]
pub struct FailureGroup {
    /// The step, counted from 1; 0 is before the first one.
    step: i32,
    /// The path of the value.
    path: String,
    /// What is wrong with one of them.
    message: String,
    /// How many there are.
    count: i32,
    /// When the newest one failed.
    last_at: DateTime<Utc>,
}

impl From<data::FailureGroup> for FailureGroup {
    fn from(group: data::FailureGroup) -> Self {
        Self {
            step: i32::try_from(group.step).unwrap_or(i32::MAX),
            path: group.path,
            message: group.message,
            count: int(group.count),
            last_at: date_time(group.last_at_ms),
        }
    }
}

/// How far putting all failed records in again has come.
#[derive(Debug, SimpleObject)]
pub struct FailureReplay {
    /// Whether it goes on.
    running: bool,
    /// How many there were when it began.
    total: i32,
    /// How many of them have been put in again.
    done: i32,
    /// How many of those failed again; they are still open.
    failed: i32,
    /// How much of it is done, from 0 to 1.
    progress: f64,
    /// When it began.
    started_at: DateTime<Utc>,
    /// When it last moved on, or ended.
    updated_at: DateTime<Utc>,
}

impl From<pipelines::ReplayProgress> for FailureReplay {
    fn from(progress: pipelines::ReplayProgress) -> Self {
        Self {
            running: progress.is_running,
            total: int(progress.total),
            done: int(progress.done),
            failed: int(progress.failed),
            progress: float(progress.done) / float(progress.total.max(1)),
            started_at: date_time(progress.started_at_ms),
            updated_at: date_time(progress.updated_at_ms),
        }
    }
}

pub(super) async fn list(
    ctx: &Context<'_>,
    pipeline: &pipelines::Pipeline,
    state: FailureState,
    first: Option<i32>,
    after: Option<&str>,
) -> async_graphql::Result<FailureConnection> {
    let after: Option<FailureId> = cursor(after)?;
    let found = services(ctx)?
        .store
        .list_failures(pipeline.id, state.into(), after, page_size(first)?)
        .await;
    let found = found.map_err(|error| top_level(ctx, error))?;
    let failures = found.failures.into_iter();
    Ok(FailureConnection::new(
        failures.map(|failure| (failure.id.to_string(), failure.into())),
        after.is_none(),
        found.has_more,
        found.total,
    ))
}

pub(super) async fn groups(
    ctx: &Context<'_>,
    pipeline: &pipelines::Pipeline,
) -> async_graphql::Result<Vec<FailureGroup>> {
    let found = services(ctx)?.store.group_failures(pipeline.id).await;
    let found = found.map_err(|error| top_level(ctx, error))?;
    Ok(found.into_iter().map(FailureGroup::from).collect())
}

pub(super) async fn open_count(
    ctx: &Context<'_>,
    pipeline: &pipelines::Pipeline,
) -> async_graphql::Result<i32> {
    let store = &services(ctx)?.store;
    let open = data::FailureState::Open;
    let found = store.count_failures(pipeline.id, open).await;
    Ok(int(found.map_err(|error| top_level(ctx, error))?))
}

pub(super) async fn progress(
    ctx: &Context<'_>,
    pipeline: &pipelines::Pipeline,
) -> async_graphql::Result<Option<FailureReplay>> {
    let pipelines = &services(ctx)?.pipelines;
    let found = pipelines.replay_progress(&scope(ctx)?, pipeline.id).await;
    let found = found.map_err(|error| top_level(ctx, error))?;
    Ok(found.map(FailureReplay::from))
}

/// The failed records to put in again.
#[derive(Debug, InputObject)]
pub struct ReplayFailuresInput {
    /// The pipeline.
    pipeline_id: ID,
    /// Which failed records, at most 100; or give `all`.
    ids: Option<Vec<ID>>,
    /// All that are open: in the background, `Pipeline.failureReplay` says how far that has come.
    #[graphql(default = false)]
    all: bool,
    /// With a single one: what is put in instead of what was received.
    corrected: Option<Value>,
}

/// The result of `replayFailures`. Of `all`, the pipeline says how far it has come.
#[derive(Debug, Default, SimpleObject)]
pub struct ReplayFailuresPayload {
    /// The pipeline after it.
    pipeline: Option<Pipeline>,
    /// The ids of those that went through: they are stored, or left out by a step.
    replayed_ids: Vec<ID>,
    /// Those that failed again; they are still open.
    failed: Vec<FailedReplay>,
    /// How many records were stored.
    stored: i32,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// A failed record that was put in again and failed again.
#[derive(Debug, SimpleObject)]
pub struct FailedReplay {
    /// Its id.
    id: ID,
    /// What is wrong with it now.
    problem: StepProblem,
}

/// The failed records that do not matter.
#[derive(Debug, InputObject)]
pub struct DismissFailuresInput {
    /// The pipeline.
    pipeline_id: ID,
    /// Which failed records, at most 100; or give `all`.
    ids: Option<Vec<ID>>,
    /// All that are open.
    #[graphql(default = false)]
    all: bool,
}

/// The result of `dismissFailures`.
#[derive(Debug, SimpleObject)]
pub struct DismissFailuresPayload {
    /// The pipeline after it.
    pipeline: Option<Pipeline>,
    /// How many were open and are dismissed now.
    count: i32,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The dismissed failed records that are opened again.
#[derive(Debug, InputObject)]
pub struct ReopenFailuresInput {
    /// The pipeline.
    pipeline_id: ID,
    /// Which failed records, at most 100; or give `all`.
    ids: Option<Vec<ID>>,
    /// All that are dismissed.
    #[graphql(default = false)]
    all: bool,
}

/// The result of `reopenFailures`.
#[derive(Debug, SimpleObject)]
pub struct ReopenFailuresPayload {
    /// The pipeline after it.
    pipeline: Option<Pipeline>,
    /// How many were dismissed and are open now.
    count: i32,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// Which failed records are meant: named ones, or all.
fn read(ids: Option<Vec<ID>>, all: bool) -> async_graphql::Result<Result<Failures, UserError>> {
    match (ids, all) {
        (None, true) => Ok(Ok(Failures::All)),
        (Some(ids), false) if !ids.is_empty() => {
            let ids: Option<Vec<FailureId>> = ids.iter().map(|id| id.parse().ok()).collect();
            let ids = ids.ok_or_else(|| not_found("failed record"))?;
            Ok(Ok(Failures::Named(ids)))
        }
        _ => Ok(Err(UserError::at(
            "ids",
            UserErrorCode::Required,
            "Say which failed records: give “ids”, or “all”.",
        ))),
    }
}

#[derive(Debug, Default)]
pub struct FailuresMutation;

#[Object]
impl FailuresMutation {
    /// Puts failed records in again, through the steps as they are now, as a run of its own. Each is
    /// stored once, however often this is asked for.
    async fn replay_failures(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: ReplayFailuresInput,
    ) -> async_graphql::Result<ReplayFailuresPayload> {
        let (scope, pipelines) = (scope(ctx)?, &services(ctx)?.pipelines);
        let id = pipeline_id(&input.pipeline_id)?;
        let refused = |user_errors| ReplayFailuresPayload {
            user_errors,
            ..ReplayFailuresPayload::default()
        };
        let ids = match read(input.ids, input.all)? {
            Err(error) => return Ok(refused(vec![error])),
            Ok(Failures::Named(ids)) => ids,
            Ok(Failures::All) if input.corrected.is_some() => {
                return Ok(refused(vec![UserError::at(
                    "corrected",
                    UserErrorCode::Invalid,
                    "A correction is for one failed record.",
                )]));
            }
            Ok(Failures::All) => {
                let begun = pipelines.replay_all(&scope, id).await;
                let (pipeline, user_errors) = payload(ctx, begun)?;
                return Ok(ReplayFailuresPayload {
                    pipeline: pipeline.map(Pipeline),
                    ..refused(user_errors)
                });
            }
        };
        let replayed = pipelines.replay(&scope, id, &ids, input.corrected).await;
        let (receipt, user_errors) = payload(ctx, replayed)?;
        let Some(receipt) = receipt else {
            return Ok(refused(user_errors));
        };
        let failed = receipt.failed.into_iter();
        Ok(ReplayFailuresPayload {
            pipeline: pipeline_after(ctx, id).await?,
            replayed_ids: receipt
                .done
                .iter()
                .map(|id| id.to_string().into())
                .collect(),
            failed: failed
                .map(|(id, error)| FailedReplay {
                    id: id.to_string().into(),
                    problem: error.into(),
                })
                .collect(),
            stored: i32::try_from(receipt.stored).unwrap_or(i32::MAX),
            user_errors,
        })
    }

    /// Says of failed records that they do not matter: they are listed as open no more.
    /// `reopenFailures` takes it back.
    async fn dismiss_failures(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: DismissFailuresInput,
    ) -> async_graphql::Result<DismissFailuresPayload> {
        let id = pipeline_id(&input.pipeline_id)?;
        let which = match read(input.ids, input.all)? {
            Ok(which) => which,
            Err(error) => {
                return Ok(DismissFailuresPayload {
                    pipeline: None,
                    count: 0,
                    user_errors: vec![error],
                });
            }
        };
        let pipelines = &services(ctx)?.pipelines;
        let set = pipelines.dismiss_failures(&scope(ctx)?, id, &which).await;
        let (count, user_errors) = payload(ctx, set)?;
        Ok(DismissFailuresPayload {
            pipeline: pipeline_after(ctx, id).await?,
            count: count_of(count),
            user_errors,
        })
    }

    /// Takes the dismissal of failed records back: they are open again.
    async fn reopen_failures(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: ReopenFailuresInput,
    ) -> async_graphql::Result<ReopenFailuresPayload> {
        let id = pipeline_id(&input.pipeline_id)?;
        let which = match read(input.ids, input.all)? {
            Ok(which) => which,
            Err(error) => {
                return Ok(ReopenFailuresPayload {
                    pipeline: None,
                    count: 0,
                    user_errors: vec![error],
                });
            }
        };
        let pipelines = &services(ctx)?.pipelines;
        let set = pipelines.reopen_failures(&scope(ctx)?, id, &which).await;
        let (count, user_errors) = payload(ctx, set)?;
        Ok(ReopenFailuresPayload {
            pipeline: pipeline_after(ctx, id).await?,
            count: count_of(count),
            user_errors,
        })
    }
}

async fn pipeline_after(
    ctx: &Context<'_>,
    id: dash_shared::ids::PipelineId,
) -> async_graphql::Result<Option<Pipeline>> {
    let found = services(ctx)?.pipelines.find(&scope(ctx)?, id).await;
    let found = found.map_err(|error| top_level(ctx, error))?;
    Ok(found.map(Pipeline))
}

fn count_of(count: Option<u64>) -> i32 {
    i32::try_from(count.unwrap_or_default()).unwrap_or(i32::MAX)
}
