//! Changing and deleting single records. Numbers stay: a deleted one is not given again. What was
//! counted with them is counted again; the usage ledger keeps what was stored, whatever becomes of
//! it.

use std::collections::BTreeMap;
use std::sync::Arc;

use dash_shared::fields::Fields;
use dash_shared::ids::PipelineId;
use sea_orm::{ConnectionTrait, Statement, Value};

use super::read::{OF_SERIES, placeholders};
use super::{ReadError, RecordStore, StoredRecord, rollups};

/// How many records are changed at once.
pub const MAX_AMENDED: usize = 100;

/// What a record becomes.
#[derive(Clone, Debug)]
pub enum Amendment {
    /// It goes.
    Delete,
    /// It holds something else.
    Replace {
        /// When it happened, in milliseconds since 1970.
        time_ms: i64,
        /// What it holds.
        fields: Arc<Fields>,
        /// The same as JSON text.
        json: String,
    },
}

impl RecordStore {
    /// Changes or deletes records of a pipeline by their numbers, all or none. Returns the records as
    /// they were; those that are not there are left out.
    pub async fn amend(
        &self,
        pipeline_id: PipelineId,
        amendments: BTreeMap<i64, Amendment>,
    ) -> Result<Vec<StoredRecord>, ReadError> {
        if amendments.is_empty() {
            return Ok(Vec::new());
        }
        let transaction = self.db.begin_write().await?;
        let backend = transaction.get_database_backend();
        // This locks what others who delete or count lock first, in the same order.
        rollups::mark(&transaction, pipeline_id, &[]).await?;
        let mut values: Vec<Value> = vec![pipeline_id.uuid().into()];
        values.extend(amendments.keys().map(|seq| Value::from(*seq)));
        let places = placeholders(2, amendments.len());
        let before = super::read::select(
            &*transaction,
            &format!("seq IN ({places}) ORDER BY seq"),
            values,
        )
        .await?;
        let mut touched: Vec<(i64, i64)> = before
            .iter()
            .map(|record| (record.seq, record.time_ms))
            .collect();
        for record in &before {
            if let Some(Amendment::Replace { time_ms, .. }) = amendments.get(&record.seq) {
                touched.push((record.seq, *time_ms));
            }
        }
        rollups::mark(&transaction, pipeline_id, &touched).await?;
        let (mut gone, mut bytes) = (0i64, 0i64);
        for record in &before {
            let old = serde_json::to_string(&*record.fields).unwrap_or_default();
            bytes -= length(&old);
            let (sql, values): (String, Vec<Value>) = match amendments.get(&record.seq) {
                Some(Amendment::Replace { time_ms, json, .. }) => {
                    bytes += length(json);
                    (
                        format!(
                            "UPDATE records SET time_ms = $3, fields = $4 \
                             WHERE {OF_SERIES} AND seq = $2"
                        ),
                        vec![(*time_ms).into(), json.clone().into()],
                    )
                }
                Some(Amendment::Delete) | None => {
                    gone += 1;
                    (
                        format!("DELETE FROM records WHERE {OF_SERIES} AND seq = $2"),
                        Vec::new(),
                    )
                }
            };
            let key: [Value; 2] = [pipeline_id.uuid().into(), record.seq.into()];
            transaction
                .execute_raw(Statement::from_sql_and_values(
                    backend,
                    sql,
                    key.into_iter().chain(values),
                ))
                .await?;
        }
        transaction
            .execute_raw(Statement::from_sql_and_values(
                backend,
                "UPDATE series SET record_count = record_count - $2, \
                 stored_bytes = stored_bytes + $3 WHERE pipeline_id = $1",
                [pipeline_id.uuid().into(), gone.into(), bytes.into()],
            ))
            .await?;
        transaction.commit().await?;
        if !before.is_empty() {
            self.tell_deleted(pipeline_id).await?;
            self.rollups.refresh(pipeline_id).await?;
        }
        Ok(before)
    }
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}
