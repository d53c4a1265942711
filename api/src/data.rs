//! The record store: what was received and became a record, durable, in order and exactly once,
//! and the live results computed over it.
//!
//! It owns the tables `records`, `record_keys`, `received_batches`, `transform_states`, `failures`, `poll_marks`, `relays`,
//! `rewrites`, `series`, `runs`, `rollups`, `rollup_views` and `usage_hours`. It knows pipelines only by their ids; who may read which is decided by its callers,
//! who come with a scope.

mod aggregate;
mod amend;
mod answers;
mod buckets;
mod bulk;
mod cells;
mod commit;
mod count;
mod cover;
mod distinct;
mod exact_sum;
mod export;
mod failures;
mod feeds;
mod follow;
mod live;
mod marks;
mod partitions;
mod read;
mod received;
mod record_keys;
mod relays;
mod remote;
mod replica;
mod retention;
mod rewrite;
mod rollups;
mod runs;
mod states;
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
use crate::running::Joined;

pub use aggregate::{Asked, Query, QueryResult, Series, Shape};
pub use amend::{Amendment, MAX_AMENDED};
pub use answers::{Answer, AnswerGroup, MAX_MEASURES, Order, Question};
pub use buckets::{Grid, Width};
pub use cover::Span;
pub use export::Export;
pub use failures::{
    Failure, FailureGroup, FailurePage, FailureState, MAX_KEPT_PER_RUN, NewFailure,
};
pub use feeds::{Feed, FeedValue};
pub use follow::FollowedRecords;
pub use live::{Arrivals, Committed, LiveEvents};
pub use marks::Mark;
pub use read::{FoundRecords, Place, RecordPage, SeriesTotals};
pub use received::{Place as ReceivedPlace, ReceivedBatch, ReceivedEvent};
pub use record_keys::RecordKey;
pub use relays::{NewPosition, Relay};
pub use replica::Reading;
pub use rewrite::{Moved, Rewrite, RewritePhase, Rewritten};
pub use runs::{NewRun, RecentActivity, RecordError, Run, RunPage, RunState, RunTrigger};
pub use states::{NewState, StoredState};
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
    rollups: rollups::Rollups,
    results: count::Results,
    tasks: TaskTracker,
    /// Ends what runs in the background; the writer ends by itself when its queue is empty.
    stopping: CancellationToken,
}

impl RecordStore {
    /// Opens the store, starts its writer and follows what other processes store.
    pub fn open(db: Db, clock: Clock, events: Events) -> Self {
        let hub = live::Hub::default();
        let tasks = TaskTracker::new();
        let stopping = CancellationToken::new();
        let rollups = rollups::Rollups::start(db.clone(), stopping.clone(), &tasks);
        let followers = write::Followers {
            hub: hub.clone(),
            rollups: rollups.clone(),
        };
        let writer = write::Writer::start(db.clone(), followers, events.clone(), &tasks);
        let remote = remote::Remote {
            db: db.clone(),
            hub: hub.clone(),
        };
        tasks.spawn(remote.run(events.follow_records(), stopping.clone()));
        Self {
            db,
            clock,
            writer,
            hub,
            events,
            feeds: feeds::Feeds::default(),
            replica: replica::Replica::default(),
            rollups,
            results: count::Results::default(),
            tasks,
            stopping,
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

    /// Which pipelines get records from now on, in this process and in others.
    pub fn follow_arrivals(&self) -> Arrivals {
        self.hub.follow_arrivals()
    }

    /// The live result of a query; the same one for all who ask the same.
    pub fn feed(&self, asked: Asked) -> Arc<Joined<Feed>> {
        self.feeds.open(self, asked)
    }

    /// Stops taking records, and returns when all that were taken are stored.
    pub async fn close(&self) {
        self.writer.close();
        self.stopping.cancel();
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
    /// The records would fall into more groups than is allowed.
    #[error("the records fall into more than {0} groups")]
    TooManyGroups(usize),
    /// The time would be divided into more buckets than is allowed.
    #[error("the time is divided into more than {0} buckets")]
    TooManyBuckets(usize),
    /// The records are being counted for the first time.
    #[error("{done} of {of} records are counted")]
    Preparing {
        /// How many are counted.
        done: i64,
        /// Of how many.
        of: i64,
    },
    /// There is no such run or record.
    #[error("not found")]
    NotFound,
}
