//! The pipeline run-time: takes what a source yields through the transform into the record store.
//!
//! It knows sources, steps and the store, but neither tenants nor definitions in the database: it
//! is given a [`Definition`] and runs it. `pipelines` decides what runs when.

mod answers;
mod csv_source;
pub mod demo;
mod json_source;
mod polling;

use std::sync::Arc;

use bytes::Bytes;
use dash_shared::fields::{FieldPath, Fields, shorten};
use dash_shared::ids::{PipelineId, RunId, TeamId};
use dash_shared::sources::{HttpPolling, MAX_RECORD_BYTES, Source};
use dash_shared::timestamps;
use dash_shared::transform::{Outcome, Preview, State, StepError, Transform};
use metrics::Counter;
use serde::Serialize;
use serde_json::Value;

use crate::clock::Clock;
use crate::data::{
    Append, Appended, Mark, NewRecord, NewRun, ReadError, RecordError, RecordKey, RecordStore,
    RunTrigger,
};
use crate::outbound::Outbound;

use polling::{Found, Poller};

pub use crate::data::WriteError;
pub use json_source::{BodyError, records_of_body};
pub use polling::{
    Credentials, FetchError, FetchErrorCode, Outlook, SourceTest, check_records_path,
};

/// How many failed records a run keeps in full.
const KEPT_ERRORS: usize = 20;
/// How often a request of a poll that fails is sent again.
const POLL_RETRIES: u32 = 3;
/// How much of a failed record is kept, in characters.
const KEPT_RECEIVED_CHARS: usize = 2_000;

/// What a pipeline does, ready to run.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The pipeline.
    pub pipeline_id: PipelineId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// Where its data comes from.
    pub source: Source,
    /// The secrets of a polling source; none when they cannot be opened.
    pub credentials: Option<Credentials>,
    /// The transform.
    pub transform: Transform,
    /// The field that says when a record happened; when it came in, if there is none.
    pub time_field: Option<FieldPath>,
}

/// What became of one batch of received values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The run it was stored with; none when the same batch was there already.
    pub run_id: Option<RunId>,
    /// Whether the same batch was there already: then nothing is stored.
    pub duplicate: bool,
    /// How many records came in.
    pub received: usize,
    /// How many are stored.
    pub stored: usize,
    /// How many a step left out.
    pub dropped: usize,
    /// How many failed.
    pub failed: usize,
    /// How many were left out because they were stored before.
    pub duplicates: usize,
    /// The first of the failed ones: which, where and why.
    pub errors: Vec<ReceiptError>,
}

/// One failed record of a [`Receipt`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptError {
    /// Which of the received records, from 0.
    pub index: usize,
    /// The step and what is wrong.
    #[serde(flatten)]
    pub error: StepError,
}

/// Runs pipelines. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    store: RecordStore,
    clock: Clock,
    poller: Poller,
    meters: Meters,
}

/// Counts records. Kept, since looking a metric up takes longer than counting.
#[derive(Clone)]
struct Meters {
    received: Counter,
    stored: Counter,
    failed: Counter,
    duplicate: Counter,
    unchanged: Counter,
}

impl Meters {
    fn new() -> Self {
        Self {
            received: metrics::counter!("dash_records_received_total"),
            stored: metrics::counter!("dash_records_stored_total"),
            failed: metrics::counter!("dash_records_failed_total"),
            duplicate: metrics::counter!("dash_records_duplicate_total"),
            unchanged: metrics::counter!("dash_polls_unchanged_total"),
        }
    }

    fn count(&self, received: usize, appended: &Appended, sorted: &Sorted) {
        self.received.increment(received as u64);
        self.stored.increment(appended.stored as u64);
        self.failed.increment(sorted.failed as u64);
        self.duplicate.increment(appended.duplicates as u64);
    }
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
    }
}

/// What makes a run, apart from its records.
struct Batch {
    key: Option<String>,
    trigger: RunTrigger,
    started_at_ms: i64,
    /// What names each value that came in; shorter when nothing does.
    record_keys: Vec<Option<RecordKey>>,
    /// How far the source is read with it, if that changed.
    mark: Option<Mark>,
}

impl Batch {
    const fn new(trigger: RunTrigger, key: Option<String>, started_at_ms: i64) -> Self {
        Self {
            key,
            trigger,
            started_at_ms,
            record_keys: Vec::new(),
            mark: None,
        }
    }
}

/// What became of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
    /// What came is stored.
    Stored(Receipt),
    /// The server says that nothing has changed. That is no run of its own.
    Unchanged,
    /// Nothing could be read; that is a failed run.
    Failed(FetchError),
}

impl Engine {
    /// An engine that stores into `store` and asks other servers through `outbound`.
    pub fn new(store: RecordStore, clock: Clock, outbound: Arc<Outbound>) -> Self {
        Self {
            store,
            poller: Poller::new(outbound, clock.clone()),
            clock,
            meters: Meters::new(),
        }
    }

    /// Takes a webhook's body in; returns when its records are durable. What names the delivery, if
    /// anything does, names the batch: delivered again, it is not stored again.
    pub async fn receive(
        &self,
        definition: &Definition,
        body: Bytes,
        delivery: Option<&[u8]>,
    ) -> Result<Receipt, ReceiveError> {
        let started_at_ms = self.clock.now_ms();
        let received = records_of_body(&body)?;
        let key = delivery.map(|delivery| format!("hook:{}", RecordKey::of(delivery)));
        let batch = Batch::new(RunTrigger::Webhook, key, started_at_ms);
        Ok(self.ingest(definition, received, batch).await?)
    }

    /// Asks a polling source, and stores what it answers together with how far it is read. Failing
    /// to get an answer is a run too, a failed one. `redact` takes secrets out of what is told.
    pub async fn poll(
        &self,
        definition: &Definition,
        trigger: RunTrigger,
        batch_key: String,
        redact: impl Fn(&str) -> String,
    ) -> Result<Polled, PollError> {
        let mut batch = Batch::new(trigger, Some(batch_key), self.clock.now_ms());
        match self.fetch(definition).await? {
            // Somebody who asks for a run wants to see it.
            Ok(Found::Unchanged) if trigger == RunTrigger::Manual => {
                let receipt = self.ingest(definition, Vec::new(), batch).await?;
                Ok(Polled::Stored(receipt))
            }
            Ok(Found::Unchanged) => {
                self.meters.unchanged.increment(1);
                Ok(Polled::Unchanged)
            }
            Ok(Found::Records(found)) => {
                batch.record_keys = found.keys;
                batch.mark = found.mark;
                let receipt = self.ingest(definition, found.records, batch).await?;
                Ok(Polled::Stored(receipt))
            }
            Err(mut error) => {
                error.message = redact(&error.message);
                Ok(Polled::Failed(
                    self.store_failure(definition, batch, error).await?,
                ))
            }
        }
    }

    /// Stores that a poll could not even be made.
    pub async fn fail(
        &self,
        definition: &Definition,
        trigger: RunTrigger,
        batch_key: String,
        error: FetchError,
    ) -> Result<FetchError, WriteError> {
        let batch = Batch::new(trigger, Some(batch_key), self.clock.now_ms());
        self.store_failure(definition, batch, error).await
    }

    async fn store_failure(
        &self,
        definition: &Definition,
        batch: Batch,
        mut error: FetchError,
    ) -> Result<FetchError, WriteError> {
        error.message = clean(&error.message);
        let failure = (error.code.as_str().to_owned(), error.message.clone());
        let run = NewRun {
            error: Some(failure),
            ..self.new_run(definition, &batch, 0)
        };
        let append = Append {
            run,
            records: Vec::new(),
            mark: None,
        };
        self.store.append(append).await?;
        Ok(error)
    }

    async fn fetch(&self, definition: &Definition) -> Result<Result<Found, FetchError>, PollError> {
        let Source::HttpPolling(polling) = &definition.source else {
            let error = FetchError::internal("the source is not one that is polled");
            return Ok(Err(error));
        };
        let Some(credentials) = &definition.credentials else {
            return Ok(Err(FetchError::new(
                FetchErrorCode::SecretsLost,
                "The stored secrets cannot be opened: the key that Dash was started with has \
                 changed. Enter them again.",
            )));
        };
        let polled = polling::Polled {
            pipeline_id: Some(definition.pipeline_id),
            polling,
            credentials,
            retries: POLL_RETRIES,
        };
        let mark = self.store.mark(definition.pipeline_id).await?;
        Ok(self.poller.fetch(polled, mark).await)
    }

    /// Asks a polling source once, to show what it answers. Nothing is stored.
    pub async fn test_polling(
        &self,
        polling: &HttpPolling,
        credentials: &Credentials,
    ) -> Result<SourceTest, FetchError> {
        let polled = polling::Polled {
            pipeline_id: None,
            polling,
            credentials,
            retries: 0,
        };
        self.poller.test(polled).await
    }

    /// Stores the demo's orders of a span of time. The span names the batch: asked for twice, it is
    /// stored once.
    pub async fn run_demo(
        &self,
        definition: &Definition,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Receipt, WriteError> {
        let started_at_ms = self.clock.now_ms();
        let Source::Demo { seed } = definition.source else {
            return Ok(Receipt::of(0, Appended::default(), Sorted::default()));
        };
        let orders = demo::orders(seed, from_ms, to_ms);
        let key = Some(format!("demo:{from_ms}-{to_ms}"));
        let batch = Batch::new(RunTrigger::Demo, key, started_at_ms);
        self.ingest(definition, orders, batch).await
    }

    async fn ingest(
        &self,
        definition: &Definition,
        received: Vec<Value>,
        mut batch: Batch,
    ) -> Result<Receipt, WriteError> {
        let count = received.len();
        let mut sorted = self.transform(definition, received, &batch.record_keys);
        // A delivery of which nothing could be stored can be sent again when the pipeline is mended.
        if batch.trigger == RunTrigger::Webhook && sorted.failed > 0 && sorted.records.is_empty() {
            batch.key = None;
        }
        let run = NewRun {
            dropped: to_i64(sorted.dropped),
            failed: to_i64(sorted.failed),
            record_errors: std::mem::take(&mut sorted.record_errors),
            ..self.new_run(definition, &batch, count)
        };
        let append = Append {
            run,
            records: std::mem::take(&mut sorted.records),
            mark: batch.mark,
        };
        let appended = self.store.append(append).await?;
        self.meters.count(count, &appended, &sorted);
        Ok(Receipt::of(count, appended, sorted))
    }

    fn new_run(&self, definition: &Definition, batch: &Batch, received: usize) -> NewRun {
        NewRun {
            team_id: definition.team_id,
            pipeline_id: definition.pipeline_id,
            batch_key: batch.key.clone(),
            trigger: batch.trigger,
            started_at_ms: batch.started_at_ms,
            finished_at_ms: self.clock.now_ms(),
            received: to_i64(received),
            dropped: 0,
            failed: 0,
            record_errors: Vec::new(),
            error: None,
        }
    }

    fn transform(
        &self,
        definition: &Definition,
        received: Vec<Value>,
        keys: &[Option<RecordKey>],
    ) -> Sorted {
        let received_at_ms = self.clock.now_ms();
        // The API takes mappings only as yet, which remember nothing and need nothing from outside.
        let (mut state, environment) = (
            State::default(),
            Preview {
                now_ms: received_at_ms,
            },
        );
        let mut outcomes = Vec::new();
        let mut sorted = Sorted::default();
        for (index, value) in received.into_iter().enumerate() {
            let key = keys.get(index).copied().flatten();
            let first = sorted.records.len();
            match value {
                // What no step changes is stored as it came, not as a copy.
                Value::Object(fields) if definition.transform.is_empty() => {
                    match new_record(definition, fields, received_at_ms) {
                        Ok(record) => sorted.records.push(record),
                        Err(refused) => {
                            let Refused { error, fields } = *refused;
                            sorted.fail(index, error, &Value::Object(fields));
                        }
                    }
                }
                value => {
                    let transform = &definition.transform;
                    transform.run(&value, &mut state, &environment, &mut outcomes);
                    for outcome in outcomes.drain(..) {
                        match outcome {
                            Outcome::Stored(fields) => {
                                match new_record(definition, fields, received_at_ms) {
                                    Ok(record) => sorted.records.push(record),
                                    Err(refused) => sorted.fail(index, refused.error, &value),
                                }
                            }
                            Outcome::Dropped { .. } => sorted.dropped += 1,
                            // What is in a window is stored with the window.
                            Outcome::Held { .. } => {}
                            Outcome::Failed(error) => sorted.fail(index, error, &value),
                        }
                    }
                }
            }
            if let (Some(key), Some(new)) = (key, sorted.records.get_mut(first..)) {
                for (part, record) in new.iter_mut().enumerate() {
                    record.key = Some(key.part(part));
                }
            }
        }
        sorted
    }
}

/// A batch after the transform.
#[derive(Default)]
struct Sorted {
    records: Vec<NewRecord>,
    dropped: usize,
    failed: usize,
    record_errors: Vec<RecordError>,
    errors: Vec<ReceiptError>,
}

impl Sorted {
    fn fail(&mut self, index: usize, error: StepError, received: &Value) {
        self.failed += 1;
        if self.errors.len() < KEPT_ERRORS {
            let text: String = received
                .to_string()
                .chars()
                .take(KEPT_RECEIVED_CHARS)
                .collect();
            self.record_errors.push(RecordError {
                error: error.clone(),
                received: text,
            });
            self.errors.push(ReceiptError { index, error });
        }
    }
}

impl Receipt {
    fn of(received: usize, appended: Appended, sorted: Sorted) -> Self {
        Self {
            run_id: appended.run_id,
            duplicate: appended.run_id.is_none(),
            received,
            stored: appended.stored,
            dropped: sorted.dropped,
            failed: sorted.failed,
            duplicates: appended.duplicates,
            errors: sorted.errors,
        }
    }
}

/// A record that cannot be stored, and what it holds.
struct Refused {
    error: StepError,
    fields: Fields,
}

fn new_record(
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
fn check_record(
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

/// PostgreSQL takes no zero character in text.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// Why a poll could neither be made nor told of.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// How far the source was read is not known.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What came could not be stored.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Why a webhook's body was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The body holds no records that can be read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The records could not be stored.
    #[error(transparent)]
    Write(#[from] WriteError),
}
