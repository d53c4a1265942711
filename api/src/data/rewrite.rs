//! Making a pipeline's records anew from what it received, beside the ones that are shown: first it
//! is counted how many there will be, then they are written under an id of their own, what came in
//! meanwhile is copied, and in one transaction the series says that they are its records now.
//!
//! Every step is one transaction that moves the rewrite on, from a number that only one can be the
//! first to leave: killed anywhere, it goes on where it was, and two processes cannot do the same.

use dash_shared::ids::PipelineId;
use sea_orm::{ConnectionTrait, DbErr, QueryResult as Row, Statement, Value};
use uuid::Uuid;

use super::bulk::Batch;
use super::commit::RECORDS;
use super::read::OF_SERIES;
use super::received::{self, NewBatch, Place, ReceivedBatch};
use super::write::NewRecord;
use super::{ReadError, RecordStore};
use crate::db::WriteTransaction;

/// How many records are copied in one transaction.
const COPIED: i64 = 2_000;
/// How many may be left to copy when the new series takes the old one's place.
const COPIED_AT_LAST: i64 = 500;
/// How many records of a series that is shown no more are deleted in one transaction.
const DELETED: i64 = 2_000;

/// How far a rewrite has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewritePhase {
    /// It is counted how many records there will be.
    Counting,
    /// They are written.
    Writing,
    /// What came in meanwhile is copied.
    Copying,
    /// The new records are shown.
    Done,
    /// It had to be given up.
    Failed,
}

impl RewritePhase {
    const ALL: [Self; 5] = [
        Self::Counting,
        Self::Writing,
        Self::Copying,
        Self::Done,
        Self::Failed,
    ];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counting => "counting",
            Self::Writing => "writing",
            Self::Copying => "copying",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Whether there is something left to do.
    pub const fn is_running(self) -> bool {
        !matches!(self, Self::Done | Self::Failed)
    }
}

/// A pipeline's records being made anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The pipeline.
    pub pipeline_id: PipelineId,
    /// Under which id the new records are stored.
    pub storage_id: PipelineId,
    /// The version of the pipeline whose steps make them.
    pub version: i32,
    /// How far it has come.
    pub phase: RewritePhase,
    /// Why it was given up; empty if it was not.
    pub problem: String,
    /// The last record that is made anew; later ones are copied.
    pub base_seq: i64,
    /// Up to where what was received has been read, in this phase.
    pub place: Place,
    /// How many events have been read, in this phase.
    pub events: i64,
    /// How many events were read by counting.
    pub counted: i64,
    /// How many records there are: counted, then written.
    pub written: i64,
    /// How many events failed.
    pub failed: i64,
    /// How many events were left out by a step.
    pub dropped: i64,
    /// How many bytes the new records have.
    pub stored_bytes: i64,
    /// The number of the next new record.
    pub next_seq: i64,
    /// By how much the numbers of later records grow, since there are more records than there were.
    pub shift: i64,
    /// The last record that was copied.
    pub copied_seq: i64,
    /// What the transform remembers, in the engine's form.
    pub state: Vec<u8>,
    /// Counts its transactions.
    step: i64,
    /// When it began, in milliseconds since 1970.
    pub started_at_ms: i64,
    /// When it last moved on, in milliseconds since 1970.
    pub updated_at_ms: i64,
}

/// What a chunk of events became.
#[derive(Debug)]
pub struct Rewritten {
    /// The records, each with the events that came in together and what they became.
    pub batches: Vec<(ReceivedBatch, Vec<NewRecord>)>,
    /// Where to read on.
    pub place: Place,
    /// How many events there were.
    pub events: i64,
    /// How many of them failed.
    pub failed: i64,
    /// How many were left out by a step.
    pub dropped: i64,
    /// What the transform remembers now.
    pub state: Vec<u8>,
}

impl Rewritten {
    fn records(&self) -> i64 {
        let records = self.batches.iter().map(|(_, records)| records.len()).sum();
        to_i64(records)
    }
}

/// Whether a rewrite that moved on can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It can.
    On,
    /// Somebody else moved it, or it is gone.
    Lost,
}

const COLUMNS: &str = "pipeline_id, storage_id, version, phase, problem, base_seq, place_seq, \
    place_batch, place_id, events, counted, written, failed, dropped, stored_bytes, next_seq, \
    shift, copied_seq, state, step, started_at_ms, updated_at_ms";

impl Rewrite {
    fn from_row(row: &Row) -> Result<Self, ReadError> {
        let phase: String = row.try_get("", "phase")?;
        let storage: Uuid = row.try_get("", "storage_id")?;
        Ok(Self {
            pipeline_id: PipelineId::from_uuid(row.try_get("", "pipeline_id")?),
            storage_id: PipelineId::from_uuid(storage),
            version: row.try_get("", "version")?,
            phase: RewritePhase::ALL
                .into_iter()
                .find(|known| known.as_str() == phase)
                .ok_or_else(|| ReadError::Damaged(format!("unknown word {phase}")))?,
            problem: row.try_get("", "problem")?,
            base_seq: row.try_get("", "base_seq")?,
            place: Place {
                next_seq: row.try_get("", "place_seq")?,
                batch: (
                    row.try_get("", "place_batch")?,
                    row.try_get("", "place_id")?,
                ),
            },
            events: row.try_get("", "events")?,
            counted: row.try_get("", "counted")?,
            written: row.try_get("", "written")?,
            failed: row.try_get("", "failed")?,
            dropped: row.try_get("", "dropped")?,
            stored_bytes: row.try_get("", "stored_bytes")?,
            next_seq: row.try_get("", "next_seq")?,
            shift: row.try_get("", "shift")?,
            copied_seq: row.try_get("", "copied_seq")?,
            state: row.try_get("", "state")?,
            step: row.try_get("", "step")?,
            started_at_ms: row.try_get("", "started_at_ms")?,
            updated_at_ms: row.try_get("", "updated_at_ms")?,
        })
    }

    fn values(&self) -> Vec<Value> {
        vec![
            self.pipeline_id.uuid().into(),
            self.storage_id.uuid().into(),
            self.version.into(),
            self.phase.as_str().into(),
            self.problem.clone().into(),
            self.base_seq.into(),
            self.place.next_seq.into(),
            self.place.batch.0.into(),
            self.place.batch.1.into(),
            self.events.into(),
            self.counted.into(),
            self.written.into(),
            self.failed.into(),
            self.dropped.into(),
            self.stored_bytes.into(),
            self.next_seq.into(),
            self.shift.into(),
            self.copied_seq.into(),
            self.state.clone().into(),
            self.step.into(),
            self.started_at_ms.into(),
            self.updated_at_ms.into(),
        ]
    }

    /// Begins to read what was received from the beginning.
    fn begin_reading(&mut self) {
        self.place = Place::default();
        self.events = 0;
        self.failed = 0;
        self.dropped = 0;
        self.state = Vec::new();
    }
}

impl RecordStore {
    /// How far the records of a pipeline are made anew, or were the last time.
    pub async fn rewrite(&self, pipeline_id: PipelineId) -> Result<Option<Rewrite>, ReadError> {
        let orm = self.db.orm();
        orm.query_one_raw(Statement::from_sql_and_values(
            orm.get_database_backend(),
            format!("SELECT {COLUMNS} FROM rewrites WHERE pipeline_id = $1"),
            [pipeline_id.uuid().into()],
        ))
        .await?
        .map(|row| Rewrite::from_row(&row))
        .transpose()
    }

    /// Begins to make the records of a pipeline anew, within the caller's transaction. Where an
    /// earlier attempt has left records is returned, to be deleted.
    pub async fn begin_rewrite(
        &self,
        transaction: &WriteTransaction,
        pipeline_id: PipelineId,
        version: i32,
    ) -> Result<Option<PipelineId>, ReadError> {
        let before = self.rewrite(pipeline_id).await?;
        let now_ms = self.clock.now_ms();
        // A number is left out: what came in so far and became nothing is told from what comes now.
        let row = transaction
            .query_one_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                "UPDATE series SET last_seq = last_seq + 1 WHERE pipeline_id = $1 \
                 RETURNING last_seq",
                [pipeline_id.uuid().into()],
            ))
            .await?;
        let base_seq: i64 = row.map_or(Ok(0), |row| row.try_get("", "last_seq"))?;
        let rewrite = Rewrite {
            pipeline_id,
            storage_id: PipelineId::new(),
            version,
            phase: RewritePhase::Counting,
            problem: String::new(),
            base_seq,
            place: Place::default(),
            events: 0,
            counted: 0,
            written: 0,
            failed: 0,
            dropped: 0,
            stored_bytes: 0,
            next_seq: 1,
            shift: 0,
            copied_seq: base_seq,
            state: Vec::new(),
            step: 0,
            started_at_ms: now_ms,
            updated_at_ms: now_ms,
        };
        let places: Vec<_> = (1..=rewrite.values().len())
            .map(|place| format!("${place}"))
            .collect();
        execute(
            transaction,
            "DELETE FROM rewrites WHERE pipeline_id = $1",
            vec![pipeline_id.uuid().into()],
        )
        .await?;
        let sql = format!(
            "INSERT INTO rewrites ({COLUMNS}) VALUES ({})",
            places.join(", ")
        );
        execute(transaction, &sql, rewrite.values()).await?;
        Ok(before
            .filter(|before| before.phase != RewritePhase::Done)
            .map(|before| before.storage_id))
    }

    /// Notes a chunk: while counting how many records there will be, then the records themselves.
    pub async fn move_rewrite(
        &self,
        rewrite: &mut Rewrite,
        chunk: Rewritten,
    ) -> Result<Moved, ReadError> {
        let transaction = self.db.begin_write().await?;
        rewrite.written += chunk.records();
        rewrite.events += chunk.events;
        rewrite.failed += chunk.failed;
        rewrite.dropped += chunk.dropped;
        rewrite.place = chunk.place;
        rewrite.state = chunk.state;
        if rewrite.phase == RewritePhase::Writing {
            let mut batch = Batch::new(transaction.get_database_backend());
            let (mut rows, mut received) = (Vec::new(), Vec::new());
            for (events, records) in chunk.batches {
                received.push(NewBatch {
                    storage_id: rewrite.storage_id,
                    first_seq: rewrite.next_seq,
                    records: to_i64(records.len()),
                    batch: events,
                });
                for record in records {
                    rewrite.stored_bytes += to_i64(record.json.len());
                    rows.push([
                        rewrite.storage_id.uuid().into(),
                        rewrite.next_seq.into(),
                        record.time_ms.into(),
                        record.received_at_ms.into(),
                        record.json.into(),
                    ]);
                    rewrite.next_seq += 1;
                }
            }
            batch.add(&RECORDS, rows);
            received::keep(&mut batch, received);
            batch.run(&*transaction).await?;
        }
        self.save(transaction, rewrite).await
    }

    /// Goes from counting to writing: the new records end with the number of the last old one, so
    /// that whoever has read up to there has read them. When there are more than there were, the
    /// numbers of what comes later grow.
    pub async fn begin_writing(&self, rewrite: &mut Rewrite) -> Result<Moved, ReadError> {
        let transaction = self.db.begin_write().await?;
        let records = rewrite.written;
        rewrite.phase = RewritePhase::Writing;
        rewrite.counted = rewrite.events;
        rewrite.next_seq = (rewrite.base_seq - records).max(0) + 1;
        rewrite.shift = (records - rewrite.base_seq).max(0);
        rewrite.written = 0;
        rewrite.begin_reading();
        self.save(transaction, rewrite).await
    }

    /// Goes from writing to copying what came in since the rewrite began.
    pub async fn begin_copying(&self, rewrite: &mut Rewrite) -> Result<Moved, ReadError> {
        let transaction = self.db.begin_write().await?;
        rewrite.phase = RewritePhase::Copying;
        rewrite.state = Vec::new();
        if rewrite.next_seq - 1 > rewrite.base_seq + rewrite.shift {
            rewrite.phase = RewritePhase::Failed;
            "There were more records than were counted before. Start again."
                .clone_into(&mut rewrite.problem);
        }
        self.save(transaction, rewrite).await
    }

    /// Copies some of what came in since the rewrite began; true when there is much left.
    pub async fn copy_for_rewrite(
        &self,
        rewrite: &mut Rewrite,
    ) -> Result<(Moved, bool), ReadError> {
        let last_seq = self.totals_of(rewrite.pipeline_id).await?.last_seq;
        let up_to = last_seq.min(rewrite.copied_seq + COPIED);
        let transaction = self.db.begin_write().await?;
        copy(&transaction, rewrite, (up_to, up_to)).await?;
        let moved = self.save(transaction, rewrite).await?;
        Ok((moved, last_seq - up_to > COPIED_AT_LAST))
    }

    /// Shows the new records in place of the old ones, within the caller's transaction, which holds
    /// the pipeline. Returns under which id the old ones are stored.
    pub async fn finish_rewrite(
        &self,
        transaction: &WriteTransaction,
        rewrite: &mut Rewrite,
    ) -> Result<Option<PipelineId>, ReadError> {
        let id = rewrite.pipeline_id;
        // Views are locked before the series everywhere.
        execute(
            transaction,
            "UPDATE rollup_views SET state = 'clearing' WHERE pipeline_id = $1 \
             AND state = 'counting'",
            vec![id.uuid().into()],
        )
        .await?;
        let lock = "UPDATE series SET revision = revision + 1 WHERE pipeline_id = $1 \
                    RETURNING last_seq, COALESCE(storage_id, pipeline_id) AS storage_id";
        let row = transaction
            .query_one_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                lock,
                [id.uuid().into()],
            ))
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let last_seq: i64 = row.try_get("", "last_seq")?;
        let old: Uuid = row.try_get("", "storage_id")?;
        // What came in last and became nothing has the number of the next record.
        copy(transaction, rewrite, (last_seq, last_seq + 1)).await?;
        rewrite.phase = RewritePhase::Done;
        execute(
            transaction,
            "UPDATE series SET storage_id = $2, record_count = $3, stored_bytes = $4, \
             last_seq = last_seq + $5 WHERE pipeline_id = $1",
            vec![
                id.uuid().into(),
                rewrite.storage_id.uuid().into(),
                rewrite.written.into(),
                rewrite.stored_bytes.into(),
                rewrite.shift.into(),
            ],
        )
        .await?;
        move_cursors(transaction, rewrite).await?;
        match self.update(transaction, rewrite).await? {
            Moved::On => Ok(Some(PipelineId::from_uuid(old))),
            Moved::Lost => Ok(None),
        }
    }

    /// Tells those who follow that a pipeline's records are others now, and counts them.
    pub async fn tell_rewritten(&self, pipeline_id: PipelineId) -> Result<(), ReadError> {
        self.tell_deleted(pipeline_id).await?;
        self.rollups.rebuild_cleared(pipeline_id).await?;
        Ok(())
    }

    /// Gives a rewrite up; its records can be deleted then.
    pub async fn fail_rewrite(
        &self,
        rewrite: &mut Rewrite,
        problem: &str,
    ) -> Result<Moved, ReadError> {
        let transaction = self.db.begin_write().await?;
        rewrite.phase = RewritePhase::Failed;
        problem.clone_into(&mut rewrite.problem);
        self.save(transaction, rewrite).await
    }

    /// Deletes records that are shown no more, by the id under which they are stored, in chunks.
    pub async fn purge_storage(&self, storage_id: PipelineId) -> Result<(), ReadError> {
        for (table, order) in [("records", "seq"), ("received_batches", "first_seq")] {
            loop {
                let transaction = self.db.begin_write().await?;
                let sql = format!(
                    "DELETE FROM {table} WHERE pipeline_id = $1 AND {order} IN (\
                     SELECT {order} FROM {table} WHERE pipeline_id = $1 ORDER BY {order} LIMIT $2)"
                );
                let values = vec![storage_id.uuid().into(), DELETED.into()];
                let deleted = execute(&transaction, &sql, values).await?;
                transaction.commit().await?;
                if deleted == 0 {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    async fn save(
        &self,
        transaction: WriteTransaction,
        rewrite: &mut Rewrite,
    ) -> Result<Moved, ReadError> {
        let moved = self.update(&transaction, rewrite).await?;
        // Dropped, the transaction of who came second is undone.
        if moved == Moved::On {
            transaction.commit().await?;
        }
        Ok(moved)
    }

    async fn update(
        &self,
        transaction: &WriteTransaction,
        rewrite: &mut Rewrite,
    ) -> Result<Moved, ReadError> {
        let before = rewrite.step;
        rewrite.step += 1;
        rewrite.updated_at_ms = self.clock.now_ms();
        let mut values = rewrite.values();
        let columns = COLUMNS.split(", ").enumerate();
        let sets: Vec<_> = columns
            .skip(2)
            .map(|(index, column)| format!("{} = ${}", column.trim(), index + 1))
            .collect();
        let sql = format!(
            "UPDATE rewrites SET {} WHERE pipeline_id = $1 AND storage_id = $2 AND step = ${}",
            sets.join(", "),
            values.len() + 1
        );
        values.push(before.into());
        let updated = execute(transaction, &sql, values).await?;
        Ok(if updated == 1 { Moved::On } else { Moved::Lost })
    }
}

/// Copies the records after the last one that was copied, and what they were made of.
async fn copy(
    transaction: &WriteTransaction,
    rewrite: &mut Rewrite,
    (up_to, batches_up_to): (i64, i64),
) -> Result<(), ReadError> {
    if batches_up_to <= rewrite.copied_seq {
        return Ok(());
    }
    let backend = transaction.get_database_backend();
    let id = rewrite.pipeline_id.uuid();
    let row = transaction
        .query_one_raw(Statement::from_sql_and_values(
            backend,
            format!(
                "SELECT COUNT(*) AS records, \
                 CAST(COALESCE(SUM(octet_length(fields)), 0) AS BIGINT) AS bytes \
                 FROM records WHERE {OF_SERIES} AND seq > $2 AND seq <= $3"
            ),
            [id.into(), rewrite.copied_seq.into(), up_to.into()],
        ))
        .await?;
    for (table, number, columns, up_to) in [
        ("records", "seq", "time_ms, received_at_ms, fields", up_to),
        (
            "received_batches",
            "first_seq",
            "id, records, received_at_ms, events, bytes, body",
            batches_up_to,
        ),
    ] {
        let (uuid, bigint) = match backend {
            sea_orm::DbBackend::Postgres => ("$2::uuid", "$5::bigint"),
            _ => ("$2", "$5"),
        };
        let sql = format!(
            "INSERT INTO {table} (pipeline_id, {number}, {columns}) \
             SELECT {uuid}, {number} + {bigint}, {columns} FROM {table} \
             WHERE {OF_SERIES} AND {number} > $3 AND {number} <= $4"
        );
        let values: Vec<Value> = vec![
            id.into(),
            rewrite.storage_id.uuid().into(),
            rewrite.copied_seq.into(),
            up_to.into(),
            rewrite.shift.into(),
        ];
        execute(transaction, &sql, values).await?;
    }
    if let Some(row) = row {
        rewrite.written += row.try_get::<i64>("", "records")?;
        rewrite.stored_bytes += row.try_get::<i64>("", "bytes")?;
    }
    rewrite.copied_seq = up_to;
    Ok(())
}

/// Who keeps numbers of records: where numbers grow, theirs grow with them, so that nobody is sent
/// a second time what was there before.
async fn move_cursors(transaction: &WriteTransaction, rewrite: &Rewrite) -> Result<(), ReadError> {
    /// What stands for no number is far beyond all numbers.
    const NUMBERS_END: i64 = i64::MAX / 2;
    if rewrite.shift == 0 {
        return Ok(());
    }
    for (table, columns, whose) in [
        (
            "sinks",
            ["cursor_seq", "wake_seq"].as_slice(),
            "pipeline_id = $1",
        ),
        ("relays", &["position"], "upstream_id = $1"),
        (
            "deliveries",
            &["first_seq", "last_seq"],
            "sink_id IN (SELECT id FROM sinks WHERE pipeline_id = $1)",
        ),
    ] {
        let sets = columns.iter().map(|column| {
            format!("{column} = CASE WHEN {column} > $3 THEN {column} ELSE {column} + $2 END")
        });
        let sets: Vec<_> = sets.collect();
        let sql = format!("UPDATE {table} SET {} WHERE {whose}", sets.join(", "));
        let values: Vec<Value> = vec![
            rewrite.pipeline_id.uuid().into(),
            rewrite.shift.into(),
            NUMBERS_END.into(),
        ];
        execute(transaction, &sql, values).await?;
    }
    Ok(())
}

async fn execute(
    transaction: &WriteTransaction,
    sql: &str,
    values: Vec<Value>,
) -> Result<u64, DbErr> {
    let backend = transaction.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, sql, values);
    Ok(transaction.execute_raw(statement).await?.rows_affected())
}

fn to_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
