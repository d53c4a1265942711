//! Fan-out of commits inside the process: one bounded channel per pipeline that anybody follows.
//! Commits of this process and of others come in any order, and are told in that of their `seq`,
//! each once: what lies between two of them is read from the database first (`remote.rs`).

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dash_shared::ids::{PipelineId, RunId};
use tokio::sync::{Notify, broadcast};

use super::StoredRecord;
use super::runs::Run;
use crate::events::Stored;

/// How many commits a follower may lag behind before it has to read them from the database.
const CHANNEL_CAPACITY: usize = 256;
/// How many runs of other processes wait to be read; further ones are found in the history.
const MAX_WAITING_RUNS: usize = 256;

/// What one commit stored to one pipeline.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The pipeline.
    pub pipeline_id: PipelineId,
    /// The runs that it stored.
    pub runs: Arc<[Run]>,
    /// Their records, in the order of their `seq`, without gaps. Empty when the runs stored none.
    pub records: Arc<[StoredRecord]>,
    /// How often records of the pipeline had been deleted or changed by then.
    pub revision: i64,
}

/// What is in the database and was not told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// The pipeline.
    pub(super) pipeline_id: PipelineId,
    /// The last record that was told.
    pub(super) after_seq: i64,
    /// The last one that is known to be there.
    pub(super) up_to_seq: i64,
    /// Runs of other processes.
    pub(super) runs: Vec<RunId>,
}

/// A pipeline that is followed.
struct Channel {
    sender: broadcast::Sender<Option<Committed>>,
    /// The `seq` of the last record that was told; none before the first. Those who follow have read
    /// what came before they did, and leave out what they know.
    told_seq: Option<i64>,
    /// The last record that is known to be in the database.
    stored_seq: i64,
    /// Runs of other processes that were not told yet.
    runs: Vec<RunId>,
}

type Channels = HashMap<PipelineId, Channel>;

/// The channels. Cheap to clone.
#[derive(Clone)]
pub(super) struct Hub {
    channels: Arc<Mutex<Channels>>,
    gaps: Arc<Notify>,
    /// Which pipelines got records; none when that may have been any.
    arrivals: broadcast::Sender<Option<PipelineId>>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            channels: Arc::default(),
            gaps: Arc::default(),
            arrivals: broadcast::Sender::new(CHANNEL_CAPACITY),
        }
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

impl Channel {
    fn new() -> Self {
        Self {
            sender: broadcast::Sender::new(CHANNEL_CAPACITY),
            told_seq: None,
            stored_seq: 0,
            runs: Vec::new(),
        }
    }

    /// Tells what is in order: records that follow those that were told. False when there is a gap
    /// before them.
    fn tell(&mut self, mut committed: Committed) -> bool {
        let mut in_order = true;
        if let Some((first, last)) = ends(&committed.records) {
            self.stored_seq = self.stored_seq.max(last);
            let told = self.told_seq.unwrap_or(first - 1);
            in_order = first <= told + 1;
            if !in_order {
                committed.records = Arc::default();
            } else if first <= told {
                let fresh = committed.records.iter().filter(|record| record.seq > told);
                committed.records = fresh.cloned().collect();
            }
            if in_order {
                self.told_seq = Some(told.max(last));
            }
        }
        if !committed.runs.is_empty() || !committed.records.is_empty() {
            // Nobody may be listening any more.
            let _ = self.sender.send(Some(committed));
        }
        in_order
    }

    fn has_gap(&self) -> bool {
        !self.runs.is_empty() || self.told_seq.is_some_and(|told| told < self.stored_seq)
    }

    /// Makes the followers read the database again.
    fn look_again(&self) {
        let _ = self.sender.send(None);
    }

    /// Makes the followers read the database again, where everything up to `seq` is found.
    fn begin_again(&mut self, seq: Option<i64>) {
        self.told_seq = seq;
        self.stored_seq = seq.unwrap_or_default();
        self.look_again();
    }
}

fn ends(records: &[StoredRecord]) -> Option<(i64, i64)> {
    Some((records.first()?.seq, records.last()?.seq))
}

impl Hub {
    /// Follows a pipeline's commits from now on.
    pub(super) fn follow(&self, pipeline_id: PipelineId) -> LiveEvents {
        let mut channels = self.lock();
        let channel = channels.entry(pipeline_id).or_insert_with(Channel::new);
        LiveEvents {
            receiver: channel.sender.subscribe(),
        }
    }

    /// Follows which pipelines get records, here and in other processes, from now on.
    pub(super) fn follow_arrivals(&self) -> Arrivals {
        Arrivals {
            receiver: self.arrivals.subscribe(),
        }
    }

    /// Notes that any pipelines may have got records.
    pub(super) fn arrive_anywhere(&self) {
        self.tell_arrival(None);
    }

    fn tell_arrival(&self, pipeline_id: Option<PipelineId>) {
        // Nobody may be listening.
        let _ = self.arrivals.send(pipeline_id);
    }

    /// Tells a commit of this process. Called in the order of commits.
    pub(super) fn publish(&self, committed: Committed) {
        if !committed.records.is_empty() {
            self.tell_arrival(Some(committed.pipeline_id));
        }
        let in_order = self.with(committed.pipeline_id, |channel| channel.tell(committed));
        if in_order == Some(false) {
            self.gaps.notify_one();
        }
    }

    /// Notes a commit of another process; it is told when it was read from the database.
    pub(super) fn announce(&self, stored: Stored) {
        if stored.seqs.is_some() {
            self.tell_arrival(Some(stored.pipeline_id));
        }
        let gap = self.with(stored.pipeline_id, |channel| {
            if let Some((first, last)) = stored.seqs {
                channel.told_seq.get_or_insert(first - 1);
                channel.stored_seq = channel.stored_seq.max(last);
            }
            let room = MAX_WAITING_RUNS.saturating_sub(channel.runs.len());
            channel.runs.extend(stored.runs.into_iter().take(room));
            channel.has_gap()
        });
        if gap == Some(true) {
            self.gaps.notify_one();
        }
    }

    /// Notes how many records a pipeline has stored in all; told by somebody who does not know which
    /// commits those were.
    pub(super) fn reach(&self, pipeline_id: PipelineId, last_seq: i64) {
        self.with(pipeline_id, |channel| match channel.told_seq {
            Some(told) if told <= last_seq => channel.stored_seq = channel.stored_seq.max(last_seq),
            Some(_) => {}
            None => channel.begin_again(Some(last_seq)),
        });
        self.gaps.notify_one();
    }

    /// Makes the followers read the database again: something there changed that is no commit.
    pub(super) fn look_again(&self, pipeline_id: PipelineId) {
        self.with(pipeline_id, |channel| channel.look_again());
    }

    /// Makes all followers read the database again: anything there may have changed unnoticed.
    pub(super) fn look_again_everywhere(&self) {
        self.tell_arrival(None);
        let mut channels = self.lock();
        channels.retain(|_, channel| channel.sender.receiver_count() > 0);
        channels
            .values_mut()
            .for_each(|channel| channel.begin_again(None));
    }

    /// The pipelines that somebody follows.
    pub(super) fn followed(&self) -> Vec<PipelineId> {
        let channels = self.lock();
        let followed = channels
            .iter()
            .filter(|(_, channel)| channel.sender.receiver_count() > 0);
        followed.map(|(id, _)| *id).collect()
    }

    /// Waits until there may be a gap.
    pub(super) async fn gap(&self) {
        self.gaps.notified().await;
    }

    /// What has to be read from the database; the runs are taken.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        let mut channels = self.lock();
        channels.retain(|_, channel| channel.sender.receiver_count() > 0);
        let gaps = channels.iter_mut().filter(|(_, channel)| channel.has_gap());
        gaps.map(|(id, channel)| Gap {
            pipeline_id: *id,
            after_seq: channel.told_seq.unwrap_or(channel.stored_seq),
            up_to_seq: channel.stored_seq,
            runs: std::mem::take(&mut channel.runs),
        })
        .collect()
    }

    /// Tells what was read of a gap: everything that there is up to `up_to_seq`.
    pub(super) fn fill(&self, gap: &Gap, read: Committed, up_to_seq: i64) {
        self.with(gap.pipeline_id, |channel| {
            // What was deleted before it was told leaves no gap.
            let told = channel.told_seq.unwrap_or(gap.after_seq).max(gap.after_seq);
            let first = ends(&read.records).map_or(told + 1, |(first, _)| first);
            channel.told_seq = Some(told.max(first - 1));
            channel.tell(read);
            channel.told_seq = channel.told_seq.max(Some(up_to_seq));
        });
    }

    /// Makes the followers read a gap themselves: it is too long to be told.
    pub(super) fn skip(&self, gap: &Gap) {
        self.with(gap.pipeline_id, |channel| {
            channel.begin_again(channel.told_seq.max(Some(gap.up_to_seq)));
        });
    }

    /// Does something with a channel, if anybody follows it.
    fn with<T>(&self, pipeline_id: PipelineId, act: impl FnOnce(&mut Channel) -> T) -> Option<T> {
        let mut channels = self.lock();
        let channel = channels.get_mut(&pipeline_id)?;
        if channel.sender.receiver_count() == 0 {
            channels.remove(&pipeline_id);
            return None;
        }
        Some(act(channel))
    }

    fn lock(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which pipelines get records, as it happens.
#[derive(Debug)]
pub struct Arrivals {
    receiver: broadcast::Receiver<Option<PipelineId>>,
}

impl Arrivals {
    /// The next pipelines that got records, at least one; `None` when that may be any.
    pub async fn next(&mut self) -> Option<BTreeSet<PipelineId>> {
        let first = match self.receiver.recv().await {
            Ok(first) => first?,
            Err(broadcast::error::RecvError::Lagged(_)) => return None,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        };
        let mut pipelines = BTreeSet::from([first]);
        loop {
            match self.receiver.try_recv() {
                Ok(Some(next)) => {
                    pipelines.insert(next);
                }
                Ok(None) | Err(broadcast::error::TryRecvError::Lagged(_)) => return None,
                Err(_) => return Some(pipelines),
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(pipeline_id: PipelineId, seqs: std::ops::RangeInclusive<i64>) -> Committed {
        let records = seqs.map(|seq| StoredRecord {
            seq,
            time_ms: 0,
            received_at_ms: 0,
            fields: Arc::default(),
        });
        Committed {
            pipeline_id,
            runs: Arc::default(),
            records: records.collect(),
            revision: 0,
        }
    }

    /// What a follower is told, as numbers of records; `None` where it has to read.
    fn told(events: &mut LiveEvents) -> Vec<Option<Vec<i64>>> {
        let mut told = Vec::new();
        while let Ok(event) = events.receiver.try_recv() {
            let seqs = |committed: Committed| committed.records.iter().map(|r| r.seq).collect();
            told.push(event.map(seqs));
        }
        told
    }

    fn stored(pipeline_id: PipelineId, first: i64, last: i64) -> Stored {
        Stored {
            pipeline_id,
            seqs: Some((first, last)),
            runs: Vec::new(),
        }
    }

    #[test]
    fn commits_are_told_in_order_and_once_whoever_stored_them() {
        let (hub, id) = (Hub::default(), PipelineId::new());
        let mut events = hub.follow(id);
        hub.publish(committed(id, 1..=2));
        // Another process has stored 3 to 5, and this one 6 to 7.
        hub.publish(committed(id, 6..=7));
        assert_eq!(told(&mut events), [Some(vec![1, 2])]);
        let gap = hub.gaps().pop().unwrap();
        assert_eq!((gap.after_seq, gap.up_to_seq), (2, 7));
        // While that is read, the announcement comes and more is stored here.
        hub.announce(stored(id, 3, 5));
        hub.publish(committed(id, 8..=8));
        hub.fill(&gap, committed(id, 3..=7), 7);
        assert_eq!(told(&mut events), [Some(vec![3, 4, 5, 6, 7])]);
        let gap = hub.gaps().pop().unwrap();
        hub.fill(&gap, committed(id, 8..=8), 8);
        hub.publish(committed(id, 9..=9));
        assert_eq!(told(&mut events), [Some(vec![8]), Some(vec![9])]);
        // One that was read and told before its own process got to it.
        hub.announce(stored(id, 10, 11));
        let gap = hub.gaps().pop().unwrap();
        hub.fill(&gap, committed(id, 10..=13), 13);
        hub.publish(committed(id, 12..=14));
        assert_eq!(
            told(&mut events),
            [Some(vec![10, 11, 12, 13]), Some(vec![14])]
        );
        assert_eq!(hub.gaps(), []);
    }

    #[test]
    fn what_was_deleted_before_it_was_told_is_passed_over() {
        let (hub, id) = (Hub::default(), PipelineId::new());
        let mut events = hub.follow(id);
        hub.announce(stored(id, 5, 9));
        let gap = hub.gaps().pop().unwrap();
        assert_eq!((gap.after_seq, gap.up_to_seq), (4, 9));
        hub.fill(&gap, committed(id, 7..=8), 9);
        hub.publish(committed(id, 10..=10));
        assert_eq!(told(&mut events), [Some(vec![7, 8]), Some(vec![10])]);
    }

    #[test]
    fn a_long_gap_and_a_lost_connection_make_followers_read() {
        let (hub, id) = (Hub::default(), PipelineId::new());
        let mut events = hub.follow(id);
        hub.publish(committed(id, 1..=1));
        hub.reach(id, 90_000);
        hub.skip(&hub.gaps().pop().unwrap());
        hub.publish(committed(id, 90_001..=90_001));
        assert_eq!(told(&mut events), [Some(vec![1]), None, Some(vec![90_001])]);
        hub.look_again_everywhere();
        hub.publish(committed(id, 90_005..=90_005));
        assert_eq!(told(&mut events), [None, Some(vec![90_005])]);
        hub.look_again_everywhere();
        hub.reach(id, 90_010);
        hub.publish(committed(id, 90_011..=90_011));
        assert_eq!(told(&mut events), [None, None, Some(vec![90_011])]);
        assert_eq!(hub.gaps(), []);
    }

    #[test]
    fn nothing_is_kept_for_nobody() {
        let (hub, id) = (Hub::default(), PipelineId::new());
        hub.announce(stored(id, 1, 2));
        assert_eq!((hub.gaps(), hub.followed()), (vec![], vec![]));
        let events = hub.follow(id);
        hub.announce(stored(id, 3, 4));
        drop(events);
        assert_eq!((hub.gaps(), hub.followed()), (vec![], vec![]));
    }
}
