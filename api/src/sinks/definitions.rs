//! Making, changing and finding sinks, always within a scope.

use chrono_tz::Tz;
use dash_shared::accounts::Role;
use dash_shared::ids::{PipelineId, SinkId};
use dash_shared::sinks::{EmailTiming, MAX_SINKS, SinkDefinition, SinkKind, Target};
use dash_shared::{Invalid, InvalidCode, check_name};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Statement,
};

use super::deliver::replay_key;
use super::keys::{Keys, NewSecrets};
use super::{DisabledReason, Sink, SinkState, Sinks, SinksError, entity};
use crate::accounts::TenantScope;
use crate::db::{Engine, WriteTransaction};
use crate::jobs::SINK_KIND;

/// A sink as somebody enters it.
#[derive(Clone, Debug)]
pub struct NewSink {
    /// The pipeline whose records it sends.
    pub pipeline_id: PipelineId,
    /// Its name.
    pub name: String,
    /// What it does. The header names in it are not used.
    pub definition: SinkDefinition,
    /// Its secrets.
    pub secrets: NewSecrets,
    /// Where it begins.
    pub start: Start,
}

/// Where a sink begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// With the next record.
    #[default]
    Now,
    /// With the record of this number, or the first one after it that is there.
    Record(i64),
}

/// Changes to a sink; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct SinkChanges {
    /// A new name.
    pub name: Option<String>,
    /// What it does from now on, and its secrets; of the same kind.
    pub target: Option<(Target, NewSecrets)>,
    /// Another filter; the inner `None` is none.
    pub filter: Option<Option<dash_shared::sinks::Condition>>,
}

/// A sink that was made.
#[derive(Clone, Debug)]
pub struct Created {
    /// The sink.
    pub sink: Sink,
    /// What a webhook's messages are signed with. It is never shown again.
    pub signing_key: Option<String>,
}

/// A sink whose signing key was changed.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The sink.
    pub sink: Sink,
    /// The new key. It is never shown again.
    pub signing_key: String,
    /// How long the old one signs too, in milliseconds since 1970.
    pub old_key_until_ms: i64,
}

impl Sinks {
    /// Makes a sink; it sends at once.
    pub async fn create(&self, scope: &TenantScope, new: NewSink) -> Result<Created, SinksError> {
        scope.require(Role::Editor)?;
        let pipeline = self.pipelines.get(scope, new.pipeline_id).await?;
        let mut definition = new.definition;
        name_headers(&mut definition.target, &new.secrets);
        let mut problems = definition.check(scope.plan());
        problems.extend(check_zone(&definition.target));
        let name = check_name("name", "sink", &new.name);
        let name = name.map_err(|problem| problems.push(problem)).ok();
        let keys = Keys::complete(&definition.target, new.secrets, None);
        let keys = keys.map_err(|found| problems.extend(found)).ok();
        let (Some(name), Some(mut keys), true) = (name, keys, problems.is_empty()) else {
            return Err(SinksError::Invalid(problems));
        };
        let (id, now_ms) = (SinkId::new(), self.clock.now_ms());
        let signs = definition.target.kind() == SinkKind::Webhook;
        let signing_key = signs.then(|| keys.rotate(now_ms));
        // Before the lock: those who wait for it hold a connection each.
        let last_seq = self.store.totals_of(pipeline.id).await?.last_seq;
        let transaction = self.db.begin_write().await?;
        self.lock_pipeline(&transaction, pipeline.id).await?;
        let there = entity::Entity::find()
            .filter(entity::Column::PipelineId.eq(pipeline.id.uuid()))
            .count(&*transaction)
            .await?;
        if there >= MAX_SINKS as u64 {
            return Err(SinksError::TooMany(MAX_SINKS));
        }
        let cursor_seq = match new.start {
            Start::Now => last_seq,
            Start::Record(seq) => (seq - 1).clamp(0, last_seq),
        };
        let row = entity::ActiveModel {
            id: Set(id.uuid()),
            team_id: Set(scope.team_id().uuid()),
            pipeline_id: Set(pipeline.id.uuid()),
            kind: Set(definition.target.kind().as_str().to_owned()),
            name: Set(name),
            state: Set(SinkState::Enabled.as_str().to_owned()),
            state_reason: Set(None),
            state_since_ms: Set(now_ms),
            version: Set(1),
            definition: Set(serde_json::to_string(&definition).map_err(SinksError::damaged)?),
            sealed: Set(keys.seal(&self.secrets, id)?),
            cursor_seq: Set(cursor_seq),
            wake_seq: Set(cursor_seq + 1),
            due_at_ms: Set(None),
            failing_since_ms: Set(None),
            last_error: Set(None),
            skipped: Set(0),
            faults: Set(0),
            last_fault: Set(None),
            created_at_ms: Set(now_ms),
            updated_at_ms: Set(now_ms),
        };
        let sink = Sink::try_from(row.insert(&*transaction).await?)?;
        self.schedule(&transaction, id, 0).await?;
        transaction.commit().await?;
        self.jobs.wake();
        Ok(Created { sink, signing_key })
    }

    /// Sinks of one pipeline are made one after the other: two never take its last place.
    async fn lock_pipeline(
        &self,
        transaction: &WriteTransaction,
        id: PipelineId,
    ) -> Result<(), SinksError> {
        if self.db.engine() == Engine::Postgres {
            transaction
                .query_one_raw(Statement::from_sql_and_values(
                    transaction.get_database_backend(),
                    "SELECT id FROM pipelines WHERE id = $1 FOR UPDATE",
                    [id.uuid().into()],
                ))
                .await?;
        }
        Ok(())
    }

    /// Changes a sink; what is waiting is sent as it says then.
    pub async fn update(
        &self,
        scope: &TenantScope,
        id: SinkId,
        changes: SinkChanges,
    ) -> Result<Sink, SinksError> {
        scope.require(Role::Editor)?;
        let (transaction, row) = self.begin_change(scope, id).await?;
        let before = Sink::try_from(row.clone())?;
        let mut problems = Vec::new();
        let mut definition = before.definition.clone();
        let mut row = row.into_active_model();
        if let Some(name) = changes.name {
            match check_name("name", "sink", &name) {
                Ok(name) => row.name = Set(name),
                Err(problem) => problems.push(problem),
            }
        }
        if let Some(filter) = changes.filter {
            definition.filter = filter;
        }
        if let Some((mut target, secrets)) = changes.target {
            if target.kind() != before.definition.target.kind() {
                problems.push(Invalid::new(
                    "target",
                    InvalidCode::Invalid,
                    "A sink keeps its kind. Make a new sink for another kind.",
                ));
                return Err(SinksError::Invalid(problems));
            }
            name_headers(&mut target, &secrets);
            // Secrets that cannot be opened any more have to be entered again.
            let stored = Keys::open(&self.secrets, id, before.sealed.as_deref());
            let stored = stored.unwrap_or_default();
            let known = Some((&before.definition.target, stored));
            match Keys::complete(&target, secrets, known) {
                Ok(keys) => row.sealed = Set(keys.seal(&self.secrets, id)?),
                Err(found) => problems.extend(found),
            }
            definition.target = target;
        }
        problems.extend(definition.check(scope.plan()));
        problems.extend(check_zone(&definition.target));
        if !problems.is_empty() {
            return Err(SinksError::Invalid(problems));
        }
        row.definition = Set(serde_json::to_string(&definition).map_err(SinksError::damaged)?);
        row.version = Set(before.version + 1);
        row.updated_at_ms = Set(self.clock.now_ms());
        if definition != before.definition {
            // When it is due may be another time now.
            row.due_at_ms = Set(None);
            row.wake_seq = Set(before.cursor_seq + 1);
        }
        let sink = Sink::try_from(row.update(&*transaction).await?)?;
        if sink.state == SinkState::Enabled {
            self.schedule(&transaction, id, i64::from(sink.version))
                .await?;
        }
        transaction.commit().await?;
        self.jobs.wake();
        Ok(sink)
    }

    /// Deletes a sink at once, and its log in the background.
    pub async fn delete(&self, scope: &TenantScope, id: SinkId) -> Result<(), SinksError> {
        scope.require(Role::Editor)?;
        self.get(scope, id).await?;
        let transaction = self.db.begin_write().await?;
        entity::Entity::delete_by_id(id.uuid())
            .exec(&*transaction)
            .await?;
        self.jobs.cancel(&*transaction, &replay_key(id)).await?;
        // It finds no sink, and purges.
        self.schedule(&transaction, id, -1).await?;
        transaction.commit().await?;
        self.jobs.wake();
        Ok(())
    }

    /// Makes a sink send again, from where it stopped.
    pub async fn enable(&self, scope: &TenantScope, id: SinkId) -> Result<Sink, SinksError> {
        scope.require(Role::Editor)?;
        let (transaction, row) = self.begin_change(scope, id).await?;
        let before = Sink::try_from(row.clone())?;
        if before.state == SinkState::Enabled {
            return Ok(before);
        }
        let kind = before.definition.target.kind();
        if let Err(problem) = scope.plan().check_sink(kind) {
            return Err(SinksError::Invalid(vec![Invalid {
                field: vec!["id".to_owned()],
                ..problem
            }]));
        }
        let now_ms = self.clock.now_ms();
        let mut row = row.into_active_model();
        row.state = Set(SinkState::Enabled.as_str().to_owned());
        row.state_reason = Set(None);
        row.state_since_ms = Set(now_ms);
        row.version = Set(before.version + 1);
        row.updated_at_ms = Set(now_ms);
        row.failing_since_ms = Set(None);
        row.last_error = Set(None);
        row.due_at_ms = Set(None);
        row.wake_seq = Set(before.cursor_seq + 1);
        let sink = Sink::try_from(row.update(&*transaction).await?)?;
        // What was waiting is tried at once, with all its tries.
        transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                "UPDATE deliveries SET next_attempt_at_ms = $2, tries = 0 \
                 WHERE sink_id = $1 AND state = 'pending'",
                [id.uuid().into(), now_ms.into()],
            ))
            .await?;
        self.schedule(&transaction, id, i64::from(sink.version))
            .await?;
        let (key, payload) = (replay_key(id), sink.version.to_string());
        self.jobs
            .schedule(&*transaction, SINK_KIND, &key, &payload, now_ms)
            .await?;
        transaction.commit().await?;
        self.jobs.wake();
        Ok(sink)
    }

    /// Makes a sink stop; records wait.
    pub async fn disable_by_hand(
        &self,
        scope: &TenantScope,
        id: SinkId,
    ) -> Result<Sink, SinksError> {
        scope.require(Role::Editor)?;
        let sink = self.get(scope, id).await?;
        self.disable(&sink, DisabledReason::ByHand).await?;
        self.get(scope, id).await
    }

    /// Gives a webhook a new signing key; the old one signs too for a day.
    pub async fn rotate_key(&self, scope: &TenantScope, id: SinkId) -> Result<Rotated, SinksError> {
        scope.require(Role::Editor)?;
        let (transaction, row) = self.begin_change(scope, id).await?;
        let before = Sink::try_from(row.clone())?;
        if before.definition.target.kind() != SinkKind::Webhook {
            return Err(SinksError::Invalid(vec![Invalid::new(
                "id",
                InvalidCode::Invalid,
                "Only webhooks are signed. This sink has no signing key.",
            )]));
        }
        let now_ms = self.clock.now_ms();
        // A key that cannot be opened any more is lost.
        let stored = Keys::open(&self.secrets, id, before.sealed.as_deref());
        let mut keys = stored.unwrap_or_default();
        let signing_key = keys.rotate(now_ms);
        let mut row = row.into_active_model();
        row.sealed = Set(keys.seal(&self.secrets, id)?);
        row.version = Set(before.version + 1);
        row.updated_at_ms = Set(now_ms);
        let sink = Sink::try_from(row.update(&*transaction).await?)?;
        transaction.commit().await?;
        Ok(Rotated {
            sink,
            signing_key,
            old_key_until_ms: now_ms + super::keys::OVERLAP_MS,
        })
    }

    /// Finds a sink.
    pub async fn find(&self, scope: &TenantScope, id: SinkId) -> Result<Option<Sink>, SinksError> {
        let row = find_row(scope, id).one(self.db.orm()).await?;
        row.map(Sink::try_from).transpose()
    }

    /// Finds a sink that has to be there.
    pub async fn get(&self, scope: &TenantScope, id: SinkId) -> Result<Sink, SinksError> {
        self.find(scope, id).await?.ok_or(SinksError::NotFound)
    }

    /// The sinks of a pipeline, the oldest first.
    pub async fn list(
        &self,
        scope: &TenantScope,
        pipeline_id: PipelineId,
    ) -> Result<Vec<Sink>, SinksError> {
        let rows = entity::Entity::find()
            .filter(entity::Column::TeamId.eq(scope.team_id().uuid()))
            .filter(entity::Column::PipelineId.eq(pipeline_id.uuid()))
            .order_by_asc(entity::Column::Id)
            .all(self.db.orm())
            .await?;
        rows.into_iter().map(Sink::try_from).collect()
    }

    /// A sink for its own job, which has no scope.
    pub(super) async fn load(&self, id: SinkId) -> Result<Option<Sink>, SinksError> {
        let row = entity::Entity::find_by_id(id.uuid());
        let row = row.one(self.db.orm()).await?;
        row.map(Sink::try_from).transpose()
    }

    async fn begin_change(
        &self,
        scope: &TenantScope,
        id: SinkId,
    ) -> Result<(WriteTransaction, entity::Model), SinksError> {
        let transaction = self.db.begin_write().await?;
        let row = find_row(scope, id)
            .lock_exclusive()
            .one(&*transaction)
            .await?
            .ok_or(SinksError::NotFound)?;
        Ok((transaction, row))
    }
}

fn find_row(scope: &TenantScope, id: SinkId) -> sea_orm::Select<entity::Entity> {
    entity::Entity::find_by_id(id.uuid()).filter(entity::Column::TeamId.eq(scope.team_id().uuid()))
}

/// The names of the headers that were entered become part of the definition.
fn name_headers(target: &mut Target, secrets: &NewSecrets) {
    if let Target::Http(http) = target {
        let names = secrets.headers.iter().map(|header| header.name.clone());
        http.header_names = names.collect();
        http.url = http.url.trim().to_owned();
    }
    if let Target::Webhook(webhook) = target {
        webhook.url = webhook.url.trim().to_owned();
    }
}

fn check_zone(target: &Target) -> Option<Invalid> {
    let Target::Email(email) = target else {
        return None;
    };
    let EmailTiming::Digest { time_zone, .. } = &email.timing else {
        return None;
    };
    time_zone.parse::<Tz>().err().map(|_| {
        Invalid::new(
            "target.email.timing.timeZone",
            InvalidCode::Invalid,
            format!("“{time_zone}” is not a time zone like Europe/Berlin."),
        )
    })
}
