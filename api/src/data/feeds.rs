//! Live results. One feed computes one query for all who ask the same: it counts the range once,
//! then adds what is committed, and tells its readers at most ten times a second. A slow reader
//! sees fewer values, never old ones, and slows nobody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use dash_shared::ranges::TimeRange;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::aggregate::{Query, QueryResult, RATE_MS, State};
use super::live::LiveEvents;
use super::replica::Reading;
use super::{ReadError, RecordStore};

/// The shortest time between two values of a feed.
const MIN_PERIOD: Duration = Duration::from_millis(100);
/// How long a feed that failed waits before it tries again.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// The same for one whose range has too many records: that changes slowly, and costs much to see.
const RETRY_LARGE_AFTER: Duration = Duration::from_mins(10);
/// How many feeds count their range at once; the others wait.
const PARALLEL_SCANS: usize = 4;

/// What a feed has to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedValue {
    /// The result, or a sentence that says why there is none.
    pub result: Result<QueryResult, String>,
    /// The `seq` of the newest record that is counted.
    pub last_seq: i64,
    /// When the newest record came in, in milliseconds since 1970.
    pub last_received_at_ms: Option<i64>,
}

/// A running feed. It ends when the last one who holds it lets go.
#[derive(Debug)]
pub struct Feed {
    values: watch::Receiver<Option<Arc<FeedValue>>>,
    _stop: DropGuard,
}

impl Feed {
    /// The values from now on; the first one is there as soon as the range is counted.
    pub fn values(&self) -> watch::Receiver<Option<Arc<FeedValue>>> {
        let mut values = self.values.clone();
        values.mark_changed();
        values
    }

    /// The current value; waits until the range is counted.
    pub async fn current(&self) -> Arc<FeedValue> {
        let mut values = self.values.clone();
        let found = values
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|value| value.clone());
        found.unwrap_or_else(|| {
            Arc::new(FeedValue {
                result: Err("Dash is shutting down.".to_owned()),
                last_seq: 0,
                last_received_at_ms: None,
            })
        })
    }
}

type Key = (Query, TimeRange);

/// The feeds that run. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Feeds {
    running: Arc<Mutex<HashMap<Key, Weak<Feed>>>>,
    scans: Arc<Semaphore>,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            running: Arc::default(),
            scans: Arc::new(Semaphore::new(PARALLEL_SCANS)),
        }
    }
}

impl Feeds {
    pub(super) fn open(&self, store: &RecordStore, query: Query, range: TimeRange) -> Arc<Feed> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|_, feed| feed.strong_count() > 0);
        let key = (query, range);
        if let Some(feed) = running.get(&key).and_then(Weak::upgrade) {
            return feed;
        }
        let stop = CancellationToken::new();
        let (sender, values) = watch::channel(None);
        let worker = Worker {
            store: store.clone(),
            scans: Arc::clone(&self.scans),
            query: key.0.clone(),
            range,
            sender,
        };
        let stopped = stop.clone();
        tokio::spawn(async move { stopped.run_until_cancelled_owned(worker.run()).await });
        let feed = Arc::new(Feed {
            values,
            _stop: stop.drop_guard(),
        });
        running.insert(key, Arc::downgrade(&feed));
        feed
    }
}

struct Worker {
    store: RecordStore,
    scans: Arc<Semaphore>,
    query: Query,
    range: TimeRange,
    sender: watch::Sender<Option<Arc<FeedValue>>>,
}

/// The state, and up to where it has counted.
struct Counted {
    state: State,
    last_seq: i64,
    last_received_at_ms: Option<i64>,
}

impl Worker {
    async fn run(self) {
        loop {
            // Listening begins before counting, so that no commit falls between the two.
            let events = self.store.follow_commits(self.query.pipeline_id());
            match self.count().await {
                Ok(counted) => self.keep_up(counted, events).await,
                Err(error) => {
                    self.fail(&error);
                    tokio::time::sleep(match error {
                        ReadError::TooManyRecords(_) => RETRY_LARGE_AFTER,
                        _ => RETRY_AFTER,
                    })
                    .await;
                }
            }
        }
    }

    fn fail(&self, error: &ReadError) {
        let message = match error {
            ReadError::TooManyRecords(limit) => {
                format!("There are more than {limit} records in this range. Choose a shorter one.")
            }
            other => {
                tracing::error!(error = %other, query = ?self.query, "a query failed");
                "The records could not be read. Trying again.".to_owned()
            }
        };
        let value = FeedValue {
            result: Err(message),
            last_seq: 0,
            last_received_at_ms: None,
        };
        self.sender.send_replace(Some(Arc::new(value)));
    }

    async fn count(&self) -> Result<Counted, ReadError> {
        let _permit = self.scans.acquire().await;
        let id = self.query.pipeline_id();
        let reading = self.store.reading(id).await?;
        match self.count_in(&reading).await {
            Err(ReadError::Database(error)) if reading.from_replica => {
                self.store.leave_replica(&error);
                self.count_in(&self.store.reading_primary(id).await?).await
            }
            counted => counted,
        }
    }

    async fn count_in(&self, reading: &Reading) -> Result<Counted, ReadError> {
        let (store, totals) = (&reading.store, reading.totals);
        let id = self.query.pipeline_id();
        let now_ms = store.clock.now_ms();
        let mut state = State::new(self.query.clone(), self.range);
        let from_ms = state.needed_from_ms(now_ms);
        let to_ms = match self.range {
            TimeRange::Last { .. } => i64::MAX,
            TimeRange::Between { .. } => self.query.window(&self.range, now_ms).to_ms,
        };
        if let Query::Latest { limit, .. } = self.query {
            let window = self.query.window(&self.range, now_ms);
            let newest = store
                .newest_by_time(id, from_ms, window.to_ms.min(to_ms), totals.last_seq, limit)
                .await?;
            newest
                .iter()
                .rev()
                .for_each(|record| state.add(record, now_ms));
            store
                .arrivals(id, totals.last_seq, now_ms - RATE_MS)
                .await?
                .into_iter()
                .rev()
                .for_each(|at_ms| state.arrive(at_ms));
        } else {
            store
                .scan(id, from_ms, to_ms, totals.last_seq, |record| {
                    state.add(record, now_ms);
                })
                .await?;
        }
        Ok(Counted {
            state,
            last_seq: totals.last_seq,
            last_received_at_ms: totals.last_received_at_ms,
        })
    }

    /// Adds what is committed and tells the readers, until some commits were missed.
    async fn keep_up(&self, mut counted: Counted, mut events: LiveEvents) {
        let mut next_value = Instant::now();
        loop {
            let now_ms = self.store.clock.now_ms();
            counted.state.forget(now_ms);
            self.tell(&counted, now_ms);
            next_value = next_value.max(Instant::now()) + MIN_PERIOD;
            let stable_ms = counted
                .state
                .stable_for_ms(now_ms)
                .clamp(50, 3_600_000)
                .unsigned_abs();
            let moves_on = Instant::now() + Duration::from_millis(stable_ms);
            let mut changed = false;
            loop {
                // Once something has changed, waiting ends as soon as the next value may be told.
                let until = if changed { next_value } else { moves_on };
                tokio::select! {
                    biased;
                    committed = events.next() => match committed {
                        Some(committed) => match self.take(&mut counted, &committed) {
                            Some(added) => changed |= added,
                            None => return,
                        },
                        None => return,
                    },
                    () = tokio::time::sleep_until(until) => break,
                }
                if changed && Instant::now() >= next_value {
                    break;
                }
            }
        }
    }

    /// Adds a commit; `None` when one before it was missed.
    fn take(&self, counted: &mut Counted, committed: &super::Committed) -> Option<bool> {
        let Some(first) = committed.records.first() else {
            return Some(false);
        };
        if first.seq > counted.last_seq + 1 {
            return None;
        }
        let now_ms = self.store.clock.now_ms();
        let mut added = false;
        for record in committed
            .records
            .iter()
            .filter(|record| record.seq > counted.last_seq)
        {
            counted.state.add(record, now_ms);
            counted.state.arrive(record.received_at_ms);
            counted.last_received_at_ms = Some(record.received_at_ms);
            added = true;
        }
        if let Some(last) = committed.records.last() {
            counted.last_seq = counted.last_seq.max(last.seq);
        }
        Some(added)
    }

    fn tell(&self, counted: &Counted, now_ms: i64) {
        let value = FeedValue {
            result: Ok(counted.state.result(now_ms)),
            last_seq: counted.last_seq,
            last_received_at_ms: counted.last_received_at_ms,
        };
        self.sender.send_if_modified(|current| {
            let same = current.as_deref() == Some(&value);
            if !same {
                *current = Some(Arc::new(value));
            }
            !same
        });
    }
}
