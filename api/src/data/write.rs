//! The write path: a bounded queue, one writer, one transaction for all that is waiting (group
//! commit). An append is acknowledged only after its transaction is durable; then its followers
//! are told, in the order of commits.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dash_shared::fields::Fields;
use dash_shared::ids::{PipelineId, RunId};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::StoredRecord;
use super::live::{Committed, Hub};
use super::rollups::Rollups;
use super::runs::{MAX_RECORD_ERRORS, NewRun, Run};
use super::usage;
use crate::db::Db;

/// How many appends wait at most.
const QUEUE_APPENDS: usize = 1_024;
/// How many bytes of records wait at most; a single append may have more.
const QUEUE_BYTES: usize = 16 * 1024 * 1024;
const ROOM_UNIT: usize = 1_024;
/// How many records one transaction stores, unless a single append has more.
const MAX_COMMIT_RECORDS: usize = 10_000;
/// How many rows one INSERT statement has.
const INSERT_ROWS: usize = 200;
/// How long an append waits for a place in the queue before it is told to come back.
const QUEUE_WAIT: Duration = Duration::from_secs(2);

/// A record that is about to be stored.
#[derive(Clone, Debug)]
pub struct NewRecord {
    /// When it happened, in milliseconds since 1970.
    pub time_ms: i64,
    /// When it came in, in milliseconds since 1970.
    pub received_at_ms: i64,
    /// What it holds.
    pub fields: Arc<Fields>,
    /// The same as JSON text, the form it is stored in.
    pub json: String,
}

/// A run and its records, to be stored together.
#[derive(Clone, Debug)]
pub struct Append {
    /// The run.
    pub run: NewRun,
    /// Its records, in order.
    pub records: Vec<NewRecord>,
}

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The run it was stored with; none when a run with the same batch key was there already.
    pub run_id: Option<RunId>,
    /// How many records were stored.
    pub stored: usize,
}

/// Why an append was not stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    /// More is waiting than the queue holds.
    #[error("too much is waiting to be stored")]
    Busy,
    /// The store is being closed.
    #[error("the store is closing")]
    Closed,
    /// The database failed; nothing of the append is stored.
    #[error("the database failed")]
    Database(#[from] Arc<DbErr>),
}

struct Request {
    append: Append,
    /// Its share of the memory that may wait; given back when it is stored.
    room: OwnedSemaphorePermit,
    reply: oneshot::Sender<Result<Appended, WriteError>>,
}

/// The queue's near end. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    /// Taken away when the store closes; the writer ends when it has emptied the queue.
    queue: Arc<Mutex<Option<mpsc::Sender<Request>>>>,
    /// Room for what waits, in units of [`ROOM_UNIT`] bytes.
    room: Arc<Semaphore>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.append.fmt(f)
    }
}

impl Writer {
    pub(super) fn start(db: Db, hub: Hub, rollups: Rollups, tasks: &TaskTracker) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_APPENDS);
        tasks.spawn(run(db, hub, rollups, receiver));
        Self {
            queue: Arc::new(Mutex::new(Some(sender))),
            room: Arc::new(Semaphore::new(QUEUE_BYTES / ROOM_UNIT)),
        }
    }

    pub(super) async fn append(&self, append: Append) -> Result<Appended, WriteError> {
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let queue = queue.ok_or(WriteError::Closed)?;
        let (reply, replied) = oneshot::channel();
        let enqueued = timeout(QUEUE_WAIT, async {
            let room = Arc::clone(&self.room).acquire_many_owned(units(&append));
            let room = room.await.map_err(|_| WriteError::Closed)?;
            let request = Request {
                append,
                room,
                reply,
            };
            queue.send(request).await.map_err(|_| WriteError::Closed)
        });
        enqueued.await.map_err(|_| WriteError::Busy)??;
        drop(queue);
        replied.await.map_err(|_| WriteError::Closed)?
    }

    pub(super) fn close(&self) {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    pub(super) fn queue_length(&self) -> usize {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue
            .as_ref()
            .map_or(0, |queue| queue.max_capacity() - queue.capacity())
    }
}

/// The room that an append takes.
fn units(append: &Append) -> u32 {
    let bytes: usize = append.records.iter().map(|record| record.json.len()).sum();
    let units = bytes.div_ceil(ROOM_UNIT).clamp(1, QUEUE_BYTES / ROOM_UNIT);
    u32::try_from(units).unwrap_or(u32::MAX)
}

async fn run(db: Db, hub: Hub, rollups: Rollups, mut queue: mpsc::Receiver<Request>) {
    while let Some(first) = queue.recv().await {
        let mut records = first.append.records.len();
        let mut requests = vec![first];
        while records < MAX_COMMIT_RECORDS
            && let Ok(next) = queue.try_recv()
        {
            records += next.append.records.len();
            requests.push(next);
        }
        metrics::histogram!("dash_commit_records").record(to_f64(records));
        store(&db, &hub, &rollups, requests).await;
    }
}

#[expect(clippy::cast_precision_loss, reason = "a metric of small counts")]
fn to_f64(count: usize) -> f64 {
    count as f64
}

/// Stores the requests in one transaction. When that fails, each alone: one that the database
/// refuses must not take the others with it.
async fn store(db: &Db, hub: &Hub, rollups: &Rollups, requests: Vec<Request>) {
    // The room is given back when this ends.
    let (mut appends, mut replies, mut rooms) = (Vec::new(), Vec::new(), Vec::new());
    for request in requests {
        appends.push(request.append);
        replies.push(request.reply);
        rooms.push(request.room);
    }
    let alone = appends.len() == 1;
    let kept = if alone { Vec::new() } else { appends.clone() };
    match commit(db, appends).await {
        Ok(outcome) => {
            outcome.publish(hub, rollups);
            for (reply, appended) in replies.into_iter().zip(outcome.appended) {
                // Whoever asked may have gone; the records are stored all the same.
                let _ = reply.send(Ok(appended));
            }
        }
        // Whether a commit that failed was one after all is not known: doing it again could store
        // everything twice. Whoever sent it is not told that it is stored.
        Err(failure) if alone || failure.in_doubt => {
            let error = failure.error;
            tracing::error!(%error, "records could not be stored");
            let error = WriteError::Database(Arc::new(error));
            for reply in replies {
                let _ = reply.send(Err(error.clone()));
            }
        }
        Err(failure) => {
            let error = failure.error;
            tracing::warn!(%error, appends = kept.len(), "a group commit failed, trying one by one");
            for ((append, room), reply) in kept.into_iter().zip(rooms).zip(replies) {
                let request = Request {
                    append,
                    room,
                    reply,
                };
                Box::pin(store(db, hub, rollups, vec![request])).await;
            }
        }
    }
}

/// Appends that become one run: all those to one pipeline that have no key, or a single one.
struct Group {
    run: NewRun,
    records: Vec<NewRecord>,
    /// The places of the appends among the requests, with how many records each has.
    members: Vec<(usize, usize)>,
}

/// Why a transaction is not committed, or not known to be.
struct CommitFailure {
    error: DbErr,
    in_doubt: bool,
}

impl From<DbErr> for CommitFailure {
    fn from(error: DbErr) -> Self {
        Self {
            error,
            in_doubt: false,
        }
    }
}

struct Outcome {
    committed: Vec<Committed>,
    appended: Vec<Appended>,
}

impl Outcome {
    fn publish(&self, hub: &Hub, rollups: &Rollups) {
        for committed in &self.committed {
            rollups.note(committed);
            hub.publish(committed.clone());
        }
    }
}

fn group(appends: Vec<Append>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut mergeable: BTreeMap<PipelineId, usize> = BTreeMap::new();
    for (place, append) in appends.into_iter().enumerate() {
        let member = (place, append.records.len());
        if append.run.batch_key.is_none() {
            if let Some(group) = mergeable
                .get(&append.run.pipeline_id)
                .and_then(|index| groups.get_mut(*index))
            {
                group.merge(append);
                group.members.push(member);
                continue;
            }
            mergeable.insert(append.run.pipeline_id, groups.len());
        }
        groups.push(Group {
            run: append.run,
            records: append.records,
            members: vec![member],
        });
    }
    // The rows of `series` are locked in one order everywhere, so that two processes that store to
    // the same pipelines cannot wait for each other. The sort is stable.
    groups.sort_by_key(|group| group.run.pipeline_id);
    groups
}

impl Group {
    fn merge(&mut self, append: Append) {
        self.records.extend(append.records);
        let (run, other) = (&mut self.run, append.run);
        run.started_at_ms = run.started_at_ms.min(other.started_at_ms);
        run.finished_at_ms = run.finished_at_ms.max(other.finished_at_ms);
        run.received += other.received;
        run.dropped += other.dropped;
        run.failed += other.failed;
        let room = MAX_RECORD_ERRORS.saturating_sub(run.record_errors.len());
        run.record_errors
            .extend(other.record_errors.into_iter().take(room));
    }
}

async fn commit(db: &Db, appends: Vec<Append>) -> Result<Outcome, CommitFailure> {
    let mut appended = vec![
        Appended {
            run_id: None,
            stored: 0
        };
        appends.len()
    ];
    let mut committed = Vec::new();
    let transaction = db.begin_write().await?;
    let backend = transaction.get_database_backend();
    for group in group(appends) {
        let bytes: usize = group.records.iter().map(|record| record.json.len()).sum();
        let batch_key = group.run.batch_key.clone();
        let run = Run::from_new(group.run, to_i64(group.records.len()), to_i64(bytes));
        if !run
            .insert(batch_key.as_deref(), &*transaction, backend)
            .await?
        {
            continue;
        }
        let (records, revision) = if group.records.is_empty() {
            (Vec::new(), 0)
        } else {
            let inserted = insert_records(&*transaction, &run, group.records).await?;
            usage::count(&*transaction, &run).await?;
            inserted
        };
        for (place, stored) in group.members {
            if let Some(appended) = appended.get_mut(place) {
                *appended = Appended {
                    run_id: Some(run.id),
                    stored,
                };
            }
        }
        committed.push(Committed {
            pipeline_id: run.pipeline_id,
            run: Arc::new(run),
            records: records.into(),
            revision,
        });
    }
    transaction.commit().await.map_err(|error| CommitFailure {
        error,
        in_doubt: true,
    })?;
    Ok(Outcome {
        committed,
        appended,
    })
}

fn to_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

async fn insert_records(
    connection: &impl ConnectionTrait,
    run: &Run,
    records: Vec<NewRecord>,
) -> Result<(Vec<StoredRecord>, i64), DbErr> {
    let backend = connection.get_database_backend();
    let last_received = records.iter().map(|record| record.received_at_ms).max();
    // Taking the numbers locks the series until the commit: numbers follow the order of commits.
    let row = connection
        .query_one_raw(Statement::from_sql_and_values(
            backend,
            "INSERT INTO series (pipeline_id, last_seq, record_count, stored_bytes, \
             last_received_at_ms) VALUES ($1, $2, $2, $3, $4) \
             ON CONFLICT (pipeline_id) DO UPDATE SET \
             last_seq = series.last_seq + excluded.last_seq, \
             record_count = series.record_count + excluded.record_count, \
             stored_bytes = series.stored_bytes + excluded.stored_bytes, \
             last_received_at_ms = excluded.last_received_at_ms \
             RETURNING last_seq, revision",
            [
                run.pipeline_id.uuid().into(),
                run.stored.into(),
                run.stored_bytes.into(),
                last_received.into(),
            ],
        ))
        .await?
        .ok_or_else(|| DbErr::RecordNotInserted)?;
    let last_seq: i64 = row.try_get("", "last_seq")?;
    let revision: i64 = row.try_get("", "revision")?;
    let first_seq = last_seq - run.stored + 1;
    let (stored, texts): (Vec<StoredRecord>, Vec<String>) = (first_seq..)
        .zip(records)
        .map(|(seq, record)| {
            let stored = StoredRecord {
                seq,
                time_ms: record.time_ms,
                received_at_ms: record.received_at_ms,
                fields: record.fields,
            };
            (stored, record.json)
        })
        .unzip();
    match backend {
        DbBackend::Postgres => insert_arrays(connection, run, &stored, texts).await?,
        _ => insert_rows(connection, run, &stored, texts).await?,
    }
    Ok((stored, revision))
}

/// PostgreSQL takes each column as one array.
async fn insert_arrays(
    connection: &impl ConnectionTrait,
    run: &Run,
    records: &[StoredRecord],
    texts: Vec<String>,
) -> Result<(), DbErr> {
    let numbers = |of: fn(&StoredRecord) -> i64| -> Value {
        records.iter().map(of).collect::<Vec<i64>>().into()
    };
    connection
        .execute_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            "INSERT INTO records (pipeline_id, seq, time_ms, received_at_ms, fields) \
             SELECT $1, * FROM UNNEST($2::bigint[], $3::bigint[], $4::bigint[], $5::text[])",
            [
                run.pipeline_id.uuid().into(),
                numbers(|record| record.seq),
                numbers(|record| record.time_ms),
                numbers(|record| record.received_at_ms),
                texts.into(),
            ],
        ))
        .await?;
    Ok(())
}

/// SQLite takes some rows at a time; the statement for a full chunk is prepared once.
async fn insert_rows(
    connection: &impl ConnectionTrait,
    run: &Run,
    records: &[StoredRecord],
    texts: Vec<String>,
) -> Result<(), DbErr> {
    let mut rows = records.iter().zip(texts);
    loop {
        let chunk: Vec<_> = rows.by_ref().take(INSERT_ROWS).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        let mut sql = String::with_capacity(80 + chunk.len() * 24);
        sql.push_str(
            "INSERT INTO records (pipeline_id, seq, time_ms, received_at_ms, fields) VALUES ",
        );
        let mut values: Vec<Value> = Vec::with_capacity(1 + chunk.len() * 4);
        values.push(run.pipeline_id.uuid().into());
        for (index, (record, text)) in chunk.into_iter().enumerate() {
            let n = index * 4;
            let comma = if index == 0 { "" } else { ", " };
            // Writing to a String cannot fail.
            let _ = write!(
                sql,
                "{comma}($1, ${}, ${}, ${}, ${})",
                n + 2,
                n + 3,
                n + 4,
                n + 5
            );
            values.push(record.seq.into());
            values.push(record.time_ms.into());
            values.push(record.received_at_ms.into());
            values.push(text.into());
        }
        connection
            .execute_raw(Statement::from_sql_and_values(
                DbBackend::Sqlite,
                sql,
                values,
            ))
            .await?;
    }
}
