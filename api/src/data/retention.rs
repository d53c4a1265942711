//! Forgetting: the oldest records and runs are deleted in chunks that are short enough for ingest
//! not to notice, and the space is given back.

use std::time::Duration;

use dash_shared::ids::PipelineId;
use sea_orm::{ConnectionTrait, Statement, Value};

use super::read::OF_SERIES;
use super::record_keys::forget_keys;
use super::{ReadError, RecordStore, rollups};
use crate::db::Engine;

/// How many records or runs one transaction deletes.
const CHUNK_ROWS: u64 = 1_000;
/// How long ingest has the database to itself between two of them.
const PAUSE: Duration = Duration::from_millis(5);
/// How many free pages of SQLite's file are given back at once.
const VACUUM_PAGES: u32 = 500;

/// The oldest records of a pipeline that are to go.
struct Oldest {
    last_seq: i64,
    /// Their numbers and times.
    records: Vec<(i64, i64)>,
    bytes: i64,
}

impl Oldest {
    fn count(&self) -> i64 {
        i64::try_from(self.records.len()).unwrap_or(i64::MAX)
    }
}

impl RecordStore {
    /// Deletes the records of a pipeline that came in before `before_ms`, and its runs that ended
    /// before. Returns how many records there were.
    pub async fn trim(&self, pipeline_id: PipelineId, before_ms: i64) -> Result<i64, ReadError> {
        let mut trimmed = 0;
        while let Some(oldest) = self.oldest(pipeline_id, before_ms).await? {
            let transaction = self.db.begin_write().await?;
            let backend = transaction.get_database_backend();
            let id = Value::from(pipeline_id.uuid());
            rollups::mark(&transaction, pipeline_id, &oldest.records).await?;
            let deleted = transaction
                .execute_raw(Statement::from_sql_and_values(
                    backend,
                    format!("DELETE FROM records WHERE {OF_SERIES} AND seq <= $2"),
                    [id.clone(), oldest.last_seq.into()],
                ))
                .await?;
            if deleted.rows_affected() != oldest.records.len() as u64 {
                // Somebody else was here meanwhile. Dropped, the transaction is undone.
                continue;
            }
            forget_keys(&*transaction, pipeline_id, 0..=oldest.last_seq).await?;
            transaction
                .execute_raw(Statement::from_sql_and_values(
                    backend,
                    "UPDATE series SET record_count = record_count - $2, \
                     stored_bytes = stored_bytes - $3 WHERE pipeline_id = $1",
                    [id, oldest.count().into(), oldest.bytes.into()],
                ))
                .await?;
            transaction.commit().await?;
            trimmed += oldest.count();
            tokio::time::sleep(PAUSE).await;
        }
        self.trim_runs(pipeline_id, before_ms).await?;
        self.trim_received(pipeline_id, before_ms).await?;
        self.trim_failures(pipeline_id).await?;
        // Also what an earlier call that was broken off has left.
        self.rollups.refresh(pipeline_id).await?;
        if trimmed > 0 {
            self.tell_deleted(pipeline_id).await?;
            self.give_space_back().await?;
        }
        Ok(trimmed)
    }

    /// Counts what the roll-ups of a pipeline have not counted yet.
    pub async fn catch_up_rollups(&self, pipeline_id: PipelineId) -> Result<(), ReadError> {
        self.rollups.catch_up(pipeline_id).await
    }

    /// Throws the roll-ups of all pipelines away and makes them from the records again. Returns how
    /// many there are.
    pub async fn rebuild_rollups(&self) -> Result<usize, ReadError> {
        let mut views = 0;
        for pipeline_id in self.rollups.pipelines_with_views().await? {
            views += self.rollups.rebuild(pipeline_id).await?;
        }
        Ok(views)
    }

    /// Tidies up what belongs to no single pipeline: roll-ups that nobody uses.
    pub async fn tidy(&self) -> Result<(), ReadError> {
        self.rollups.tidy(self.clock.now_ms()).await
    }

    /// A chunk of the oldest records, as far as they came in before `before_ms`.
    async fn oldest(
        &self,
        pipeline_id: PipelineId,
        before_ms: i64,
    ) -> Result<Option<Oldest>, ReadError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT seq, time_ms, received_at_ms, \
                     CAST(octet_length(fields) AS BIGINT) AS bytes \
                     FROM records WHERE {OF_SERIES} ORDER BY seq LIMIT $2"
                ),
                [
                    pipeline_id.uuid().into(),
                    i64::try_from(CHUNK_ROWS).unwrap_or(i64::MAX).into(),
                ],
            ))
            .await?;
        let mut oldest = Oldest {
            last_seq: 0,
            records: Vec::new(),
            bytes: 0,
        };
        for row in rows {
            if row.try_get::<i64>("", "received_at_ms")? >= before_ms {
                break;
            }
            oldest.last_seq = row.try_get("", "seq")?;
            oldest
                .records
                .push((oldest.last_seq, row.try_get("", "time_ms")?));
            oldest.bytes += row.try_get::<i64>("", "bytes")?;
        }
        Ok((!oldest.records.is_empty()).then_some(oldest))
    }

    async fn trim_runs(&self, pipeline_id: PipelineId, before_ms: i64) -> Result<(), ReadError> {
        loop {
            let transaction = self.db.begin_write().await?;
            let deleted = transaction
                .execute_raw(Statement::from_sql_and_values(
                    transaction.get_database_backend(),
                    "DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE pipeline_id = $1 \
                     AND finished_at_ms < $2 ORDER BY id LIMIT $3)",
                    [
                        pipeline_id.uuid().into(),
                        before_ms.into(),
                        i64::try_from(CHUNK_ROWS).unwrap_or(i64::MAX).into(),
                    ],
                ))
                .await?;
            transaction.commit().await?;
            if deleted.rows_affected() < CHUNK_ROWS {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn trim_received(
        &self,
        pipeline_id: PipelineId,
        before_ms: i64,
    ) -> Result<(), ReadError> {
        loop {
            let transaction = self.db.begin_write().await?;
            let deleted = transaction
                .execute_raw(Statement::from_sql_and_values(
                    transaction.get_database_backend(),
                    format!(
                        "DELETE FROM received_batches WHERE {OF_SERIES} AND id IN (\
                         SELECT id FROM received_batches WHERE {OF_SERIES} \
                         AND received_at_ms < $2 ORDER BY received_at_ms LIMIT $3)"
                    ),
                    [
                        pipeline_id.uuid().into(),
                        before_ms.into(),
                        i64::try_from(CHUNK_ROWS).unwrap_or(i64::MAX).into(),
                    ],
                ))
                .await?;
            transaction.commit().await?;
            if deleted.rows_affected() < CHUNK_ROWS {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Makes SQLite's file smaller by what is free in it, some pages at a time; PostgreSQL sees to
    /// that by itself.
    async fn give_space_back(&self) -> Result<(), ReadError> {
        if self.db.engine() != Engine::Sqlite {
            return Ok(());
        }
        for _ in 0..self.free_pages().await?.div_ceil(VACUUM_PAGES) {
            let writer = self.db.lock_writer().await?;
            let writing = self.db.writing();
            writing
                .execute_unprepared(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"))
                .await?;
            drop(writer);
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn free_pages(&self) -> Result<u32, ReadError> {
        let orm = self.db.orm();
        let row = orm
            .query_one_raw(Statement::from_string(
                orm.get_database_backend(),
                "SELECT freelist_count FROM pragma_freelist_count",
            ))
            .await?;
        let pages: i64 = row.map_or(Ok(0), |row| row.try_get("", "freelist_count"))?;
        Ok(u32::try_from(pages).unwrap_or(u32::MAX))
    }
}
