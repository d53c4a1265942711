//! How far pipelines have read others. A position moves in the transaction that stores what was made
//! of what was read, from where it was: whatever is killed or runs twice, each record is read once.

use dash_shared::ids::PipelineId;
use sea_orm::{ConnectionTrait, DbErr, QueryResult as Row, Statement, Value};

use super::read::placeholders;
use super::{ReadError, RecordStore};

/// How many pipelines one statement asks for.
const ASKED: usize = 500;

/// A pipeline that reads another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relay {
    /// The one that reads.
    pub pipeline_id: PipelineId,
    /// The one that is read.
    pub upstream_id: PipelineId,
    /// The number of the last record that was read.
    pub position: i64,
}

/// How far a pipeline has read with an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPosition {
    /// Where it read from.
    pub relay: Relay,
    /// The number of the last record that it read.
    pub up_to: i64,
}

impl Relay {
    fn from_row(row: &Row) -> Result<Self, DbErr> {
        Ok(Self {
            pipeline_id: PipelineId::from_uuid(row.try_get("", "pipeline_id")?),
            upstream_id: PipelineId::from_uuid(row.try_get("", "upstream_id")?),
            position: row.try_get("", "position")?,
        })
    }
}

/// Moves a position; false when it was moved or the upstream changed meanwhile.
pub(super) async fn advance(
    connection: &impl ConnectionTrait,
    new: &NewPosition,
) -> Result<bool, DbErr> {
    let result = connection
        .execute_raw(Statement::from_sql_and_values(
            connection.get_database_backend(),
            "UPDATE relays SET position = $4 \
             WHERE pipeline_id = $1 AND upstream_id = $2 AND position = $3",
            [
                new.relay.pipeline_id.uuid().into(),
                new.relay.upstream_id.uuid().into(),
                new.relay.position.into(),
                new.up_to.into(),
            ],
        ))
        .await?;
    Ok(result.rows_affected() == 1)
}

impl RecordStore {
    /// Which pipeline a pipeline reads, and how far.
    pub async fn relay(&self, pipeline_id: PipelineId) -> Result<Option<Relay>, ReadError> {
        let orm = self.db.orm();
        let row = orm
            .query_one_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT pipeline_id, upstream_id, position FROM relays WHERE pipeline_id = $1",
                [pipeline_id.uuid().into()],
            ))
            .await?;
        Ok(row.map(|row| Relay::from_row(&row)).transpose()?)
    }

    /// Which of these pipelines are read, and by which.
    pub async fn readers_of(&self, upstreams: &[PipelineId]) -> Result<Vec<Relay>, ReadError> {
        let orm = self.db.orm();
        let mut found = Vec::new();
        for some in upstreams.chunks(ASKED) {
            let places = placeholders(1, some.len());
            let rows = orm
                .query_all_raw(Statement::from_sql_and_values(
                    orm.get_database_backend(),
                    format!(
                        "SELECT pipeline_id, upstream_id, position FROM relays \
                         WHERE upstream_id IN ({places}) ORDER BY pipeline_id"
                    ),
                    some.iter().map(|id| Value::from(id.uuid())),
                ))
                .await?;
            for row in &rows {
                found.push(Relay::from_row(row)?);
            }
        }
        Ok(found)
    }

    /// Those who read and have not read everything yet, of all or of these upstreams; with the
    /// number of the last record there is.
    pub async fn waiting_relays(
        &self,
        upstreams: Option<&[PipelineId]>,
    ) -> Result<Vec<(Relay, i64)>, ReadError> {
        let orm = self.db.orm();
        let (of_these, values) = match upstreams {
            None => (String::new(), Vec::new()),
            Some(ids) => (
                format!(" AND l.upstream_id IN ({})", placeholders(1, ids.len())),
                ids.iter().map(|id| Value::from(id.uuid())).collect(),
            ),
        };
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT l.pipeline_id, l.upstream_id, l.position, s.last_seq FROM relays l \
                     JOIN series s ON s.pipeline_id = l.upstream_id \
                     WHERE l.state = 'running' AND s.last_seq > l.position{of_these}"
                ),
                values,
            ))
            .await?;
        rows.iter()
            .map(|row| Ok((Relay::from_row(row)?, row.try_get("", "last_seq")?)))
            .collect()
    }

    /// Makes a pipeline read another one from a position on, or go on where it was when it reads it
    /// already, within the caller's transaction.
    pub async fn begin_relay(
        &self,
        transaction: &impl ConnectionTrait,
        relay: Relay,
    ) -> Result<(), DbErr> {
        transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                "INSERT INTO relays (pipeline_id, upstream_id, position, state) \
                 VALUES ($1, $2, $3, 'running') ON CONFLICT (pipeline_id) DO UPDATE SET \
                 position = CASE WHEN relays.upstream_id = excluded.upstream_id \
                 THEN relays.position ELSE excluded.position END, \
                 upstream_id = excluded.upstream_id, state = 'running'",
                [
                    relay.pipeline_id.uuid().into(),
                    relay.upstream_id.uuid().into(),
                    relay.position.into(),
                ],
            ))
            .await?;
        Ok(())
    }

    /// Makes a pipeline read no more for now, within the caller's transaction.
    pub async fn pause_relay(
        &self,
        transaction: &impl ConnectionTrait,
        pipeline_id: PipelineId,
    ) -> Result<(), DbErr> {
        transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                "UPDATE relays SET state = 'paused' WHERE pipeline_id = $1",
                [pipeline_id.uuid().into()],
            ))
            .await?;
        Ok(())
    }
}
