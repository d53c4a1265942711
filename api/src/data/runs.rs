//! Runs: one poll, or the webhooks of one commit, with counts, timing and errors. A run is written
//! in the same transaction as its records; its batch key makes a repeat impossible.

use std::collections::HashSet;

use dash_shared::ids::{PipelineId, RunId, TeamId};
use dash_shared::transform::StepError;
use sea_orm::{ConnectionTrait, DbErr, QueryResult as Row, Statement, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::bulk::{Batch, Insert, Kind};
use super::read::placeholders;
use super::{ReadError, RecordStore};

/// How many keys of runs one statement looks for.
const LOOKED_FOR: usize = 500;
/// How many failed records a run keeps in full; the others are counted.
pub const MAX_RECORD_ERRORS: usize = 20;

/// What made a run happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunTrigger {
    /// Its time had come.
    Schedule,
    /// Somebody asked for it.
    Manual,
    /// Something was posted.
    Webhook,
    /// A file was handed over.
    Upload,
    /// The demo source.
    Demo,
    /// Another pipeline stored records.
    Pipeline,
    /// Windows of time closed.
    Window,
    /// Somebody put failed records in again.
    Replay,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Everything that was received is stored, or was left out on purpose.
    Succeeded,
    /// Some records failed, the others are stored.
    Partial,
    /// Nothing could be received, or every record failed.
    Failed,
}

macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ }) => {
        impl $name {
            /// The word in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            fn parse(word: &str) -> Result<Self, ReadError> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    other => Err(ReadError::Damaged(format!("unknown word {other}"))),
                }
            }
        }
    };
}

words!(RunTrigger {
    Schedule = "schedule",
    Manual = "manual",
    Webhook = "webhook",
    Demo = "demo",
    Upload = "upload",
    Pipeline = "pipeline",
    Window = "window",
    Replay = "replay"
});
words!(RunState { Succeeded = "succeeded", Partial = "partial", Failed = "failed" });

/// A record that failed, with where and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordError {
    /// The step, the path, the value and what is wrong.
    #[serde(flatten)]
    pub error: StepError,
    /// What was received, as JSON, shortened.
    pub received: String,
}

/// A run that is about to be stored; its counts of stored records come from the store.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// The team that owns the pipeline.
    pub team_id: TeamId,
    /// The pipeline.
    pub pipeline_id: PipelineId,
    /// Names this run among the pipeline's: a second run with the same key is not stored. Runs
    /// without a key may be merged with others that are stored in the same commit.
    pub batch_key: Option<String>,
    /// What made it happen.
    pub trigger: RunTrigger,
    /// When it began, in milliseconds since 1970.
    pub started_at_ms: i64,
    /// When receiving and transforming ended, in milliseconds since 1970.
    pub finished_at_ms: i64,
    /// How many records came in.
    pub received: i64,
    /// How many a step left out.
    pub dropped: i64,
    /// How many became a part of a window.
    pub held: i64,
    /// How many failed.
    pub failed: i64,
    /// The first of the failed ones.
    pub record_errors: Vec<RecordError>,
    /// Why the run as a whole failed: a code and a sentence.
    pub error: Option<(String, String)>,
}

/// A run that was stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The team that owns the pipeline.
    pub team_id: TeamId,
    /// The pipeline.
    pub pipeline_id: PipelineId,
    /// What made it happen.
    pub trigger: RunTrigger,
    /// How it ended.
    pub state: RunState,
    /// When it began, in milliseconds since 1970.
    pub started_at_ms: i64,
    /// When it ended, in milliseconds since 1970.
    pub finished_at_ms: i64,
    /// How many records came in.
    pub received: i64,
    /// How many were stored.
    pub stored: i64,
    /// How many a step left out.
    pub dropped: i64,
    /// How many became a part of a window.
    pub held: i64,
    /// How many failed.
    pub failed: i64,
    /// How many were left out because they were stored before.
    pub duplicates: i64,
    /// How many bytes were stored.
    pub stored_bytes: i64,
    /// Why the run as a whole failed: a code and a sentence.
    pub error: Option<(String, String)>,
    /// The first of the failed records.
    pub record_errors: Vec<RecordError>,
}

/// What the store counts when it stores a run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// How many records are stored.
    pub(super) stored: i64,
    /// How many bytes they have.
    pub(super) stored_bytes: i64,
    /// How many were left out because they were stored before.
    pub(super) duplicates: i64,
}

impl Run {
    /// The run that `new` becomes when it is stored.
    pub(super) fn from_new(id: RunId, new: NewRun, counts: Counts) -> Self {
        let nothing = counts.stored + counts.duplicates == 0;
        let state = if new.error.is_some() || new.failed > 0 && nothing {
            RunState::Failed
        } else if new.failed > 0 {
            RunState::Partial
        } else {
            RunState::Succeeded
        };
        Self {
            id,
            team_id: new.team_id,
            pipeline_id: new.pipeline_id,
            trigger: new.trigger,
            state,
            started_at_ms: new.started_at_ms,
            finished_at_ms: new.finished_at_ms,
            received: new.received,
            stored: counts.stored,
            dropped: new.dropped,
            held: new.held,
            failed: new.failed,
            duplicates: counts.duplicates,
            stored_bytes: counts.stored_bytes,
            error: new.error,
            record_errors: new.record_errors,
        }
    }

    fn row(&self, batch_key: Option<&str>) -> Result<[Value; 18], DbErr> {
        let (code, message) = self.error.clone().unzip();
        let errors = serde_json::to_string(&self.record_errors)
            .map_err(|error| DbErr::Custom(error.to_string()))?;
        let key = batch_key.map_or_else(|| self.id.to_string(), str::to_owned);
        Ok([
            self.id.uuid().into(),
            self.team_id.uuid().into(),
            self.pipeline_id.uuid().into(),
            key.into(),
            self.trigger.as_str().into(),
            self.state.as_str().into(),
            self.started_at_ms.into(),
            self.finished_at_ms.into(),
            self.received.into(),
            self.stored.into(),
            self.dropped.into(),
            self.held.into(),
            self.failed.into(),
            self.duplicates.into(),
            self.stored_bytes.into(),
            code.into(),
            message.into(),
            errors.into(),
        ])
    }

    fn from_row(row: &Row) -> Result<Self, ReadError> {
        let errors: String = row.try_get("", "record_errors")?;
        let code: Option<String> = row.try_get("", "error_code")?;
        let message: Option<String> = row.try_get("", "error_message")?;
        Ok(Self {
            id: RunId::from_uuid(row.try_get("", "id")?),
            team_id: TeamId::from_uuid(row.try_get("", "team_id")?),
            pipeline_id: PipelineId::from_uuid(row.try_get("", "pipeline_id")?),
            trigger: RunTrigger::parse(&row.try_get::<String>("", "trigger")?)?,
            state: RunState::parse(&row.try_get::<String>("", "state")?)?,
            started_at_ms: row.try_get("", "started_at_ms")?,
            finished_at_ms: row.try_get("", "finished_at_ms")?,
            received: row.try_get("", "received")?,
            stored: row.try_get("", "stored")?,
            dropped: row.try_get("", "dropped")?,
            held: row.try_get("", "held")?,
            failed: row.try_get("", "failed")?,
            duplicates: row.try_get("", "duplicates")?,
            stored_bytes: row.try_get("", "stored_bytes")?,
            error: code.zip(message),
            record_errors: serde_json::from_str(&errors)
                .map_err(|error| ReadError::Damaged(error.to_string()))?,
        })
    }
}

const INSERT: Insert<18> = Insert {
    table: "runs",
    columns: [
        ("id", Kind::Uuid),
        ("team_id", Kind::Uuid),
        ("pipeline_id", Kind::Uuid),
        ("batch_key", Kind::Text),
        ("\"trigger\"", Kind::Text),
        ("state", Kind::Text),
        ("started_at_ms", Kind::Number),
        ("finished_at_ms", Kind::Number),
        ("received", Kind::Number),
        ("stored", Kind::Number),
        ("dropped", Kind::Number),
        ("held", Kind::Number),
        ("failed", Kind::Number),
        ("duplicates", Kind::Number),
        ("stored_bytes", Kind::Number),
        ("error_code", Kind::TextOrNull),
        ("error_message", Kind::TextOrNull),
        ("record_errors", Kind::Text),
    ],
    then: "",
};

/// Writes runs with their batch keys; one without a key is named by its id.
pub(super) fn insert(batch: &mut Batch, runs: &[(Run, Option<String>)]) -> Result<(), DbErr> {
    let rows = runs.iter().map(|(run, key)| run.row(key.as_deref()));
    batch.add(&INSERT, rows.collect::<Result<_, _>>()?);
    Ok(())
}

/// Which of these batch keys a pipeline has runs with.
pub(super) async fn known_keys(
    connection: &impl ConnectionTrait,
    pipeline_id: PipelineId,
    keys: &[&str],
) -> Result<HashSet<String>, DbErr> {
    let mut known = HashSet::new();
    for some in keys.chunks(LOOKED_FOR) {
        let places = placeholders(2, some.len());
        let mut values: Vec<Value> = vec![pipeline_id.uuid().into()];
        values.extend(some.iter().map(|key| Value::from(*key)));
        let rows = connection
            .query_all_raw(Statement::from_sql_and_values(
                connection.get_database_backend(),
                format!(
                    "SELECT batch_key FROM runs WHERE pipeline_id = $1 \
                     AND batch_key IN ({places})"
                ),
                values,
            ))
            .await?;
        for row in rows {
            known.insert(row.try_get("", "batch_key")?);
        }
    }
    Ok(known)
}

/// A page of runs, the newest first.
#[derive(Clone, Debug)]
pub struct RunPage {
    /// The runs.
    pub runs: Vec<Run>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// How many there are in all.
    pub total: i64,
}

/// What came in during the minute before a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecentActivity {
    /// The moment, in milliseconds since 1970: a run that finished later is not counted.
    pub until_ms: i64,
    /// How many records came in.
    pub received: i64,
    /// How many were stored.
    pub stored: i64,
}

const COLUMNS: &str = "id, team_id, pipeline_id, \"trigger\", state, started_at_ms, \
    finished_at_ms, received, stored, dropped, held, failed, duplicates, stored_bytes, error_code, error_message, \
    record_errors";

/// Those of these runs that are there, in the order in which they began to be stored.
pub(super) async fn find_all(
    connection: &impl ConnectionTrait,
    ids: &[RunId],
) -> Result<Vec<Run>, ReadError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places = placeholders(1, ids.len());
    let rows = connection
        .query_all_raw(Statement::from_sql_and_values(
            connection.get_database_backend(),
            format!("SELECT {COLUMNS} FROM runs WHERE id IN ({places}) ORDER BY id"),
            ids.iter().map(|id| id.uuid().into()),
        ))
        .await?;
    rows.iter().map(Run::from_row).collect()
}

impl RecordStore {
    /// A page of a pipeline's runs, the newest first, beginning after the run `after`.
    pub async fn list_runs(
        &self,
        pipeline_id: PipelineId,
        after: Option<RunId>,
        first: u64,
    ) -> Result<RunPage, ReadError> {
        let orm = self.db.orm();
        // Ids sort by when they were made; the largest one stands for "from the newest on".
        let before = after.map_or(Uuid::max(), RunId::uuid);
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT {COLUMNS} FROM runs WHERE pipeline_id = $1 AND id < $2 \
                     ORDER BY id DESC LIMIT $3"
                ),
                [
                    pipeline_id.uuid().into(),
                    before.into(),
                    i64::try_from(first + 1).unwrap_or(i64::MAX).into(),
                ],
            ))
            .await?;
        let mut runs = rows
            .iter()
            .map(Run::from_row)
            .collect::<Result<Vec<_>, _>>()?;
        let limit = usize::try_from(first).unwrap_or(usize::MAX);
        let has_more = runs.len() > limit;
        runs.truncate(limit);
        let total = orm
            .query_one_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT COUNT(*) AS total FROM runs WHERE pipeline_id = $1",
                [pipeline_id.uuid().into()],
            ))
            .await?
            .map_or(Ok(0), |row| row.try_get("", "total"))?;
        Ok(RunPage {
            runs,
            has_more,
            total,
        })
    }

    /// One run of a team's pipelines.
    pub async fn find_run(&self, team_id: TeamId, id: RunId) -> Result<Option<Run>, ReadError> {
        let orm = self.db.orm();
        orm.query_one_raw(Statement::from_sql_and_values(
            orm.get_database_backend(),
            format!("SELECT {COLUMNS} FROM runs WHERE id = $1 AND team_id = $2"),
            [id.uuid().into(), team_id.uuid().into()],
        ))
        .await?
        .map(|row| Run::from_row(&row))
        .transpose()
    }

    /// The newest run of each of these pipelines.
    pub async fn last_runs(&self, pipelines: &[PipelineId]) -> Result<Vec<Run>, ReadError> {
        if pipelines.is_empty() {
            return Ok(Vec::new());
        }
        let orm = self.db.orm();
        let places = placeholders(1, pipelines.len());
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT {COLUMNS} FROM runs WHERE id IN (SELECT (SELECT r.id FROM runs r \
                     WHERE r.pipeline_id = p.id ORDER BY r.id DESC LIMIT 1) FROM pipelines p \
                     WHERE p.id IN ({places}))"
                ),
                pipelines.iter().map(|id| id.uuid().into()),
            ))
            .await?;
        rows.iter().map(Run::from_row).collect()
    }

    /// How many records each of these pipelines stored in each of the `minutes` minutes up to now,
    /// the oldest first.
    pub async fn throughput(
        &self,
        pipelines: &[PipelineId],
        minutes: usize,
    ) -> Result<Vec<(PipelineId, Vec<i64>)>, ReadError> {
        if pipelines.is_empty() {
            return Ok(Vec::new());
        }
        let orm = self.db.orm();
        let last_minute = self.clock.now_ms().div_euclid(60_000);
        let first_minute = last_minute - i64::try_from(minutes).unwrap_or(0) + 1;
        let places = placeholders(2, pipelines.len());
        let mut values = vec![(first_minute * 60_000).into()];
        values.extend(pipelines.iter().map(|id| id.uuid().into()));
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT pipeline_id, finished_at_ms / 60000 AS minute, \
                     CAST(SUM(stored) AS BIGINT) AS stored FROM runs \
                     WHERE finished_at_ms >= $1 AND pipeline_id IN ({places}) \
                     GROUP BY pipeline_id, finished_at_ms / 60000"
                ),
                values,
            ))
            .await?;
        let mut found: Vec<_> = pipelines.iter().map(|id| (*id, vec![0; minutes])).collect();
        for row in rows {
            let id = PipelineId::from_uuid(row.try_get("", "pipeline_id")?);
            let minute: i64 = row.try_get("", "minute")?;
            let stored: i64 = row.try_get("", "stored")?;
            let place = usize::try_from(minute - first_minute).ok();
            if let Some((_, counts)) = found.iter_mut().find(|(found, _)| *found == id)
                && let Some(count) = place.and_then(|place| counts.get_mut(place))
            {
                *count = stored;
            }
        }
        Ok(found)
    }

    /// What the runs of each of these pipelines received and stored that finished during the last
    /// minute. An index leads to those runs, and there are as many of them as commits in a minute.
    pub async fn last_minute(
        &self,
        pipelines: &[PipelineId],
    ) -> Result<Vec<(PipelineId, RecentActivity)>, ReadError> {
        if pipelines.is_empty() {
            return Ok(Vec::new());
        }
        let orm = self.db.orm();
        let until_ms = self.clock.now_ms();
        let places = placeholders(3, pipelines.len());
        let mut values = vec![(until_ms - 60_000).into(), until_ms.into()];
        values.extend(pipelines.iter().map(|id| id.uuid().into()));
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT pipeline_id, CAST(SUM(received) AS BIGINT) AS received, \
                     CAST(SUM(stored) AS BIGINT) AS stored FROM runs \
                     WHERE finished_at_ms > $1 AND finished_at_ms <= $2 \
                     AND pipeline_id IN ({places}) GROUP BY pipeline_id"
                ),
                values,
            ))
            .await?;
        let nothing = RecentActivity {
            until_ms,
            ..RecentActivity::default()
        };
        let mut found: Vec<_> = pipelines.iter().map(|id| (*id, nothing)).collect();
        for row in rows {
            let id = PipelineId::from_uuid(row.try_get("", "pipeline_id")?);
            if let Some((_, activity)) = found.iter_mut().find(|(found, _)| *found == id) {
                activity.received = row.try_get("", "received")?;
                activity.stored = row.try_get("", "stored")?;
            }
        }
        Ok(found)
    }
}
