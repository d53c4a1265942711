//! Records.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use dash_shared::fields::Fields;
use dash_shared::ids::PipelineId;
use serde_json::Value;

use super::errors::{UserError, UserErrorCode, not_found, payload};
use super::paging::connection;
use super::{date_time, scope, services};
use crate::data::StoredRecord;

/// A record's id: its pipeline's, and its number there.
pub(super) fn record_id(pipeline_id: PipelineId, seq: i64) -> ID {
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
    pub(super) async fn id(&self) -> ID {
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

/// A record to be changed.
#[derive(Debug, InputObject)]
pub struct UpdateRecordInput {
    /// The record.
    id: ID,
    /// What it holds from now on: a JSON object, as a whole.
    fields: Value,
    /// When it happened; stays if it is left out.
    time: Option<DateTime<Utc>>,
}

/// The result of `updateRecord`.
#[derive(Debug, SimpleObject)]
pub struct UpdateRecordPayload {
    /// The changed record.
    record: Option<Record>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// Records to be deleted.
#[derive(Debug, InputObject)]
pub struct DeleteRecordsInput {
    /// The records: at most 100.
    ids: Vec<ID>,
}

/// The result of `deleteRecords`.
#[derive(Debug, SimpleObject)]
pub struct DeleteRecordsPayload {
    /// The ids of those that were there and are deleted.
    deleted_ids: Vec<ID>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

#[derive(Debug, Default)]
pub struct RecordsMutation;

#[Object]
impl RecordsMutation {
    /// Replaces what a record holds. Figures that were counted with it are counted again; the data
    /// points of the month stay what they are.
    async fn update_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The record and what it becomes.")] input: UpdateRecordInput,
    ) -> async_graphql::Result<UpdateRecordPayload> {
        let scope = scope(ctx)?;
        let (pipeline_id, seq) = parse_record_id(&input.id).ok_or_else(|| not_found("record"))?;
        let Value::Object(fields) = input.fields else {
            return Ok(UpdateRecordPayload {
                record: None,
                user_errors: vec![UserError::at(
                    "fields",
                    UserErrorCode::Invalid,
                    "A record is a JSON object.",
                )],
            });
        };
        let time_ms = input.time.map(|time| time.timestamp_millis());
        let pipelines = &services(ctx)?.pipelines;
        let changed = pipelines
            .replace_record(&scope, pipeline_id, seq, fields, time_ms)
            .await;
        let (record, user_errors) = payload(ctx, changed)?;
        Ok(UpdateRecordPayload {
            record: record.map(|record| Record {
                pipeline_id,
                record,
            }),
            user_errors,
        })
    }

    /// Deletes records for good. Figures that were counted with them are counted again; the data
    /// points of the month stay what they are.
    async fn delete_records(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The records.")] input: DeleteRecordsInput,
    ) -> async_graphql::Result<DeleteRecordsPayload> {
        let scope = scope(ctx)?;
        let ids: Option<Vec<_>> = input.ids.iter().map(|id| parse_record_id(id)).collect();
        let ids = ids.ok_or_else(|| not_found("record"))?;
        let deleted = services(ctx)?.pipelines.delete_records(&scope, &ids).await;
        let (deleted, user_errors) = payload(ctx, deleted)?;
        let deleted = deleted.unwrap_or_default().into_iter();
        Ok(DeleteRecordsPayload {
            deleted_ids: deleted.map(|(id, seq)| record_id(id, seq)).collect(),
            user_errors,
        })
    }
}
