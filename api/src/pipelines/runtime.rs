//! What runs when: webhooks as they come, polls and demos by durable jobs, and the purge of what
//! was deleted.

use std::sync::Arc;

use bytes::Bytes;
use dash_shared::accounts::Role;
use dash_shared::ids::PipelineId;
use dash_shared::sources::Source;
use dash_shared::transform::{Definition as Steps, Transform};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::backfill::{BACKFILL, PURGE_STORAGE};
use super::relays::RELAY;
use super::retention::RETENTION;
use super::schedule::next_of_interval;
use super::source_check::is_hook_key;
use super::steps::WINDOWS;
use super::{Hook, Pipeline, PipelineState, Pipelines, PipelinesError, entity};
use crate::accounts::TenantScope;
use crate::db::WriteTransaction;
use crate::engine::{BodyError, Definition, Receipt, WriteError, demo};
use crate::jobs::{Job, Next};

const POLL: &str = "poll";
const DEMO: &str = "demo";
const PURGE: &str = "purge";
/// The payload of a poll that somebody asked for.
pub(super) const MANUAL: &str = "manual";

/// How long after its deletion a pipeline's records are purged: batches that were on their way
/// have arrived by then.
pub(super) const PURGE_AFTER_MS: i64 = 60_000;
/// How much of a demo's history is stored at once.
const DEMO_CHUNK_MS: i64 = 4 * 3_600_000;

/// Why a webhook was refused.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// No pipeline has this URL.
    #[error("no pipeline has this URL; it may have been deleted, or its URL changed")]
    Unknown,
    /// The pipeline is paused.
    #[error("the pipeline is paused; resume it to receive data")]
    Paused,
    /// The body holds no records that can be read.
    #[error(transparent)]
    Body(BodyError),
    /// The records could not be stored.
    #[error(transparent)]
    Write(WriteError),
    /// The pipeline could not be read.
    #[error("the pipeline could not be read")]
    Pipelines(#[source] Arc<PipelinesError>),
}

impl Pipelines {
    /// Finds what a webhook's URL leads to. A body is worth reading only after that.
    pub async fn open_hook(&self, hook_key: &str) -> Result<Arc<Hook>, HookError> {
        // What cannot be a key is not looked up; the database does not even take all of it.
        if !is_hook_key(hook_key) {
            return Err(HookError::Unknown);
        }
        let hook = self
            .hooks
            .try_get_with(hook_key.to_owned(), self.load_hook(hook_key))
            .await
            .map_err(|error| match &*error {
                PipelinesError::NotFound => HookError::Unknown,
                _ => HookError::Pipelines(error),
            })?;
        if hook.state == PipelineState::Paused {
            return Err(HookError::Paused);
        }
        Ok(hook)
    }

    /// Takes in what was posted to a webhook's URL; returns when its records are durable. A
    /// delivery that has a name is stored once, however often it comes.
    pub async fn receive(
        &self,
        hook: &Hook,
        body: Bytes,
        delivery: Option<&[u8]>,
    ) -> Result<Receipt, HookError> {
        Ok(self
            .engine
            .receive(&hook.definition, body, delivery)
            .await?)
    }

    async fn load_hook(&self, hook_key: &str) -> Result<Arc<Hook>, PipelinesError> {
        let row = entity::Entity::find()
            .filter(entity::Column::HookKey.eq(hook_key))
            .one(self.db.orm())
            .await?
            .ok_or(PipelinesError::NotFound)?;
        let pipeline = Pipeline::try_from(row)?;
        Ok(Arc::new(Hook {
            state: pipeline.state,
            definition: self.definition(&pipeline)?,
        }))
    }

    pub(super) fn definition(&self, pipeline: &Pipeline) -> Result<Definition, PipelinesError> {
        let steps = Steps::from(pipeline.steps.clone());
        let transform = Transform::compile(&steps)
            .map_err(|problems| PipelinesError::Damaged(format!("{problems:?}")))?;
        Ok(Definition {
            pipeline_id: pipeline.id,
            team_id: pipeline.team_id,
            source: pipeline.source.clone(),
            credentials: self.open_credentials(pipeline),
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
            .schedule_for(
                &*transaction,
                scope.team_id().uuid(),
                POLL,
                &key(POLL, id),
                MANUAL,
                now_ms,
            )
            .await?;
        transaction.commit().await?;
        self.jobs.wake();
        Ok(pipeline)
    }

    /// When the pipeline is polled next, in milliseconds since 1970.
    pub async fn next_run_at(&self, pipeline: &Pipeline) -> Result<Option<i64>, PipelinesError> {
        match pipeline.source {
            Source::HttpPolling(_) => Ok(self.jobs.due_at(&key(POLL, pipeline.id)).await?),
            Source::Webhook | Source::Pipeline(_) | Source::Demo { .. } => Ok(None),
        }
    }

    pub(super) async fn schedule_source(
        &self,
        transaction: &WriteTransaction,
        pipeline: &Pipeline,
        run_at_ms: i64,
        demo_from_ms: i64,
    ) -> Result<(), PipelinesError> {
        let (id, team) = (pipeline.id, pipeline.team_id.uuid());
        match &pipeline.source {
            Source::Webhook => {}
            Source::Pipeline(_) => self.start_relay(transaction, pipeline).await?,
            Source::HttpPolling(_) => {
                self.jobs
                    .schedule_for(&**transaction, team, POLL, &key(POLL, id), "", run_at_ms)
                    .await?;
            }
            Source::Demo { .. } => {
                let from = demo_from_ms.to_string();
                self.jobs
                    .schedule_for(&**transaction, team, DEMO, &key(DEMO, id), &from, run_at_ms)
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
        for kind in [POLL, DEMO, WINDOWS, RELAY] {
            self.jobs
                .cancel(&**transaction, &key(kind, pipeline.id))
                .await?;
        }
        self.store.pause_relay(&**transaction, pipeline.id).await?;
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
            BACKFILL => self.run_backfill(job, id).await,
            RELAY => self.run_relay(job, id).await,
            PURGE_STORAGE => self
                .store
                .purge_storage(id)
                .await
                .map(|()| Next::Done)
                .map_err(Into::into),
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

    /// What a pipeline is called; for work that its own sinks do, which has no scope.
    pub async fn name_of(&self, id: PipelineId) -> Result<Option<String>, PipelinesError> {
        let row = entity::Entity::find_by_id(id.uuid());
        Ok(row.one(self.db.orm()).await?.map(|row| row.name))
    }

    pub(super) async fn load(&self, id: PipelineId) -> Result<Option<Pipeline>, PipelinesError> {
        let row = entity::Entity::find_by_id(id.uuid())
            .one(self.db.orm())
            .await?;
        row.map(Pipeline::try_from).transpose()
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
        let run_at_ms = next_of_interval(job.run_at_ms, demo::PERIOD_MS, self.clock.now_ms());
        Ok(Next::At {
            run_at_ms,
            payload: end_ms.to_string(),
        })
    }
}

fn key(kind: &str, id: PipelineId) -> String {
    format!("{kind}:{id}")
}

/// An error with its causes, for the log and the job's row; never shown to callers.
pub(super) fn describe(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
