//! Reading records back: pages, a pipeline's totals, and following a series from a cursor on
//! without gap or duplicate.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use dash_shared::ids::PipelineId;
use sea_orm::{ConnectionTrait, QueryResult as Row, Statement};

use super::live::LiveEvents;
use super::record_keys::forget_keys;
use super::{ReadError, RecordStore, StoredRecord};

/// How many records are read from the database at once.
const CHUNK_RECORDS: i64 = 2_000;

/// How many such reads tell how fast records come in.
const MAX_ARRIVAL_CHUNKS: usize = 50;

/// How many records one query may read.
pub(super) const MAX_SCANNED_RECORDS: u64 = 2_000_000;

/// `$first, $first+1 …`, `count` of them.
pub(super) fn placeholders(first: usize, count: usize) -> String {
    let mut text = String::new();
    for index in 0..count {
        let comma = if index == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}${}", first + index);
    }
    text
}

/// What a pipeline has stored in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeriesTotals {
    /// The `seq` of the newest record; 0 if there is none.
    pub last_seq: i64,
    /// How many records there are.
    pub record_count: i64,
    /// How many bytes they take.
    pub stored_bytes: i64,
    /// When the newest came in, in milliseconds since 1970.
    pub last_received_at_ms: Option<i64>,
}

/// A page of records, the newest first.
#[derive(Clone, Debug)]
pub struct RecordPage {
    /// The records.
    pub records: Vec<StoredRecord>,
    /// Whether there are older ones.
    pub has_more: bool,
}

/// The columns that [`record_from_row`] reads.
pub(super) const RECORD_COLUMNS: &str = "seq, time_ms, received_at_ms, fields";

pub(super) fn record_from_row(row: &Row) -> Result<StoredRecord, ReadError> {
    let fields: String = row.try_get("", "fields")?;
    Ok(StoredRecord {
        seq: row.try_get("", "seq")?,
        time_ms: row.try_get("", "time_ms")?,
        received_at_ms: row.try_get("", "received_at_ms")?,
        fields: serde_json::from_str(&fields)
            .map(Arc::new)
            .map_err(|error| ReadError::Damaged(error.to_string()))?,
    })
}

impl RecordStore {
    async fn select_records(
        &self,
        condition: &str,
        values: Vec<sea_orm::Value>,
    ) -> Result<Vec<StoredRecord>, ReadError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!("SELECT {RECORD_COLUMNS} FROM records {condition}"),
                values,
            ))
            .await?;
        rows.iter().map(record_from_row).collect()
    }

    /// The totals of these pipelines; one that has stored nothing yet is left out.
    pub async fn totals(
        &self,
        pipelines: &[PipelineId],
    ) -> Result<Vec<(PipelineId, SeriesTotals)>, ReadError> {
        if pipelines.is_empty() {
            return Ok(Vec::new());
        }
        let orm = self.db.orm();
        let places = placeholders(1, pipelines.len());
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT pipeline_id, last_seq, record_count, stored_bytes, \
                     last_received_at_ms FROM series WHERE pipeline_id IN ({places})"
                ),
                pipelines.iter().map(|id| id.uuid().into()),
            ))
            .await?;
        rows.iter()
            .map(|row| {
                let totals = SeriesTotals {
                    last_seq: row.try_get("", "last_seq")?,
                    record_count: row.try_get("", "record_count")?,
                    stored_bytes: row.try_get("", "stored_bytes")?,
                    last_received_at_ms: row.try_get("", "last_received_at_ms")?,
                };
                Ok((
                    PipelineId::from_uuid(row.try_get("", "pipeline_id")?),
                    totals,
                ))
            })
            .collect()
    }

    /// The totals of one pipeline.
    pub async fn totals_of(&self, pipeline_id: PipelineId) -> Result<SeriesTotals, ReadError> {
        let totals = self.totals(&[pipeline_id]).await?;
        Ok(totals
            .first()
            .map_or_else(SeriesTotals::default, |(_, totals)| *totals))
    }

    /// A page of records, the newest first, beginning before the record `before_seq`.
    pub async fn list_records(
        &self,
        pipeline_id: PipelineId,
        before_seq: Option<i64>,
        first: u64,
    ) -> Result<RecordPage, ReadError> {
        let limit = usize::try_from(first).unwrap_or(usize::MAX);
        let mut records = self
            .select_records(
                "WHERE pipeline_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3",
                vec![
                    pipeline_id.uuid().into(),
                    before_seq.unwrap_or(i64::MAX).into(),
                    i64::try_from(first + 1).unwrap_or(i64::MAX).into(),
                ],
            )
            .await?;
        let has_more = records.len() > limit;
        records.truncate(limit);
        Ok(RecordPage { records, has_more })
    }

    /// One record.
    pub async fn find_record(
        &self,
        pipeline_id: PipelineId,
        seq: i64,
    ) -> Result<Option<StoredRecord>, ReadError> {
        let values = vec![pipeline_id.uuid().into(), seq.into()];
        let found = self
            .select_records("WHERE pipeline_id = $1 AND seq = $2", values)
            .await?;
        Ok(found.into_iter().next())
    }

    /// The newest records by the time they happened, in a range, as of `last_seq`.
    pub(super) async fn newest_by_time(
        &self,
        pipeline_id: PipelineId,
        from_ms: i64,
        to_ms: i64,
        last_seq: i64,
        limit: usize,
    ) -> Result<Vec<StoredRecord>, ReadError> {
        self.select_records(
            "WHERE pipeline_id = $1 AND time_ms >= $2 AND time_ms < $3 AND seq <= $4 \
             ORDER BY time_ms DESC, seq DESC LIMIT $5",
            vec![
                pipeline_id.uuid().into(),
                from_ms.into(),
                to_ms.into(),
                last_seq.into(),
                i64::try_from(limit).unwrap_or(i64::MAX).into(),
            ],
        )
        .await
    }

    /// When the newest records came in, as far as after `since_ms`, the newest first. As many are
    /// looked at as a busy minute has.
    pub(super) async fn arrivals(
        &self,
        pipeline_id: PipelineId,
        last_seq: i64,
        since_ms: i64,
    ) -> Result<Vec<i64>, ReadError> {
        let orm = self.db.orm();
        let mut arrivals = Vec::new();
        let mut before_seq = last_seq + 1;
        for _ in 0..MAX_ARRIVAL_CHUNKS {
            let rows = orm
                .query_all_raw(Statement::from_sql_and_values(
                    orm.get_database_backend(),
                    "SELECT seq, received_at_ms FROM records WHERE pipeline_id = $1 AND seq < $2 \
                     ORDER BY seq DESC LIMIT $3",
                    [
                        pipeline_id.uuid().into(),
                        before_seq.into(),
                        CHUNK_RECORDS.into(),
                    ],
                ))
                .await?;
            let mut oldest_ms = i64::MIN;
            for row in &rows {
                before_seq = row.try_get("", "seq")?;
                oldest_ms = row.try_get("", "received_at_ms")?;
                if oldest_ms > since_ms {
                    arrivals.push(oldest_ms);
                }
            }
            // Records that waited for each other may be a little out of order, not by a chunk.
            if oldest_ms <= since_ms || rows.len() as u64 != CHUNK_RECORDS.unsigned_abs() {
                break;
            }
        }
        Ok(arrivals)
    }

    /// Visits every record of a range in the order of time, as of `last_seq`. Reads in chunks, so
    /// that it holds little memory and no long transaction.
    pub(super) async fn scan(
        &self,
        pipeline_id: PipelineId,
        from_ms: i64,
        to_ms: i64,
        last_seq: i64,
        mut visit: impl FnMut(&StoredRecord) + Send,
    ) -> Result<(), ReadError> {
        let (mut time_ms, mut seq) = (from_ms, 0);
        let mut scanned: u64 = 0;
        loop {
            let records = self
                .select_records(
                    "WHERE pipeline_id = $1 AND (time_ms, seq) > ($2, $3) AND time_ms < $4 \
                     AND seq <= $5 ORDER BY time_ms, seq LIMIT $6",
                    vec![
                        pipeline_id.uuid().into(),
                        time_ms.into(),
                        seq.into(),
                        to_ms.into(),
                        last_seq.into(),
                        CHUNK_RECORDS.into(),
                    ],
                )
                .await?;
            records.iter().for_each(&mut visit);
            scanned += records.len() as u64;
            match records.last() {
                Some(last) if records.len() as u64 == CHUNK_RECORDS.unsigned_abs() => {
                    (time_ms, seq) = (last.time_ms, last.seq);
                }
                _ => return Ok(()),
            }
            if scanned >= MAX_SCANNED_RECORDS {
                return Err(ReadError::TooManyRecords(MAX_SCANNED_RECORDS));
            }
            tokio::task::yield_now().await;
        }
    }

    /// Follows a pipeline's records from the cursor `after_seq` on, or from now on without one.
    pub async fn follow_records(
        &self,
        pipeline_id: PipelineId,
        after_seq: Option<i64>,
    ) -> Result<FollowedRecords, ReadError> {
        // Listening begins before reading: what is committed in between is seen twice, not never.
        let events = self.follow_commits(pipeline_id);
        let last_seq = self.totals_of(pipeline_id).await?.last_seq;
        // A cursor from the future (a restored backup) must not silence the series.
        let position = after_seq.map_or(last_seq, |after| after.clamp(0, last_seq));
        Ok(FollowedRecords {
            store: self.clone(),
            pipeline_id,
            events,
            position,
            stored: last_seq,
        })
    }

    /// A sample of a pipeline's newest records, to learn its fields from.
    pub async fn sample(
        &self,
        pipeline_id: PipelineId,
        limit: u64,
    ) -> Result<Vec<StoredRecord>, ReadError> {
        Ok(self.list_records(pipeline_id, None, limit).await?.records)
    }

    /// Deletes everything of a pipeline, in bounded chunks; returns when nothing is left.
    pub async fn purge(&self, pipeline_id: PipelineId) -> Result<(), ReadError> {
        let id = pipeline_id.uuid();
        loop {
            let chunk = self.list_records(pipeline_id, None, 1_000).await?;
            let seqs: BTreeSet<i64> = chunk.records.iter().map(|record| record.seq).collect();
            let Some(oldest) = seqs.first() else { break };
            let transaction = self.db.begin_write().await?;
            transaction
                .execute_raw(Statement::from_sql_and_values(
                    transaction.get_database_backend(),
                    "DELETE FROM records WHERE pipeline_id = $1 AND seq >= $2",
                    [id.into(), (*oldest).into()],
                ))
                .await?;
            forget_keys(&*transaction, pipeline_id, *oldest..=i64::MAX).await?;
            transaction.commit().await?;
        }
        let transaction = self.db.begin_write().await?;
        for table in ["runs", "series"] {
            transaction
                .execute_raw(Statement::from_sql_and_values(
                    transaction.get_database_backend(),
                    format!("DELETE FROM {table} WHERE pipeline_id = $1"),
                    [id.into()],
                ))
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// A pipeline's records in the order of commits, from a cursor on, for as long as it is asked.
#[derive(Debug)]
pub struct FollowedRecords {
    store: RecordStore,
    pipeline_id: PipelineId,
    events: LiveEvents,
    /// The last record that was handed out.
    position: i64,
    /// The last record that is known to be in the database.
    stored: i64,
}

impl FollowedRecords {
    /// The cursor: the last record that was handed out.
    pub const fn position(&self) -> i64 {
        self.position
    }

    /// The next records, at least one; waits for them.
    pub async fn next(&mut self) -> Result<Vec<StoredRecord>, ReadError> {
        loop {
            if self.position < self.stored {
                let records = self.read_stored().await?;
                if let Some(last) = records.last() {
                    self.position = last.seq;
                    return Ok(records);
                }
                // What lay in between was deleted.
                self.position = self.stored;
            }
            match self.events.next().await {
                Some(committed) => {
                    let Some((first, last)) =
                        committed.records.first().zip(committed.records.last())
                    else {
                        continue;
                    };
                    if first.seq > self.position + 1 {
                        self.stored = last.seq;
                        continue;
                    }
                    let fresh: Vec<_> = committed
                        .records
                        .iter()
                        .filter(|record| record.seq > self.position)
                        .cloned()
                        .collect();
                    if !fresh.is_empty() {
                        self.position = last.seq;
                        self.stored = self.stored.max(last.seq);
                        return Ok(fresh);
                    }
                }
                None => self.stored = self.store.totals_of(self.pipeline_id).await?.last_seq,
            }
        }
    }

    async fn read_stored(&self) -> Result<Vec<StoredRecord>, ReadError> {
        self.store
            .select_records(
                "WHERE pipeline_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT 500",
                vec![
                    self.pipeline_id.uuid().into(),
                    self.position.into(),
                    self.stored.into(),
                ],
            )
            .await
    }
}
