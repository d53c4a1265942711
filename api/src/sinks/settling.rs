//! Writing down what happened: an attempt, what becomes of its delivery and its sink, and the next
//! delivery, all in one transaction. Killed before it, the attempt is made again with the same
//! message id; after it, never.

use dash_shared::ids::{DeliveryId, SinkId};
use sea_orm::{ConnectionTrait, Statement, Value};

use super::attempts::{self, Attempt};
use super::planning::{NEVER, Planned, Planner, Rest};
use super::{Delivery, DeliveryState, DisabledReason, Lane, Sink, SinkState, Sinks, SinksError};
use crate::db::WriteTransaction;
use crate::events::Event;

/// What an attempt came to.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub state: DeliveryState,
    /// When it is tried again, if it is pending.
    pub next_attempt_at_ms: Option<i64>,
    pub status: Option<i32>,
    pub error: Option<String>,
    /// Whether the sink is disabled by it.
    pub disable: Option<DisabledReason>,
    /// What is logged; nothing was sent without it.
    pub attempt: Option<Attempt>,
}

/// Whether the sink is still the one that was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is.
    Same,
    /// It was changed, disabled or deleted, or another worker was here: it has to be loaded again.
    Changed,
}

impl Sink {
    /// The sink after a verdict of its live lane.
    fn after(&mut self, verdict: &Verdict, last_seq: i64, now_ms: i64) {
        if verdict.state == DeliveryState::Pending {
            self.wake_seq = NEVER;
            self.due_at_ms = verdict.next_attempt_at_ms;
        } else {
            self.cursor_seq = self.cursor_seq.max(last_seq);
            self.wake_seq = self.cursor_seq + 1;
            self.due_at_ms = None;
        }
        match verdict.state {
            DeliveryState::Delivered => {
                self.failing_since_ms = None;
                self.last_error = None;
            }
            // Nothing to send says nothing about the target.
            DeliveryState::Skipped => {}
            _ => {
                self.failing_since_ms.get_or_insert(now_ms);
                self.last_error.clone_from(&verdict.error);
            }
        }
    }
}

impl Delivery {
    /// The delivery after a verdict.
    pub(super) fn after(&self, verdict: &Verdict, now_ms: i64) -> Self {
        let tried = i32::from(verdict.attempt.is_some());
        let attempt = verdict.attempt.as_ref();
        Self {
            state: verdict.state,
            attempts: self.attempts + tried,
            tries: self.tries + tried,
            next_attempt_at_ms: verdict.next_attempt_at_ms,
            status: verdict.status,
            error: verdict.error.clone(),
            duration_ms: attempt.map(|attempt| attempt.duration_ms),
            finished_at_ms: (verdict.state != DeliveryState::Pending).then_some(now_ms),
            ..self.clone()
        }
    }
}

impl Sinks {
    /// Writes down what an attempt of the live lane came to, and what is sent next.
    pub(super) async fn settle(
        &self,
        sink: &mut Sink,
        delivery: &Delivery,
        verdict: Verdict,
        planner: &mut Planner,
        next: Option<&Planned>,
    ) -> Result<(Standing, Option<Delivery>), SinksError> {
        let now_ms = self.clock.now_ms();
        let transaction = self.db.begin_write().await?;
        let after = delivery.after(&verdict, now_ms);
        if !write_delivery(&transaction, delivery, &after).await? {
            return Ok((Standing::Changed, None));
        }
        if let Some(attempt) = &verdict.attempt {
            attempts::insert(&*transaction, delivery, attempt).await?;
        }
        sink.after(&verdict, delivery.last_seq, now_ms);
        let mut standing = write_sink(&transaction, sink, planner).await?;
        if let Some(reason) = verdict.disable {
            self.disable_within(&transaction, sink, reason, now_ms)
                .await?;
            standing = Standing::Changed;
        }
        let upcoming = match next {
            Some(upcoming) if standing == Standing::Same => {
                Some(self.insert_planned(&transaction, sink.id, upcoming).await?)
            }
            _ => None,
        };
        self.announce(&transaction, &after).await?;
        transaction.commit().await?;
        self.tell(after);
        Ok((standing, upcoming))
    }

    /// Writes down what an attempt of the replay lane came to. It says nothing about the sink.
    pub(super) async fn settle_replay(
        &self,
        delivery: &Delivery,
        verdict: &Verdict,
    ) -> Result<Standing, SinksError> {
        let transaction = self.db.begin_write().await?;
        let after = delivery.after(verdict, self.clock.now_ms());
        if !write_delivery(&transaction, delivery, &after).await? {
            return Ok(Standing::Changed);
        }
        if let Some(attempt) = &verdict.attempt {
            attempts::insert(&*transaction, delivery, attempt).await?;
        }
        self.announce(&transaction, &after).await?;
        transaction.commit().await?;
        self.tell(after);
        Ok(Standing::Same)
    }

    /// Writes a test down, which is over.
    pub(super) async fn log_test(
        &self,
        delivery: &Delivery,
        verdict: &Verdict,
    ) -> Result<Delivery, SinksError> {
        let transaction = self.db.begin_write().await?;
        let after = delivery.after(verdict, self.clock.now_ms());
        insert(&transaction, &after).await?;
        if let Some(attempt) = &verdict.attempt {
            attempts::insert(&*transaction, delivery, attempt).await?;
        }
        self.announce(&transaction, &after).await?;
        transaction.commit().await?;
        self.tell(after.clone());
        Ok(after)
    }

    /// Writes down what is sent next, before it is sent.
    pub(super) async fn begin_delivery(
        &self,
        sink: &mut Sink,
        planner: &mut Planner,
        upcoming: &Planned,
    ) -> Result<(Standing, Option<Delivery>), SinksError> {
        let transaction = self.db.begin_write().await?;
        sink.cursor_seq = sink.cursor_seq.max(upcoming.first_seq - 1);
        sink.wake_seq = NEVER;
        sink.due_at_ms = None;
        let standing = write_sink(&transaction, sink, planner).await?;
        if standing == Standing::Changed {
            return Ok((standing, None));
        }
        let delivery = self.insert_planned(&transaction, sink.id, upcoming).await?;
        transaction.commit().await?;
        Ok((standing, Some(delivery)))
    }

    /// Writes down that there is nothing to send for now; only if that is news.
    pub(super) async fn rest(
        &self,
        sink: &mut Sink,
        planner: &mut Planner,
        rest: Rest,
    ) -> Result<Standing, SinksError> {
        let before = (sink.cursor_seq, sink.wake_seq, sink.due_at_ms);
        sink.cursor_seq = rest.cursor_seq;
        sink.wake_seq = rest.wake_seq;
        sink.due_at_ms = rest.due_at_ms;
        if before == (rest.cursor_seq, rest.wake_seq, rest.due_at_ms) {
            return Ok(Standing::Same);
        }
        let transaction = self.db.begin_write().await?;
        let standing = write_sink(&transaction, sink, planner).await?;
        transaction.commit().await?;
        Ok(standing)
    }

    async fn insert_planned(
        &self,
        transaction: &WriteTransaction,
        sink_id: SinkId,
        upcoming: &Planned,
    ) -> Result<Delivery, SinksError> {
        let now_ms = self.clock.now_ms();
        let delivery = Delivery {
            id: DeliveryId::new(),
            sink_id,
            message_id: upcoming.message_id.clone(),
            lane: Lane::Live,
            state: DeliveryState::Pending,
            first_seq: upcoming.first_seq,
            last_seq: upcoming.last_seq,
            records: i32::try_from(upcoming.count).unwrap_or(i32::MAX),
            attempts: 0,
            tries: 0,
            next_attempt_at_ms: Some(now_ms),
            status: None,
            error: None,
            duration_ms: None,
            created_at_ms: now_ms,
            finished_at_ms: None,
        };
        insert(transaction, &delivery).await?;
        Ok(delivery)
    }

    /// Tells the other processes what became of a delivery, when the transaction is committed.
    pub(super) async fn announce(
        &self,
        transaction: &WriteTransaction,
        delivery: &Delivery,
    ) -> Result<(), SinksError> {
        let event = Event::Delivery(delivery.sink_id, delivery.id);
        Ok(self.events.announce(&**transaction, &event).await?)
    }

    /// Tells those who look at the log here.
    pub(super) fn tell(&self, delivery: Delivery) {
        metrics::counter!("dash_deliveries_total", "state" => delivery.state.as_str()).increment(1);
        // Nobody may be looking.
        let _ = self.told.send(std::sync::Arc::new(delivery));
    }
}

/// Writes a delivery unless somebody else has in the meantime; false if so.
async fn write_delivery(
    transaction: &WriteTransaction,
    before: &Delivery,
    after: &Delivery,
) -> Result<bool, SinksError> {
    let result = transaction
        .execute_raw(Statement::from_sql_and_values(
            transaction.get_database_backend(),
            "UPDATE deliveries SET state = $4, attempts = $5, tries = $6, next_attempt_at_ms = $7, \
             status = $8, error = $9, duration_ms = $10, finished_at_ms = $11 \
             WHERE id = $1 AND state = 'pending' AND attempts = $2 AND lane = $3",
            [
                before.id.uuid().into(),
                before.attempts.into(),
                before.lane.as_str().into(),
                after.state.as_str().into(),
                after.attempts.into(),
                after.tries.into(),
                after.next_attempt_at_ms.into(),
                after.status.into(),
                after.error.clone().into(),
                after.duration_ms.into(),
                after.finished_at_ms.into(),
            ],
        ))
        .await?;
    Ok(result.rows_affected() == 1)
}

async fn insert(transaction: &WriteTransaction, delivery: &Delivery) -> Result<(), SinksError> {
    let values: Vec<Value> = vec![
        delivery.id.uuid().into(),
        delivery.sink_id.uuid().into(),
        delivery.message_id.clone().into(),
        delivery.lane.as_str().into(),
        delivery.state.as_str().into(),
        delivery.first_seq.into(),
        delivery.last_seq.into(),
        delivery.records.into(),
        delivery.attempts.into(),
        delivery.tries.into(),
        delivery.next_attempt_at_ms.into(),
        delivery.status.into(),
        delivery.error.clone().into(),
        delivery.duration_ms.into(),
        delivery.created_at_ms.into(),
        delivery.finished_at_ms.into(),
    ];
    transaction
        .execute_raw(Statement::from_sql_and_values(
            transaction.get_database_backend(),
            "INSERT INTO deliveries (id, sink_id, message_id, lane, state, first_seq, last_seq, \
             records, attempts, tries, next_attempt_at_ms, status, error, duration_ms, \
             created_at_ms, finished_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
             $12, $13, $14, $15, $16)",
            values,
        ))
        .await?;
    Ok(())
}

/// Writes how far a sink has come, with what its planner missed until there.
async fn write_sink(
    transaction: &WriteTransaction,
    sink: &mut Sink,
    planner: &mut Planner,
) -> Result<Standing, SinksError> {
    let missed = planner.reader.take_missed(sink.cursor_seq);
    let row = transaction
        .query_one_raw(Statement::from_sql_and_values(
            transaction.get_database_backend(),
            // Of a sink that was changed meanwhile, only how far it has come is known better here.
            "UPDATE sinks SET cursor_seq = $2, \
             wake_seq = CASE WHEN version = $10 THEN $3 ELSE $2 + 1 END, \
             due_at_ms = CASE WHEN version = $10 THEN $4 ELSE due_at_ms END, \
             failing_since_ms = CASE WHEN version = $10 THEN $5 ELSE failing_since_ms END, \
             last_error = CASE WHEN version = $10 THEN $6 ELSE last_error END, \
             skipped = skipped + $7, faults = faults + $8, \
             last_fault = COALESCE($9, last_fault) WHERE id = $1 RETURNING version, state",
            [
                sink.id.uuid().into(),
                sink.cursor_seq.into(),
                sink.wake_seq.into(),
                sink.due_at_ms.into(),
                sink.failing_since_ms.into(),
                sink.last_error.clone().into(),
                missed.skipped.into(),
                missed.faults.into(),
                missed.last_fault.into(),
                sink.version.into(),
            ],
        ))
        .await?;
    let Some(row) = row else {
        return Ok(Standing::Changed);
    };
    let (version, state): (i32, String) = (row.try_get("", "version")?, row.try_get("", "state")?);
    let same = version == sink.version && state == SinkState::Enabled.as_str();
    Ok(if same {
        Standing::Same
    } else {
        Standing::Changed
    })
}
