//! Sending again what was sent or given up, because somebody asks for it: the same records under the
//! same message id, in their order, beside what is sent live.

use dash_shared::accounts::Role;
use dash_shared::ids::{DeliveryId, SinkId};
use sea_orm::{ConnectionTrait, Statement, Value};

use super::deliver::replay_key;
use super::planning::Planner;
use super::settling::Standing;
use super::{Delivery, DeliveryFilter, Lane, SinkState, Sinks, SinksError};
use crate::accounts::TenantScope;
use crate::db::WriteTransaction;
use crate::jobs::{Next, SINK_KIND};

/// How many deliveries one request replays.
pub const MAX_REPLAYED: u64 = 1_000;
/// How many a job makes before others have their turn.
const MAX_DELIVERIES: usize = 100;

impl Sinks {
    /// Sends a delivery again that has ended. Tests are not replayed.
    pub async fn replay(
        &self,
        scope: &TenantScope,
        id: DeliveryId,
    ) -> Result<Delivery, SinksError> {
        scope.require(Role::Editor)?;
        let delivery = self.find_delivery(scope, id).await?;
        let delivery = delivery.ok_or(SinksError::NoDelivery)?;
        let transaction = self.db.begin_write().await?;
        let values = vec![id.uuid().into()];
        self.replay_where(&transaction, delivery.sink_id, "id = $1", values)
            .await?;
        transaction.commit().await?;
        self.jobs.wake();
        let found = self
            .first_delivery("id = $1", vec![id.uuid().into()])
            .await?;
        found.ok_or(SinksError::NoDelivery)
    }

    /// Sends all deliveries again that have ended and that the filter asks for, the oldest first, at
    /// most [`MAX_REPLAYED`]; returns how many.
    pub async fn replay_all(
        &self,
        scope: &TenantScope,
        id: SinkId,
        filter: &DeliveryFilter,
    ) -> Result<u64, SinksError> {
        scope.require(Role::Editor)?;
        self.get(scope, id).await?;
        let mut values: Vec<Value> = vec![id.uuid().into()];
        let condition = format!(
            "id IN (SELECT id FROM deliveries WHERE sink_id = $1 AND lane <> 'test' \
             AND state <> 'pending'{} ORDER BY id LIMIT {MAX_REPLAYED})",
            filter.condition(&mut values)
        );
        let transaction = self.db.begin_write().await?;
        let replayed = self
            .replay_where(&transaction, id, &condition, values)
            .await?;
        transaction.commit().await?;
        self.jobs.wake();
        Ok(replayed)
    }

    async fn replay_where(
        &self,
        transaction: &WriteTransaction,
        sink_id: SinkId,
        condition: &str,
        mut values: Vec<Value>,
    ) -> Result<u64, SinksError> {
        let now_ms = self.clock.now_ms();
        values.push(now_ms.into());
        let now = values.len();
        let result = transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                format!(
                    "UPDATE deliveries SET lane = 'replay', state = 'pending', tries = 0, \
                     next_attempt_at_ms = ${now}, finished_at_ms = NULL WHERE {condition} \
                     AND state <> 'pending' AND lane <> 'test'"
                ),
                values,
            ))
            .await?;
        let replayed = result.rows_affected();
        if replayed > 0 {
            let key = replay_key(sink_id);
            self.jobs
                .schedule(&**transaction, SINK_KIND, &key, &now_ms.to_string(), now_ms)
                .await?;
        }
        Ok(replayed)
    }

    /// The job that replays: one delivery after the other, the oldest first.
    pub(super) async fn run_replays(&self, id: SinkId) -> Result<Next, SinksError> {
        let Some(sink) = self.load(id).await? else {
            return Ok(Next::Done);
        };
        // Enabled again, it goes on.
        if sink.state != SinkState::Enabled {
            return Ok(Next::Done);
        }
        let planner = Planner::new(self.store.clone(), &sink)?;
        let renderer = self.renderer(&sink).await?;
        for _ in 0..MAX_DELIVERIES {
            let Some(delivery) = self.pending_delivery(id, Lane::Replay).await? else {
                return Ok(Next::Done);
            };
            if let Some(run_at_ms) = delivery.next_attempt_at_ms
                && run_at_ms > self.clock.now_ms()
            {
                return Ok(Next::At {
                    run_at_ms,
                    payload: String::new(),
                });
            }
            let records = self.read_back(&planner, &delivery).await?;
            let verdict = self.attempt(&renderer, &delivery, &records).await;
            let standing = self.settle_replay(&delivery, &verdict).await?;
            let is_gone = verdict.disable.is_some();
            if is_gone {
                self.disable(&sink, super::DisabledReason::Gone).await?;
            }
            if standing == Standing::Changed || is_gone {
                return Ok(Next::Done);
            }
        }
        Ok(Next::At {
            run_at_ms: self.clock.now_ms(),
            payload: String::new(),
        })
    }
}
