//! Every step as tables of cases, and what holds for all of them.

mod advanced;
mod cases;
mod compliance;
mod documents;
mod properties;
mod remembering;
mod whole;

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::fields::{FieldPath, Fields};
use crate::ids::PipelineId;
use crate::timestamps::{self, HOUR_MS};

/// 2026-11-22T02:36:00Z
const NOW_MS: i64 = 1_795_314_960_000;

/// Surroundings with one other pipeline, one zone and a clock.
#[derive(Debug)]
struct Surroundings {
    now_ms: i64,
}

impl Environment for Surroundings {
    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn salt(&self) -> &[u8] {
        b"pepper"
    }

    fn latest(
        &self,
        pipeline: PipelineId,
        field: &FieldPath,
        value: &str,
    ) -> Result<Option<Arc<Fields>>, Unavailable> {
        if pipeline != customers() {
            return Err(Unavailable("there is no such pipeline".to_owned()));
        }
        let known = json!([{"id": 7, "name": "Ann", "since": "2020"}, {"id": 8, "name": "Bob", "since": "long ago"}]);
        let found = known.as_array().unwrap().iter().find(|record| {
            let found = field.get(record.as_object().unwrap());
            found.is_some_and(|found| serde_json::to_string(found).is_ok_and(|text| text == value))
        });
        Ok(found.map(|record| Arc::new(record.as_object().unwrap().clone())))
    }

    fn zone_offset_ms(&self, zone: &str, _local_ms: i64) -> Option<i64> {
        (zone == "Europe/Berlin").then_some(HOUR_MS)
    }
}

const HERE: Surroundings = Surroundings { now_ms: NOW_MS };

fn customers() -> PipelineId {
    "pip_00000000000000000000000001".parse().unwrap()
}

fn definition(steps: &Value) -> Definition {
    serde_json::from_value(steps.clone()).unwrap_or_else(|error| panic!("{steps}: {error}"))
}

fn compiled(steps: &Value) -> Transform {
    Transform::compile(&definition(steps))
        .unwrap_or_else(|problems| panic!("{steps}: {problems:?}"))
}

/// What became of a record, as JSON: stored records as they are, the rest as texts.
fn shown(outcomes: Vec<Outcome>) -> Value {
    outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Stored(fields) => Value::Object(fields),
            Outcome::Dropped { step } => json!(format!("dropped by {step}")),
            Outcome::Held { step } => json!(format!("held by {step}")),
            Outcome::Failed(error) => json!(format!(
                "{} at {}: {} ({})",
                error.step, error.path, error.message, error.value
            )),
        })
        .collect()
}

fn run(transform: &Transform, record: &Value, state: &mut State, now_ms: i64) -> Value {
    let mut outcomes = Vec::new();
    transform.run(record, state, &Surroundings { now_ms }, &mut outcomes);
    shown(outcomes)
}

/// Runs a transform over one record and compares all that became of it.
#[track_caller]
fn check(steps: Value, record: Value, expected: Value) {
    let found = run(&compiled(&steps), &record, &mut State::default(), NOW_MS);
    // As texts: the order of fields counts, too.
    assert_eq!(
        found.to_string(),
        expected.to_string(),
        "{steps} on {record}"
    );
}
