//! The pipeline run-time: takes what a source yields through the transform into the record store.
//!
//! It knows sources, steps and the store, but neither tenants nor definitions in the database: it
//! is given a [`Definition`] and runs it. `pipelines` decides what runs when.

mod answers;
mod backfill;
mod csv_source;
pub mod demo;
mod ingest;
mod joins;
mod json_source;
mod lanes;
mod meters;
mod polling;
mod preview;
mod relay;
mod surroundings;

use std::sync::Arc;

use bytes::Bytes;
use dash_shared::fields::FieldPath;
use dash_shared::ids::{PipelineId, RunId, TeamId};
use dash_shared::sources::{HttpPolling, Source};
use dash_shared::transform::{StepError, Transform};
use serde::Serialize;

use self::ingest::{Batch, Sorted};
use self::joins::Joins;
use self::lanes::Lanes;
use self::meters::Meters;
use crate::clock::Clock;
use crate::data::{Append, Appended, NewRun, ReadError, RecordKey, RecordStore, RunTrigger};
use crate::outbound::Outbound;

use polling::{Found, Poller};

pub use crate::data::WriteError;
pub use json_source::{BodyError, records_of_body};
pub use polling::{
    Credentials, FetchError, FetchErrorCode, Outlook, SourceTest, check_records_path,
};
pub use preview::Previewed;
pub use relay::Relayed;

/// How often a request of a poll that fails is sent again.
const POLL_RETRIES: u32 = 3;

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
    /// How many became a part of a window, and are stored with it when it closes.
    #[serde(skip_serializing_if = "is_zero")]
    pub held: usize,
    /// How many failed.
    pub failed: usize,
    /// How many were left out because they were stored before.
    pub duplicates: usize,
    /// The first of the failed ones: which, where and why.
    pub errors: Vec<ReceiptError>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it skips by reference"
)]
const fn is_zero(count: &usize) -> bool {
    *count == 0
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
    lanes: Lanes,
    joins: Joins,
    /// What the salts of teams are made of.
    salt_key: Arc<[u8]>,
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
    /// An engine that stores into `store` and asks other servers through `outbound`; hashes are
    /// keyed with what follows from `salt_key`.
    pub fn new(store: RecordStore, clock: Clock, outbound: Arc<Outbound>, salt_key: &[u8]) -> Self {
        Self {
            store,
            poller: Poller::new(outbound, clock.clone()),
            clock,
            meters: Meters::new(),
            lanes: Lanes::new(),
            joins: Joins::new(),
            salt_key: salt_key.into(),
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
            ..self.new_run(definition, batch, 0)
        };
        self.store.append(Append::new(run, Vec::new())).await?;
        Ok(error)
    }

    async fn fetch(&self, definition: &Definition) -> Result<Result<Found, FetchError>, PollError> {
        let Source::HttpPolling(polling) = &definition.source else {
            let error = FetchError::internal("the source is not one that is polled");
            return Ok(Err(error));
        };
        let Some(credentials) = &definition.credentials else {
            return Ok(Err(FetchError::secrets_lost()));
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
}

impl Receipt {
    fn of(received: usize, appended: Appended, sorted: Sorted) -> Self {
        Self {
            run_id: appended.run_id,
            duplicate: appended.run_id.is_none(),
            received,
            stored: appended.stored,
            dropped: sorted.dropped,
            held: sorted.held,
            failed: sorted.failed,
            duplicates: appended.duplicates,
            errors: sorted.errors,
        }
    }
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
