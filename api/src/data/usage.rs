//! The usage ledger: data points and bytes per pipeline and hour, counted in the transaction that
//! stores them, so that each is counted exactly once. Nothing is ever taken from it again.

use std::collections::BTreeMap;

use dash_shared::ids::{PipelineId, TeamId};
use sea_orm::{ConnectionTrait, Statement};

use super::bulk::{Batch, Insert, Kind};
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

const INSERT: Insert<5> = Insert {
    table: "usage_hours",
    columns: [
        ("pipeline_id", Kind::Uuid),
        ("hour_ms", Kind::Number),
        ("team_id", Kind::Uuid),
        ("points", Kind::Number),
        ("bytes", Kind::Number),
    ],
    then: "ON CONFLICT (pipeline_id, hour_ms) DO UPDATE SET \
           points = usage_hours.points + excluded.points, \
           bytes = usage_hours.bytes + excluded.bytes",
};

/// Counts what runs stored.
pub(super) fn count<'a>(batch: &mut Batch, runs: impl Iterator<Item = &'a Run>) {
    // A statement may count up a line only once.
    let mut lines: BTreeMap<(PipelineId, i64), (TeamId, Usage)> = BTreeMap::new();
    for run in runs.filter(|run| run.stored > 0) {
        let hour_ms = run.finished_at_ms.div_euclid(HOUR_MS) * HOUR_MS;
        let line = lines.entry((run.pipeline_id, hour_ms));
        let (_, used) = line.or_insert((run.team_id, Usage::default()));
        used.points += run.stored;
        used.bytes += run.stored_bytes;
    }
    let rows = lines.into_iter().map(|((id, hour_ms), (team_id, used))| {
        [
            id.uuid().into(),
            hour_ms.into(),
            team_id.uuid().into(),
            used.points.into(),
            used.bytes.into(),
        ]
    });
    batch.add(&INSERT, rows.collect());
}

impl RecordStore {
    /// How many bytes the records of these teams take now.
    pub async fn stored_bytes(&self, teams: &[TeamId]) -> Result<i64, ReadError> {
        if teams.is_empty() {
            return Ok(0);
        }
        let orm = self.db.orm();
        let places = super::read::placeholders(1, teams.len());
        let row = orm
            .query_one_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT CAST(COALESCE(SUM(stored_bytes), 0) AS BIGINT) AS bytes FROM series \
                     WHERE pipeline_id IN \
                     (SELECT pipeline_id FROM usage_hours WHERE team_id IN ({places}))"
                ),
                teams.iter().map(|id| id.uuid().into()),
            ))
            .await?;
        row.map_or(Ok(0), |row| Ok(row.try_get("", "bytes")?))
    }

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
