//! Order for transforms that remember: the batches of one pipeline go through one after the other,
//! each from what the last one left behind. What is remembered is stored with the records; another
//! process that was quicker makes this one read it again.

use std::sync::Arc;
use std::time::Duration;

use dash_shared::ids::PipelineId;
use dash_shared::transform::{State, Transform};
use moka::future::Cache;
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore};

use crate::data::{NewState, ReadError, RecordStore};

/// How many lanes there are at once, and so how many states are kept in memory.
const MAX_LANES: u64 = 1_000;
/// How long a lane is kept that nobody uses.
const IDLE: Duration = Duration::from_mins(10);
/// How many batches of one pipeline wait for their turn.
const MAX_WAITING: usize = 256;
/// How long a batch waits for its turn.
const WAIT: Duration = Duration::from_secs(5);
/// The first byte of a stored state.
const VERSION: u8 = 1;

/// The lanes of the pipelines whose transforms remember.
#[derive(Clone, Debug)]
pub(super) struct Lanes(Cache<PipelineId, Lane>);

#[derive(Clone, Debug)]
struct Lane {
    kept: Arc<Mutex<Option<Remembered>>>,
    places: Arc<Semaphore>,
}

/// What a transform remembers, and the version under which that is stored.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    pub(super) version: i64,
    pub(super) state: State,
}

/// A pipeline's turn: nobody else in this process is at it.
#[derive(Debug)]
pub(super) struct Turn {
    pipeline_id: PipelineId,
    kept: OwnedMutexGuard<Option<Remembered>>,
}

impl Lanes {
    pub(super) fn new() -> Self {
        let cache = Cache::builder().max_capacity(MAX_LANES).time_to_idle(IDLE);
        Self(cache.build())
    }

    /// Waits for a pipeline's turn; none when too many wait, or for too long.
    pub(super) async fn turn(&self, pipeline_id: PipelineId) -> Option<Turn> {
        let lane = self.0.get_with(pipeline_id, async { Lane::new() }).await;
        let _place = lane.places.try_acquire().ok()?;
        let kept = Arc::clone(&lane.kept).lock_owned();
        let kept = tokio::time::timeout(WAIT, kept).await.ok()?;
        Some(Turn { pipeline_id, kept })
    }
}

impl Lane {
    fn new() -> Self {
        Self {
            kept: Arc::default(),
            places: Arc::new(Semaphore::new(MAX_WAITING)),
        }
    }
}

impl Turn {
    /// What the transform remembers; whoever does not give it back makes it be read again.
    pub(super) async fn take(
        &mut self,
        store: &RecordStore,
        transform: &Transform,
    ) -> Result<Remembered, ReadError> {
        let remembered = match self.kept.take() {
            Some(kept) => kept,
            None => read(store, self.pipeline_id).await?,
        };
        Ok(Remembered {
            version: remembered.version,
            state: transform.adopt(remembered.state),
        })
    }

    /// Forgets what is kept here when another process has stored something newer.
    pub(super) async fn look(&mut self, store: &RecordStore) -> Result<(), ReadError> {
        if let Some(kept) = &*self.kept
            && store.state_version(self.pipeline_id).await? != kept.version
        {
            *self.kept = None;
        }
        Ok(())
    }

    /// Keeps what is stored now.
    pub(super) fn keep(&mut self, remembered: Remembered) {
        *self.kept = Some(remembered);
    }
}

async fn read(store: &RecordStore, pipeline_id: PipelineId) -> Result<Remembered, ReadError> {
    let stored = store.state(pipeline_id).await?;
    Ok(Remembered {
        version: stored.version,
        state: decode(&stored.bytes)?,
    })
}

/// A state from its stored form; nothing is an empty one.
pub(super) fn decode(bytes: &[u8]) -> Result<State, ReadError> {
    match bytes.split_first() {
        None => Ok(State::default()),
        Some((&VERSION, bytes)) => postcard::from_bytes(bytes)
            .map_err(|error| ReadError::Damaged(format!("a transform's state: {error}"))),
        Some((version, _)) => {
            let message = format!("version {version} of a transform's state is not known");
            Err(ReadError::Damaged(message))
        }
    }
}

/// A state in its stored form.
pub(super) fn encode(state: &State) -> Result<Vec<u8>, ReadError> {
    postcard::to_extend(state, vec![VERSION])
        .map_err(|error| ReadError::Damaged(format!("a transform's state: {error}")))
}

impl Remembered {
    /// The same once it is stored.
    pub(super) fn stored(self) -> Self {
        Self {
            version: self.version + 1,
            ..self
        }
    }

    /// It, as it is stored.
    pub(super) fn to_store(&self) -> Result<NewState, ReadError> {
        Ok(NewState {
            from_version: self.version,
            bytes: encode(&self.state)?,
        })
    }
}
