//! Backfills: a pipeline's steps applied to everything that it received.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::errors::{UserError, payload};
use super::pipelines::{Pipeline, pipeline_id};
use super::{date_time, float, scope, services};
use crate::data::{Rewrite, RewritePhase};

/// How far a backfill has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "RewritePhase")]
pub enum BackfillState {
    /// It is counted how many records there will be.
    Counting,
    /// The new records are written.
    Writing,
    /// What came in meanwhile is copied.
    Copying,
    /// The new records have taken the place of the old ones.
    Done,
    /// It was stopped or had to be given up; the records are as they were.
    Failed,
}

/// A pipeline's steps applied to everything that it received and that is still kept.
#[derive(Debug, SimpleObject)]
pub struct Backfill {
    /// How far it has come.
    state: BackfillState,
    /// Why it was given up.
    problem: Option<String>,
    /// How much of it is done, from 0 to 1.
    progress: f64,
    /// How many events went through the steps.
    events: f64,
    /// How many records they became.
    records: f64,
    /// How many events failed.
    failed: f64,
    /// How many events a step left out.
    dropped: f64,
    /// When it began.
    started_at: DateTime<Utc>,
    /// When it last moved on, or ended.
    updated_at: DateTime<Utc>,
}

impl From<Rewrite> for Backfill {
    fn from(rewrite: Rewrite) -> Self {
        let read = rewrite.place.next_seq.max(rewrite.place.batch.0);
        let part = float(read.min(rewrite.base_seq)) / float(rewrite.base_seq.max(1));
        let progress = match rewrite.phase {
            RewritePhase::Counting => part * 0.3,
            RewritePhase::Writing => 0.3 + part * 0.6,
            RewritePhase::Copying => 0.95,
            RewritePhase::Done => 1.0,
            RewritePhase::Failed => 0.0,
        };
        Self {
            state: rewrite.phase.into(),
            problem: Some(rewrite.problem).filter(|problem| !problem.is_empty()),
            progress,
            events: float(rewrite.events),
            records: float(rewrite.written),
            failed: float(rewrite.failed),
            dropped: float(rewrite.dropped),
            started_at: date_time(rewrite.started_at_ms),
            updated_at: date_time(rewrite.updated_at_ms),
        }
    }
}

/// The pipeline whose steps are applied to everything that it received.
#[derive(Debug, InputObject)]
pub struct StartBackfillInput {
    /// The pipeline.
    pipeline_id: ID,
}

/// The result of `startBackfill`.
#[derive(Debug, SimpleObject)]
pub struct StartBackfillPayload {
    /// The pipeline, whose `backfill` says how far it has come.
    pipeline: Option<Pipeline>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The pipeline whose backfill is stopped.
#[derive(Debug, InputObject)]
pub struct CancelBackfillInput {
    /// The pipeline.
    pipeline_id: ID,
}

/// The result of `cancelBackfill`.
#[derive(Debug, SimpleObject)]
pub struct CancelBackfillPayload {
    /// The pipeline; its records are as they were.
    pipeline: Option<Pipeline>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

#[derive(Debug, Default)]
pub struct BackfillsMutation;

#[Object]
impl BackfillsMutation {
    /// Applies a pipeline's steps to everything that it received and that is still kept. When all
    /// of it is done, the result takes the place of the pipeline's records at once; until then the
    /// old ones are shown. Nothing of it counts as usage.
    async fn start_backfill(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: StartBackfillInput,
    ) -> async_graphql::Result<StartBackfillPayload> {
        let id = pipeline_id(&input.pipeline_id)?;
        let started = services(ctx)?
            .pipelines
            .start_backfill(&scope(ctx)?, id)
            .await;
        let (pipeline, user_errors) = payload(ctx, started)?;
        Ok(StartBackfillPayload {
            pipeline: pipeline.map(Pipeline),
            user_errors,
        })
    }

    /// Stops a backfill; the pipeline's records stay as they are.
    async fn cancel_backfill(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: CancelBackfillInput,
    ) -> async_graphql::Result<CancelBackfillPayload> {
        let id = pipeline_id(&input.pipeline_id)?;
        let cancelled = services(ctx)?
            .pipelines
            .cancel_backfill(&scope(ctx)?, id)
            .await;
        let (pipeline, user_errors) = payload(ctx, cancelled)?;
        Ok(CancelBackfillPayload {
            pipeline: pipeline.map(Pipeline),
            user_errors,
        })
    }
}
