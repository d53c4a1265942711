//! Roll-ups: each *view* is one way of counting a pipeline's records (by which field, of which
//! field), kept for every minute, hour and day, together with its watermark: the number of the last
//! record that is counted. A question reads the units up to the watermark and the records after it,
//! so it is exact at any moment, whatever has been counted so far; and a view that is deleted, or
//! told to begin again at 0, is rebuilt from the records.
//!
//! Views are made when a question on a large pipeline could use one, and forgotten when nobody has
//! asked for a month. `advance` counts new records, `stale` counts again what deletions touched.

mod advance;
mod batch;
mod blobs;
mod stale;
mod views;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dash_shared::fields::FieldPath;
use dash_shared::ids::PipelineId;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::cells::{Cell, Group, Part, Sketch};
use super::cover::{Level, Span};
use super::live::Committed;
use super::{ReadError, StoredRecord};
use crate::db::Db;

pub(super) use stale::mark;
pub(super) use views::{find, units};

/// A pipeline with fewer records is counted from the records each time: that is as quick.
pub(super) const MIN_RECORDS: i64 = 5_000;
/// How many new records are worth a write.
const WORTH_WRITING: usize = 2_000;
/// How many bytes of new records are kept for counting; beyond that they are read again.
const KEPT_BYTES: usize = 16 * 1024 * 1024;
/// How long counting waits after the database failed.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// One way of counting a pipeline's records.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Definition {
    /// The field whose values make groups.
    pub(super) group_by: Option<FieldPath>,
    /// What is known of each group.
    #[serde(flatten)]
    pub(super) part: Part,
}

impl Definition {
    /// How many groups a unit may have; with more, counting records one by one is no worse.
    const fn max_groups(&self) -> usize {
        match self.part.sketch {
            Sketch::None => 10_000,
            Sketch::Quantiles | Sketch::Distinct => 1_000,
        }
    }
}

/// A view as it is found.
#[derive(Clone, Debug)]
pub(super) struct View {
    id: Uuid,
    definition: Definition,
    /// The number of the last record that is counted.
    pub(super) watermark: i64,
}

/// The roll-ups. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Rollups {
    db: Db,
    waiting: Arc<Waiting>,
}

/// What is to be counted.
#[derive(Debug, Default)]
struct Waiting {
    state: Mutex<WaitingState>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct WaitingState {
    /// The pipelines that have views, as far as this process knows.
    viewed: HashSet<PipelineId>,
    /// New records of those, as they were committed.
    fresh: HashMap<PipelineId, Fresh>,
    /// How many bytes those take, about.
    fresh_bytes: usize,
    /// Pipelines whose turn it is.
    due: VecDeque<PipelineId>,
}

/// Records of one commit.
#[derive(Debug)]
struct FreshCommit {
    records: Arc<[StoredRecord]>,
    /// The revision at which they were stored: at a later one, some may be deleted or changed.
    revision: i64,
}

/// Records that were committed one after the other.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    commits: Vec<FreshCommit>,
    records: usize,
    bytes: usize,
}

impl WaitingState {
    fn make_due(&mut self, pipeline_id: PipelineId) {
        if !self.due.contains(&pipeline_id) {
            self.due.push_back(pipeline_id);
        }
    }

    fn take_fresh(&mut self, pipeline_id: PipelineId) -> Fresh {
        let fresh = self.fresh.remove(&pipeline_id).unwrap_or_default();
        self.fresh_bytes -= fresh.bytes;
        fresh
    }
}

impl Waiting {
    fn lock(&self) -> std::sync::MutexGuard<'_, WaitingState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rollups {
    /// Begins to count in the background, until `stop`.
    pub(super) fn start(db: Db, stop: CancellationToken, tasks: &TaskTracker) -> Self {
        let rollups = Self {
            db,
            waiting: Arc::default(),
        };
        let counter = rollups.clone();
        tasks.spawn(async move { stop.run_until_cancelled_owned(counter.run()).await });
        rollups
    }

    /// Takes note of records that were committed.
    pub(super) fn note(&self, committed: &Committed) {
        let count = committed.records.len();
        if count == 0 {
            return;
        }
        let mut state = self.waiting.lock();
        if !state.viewed.contains(&committed.pipeline_id) {
            return;
        }
        let bytes: i64 = committed.runs.iter().map(|run| run.stored_bytes).sum();
        let bytes = usize::try_from(bytes).unwrap_or(0);
        let id = committed.pipeline_id;
        let fresh = state.fresh.entry(id).or_default();
        fresh.records += count;
        fresh.bytes += bytes;
        fresh.commits.push(FreshCommit {
            records: Arc::clone(&committed.records),
            revision: committed.revision,
        });
        let enough = fresh.records >= WORTH_WRITING;
        state.fresh_bytes += bytes;
        if enough {
            state.make_due(id);
        }
        if state.fresh_bytes > KEPT_BYTES {
            // They are in the database: what is forgotten here is read there.
            state.fresh_bytes = 0;
            for (id, fresh) in std::mem::take(&mut state.fresh) {
                if fresh.records >= WORTH_WRITING {
                    state.make_due(id);
                }
            }
        }
        drop(state);
        if enough {
            self.waiting.changed.notify_one();
        }
    }

    /// Has a pipeline's records counted soon.
    pub(super) fn hurry(&self, pipeline_id: PipelineId) {
        let mut state = self.waiting.lock();
        state.viewed.insert(pipeline_id);
        state.make_due(pipeline_id);
        drop(state);
        self.waiting.changed.notify_one();
    }

    /// Counts all that a pipeline's views have not counted yet.
    pub(super) async fn catch_up(&self, pipeline_id: PipelineId) -> Result<(), ReadError> {
        self.advance(pipeline_id, Fresh::default(), 1).await
    }

    /// Deletes what a pipeline's views have counted and counts all its records again. Returns how
    /// many views it has.
    pub(super) async fn rebuild(&self, pipeline_id: PipelineId) -> Result<usize, ReadError> {
        let views = self.counting(pipeline_id).await?;
        for view in &views {
            self.restart(view.id).await?;
        }
        self.catch_up(pipeline_id).await?;
        Ok(views.len())
    }

    /// Counts all records again for the views that were cleared with them.
    pub(super) async fn rebuild_cleared(&self, pipeline_id: PipelineId) -> Result<(), ReadError> {
        for view_id in self.cleared(pipeline_id).await? {
            self.restart(view_id).await?;
        }
        self.catch_up(pipeline_id).await
    }

    async fn run(self) {
        match self.pipelines_with_views().await {
            Ok(ids) => self.waiting.lock().viewed.extend(ids),
            Err(error) => tracing::error!(%error, "the roll-ups could not be listed"),
        }
        loop {
            let next = {
                let mut state = self.waiting.lock();
                let id = state.due.pop_front();
                id.map(|id| (id, state.take_fresh(id)))
            };
            let Some((id, fresh)) = next else {
                self.waiting.changed.notified().await;
                continue;
            };
            if let Err(error) = self.advance(id, fresh, WORTH_WRITING).await {
                tracing::warn!(%error, pipeline = %id, "roll-ups could not be counted");
                tokio::time::sleep(RETRY_AFTER).await;
                self.waiting.lock().make_due(id);
            }
        }
    }
}
