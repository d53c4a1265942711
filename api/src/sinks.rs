//! Sinks: where the records of a pipeline are sent on to, in order, at least once.
//!
//! It owns the tables `sinks`, `deliveries` and `delivery_attempts`, and the jobs that deliver. A
//! sink is a cursor in its pipeline's series: what lies after it is filtered, put together, sent and
//! logged. Requests go through `outbound`; what a definition may say is in `shared/src/sinks.rs`.

mod attempts;
mod definitions;
mod deliver;
mod deliveries;
mod digests;
mod entity;
mod following;
mod keys;
mod places;
mod planning;
mod preview;
mod rendering;
mod replay;
mod retries;
mod settling;
mod signing;
mod state;
mod upkeep;
mod waking;

use std::sync::Arc;

use dash_shared::Invalid;
use dash_shared::ids::{DeliveryId, PipelineId, SinkId, TeamId};
use dash_shared::sinks::SinkDefinition;
use sea_orm::DbErr;
use tokio::sync::broadcast;

use crate::accounts::Forbidden;
use crate::clock::Clock;
use crate::data::{ReadError, RecordStore};
use crate::db::Db;
use crate::events::Events;
use crate::jobs::Jobs;
use crate::outbound::Outbound;
use crate::pipelines::{Pipelines, PipelinesError};
use crate::secrets::SecretBox;

pub use attempts::{Attempt, LoggedRequest, LoggedResponse};
pub use definitions::{Created, NewSink, Rotated, SinkChanges, Start};
pub use deliveries::{DeliveryFilter, DeliveryPage, SinkCounts};
pub use following::FollowedDeliveries;
pub use keys::{NewHeader, NewSecrets};
pub use preview::{Draft, Preview, SampleKind};
pub use rendering::{Mail, Message, Request};
pub use replay::MAX_REPLAYED;

/// How many delivery events a follower may lag behind.
const TOLD_DELIVERIES: usize = 256;

/// Whether a sink sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkState {
    /// It does.
    Enabled,
    /// It does not.
    Disabled(DisabledReason),
}

/// Why a sink does not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisabledReason {
    /// Somebody stopped it.
    ByHand,
    /// Its target answered 410: it does not want any more.
    Gone,
    /// It failed for five days.
    Failing,
    /// The plan does not include it any more.
    Plan,
}

/// A sink.
#[derive(Clone, Debug)]
pub struct Sink {
    /// Its id.
    pub id: SinkId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// The pipeline whose records it sends.
    pub pipeline_id: PipelineId,
    /// Its name.
    pub name: String,
    /// Whether it sends.
    pub state: SinkState,
    /// Since when, in milliseconds since 1970.
    pub state_since_ms: i64,
    /// How often it was changed, from 1.
    pub version: i32,
    /// What it does.
    pub definition: SinkDefinition,
    /// The last record that was dealt with.
    pub cursor_seq: i64,
    /// The record that wakes it.
    wake_seq: i64,
    /// When it is looked after next, if that does not depend on a record; in milliseconds since 1970.
    pub due_at_ms: Option<i64>,
    /// Since when its deliveries have failed, in milliseconds since 1970.
    pub failing_since_ms: Option<i64>,
    /// Why the last attempt failed, while it fails.
    pub last_error: Option<String>,
    /// How many records were deleted before they could be sent.
    pub skipped: i64,
    /// How many records could not be filtered or written.
    pub faults: i64,
    /// What was wrong with the last of them.
    pub last_fault: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it was changed, in milliseconds since 1970.
    pub updated_at_ms: i64,
    sealed: Option<Vec<u8>>,
}

/// Which way a delivery goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// In the order of records.
    Live,
    /// Again, beside the others, because somebody asked for it.
    Replay,
    /// Once, to try the sink.
    Test,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is to be sent, or sent again.
    Pending,
    /// The target took it.
    Delivered,
    /// A test that did not arrive; it is not tried again.
    Failed,
    /// It was given up after the last try.
    Dead,
    /// There was nothing left to send.
    Skipped,
}

/// One message to a sink's target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The sink.
    pub sink_id: SinkId,
    /// What names it to the target, in every attempt.
    pub message_id: String,
    /// Which way it goes.
    pub lane: Lane,
    /// What became of it.
    pub state: DeliveryState,
    /// The first record of it.
    pub first_seq: i64,
    /// The last one.
    pub last_seq: i64,
    /// How many records there are between, as far as the filter takes them.
    pub records: i32,
    /// How often it was tried in all.
    pub attempts: i32,
    /// How often it was tried since it was planned or replayed.
    tries: i32,
    /// When it is tried next, in milliseconds since 1970.
    pub next_attempt_at_ms: Option<i64>,
    /// The last status that the target answered.
    pub status: Option<i32>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// How long the last attempt took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// When it was planned, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it ended, in milliseconds since 1970.
    pub finished_at_ms: Option<i64>,
}

/// Why something could not be done with a sink.
#[derive(Debug, thiserror::Error)]
pub enum SinksError {
    /// The input has problems that the caller can fix.
    #[error("the input is invalid")]
    Invalid(Vec<Invalid>),
    /// There is no such sink in the scope.
    #[error("there is no such sink")]
    NotFound,
    /// There is no such delivery in the scope.
    #[error("there is no such delivery")]
    NoDelivery,
    /// The pipeline has as many sinks as it may have.
    #[error("the pipeline has {0} sinks already")]
    TooMany(usize),
    /// The scope's role does not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The pipeline cannot be found.
    #[error(transparent)]
    Pipelines(#[from] PipelinesError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// Records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A stored definition cannot be read back.
    #[error("a stored sink is damaged: {0}")]
    Damaged(String),
}

impl SinksError {
    fn damaged(error: impl std::fmt::Display) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// What sinks need of the rest of Dash.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// The records.
    pub store: RecordStore,
    /// Whose records they are.
    pub pipelines: Pipelines,
    /// Durable work.
    pub jobs: Jobs,
    /// What happens here and in other processes.
    pub events: Events,
    /// The way to other servers.
    pub outbound: Arc<Outbound>,
    /// What header values and keys are sealed with.
    pub secrets: SecretBox,
}

/// The sinks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sinks {
    db: Db,
    clock: Clock,
    store: RecordStore,
    pipelines: Pipelines,
    jobs: Jobs,
    events: Events,
    outbound: Arc<Outbound>,
    secrets: SecretBox,
    places: places::Places,
    running: waking::RunningSinks,
    told: broadcast::Sender<Arc<Delivery>>,
}

impl Sinks {
    /// The sinks in this database.
    pub fn new(parts: Parts) -> Self {
        Self {
            db: parts.db,
            clock: parts.clock,
            store: parts.store,
            pipelines: parts.pipelines,
            jobs: parts.jobs,
            events: parts.events,
            outbound: parts.outbound,
            secrets: parts.secrets,
            places: places::Places::default(),
            running: waking::RunningSinks::default(),
            told: broadcast::Sender::new(TOLD_DELIVERIES),
        }
    }
}
