//! The table `deliveries`: reading single ones, pages and counts.

use std::fmt::Write as _;

use dash_shared::ids::{DeliveryId, SinkId};
use sea_orm::{ConnectionTrait, QueryResult as Row, Statement, Value};

use super::{Delivery, DeliveryState, Lane, Sink, Sinks, SinksError};
use crate::accounts::TenantScope;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Which deliveries are listed.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only those in one of these states.
    pub states: Vec<DeliveryState>,
    /// Only those that were planned then or later, in milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Only those that were planned before, in milliseconds since 1970.
    pub to_ms: Option<i64>,
}

/// A page of deliveries, the newest first.
#[derive(Clone, Debug)]
pub struct DeliveryPage {
    /// The deliveries.
    pub deliveries: Vec<Delivery>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// How many there are in all.
    pub total: i64,
}

/// What a sink did lately, and what it has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SinkCounts {
    /// Delivered during the last hour.
    pub delivered_last_hour: i64,
    /// Delivered during the last 24 hours.
    pub delivered_last_day: i64,
    /// Given up during the last 24 hours.
    pub dead_last_day: i64,
    /// Planned and not delivered yet.
    pub pending: i64,
    /// Records that were not dealt with yet.
    pub lag_records: i64,
}

const COLUMNS: &str = "id, sink_id, message_id, lane, state, first_seq, last_seq, records, attempts, \
                       tries, next_attempt_at_ms, status, error, duration_ms, created_at_ms, \
                       finished_at_ms";

impl DeliveryFilter {
    /// The condition, and its values after those that are there.
    pub(super) fn condition(&self, values: &mut Vec<Value>) -> String {
        let mut condition = String::new();
        let mut add = |text: &str, value: Value| {
            values.push(value);
            // Writing to a String cannot fail.
            let _ = write!(condition, " AND {text} ${}", values.len());
        };
        if let Some(from_ms) = self.from_ms {
            add("created_at_ms >=", from_ms.into());
        }
        if let Some(to_ms) = self.to_ms {
            add("created_at_ms <", to_ms.into());
        }
        if !self.states.is_empty() {
            let mut places = Vec::new();
            for state in &self.states {
                values.push(state.as_str().into());
                places.push(format!("${}", values.len()));
            }
            let _ = write!(condition, " AND state IN ({})", places.join(", "));
        }
        condition
    }
}

fn read(row: &Row) -> Result<Delivery, SinksError> {
    let (lane, state): (String, String) = (row.try_get("", "lane")?, row.try_get("", "state")?);
    Ok(Delivery {
        id: DeliveryId::from_uuid(row.try_get("", "id")?),
        sink_id: SinkId::from_uuid(row.try_get("", "sink_id")?),
        message_id: row.try_get("", "message_id")?,
        lane: Lane::parse(&lane).ok_or_else(|| SinksError::damaged(lane))?,
        state: DeliveryState::parse(&state).ok_or_else(|| SinksError::damaged(state))?,
        first_seq: row.try_get("", "first_seq")?,
        last_seq: row.try_get("", "last_seq")?,
        records: row.try_get("", "records")?,
        attempts: row.try_get("", "attempts")?,
        tries: row.try_get("", "tries")?,
        next_attempt_at_ms: row.try_get("", "next_attempt_at_ms")?,
        status: row.try_get("", "status")?,
        error: row.try_get("", "error")?,
        duration_ms: row.try_get("", "duration_ms")?,
        created_at_ms: row.try_get("", "created_at_ms")?,
        finished_at_ms: row.try_get("", "finished_at_ms")?,
    })
}

impl Sinks {
    pub(super) async fn select_deliveries(
        &self,
        condition: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Delivery>, SinksError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!("SELECT {COLUMNS} FROM deliveries WHERE {condition}"),
                values,
            ))
            .await?;
        rows.iter().map(read).collect()
    }

    pub(super) async fn first_delivery(
        &self,
        condition: &str,
        values: Vec<Value>,
    ) -> Result<Option<Delivery>, SinksError> {
        let found = self.select_deliveries(condition, values).await?;
        Ok(found.into_iter().next())
    }

    /// The delivery that a lane of a sink is at.
    pub(super) async fn pending_delivery(
        &self,
        id: SinkId,
        lane: Lane,
    ) -> Result<Option<Delivery>, SinksError> {
        self.first_delivery(
            "sink_id = $1 AND state = 'pending' AND lane = $2 ORDER BY id LIMIT 1",
            vec![id.uuid().into(), lane.as_str().into()],
        )
        .await
    }

    /// When the message was planned that is the newest but `but`.
    pub(super) async fn planned_at(&self, id: SinkId, but: i64) -> Result<Option<i64>, SinksError> {
        let found = self
            .first_delivery(
                "sink_id = $1 AND lane <> 'test' ORDER BY id DESC LIMIT 1 OFFSET $2",
                vec![id.uuid().into(), but.into()],
            )
            .await?;
        Ok(found.map(|delivery| delivery.created_at_ms))
    }

    /// Finds a delivery, with its sink.
    pub async fn find_delivery(
        &self,
        scope: &TenantScope,
        id: DeliveryId,
    ) -> Result<Option<Delivery>, SinksError> {
        let found = self
            .first_delivery("id = $1", vec![id.uuid().into()])
            .await?;
        let Some(delivery) = found else {
            return Ok(None);
        };
        let sink = self.find(scope, delivery.sink_id).await?;
        Ok(sink.map(|_| delivery))
    }

    /// A page of a sink's deliveries, the newest first, beginning after the delivery `after`.
    pub async fn list_deliveries(
        &self,
        sink: &Sink,
        filter: &DeliveryFilter,
        after: Option<DeliveryId>,
        first: u64,
    ) -> Result<DeliveryPage, SinksError> {
        let mut values: Vec<Value> = vec![sink.id.uuid().into()];
        let condition = format!("sink_id = $1{}", filter.condition(&mut values));
        let total = self.count_deliveries(&condition, values.clone()).await?;
        let mut page = condition;
        if let Some(after) = after {
            values.push(after.uuid().into());
            let _ = write!(page, " AND id < ${}", values.len());
        }
        let limit = usize::try_from(first).unwrap_or(usize::MAX);
        let _ = write!(page, " ORDER BY id DESC LIMIT {}", limit + 1);
        let mut deliveries = self.select_deliveries(&page, values).await?;
        let has_more = deliveries.len() > limit;
        deliveries.truncate(limit);
        Ok(DeliveryPage {
            deliveries,
            has_more,
            total,
        })
    }

    async fn count_deliveries(
        &self,
        condition: &str,
        values: Vec<Value>,
    ) -> Result<i64, SinksError> {
        let orm = self.db.orm();
        let row = orm
            .query_one_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!("SELECT COUNT(*) AS found FROM deliveries WHERE {condition}"),
                values,
            ))
            .await?;
        Ok(row.map_or(Ok(0), |row| row.try_get("", "found"))?)
    }

    /// What a sink did lately, and what it has to do.
    pub async fn counts(&self, sink: &Sink) -> Result<SinkCounts, SinksError> {
        let orm = self.db.orm();
        let now_ms = self.clock.now_ms();
        let row = orm
            .query_one_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT \
                 COUNT(CASE WHEN state = 'delivered' AND finished_at_ms > $2 THEN 1 END) AS hour, \
                 COUNT(CASE WHEN state = 'delivered' AND finished_at_ms > $3 THEN 1 END) AS day, \
                 COUNT(CASE WHEN state = 'dead' AND finished_at_ms > $3 THEN 1 END) AS dead, \
                 COUNT(CASE WHEN state = 'pending' THEN 1 END) AS pending \
                 FROM deliveries WHERE sink_id = $1 AND lane <> 'test'",
                [
                    sink.id.uuid().into(),
                    (now_ms - HOUR_MS).into(),
                    (now_ms - DAY_MS).into(),
                ],
            ))
            .await?;
        let last_seq = self.store.totals_of(sink.pipeline_id).await?.last_seq;
        let lag_records = (last_seq - sink.cursor_seq).max(0);
        let Some(row) = row else {
            return Ok(SinkCounts {
                lag_records,
                ..SinkCounts::default()
            });
        };
        Ok(SinkCounts {
            delivered_last_hour: row.try_get("", "hour")?,
            delivered_last_day: row.try_get("", "day")?,
            dead_last_day: row.try_get("", "dead")?,
            pending: row.try_get("", "pending")?,
            lag_records,
        })
    }
}
