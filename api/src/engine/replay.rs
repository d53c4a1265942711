//! Putting failed records in again: through the transform as it is now, into the store, as one run.
//! What became of each is noted in the transaction of the run, so that it is stored once.

use std::collections::HashSet;

use dash_shared::ids::FailureId;
use dash_shared::transform::{Outcome, State, StepError};
use serde_json::Value;

use super::ingest::{Batch, new_record, to_i64};
use super::lanes::{Remembered, Turn};
use super::surroundings::Surroundings;
use super::{Definition, Engine};
use crate::data::{
    Append, Failure, FailureState, NewRecord, NewRun, ReceivedBatch, RecordError, Replayed,
    RunTrigger, WriteError,
};

/// How often records go through the transform again because something changed meanwhile.
const MAX_TRIES: usize = 20;
/// How many failed records the run tells of.
const TOLD_ERRORS: usize = 20;
/// How much of one it tells, in characters.
const TOLD_RECEIVED_CHARS: usize = 2_000;

/// A failed record that is put in again.
#[derive(Clone, Debug)]
pub struct Replay {
    /// It.
    pub failure: Failure,
    /// What is put in instead of what was received.
    pub corrected: Option<Value>,
}

/// What became of failed records that were put in again; those that were open no more are in none
/// of the lists.
#[derive(Clone, Debug, Default)]
pub struct ReplayReceipt {
    /// Those that went through.
    pub done: Vec<FailureId>,
    /// Those that failed again.
    pub failed: Vec<(FailureId, StepError)>,
    /// How many records were stored.
    pub stored: usize,
}

/// Records after the transform.
#[derive(Default)]
struct Sorted {
    records: Vec<NewRecord>,
    dropped: usize,
    held: usize,
    replayed: Vec<Replayed>,
    failed: Vec<(FailureId, StepError)>,
    record_errors: Vec<RecordError>,
    /// What is not yet kept with what was received.
    received: Vec<Value>,
}

impl Engine {
    /// Puts failed records in again, those that are still open.
    pub async fn replay(
        &self,
        definition: &Definition,
        mut replays: Vec<Replay>,
    ) -> Result<ReplayReceipt, WriteError> {
        let started_at_ms = self.clock.now_ms();
        let mut turn = None;
        if definition.transform.is_stateful() {
            let own = self.lanes.turn(definition.pipeline_id).await;
            turn = Some(own.ok_or(WriteError::Busy)?);
        }
        for _ in 0..MAX_TRIES {
            if replays.is_empty() {
                return Ok(ReplayReceipt::default());
            }
            let count = replays.len();
            let remembered = self.remembered(definition, turn.as_mut()).await?;
            let version = remembered.version;
            let surroundings = self
                .surroundings(definition.team_id, &definition.transform)
                .await?;
            let again = definition.clone();
            let work = move || sort(&again, replays, remembered.state, &surroundings);
            let (mut sorted, taken, state) = tokio::task::spawn_blocking(work)
                .await
                .map_err(|_| WriteError::Closed)?;
            replays = taken;
            let remembered = Remembered { version, state };
            let batch = Batch::new(RunTrigger::Replay, None, started_at_ms);
            let run = NewRun {
                dropped: to_i64(sorted.dropped),
                held: to_i64(sorted.held),
                failed: to_i64(sorted.failed.len()),
                record_errors: std::mem::take(&mut sorted.record_errors),
                ..self.new_run(definition, batch, count)
            };
            let now_ms = run.finished_at_ms;
            let mut append = Append::new(run, std::mem::take(&mut sorted.records));
            append.replayed = std::mem::take(&mut sorted.replayed);
            // Records that no events belong to would be taken for events themselves.
            if !append.records.is_empty() || !sorted.received.is_empty() {
                append.received = Some(ReceivedBatch::of(now_ms, &sorted.received));
            }
            if turn.is_some() {
                append.state = Some(remembered.to_store()?);
            }
            match self.store.append(append).await {
                Err(WriteError::Stale) => {
                    self.leave_out_closed(definition, &mut replays).await?;
                }
                Ok(appended) => {
                    if let Some(turn) = &mut turn {
                        turn.keep(remembered.stored());
                    }
                    self.meters.stored.increment(appended.stored as u64);
                    let failed: HashSet<_> = sorted.failed.iter().map(|(id, _)| *id).collect();
                    let all = replays.iter().map(|replay| replay.failure.id);
                    return Ok(ReplayReceipt {
                        done: all.filter(|id| !failed.contains(id)).collect(),
                        failed: sorted.failed,
                        stored: appended.stored,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Err(WriteError::Busy)
    }

    async fn remembered(
        &self,
        definition: &Definition,
        turn: Option<&mut Turn>,
    ) -> Result<Remembered, WriteError> {
        Ok(match turn {
            Some(turn) => turn.take(&self.store, &definition.transform).await?,
            None => Remembered::default(),
        })
    }

    /// Leaves out those that somebody else has seen to meanwhile.
    async fn leave_out_closed(
        &self,
        definition: &Definition,
        replays: &mut Vec<Replay>,
    ) -> Result<(), WriteError> {
        let ids: Vec<FailureId> = replays.iter().map(|replay| replay.failure.id).collect();
        let found = self
            .store
            .find_failures(definition.pipeline_id, &ids)
            .await?;
        let open: HashSet<FailureId> = found
            .iter()
            .filter(|failure| failure.state == FailureState::Open)
            .map(|failure| failure.id)
            .collect();
        replays.retain(|replay| open.contains(&replay.failure.id));
        Ok(())
    }
}

/// Runs the steps over records that failed; gives them back, and what is remembered now.
fn sort(
    definition: &Definition,
    replays: Vec<Replay>,
    mut state: State,
    surroundings: &Surroundings,
) -> (Sorted, Vec<Replay>, State) {
    let mut sorted = Sorted::default();
    for replay in &replays {
        let before = definition.transform.is_stateful().then(|| state.clone());
        let received = value_of(replay);
        let made = make(definition, replay, &received, &mut state, surroundings);
        let id = replay.failure.id;
        match made {
            Ok(made) => {
                sorted.records.extend(made.records);
                sorted.dropped += made.dropped;
                sorted.held += made.held;
                sorted.replayed.push(Replayed {
                    id,
                    error: None,
                    done: true,
                });
                if replay.corrected.is_some() || !replay.failure.kept {
                    sorted.received.push(received);
                }
            }
            Err(error) => {
                // Nothing of it is stored, so nothing of it is remembered.
                if let Some(before) = before {
                    state = before;
                }
                if sorted.record_errors.len() < TOLD_ERRORS {
                    let text = received.to_string();
                    sorted.record_errors.push(RecordError {
                        error: error.clone(),
                        received: text.chars().take(TOLD_RECEIVED_CHARS).collect(),
                    });
                }
                // What is wrong with somebody's correction is not wrong with the record.
                let is_news = replay.corrected.is_none() && error != replay.failure.error;
                sorted.replayed.push(Replayed {
                    id,
                    error: is_news.then(|| error.clone()),
                    done: false,
                });
                sorted.failed.push((id, error));
            }
        }
    }
    (sorted, replays, state)
}

fn value_of(replay: &Replay) -> Value {
    match &replay.corrected {
        Some(corrected) => corrected.clone(),
        None => serde_json::from_str(&replay.failure.received).unwrap_or_default(),
    }
}

/// What a failed record becomes now.
#[derive(Default)]
struct Made {
    records: Vec<NewRecord>,
    dropped: usize,
    held: usize,
}

/// All that a failed record becomes, or the first thing that is wrong with it. Of what was received
/// and became several records, the others are stored already: only the part that failed counts.
fn make(
    definition: &Definition,
    replay: &Replay,
    received: &Value,
    state: &mut State,
    surroundings: &Surroundings,
) -> Result<Made, StepError> {
    let mut outcomes = Vec::new();
    let transform = &definition.transform;
    transform.run(received, state, surroundings, &mut outcomes);
    let part = replay.failure.part;
    if part.of > 1 {
        if outcomes.len() != part.of {
            return Err(StepError {
                message: format!(
                    "this is part {} of {} of what was received, and the steps make {} of it now",
                    part.index + 1,
                    part.of,
                    outcomes.len()
                ),
                value: String::new(),
                ..replay.failure.error.clone()
            });
        }
        outcomes = outcomes.into_iter().skip(part.index).take(1).collect();
    }
    // What its source names comes from there again: it is known then. The parts of several have
    // names that were given when the others were stored.
    let key = replay.failure.key.filter(|_| part.of == 1);
    let mut made = Made::default();
    for outcome in outcomes {
        match outcome {
            Outcome::Stored(fields) => {
                let record = new_record(definition, fields, surroundings.now_ms());
                let mut record = record.map_err(|refused| refused.error)?;
                record.key = key.map(|key| key.part(made.records.len()));
                made.records.push(record);
            }
            Outcome::Dropped { .. } => made.dropped += 1,
            Outcome::Held { .. } => made.held += 1,
            Outcome::Failed(error) => return Err(error),
        }
    }
    Ok(made)
}
