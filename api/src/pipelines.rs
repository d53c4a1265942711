//! Pipelines: their definitions, who may change them, and what runs when.
//!
//! It owns the table `pipelines` and the jobs that poll, feed the demo, expire records and purge. How a batch goes
//! through a pipeline is the engine's business, and keeping records is the record store's.

mod backfill;
mod credentials;
mod definitions;
mod entity;
mod filling;
mod polls;
mod records;
mod relays;
mod retention;
mod runtime;
mod schedule;
mod source_check;
mod steps;

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
use crate::engine::{Definition, Engine, ReceiveError};
use crate::events::{Event, Events};
use crate::jobs::Jobs;
use crate::secrets::SecretBox;

pub use crate::data::{Export, ReceivedEvent, Span, StoredRecord};
pub use crate::engine::Previewed;
pub use credentials::{NewCredentials, NewHeader};
pub use definitions::{NewPipeline, PipelineChanges, PipelinePage};
pub use runtime::HookError;
pub use source_check::NewSource;
pub use steps::{Draft, MAX_PREVIEWED};

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
    events: Events,
}

/// What a webhook's key leads to.
#[derive(Debug)]
pub struct Hook {
    definition: Definition,
    state: PipelineState,
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
            events,
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

impl From<ReceiveError> for HookError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Body(error) => Self::Body(error),
            ReceiveError::Write(error) => Self::Write(error),
        }
    }
}
