//! Which records are sent next, and together: from the cursor on, in the order of commits, those that
//! meet the filter. What was deleted before it could be sent is counted.

use std::collections::VecDeque;

use chrono_tz::Tz;
use dash_shared::ids::{PipelineId, SinkId};
use dash_shared::sinks::{Batch, EmailTiming, MAX_MAILS_PER_HOUR, Matcher, Target};

use super::digests::next_due;
use super::rendering::DIGEST_RECORDS;
use super::{Sink, Sinks, SinksError, signing};
use crate::data::{RecordStore, StoredRecord};

/// How many records are read at once, when they are small.
const CHUNK_RECORDS: i64 = 200;
/// About how many bytes.
const CHUNK_BYTES: i64 = 1024 * 1024;
/// About how many bytes of records are sent together.
const BATCH_BYTES: usize = 256 * 1024;
/// How many places are noted where records were missed; further ones count with the last.
const MAX_MISSED: usize = 1_000;
const HOUR_MS: i64 = 3_600_000;
/// The record that never comes: what waits for it waits for a time.
pub(super) const NEVER: i64 = i64::MAX;

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Next {
    /// These records are sent.
    Deliver(Planned),
    /// Nothing, for now.
    Rest(Rest),
}

/// Records that are sent together.
#[derive(Debug)]
pub(super) struct Planned {
    pub message_id: String,
    pub first_seq: i64,
    pub last_seq: i64,
    /// How many there are.
    pub count: usize,
    /// The records; of a digest the first ones.
    pub records: Vec<StoredRecord>,
}

/// How far everything was dealt with, and what a sink waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    pub cursor_seq: i64,
    /// The record that wakes it.
    pub wake_seq: i64,
    /// The time that wakes it.
    pub due_at_ms: Option<i64>,
}

impl Rest {
    const fn until_record_after(seq: i64) -> Self {
        Self {
            cursor_seq: seq,
            wake_seq: seq + 1,
            due_at_ms: None,
        }
    }

    const fn until(cursor_seq: i64, due_at_ms: i64) -> Self {
        Self {
            cursor_seq,
            wake_seq: NEVER,
            due_at_ms: Some(due_at_ms),
        }
    }
}

impl Missed {
    fn add(&mut self, other: Self) {
        self.skipped += other.skipped;
        self.faults += other.faults;
        self.last_fault = other.last_fault.or_else(|| self.last_fault.take());
    }
}

/// Reads a pipeline's records one after the other.
#[derive(Debug)]
pub(super) struct Reader {
    store: RecordStore,
    pipeline_id: PipelineId,
    read: VecDeque<StoredRecord>,
    /// The last record that was handed out, or was found to be gone.
    position: i64,
    /// The last one that is known to be there.
    last_seq: i64,
    chunk: i64,
    /// What was missed, and after which record that is known.
    missed: Vec<(i64, Missed)>,
}

/// Records that are not sent though nobody said so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Missed {
    /// How many were deleted before.
    pub skipped: i64,
    /// How many could not be filtered or written.
    pub faults: i64,
    /// What was wrong with the last of them.
    pub last_fault: Option<String>,
}

impl Reader {
    pub fn new(store: RecordStore, pipeline_id: PipelineId, position: i64) -> Self {
        Self {
            store,
            pipeline_id,
            read: VecDeque::new(),
            position,
            last_seq: 0,
            chunk: CHUNK_RECORDS,
            missed: Vec::new(),
        }
    }

    /// Notes that so many records up to `seq` were deleted before.
    pub fn note_skipped(&mut self, seq: i64, skipped: i64) {
        if skipped > 0 {
            let missed = Missed {
                skipped,
                ..Missed::default()
            };
            self.note(seq, missed);
        }
    }

    /// Notes what is wrong with the record `seq`.
    pub fn note_fault(&mut self, seq: i64, fault: String) {
        let missed = Missed {
            faults: 1,
            last_fault: Some(fault),
            ..Missed::default()
        };
        self.note(seq, missed);
    }

    fn note(&mut self, seq: i64, missed: Missed) {
        let is_full = self.missed.len() >= MAX_MISSED;
        match self.missed.last_mut() {
            Some((last, all)) if is_full => {
                *last = seq;
                all.add(missed);
            }
            _ => self.missed.push((seq, missed)),
        }
    }

    /// What was missed up to a record, to be written down with it; it is forgotten here.
    pub fn take_missed(&mut self, up_to_seq: i64) -> Missed {
        let known = self.missed.iter().take_while(|(seq, _)| *seq <= up_to_seq);
        let count = known.count();
        let mut all = Missed::default();
        for (_, missed) in self.missed.drain(..count) {
            all.add(missed);
        }
        all
    }

    /// Whose records they are.
    pub const fn pipeline_id(&self) -> PipelineId {
        self.pipeline_id
    }

    /// Hands out again what comes after the record `seq`.
    pub fn go_back(&mut self, seq: i64) {
        if seq < self.position {
            self.read.clear();
            self.position = seq;
            self.missed.retain(|(missed, _)| *missed <= seq);
        }
    }

    /// Looks how far the records go now.
    async fn look(&mut self) -> Result<(), SinksError> {
        let totals = self.store.totals_of(self.pipeline_id).await?;
        self.last_seq = totals.last_seq;
        // A cursor from the future, as after a backup was restored, must not silence the sink.
        self.position = self.position.min(totals.last_seq);
        let bytes = totals.stored_bytes / totals.record_count.max(1);
        self.chunk = (CHUNK_BYTES / bytes.max(1)).clamp(1, CHUNK_RECORDS);
        Ok(())
    }

    /// The next record; none when there is none yet.
    async fn next(&mut self) -> Result<Option<StoredRecord>, SinksError> {
        if self.read.is_empty() && self.position >= self.last_seq {
            self.look().await?;
        }
        self.next_known().await
    }

    /// Counts the numbers up to `seq` that no record has any more.
    async fn pass_over(&mut self, seq: i64) -> Result<(), SinksError> {
        if seq <= self.position {
            return Ok(());
        }
        let mut gone = seq - self.position;
        // One number may be of no record at all: a backfill leaves it out.
        let left_out = self.store.rewrite(self.pipeline_id).await?;
        if left_out.is_some_and(|rewrite| (self.position + 1..=seq).contains(&rewrite.base_seq)) {
            gone -= 1;
        }
        self.position = seq;
        self.note_skipped(seq, gone);
        Ok(())
    }

    /// The next record of those that are known to be there.
    async fn next_known(&mut self) -> Result<Option<StoredRecord>, SinksError> {
        if self.read.is_empty() && self.position < self.last_seq {
            let (after, up_to) = (self.position, self.last_seq);
            let read = self
                .store
                .records_after(self.pipeline_id, after, up_to, self.chunk)
                .await?;
            self.read = read.into();
        }
        let Some(record) = self.read.pop_front() else {
            // What was known to be there, and is not, was deleted.
            self.pass_over(self.last_seq).await?;
            return Ok(None);
        };
        self.pass_over(record.seq - 1).await?;
        self.position = record.seq;
        Ok(Some(record))
    }
}

/// Decides what is sent next.
#[derive(Debug)]
pub(super) struct Planner {
    matcher: Matcher,
    zone: Tz,
    pub reader: Reader,
}

impl Planner {
    pub fn new(store: RecordStore, sink: &Sink) -> Result<Self, SinksError> {
        let zone = match &sink.definition.target {
            Target::Email(email) => match &email.timing {
                EmailTiming::Digest { time_zone, .. } => time_zone.parse().unwrap_or(Tz::UTC),
                _ => Tz::UTC,
            },
            _ => Tz::UTC,
        };
        let matcher = Matcher::compile(sink.definition.filter.as_ref());
        Ok(Self {
            matcher: matcher.map_err(SinksError::Damaged)?,
            zone,
            reader: Reader::new(store, sink.pipeline_id, sink.cursor_seq),
        })
    }

    /// Whether a record is sent. A filter that has no answer for it leaves it out.
    pub fn takes(&mut self, record: &StoredRecord) -> bool {
        match self.matcher.is_met(&record.fields, record.received_at_ms) {
            Ok(met) => met,
            Err(problem) => {
                let fault = format!("Filter: {}.", problem.message());
                self.reader.note_fault(record.seq, fault);
                false
            }
        }
    }

    /// Whether a record is sent that was looked at before; what is wrong with it was counted then.
    pub fn takes_again(&self, record: &StoredRecord) -> bool {
        let met = self.matcher.is_met(&record.fields, record.received_at_ms);
        met.unwrap_or(false)
    }

    /// What a sink does next.
    pub async fn plan(&mut self, sinks: &Sinks, sink: &Sink) -> Result<Next, SinksError> {
        let now_ms = sinks.clock.now_ms();
        match &sink.definition.target {
            Target::Email(email) => match &email.timing {
                EmailTiming::EachRecord => {
                    if let Some(due_at_ms) = sinks.mails_allowed_at(sink.id, now_ms).await? {
                        let rest = Rest::until(self.reader.position, due_at_ms);
                        return Ok(Next::Rest(rest));
                    }
                    self.plan_batch(sink, Batch::ONE, now_ms).await
                }
                EmailTiming::Digest { every, .. } => {
                    let next_ms = next_due(*every, self.zone, now_ms);
                    self.plan_digest(sink, next_ms, now_ms).await
                }
                EmailTiming::Condition { quiet_minutes } => {
                    let quiet_ms = i64::from(*quiet_minutes) * 60_000;
                    let last = sinks.last_planned_at(sink.id).await?;
                    let quiet_until_ms = last.map_or(0, |last| last + quiet_ms);
                    self.plan_condition(sink, quiet_until_ms, now_ms).await
                }
            },
            target => self.plan_batch(sink, target.batch(), now_ms).await,
        }
    }

    async fn plan_batch(
        &mut self,
        sink: &Sink,
        batch: Batch,
        now_ms: i64,
    ) -> Result<Next, SinksError> {
        let most = usize::try_from(batch.records).unwrap_or(1);
        let (mut records, mut bytes) = (Vec::new(), 0);
        while records.len() < most && bytes < BATCH_BYTES {
            let Some(record) = self.reader.next().await? else {
                break;
            };
            if self.takes(&record) {
                bytes += if batch.is_list() { size_of(&record) } else { 0 };
                records.push(record);
            }
        }
        let Some(first) = records.first() else {
            return Ok(Next::Rest(Rest::until_record_after(self.reader.position)));
        };
        let due_at_ms = first.received_at_ms + i64::from(batch.seconds) * 1_000;
        let is_full = records.len() == most || bytes >= BATCH_BYTES;
        if !is_full && due_at_ms > now_ms {
            let missing = i64::try_from(most - records.len()).unwrap_or(NEVER);
            return Ok(Next::Rest(Rest {
                cursor_seq: first.seq - 1,
                wake_seq: self.reader.position + missing,
                due_at_ms: Some(due_at_ms),
            }));
        }
        Ok(deliver(sink, records))
    }

    async fn plan_digest(
        &mut self,
        sink: &Sink,
        next_ms: i64,
        now_ms: i64,
    ) -> Result<Next, SinksError> {
        match sink.due_at_ms {
            Some(due_ms) if due_ms <= now_ms => {}
            due_ms => {
                let due_ms = due_ms.unwrap_or(next_ms);
                return Ok(Next::Rest(Rest::until(self.reader.position, due_ms)));
            }
        }
        self.reader.look().await?;
        let (mut records, mut count) = (Vec::new(), 0);
        while self.reader.position < self.reader.last_seq {
            let Some(record) = self.reader.next_known().await? else {
                continue;
            };
            if self.takes(&record) {
                count += 1;
                if records.len() < DIGEST_RECORDS {
                    records.push(record);
                }
            }
        }
        let Some(first) = records.first() else {
            return Ok(Next::Rest(Rest::until(self.reader.position, next_ms)));
        };
        Ok(Next::Deliver(Planned {
            message_id: signing::message_id(sink.id, first.seq),
            first_seq: first.seq,
            last_seq: self.reader.position,
            count,
            records,
        }))
    }

    async fn plan_condition(
        &mut self,
        sink: &Sink,
        quiet_until_ms: i64,
        now_ms: i64,
    ) -> Result<Next, SinksError> {
        if quiet_until_ms > now_ms {
            return Ok(Next::Rest(Rest::until(
                self.reader.position,
                quiet_until_ms,
            )));
        }
        while let Some(record) = self.reader.next().await? {
            if record.received_at_ms >= quiet_until_ms && self.takes(&record) {
                return Ok(deliver(sink, vec![record]));
            }
        }
        Ok(Next::Rest(Rest::until_record_after(self.reader.position)))
    }
}

fn deliver(sink: &Sink, records: Vec<StoredRecord>) -> Next {
    let seq = |record: Option<&StoredRecord>| record.map_or(0, |record| record.seq);
    let (first_seq, last_seq) = (seq(records.first()), seq(records.last()));
    Next::Deliver(Planned {
        message_id: signing::message_id(sink.id, first_seq),
        first_seq,
        last_seq,
        count: records.len(),
        records,
    })
}

/// About how large a record is as JSON.
fn size_of(record: &StoredRecord) -> usize {
    serde_json::to_string(&*record.fields).map_or(0, |json| json.len())
}

impl Sinks {
    /// When an e-mail sink may send again; none when it may now.
    async fn mails_allowed_at(&self, id: SinkId, now_ms: i64) -> Result<Option<i64>, SinksError> {
        let most = i64::from(MAX_MAILS_PER_HOUR);
        let oldest_ms = self.planned_at(id, most - 1).await?;
        let allowed_ms = oldest_ms.map(|oldest_ms| oldest_ms + HOUR_MS);
        Ok(allowed_ms.filter(|allowed_ms| *allowed_ms > now_ms))
    }

    /// When the newest message was planned.
    async fn last_planned_at(&self, id: SinkId) -> Result<Option<i64>, SinksError> {
        self.planned_at(id, 0).await
    }
}
