//! Backfill: a pipeline's steps are applied to everything that it received and that is still kept,
//! and the result takes the place of its records at once. Meanwhile the old ones are shown and new
//! ones come in.

use dash_shared::accounts::Role;
use dash_shared::ids::{FailureId, PipelineId};
use dash_shared::{Invalid, InvalidCode};
use sea_orm::{EntityTrait, QuerySelect};

use super::{Pipeline, Pipelines, PipelinesError, entity};
use crate::accounts::TenantScope;
use crate::data::{Failure, Moved, Rewrite, RewritePhase};
use crate::engine::Trial;
use crate::jobs::{Job, Next};

pub(super) const BACKFILL: &str = "backfill";
pub(super) const PURGE_STORAGE: &str = "purge_storage";
/// How many events go through the transform together.
const CHUNK_EVENTS: usize = 1_000;
/// After how many chunks other jobs get their turn.
const CHUNKS_AT_ONCE: usize = 50;
/// How many failed records are looked at together.
const FAILURES_PAGE: u64 = 50;
/// The most events of a backfill.
const MAX_EVENTS: i64 = 5_000_000;

/// What became of a chunk.
enum Step {
    /// There is more to do.
    More,
    /// There is not.
    Ended,
}

impl Pipelines {
    /// Begins to apply a pipeline's steps to everything that it received.
    pub async fn start_backfill(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<Pipeline, PipelinesError> {
        scope.require(Role::Editor)?;
        let refused = |message: &str| {
            let problem = Invalid::new("pipelineId", InvalidCode::Invalid, message);
            Err(PipelinesError::Invalid(vec![problem]))
        };
        let (transaction, row) = self.begin_change(scope, id).await?;
        let pipeline = Pipeline::try_from(row)?;
        let running = self.store.rewrite(id).await?;
        if running.is_some_and(|rewrite| rewrite.phase.is_running()) {
            return refused("A backfill of this pipeline is running already.");
        }
        if self.store.totals_of(id).await?.last_seq == 0 {
            return refused("Nothing has come in yet that could be transformed again.");
        }
        let left = self
            .store
            .begin_rewrite(&transaction, id, pipeline.version)
            .await?;
        if let Some(storage_id) = left {
            self.schedule_storage_purge(&transaction, storage_id)
                .await?;
        }
        let key = format!("{BACKFILL}:{id}");
        let now_ms = self.clock.now_ms();
        self.jobs
            .schedule(&*transaction, BACKFILL, &key, "", now_ms)
            .await?;
        transaction.commit().await?;
        self.jobs.wake();
        Ok(pipeline)
    }

    /// Stops a backfill; the records stay as they are.
    pub async fn cancel_backfill(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<Pipeline, PipelinesError> {
        scope.require(Role::Editor)?;
        let pipeline = self.get(scope, id).await?;
        while let Some(mut rewrite) = self.running_backfill(id).await? {
            if self.give_up(&mut rewrite, "It was stopped.").await? {
                break;
            }
            // It moved on meanwhile.
        }
        Ok(pipeline)
    }

    /// How far the last backfill has come.
    pub async fn backfill(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<Option<Rewrite>, PipelinesError> {
        let pipeline = self.get(scope, id).await?;
        Ok(self.store.rewrite(pipeline.id).await?)
    }

    pub(super) async fn running_backfill(
        &self,
        id: PipelineId,
    ) -> Result<Option<Rewrite>, PipelinesError> {
        let rewrite = self.store.rewrite(id).await?;
        Ok(rewrite.filter(|rewrite| rewrite.phase.is_running()))
    }

    pub(super) async fn run_backfill(
        &self,
        job: &Job,
        id: PipelineId,
    ) -> Result<Next, PipelinesError> {
        for _ in 0..CHUNKS_AT_ONCE {
            let Some(mut rewrite) = self.running_backfill(id).await? else {
                return Ok(Next::Done);
            };
            let Some(pipeline) = self.load(id).await? else {
                return Ok(Next::Done);
            };
            if pipeline.version != rewrite.version {
                let problem = "The pipeline was changed meanwhile. Start again.";
                self.give_up(&mut rewrite, problem).await?;
                return Ok(Next::Done);
            }
            let step = match rewrite.phase {
                RewritePhase::Counting | RewritePhase::Writing => {
                    self.rewrite_some(&pipeline, &mut rewrite).await?
                }
                RewritePhase::Copying => self.copy_some(&pipeline, &mut rewrite).await?,
                RewritePhase::Done | RewritePhase::Failed => Step::Ended,
            };
            if matches!(step, Step::Ended) {
                return Ok(Next::Done);
            }
        }
        Ok(Next::At {
            run_at_ms: self.clock.now_ms().max(job.run_at_ms + 1),
            payload: String::new(),
        })
    }

    /// Transforms a chunk, to count or to write what comes of it.
    async fn rewrite_some(
        &self,
        pipeline: &Pipeline,
        rewrite: &mut Rewrite,
    ) -> Result<Step, PipelinesError> {
        let (events, place) = self
            .store
            .received_from(pipeline.id, rewrite.place, rewrite.base_seq, CHUNK_EVENTS)
            .await?;
        if rewrite.events > MAX_EVENTS {
            let problem = "There are more than 5 million events, too many for a backfill.";
            self.give_up(rewrite, problem).await?;
            return Ok(Step::Ended);
        }
        let moved = if events.is_empty() {
            match rewrite.phase {
                RewritePhase::Counting => self.store.begin_writing(rewrite).await?,
                _ => self.store.begin_copying(rewrite).await?,
            }
        } else {
            let definition = self.definition(pipeline)?;
            let chunk = self
                .engine
                .transform_again(&definition, events, &rewrite.state, place)
                .await?;
            self.store.move_rewrite(rewrite, chunk).await?
        };
        Ok(match moved {
            Moved::On => Step::More,
            Moved::Lost => Step::Ended,
        })
    }

    /// Copies what came in meanwhile, and shows the new records when little is left.
    async fn copy_some(
        &self,
        pipeline: &Pipeline,
        rewrite: &mut Rewrite,
    ) -> Result<Step, PipelinesError> {
        let (moved, much_left) = self.store.copy_for_rewrite(rewrite).await?;
        match (moved, much_left) {
            (Moved::Lost, _) => return Ok(Step::Ended),
            (Moved::On, true) => return Ok(Step::More),
            (Moved::On, false) => {}
        }
        let id = rewrite.pipeline_id;
        let mended = self.mended_by(pipeline, rewrite.started_at_ms).await?;
        let transaction = self.db.begin_write().await?;
        // Nobody changes the pipeline until the new records are shown.
        let row = entity::Entity::find_by_id(id.uuid())
            .lock_exclusive()
            .one(&*transaction)
            .await?;
        if row.is_none_or(|row| row.version != rewrite.version) {
            return Ok(Step::More);
        }
        let Some(old) = self.store.finish_rewrite(&transaction, rewrite).await? else {
            return Ok(Step::Ended);
        };
        self.store.close_failures(&transaction, &mended).await?;
        self.schedule_storage_purge(&transaction, old).await?;
        transaction.commit().await?;
        self.jobs.wake();
        self.store.tell_rewritten(id).await?;
        Ok(Step::Ended)
    }

    /// The open failed records of events that a backfill has among its own, which a pipeline's steps
    /// can handle now: the backfill has stored them.
    async fn mended_by(
        &self,
        pipeline: &Pipeline,
        started_at_ms: i64,
    ) -> Result<Vec<FailureId>, PipelinesError> {
        let definition = self.definition(pipeline)?;
        let (mut mended, mut after) = (Vec::new(), None);
        loop {
            let page = self
                .store
                .open_failures(pipeline.id, after, FAILURES_PAGE)
                .await?;
            let Some(last) = page.last() else {
                return Ok(mended);
            };
            after = Some(last.id);
            let own = |failure: &Failure| failure.kept && failure.failed_at_ms <= started_at_ms;
            let own: Vec<Failure> = page.into_iter().filter(own).collect();
            let trials = own.iter().map(|failure| Trial {
                received: serde_json::from_str(&failure.received).unwrap_or_default(),
                now_ms: failure.failed_at_ms,
            });
            let tried = self.engine.try_apart(&definition, trials.collect()).await?;
            let done = own.iter().zip(tried).filter(|(failure, outcomes)| {
                let outcomes = outcomes.as_deref();
                outcomes.is_some_and(|outcomes| failure.part.is_handled(outcomes))
            });
            mended.extend(done.map(|(failure, _)| failure.id));
        }
    }

    /// Gives a backfill up and deletes what it wrote; false when it moved on meanwhile.
    async fn give_up(&self, rewrite: &mut Rewrite, problem: &str) -> Result<bool, PipelinesError> {
        let moved = self.store.fail_rewrite(rewrite, problem).await?;
        if moved == Moved::Lost {
            return Ok(false);
        }
        let transaction = self.db.begin_write().await?;
        self.schedule_storage_purge(&transaction, rewrite.storage_id)
            .await?;
        transaction.commit().await?;
        self.jobs.wake();
        Ok(true)
    }

    async fn schedule_storage_purge(
        &self,
        transaction: &crate::db::WriteTransaction,
        storage_id: PipelineId,
    ) -> Result<(), PipelinesError> {
        let key = format!("{PURGE_STORAGE}:{storage_id}");
        // What reads the old records has ended by then.
        let run_at_ms = self.clock.now_ms() + super::runtime::PURGE_AFTER_MS;
        self.jobs
            .schedule(&**transaction, PURGE_STORAGE, &key, "", run_at_ms)
            .await?;
        Ok(())
    }

    /// Records are not changed one by one while all of them are made anew: it would be lost.
    pub(super) async fn refuse_during_backfill(
        &self,
        id: PipelineId,
    ) -> Result<(), PipelinesError> {
        if self.running_backfill(id).await?.is_none() {
            return Ok(());
        }
        let message =
            "A backfill of this pipeline is running. Change its records when it has ended.";
        let problem = Invalid::new("id", InvalidCode::Invalid, message);
        Err(PipelinesError::Invalid(vec![problem]))
    }
}
