//! The record store: what was received and became a record, durable, in order and exactly once,
//! and the live results computed over it.
//!
//! It owns the tables `records`, `record_keys`, `series`, `runs` and `usage_hours`. It knows pipelines only by their ids; who may
//! read which is decided by its callers, who come with a scope.

mod aggregate;
mod bulk;
mod commit;
mod feeds;
mod live;
mod partitions;
mod read;
mod record_keys;
mod remote;
mod replica;
mod retention;
mod runs;
mod usage;
mod write;

use std::sync::Arc;

use dash_shared::fields::Fields;
use dash_shared::ids::PipelineId;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::db::Db;
use crate::events::Events;

pub use aggregate::{Query, QueryResult, Series};
pub use feeds::{Feed, FeedValue};
pub use live::{Committed, LiveEvents};
pub use read::{FollowedRecords, RecordPage, SeriesTotals};
pub use record_keys::RecordKey;
pub use replica::Reading;
pub use runs::{NewRun, RecordError, Run, RunPage, RunState, RunTrigger};
pub use usage::Usage;
pub use write::{Append, Appended, NewRecord, WriteError};

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRecord {
    /// Its place in the pipeline's series: 1, 2, 3 … in the order of commits, without gaps.
    pub seq: i64,
    /// When it happened, in milliseconds since 1970.
    pub time_ms: i64,
    /// When it came in, in milliseconds since 1970.
    pub received_at_ms: i64,
    /// What it holds.
    pub fields: Arc<Fields>,
}

/// The record store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RecordStore {
    db: Db,
    clock: Clock,
    writer: write::Writer,
    hub: live::Hub,
    events: Events,
    feeds: feeds::Feeds,
    replica: replica::Replica,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl RecordStore {
    /// Opens the store, starts its writer and follows what other processes store.
    pub fn open(db: Db, clock: Clock, events: Events) -> Self {
        let hub = live::Hub::default();
        let tasks = TaskTracker::new();
        let writer = write::Writer::start(db.clone(), hub.clone(), events.clone(), &tasks);
        let remote = remote::Remote {
            db: db.clone(),
            hub: hub.clone(),
        };
        let stop = CancellationToken::new();
        tasks.spawn(remote.run(events.follow_records(), stop.clone()));
        Self {
            db,
            clock,
            writer,
            hub,
            events,
            feeds: feeds::Feeds::default(),
            replica: replica::Replica::default(),
            tasks,
            stop,
        }
    }

    /// Stores the records of one run; returns once they are durable.
    pub async fn append(&self, append: Append) -> Result<Appended, WriteError> {
        self.writer.append(append).await
    }

    /// What is committed to a pipeline from now on.
    pub fn follow_commits(&self, pipeline_id: PipelineId) -> LiveEvents {
        self.hub.follow(pipeline_id)
    }

    /// The live result of a query; the same one for all who ask the same.
    pub fn feed(&self, query: Query, range: dash_shared::ranges::TimeRange) -> Arc<Feed> {
        self.feeds.open(self, query, range)
    }

    /// Stops taking records, and returns when all that were taken are stored.
    pub async fn close(&self) {
        self.writer.close();
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// The number of appends that are waiting to be stored.
    pub fn queue_length(&self) -> usize {
        self.writer.queue_length()
    }
}

/// A database error as the record store reports it.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sea_orm::DbErr),
    /// A stored row cannot be read back.
    #[error("a stored row is damaged: {0}")]
    Damaged(String),
    /// The query would read more records than is allowed at once.
    #[error("the query reads more than {0} records")]
    TooManyRecords(u64),
    /// There is no such run or record.
    #[error("not found")]
    NotFound,
}
