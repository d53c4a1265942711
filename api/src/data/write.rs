//! The write path: a bounded queue, one writer, one transaction for all that is waiting (group
//! commit). An append is acknowledged only after its transaction is durable; then its followers
//! are told, in the order of commits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dash_shared::fields::Fields;
use dash_shared::ids::RunId;
use sea_orm::DbErr;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::ReadError;
use super::commit::commit;
use super::failures::NewFailure;
use super::live::{Committed, Hub};
use super::marks::Mark;
use super::received::ReceivedBatch;
use super::record_keys::RecordKey;
use super::relays::NewPosition;
use super::rollups::Rollups;
use super::runs::NewRun;
use super::states::NewState;
use crate::db::{Db, is_unavailable};
use crate::events::Events;

/// How many appends wait at most.
const QUEUE_APPENDS: usize = 1_024;
/// How many bytes of records wait at most; a single append may have more.
const QUEUE_BYTES: usize = 16 * 1024 * 1024;
const ROOM_UNIT: usize = 1_024;
/// How many records one transaction stores, unless a single append has more.
const MAX_COMMIT_RECORDS: usize = 10_000;
/// How long an append waits for a place in the queue before it is told to come back.
const QUEUE_WAIT: Duration = Duration::from_secs(2);
/// How long it waits then to be stored, before nobody can say what will become of it.
const STORE_WAIT: Duration = Duration::from_secs(8);

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
    /// Names it among the pipeline's records: one that has this key already is not stored again.
    /// Without a key nothing is looked for.
    pub key: Option<RecordKey>,
}

/// A run and its records, to be stored together.
#[derive(Clone, Debug)]
pub struct Append {
    /// The run.
    pub run: NewRun,
    /// Its records, in order.
    pub records: Vec<NewRecord>,
    /// The records that failed, in full.
    pub failures: Vec<NewFailure>,
    /// What came in, when the records are not the same.
    pub received: Option<ReceivedBatch>,
    /// What the transform remembers after it.
    pub state: Option<NewState>,
    /// How far its source was read with it, if that changed.
    pub mark: Option<Mark>,
    /// How far another pipeline was read with it.
    pub position: Option<NewPosition>,
}

impl Append {
    /// A run and its records, and nothing beside them.
    pub fn new(run: NewRun, records: Vec<NewRecord>) -> Self {
        Self {
            run,
            records,
            failures: Vec::new(),
            received: None,
            state: None,
            mark: None,
            position: None,
        }
    }

    /// How many bytes it has.
    fn bytes(&self) -> usize {
        let records: usize = self.records.iter().map(|record| record.json.len()).sum();
        let failures: usize = self.failures.iter().map(|one| one.received.len()).sum();
        let received = self.received.as_ref().map_or(0, ReceivedBatch::bytes);
        let state = self.state.as_ref().map_or(0, |state| state.bytes.len());
        records + failures + received + state
    }
}

/// What became of an append.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// The run it was stored with; none when a run with the same batch key was there already.
    pub run_id: Option<RunId>,
    /// How many records were stored.
    pub stored: usize,
    /// How many were left out because they were stored before.
    pub duplicates: usize,
}

/// Why an append was not stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    /// More is waiting than the queue holds.
    #[error("too much is waiting to be stored")]
    Busy,
    /// What the transform remembered, or how far its source was read, changed meanwhile. Nothing of
    /// the append is stored.
    #[error("the pipeline's state was changed meanwhile")]
    Stale,
    /// What has to be known first could not be read. Nothing of the append is stored.
    #[error("what the transform needs could not be read")]
    Read(#[from] Arc<ReadError>),
    /// The store is being closed.
    #[error("the store is closing")]
    Closed,
    /// The database failed. Nothing of the append is stored, unless that happened at the very end.
    #[error("the database failed")]
    Database(#[from] Arc<DbErr>),
    /// The database does not answer. The append may be stored yet.
    #[error("the database does not answer")]
    Late,
}

impl From<ReadError> for WriteError {
    fn from(error: ReadError) -> Self {
        Self::Read(Arc::new(error))
    }
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
    pub(super) fn start(db: Db, followers: Followers, events: Events, tasks: &TaskTracker) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_APPENDS);
        let committer = Committer {
            db,
            followers,
            events,
        };
        tasks.spawn(committer.run(receiver));
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
        let replied = timeout(STORE_WAIT, replied).await;
        let replied = replied.map_err(|_| WriteError::Late)?;
        replied.map_err(|_| WriteError::Closed)?
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
    let units = append
        .bytes()
        .div_ceil(ROOM_UNIT)
        .clamp(1, QUEUE_BYTES / ROOM_UNIT);
    u32::try_from(units).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a metric of small counts")]
fn to_f64(count: usize) -> f64 {
    count as f64
}

/// Who hears of commits.
#[derive(Debug)]
pub(super) struct Followers {
    pub(super) hub: Hub,
    pub(super) rollups: Rollups,
}

impl Followers {
    fn tell(&self, committed: Committed) {
        self.rollups.note(&committed);
        self.hub.publish(committed);
    }
}

/// The queue's far end: one for each process.
struct Committer {
    db: Db,
    followers: Followers,
    events: Events,
}

impl Committer {
    async fn run(self, mut queue: mpsc::Receiver<Request>) {
        while let Some(first) = queue.recv().await {
            let mut records = first.append.records.len();
            let mut requests = vec![first];
            // Whoever was answered by the commit before is about to come again: those who are ready
            // to go on do so first, and share this commit instead of waiting for the next.
            tokio::task::yield_now().await;
            while records < MAX_COMMIT_RECORDS
                && let Ok(next) = queue.try_recv()
            {
                records += next.append.records.len();
                requests.push(next);
            }
            metrics::histogram!("dash_commit_records").record(to_f64(records));
            if let Err(away) = self.store(requests).await {
                // Those that came meanwhile have waited as long as these.
                while let Ok(request) = queue.try_recv() {
                    let _ = request.reply.send(Err(away.clone()));
                }
            }
        }
    }

    /// Stores the requests in one transaction. When that fails, each alone: one that the database
    /// refuses must not take the others with it. A database that is away is not asked again, and its
    /// failure is returned.
    async fn store(&self, requests: Vec<Request>) -> Result<(), WriteError> {
        // The room is given back when this ends.
        let (mut appends, mut replies, mut rooms) = (Vec::new(), Vec::new(), Vec::new());
        for request in requests {
            appends.push(request.append);
            replies.push(request.reply);
            rooms.push(request.room);
        }
        let alone = appends.len() == 1;
        let kept = if alone { Vec::new() } else { appends.clone() };
        match commit(&self.db, &self.events, appends).await {
            Ok(outcome) => {
                for committed in outcome.committed {
                    self.followers.tell(committed);
                }
                for (reply, appended) in replies.into_iter().zip(outcome.appended) {
                    // Whoever asked may have gone; the records are stored all the same.
                    let _ = reply.send(appended);
                }
                Ok(())
            }
            // Whether a commit that failed was one after all is not known: doing it again could store
            // everything twice. Whoever sent it is not told that it is stored.
            Err(failure) if alone || failure.in_doubt || is_unavailable(&failure.error) => {
                let away = is_unavailable(&failure.error);
                tracing::error!(error = %failure.error, "records could not be stored");
                metrics::counter!("dash_commit_failures_total").increment(1);
                let error = WriteError::Database(Arc::new(failure.error));
                for reply in replies {
                    let _ = reply.send(Err(error.clone()));
                }
                if away { Err(error) } else { Ok(()) }
            }
            Err(failure) => {
                let error = failure.error;
                tracing::warn!(%error, appends = kept.len(), "a group commit failed, trying one by one");
                let mut stored = Ok(());
                for ((append, room), reply) in kept.into_iter().zip(rooms).zip(replies) {
                    if let Err(away) = &stored {
                        let _ = reply.send(Err(WriteError::clone(away)));
                        continue;
                    }
                    let request = Request {
                        append,
                        room,
                        reply,
                    };
                    stored = Box::pin(self.store(vec![request])).await;
                }
                stored
            }
        }
    }
}
