//! What a transform would do with given records, step by step: the engine's own answer for whoever
//! edits it. Nothing is stored or remembered.

use dash_shared::transform::{Outcome, State, StepError, StepTrace};
use serde_json::Value;

use super::ingest::check_record;
use super::{Definition, Engine};
use crate::data::ReadError;

/// What became of one received record.
#[derive(Clone, Debug, PartialEq)]
pub struct Previewed {
    /// What was received.
    pub received: Value,
    /// What each step did, in the order in which it happened.
    pub steps: Vec<StepTrace>,
    /// What became of it in the end.
    pub outcomes: Vec<Outcome>,
}

impl Engine {
    /// Runs the transform over records as if they had come in now, one after the other.
    pub async fn preview(
        &self,
        definition: &Definition,
        received: Vec<Value>,
    ) -> Result<Vec<Previewed>, ReadError> {
        let surroundings = self
            .surroundings(definition.team_id, &definition.transform)
            .await?;
        let definition = definition.clone();
        let work = move || {
            let mut state = State::default();
            let preview = |value: Value| {
                let transform = &definition.transform;
                let trace = transform.trace(&value, &mut state, &surroundings);
                let outcomes = trace.outcomes.into_iter();
                Previewed {
                    received: value,
                    steps: trace.steps,
                    outcomes: outcomes
                        .map(|outcome| check(&definition, outcome, surroundings.now_ms()))
                        .collect(),
                }
            };
            received.into_iter().map(preview).collect()
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| ReadError::Damaged(format!("a preview: {error}")))
    }
}

/// What the store would say to an outcome.
pub(super) fn check(definition: &Definition, outcome: Outcome, now_ms: i64) -> Outcome {
    match outcome {
        Outcome::Stored(fields) => match check_record(definition, &fields, now_ms) {
            Ok(_) => Outcome::Stored(fields),
            Err(error) => Outcome::Failed(error),
        },
        other => other,
    }
}

impl Previewed {
    /// The first error of the record.
    pub fn error(&self) -> Option<&StepError> {
        self.outcomes.iter().find_map(|outcome| match outcome {
            Outcome::Failed(error) => Some(error),
            _ => None,
        })
    }
}
