//! What is done about records that failed: put in again, one by one or all in the background, or
//! said not to matter.

mod entity;

use dash_shared::accounts::Role;
use dash_shared::ids::{FailureId, PipelineId};
use dash_shared::sources::MAX_RECORD_BYTES;
use dash_shared::{Invalid, InvalidCode};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::Value;
use uuid::Uuid;

use super::{Pipeline, Pipelines, PipelinesError};
use crate::accounts::TenantScope;
use crate::data::{Failure, FailureState};
use crate::engine::{Replay, ReplayReceipt};
use crate::jobs::{Job, Next};

pub(super) const REPLAY: &str = "replay";
const RUNNING: &str = "running";
const DONE: &str = "done";
/// How many failed records are named in one request.
pub const MAX_NAMED: usize = 100;
/// How many are put in again together in the background.
const CHUNK: usize = 500;
/// How many bytes they have together, unless one page has more.
const CHUNK_BYTES: usize = 8 * 1024 * 1024;
/// How many are read at once.
const PAGE: u64 = 50;
/// After how many chunks other jobs get their turn.
const CHUNKS_AT_ONCE: usize = 10;
/// How long it waits while a backfill runs.
const BACKFILL_PAUSE_MS: i64 = 5_000;

/// Which failed records of a pipeline are meant.
#[derive(Clone, Debug)]
pub enum Failures {
    /// These, at most [`MAX_NAMED`].
    Named(Vec<FailureId>),
    /// All that are in the state in question.
    All,
}

/// How far putting all failed records in again has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayProgress {
    /// Whether it goes on.
    pub is_running: bool,
    /// How many there were when it began.
    pub total: i64,
    /// How many of them have been put in again.
    pub done: i64,
    /// How many of those failed again.
    pub failed: i64,
    /// When it began, in milliseconds since 1970.
    pub started_at_ms: i64,
    /// When it last moved on, in milliseconds since 1970.
    pub updated_at_ms: i64,
}

impl Pipelines {
    /// Puts failed records in again, through the steps as they are now; one can be corrected. Those
    /// that are open no more are left out.
    pub async fn replay(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        ids: &[FailureId],
        corrected: Option<Value>,
    ) -> Result<ReplayReceipt, PipelinesError> {
        scope.require(Role::Editor)?;
        let pipeline = self.get(scope, id).await?;
        check_named(ids)?;
        if let Some(corrected) = &corrected {
            check_corrected(ids, corrected)?;
        }
        self.refuse_during_backfill(id).await?;
        let found = self.store.find_failures(id, ids).await?;
        let open = found
            .into_iter()
            .filter(|failure| failure.state == FailureState::Open);
        let replays = open.map(|failure| Replay {
            failure,
            corrected: corrected.clone(),
        });
        let definition = self.definition(&pipeline)?;
        let replayed = self.engine.replay(&definition, replays.collect()).await;
        Ok(replayed?)
    }

    /// Begins to put all open failed records of a pipeline in again.
    pub async fn replay_all(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<Pipeline, PipelinesError> {
        scope.require(Role::Editor)?;
        self.refuse_during_backfill(id).await?;
        let (transaction, row) = self.begin_change(scope, id).await?;
        let pipeline = Pipeline::try_from(row)?;
        let before = entity::Entity::find_by_id(id.uuid())
            .one(&*transaction)
            .await?;
        if before.is_some_and(|row| row.state == RUNNING) {
            let problem = "The failed records are being put in again already.";
            return Err(invalid("pipelineId", problem));
        }
        // What fails from now on is not among them.
        let until = FailureId::new();
        let nil = FailureId::from_uuid(Uuid::nil());
        let total = self.store.count_open_between(id, nil, until).await?;
        if total == 0 {
            let problem = "There is nothing to put in again: no failed record is open.";
            return Err(invalid("pipelineId", problem));
        }
        let now_ms = self.clock.now_ms();
        let row = entity::ActiveModel {
            pipeline_id: Set(id.uuid()),
            state: Set(RUNNING.to_owned()),
            total: Set(total),
            after_id: Set(nil.uuid()),
            until_id: Set(until.uuid()),
            started_at_ms: Set(now_ms),
            updated_at_ms: Set(now_ms),
        };
        let begun = OnConflict::column(entity::Column::PipelineId)
            .update_columns([
                entity::Column::State,
                entity::Column::Total,
                entity::Column::AfterId,
                entity::Column::UntilId,
                entity::Column::StartedAtMs,
                entity::Column::UpdatedAtMs,
            ])
            .to_owned();
        entity::Entity::insert(row)
            .on_conflict(begun)
            .exec_without_returning(&*transaction)
            .await?;
        let key = format!("{REPLAY}:{id}");
        self.jobs
            .schedule(&*transaction, REPLAY, &key, "", now_ms)
            .await?;
        transaction.commit().await?;
        self.jobs.wake();
        Ok(pipeline)
    }

    /// How far the last time that all failed records were put in again has come.
    pub async fn replay_progress(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<Option<ReplayProgress>, PipelinesError> {
        self.get(scope, id).await?;
        let row = entity::Entity::find_by_id(id.uuid())
            .one(self.db.orm())
            .await?;
        let Some(row) = row else { return Ok(None) };
        // What is left and what failed again is counted, not noted: so it is right whenever the
        // work is broken off.
        let (after, until) = (
            FailureId::from_uuid(row.after_id),
            FailureId::from_uuid(row.until_id),
        );
        let nil = FailureId::from_uuid(Uuid::nil());
        let left = self.store.count_open_between(id, after, until).await?;
        let failed = self.store.count_open_between(id, nil, after).await?;
        Ok(Some(ReplayProgress {
            is_running: row.state == RUNNING,
            total: row.total,
            done: (row.total - left).max(0),
            failed: failed.min(row.total),
            started_at_ms: row.started_at_ms,
            updated_at_ms: row.updated_at_ms,
        }))
    }

    /// Says of open failed records that they do not matter; returns how many there were.
    pub async fn dismiss_failures(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        which: &Failures,
    ) -> Result<u64, PipelinesError> {
        let (from, to) = (FailureState::Open, FailureState::Dismissed);
        self.set_failures(scope, id, which, (from, to)).await
    }

    /// Takes that back; returns how many there were.
    pub async fn reopen_failures(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        which: &Failures,
    ) -> Result<u64, PipelinesError> {
        let (from, to) = (FailureState::Dismissed, FailureState::Open);
        self.set_failures(scope, id, which, (from, to)).await
    }

    async fn set_failures(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        which: &Failures,
        (from, to): (FailureState, FailureState),
    ) -> Result<u64, PipelinesError> {
        scope.require(Role::Editor)?;
        self.get(scope, id).await?;
        Ok(match which {
            Failures::All => self.store.set_all_failures(id, from, to).await?,
            Failures::Named(ids) => {
                check_named(ids)?;
                self.store.set_failures(id, ids, from, to).await?
            }
        })
    }

    pub(super) async fn run_replay(
        &self,
        job: &Job,
        id: PipelineId,
    ) -> Result<Next, PipelinesError> {
        let again = |at_ms: i64| Next::At {
            run_at_ms: at_ms.max(job.run_at_ms + 1),
            payload: String::new(),
        };
        let now_ms = self.clock.now_ms();
        if self.running_backfill(id).await?.is_some() {
            return Ok(again(now_ms + BACKFILL_PAUSE_MS));
        }
        for _ in 0..CHUNKS_AT_ONCE {
            let row = entity::Entity::find_by_id(id.uuid())
                .one(self.db.orm())
                .await?;
            let Some(row) = row.filter(|row| row.state == RUNNING) else {
                return Ok(Next::Done);
            };
            let Some(pipeline) = self.load(id).await? else {
                return Ok(Next::Done);
            };
            let chunk = self.next_chunk(id, &row).await?;
            let last = chunk.last().map(|failure| failure.id);
            if last.is_some() {
                let replays = chunk.into_iter().map(|failure| Replay {
                    failure,
                    corrected: None,
                });
                let definition = self.definition(&pipeline)?;
                self.engine.replay(&definition, replays.collect()).await?;
            }
            self.move_replay(row, last).await?;
        }
        Ok(again(now_ms))
    }

    /// The next failed records to put in again.
    async fn next_chunk(
        &self,
        id: PipelineId,
        row: &entity::Model,
    ) -> Result<Vec<Failure>, PipelinesError> {
        let mut chunk: Vec<Failure> = Vec::new();
        let (mut after, mut bytes) = (FailureId::from_uuid(row.after_id), 0);
        while chunk.len() < CHUNK && bytes < CHUNK_BYTES {
            let mut page = self.store.open_failures(id, Some(after), PAGE).await?;
            page.retain(|failure| failure.id.uuid() <= row.until_id);
            let Some(last) = page.last() else { break };
            after = last.id;
            bytes += page.iter().map(|one| one.received.len()).sum::<usize>();
            chunk.extend(page);
        }
        Ok(chunk)
    }

    /// Notes that all up to this one have been put in again; with none, it is done.
    async fn move_replay(
        &self,
        row: entity::Model,
        last: Option<FailureId>,
    ) -> Result<(), PipelinesError> {
        let transaction = self.db.begin_write().await?;
        let until = row.until_id;
        let mut row = row.into_active_model();
        row.after_id = Set(last.map_or(until, FailureId::uuid));
        row.updated_at_ms = Set(self.clock.now_ms());
        if last.is_none() {
            row.state = Set(DONE.to_owned());
        }
        row.update(&*transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn invalid(field: &str, message: &str) -> PipelinesError {
    PipelinesError::Invalid(vec![Invalid::new(field, InvalidCode::Invalid, message)])
}

fn check_named(ids: &[FailureId]) -> Result<(), PipelinesError> {
    if ids.len() <= MAX_NAMED {
        return Ok(());
    }
    let message = format!("Name at most {MAX_NAMED} failed records, or ask for all of them.");
    let problem = Invalid::new("ids", InvalidCode::TooLong, message);
    Err(PipelinesError::Invalid(vec![problem]))
}

fn check_corrected(ids: &[FailureId], corrected: &Value) -> Result<(), PipelinesError> {
    if ids.len() != 1 {
        return Err(invalid("ids", "A correction is for one failed record."));
    }
    if !corrected.is_object() {
        return Err(invalid("corrected", "A record is a JSON object."));
    }
    if corrected.to_string().len() > MAX_RECORD_BYTES {
        let message = format!("A record has at most {MAX_RECORD_BYTES} bytes.");
        let problem = Invalid::new("corrected", InvalidCode::TooLong, message);
        return Err(PipelinesError::Invalid(vec![problem]));
    }
    Ok(())
}
