//! What runs when: polls and demos by durable jobs, and the purge of what was deleted.

use dash_shared::accounts::Role;
use dash_shared::ids::PipelineId;
use dash_shared::sources::Source;
use dash_shared::transform::{Definition as Steps, Transform};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};

use super::retention::RETENTION;
use super::steps::WINDOWS;
use super::{Pipeline, PipelineState, Pipelines, PipelinesError, entity};
use crate::accounts::TenantScope;
use crate::data::RunTrigger;
use crate::db::WriteTransaction;
use crate::engine::{Definition, demo};
use crate::jobs::{Job, Next};

const POLL: &str = "poll";
const DEMO: &str = "demo";
const PURGE: &str = "purge";
/// The payload of a poll that somebody asked for.
const MANUAL: &str = "manual";

/// How long after its deletion a pipeline's records are purged: batches that were on their way
/// have arrived by then.
const PURGE_AFTER_MS: i64 = 60_000;
/// The longest pause between polls that fail, unless the interval itself is longer.
const MAX_BACKOFF_MS: i64 = 15 * 60_000;
/// How much of a demo's history is stored at once.
const DEMO_CHUNK_MS: i64 = 4 * 3_600_000;

impl Pipelines {
    pub(super) fn definition(&self, pipeline: &Pipeline) -> Result<Definition, PipelinesError> {
        let steps = Steps::from(pipeline.steps.clone());
        let transform = Transform::compile(&steps)
            .map_err(|problems| PipelinesError::Damaged(format!("{problems:?}")))?;
        Ok(Definition {
            pipeline_id: pipeline.id,
            team_id: pipeline.team_id,
            source: pipeline.source.clone(),
            headers: self.open_headers(pipeline),
            transform,
            time_field: pipeline.time_field.clone(),
        })
    }

    /// Polls a source now. Other sources cannot be run: they take data in as it comes.
    pub async fn run_now(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<Pipeline, PipelinesError> {
        scope.require(Role::Editor)?;
        let pipeline = self.get(scope, id).await?;
        let now_ms = self.clock.now_ms();
        if !matches!(pipeline.source, Source::HttpPolling(_)) {
            return Err(PipelinesError::NotRunnable);
        }
        let transaction = self.db.begin_write().await?;
        self.jobs
            .schedule(&*transaction, POLL, &key(POLL, id), MANUAL, now_ms)
            .await?;
        transaction.commit().await?;
        self.jobs.wake();
        Ok(pipeline)
    }

    /// When the pipeline is polled next, in milliseconds since 1970.
    pub async fn next_run_at(&self, pipeline: &Pipeline) -> Result<Option<i64>, PipelinesError> {
        match pipeline.source {
            Source::HttpPolling(_) => Ok(self.jobs.due_at(&key(POLL, pipeline.id)).await?),
            Source::Webhook(_) | Source::FileUpload(_) | Source::Demo { .. } => Ok(None),
        }
    }

    pub(super) async fn schedule_source(
        &self,
        transaction: &WriteTransaction,
        pipeline: &Pipeline,
        run_at_ms: i64,
        demo_from_ms: i64,
    ) -> Result<(), PipelinesError> {
        let id = pipeline.id;
        match &pipeline.source {
            Source::Webhook(_) | Source::FileUpload(_) => {}
            Source::HttpPolling(_) => {
                self.jobs
                    .schedule(&**transaction, POLL, &key(POLL, id), "", run_at_ms)
                    .await?;
            }
            Source::Demo { .. } => {
                let from = demo_from_ms.to_string();
                self.jobs
                    .schedule(&**transaction, DEMO, &key(DEMO, id), &from, run_at_ms)
                    .await?;
            }
        }
        self.schedule_windows(transaction, pipeline).await
    }

    pub(super) async fn stop(
        &self,
        transaction: &WriteTransaction,
        pipeline: &Pipeline,
    ) -> Result<(), PipelinesError> {
        for kind in [POLL, DEMO, WINDOWS] {
            self.jobs
                .cancel(&**transaction, &key(kind, pipeline.id))
                .await?;
        }
        Ok(())
    }

    pub(super) async fn schedule_purge(
        &self,
        transaction: &WriteTransaction,
        id: PipelineId,
    ) -> Result<(), PipelinesError> {
        let run_at_ms = self.clock.now_ms() + PURGE_AFTER_MS;
        let payload = id.to_string();
        Ok(self
            .jobs
            .schedule(&**transaction, PURGE, &key(PURGE, id), &payload, run_at_ms)
            .await?)
    }

    /// Runs one of the jobs that this domain scheduled.
    pub async fn run_job(&self, job: &Job) -> Next {
        if job.kind == RETENTION {
            let next = self.run_retention(job).await;
            return next.unwrap_or_else(|error| Next::Retry(describe(&error)));
        }
        let id = job
            .unique_key
            .split_once(':')
            .and_then(|(_, id)| id.parse().ok());
        let Some(id) = id else { return Next::Done };
        let next = match job.kind.as_str() {
            POLL => self.run_poll(job, id).await,
            DEMO => self.run_demo(job, id).await,
            WINDOWS => self.run_windows(job, id).await,
            PURGE => self
                .store
                .purge(id)
                .await
                .map(|()| Next::Done)
                .map_err(Into::into),
            _ => Ok(Next::Done),
        };
        next.unwrap_or_else(|error| Next::Retry(describe(&error)))
    }

    pub(super) async fn load(&self, id: PipelineId) -> Result<Option<Pipeline>, PipelinesError> {
        let row = entity::Entity::find_by_id(id.uuid())
            .one(self.db.orm())
            .await?;
        row.map(Pipeline::try_from).transpose()
    }

    async fn run_poll(&self, job: &Job, id: PipelineId) -> Result<Next, PipelinesError> {
        let manual = job.payload == MANUAL;
        let Some(pipeline) = self.load(id).await? else {
            return Ok(Next::Done);
        };
        let running = pipeline.state == PipelineState::Running;
        let Source::HttpPolling(polling) = &pipeline.source else {
            return Ok(Next::Done);
        };
        if !running && !manual {
            return Ok(Next::Done);
        }
        let trigger = if manual {
            RunTrigger::Manual
        } else {
            RunTrigger::Schedule
        };
        // The due time names the batch: taken over after a crash, it is the same batch.
        let batch_key = format!("poll:{}", job.run_at_ms);
        let outcome = match self
            .engine
            .poll(&self.definition(&pipeline)?, trigger, batch_key)
            .await
        {
            Ok(outcome) => outcome,
            Err(error) => return Ok(Next::Retry(describe(&error))),
        };
        let failures = if outcome.is_ok() {
            0
        } else {
            pipeline.consecutive_failures.saturating_add(1)
        };
        self.note_outcome(&pipeline, failures).await?;
        if !running {
            return Ok(Next::Done);
        }
        let interval_ms = i64::from(polling.interval_seconds) * 1_000;
        let now_ms = self.clock.now_ms();
        let run_at_ms = if failures == 0 {
            next_slot(job.run_at_ms, interval_ms, now_ms)
        } else {
            let backoff_ms = interval_ms.saturating_mul(1 << failures.clamp(0, 10));
            now_ms + backoff_ms.min(MAX_BACKOFF_MS.max(interval_ms))
        };
        Ok(Next::At {
            run_at_ms,
            payload: String::new(),
        })
    }

    /// Remembers since when a pipeline fails; writes only when that changes.
    async fn note_outcome(&self, pipeline: &Pipeline, failures: i32) -> Result<(), PipelinesError> {
        if failures == pipeline.consecutive_failures {
            return Ok(());
        }
        let transaction = self.db.begin_write().await?;
        // Deleted in the meantime: nothing to remember.
        if let Some(row) = entity::Entity::find_by_id(pipeline.id.uuid())
            .one(&*transaction)
            .await?
        {
            let since = row.failing_since_ms.unwrap_or_else(|| self.clock.now_ms());
            let mut row = row.into_active_model();
            row.consecutive_failures = Set(failures);
            row.failing_since_ms = Set((failures > 0).then_some(since));
            row.update(&*transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn run_demo(&self, job: &Job, id: PipelineId) -> Result<Next, PipelinesError> {
        let Some(pipeline) = self.load(id).await? else {
            return Ok(Next::Done);
        };
        if pipeline.state == PipelineState::Paused {
            return Ok(Next::Done);
        }
        let definition = self.definition(&pipeline)?;
        // The span follows from the job alone: taken over after a crash, it is the same span.
        let end_ms = job.run_at_ms;
        let mut from_ms: i64 = job.payload.parse().unwrap_or(end_ms);
        from_ms = from_ms.max(end_ms - demo::HISTORY_MS);
        while from_ms < end_ms {
            let to_ms = end_ms.min(from_ms + DEMO_CHUNK_MS);
            if let Err(error) = self.engine.run_demo(&definition, from_ms, to_ms).await {
                return Ok(Next::Retry(describe(&error)));
            }
            from_ms = to_ms;
        }
        let run_at_ms = next_slot(job.run_at_ms, demo::PERIOD_MS, self.clock.now_ms());
        Ok(Next::At {
            run_at_ms,
            payload: end_ms.to_string(),
        })
    }
}

fn key(kind: &str, id: PipelineId) -> String {
    format!("{kind}:{id}")
}

/// The first time after `now_ms` that is a whole number of intervals after `run_at_ms`.
fn next_slot(run_at_ms: i64, interval_ms: i64, now_ms: i64) -> i64 {
    let passed = (now_ms - run_at_ms).max(0) / interval_ms.max(1);
    run_at_ms + (passed + 1) * interval_ms.max(1)
}

/// An error with its causes, for the log and the job's row; never shown to callers.
fn describe(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_keep_their_rhythm_and_skip_what_was_missed() {
        let check = |now_ms, expected| assert_eq!(next_slot(1_000, 60, now_ms), expected);
        check(1_000, 1_060);
        check(1_059, 1_060);
        check(1_060, 1_120);
        check(5_000, 5_020);
        check(0, 1_060);
    }
}
