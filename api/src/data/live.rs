//! Fan-out of commits inside the process: one bounded channel per pipeline that anybody follows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use dash_shared::ids::PipelineId;
use tokio::sync::broadcast;

use super::StoredRecord;
use super::runs::Run;

/// How many commits a follower may lag behind before it has to read them from the database.
const CHANNEL_CAPACITY: usize = 256;

/// One commit to one pipeline.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The pipeline.
    pub pipeline_id: PipelineId,
    /// The runs that it stored.
    pub runs: Arc<[Run]>,
    /// Their records, in the order of their `seq`, without gaps. Empty when the runs stored none.
    pub records: Arc<[StoredRecord]>,
}

/// The channels. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Hub {
    channels: Arc<Mutex<HashMap<PipelineId, broadcast::Sender<Option<Committed>>>>>,
}

impl Hub {
    /// Follows a pipeline's commits from now on.
    pub(super) fn follow(&self, pipeline_id: PipelineId) -> LiveEvents {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = channels
            .entry(pipeline_id)
            .or_insert_with(|| broadcast::Sender::new(CHANNEL_CAPACITY));
        LiveEvents {
            receiver: sender.subscribe(),
        }
    }

    /// Tells the followers. Called in the order of commits.
    pub(super) fn publish(&self, committed: Committed) {
        self.send(committed.pipeline_id, Some(committed));
    }

    /// Makes the followers read the database again: something there changed that is no commit.
    pub(super) fn look_again(&self, pipeline_id: PipelineId) {
        self.send(pipeline_id, None);
    }

    fn send(&self, pipeline_id: PipelineId, event: Option<Committed>) {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = channels.get(&pipeline_id)
            && sender.send(event).is_err()
        {
            channels.remove(&pipeline_id);
        }
    }
}

/// The commits to one pipeline, as they happen.
#[derive(Debug)]
pub struct LiveEvents {
    receiver: broadcast::Receiver<Option<Committed>>,
}

impl LiveEvents {
    /// The next commit; `None` when the database has to be read again: commits were missed because
    /// the follower was too slow, or records were deleted.
    pub async fn next(&mut self) -> Option<Committed> {
        match self.receiver.recv().await {
            Ok(event) => event,
            // The hub keeps the sender for as long as somebody follows: a closed channel cannot
            // come back, and reading from the database is right in either case.
            Err(broadcast::error::RecvError::Lagged(_)) => None,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
