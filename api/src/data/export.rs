//! Reading all records of a time, the oldest first: for files, not for pages. One chunk is held at a
//! time, however many records there are and however slowly they are taken.

use dash_shared::ids::PipelineId;
use dash_shared::queries::Filter;
use sea_orm::DbErr;

use super::cover::Span;
use super::read::select;
use super::replica::Reading;
use super::{ReadError, RecordStore, SeriesTotals, StoredRecord};

/// About how many bytes of records one chunk has.
const CHUNK_BYTES: i64 = 2 * 1024 * 1024;
/// How many records one chunk has at most.
const MAX_CHUNK_RECORDS: i64 = 2_000;
/// How many it has at least, so that few large records among small ones do no harm.
const MIN_CHUNK_RECORDS: i64 = 8;

/// What is read, and how far.
#[derive(Clone, Debug)]
pub struct Export {
    primary: RecordStore,
    reading: Reading,
    pipeline_id: PipelineId,
    span: Span,
    filters: Vec<Filter>,
    /// The time and number of the last record that was looked at.
    after: (i64, i64),
    chunk_records: i64,
    is_over: bool,
}

impl RecordStore {
    /// Begins to read the records of a span that meet all filters and were stored by now. Those that
    /// are deleted before they are read are not among them; those that are changed come as they are
    /// when they are read.
    pub async fn export(
        &self,
        pipeline_id: PipelineId,
        span: Span,
        filters: Vec<Filter>,
    ) -> Result<Export, ReadError> {
        let reading = self.reading(pipeline_id).await?;
        Ok(Export {
            primary: self.clone(),
            chunk_records: chunk_records(reading.totals),
            reading,
            pipeline_id,
            span,
            filters,
            after: (span.0, 0),
            is_over: false,
        })
    }
}

impl Export {
    /// The next records, in the order of their times; none when all were read. A chunk may be empty
    /// and not be the last.
    pub async fn next(&mut self) -> Result<Option<Vec<StoredRecord>>, ReadError> {
        if self.is_over {
            return Ok(None);
        }
        let records = match self.read().await {
            Err(ReadError::Database(error)) if self.reading.from_replica => {
                self.go_on_at_primary(&error);
                self.read().await?
            }
            read => read?,
        };
        self.is_over = records.len() as u64 != self.chunk_records.unsigned_abs();
        if let Some(last) = records.last() {
            self.after = (last.time_ms, last.seq);
        }
        let meets = |record: &StoredRecord| {
            let mut filters = self.filters.iter();
            filters.all(|filter| filter.matches(&record.fields))
        };
        Ok(Some(records.into_iter().filter(meets).collect()))
    }

    /// The same records, from the first one on.
    #[must_use]
    pub fn again(&self) -> Self {
        Self {
            after: (self.span.0, 0),
            is_over: false,
            ..self.clone()
        }
    }

    fn go_on_at_primary(&mut self, error: &DbErr) {
        self.primary.leave_replica(error);
        self.reading = Reading {
            store: self.primary.clone(),
            totals: self.reading.totals,
            from_replica: false,
        };
    }

    async fn read(&self) -> Result<Vec<StoredRecord>, ReadError> {
        let (time_ms, seq) = self.after;
        select(
            self.reading.store.db.orm(),
            "(time_ms, seq) > ($2, $3) AND time_ms < $4 \
             AND seq <= $5 ORDER BY time_ms, seq LIMIT $6",
            vec![
                self.pipeline_id.uuid().into(),
                time_ms.into(),
                seq.into(),
                self.span.1.into(),
                self.reading.totals.last_seq.into(),
                self.chunk_records.into(),
            ],
        )
        .await
    }
}

/// How many records of the usual size make a chunk.
fn chunk_records(totals: SeriesTotals) -> i64 {
    let usual_bytes = totals.stored_bytes / totals.record_count.max(1);
    (CHUNK_BYTES / usual_bytes.max(1)).clamp(MIN_CHUNK_RECORDS, MAX_CHUNK_RECORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_records_are_read_a_few_at_a_time() {
        for (record_count, stored_bytes, expected) in [
            (0, 0, MAX_CHUNK_RECORDS),
            (10, 10 * 300, MAX_CHUNK_RECORDS),
            (10, 10 * 20_000, 104),
            (10, 10 * 256 * 1024, MIN_CHUNK_RECORDS),
        ] {
            let totals = SeriesTotals {
                record_count,
                stored_bytes,
                ..SeriesTotals::default()
            };
            assert_eq!(chunk_records(totals), expected, "{stored_bytes}");
        }
    }
}
