//! Running a transform over records one by one, each as if nothing had come before it: what test
//! cases are judged by. Nothing is stored or remembered.

use std::time::{Duration, Instant};

use dash_shared::transform::{Outcome, State};
use serde_json::Value;

use super::preview::check;
use super::{Definition, Engine};
use crate::data::ReadError;

/// How long all trials together may take; what is not begun by then is not tried.
const MAX_TIME: Duration = Duration::from_secs(3);

/// A record to try, and the moment that it is for the transform.
#[derive(Clone, Debug)]
pub struct Trial {
    /// It, as it comes in.
    pub received: Value,
    /// The moment, in milliseconds since 1970.
    pub now_ms: i64,
}

impl Engine {
    /// What becomes of each of these records; nothing for those that there was no time for.
    pub async fn try_apart(
        &self,
        definition: &Definition,
        trials: Vec<Trial>,
    ) -> Result<Vec<Option<Vec<Outcome>>>, ReadError> {
        if trials.is_empty() {
            return Ok(Vec::new());
        }
        let mut surroundings = self
            .surroundings(definition.team_id, &definition.transform)
            .await?;
        let definition = definition.clone();
        let work = move || {
            let began = Instant::now();
            let mut run = |trial: Trial| {
                if began.elapsed() > MAX_TIME {
                    return None;
                }
                surroundings.set_now(trial.now_ms);
                let mut outcomes = Vec::new();
                let mut state = State::default();
                let transform = &definition.transform;
                transform.run(&trial.received, &mut state, &surroundings, &mut outcomes);
                let checked = outcomes.into_iter();
                let checked =
                    checked.map(|outcome| check(&definition, outcome, surroundings.now_ms()));
                Some(checked.collect())
            };
            trials.into_iter().map(&mut run).collect()
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| ReadError::Damaged(format!("a trial: {error}")))
    }
}
