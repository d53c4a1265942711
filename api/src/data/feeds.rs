//! Live results. One feed computes one query for all who ask the same: it counts the range once,
//! then adds what is committed, and tells its readers at most ten times a second. A slow reader
//! sees fewer values, never old ones, and slows nobody.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use super::aggregate::{Asked, QueryResult, RATE_MS, Shape, State};
use super::live::LiveEvents;
use super::read::SeriesTotals;
use super::replica::Reading;
use super::{ReadError, RecordStore, StoredRecord};
use crate::running::{Joined, Running};

/// The shortest time between two values of a feed.
const MIN_PERIOD: Duration = Duration::from_millis(100);
/// How long a feed that failed waits before it tries again.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// The same for one whose range has too many records: that changes slowly, and costs much to see.
const RETRY_LARGE_AFTER: Duration = Duration::from_mins(10);
/// The same for one whose records are being counted for the first time.
const RETRY_PREPARING_AFTER: Duration = Duration::from_secs(1);
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

/// What those who hold a feed see of it. It ends when the last one lets go.
#[derive(Debug)]
pub struct Feed {
    values: watch::Receiver<Option<Arc<FeedValue>>>,
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

/// The feeds that run. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Feeds {
    running: Running<Asked, Feed>,
    scans: Arc<Semaphore>,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            running: Running::default(),
            scans: Arc::new(Semaphore::new(PARALLEL_SCANS)),
        }
    }
}

impl Feeds {
    pub(super) fn open(&self, store: &RecordStore, asked: Asked) -> Arc<Joined<Feed>> {
        self.running.join(asked, |asked| {
            let (sender, values) = watch::channel(None);
            let worker = Worker {
                store: store.clone(),
                scans: Arc::clone(&self.scans),
                asked: asked.clone(),
                sender,
            };
            (Feed { values }, worker.run())
        })
    }
}

struct Worker {
    store: RecordStore,
    scans: Arc<Semaphore>,
    asked: Asked,
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
            let events = self.store.follow_commits(self.asked.query.pipeline_id);
            match self.count().await {
                Ok(counted) => self.keep_up(counted, events).await,
                Err(error) => {
                    self.fail(&error);
                    tokio::time::sleep(match *error {
                        ReadError::TooManyRecords(_) => RETRY_LARGE_AFTER,
                        ReadError::Preparing { .. } => RETRY_PREPARING_AFTER,
                        _ => RETRY_AFTER,
                    })
                    .await;
                }
            }
        }
    }

    fn fail(&self, error: &ReadError) {
        let value = FeedValue {
            result: Err(self.explain(error)),
            last_seq: 0,
            last_received_at_ms: None,
        };
        self.sender.send_replace(Some(Arc::new(value)));
    }

    /// Why there is no result, in a sentence for people.
    fn explain(&self, error: &ReadError) -> String {
        match error {
            ReadError::TooManyRecords(limit) => format!(
                "There are more than {limit} records in this range, and with these filters they \
                 have to be read one by one. Choose a shorter range."
            ),
            ReadError::TooManyGroups(limit) => format!(
                "The field that divides this chart has more than {limit} different values. Choose \
                 one with fewer, or a shorter range."
            ),
            ReadError::Preparing { done, of } => format!(
                "{of} records are being counted for the first time: {} %. The next time this takes \
                 no time.",
                done * 100 / (*of).max(1)
            ),
            other => {
                tracing::error!(error = %other, query = ?self.asked.query, "a query failed");
                "The records could not be read. Trying again.".to_owned()
            }
        }
    }

    async fn count(&self) -> Result<Counted, Arc<ReadError>> {
        let _permit = self.scans.acquire().await;
        let store = &self.store;
        let now_ms = store.clock.now_ms();
        let mut state = State::new(self.asked.clone(), now_ms);
        let totals = match self.asked.query.selection() {
            Some(selection) => {
                let counted = store.count(&selection, &self.asked.buckets(now_ms)).await?;
                state.take(&counted);
                counted.totals
            }
            None => self.newest(&mut state, now_ms).await?,
        };
        Ok(Counted {
            state,
            last_seq: totals.last_seq,
            last_received_at_ms: totals.last_received_at_ms,
        })
    }

    /// Reads the newest records, and when records came in lately.
    async fn newest(&self, state: &mut State, now_ms: i64) -> Result<SeriesTotals, ReadError> {
        let id = self.asked.query.pipeline_id;
        let reading = self.store.reading(id).await?;
        let (reading, newest) = match self.newest_in(&reading, now_ms).await {
            Err(ReadError::Database(error)) if reading.from_replica => {
                self.store.leave_replica(&error);
                let reading = self.store.reading_primary(id).await?;
                let newest = self.newest_in(&reading, now_ms).await?;
                (reading, newest)
            }
            newest => (reading, newest?),
        };
        let (records, arrivals) = newest;
        for record in records.iter().rev() {
            state.add(record);
        }
        for at_ms in arrivals.into_iter().rev() {
            state.arrive(at_ms);
        }
        Ok(reading.totals)
    }

    async fn newest_in(
        &self,
        reading: &Reading,
        now_ms: i64,
    ) -> Result<(Vec<StoredRecord>, Vec<i64>), ReadError> {
        let query = &self.asked.query;
        let Shape::Latest { limit } = query.shape else {
            return Ok((Vec::new(), Vec::new()));
        };
        let (store, last_seq) = (&reading.store, reading.totals.last_seq);
        let frame = self.asked.frame(now_ms);
        let span = (frame.from_ms, frame.to_ms);
        let records = store.newest(query, span, last_seq, limit).await?;
        let arrivals = store.arrivals(query, last_seq, now_ms - RATE_MS).await?;
        Ok((records, arrivals))
    }

    /// Adds what is committed and tells the readers, until some commits were missed.
    async fn keep_up(&self, mut counted: Counted, mut events: LiveEvents) {
        let mut next_value = Instant::now();
        loop {
            let now_ms = self.store.clock.now_ms();
            counted.state.move_on(now_ms);
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
        let mut added = false;
        for record in committed
            .records
            .iter()
            .filter(|record| record.seq > counted.last_seq)
        {
            if self.asked.query.takes(record) {
                counted.state.add(record);
                counted.state.arrive(record.received_at_ms);
            }
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
            result: counted
                .state
                .result(now_ms)
                .map_err(|error| self.explain(&error)),
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
