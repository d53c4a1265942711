//! Creating, changing and finding pipelines, always within a scope.

use dash_shared::accounts::Role;
use dash_shared::fields::FieldPath;
use dash_shared::ids::PipelineId;
use dash_shared::sources::Source;
use dash_shared::sources::polling::{HttpPolling, MAX_CRON_BYTES, check_cursor_value};
use dash_shared::transform::{Definition, Step};
use dash_shared::{Invalid, InvalidCode, check_name};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::entity::{self, to_json};
use super::schedule::CronTimes;
use super::source_check::NewSource;
use super::{Pipeline, PipelineState, Pipelines, PipelinesError};
use crate::accounts::TenantScope;
use crate::db::WriteTransaction;
use crate::engine::demo;
use crate::events::Event;

/// How many times of a cron expression are shown.
const SHOWN_TIMES: usize = 3;

/// A pipeline as somebody enters it.
#[derive(Clone, Debug)]
pub struct NewPipeline {
    /// Its name.
    pub name: String,
    /// Where its data comes from.
    pub source: NewSource,
    /// The transform.
    pub steps: Vec<Step>,
    /// The field that says when a record happened.
    pub time_field: Option<String>,
}

/// Changes to a pipeline; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct PipelineChanges {
    /// A new name.
    pub name: Option<String>,
    /// A changed source, of the same kind.
    pub source: Option<NewSource>,
    /// A new transform.
    pub steps: Option<Vec<Step>>,
    /// A new time field; an empty one takes it away.
    pub time_field: Option<String>,
    /// How many days records are kept; 0 is as many as the plan allows.
    pub retention_days: Option<i32>,
}

/// A page of pipelines, the newest first.
#[derive(Clone, Debug)]
pub struct PipelinePage {
    /// The pipelines.
    pub pipelines: Vec<Pipeline>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// How many there are in all.
    pub total: u64,
}

impl Pipelines {
    /// Makes a pipeline; it runs at once.
    pub async fn create(
        &self,
        scope: &TenantScope,
        new: NewPipeline,
    ) -> Result<Pipeline, PipelinesError> {
        scope.require(Role::Editor)?;
        let id = PipelineId::new();
        let mut problems = Vec::new();
        let name = collect(&mut problems, check_name("name", "pipeline", &new.name));
        self.check_steps(scope, &new.steps, &mut problems).await?;
        let steps = Definition::from(new.steps);
        let time_field = collect(&mut problems, check_time_field(new.time_field.as_deref()));
        let source = self.check_source(scope, id, new.source, None, &mut problems)?;
        let (Some(name), Some(time_field), Some(source), true) =
            (name, time_field, source, problems.is_empty())
        else {
            return Err(PipelinesError::Invalid(problems));
        };
        let now_ms = self.clock.now_ms();
        let row = entity::ActiveModel {
            id: Set(id.uuid()),
            team_id: Set(scope.team_id().uuid()),
            name: Set(name),
            state: Set(PipelineState::Running.as_str().to_owned()),
            version: Set(1),
            source: Set(to_json(&source.source)?),
            steps: Set(to_json(&steps)?),
            time_field: Set(time_field.map(|path| path.to_string())),
            hook_key: Set(source.hook_key),
            sealed_headers: Set(source.sealed_credentials),
            failing_since_ms: Set(None),
            consecutive_failures: Set(0),
            retention_days: Set(None),
            paused_reason: Set(None),
            created_at_ms: Set(now_ms),
            updated_at_ms: Set(now_ms),
        };
        let transaction = self.db.begin_write().await?;
        self.check_reading(scope, &transaction, id, &source.source)
            .await?;
        let pipeline = Pipeline::try_from(row.insert(&*transaction).await?)?;
        self.start(&transaction, &pipeline, demo::HISTORY_MS)
            .await?;
        transaction.commit().await?;
        self.jobs.wake();
        Ok(pipeline)
    }

    /// Changes a pipeline; its version counts up.
    pub async fn update(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        changes: PipelineChanges,
    ) -> Result<Pipeline, PipelinesError> {
        scope.require(Role::Editor)?;
        let (transaction, row) = self.begin_change(scope, id).await?;
        let before = Pipeline::try_from(row.clone())?;
        let mut problems = Vec::new();
        let mut row = row.into_active_model();
        if let Some(name) = &changes.name
            && let Some(name) = collect(&mut problems, check_name("name", "pipeline", name))
        {
            row.name = Set(name);
        }
        if let Some(steps) = &changes.steps {
            self.check_steps(scope, steps, &mut problems).await?;
            let steps = Definition::from(steps.clone());
            row.steps = Set(to_json(&steps)?);
        }
        if let Some(field) = &changes.time_field
            && let Some(path) = collect(&mut problems, check_time_field(Some(field)))
        {
            row.time_field = Set(path.map(|path| path.to_string()));
        }
        if let Some(days) = changes.retention_days {
            let own = Some(days).filter(|days| *days != 0);
            let checked = own.map_or(Ok(()), |days| scope.plan().check_retention(days));
            if collect(&mut problems, checked).is_some() {
                row.retention_days = Set(own);
            }
        }
        if let Some(source) = changes.source
            && let Some(source) =
                self.check_source(scope, id, source, Some(&before), &mut problems)?
        {
            self.check_reading(scope, &transaction, id, &source.source)
                .await?;
            row.source = Set(to_json(&source.source)?);
            row.hook_key = Set(source.hook_key);
            row.sealed_headers = Set(source.sealed_credentials);
        }
        if !problems.is_empty() {
            return Err(PipelinesError::Invalid(problems));
        }
        row.version = Set(before.version + 1);
        row.updated_at_ms = Set(self.clock.now_ms());
        let pipeline = Pipeline::try_from(row.update(&*transaction).await?)?;
        self.keep_or_reset_mark(&transaction, &before, &pipeline)
            .await?;
        if pipeline.state == PipelineState::Running && pipeline.source != before.source {
            self.start(&transaction, &pipeline, 0).await?;
        }
        self.schedule_windows(&transaction, &pipeline).await?;
        transaction.commit().await?;
        self.forget_hook(&before).await;
        self.jobs.wake();
        Ok(pipeline)
    }

    /// Checks that a pipeline may read what its source reads.
    async fn check_reading(
        &self,
        scope: &TenantScope,
        transaction: &WriteTransaction,
        id: PipelineId,
        source: &Source,
    ) -> Result<(), PipelinesError> {
        let Source::Pipeline(upstream) = source else {
            return Ok(());
        };
        let checked = self
            .check_upstream(scope, transaction, id, upstream.pipeline_id)
            .await?;
        checked.map_err(|problem| PipelinesError::Invalid(vec![problem]))
    }

    /// A source that is read otherwise is read from the beginning. And whatever was changed, the
    /// next answer is taken in even if it is the one from before.
    async fn keep_or_reset_mark(
        &self,
        transaction: &WriteTransaction,
        before: &Pipeline,
        after: &Pipeline,
    ) -> Result<(), PipelinesError> {
        let (Source::HttpPolling(old), Source::HttpPolling(new)) = (&before.source, &after.source)
        else {
            return Ok(());
        };
        let rule = |polling: &HttpPolling| {
            let cursor = polling.cursor.as_ref();
            cursor.map(|cursor| (cursor.place, cursor.path.clone(), cursor.initial.clone()))
        };
        let address = |polling: &HttpPolling| {
            let end = polling.url.find(['?', '#']).unwrap_or(polling.url.len());
            polling.url.get(..end).map(str::to_owned)
        };
        if rule(old) != rule(new) || address(old) != address(new) {
            self.store
                .reset_mark(&**transaction, after.id, None)
                .await?;
        } else {
            self.store
                .forget_validators(&**transaction, after.id)
                .await?;
        }
        Ok(())
    }

    /// Begins a polled source anew, at a value of its cursor or at the first one.
    pub async fn reset_cursor(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        cursor: Option<String>,
    ) -> Result<Pipeline, PipelinesError> {
        scope.require(Role::Editor)?;
        let (transaction, row) = self.begin_change(scope, id).await?;
        let pipeline = Pipeline::try_from(row)?;
        if !matches!(pipeline.source, Source::HttpPolling(_)) {
            return Err(PipelinesError::NotRunnable);
        }
        let cursor = cursor
            .as_deref()
            .map(str::trim)
            .filter(|cursor| !cursor.is_empty());
        check_cursor_value("cursor", cursor.unwrap_or_default())
            .map_err(|problem| PipelinesError::Invalid(vec![problem]))?;
        self.store.reset_mark(&*transaction, id, cursor).await?;
        transaction.commit().await?;
        Ok(pipeline)
    }

    /// The value that the next poll begins at.
    pub async fn cursor(&self, pipeline: &Pipeline) -> Result<Option<String>, PipelinesError> {
        match &pipeline.source {
            Source::HttpPolling(polling) if polling.cursor.is_some() => {
                Ok(self.store.mark(pipeline.id).await?.cursor)
            }
            _ => Ok(None),
        }
    }

    /// The next times of a cron expression; the error is a sentence.
    pub fn cron_times(&self, expression: &str, time_zone: &str) -> Result<Vec<i64>, String> {
        if expression.len() > MAX_CRON_BYTES {
            return Err(format!(
                "A cron expression has at most {MAX_CRON_BYTES} bytes."
            ));
        }
        let times = CronTimes::parse(expression, time_zone).map_err(|(_, message)| message)?;
        Ok(times.next(self.clock.now_ms(), SHOWN_TIMES))
    }

    /// Deletes a pipeline at once, and its records in the background.
    pub async fn delete(&self, scope: &TenantScope, id: PipelineId) -> Result<(), PipelinesError> {
        scope.require(Role::Editor)?;
        let pipeline = self.get(scope, id).await?;
        self.check_no_readers(id).await?;
        let transaction = self.db.begin_write().await?;
        entity::Entity::delete_by_id(id.uuid())
            .exec(&*transaction)
            .await?;
        self.stop(&transaction, &pipeline).await?;
        self.schedule_purge(&transaction, id).await?;
        let deleted = Event::PipelineDeleted(id);
        self.events.announce(&*transaction, &deleted).await?;
        transaction.commit().await?;
        self.forget_hook(&pipeline).await;
        self.events.tell(deleted);
        Ok(())
    }

    /// Stops a pipeline: it is not polled, and its webhook is refused.
    pub async fn pause(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<Pipeline, PipelinesError> {
        self.set_state(scope, id, PipelineState::Paused).await
    }

    /// Starts a paused pipeline again.
    pub async fn resume(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<Pipeline, PipelinesError> {
        self.set_state(scope, id, PipelineState::Running).await
    }

    async fn set_state(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        state: PipelineState,
    ) -> Result<Pipeline, PipelinesError> {
        scope.require(Role::Editor)?;
        let (transaction, row) = self.begin_change(scope, id).await?;
        let before = Pipeline::try_from(row.clone())?;
        if before.state == state {
            return Ok(before);
        }
        let mut row = row.into_active_model();
        row.state = Set(state.as_str().to_owned());
        row.failing_since_ms = Set(None);
        row.consecutive_failures = Set(0);
        row.paused_reason = Set(None);
        let pipeline = Pipeline::try_from(row.update(&*transaction).await?)?;
        match state {
            PipelineState::Running => self.start(&transaction, &pipeline, 0).await?,
            PipelineState::Paused => self.stop(&transaction, &pipeline).await?,
        }
        transaction.commit().await?;
        self.forget_hook(&pipeline).await;
        self.jobs.wake();
        Ok(pipeline)
    }

    /// Finds a pipeline.
    pub async fn find(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<Option<Pipeline>, PipelinesError> {
        match self.row(scope, id).await {
            Ok(row) => row.try_into().map(Some),
            Err(PipelinesError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Finds a pipeline that has to be there.
    pub async fn get(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<Pipeline, PipelinesError> {
        self.row(scope, id).await?.try_into()
    }

    /// Begins a change: what is read stays as it is until the transaction ends.
    pub(super) async fn begin_change(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<(WriteTransaction, entity::Model), PipelinesError> {
        let transaction = self.db.begin_write().await?;
        let row = find_row(scope, id)
            .lock_exclusive()
            .one(&*transaction)
            .await?
            .ok_or(PipelinesError::NotFound)?;
        Ok((transaction, row))
    }

    async fn row(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<entity::Model, PipelinesError> {
        find_row(scope, id)
            .one(self.db.orm())
            .await?
            .ok_or(PipelinesError::NotFound)
    }

    /// A page of the team's pipelines, the newest first, beginning after the pipeline `after`.
    pub async fn list(
        &self,
        scope: &TenantScope,
        after: Option<PipelineId>,
        first: u64,
    ) -> Result<PipelinePage, PipelinesError> {
        let all = entity::Entity::find()
            .filter(entity::Column::TeamId.eq(scope.team_id().uuid()))
            .order_by_desc(entity::Column::Id);
        let total = all.clone().count(self.db.orm()).await?;
        let page = match after {
            Some(after) => all.filter(entity::Column::Id.lt(after.uuid())),
            None => all,
        };
        let rows = page.limit(first + 1).all(self.db.orm()).await?;
        let has_more = rows.len() as u64 > first;
        let pipelines = rows
            .into_iter()
            .take(usize::try_from(first).unwrap_or(usize::MAX))
            .map(Pipeline::try_from)
            .collect::<Result<_, _>>()?;
        Ok(PipelinePage {
            pipelines,
            has_more,
            total,
        })
    }

    /// Which of these pipelines are the team's.
    pub async fn existing(
        &self,
        scope: &TenantScope,
        ids: &[PipelineId],
    ) -> Result<Vec<PipelineId>, PipelinesError> {
        let rows = entity::Entity::find()
            .filter(entity::Column::TeamId.eq(scope.team_id().uuid()))
            .filter(entity::Column::Id.is_in(ids.iter().map(|id| id.uuid())))
            .all(self.db.orm())
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| PipelineId::from_uuid(row.id))
            .collect())
    }

    /// Schedules what the pipeline's source needs; a demo begins `history_ms` ago.
    async fn start(
        &self,
        transaction: &WriteTransaction,
        pipeline: &Pipeline,
        history_ms: i64,
    ) -> Result<(), PipelinesError> {
        let now_ms = self.clock.now_ms();
        self.schedule_source(transaction, pipeline, now_ms, now_ms - history_ms)
            .await
    }

    async fn forget_hook(&self, pipeline: &Pipeline) {
        if let Some(key) = &pipeline.hook_key {
            self.hooks.invalidate(key).await;
        }
    }
}

fn find_row(scope: &TenantScope, id: PipelineId) -> sea_orm::Select<entity::Entity> {
    entity::Entity::find_by_id(id.uuid()).filter(entity::Column::TeamId.eq(scope.team_id().uuid()))
}

pub(super) fn check_time_field(path: Option<&str>) -> Result<Option<FieldPath>, Invalid> {
    match path.map(str::trim) {
        None | Some("") => Ok(None),
        Some(path) => path
            .parse()
            .map(Some)
            .map_err(|error| Invalid::new("timeField", InvalidCode::Invalid, format!("{error}."))),
    }
}

fn collect<T>(problems: &mut Vec<Invalid>, result: Result<T, Invalid>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}
