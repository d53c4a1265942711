//! What a change of a transform would have done to what came in lately: both transforms run side by
//! side, each from nothing and in the same order. Only counts and a few examples are kept.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dash_shared::fields::{FieldPath, FieldSampler, FieldType};
use dash_shared::transform::compare::differences;
use dash_shared::transform::{Outcome, State, StepError};
use serde_json::Value;

use super::preview::check;
use super::surroundings::Surroundings;
use super::{Definition, Engine};
use crate::data::{ReadError, ReceivedEvent};

/// How many examples of each kind are kept.
const MAX_EXAMPLES: usize = 20;
/// How many bytes the examples of each kind have together.
const MAX_EXAMPLE_BYTES: usize = 200_000;
/// How long it may take; what is left then is not looked at.
const MAX_TIME: Duration = Duration::from_secs(8);

/// What a change makes of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The same as before.
    Unchanged,
    /// Other records.
    Changed,
    /// Nothing any more.
    NewlyDropped,
    /// Records, where there were none.
    NewlyStored,
    /// It fails, and did not.
    NewlyFailing,
    /// It does not fail any more.
    Mended,
}

/// What one of the two transforms makes of one event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// The records that are stored.
    pub records: Vec<Value>,
    /// Why it fails.
    pub error: Option<StepError>,
}

/// An event, and what both transforms make of it.
#[derive(Clone, Debug)]
pub struct Example {
    /// What the change makes of it.
    pub effect: Effect,
    /// When it came in, in milliseconds since 1970.
    pub received_at_ms: i64,
    /// What came in.
    pub received: Value,
    /// What the transform that runs makes of it.
    pub before: Side,
    /// What the changed one makes of it.
    pub after: Side,
}

/// A field that is there with one of the transforms only, or holds something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldEffect {
    /// Where it is.
    pub path: FieldPath,
    /// What it holds now, and how many records have it.
    pub before: Option<(FieldType, usize)>,
    /// What it would hold, and how many records would have it.
    pub after: Option<(FieldType, usize)>,
}

/// What a change would have done.
#[derive(Clone, Debug, Default)]
pub struct Impact {
    /// How many events were looked at.
    pub events: usize,
    /// Whether these are all that there are.
    pub complete: bool,
    /// How many there are of each effect.
    pub counts: BTreeMap<Effect, usize>,
    /// Examples, at most 20 of each effect but of what stays the same.
    pub examples: Vec<Example>,
    /// The fields that would be others.
    pub fields: Vec<FieldEffect>,
}

impl Engine {
    /// What `after` makes of these events that `before` does not, the oldest first. `held` is kept
    /// until the work is done, even if nobody waits for it any more.
    pub async fn impact(
        &self,
        before: &Definition,
        after: &Definition,
        events: Vec<ReceivedEvent>,
        held: impl Send + 'static,
    ) -> Result<Impact, ReadError> {
        let mut lanes = Vec::new();
        for definition in [before, after] {
            let transform = &definition.transform;
            lanes.push(Lane {
                surroundings: self.surroundings(definition.team_id, transform).await?,
                definition: definition.clone(),
                state: State::default(),
                fields: FieldSampler::default(),
            });
        }
        let work = move || {
            let impact = compare(lanes, events);
            drop(held);
            impact
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| ReadError::Damaged(format!("an impact preview: {error}")))
    }
}

/// One of the two transforms at work.
struct Lane {
    definition: Definition,
    surroundings: Surroundings,
    state: State,
    fields: FieldSampler,
}

impl Lane {
    fn run(&mut self, event: &ReceivedEvent) -> Side {
        self.surroundings.set_now(event.received_at_ms);
        let mut outcomes = Vec::new();
        let transform = &self.definition.transform;
        transform.run(
            &event.value,
            &mut self.state,
            &self.surroundings,
            &mut outcomes,
        );
        let mut side = Side::default();
        for outcome in outcomes {
            match check(&self.definition, outcome, event.received_at_ms) {
                Outcome::Stored(fields) => {
                    self.fields.add(&fields);
                    side.records.push(Value::Object(fields));
                }
                Outcome::Failed(error) => side.error = side.error.or(Some(error)),
                Outcome::Dropped { .. } | Outcome::Held { .. } => {}
            }
        }
        if side.error.is_some() && side.records.is_empty() {
            self.state.forget_last();
        }
        side
    }
}

fn compare(mut lanes: Vec<Lane>, events: Vec<ReceivedEvent>) -> Impact {
    let (Some(mut after), Some(mut before)) = (lanes.pop(), lanes.pop()) else {
        return Impact::default();
    };
    let began = Instant::now();
    let mut impact = Impact {
        complete: true,
        ..Impact::default()
    };
    let mut room: BTreeMap<Effect, (usize, usize)> = BTreeMap::new();
    for event in events {
        if began.elapsed() > MAX_TIME {
            impact.complete = false;
            break;
        }
        let (old, new) = (before.run(&event), after.run(&event));
        let effect = effect_of(&old, &new);
        impact.events += 1;
        *impact.counts.entry(effect).or_default() += 1;
        if effect == Effect::Unchanged {
            continue;
        }
        let (count, bytes) = room.entry(effect).or_default();
        if *count >= MAX_EXAMPLES {
            continue;
        }
        let size = event.value.to_string().len() + size_of(&old) + size_of(&new);
        if *bytes + size <= MAX_EXAMPLE_BYTES {
            *count += 1;
            *bytes += size;
            impact.examples.push(Example {
                effect,
                received_at_ms: event.received_at_ms,
                received: event.value,
                before: old,
                after: new,
            });
        }
    }
    impact.fields = field_effects(before.fields, after.fields);
    impact
}

fn size_of(side: &Side) -> usize {
    let records = side.records.iter();
    records.map(|record| record.to_string().len()).sum()
}

fn effect_of(before: &Side, after: &Side) -> Effect {
    match (&before.error, &after.error) {
        (None, Some(_)) => return Effect::NewlyFailing,
        (Some(_), None) => return Effect::Mended,
        _ => {}
    }
    let same = before.records.len() == after.records.len()
        && before
            .records
            .iter()
            .zip(&after.records)
            .all(|(old, new)| differences(old, new).is_empty());
    match (before.records.is_empty(), after.records.is_empty()) {
        _ if same => Effect::Unchanged,
        (false, true) => Effect::NewlyDropped,
        (true, false) => Effect::NewlyStored,
        _ => Effect::Changed,
    }
}

/// The fields that appear, disappear or change their type.
fn field_effects(before: FieldSampler, after: FieldSampler) -> Vec<FieldEffect> {
    // What a sampler that is full has not seen may be there all the same.
    let (all_before, all_after) = (!before.is_full(), !after.is_full());
    let (old, new) = (before.counted(), after.counted());
    let seen = |field: Option<&(dash_shared::fields::SampledField, usize)>| {
        field.map(|(field, records)| (field.field_type, *records))
    };
    let mut effects = Vec::new();
    for (field, records) in &old {
        let other = seen(new.iter().find(|(other, _)| other.path == field.path));
        let changed = match other {
            None => all_after,
            Some((field_type, _)) => field_type != field.field_type,
        };
        if changed {
            effects.push(FieldEffect {
                path: field.path.clone(),
                before: Some((field.field_type, *records)),
                after: other,
            });
        }
    }
    let known = |path: &FieldPath| old.iter().any(|(field, _)| field.path == *path);
    let appeared = new
        .iter()
        .filter(|(field, _)| all_before && !known(&field.path));
    effects.extend(appeared.map(|(field, records)| FieldEffect {
        path: field.path.clone(),
        before: None,
        after: Some((field.field_type, *records)),
    }));
    effects
}
