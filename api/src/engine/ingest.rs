//! A batch's way through the transform into the store: as it came where there are no steps, in
//! turn where the transform remembers something, and in a thread of its own when it is large.

use std::sync::Arc;

use dash_shared::fields::{Fields, shorten};
use dash_shared::sources::{MAX_RECORD_BYTES, Source};
use dash_shared::timestamps;
use dash_shared::transform::{Outcome, State, StepError};
use serde_json::Value;

use super::lanes::Remembered;
use super::surroundings::Surroundings;
use super::{Definition, Engine, Receipt, ReceiptError};
use crate::data::{
    Append, Appended, MAX_KEPT_PER_RUN, Mark, NewFailure, NewPosition, NewRecord, NewRun,
    ReceivedBatch, RecordError, RecordKey, RunTrigger, WriteError,
};

/// How many failed records a run and a receipt tell of.
const TOLD_ERRORS: usize = 20;
/// How much of a failed record they tell, in characters.
const TOLD_RECEIVED_CHARS: usize = 2_000;
/// How much of a failed record is kept to be put in again, in bytes.
const KEPT_RECEIVED_BYTES: usize = MAX_RECORD_BYTES;
/// More records than this are not transformed on the threads that serve requests.
const INLINE_RECORDS: usize = 100;
/// How often a batch goes through the transform again because another process was quicker.
const MAX_TRIES: usize = 20;

/// What makes a run, apart from its records.
#[derive(Clone)]
pub(super) struct Batch {
    pub(super) key: Option<String>,
    pub(super) trigger: RunTrigger,
    pub(super) started_at_ms: i64,
    /// What names each value that came in; shorter when nothing does.
    pub(super) record_keys: Vec<Option<RecordKey>>,
    /// How far the source is read with it, if that changed.
    pub(super) mark: Option<Mark>,
    /// How far another pipeline is read with it.
    pub(super) position: Option<NewPosition>,
}

impl Batch {
    pub(super) const fn new(trigger: RunTrigger, key: Option<String>, started_at_ms: i64) -> Self {
        Self {
            key,
            trigger,
            started_at_ms,
            record_keys: Vec::new(),
            mark: None,
            position: None,
        }
    }
}

/// A batch after the transform.
#[derive(Default)]
pub(super) struct Sorted {
    pub(super) records: Vec<NewRecord>,
    pub(super) dropped: usize,
    pub(super) held: usize,
    pub(super) failed: usize,
    pub(super) errors: Vec<ReceiptError>,
    record_errors: Vec<RecordError>,
    failures: Vec<NewFailure>,
}

impl Engine {
    /// Takes what was received through the transform into the store.
    pub(super) async fn ingest(
        &self,
        definition: &Definition,
        received: Vec<Value>,
        batch: Batch,
    ) -> Result<Receipt, WriteError> {
        if definition.transform.is_stateful() {
            return self.ingest_in_turn(definition, received, batch).await;
        }
        let count = received.len();
        if definition.transform.is_empty() {
            let sorted = as_they_came(
                definition,
                received,
                &batch.record_keys,
                self.clock.now_ms(),
            );
            return self.keep(definition, batch, count, sorted, None).await;
        }
        let (sorted, received, _) = self
            .transform(definition, received, &batch, State::default())
            .await?;
        let beside = Beside {
            received: Some(received),
            remembered: None,
        };
        self.keep(definition, batch, count, sorted, Some(&beside))
            .await
    }

    /// The same where the transform remembers something: nothing of it is lost or counted twice,
    /// since it is stored with the records, or neither is.
    async fn ingest_in_turn(
        &self,
        definition: &Definition,
        mut received: Vec<Value>,
        mut batch: Batch,
    ) -> Result<Receipt, WriteError> {
        // It makes records of other values than the one at hand, and has steps of its own against
        // repeats.
        batch.record_keys.clear();
        let count = received.len();
        let turn = self.lanes.turn(definition.pipeline_id).await;
        let mut turn = turn.ok_or(WriteError::Busy)?;
        for _ in 0..MAX_TRIES {
            let remembered = turn.take(&self.store, &definition.transform).await?;
            let version = remembered.version;
            let (sorted, values, state) = self
                .transform(definition, received, &batch, remembered.state)
                .await?;
            let beside = Beside {
                received: Some(values),
                remembered: Some(Remembered { version, state }),
            };
            match self
                .keep(definition, batch.clone(), count, sorted, Some(&beside))
                .await
            {
                // Where the position is what has changed, this was read by somebody else.
                Err(WriteError::Stale) if batch.position.is_none() => {
                    received = beside.received.unwrap_or_default();
                }
                Ok(receipt) => {
                    if !receipt.duplicate
                        && let Some(remembered) = beside.remembered
                    {
                        turn.keep(remembered.stored());
                    }
                    return Ok(receipt);
                }
                Err(error) => return Err(error),
            }
        }
        Err(WriteError::Busy)
    }

    /// Closes the windows that have ended although nothing came; true when some did.
    pub async fn close_windows(&self, definition: &Definition) -> Result<bool, WriteError> {
        let started_at_ms = self.clock.now_ms();
        let Some(mut turn) = self.lanes.turn(definition.pipeline_id).await else {
            // What comes in closes them.
            return Ok(false);
        };
        turn.look(&self.store).await?;
        for _ in 0..MAX_TRIES {
            let mut remembered = turn.take(&self.store, &definition.transform).await?;
            let surroundings = self
                .surroundings(definition.team_id, &definition.transform)
                .await?;
            let mut outcomes = Vec::new();
            definition
                .transform
                .tick(&mut remembered.state, &surroundings, &mut outcomes);
            if outcomes.is_empty() {
                turn.keep(remembered);
                return Ok(false);
            }
            let mut sorted = Sorted::default();
            sorted.take(definition, outcomes, (0, &Value::Null), &surroundings);
            let batch = Batch::new(RunTrigger::Window, None, started_at_ms);
            let beside = Beside {
                received: None,
                remembered: Some(remembered),
            };
            match self.keep(definition, batch, 0, sorted, Some(&beside)).await {
                Err(WriteError::Stale) => {}
                Ok(_) => {
                    if let Some(remembered) = beside.remembered {
                        turn.keep(remembered.stored());
                    }
                    return Ok(true);
                }
                Err(error) => return Err(error),
            }
        }
        Err(WriteError::Busy)
    }

    /// Stores a batch after its transform.
    async fn keep(
        &self,
        definition: &Definition,
        mut batch: Batch,
        count: usize,
        mut sorted: Sorted,
        beside: Option<&Beside>,
    ) -> Result<Receipt, WriteError> {
        // A delivery of which nothing could be stored can be sent again when the pipeline is mended.
        if batch.trigger == RunTrigger::Webhook && sorted.failed > 0 && sorted.records.is_empty() {
            batch.key = None;
        }
        let (mark, position) = (batch.mark.take(), batch.position.take());
        let run = NewRun {
            dropped: to_i64(sorted.dropped),
            held: to_i64(sorted.held),
            failed: to_i64(sorted.failed),
            record_errors: std::mem::take(&mut sorted.record_errors),
            ..self.new_run(definition, batch, count)
        };
        let mut append = Append::new(run, std::mem::take(&mut sorted.records));
        append.failures = std::mem::take(&mut sorted.failures);
        append.mark = mark;
        append.position = position;
        if let Some(beside) = beside {
            let now_ms = append.run.finished_at_ms;
            let received = beside.received.as_deref();
            append.received = received.map(|received| ReceivedBatch::of(now_ms, received));
            let remembered = beside.remembered.as_ref();
            append.state = remembered.map(Remembered::to_store).transpose()?;
        }
        let appended = self.store.append(append).await?;
        self.count(count, &appended, &sorted);
        Ok(Receipt::of(count, appended, sorted))
    }

    fn count(&self, received: usize, appended: &Appended, sorted: &Sorted) {
        self.meters.received.increment(received as u64);
        self.meters.stored.increment(appended.stored as u64);
        self.meters.failed.increment(sorted.failed as u64);
        self.meters.duplicate.increment(appended.duplicates as u64);
    }

    pub(super) fn new_run(&self, definition: &Definition, batch: Batch, received: usize) -> NewRun {
        NewRun {
            team_id: definition.team_id,
            pipeline_id: definition.pipeline_id,
            batch_key: batch.key,
            trigger: batch.trigger,
            started_at_ms: batch.started_at_ms,
            finished_at_ms: self.clock.now_ms(),
            received: to_i64(received),
            dropped: 0,
            held: 0,
            failed: 0,
            record_errors: Vec::new(),
            error: None,
        }
    }

    /// Runs the steps over a batch; gives back what was received and what is remembered now.
    async fn transform(
        &self,
        definition: &Definition,
        received: Vec<Value>,
        batch: &Batch,
        state: State,
    ) -> Result<(Sorted, Vec<Value>, State), WriteError> {
        let surroundings = self
            .surroundings(definition.team_id, &definition.transform)
            .await?;
        if received.len() <= INLINE_RECORDS {
            let keys = &batch.record_keys;
            return Ok(transform(definition, received, keys, state, &surroundings));
        }
        let (definition, keys) = (definition.clone(), batch.record_keys.clone());
        let work = move || transform(&definition, received, &keys, state, &surroundings);
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| WriteError::Closed)
    }
}

/// What is stored beside a batch's records.
struct Beside {
    received: Option<Vec<Value>>,
    remembered: Option<Remembered>,
}

/// What no step changes is stored as it came, not as a copy.
fn as_they_came(
    definition: &Definition,
    received: Vec<Value>,
    keys: &[Option<RecordKey>],
    received_at_ms: i64,
) -> Sorted {
    let mut sorted = Sorted::default();
    for (index, value) in received.into_iter().enumerate() {
        let before = sorted.records.len();
        match value {
            Value::Object(fields) => match new_record(definition, fields, received_at_ms) {
                Ok(record) => sorted.records.push(record),
                Err(refused) => {
                    let Refused { error, fields } = *refused;
                    sorted.fail(index, error, &Value::Object(fields), received_at_ms);
                }
            },
            other => {
                let error = StepError::no_record(&other);
                sorted.fail(index, error, &other, received_at_ms);
            }
        }
        sorted.name_from(before, keys.get(index).copied().flatten());
    }
    sorted
}

fn transform(
    definition: &Definition,
    received: Vec<Value>,
    keys: &[Option<RecordKey>],
    mut state: State,
    surroundings: &Surroundings,
) -> (Sorted, Vec<Value>, State) {
    let mut outcomes = Vec::new();
    let mut sorted = Sorted::default();
    for (index, value) in received.iter().enumerate() {
        let (transform, before) = (&definition.transform, sorted.records.len());
        transform.run(value, &mut state, surroundings, &mut outcomes);
        sorted.take(definition, outcomes.drain(..), (index, value), surroundings);
        sorted.name_from(before, keys.get(index).copied().flatten());
    }
    (sorted, received, state)
}

impl Sorted {
    /// Takes what became of one received value.
    fn take(
        &mut self,
        definition: &Definition,
        outcomes: impl IntoIterator<Item = Outcome>,
        (index, value): (usize, &Value),
        surroundings: &Surroundings,
    ) {
        let now_ms = surroundings.now_ms();
        for outcome in outcomes {
            match outcome {
                Outcome::Stored(fields) => match new_record(definition, fields, now_ms) {
                    Ok(record) => self.records.push(record),
                    Err(refused) => self.fail(index, refused.error, value, now_ms),
                },
                Outcome::Dropped { .. } => self.dropped += 1,
                Outcome::Held { .. } => self.held += 1,
                Outcome::Failed(error) => self.fail(index, error, value, now_ms),
            }
        }
    }

    /// Names the records from `first` on after the value that they were made of.
    fn name_from(&mut self, first: usize, key: Option<RecordKey>) {
        if let (Some(key), Some(new)) = (key, self.records.get_mut(first..)) {
            for (part, record) in new.iter_mut().enumerate() {
                record.key = Some(key.part(part));
            }
        }
    }

    fn fail(&mut self, index: usize, error: StepError, received: &Value, failed_at_ms: i64) {
        self.failed += 1;
        if self.failures.len() >= MAX_KEPT_PER_RUN {
            return;
        }
        let text = received.to_string();
        if self.errors.len() < TOLD_ERRORS {
            self.record_errors.push(RecordError {
                error: error.clone(),
                received: text.chars().take(TOLD_RECEIVED_CHARS).collect(),
            });
            let error = error.clone();
            self.errors.push(ReceiptError { index, error });
        }
        // A part of it could not be put in again.
        if text.len() <= KEPT_RECEIVED_BYTES {
            self.failures.push(NewFailure {
                failed_at_ms,
                error,
                received: text,
            });
        }
    }
}

/// A record that cannot be stored, and what it holds.
pub(super) struct Refused {
    error: StepError,
    fields: Fields,
}

pub(super) fn new_record(
    definition: &Definition,
    fields: Fields,
    received_at_ms: i64,
) -> Result<NewRecord, Box<Refused>> {
    match check_record(definition, &fields, received_at_ms) {
        Ok((time_ms, json)) => Ok(NewRecord {
            time_ms,
            received_at_ms: match definition.source {
                // The history that the demo makes up did not come in just now.
                Source::Demo { .. } => time_ms.min(received_at_ms),
                _ => received_at_ms,
            },
            fields: Arc::new(fields),
            json,
            key: None,
        }),
        Err(error) => Err(Box::new(Refused { error, fields })),
    }
}

/// When a record happened, and its text.
pub(super) fn check_record(
    definition: &Definition,
    fields: &Fields,
    received_at_ms: i64,
) -> Result<(i64, String), StepError> {
    let after_all_steps = definition.transform.len() + 1;
    let time_ms = match &definition.time_field {
        None => received_at_ms,
        Some(path) => match path.get(fields) {
            None | Some(Value::Null) => received_at_ms,
            Some(value) => timestamps::parse_ms(value).ok_or_else(|| StepError {
                step: after_all_steps,
                path: path.to_string(),
                value: shorten(value),
                message: format!("“{}” is not a time", shorten(value)),
            })?,
        },
    };
    let json = serde_json::to_string(fields).unwrap_or_default();
    if json.len() > MAX_RECORD_BYTES {
        return Err(StepError {
            step: after_all_steps,
            path: String::new(),
            value: format!("{} bytes", json.len()),
            message: format!("a record has at most {MAX_RECORD_BYTES} bytes"),
        });
    }
    Ok((time_ms, json))
}

fn to_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
