//! The usage ledger: data points and bytes per pipeline and hour, counted in the transaction that
//! stores them, so that each is counted exactly once. Nothing is ever taken from it again.

use dash_shared::ids::TeamId;
use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::runs::Run;
use super::{ReadError, RecordStore};

const HOUR_MS: i64 = 3_600_000;

/// What was stored in a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Records; one record is one data point.
    pub points: i64,
    /// Their bytes.
    pub bytes: i64,
}

/// Counts what a run stored.
pub(super) async fn count(connection: &impl ConnectionTrait, run: &Run) -> Result<(), DbErr> {
    connection
        .execute_raw(Statement::from_sql_and_values(
            connection.get_database_backend(),
            "INSERT INTO usage_hours (pipeline_id, hour_ms, team_id, points, bytes) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (pipeline_id, hour_ms) DO UPDATE SET \
             points = usage_hours.points + excluded.points, \
             bytes = usage_hours.bytes + excluded.bytes",
            [
                run.pipeline_id.uuid().into(),
                (run.finished_at_ms.div_euclid(HOUR_MS) * HOUR_MS).into(),
                run.team_id.uuid().into(),
                run.stored.into(),
                run.stored_bytes.into(),
            ],
        ))
        .await?;
    Ok(())
}

impl RecordStore {
    /// What these teams stored from one full hour to another, in milliseconds since 1970; deleted
    /// pipelines and expired records included.
    pub async fn usage(
        &self,
        teams: &[TeamId],
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Usage, ReadError> {
        if teams.is_empty() {
            return Ok(Usage::default());
        }
        let orm = self.db.orm();
        let places = super::read::placeholders(3, teams.len());
        let mut values = vec![from_ms.into(), to_ms.into()];
        values.extend(teams.iter().map(|id| id.uuid().into()));
        let row = orm
            .query_one_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) AS points, \
                     CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM usage_hours \
                     WHERE hour_ms >= $1 AND hour_ms < $2 AND team_id IN ({places})"
                ),
                values,
            ))
            .await?;
        let Some(row) = row else {
            return Ok(Usage::default());
        };
        Ok(Usage {
            points: row.try_get("", "points")?,
            bytes: row.try_get("", "bytes")?,
        })
    }
}
