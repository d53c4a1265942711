//! The records that a pipeline could not handle, in full, with where and why: listed, mended and
//! put in again. Written in the transaction of their run.

use dash_shared::ids::{FailureId, PipelineId, RunId};
use dash_shared::transform::{Outcome, StepError};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult as Row, Statement, Value};

use super::bulk::{Batch, Insert, Kind};
use super::read::placeholders;
use super::record_keys::RecordKey;
use super::{ReadError, RecordStore};
use crate::db::WriteTransaction;

/// How many failed records of one run are kept; the others are counted.
pub const MAX_KEPT_PER_RUN: usize = 1_000;
/// How many a pipeline keeps; the oldest go first.
const MAX_KEPT: i64 = 10_000;
/// How many are named by one statement.
const LOOKED_FOR: usize = 500;
/// How long they are kept: 30 days.
const KEPT_MS: i64 = 30 * 86_400_000;

const INSERT: Insert<15> = Insert {
    table: "failures",
    columns: [
        ("id", Kind::Uuid),
        ("pipeline_id", Kind::Uuid),
        ("run_id", Kind::Uuid),
        ("failed_at_ms", Kind::Number),
        ("state", Kind::Text),
        ("step", Kind::Number),
        ("path", Kind::Text),
        ("value", Kind::Text),
        ("message", Kind::Text),
        ("received", Kind::Text),
        ("cause_hash", Kind::Bytes),
        ("part", Kind::Number),
        ("parts", Kind::Number),
        ("kept", Kind::Number),
        ("record_key", Kind::Bytes),
    ],
    then: "",
};

const COLUMNS: &str = "id, pipeline_id, run_id, failed_at_ms, state, step, path, value, message, received, part, \
     parts, kept, record_key";

/// A record that failed, about to be stored.
#[derive(Clone, Debug)]
pub struct NewFailure {
    /// When, in milliseconds since 1970.
    pub failed_at_ms: i64,
    /// The step, the path, the value and what is wrong.
    pub error: StepError,
    /// What was received, as JSON.
    pub received: String,
    /// Which of the results of what was received it is.
    pub part: Part,
    /// Whether what was received is kept with what the pipeline received.
    pub kept: bool,
    /// What names it at its source.
    pub key: Option<RecordKey>,
}

/// One of the results that a transform made of what was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which, from 0.
    pub index: usize,
    /// Of how many.
    pub of: usize,
}

impl Part {
    /// The only result.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Whether these results of what was received, made anew, handle the part.
    pub fn is_handled(self, outcomes: &[Outcome]) -> bool {
        let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
        match outcomes.get(self.index) {
            Some(outcome) if self.of > 1 && outcomes.len() == self.of => !failed(outcome),
            _ => !outcomes.iter().any(failed),
        }
    }
}

/// A failed record that was put in again, to be noted with what was stored of it.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// It.
    pub id: FailureId,
    /// What is wrong with it now, if that is something else than before. It then stays open.
    pub error: Option<StepError>,
    /// Whether nothing is wrong with it any more.
    pub done: bool,
}

/// What became of a failed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureState {
    /// Nobody has seen to it.
    Open,
    /// It was put in again, and stored or left out by a step.
    Replayed,
    /// Somebody said that it does not matter.
    Dismissed,
}

impl FailureState {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replayed => "replayed",
            Self::Dismissed => "dismissed",
        }
    }

    fn parse(word: &str) -> Result<Self, ReadError> {
        [Self::Open, Self::Replayed, Self::Dismissed]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| ReadError::Damaged(format!("unknown word {word}")))
    }
}

/// A record that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its id.
    pub id: FailureId,
    /// The pipeline.
    pub pipeline_id: PipelineId,
    /// The run in which it failed.
    pub run_id: RunId,
    /// When, in milliseconds since 1970.
    pub failed_at_ms: i64,
    /// What became of it.
    pub state: FailureState,
    /// The step, the path, the value and what is wrong.
    pub error: StepError,
    /// What was received, as JSON.
    pub received: String,
    /// Which of the results of what was received it is.
    pub part: Part,
    /// Whether what was received is kept with what the pipeline received.
    pub kept: bool,
    /// What names it at its source.
    pub key: Option<RecordKey>,
}

impl Failure {
    fn from_row(row: &Row) -> Result<Self, ReadError> {
        let count = |name: &str| -> Result<usize, ReadError> {
            let count: i32 = row.try_get("", name)?;
            Ok(usize::try_from(count).unwrap_or(0))
        };
        let key: Option<Vec<u8>> = row.try_get("", "record_key")?;
        Ok(Self {
            id: FailureId::from_uuid(row.try_get("", "id")?),
            pipeline_id: PipelineId::from_uuid(row.try_get("", "pipeline_id")?),
            run_id: RunId::from_uuid(row.try_get("", "run_id")?),
            failed_at_ms: row.try_get("", "failed_at_ms")?,
            state: FailureState::parse(&row.try_get::<String>("", "state")?)?,
            error: StepError {
                step: count("step")?,
                path: row.try_get("", "path")?,
                value: row.try_get("", "value")?,
                message: row.try_get("", "message")?,
            },
            received: row.try_get("", "received")?,
            part: Part {
                index: count("part")?,
                of: count("parts")?,
            },
            kept: count("kept")? != 0,
            key: key.as_deref().and_then(RecordKey::from_bytes),
        })
    }
}

/// A page of failed records, the newest first.
#[derive(Clone, Debug)]
pub struct FailurePage {
    /// They.
    pub failures: Vec<Failure>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// How many there are in all.
    pub total: i64,
}

/// Failed records that have the same cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureGroup {
    /// The step, counted from 1; 0 is before the first one.
    pub step: usize,
    /// The path of the value.
    pub path: String,
    /// What is wrong in the newest of them.
    pub message: String,
    /// How many there are.
    pub count: i64,
    /// When the newest one failed, in milliseconds since 1970.
    pub last_at_ms: i64,
}

/// Keeps what failed in a run.
pub(super) fn keep(
    batch: &mut Batch,
    pipeline_id: PipelineId,
    run_id: RunId,
    failures: Vec<NewFailure>,
) {
    let rows = failures.into_iter().map(|failure| {
        let error = failure.error;
        [
            FailureId::new().uuid().into(),
            pipeline_id.uuid().into(),
            run_id.uuid().into(),
            failure.failed_at_ms.into(),
            FailureState::Open.as_str().into(),
            number(error.step).into(),
            clean(&error.path).into(),
            clean(&error.value).into(),
            clean(&error.message).into(),
            failure.received.into(),
            cause_hash(&error).into(),
            number(failure.part.index).into(),
            number(failure.part.of).into(),
            i64::from(failure.kept).into(),
            // A column of a bulk insert has no place for nothing.
            failure
                .key
                .map_or_else(Vec::new, |key| key.bytes().to_vec())
                .into(),
        ]
    });
    batch.add(&INSERT, rows.collect());
}

/// Failed records with the same one have the same cause.
fn cause_hash(error: &StepError) -> Vec<u8> {
    let cause = RecordKey::of(format!("{} {}", error.step, error.path));
    cause.bytes().to_vec()
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Whether all of these failed records of a pipeline are open, and stay so until the transaction
/// ends unless it changes them itself.
pub(super) async fn are_open(
    connection: &impl ConnectionTrait,
    pipeline_id: PipelineId,
    replayed: &[Replayed],
) -> Result<bool, DbErr> {
    let backend = connection.get_database_backend();
    let lock = match backend {
        DbBackend::Postgres => " FOR UPDATE",
        _ => "",
    };
    let mut open = 0;
    for some in replayed.chunks(LOOKED_FOR) {
        let places = placeholders(2, some.len());
        let mut values: Vec<Value> = vec![pipeline_id.uuid().into()];
        values.extend(some.iter().map(|one| Value::from(one.id.uuid())));
        let rows = connection
            .query_all_raw(Statement::from_sql_and_values(
                backend,
                format!(
                    "SELECT id FROM failures WHERE pipeline_id = $1 AND state = 'open' \
                     AND id IN ({places}) ORDER BY id{lock}"
                ),
                values,
            ))
            .await?;
        open += rows.len();
    }
    Ok(open == replayed.len())
}

/// Notes what became of open failed records that were put in again.
pub(super) async fn settle(
    connection: &impl ConnectionTrait,
    replayed: &[Replayed],
) -> Result<(), DbErr> {
    let backend = connection.get_database_backend();
    let done: Vec<Value> = replayed
        .iter()
        .filter(|one| one.done)
        .map(|one| one.id.uuid().into())
        .collect();
    for some in done.chunks(LOOKED_FOR) {
        let places = placeholders(1, some.len());
        let sql = format!("UPDATE failures SET state = 'replayed' WHERE id IN ({places})");
        let statement = Statement::from_sql_and_values(backend, sql, some.to_vec());
        connection.execute_raw(statement).await?;
    }
    for one in replayed.iter().filter(|one| !one.done) {
        let Some(error) = &one.error else { continue };
        connection
            .execute_raw(Statement::from_sql_and_values(
                backend,
                "UPDATE failures SET step = $2, path = $3, value = $4, message = $5, \
                 cause_hash = $6 WHERE id = $1",
                [
                    one.id.uuid().into(),
                    i32::try_from(error.step).unwrap_or(0).into(),
                    clean(&error.path).into(),
                    clean(&error.value).into(),
                    clean(&error.message).into(),
                    cause_hash(error).into(),
                ],
            ))
            .await?;
    }
    Ok(())
}

/// PostgreSQL takes no zero character in text.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

impl RecordStore {
    /// A page of a pipeline's failed records in a state, the newest first, beginning after `after`.
    pub async fn list_failures(
        &self,
        pipeline_id: PipelineId,
        state: FailureState,
        after: Option<FailureId>,
        first: u64,
    ) -> Result<FailurePage, ReadError> {
        let orm = self.db.orm();
        let before = after.map_or(uuid::Uuid::max(), FailureId::uuid);
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT {COLUMNS} FROM failures WHERE pipeline_id = $1 AND state = $2 \
                     AND id < $3 ORDER BY id DESC LIMIT $4"
                ),
                [
                    pipeline_id.uuid().into(),
                    state.as_str().into(),
                    before.into(),
                    i64::try_from(first + 1).unwrap_or(i64::MAX).into(),
                ],
            ))
            .await?;
        let mut failures = rows
            .iter()
            .map(Failure::from_row)
            .collect::<Result<Vec<_>, _>>()?;
        let limit = usize::try_from(first).unwrap_or(usize::MAX);
        let has_more = failures.len() > limit;
        failures.truncate(limit);
        Ok(FailurePage {
            failures,
            has_more,
            total: self.count_failures(pipeline_id, state).await?,
        })
    }

    /// How many failed records of a pipeline are in a state.
    pub async fn count_failures(
        &self,
        pipeline_id: PipelineId,
        state: FailureState,
    ) -> Result<i64, ReadError> {
        let orm = self.db.orm();
        let row = orm
            .query_one_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT COUNT(*) AS total FROM failures WHERE pipeline_id = $1 AND state = $2",
                [pipeline_id.uuid().into(), state.as_str().into()],
            ))
            .await?;
        Ok(row.map_or(Ok(0), |row| row.try_get("", "total"))?)
    }

    /// How many open failed records of a pipeline came after `after` and up to `until`.
    pub async fn count_open_between(
        &self,
        pipeline_id: PipelineId,
        after: FailureId,
        until: FailureId,
    ) -> Result<i64, ReadError> {
        let orm = self.db.orm();
        let row = orm
            .query_one_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT COUNT(*) AS total FROM failures WHERE pipeline_id = $1 \
                 AND state = 'open' AND id > $2 AND id <= $3",
                [
                    pipeline_id.uuid().into(),
                    after.uuid().into(),
                    until.uuid().into(),
                ],
            ))
            .await?;
        Ok(row.map_or(Ok(0), |row| row.try_get("", "total"))?)
    }

    /// The open failed records of a pipeline by their causes, the most frequent first, at most 20.
    pub async fn group_failures(
        &self,
        pipeline_id: PipelineId,
    ) -> Result<Vec<FailureGroup>, ReadError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT step, path, MAX(message) AS message, COUNT(*) AS failed, \
                 MAX(failed_at_ms) AS last_at_ms FROM failures \
                 WHERE pipeline_id = $1 AND state = 'open' \
                 GROUP BY cause_hash, step, path ORDER BY failed DESC, step, path LIMIT 20",
                [pipeline_id.uuid().into()],
            ))
            .await?;
        rows.iter()
            .map(|row| {
                let step: i32 = row.try_get("", "step")?;
                Ok(FailureGroup {
                    step: usize::try_from(step).unwrap_or(0),
                    path: row.try_get("", "path")?,
                    message: row.try_get("", "message")?,
                    count: row.try_get("", "failed")?,
                    last_at_ms: row.try_get("", "last_at_ms")?,
                })
            })
            .collect()
    }

    /// Those of these failed records that a pipeline has, in the order in which they failed.
    pub async fn find_failures(
        &self,
        pipeline_id: PipelineId,
        ids: &[FailureId],
    ) -> Result<Vec<Failure>, ReadError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let orm = self.db.orm();
        let places = placeholders(2, ids.len());
        let mut values: Vec<Value> = vec![pipeline_id.uuid().into()];
        values.extend(ids.iter().map(|id| Value::from(id.uuid())));
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT {COLUMNS} FROM failures WHERE pipeline_id = $1 \
                     AND id IN ({places}) ORDER BY id"
                ),
                values,
            ))
            .await?;
        rows.iter().map(Failure::from_row).collect()
    }

    /// The oldest open failed records of a pipeline, at most `limit`, that came after `after`.
    pub async fn open_failures(
        &self,
        pipeline_id: PipelineId,
        after: Option<FailureId>,
        limit: u64,
    ) -> Result<Vec<Failure>, ReadError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT {COLUMNS} FROM failures WHERE pipeline_id = $1 AND state = 'open' \
                     AND id > $2 ORDER BY id LIMIT $3"
                ),
                [
                    pipeline_id.uuid().into(),
                    after.map_or(uuid::Uuid::nil(), FailureId::uuid).into(),
                    i64::try_from(limit).unwrap_or(i64::MAX).into(),
                ],
            ))
            .await?;
        rows.iter().map(Failure::from_row).collect()
    }

    /// Notes within a transaction that open failed records are stored now.
    pub async fn close_failures(
        &self,
        transaction: &WriteTransaction,
        ids: &[FailureId],
    ) -> Result<(), ReadError> {
        for some in ids.chunks(LOOKED_FOR) {
            let places = placeholders(1, some.len());
            transaction
                .execute_raw(Statement::from_sql_and_values(
                    transaction.get_database_backend(),
                    format!(
                        "UPDATE failures SET state = 'replayed' WHERE state = 'open' \
                         AND id IN ({places})"
                    ),
                    some.iter().map(|id| Value::from(id.uuid())),
                ))
                .await?;
        }
        Ok(())
    }

    /// Notes what became of all failed records of a pipeline that are in `from`; returns how many.
    pub async fn set_all_failures(
        &self,
        pipeline_id: PipelineId,
        from: FailureState,
        to: FailureState,
    ) -> Result<u64, ReadError> {
        let transaction = self.db.begin_write().await?;
        let result = transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                "UPDATE failures SET state = $3 WHERE pipeline_id = $1 AND state = $2",
                [
                    pipeline_id.uuid().into(),
                    from.as_str().into(),
                    to.as_str().into(),
                ],
            ))
            .await?;
        transaction.commit().await?;
        Ok(result.rows_affected())
    }

    /// Notes what became of failed records of a pipeline; returns how many were in `from`.
    pub async fn set_failures(
        &self,
        pipeline_id: PipelineId,
        ids: &[FailureId],
        from: FailureState,
        to: FailureState,
    ) -> Result<u64, ReadError> {
        if ids.is_empty() {
            return Ok(0);
        }
        let places = placeholders(4, ids.len());
        let mut values: Vec<Value> = vec![
            pipeline_id.uuid().into(),
            from.as_str().into(),
            to.as_str().into(),
        ];
        values.extend(ids.iter().map(|id| Value::from(id.uuid())));
        let transaction = self.db.begin_write().await?;
        let result = transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                format!(
                    "UPDATE failures SET state = $3 WHERE pipeline_id = $1 AND state = $2 \
                     AND id IN ({places})"
                ),
                values,
            ))
            .await?;
        transaction.commit().await?;
        Ok(result.rows_affected())
    }

    /// Deletes what of a pipeline's failed records is too old or too much.
    pub async fn trim_failures(&self, pipeline_id: PipelineId) -> Result<(), ReadError> {
        let orm = self.db.orm();
        let before_ms = self.clock.now_ms() - KEPT_MS;
        let row = orm
            .query_one_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT id FROM failures WHERE pipeline_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2",
                [pipeline_id.uuid().into(), MAX_KEPT.into()],
            ))
            .await?;
        let beyond: Option<uuid::Uuid> = row.map(|row| row.try_get("", "id")).transpose()?;
        let transaction = self.db.begin_write().await?;
        transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                "DELETE FROM failures WHERE pipeline_id = $1 AND (failed_at_ms < $2 OR id <= $3)",
                [
                    pipeline_id.uuid().into(),
                    before_ms.into(),
                    beyond.unwrap_or(uuid::Uuid::nil()).into(),
                ],
            ))
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}
