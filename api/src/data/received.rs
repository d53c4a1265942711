//! What pipelines received, as it came: kept for those with a transform, since its records are not
//! what was sent. Without a transform the records are. Editing, trying out and transforming anew
//! read it.

use std::borrow::Cow;

use dash_shared::ids::PipelineId;
use sea_orm::{ConnectionTrait, QueryResult as Row, Statement};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::bulk::{Batch, Insert, Kind};
use super::read::OF_SERIES;
use super::{ReadError, RecordStore, StoredRecord};

/// What is longer than this is compressed.
const COMPRESSED_FROM: usize = 512;
const PLAIN: u8 = 0;
const LZ4: u8 = 1;
/// How many batches one statement reads.
const PAGE: i64 = 100;
/// How many records one statement reads.
const RECORDS_PAGE: i64 = 500;
/// How many batches are read at most to find some events.
const MAX_BATCHES: usize = 2_000;

const INSERT: Insert<8> = Insert {
    table: "received_batches",
    columns: [
        ("pipeline_id", Kind::Uuid),
        ("first_seq", Kind::Number),
        ("id", Kind::Uuid),
        ("records", Kind::Number),
        ("received_at_ms", Kind::Number),
        ("events", Kind::Number),
        ("bytes", Kind::Number),
        ("body", Kind::Bytes),
    ],
    then: "",
};

/// What came in with one append, before the transform.
#[derive(Clone, Debug)]
pub struct ReceivedBatch {
    received_at_ms: i64,
    events: usize,
    body: Vec<u8>,
}

/// Up to where what a pipeline received has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The number of the next record that is not accounted for; what is below 1 counts as 1.
    pub next_seq: i64,
    /// The last batch that was read: the number of its first record, and its id.
    pub batch: (i64, Uuid),
}

/// An event as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedEvent {
    /// When, in milliseconds since 1970.
    pub received_at_ms: i64,
    /// It.
    pub value: Json,
}

impl ReceivedBatch {
    /// These events, in the form in which they are kept.
    pub fn of(received_at_ms: i64, events: &[Json]) -> Self {
        let text = serde_json::to_vec(events).unwrap_or_default();
        let body = if text.len() < COMPRESSED_FROM {
            [&[PLAIN], text.as_slice()].concat()
        } else {
            [&[LZ4], lz4_flex::compress_prepend_size(&text).as_slice()].concat()
        };
        Self {
            received_at_ms,
            events: events.len(),
            body,
        }
    }

    /// How many bytes it takes.
    pub fn bytes(&self) -> usize {
        self.body.len()
    }
}

/// A batch and the records that were made of it.
pub(super) struct NewBatch {
    /// Where its pipeline's records are stored.
    pub(super) storage_id: PipelineId,
    /// The number of the first record, or of the next one when there is none.
    pub(super) first_seq: i64,
    /// How many there are.
    pub(super) records: i64,
    pub(super) batch: ReceivedBatch,
}

/// Keeps batches.
pub(super) fn keep(batch: &mut Batch, new: Vec<NewBatch>) {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let rows = new.into_iter().map(|new| {
        [
            new.storage_id.uuid().into(),
            new.first_seq.into(),
            Uuid::now_v7().into(),
            new.records.into(),
            new.batch.received_at_ms.into(),
            number(new.batch.events).into(),
            number(new.batch.body.len()).into(),
            new.batch.body.into(),
        ]
    });
    batch.add(&INSERT, rows.collect());
}

/// A batch as it is stored.
struct StoredBatch {
    first_seq: i64,
    id: Uuid,
    records: i64,
    received_at_ms: i64,
    body: Vec<u8>,
}

impl StoredBatch {
    fn from_row(row: &Row) -> Result<Self, ReadError> {
        Ok(Self {
            first_seq: row.try_get("", "first_seq")?,
            id: row.try_get("", "id")?,
            records: row.try_get("", "records")?,
            received_at_ms: row.try_get("", "received_at_ms")?,
            body: row.try_get("", "body")?,
        })
    }

    fn text(&self) -> Result<Cow<'_, [u8]>, ReadError> {
        let damaged = |what: &dyn std::fmt::Display| ReadError::Damaged(what.to_string());
        match self.body.split_first() {
            Some((&PLAIN, text)) => Ok(text.into()),
            Some((&LZ4, packed)) => Ok(lz4_flex::decompress_size_prepended(packed)
                .map_err(|error| damaged(&error))?
                .into()),
            _ => Err(damaged(&"an unknown form of received events")),
        }
    }

    /// Its newest events as far as there is room.
    fn newest_into(
        &self,
        room: &mut Room,
        events: &mut Vec<ReceivedEvent>,
    ) -> Result<(), ReadError> {
        let text = self.text()?;
        let found: Vec<&RawValue> =
            serde_json::from_slice(&text).map_err(|error| ReadError::Damaged(error.to_string()))?;
        for event in found.iter().rev() {
            if !room.take(event.get().len()) {
                return Ok(());
            }
            events.push(ReceivedEvent {
                received_at_ms: self.received_at_ms,
                value: serde_json::from_str(event.get())
                    .map_err(|error| ReadError::Damaged(error.to_string()))?,
            });
        }
        Ok(())
    }

    /// Its events, the newest first, at most `limit`.
    fn newest(&self, limit: usize) -> Result<Vec<ReceivedEvent>, ReadError> {
        let text = self.text()?;
        let events: Vec<&RawValue> =
            serde_json::from_slice(&text).map_err(|error| ReadError::Damaged(error.to_string()))?;
        let parse = |event: &&RawValue| {
            Ok(ReceivedEvent {
                received_at_ms: self.received_at_ms,
                value: serde_json::from_str(event.get())
                    .map_err(|error| ReadError::Damaged(error.to_string()))?,
            })
        };
        events.iter().rev().take(limit).map(parse).collect()
    }
}

/// How many events may be read, and how many bytes of text.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// How many more events.
    pub events: usize,
    /// How many more bytes.
    pub bytes: usize,
}

impl Room {
    /// Takes the room of an event; false when there is none, and then there is none for any other.
    fn take(&mut self, bytes: usize) -> bool {
        if self.events == 0 || self.bytes < bytes {
            self.events = 0;
            return false;
        }
        self.events -= 1;
        self.bytes -= bytes;
        true
    }
}

impl From<StoredRecord> for ReceivedEvent {
    fn from(record: StoredRecord) -> Self {
        Self {
            received_at_ms: record.received_at_ms,
            value: Json::Object((*record.fields).clone()),
        }
    }
}

impl RecordStore {
    /// The newest events that a pipeline received since a moment, as far as there is room, the newest
    /// first. Records that no batch covers were stored as they came.
    pub async fn newest_received(
        &self,
        pipeline_id: PipelineId,
        since_ms: i64,
        mut room: Room,
    ) -> Result<Vec<ReceivedEvent>, ReadError> {
        let (mut events, mut place) = (Vec::new(), None);
        // Records down to this number are accounted for.
        let mut before_seq = i64::MAX;
        for _ in 0..MAX_BATCHES {
            let page = self.batches_before(pipeline_id, place, since_ms).await?;
            for batch in &page {
                let next = batch.first_seq + batch.records;
                let between = next..before_seq;
                self.as_they_came(pipeline_id, between, since_ms, &mut room, &mut events)
                    .await?;
                if room.events > 0 {
                    batch.newest_into(&mut room, &mut events)?;
                }
                before_seq = batch.first_seq;
                place = Some((batch.first_seq, batch.id));
            }
            if room.events == 0 || page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
                break;
            }
        }
        let rest = 1..before_seq;
        self.as_they_came(pipeline_id, rest, since_ms, &mut room, &mut events)
            .await?;
        Ok(events)
    }

    /// What a pipeline received, in order, from a place on and up to the record `up_to`: at least
    /// about `enough` events unless there are no more, and where to read on.
    pub async fn received_from(
        &self,
        pipeline_id: PipelineId,
        mut place: Place,
        up_to: i64,
        enough: usize,
    ) -> Result<(Vec<ReceivedEvent>, Place), ReadError> {
        let mut events: Vec<ReceivedEvent> = Vec::new();
        place.next_seq = place.next_seq.max(1);
        while events.len() < enough {
            let page = self.batches_after(pipeline_id, place.batch, up_to).await?;
            let all = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
            for batch in page {
                if batch.first_seq > place.next_seq {
                    let between = place.next_seq..batch.first_seq;
                    let missing = self.in_order(pipeline_id, between, enough).await?;
                    let some = missing.len();
                    place.next_seq = missing.last().map_or(batch.first_seq, |(seq, _)| seq + 1);
                    events.extend(missing.into_iter().map(|(_, event)| event));
                    if some >= enough {
                        return Ok((events, place));
                    }
                }
                let mut newest_first = batch.newest(usize::MAX)?;
                newest_first.reverse();
                events.append(&mut newest_first);
                place.next_seq = place.next_seq.max(batch.first_seq + batch.records);
                place.batch = (batch.first_seq, batch.id);
                if events.len() >= enough {
                    return Ok((events, place));
                }
            }
            if all {
                let rest = place.next_seq..up_to + 1;
                let missing = self.in_order(pipeline_id, rest, enough).await?;
                let Some((last, _)) = missing.last() else {
                    break;
                };
                place.next_seq = last + 1;
                events.extend(missing.into_iter().map(|(_, event)| event));
            }
        }
        Ok((events, place))
    }

    /// Records with these numbers, as events, at most `limit`.
    async fn in_order(
        &self,
        pipeline_id: PipelineId,
        seqs: std::ops::Range<i64>,
        limit: usize,
    ) -> Result<Vec<(i64, ReceivedEvent)>, ReadError> {
        let records = self
            .select_records(
                "seq >= $2 AND seq < $3 ORDER BY seq LIMIT $4",
                vec![
                    pipeline_id.uuid().into(),
                    seqs.start.into(),
                    seqs.end.into(),
                    i64::try_from(limit).unwrap_or(i64::MAX).into(),
                ],
            )
            .await?;
        let events = records.into_iter();
        Ok(events
            .map(|record| (record.seq, ReceivedEvent::from(record)))
            .collect())
    }

    async fn batches_after(
        &self,
        pipeline_id: PipelineId,
        (seq, id): (i64, Uuid),
        up_to: i64,
    ) -> Result<Vec<StoredBatch>, ReadError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT first_seq, id, records, received_at_ms, body FROM received_batches \
                     WHERE {OF_SERIES} AND first_seq <= $2 \
                     AND (first_seq > $3 OR first_seq = $3 AND id > $4) \
                     ORDER BY first_seq, id LIMIT $5"
                ),
                [
                    pipeline_id.uuid().into(),
                    up_to.into(),
                    seq.into(),
                    id.into(),
                    PAGE.into(),
                ],
            ))
            .await?;
        rows.iter().map(StoredBatch::from_row).collect()
    }

    /// Adds the records with these numbers, the newest first, as far as there is room.
    async fn as_they_came(
        &self,
        pipeline_id: PipelineId,
        seqs: std::ops::Range<i64>,
        since_ms: i64,
        room: &mut Room,
        events: &mut Vec<ReceivedEvent>,
    ) -> Result<(), ReadError> {
        let mut before = seqs.end;
        while before > seqs.start && room.events > 0 {
            let wanted = i64::try_from(room.events).unwrap_or(i64::MAX);
            let wanted = wanted.min(RECORDS_PAGE);
            let records = self
                .select_records(
                    "seq >= $2 AND seq < $3 AND received_at_ms >= $4 \
                     ORDER BY seq DESC LIMIT $5",
                    vec![
                        pipeline_id.uuid().into(),
                        seqs.start.into(),
                        before.into(),
                        since_ms.into(),
                        wanted.into(),
                    ],
                )
                .await?;
            let Some(last) = records.last() else {
                return Ok(());
            };
            before = last.seq;
            for record in records {
                let bytes = serde_json::to_string(&*record.fields).map_or(0, |text| text.len());
                if !room.take(bytes) {
                    return Ok(());
                }
                events.push(record.into());
            }
        }
        Ok(())
    }

    async fn batches_before(
        &self,
        pipeline_id: PipelineId,
        place: Option<(i64, Uuid)>,
        since_ms: i64,
    ) -> Result<Vec<StoredBatch>, ReadError> {
        let (seq, id) = place.unwrap_or((i64::MAX, Uuid::max()));
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT first_seq, id, records, received_at_ms, body FROM received_batches \
                     WHERE {OF_SERIES} AND received_at_ms >= $2 \
                     AND (first_seq < $3 OR first_seq = $3 AND id < $4) \
                     ORDER BY first_seq DESC, id DESC LIMIT $5"
                ),
                [
                    pipeline_id.uuid().into(),
                    since_ms.into(),
                    seq.into(),
                    id.into(),
                    PAGE.into(),
                ],
            ))
            .await?;
        rows.iter().map(StoredBatch::from_row).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_are_read_back_as_they_came() {
        for count in [1, 200] {
            let events: Vec<Json> = (0..count)
                .map(
                    |n| json!({"n": n, "name": "Ada", "b": 1, "a": 12_345_678_901_234_567_890_u64}),
                )
                .collect();
            let batch = ReceivedBatch::of(7, &events);
            let stored = StoredBatch {
                first_seq: 1,
                id: Uuid::nil(),
                records: 0,
                received_at_ms: 7,
                body: batch.body,
            };
            let mut read = stored.newest(usize::MAX).unwrap();
            read.reverse();
            let read: Vec<Json> = read.into_iter().map(|event| event.value).collect();
            assert_eq!(read, events);
            assert_eq!(stored.newest(1).unwrap().len(), 1);
        }
    }
}
