//! How far a polled source was read: stored in the transaction that stores what was read, so that
//! neither is ever ahead of the other.

use std::collections::BTreeMap;

use dash_shared::ids::PipelineId;
use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::bulk::{Batch, Insert, Kind};
use super::{ReadError, RecordStore};

/// What was read before the mark was reset has another epoch and comes too late.
const INSERT: Insert<5> = Insert {
    table: "poll_marks",
    columns: [
        ("pipeline_id", Kind::Uuid),
        ("cursor", Kind::TextOrNull),
        ("validators", Kind::TextOrNull),
        ("epoch", Kind::Number),
        ("updated_at_ms", Kind::Number),
    ],
    then: "ON CONFLICT (pipeline_id) DO UPDATE SET cursor = excluded.cursor, \
           validators = excluded.validators, updated_at_ms = excluded.updated_at_ms \
           WHERE poll_marks.epoch = excluded.epoch",
};

/// How far a source was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The value that the next request begins at; never empty.
    pub cursor: Option<String>,
    /// What says whether the answer has changed; never empty.
    pub validators: Option<String>,
    epoch: i64,
}

/// Stores marks, one for each pipeline.
pub(super) fn store(batch: &mut Batch, marks: BTreeMap<PipelineId, (Mark, i64)>) {
    let rows = marks.into_iter().map(|(pipeline_id, (mark, now_ms))| {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        [
            pipeline_id.uuid().into(),
            filled(mark.cursor).into(),
            filled(mark.validators).into(),
            mark.epoch.into(),
            now_ms.into(),
        ]
    });
    batch.add(&INSERT, rows.collect());
}

impl RecordStore {
    /// How far a source was read.
    pub async fn mark(&self, pipeline_id: PipelineId) -> Result<Mark, ReadError> {
        let orm = self.db.orm();
        let row = orm
            .query_one_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT cursor, validators, epoch FROM poll_marks WHERE pipeline_id = $1",
                [pipeline_id.uuid().into()],
            ))
            .await?;
        let Some(row) = row else {
            return Ok(Mark::default());
        };
        Ok(Mark {
            cursor: row.try_get("", "cursor")?,
            validators: row.try_get("", "validators")?,
            epoch: row.try_get("", "epoch")?,
        })
    }

    /// Begins a source anew, at `cursor` if there is one, within the caller's transaction. A poll
    /// that is under way stores its records, but moves the mark no more.
    pub async fn reset_mark(
        &self,
        transaction: &impl ConnectionTrait,
        pipeline_id: PipelineId,
        cursor: Option<&str>,
    ) -> Result<(), DbErr> {
        transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                "INSERT INTO poll_marks (pipeline_id, cursor, epoch, updated_at_ms) \
                 VALUES ($1, $2, 1, $3) ON CONFLICT (pipeline_id) DO UPDATE SET \
                 cursor = excluded.cursor, validators = NULL, epoch = poll_marks.epoch + 1, \
                 updated_at_ms = excluded.updated_at_ms",
                [
                    pipeline_id.uuid().into(),
                    cursor.filter(|cursor| !cursor.is_empty()).into(),
                    self.clock.now_ms().into(),
                ],
            ))
            .await?;
        Ok(())
    }

    /// Takes the next answer in whether it has changed or not, within the caller's transaction.
    pub async fn forget_validators(
        &self,
        transaction: &impl ConnectionTrait,
        pipeline_id: PipelineId,
    ) -> Result<(), DbErr> {
        transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                "UPDATE poll_marks SET validators = NULL WHERE pipeline_id = $1",
                [pipeline_id.uuid().into()],
            ))
            .await?;
        Ok(())
    }
}
