//! The impact preview: what a changed transform would have made of what a pipeline received during
//! the last day. One at a time for each team, and few at once in a process.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use dash_shared::ids::{PipelineId, TeamId};
use tokio::sync::Semaphore;

use super::{Draft, Pipelines, PipelinesError};
use crate::accounts::TenantScope;
use crate::data::Room;
use crate::engine::Impact;

/// How far back it looks.
const LOOKED_AT_MS: i64 = 24 * 3_600_000;
/// How many events it looks at, and how many bytes of them: the newest.
const ROOM: Room = Room {
    events: 10_000,
    bytes: 16 * 1024 * 1024,
};
/// How many run at once in this process.
const AT_ONCE: usize = 2;

/// The impact previews that run.
#[derive(Clone, Debug)]
pub(super) struct Impacts {
    teams: Arc<Mutex<HashSet<TeamId>>>,
    places: Arc<Semaphore>,
}

/// The team's one impact preview; the next may run when this is dropped.
struct OfTeam {
    team_id: TeamId,
    teams: Arc<Mutex<HashSet<TeamId>>>,
}

impl Impacts {
    pub(super) fn new() -> Self {
        Self {
            teams: Arc::default(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    fn begin(&self, team_id: TeamId) -> Option<OfTeam> {
        let mut running = self.teams.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(team_id).then(|| OfTeam {
            team_id,
            teams: Arc::clone(&self.teams),
        })
    }
}

impl Drop for OfTeam {
    fn drop(&mut self) {
        let mut running = self.teams.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.team_id);
    }
}

impl Pipelines {
    /// What a draft would have made of what a pipeline received during the last day, and its own
    /// transform would not. A time field that is not given is the pipeline's own, an empty one none.
    pub async fn impact(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        mut draft: Draft,
    ) -> Result<Impact, PipelinesError> {
        let pipeline = self.get(scope, id).await?;
        let own_field = pipeline.time_field.as_ref().map(ToString::to_string);
        draft.time_field = draft.time_field.or(own_field);
        let mut problems = Vec::new();
        let changed = self.draft(scope, draft, &mut problems).await?;
        let (Some(changed), true) = (changed, problems.is_empty()) else {
            return Err(PipelinesError::Invalid(problems));
        };
        let Some(of_team) = self.impacts.begin(scope.team_id()) else {
            return Err(PipelinesError::ImpactRunning);
        };
        let place = Arc::clone(&self.impacts.places).acquire_owned().await;
        let since_ms = self.clock.now_ms() - LOOKED_AT_MS;
        let mut events = self.store.newest_received(id, since_ms, ROOM).await?;
        // Windows and deduplication depend on the order.
        events.reverse();
        let full = events.len() >= ROOM.events;
        let own = self.definition(&pipeline)?;
        let held = (of_team, place);
        let mut impact = self.engine.impact(&own, &changed, events, held).await?;
        impact.complete &= !full;
        Ok(impact)
    }
}
