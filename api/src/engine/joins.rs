//! The latest records of pipelines that others join with: an index by the value of a field, brought
//! up to date before each batch that asks it. It looks at the newest records only, as far as its
//! room goes.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use dash_shared::fields::{FieldPath, Fields};
use dash_shared::ids::PipelineId;
use dash_shared::transform::key_text;
use moka::future::Cache;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::data::{ReadError, RecordStore, StoredRecord};

/// How many of the newest records an index begins with.
const FIRST_RECORDS: i64 = 50_000;
/// How many bytes the records of one index have, about.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// How many indexes there are.
const MAX_INDEXES: u64 = 32;
/// How long one is kept that nobody asks.
const IDLE: Duration = Duration::from_mins(10);
/// How many records are read at once.
const PAGE: i64 = 1_000;

type Key = (PipelineId, FieldPath);

/// The indexes of all pipelines that are joined with.
#[derive(Clone, Debug)]
pub(super) struct Joins(Cache<Key, Arc<Latest>>);

/// The latest record of each value of a field.
#[derive(Debug, Default)]
pub(super) struct Latest {
    index: RwLock<Index>,
    /// Held by who brings the index up to date.
    updating: Mutex<()>,
}

#[derive(Debug, Default)]
struct Index {
    last_seq: i64,
    revision: i64,
    bytes: usize,
    by_value: HashMap<String, Entry>,
    values: BTreeMap<i64, String>,
}

#[derive(Debug)]
struct Entry {
    seq: i64,
    bytes: usize,
    fields: Arc<Fields>,
}

impl Joins {
    pub(super) fn new() -> Self {
        let cache = Cache::builder()
            .max_capacity(MAX_INDEXES)
            .time_to_idle(IDLE);
        Self(cache.build())
    }

    /// The index of a pipeline's records by a field, up to date.
    pub(super) async fn latest(
        &self,
        store: &RecordStore,
        pipeline_id: PipelineId,
        field: &FieldPath,
    ) -> Result<Arc<Latest>, ReadError> {
        let key = (pipeline_id, field.clone());
        let latest = self.0.get_with(key, async { Arc::default() }).await;
        latest.update(store, pipeline_id, field).await?;
        Ok(latest)
    }
}

impl Latest {
    /// The latest record whose field has this value, as text.
    pub(super) fn get(&self, value: &str) -> Option<Arc<Fields>> {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        index
            .by_value
            .get(value)
            .map(|entry| Arc::clone(&entry.fields))
    }

    async fn update(
        &self,
        store: &RecordStore,
        pipeline_id: PipelineId,
        field: &FieldPath,
    ) -> Result<(), ReadError> {
        let _updating = self.updating.lock().await;
        let totals = store.totals_of(pipeline_id).await?;
        let mut after = self.begin(totals.last_seq, totals.revision);
        while after < totals.last_seq {
            let records = store
                .records_after(pipeline_id, after, totals.last_seq, PAGE)
                .await?;
            let Some(last) = records.last().map(|record| record.seq) else {
                break;
            };
            self.write().add(records, field);
            after = last;
        }
        self.write().last_seq = totals.last_seq;
        Ok(())
    }

    /// The record after which the index goes on; it begins anew when records were changed or
    /// deleted, or when too many came since.
    fn begin(&self, last_seq: i64, revision: i64) -> i64 {
        let mut index = self.write();
        let first = last_seq - FIRST_RECORDS;
        if index.revision != revision || index.last_seq > last_seq || index.last_seq < first {
            *index = Index {
                last_seq: first.max(0),
                revision,
                ..Index::default()
            };
        }
        index.last_seq
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn add(&mut self, records: Vec<StoredRecord>, field: &FieldPath) {
        for record in records {
            let Some(value) = field.get(&record.fields).and_then(key_text) else {
                continue;
            };
            let value = value.into_owned();
            let bytes = approximate_bytes(&record.fields) + value.len();
            let entry = Entry {
                seq: record.seq,
                bytes,
                fields: record.fields,
            };
            self.bytes += bytes;
            self.values.insert(entry.seq, value.clone());
            if let Some(before) = self.by_value.insert(value, entry) {
                self.bytes -= before.bytes;
                self.values.remove(&before.seq);
            }
            while self.bytes > MAX_BYTES
                && let Some((_, oldest)) = self.values.pop_first()
            {
                let gone = self.by_value.remove(&oldest);
                self.bytes -= gone.map_or(0, |entry| entry.bytes);
            }
        }
    }
}

/// How much memory fields take, about.
fn approximate_bytes(fields: &Fields) -> usize {
    const PER_VALUE: usize = 48;
    fn of_value(value: &Value) -> usize {
        PER_VALUE
            + match value {
                Value::String(text) => text.len(),
                Value::Array(items) => items.iter().map(of_value).sum(),
                Value::Object(fields) => approximate_bytes(fields),
                Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            }
    }
    let fields = fields.iter();
    fields
        .map(|(name, value)| name.len() + PER_VALUE + of_value(value))
        .sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(seq: i64, fields: Value) -> StoredRecord {
        StoredRecord {
            seq,
            time_ms: 0,
            received_at_ms: 0,
            fields: Arc::new(fields.as_object().unwrap().clone()),
        }
    }

    #[test]
    fn the_latest_record_of_a_value_is_found_and_old_ones_make_room() {
        let latest = Latest::default();
        let field: FieldPath = "id".parse().unwrap();
        let big = "x".repeat(MAX_BYTES / 2);
        let records = vec![
            record(1, json!({"id": 7, "n": 1})),
            record(2, json!({"id": "7", "n": 2})),
            record(3, json!({"id": "8", "n": 3})),
            record(4, json!({"n": 4})),
        ];
        latest.write().add(records, &field);
        let n = |value: &str| latest.get(value).map(|fields| fields["n"].clone());
        assert_eq!(
            n("7"),
            Some(json!(2)),
            "numbers and their texts are the same"
        );
        assert_eq!(n("8"), Some(json!(3)));
        assert_eq!(n("9"), None);
        let records = vec![
            record(5, json!({"id": "a", "n": 5, "big": big})),
            record(6, json!({"id": "b", "n": 6, "big": big})),
        ];
        latest.write().add(records, &field);
        assert_eq!((n("7"), n("a"), n("b")), (None, None, Some(json!(6))));
    }
}
