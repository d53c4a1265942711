//! Records.

use async_graphql::{Object, SimpleObject};
use chrono::{DateTime, Utc};
use dash_shared::fields::Fields;
use dash_shared::ids::PipelineId;
use serde_json::Value;

use super::date_time;
use super::paging::connection;
use crate::data::StoredRecord;

/// A record's id: its pipeline's, and its number there.
pub(super) fn record_id(pipeline_id: PipelineId, seq: i64) -> async_graphql::ID {
    format!("{pipeline_id}.{seq}").into()
}

/// The parts of a record's id.
pub(super) fn parse_record_id(id: &str) -> Option<(PipelineId, i64)> {
    let (pipeline_id, seq) = id.split_once('.')?;
    Some((pipeline_id.parse().ok()?, seq.parse().ok()?))
}

/// One JSON object that came out of a pipeline's transform and was stored.
#[derive(Debug)]
pub struct Record {
    pub(super) pipeline_id: PipelineId,
    pub(super) record: StoredRecord,
}

/// One JSON object that came out of a pipeline's transform and was stored.
#[Object]
impl Record {
    /// The id.
    pub(super) async fn id(&self) -> async_graphql::ID {
        record_id(self.pipeline_id, self.record.seq)
    }

    /// Names the record's place among the pipeline's; to page or resume with.
    async fn cursor(&self) -> String {
        self.record.seq.to_string()
    }

    /// When it happened.
    async fn time(&self) -> DateTime<Utc> {
        date_time(self.record.time_ms)
    }

    /// When it came in.
    async fn received_at(&self) -> DateTime<Utc> {
        date_time(self.record.received_at_ms)
    }

    /// What it holds.
    async fn fields(&self) -> Value {
        Value::Object(Fields::clone(&self.record.fields))
    }
}

connection!(RecordConnection, RecordEdge, Record, "records");

/// Records that were stored together.
#[derive(Debug, SimpleObject)]
pub struct RecordBatch {
    /// Names the place after these records; to resume with.
    pub(super) cursor: String,
    /// The records, the oldest first.
    pub(super) records: Vec<Record>,
}
