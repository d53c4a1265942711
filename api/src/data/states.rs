//! What a pipeline's transform remembers between records, kept in the transaction of the records
//! that it was learnt from. A version guards it: of two that start from the same, one is stored.

use dash_shared::ids::PipelineId;
use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::{ReadError, RecordStore};

/// What a transform remembers after an append.
#[derive(Clone, Debug)]
pub struct NewState {
    /// The version that it was made from; 0 when there was none.
    pub from_version: i64,
    /// It, in the engine's form.
    pub bytes: Vec<u8>,
}

/// What a transform remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredState {
    /// Its version; 0 when there is none yet.
    pub version: i64,
    /// It, in the engine's form.
    pub bytes: Vec<u8>,
}

/// Stores a state; false when it was made from another one than the one that is there.
pub(super) async fn advance(
    connection: &impl ConnectionTrait,
    pipeline_id: PipelineId,
    state: &NewState,
) -> Result<bool, DbErr> {
    let sql = if state.from_version == 0 {
        "INSERT INTO transform_states (pipeline_id, version, state) VALUES ($1, $2 + 1, $3) \
         ON CONFLICT (pipeline_id) DO NOTHING"
    } else {
        "UPDATE transform_states SET version = version + 1, state = $3 \
         WHERE pipeline_id = $1 AND version = $2"
    };
    let result = connection
        .execute_raw(Statement::from_sql_and_values(
            connection.get_database_backend(),
            sql,
            [
                pipeline_id.uuid().into(),
                state.from_version.into(),
                state.bytes.clone().into(),
            ],
        ))
        .await?;
    Ok(result.rows_affected() == 1)
}

impl RecordStore {
    /// What a pipeline's transform remembers.
    pub async fn state(&self, pipeline_id: PipelineId) -> Result<StoredState, ReadError> {
        let orm = self.db.orm();
        let row = orm
            .query_one_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT version, state FROM transform_states WHERE pipeline_id = $1",
                [pipeline_id.uuid().into()],
            ))
            .await?;
        row.map_or(Ok(StoredState::default()), |row| {
            Ok(StoredState {
                version: row.try_get("", "version")?,
                bytes: row.try_get("", "state")?,
            })
        })
    }

    /// The version of what a pipeline's transform remembers; 0 when there is nothing.
    pub async fn state_version(&self, pipeline_id: PipelineId) -> Result<i64, ReadError> {
        let orm = self.db.orm();
        let row = orm
            .query_one_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT version FROM transform_states WHERE pipeline_id = $1",
                [pipeline_id.uuid().into()],
            ))
            .await?;
        Ok(row.map_or(Ok(0), |row| row.try_get("", "version"))?)
    }
}
