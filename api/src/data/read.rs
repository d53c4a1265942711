//! Reading records back: pages, scans of a span or of what came last, and a pipeline's totals.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use dash_shared::ids::PipelineId;
use dash_shared::queries::Filter;
use sea_orm::{ConnectionTrait, QueryResult as Row, Statement};

use super::aggregate::Query;
use super::cover::Span;
use super::record_keys::forget_keys;
use super::rewrite::RewritePhase;
use super::{ReadError, RecordStore, StoredRecord};

/// How many records are read from the database at once.
const CHUNK_RECORDS: i64 = 2_000;

/// How many such reads a search for records makes.
const MAX_SEARCHED_CHUNKS: usize = 50;

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
    /// How often records were deleted or changed: with `last_seq` it names the state of the data.
    pub revision: i64,
}

/// Where a search for records goes on.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The first millisecond of the time that is searched, and the first after it.
    pub span: Span,
    /// The time and number of the record before which it goes on; from the newest if none.
    pub before: Option<(i64, i64)>,
    /// The number of the newest record that counts.
    pub last_seq: i64,
}

/// Records that were found.
#[derive(Clone, Debug)]
pub struct FoundRecords {
    /// The records, the newest by time first.
    pub records: Vec<StoredRecord>,
    /// Where the search goes on, if there may be more.
    pub next: Option<(i64, i64)>,
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

/// The totals of these pipelines; one that has stored nothing yet is left out.
async fn totals(
    connection: &impl ConnectionTrait,
    pipelines: &[PipelineId],
) -> Result<Vec<(PipelineId, SeriesTotals)>, ReadError> {
    if pipelines.is_empty() {
        return Ok(Vec::new());
    }
    let places = placeholders(1, pipelines.len());
    let rows = connection
        .query_all_raw(Statement::from_sql_and_values(
            connection.get_database_backend(),
            format!(
                "SELECT pipeline_id, last_seq, record_count, stored_bytes, \
                 last_received_at_ms, revision FROM series WHERE pipeline_id IN ({places})"
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
                revision: row.try_get("", "revision")?,
            };
            Ok((
                PipelineId::from_uuid(row.try_get("", "pipeline_id")?),
                totals,
            ))
        })
        .collect()
}

/// The totals of one pipeline.
pub(super) async fn totals_of(
    connection: &impl ConnectionTrait,
    pipeline_id: PipelineId,
) -> Result<SeriesTotals, ReadError> {
    let totals = totals(connection, &[pipeline_id]).await?;
    Ok(totals
        .first()
        .map_or_else(SeriesTotals::default, |(_, totals)| *totals))
}

/// The rows of a pipeline, whose id is the first value of a statement. They are stored under the
/// pipeline's own id, or under another one since they were made anew.
pub(super) const OF_SERIES: &str = "pipeline_id = (SELECT COALESCE(storage_id, pipeline_id) \
    FROM series WHERE series.pipeline_id = $1)";

/// The records of a pipeline that meet a condition; the first of the values is the pipeline.
pub(super) async fn select(
    connection: &impl ConnectionTrait,
    condition: &str,
    values: Vec<sea_orm::Value>,
) -> Result<Vec<StoredRecord>, ReadError> {
    let rows = connection
        .query_all_raw(Statement::from_sql_and_values(
            connection.get_database_backend(),
            format!("SELECT {RECORD_COLUMNS} FROM records WHERE {OF_SERIES} AND {condition}"),
            values,
        ))
        .await?;
    rows.iter().map(record_from_row).collect()
}

/// Visits every record of a span in the order of time, up to the number `up_to`. Reads in chunks, so
/// that it holds little memory.
pub(super) async fn scan_span(
    connection: &impl ConnectionTrait,
    pipeline_id: PipelineId,
    (from_ms, to_ms): Span,
    up_to: i64,
    mut visit: impl FnMut(&StoredRecord),
) -> Result<(), ReadError> {
    let (mut time_ms, mut seq) = (from_ms, 0);
    let mut scanned: u64 = 0;
    loop {
        let records = select(
            connection,
            "(time_ms, seq) > ($2, $3) AND time_ms < $4 \
             AND seq <= $5 ORDER BY time_ms, seq LIMIT $6",
            vec![
                pipeline_id.uuid().into(),
                time_ms.into(),
                seq.into(),
                to_ms.into(),
                up_to.into(),
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

/// Visits the records after the number `after_seq` up to `up_to`, in the order of commits.
pub(super) async fn scan_tail(
    connection: &impl ConnectionTrait,
    pipeline_id: PipelineId,
    mut after_seq: i64,
    up_to: i64,
    mut visit: impl FnMut(&StoredRecord),
) -> Result<(), ReadError> {
    while after_seq < up_to {
        let records = select(
            connection,
            "seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4",
            vec![
                pipeline_id.uuid().into(),
                after_seq.into(),
                up_to.into(),
                CHUNK_RECORDS.into(),
            ],
        )
        .await?;
        records.iter().for_each(&mut visit);
        match records.last() {
            Some(last) => after_seq = last.seq,
            None => return Ok(()),
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Whether a span has more than `most` records.
pub(super) async fn has_more_than(
    connection: &impl ConnectionTrait,
    pipeline_id: PipelineId,
    (from_ms, to_ms): Span,
    most: i64,
) -> Result<bool, ReadError> {
    let row = connection
        .query_one_raw(Statement::from_sql_and_values(
            connection.get_database_backend(),
            format!(
                "SELECT COUNT(*) AS found FROM (SELECT 1 FROM records WHERE {OF_SERIES} \
                 AND time_ms >= $2 AND time_ms < $3 LIMIT $4) AS some"
            ),
            [
                pipeline_id.uuid().into(),
                from_ms.into(),
                to_ms.into(),
                (most + 1).into(),
            ],
        ))
        .await?;
    let found: i64 = row.map_or(Ok(0), |row| row.try_get("", "found"))?;
    Ok(found > most)
}

impl RecordStore {
    pub(super) async fn select_records(
        &self,
        condition: &str,
        values: Vec<sea_orm::Value>,
    ) -> Result<Vec<StoredRecord>, ReadError> {
        select(self.db.orm(), condition, values).await
    }

    /// The totals of these pipelines; one that has stored nothing yet is left out.
    pub async fn totals(
        &self,
        pipelines: &[PipelineId],
    ) -> Result<Vec<(PipelineId, SeriesTotals)>, ReadError> {
        totals(self.db.orm(), pipelines).await
    }

    /// The totals of one pipeline.
    pub async fn totals_of(&self, pipeline_id: PipelineId) -> Result<SeriesTotals, ReadError> {
        totals_of(self.db.orm(), pipeline_id).await
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
                "seq < $2 ORDER BY seq DESC LIMIT $3",
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

    /// The records after the number `after_seq` up to `up_to_seq`, in the order of commits, at most
    /// `limit`.
    pub async fn records_after(
        &self,
        pipeline_id: PipelineId,
        after_seq: i64,
        up_to_seq: i64,
        limit: i64,
    ) -> Result<Vec<StoredRecord>, ReadError> {
        self.select_records(
            "seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4",
            vec![
                pipeline_id.uuid().into(),
                after_seq.into(),
                up_to_seq.into(),
                limit.into(),
            ],
        )
        .await
    }

    /// One record.
    pub async fn find_record(
        &self,
        pipeline_id: PipelineId,
        seq: i64,
    ) -> Result<Option<StoredRecord>, ReadError> {
        let values = vec![pipeline_id.uuid().into(), seq.into()];
        let found = self.select_records("seq = $2", values).await?;
        Ok(found.into_iter().next())
    }

    /// The newest records by the time they happened that a query asks for, in a span, as of the
    /// number `last_seq`. Of those that the filters refuse, a limited number is looked at.
    pub(super) async fn newest(
        &self,
        query: &Query,
        span: Span,
        last_seq: i64,
        limit: usize,
    ) -> Result<Vec<StoredRecord>, ReadError> {
        let place = Place {
            span,
            before: None,
            last_seq,
        };
        let page = self
            .search(query.pipeline_id, &query.filters, place, limit)
            .await?;
        Ok(page.records)
    }

    /// The records of a span that meet all filters, the newest by time first, from a place on. A
    /// page may have fewer than `limit` records, even none, and not be the last: only so many
    /// records are looked at for one.
    pub async fn search(
        &self,
        pipeline_id: PipelineId,
        filters: &[Filter],
        place: Place,
        limit: usize,
    ) -> Result<FoundRecords, ReadError> {
        let mut found = Vec::new();
        let (from_ms, to_ms) = place.span;
        let mut before = place.before.unwrap_or((to_ms, 0));
        let chunk = if filters.is_empty() {
            i64::try_from(limit + 1).unwrap_or(CHUNK_RECORDS)
        } else {
            CHUNK_RECORDS
        };
        for _ in 0..MAX_SEARCHED_CHUNKS {
            let records = self
                .select_records(
                    "(time_ms, seq) < ($2, $3) AND time_ms >= $4 \
                     AND seq <= $5 ORDER BY time_ms DESC, seq DESC LIMIT $6",
                    vec![
                        pipeline_id.uuid().into(),
                        before.0.into(),
                        before.1.into(),
                        from_ms.into(),
                        place.last_seq.into(),
                        chunk.into(),
                    ],
                )
                .await?;
            let is_last = records.len() as u64 != chunk.unsigned_abs();
            for record in records {
                let meets = filters.iter().all(|filter| filter.matches(&record.fields));
                if meets && found.len() == limit {
                    return Ok(FoundRecords {
                        records: found,
                        next: Some(before),
                    });
                }
                before = (record.time_ms, record.seq);
                if meets {
                    found.push(record);
                }
            }
            if is_last {
                return Ok(FoundRecords {
                    records: found,
                    next: None,
                });
            }
        }
        Ok(FoundRecords {
            records: found,
            next: Some(before),
        })
    }

    /// When the newest records that a query asks for came in, as far as after `since_ms`, the newest
    /// first. As many are looked at as a busy minute has.
    pub(super) async fn arrivals(
        &self,
        query: &Query,
        last_seq: i64,
        since_ms: i64,
    ) -> Result<Vec<i64>, ReadError> {
        let mut arrivals = Vec::new();
        let mut before_seq = last_seq + 1;
        for _ in 0..MAX_ARRIVAL_CHUNKS {
            let records = self
                .select_records(
                    "seq < $2 ORDER BY seq DESC LIMIT $3",
                    vec![
                        query.pipeline_id.uuid().into(),
                        before_seq.into(),
                        CHUNK_RECORDS.into(),
                    ],
                )
                .await?;
            let mut oldest_ms = i64::MIN;
            for record in &records {
                before_seq = record.seq;
                oldest_ms = record.received_at_ms;
                if oldest_ms > since_ms && query.takes(record) {
                    arrivals.push(oldest_ms);
                }
            }
            // Records that waited for each other may be a little out of order, not by a chunk.
            if oldest_ms <= since_ms || records.len() as u64 != CHUNK_RECORDS.unsigned_abs() {
                break;
            }
        }
        Ok(arrivals)
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
        self.rollups.purge(pipeline_id).await?;
        if let Some(rewrite) = self.rewrite(pipeline_id).await?
            && rewrite.phase != RewritePhase::Done
        {
            self.purge_storage(rewrite.storage_id).await?;
        }
        loop {
            let chunk = self.list_records(pipeline_id, None, 1_000).await?;
            let seqs: BTreeSet<i64> = chunk.records.iter().map(|record| record.seq).collect();
            let Some(oldest) = seqs.first() else { break };
            let transaction = self.db.begin_write().await?;
            transaction
                .execute_raw(Statement::from_sql_and_values(
                    transaction.get_database_backend(),
                    format!("DELETE FROM records WHERE {OF_SERIES} AND seq >= $2"),
                    [id.into(), (*oldest).into()],
                ))
                .await?;
            forget_keys(&*transaction, pipeline_id, *oldest..=i64::MAX).await?;
            transaction.commit().await?;
        }
        let transaction = self.db.begin_write().await?;
        let of_pipeline = "pipeline_id = $1";
        for (table, whose) in [
            ("received_batches", OF_SERIES),
            ("rewrites", of_pipeline),
            ("poll_marks", of_pipeline),
            ("relays", of_pipeline),
            ("failures", of_pipeline),
            ("transform_states", of_pipeline),
            ("runs", of_pipeline),
            ("series", of_pipeline),
        ] {
            transaction
                .execute_raw(Statement::from_sql_and_values(
                    transaction.get_database_backend(),
                    format!("DELETE FROM {table} WHERE {whose}"),
                    [id.into()],
                ))
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
