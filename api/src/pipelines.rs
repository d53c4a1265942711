//! Pipelines: their definitions, who may change them, and what runs when.
//!
//! It owns the tables `pipelines`, `pipeline_versions`, `transform_tests`, `replays` and `uploads`, and
//! the jobs that poll, feed the demo, expire records, purge, and put failed records in again. How a batch goes
//! through a pipeline is the engine's business, and keeping records is the record store's.

mod backfill;
mod credentials;
mod definitions;
mod entity;
mod filling;
mod gate;
mod hooks;
mod impact;
mod polls;
mod records;
mod relays;
mod replays;
mod retention;
mod runtime;
mod schedule;
mod signing;
mod source_check;
mod steps;
mod test_cases;
mod uploads;
mod versions;

use std::sync::Arc;
use std::time::Duration;

use dash_shared::Invalid;
use dash_shared::fields::FieldPath;
use dash_shared::ids::{PipelineId, TeamId};
use dash_shared::sources::Source;
use dash_shared::transform::Step;
use moka::future::Cache;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter};
use tokio::sync::broadcast;

use crate::accounts::Forbidden;
use crate::clock::Clock;
use crate::data::ReadError;
use crate::db::Db;
use crate::engine::Engine;
use crate::events::{Event, Events};
use crate::jobs::Jobs;
use crate::secrets::SecretBox;

pub use crate::data::{Export, ReceivedEvent, Span, StoredRecord};
pub use crate::engine::{Effect, Impact, Previewed, ReplayReceipt, Side};
pub use credentials::{NewCredentials, NewHeader};
pub use definitions::{NewPipeline, PipelineChanges, PipelinePage};
pub use hooks::{Hook, HookError};
pub use replays::{Failures, ReplayProgress};
pub use signing::new_secret;
pub use source_check::{NewSource, NewWebhook};
pub use steps::{Draft, MAX_PREVIEWED};
pub use test_cases::{Actual, Expected, NewTest, TestChanges, TestResult, TransformTest, Verdict};
pub use uploads::{BeginError, BegunUpload, NewUpload, Upload, UploadPage, UploadState};
pub use versions::{Version, VersionPage};

/// How long a webhook's definition is used before it is read again. Changes made by this process
/// are seen at once, those of another one within this time.
const DEFINITION_TTL: Duration = Duration::from_secs(2);
/// How many definitions are kept.
const KEPT_DEFINITIONS: u64 = 10_000;

/// Whether a pipeline takes data in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PipelineState {
    /// It does.
    Running,
    /// It was stopped, by somebody or because it failed for too long.
    Paused,
}

/// A pipeline.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Its id.
    pub id: PipelineId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// Its name.
    pub name: String,
    /// Whether it takes data in.
    pub state: PipelineState,
    /// How often its definition was changed, from 1.
    pub version: i32,
    /// Where its data comes from.
    pub source: Source,
    /// The transform.
    pub steps: Vec<Step>,
    /// The field that says when a record happened.
    pub time_field: Option<FieldPath>,
    /// The secret part of a webhook's URL.
    pub hook_key: Option<String>,
    /// Since when it has failed, in milliseconds since 1970.
    pub failing_since_ms: Option<i64>,
    /// How often it failed in a row.
    pub consecutive_failures: i32,
    /// How many days it keeps records, if that is less than the plan allows.
    pub retention_days: Option<u32>,
    /// Why Dash paused it; none when it runs, or somebody paused it.
    pub paused_reason: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When its definition was changed, in milliseconds since 1970.
    pub updated_at_ms: i64,
    sealed_headers: Option<Vec<u8>>,
    sealed_secrets: signing::SealedSecrets,
}

/// Why something could not be done with a pipeline.
#[derive(Debug, thiserror::Error)]
pub enum PipelinesError {
    /// The input has problems that the caller can fix.
    #[error("the input is invalid")]
    Invalid(Vec<Invalid>),
    /// There is no such pipeline in the scope.
    #[error("there is no such pipeline")]
    NotFound,
    /// The scope's role does not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Webhooks come when they come.
    #[error("a webhook cannot be run")]
    NotRunnable,
    /// There is no such version of the pipeline.
    #[error("there is no such version")]
    NoVersion,
    /// There is no such test case in the scope.
    #[error("there is no such test case")]
    NoTest,
    /// Another test case of the pipeline has this name.
    #[error("another test case has this name")]
    TestNameTaken,
    /// The transform does not do what test cases expect: these.
    #[error("test cases fail")]
    TestsFailed(Vec<TestResult>),
    /// An impact preview of the team is running.
    #[error("an impact preview is running")]
    ImpactRunning,
    /// Records that failed could not be put in again.
    #[error("failed records could not be put in again")]
    Replay(#[from] crate::data::WriteError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// Records could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A stored definition cannot be read back.
    #[error("a stored definition is damaged: {0}")]
    Damaged(String),
}

/// The pipelines. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pipelines {
    db: Db,
    clock: Clock,
    engine: Engine,
    store: crate::data::RecordStore,
    jobs: Jobs,
    secrets: SecretBox,
    hooks: Cache<String, Arc<Hook>>,
    gates: gate::Gates,
    uploads: uploads::Places,
    events: Events,
    impacts: impact::Impacts,
}

impl Pipeline {
    /// Whether the senders of its webhook have a secret.
    pub const fn has_secret(&self) -> bool {
        self.sealed_secrets.current.is_some()
    }

    /// Whether the secret before the current one is good, too.
    pub const fn has_previous_secret(&self) -> bool {
        self.sealed_secrets.previous.is_some()
    }
}

impl Pipelines {
    /// The pipelines in this database.
    pub fn new(
        db: Db,
        clock: Clock,
        engine: Engine,
        store: crate::data::RecordStore,
        jobs: Jobs,
        secrets: SecretBox,
        events: Events,
    ) -> Self {
        let hooks = Cache::builder()
            .max_capacity(KEPT_DEFINITIONS)
            .time_to_live(DEFINITION_TTL)
            .build();
        Self {
            db,
            clock,
            engine,
            store,
            jobs,
            secrets,
            hooks,
            gates: gate::Gates::new(),
            uploads: uploads::Places::default(),
            events,
            impacts: impact::Impacts::new(),
        }
    }

    /// Listens from now on; ends when one of these pipelines is deleted.
    pub fn deletion_of(&self, ids: Vec<PipelineId>) -> impl Future<Output = ()> + Send + use<> {
        let mut changes = self.events.follow_definitions();
        let pipelines = self.clone();
        async move {
            loop {
                match changes.recv().await {
                    Ok(Event::PipelineDeleted(id)) if ids.contains(&id) => return,
                    Ok(Event::Missed) | Err(broadcast::error::RecvError::Lagged(_)) => {
                        if !pipelines.are_all_there(&ids).await {
                            return;
                        }
                    }
                    Ok(_) => {}
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        }
    }

    /// Whether all of these exist; a database that fails deletes nothing.
    async fn are_all_there(&self, ids: &[PipelineId]) -> bool {
        let distinct: std::collections::BTreeSet<_> = ids.iter().map(|id| id.uuid()).collect();
        let wanted = distinct.len() as u64;
        let found = entity::Entity::find()
            .filter(entity::Column::Id.is_in(distinct))
            .count(self.db.orm());
        found.await.map_or(true, |found| found == wanted)
    }
}
