//! What is seen to once an hour: the log stays bounded, sinks that a plan does not include any more
//! stop, and what deleted sinks left behind goes. And what happens when a sink is disabled.

use std::collections::BTreeSet;
use std::time::Duration;

use dash_shared::ids::{SinkId, TeamId};
use dash_shared::sinks::SinkKind;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement, Value};

use super::deliver::{live_key, replay_key};
use super::entity;
use super::{DisabledReason, Sink, SinkState, Sinks, SinksError};
use crate::accounts;
use crate::db::WriteTransaction;
use crate::jobs::{Job, Next};

/// The kind of the job that does this.
pub(super) const UPKEEP: &str = "sink_upkeep";
const HOUR_MS: i64 = 3_600_000;
/// How long the log is kept.
const KEPT_MS: i64 = 30 * 24 * HOUR_MS;
/// How many deliveries of a sink are kept.
const KEPT_DELIVERIES: u64 = 10_000;
/// How many deliveries one transaction deletes.
const CHUNK_ROWS: u64 = 500;
/// How long others have the database to themselves between two of them.
const PAUSE: Duration = Duration::from_millis(5);

impl Sinks {
    /// Sees to it that the log stays bounded from now on, by one process at a time.
    pub async fn schedule_upkeep(&self) -> Result<(), SinksError> {
        let transaction = self.db.begin_write().await?;
        let now_ms = self.clock.now_ms();
        self.jobs
            .ensure(&*transaction, UPKEEP, UPKEEP, now_ms)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(super) async fn run_upkeep(&self, job: &Job) -> Next {
        match self.tidy().await {
            Ok(()) => Next::At {
                run_at_ms: job.run_at_ms.max(self.clock.now_ms()) + HOUR_MS,
                payload: String::new(),
            },
            Err(error) => Next::Retry(error.to_string()),
        }
    }

    async fn tidy(&self) -> Result<(), SinksError> {
        let old_ms = self.clock.now_ms() - KEPT_MS;
        self.delete_deliveries(
            "state <> 'pending' AND created_at_ms < $1",
            vec![old_ms.into()],
        )
        .await?;
        self.delete_deliveries("sink_id NOT IN (SELECT id FROM sinks)", Vec::new())
            .await?;
        for row in entity::Entity::find().all(self.db.orm()).await? {
            self.trim_log(SinkId::from_uuid(row.id)).await?;
        }
        self.enforce_plans().await
    }

    async fn trim_log(&self, id: SinkId) -> Result<(), SinksError> {
        let values: Vec<Value> = vec![id.uuid().into()];
        let condition = format!(
            "sink_id = $1 AND state <> 'pending' AND id < (SELECT id FROM deliveries \
             WHERE sink_id = $1 ORDER BY id DESC LIMIT 1 OFFSET {KEPT_DELIVERIES})"
        );
        self.delete_deliveries(&condition, values).await
    }

    /// Deletes everything that a sink left behind which is no more.
    pub(super) async fn purge(&self, id: SinkId) -> Result<(), SinksError> {
        self.delete_deliveries("sink_id = $1", vec![id.uuid().into()])
            .await
    }

    /// Deletes deliveries with their attempts, some at a time.
    async fn delete_deliveries(
        &self,
        condition: &str,
        values: Vec<Value>,
    ) -> Result<(), SinksError> {
        loop {
            let transaction = self.db.begin_write().await?;
            let backend = transaction.get_database_backend();
            let chunk = format!(
                "(SELECT id FROM deliveries WHERE {condition} ORDER BY id LIMIT {CHUNK_ROWS})"
            );
            transaction
                .execute_raw(Statement::from_sql_and_values(
                    backend,
                    format!("DELETE FROM delivery_attempts WHERE delivery_id IN {chunk}"),
                    values.clone(),
                ))
                .await?;
            let deleted = transaction
                .execute_raw(Statement::from_sql_and_values(
                    backend,
                    format!("DELETE FROM deliveries WHERE id IN {chunk}"),
                    values.clone(),
                ))
                .await?;
            transaction.commit().await?;
            if deleted.rows_affected() < CHUNK_ROWS {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Disables the sinks that their teams' plans do not include any more.
    async fn enforce_plans(&self) -> Result<(), SinksError> {
        let rows = entity::Entity::find()
            .filter(entity::Column::State.eq(SinkState::Enabled.as_str()))
            .all(self.db.orm())
            .await?;
        let teams: BTreeSet<TeamId> = rows
            .iter()
            .map(|row| TeamId::from_uuid(row.team_id))
            .collect();
        let plans = accounts::plans_of(&self.db, &teams, self.clock.now_ms()).await?;
        for row in rows {
            let plan = plans.get(&TeamId::from_uuid(row.team_id));
            let kind = SinkKind::parse(&row.kind);
            if let (Some(plan), Some(kind)) = (plan, kind)
                && plan.check_sink(kind).is_err()
            {
                self.disable(&Sink::try_from(row)?, DisabledReason::Plan)
                    .await?;
            }
        }
        Ok(())
    }

    pub(super) async fn disable(
        &self,
        sink: &Sink,
        reason: DisabledReason,
    ) -> Result<(), SinksError> {
        let transaction = self.db.begin_write().await?;
        let now_ms = self.clock.now_ms();
        self.disable_within(&transaction, sink, reason, now_ms)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Disables a sink, unless it is, and takes its jobs out of the queue.
    pub(super) async fn disable_within(
        &self,
        transaction: &WriteTransaction,
        sink: &Sink,
        reason: DisabledReason,
        now_ms: i64,
    ) -> Result<(), SinksError> {
        let state = SinkState::Disabled(reason);
        let result = transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                "UPDATE sinks SET state = $2, state_reason = $3, state_since_ms = $4, \
                 version = version + 1, updated_at_ms = $4 WHERE id = $1 AND state = 'enabled'",
                [
                    sink.id.uuid().into(),
                    state.as_str().into(),
                    state.reason().into(),
                    now_ms.into(),
                ],
            ))
            .await?;
        if result.rows_affected() == 0 {
            return Ok(());
        }
        for key in [live_key(sink.id), replay_key(sink.id)] {
            self.jobs.cancel(&**transaction, &key).await?;
        }
        if reason != DisabledReason::ByHand {
            tracing::info!(sink = %sink.id, ?reason, "a sink was disabled");
            metrics::counter!("dash_sinks_disabled_total").increment(1);
        }
        Ok(())
    }
}
