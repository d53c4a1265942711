//! The engine in the browser: the same code that the server runs. A part of its own; nothing but its
//! split point may name [`ENGINE`].

use std::sync::Arc;

use dash_shared::InvalidCode;
use dash_shared::formula::{Formula, Script};
use dash_shared::transform::{
    After, Definition, Outcome, Preview, State, Step, StepError, StepTrace, Transform,
};
use serde_json::Value;

use super::checks;
use super::desk::Problem;
use super::engine::{Answer, Engine, Language, Mistake};
use super::preview::{PreviewResult, PreviewedRecord, RecordFate, StepPreview, StepProblem};
use crate::api::Json;

/// The functions.
pub const ENGINE: Engine = Engine { run, check };

fn check(source: &str, language: Language) -> Option<Mistake> {
    let error = match language {
        Language::Formula => Formula::compile(source).err(),
        Language::Script => Script::compile(source).err(),
    }?;
    Some(Mistake {
        line: error.line,
        character: error.character,
        message: error.message,
    })
}

fn run(documents: &[Arc<Value>], records: &[Value], now_ms: i64) -> Answer {
    let (mut problems, mut numbers, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    for (index, document) in documents.iter().enumerate() {
        let found = checks::check(index, document);
        if !found.is_empty() {
            problems.extend(found);
            continue;
        }
        match serde_json::from_value::<Step>((**document).clone()) {
            Ok(step) => {
                numbers.push(index);
                steps.push(step);
            }
            Err(error) => problems.push(Problem {
                at: format!("steps.{index}"),
                message: format!("This step cannot be read: {error}."),
                is_missing: false,
            }),
        }
    }
    // Steps that cannot be read are left out of the list that is checked: the places are put right.
    let definition = Definition { steps };
    if let Err(found) = Transform::compile(&definition) {
        problems.extend(found.into_iter().map(|problem| {
            let mut path = problem.field;
            if let Some(number) = path.get_mut(1)
                && let Some(index) = number.parse().ok().and_then(|at: usize| numbers.get(at))
            {
                *number = index.to_string();
            }
            Problem {
                at: path.join("."),
                message: problem.message,
                is_missing: problem.code == InvalidCode::Required,
            }
        }));
    }
    let first_wrong = problems
        .iter()
        .filter_map(|problem| checks::step_of(&problem.at));
    let complete = first_wrong.min().unwrap_or(documents.len());
    let mut steps = definition.steps;
    steps.truncate(complete);
    let Ok(transform) = Transform::compile(&Definition { steps }) else {
        return Answer {
            problems,
            ..Answer::default()
        };
    };
    let needs_server = transform.joins().next().is_some() || transform.zones().next().is_some();
    let mut state = State::default();
    let surroundings = Preview { now_ms };
    let previewed = |received: &Value| {
        let trace = transform.trace(received, &mut state, &surroundings);
        PreviewedRecord {
            received: Json(received.clone()),
            steps: trace.steps.into_iter().map(step_preview).collect(),
            results: trace.outcomes.into_iter().map(result).collect(),
        }
    };
    Answer {
        records: if needs_server {
            Vec::new()
        } else {
            records.iter().map(previewed).collect()
        },
        problems,
        complete,
        needs_server,
    }
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn problem(error: StepError) -> StepProblem {
    StepProblem {
        step: number(error.step),
        path: error.path,
        value: error.value,
        message: error.message,
    }
}

fn step_preview(trace: StepTrace) -> StepPreview {
    let mut errors: Vec<StepProblem> = trace.kept.into_iter().map(problem).collect();
    let objects = |records: Vec<_>| {
        let values = records
            .into_iter()
            .map(|fields| Json(Value::Object(fields)));
        values.collect()
    };
    let (fate, after) = match trace.after {
        After::Records(records) => (RecordFate::Stored, objects(records)),
        After::Dropped => (RecordFate::Dropped, Vec::new()),
        After::Held(closed) => (RecordFate::Held, objects(closed)),
        After::Failed(error) => {
            errors.push(problem(error));
            (RecordFate::Failed, Vec::new())
        }
    };
    StepPreview {
        step: number(trace.step),
        before: Json(Value::Object(trace.before)),
        after,
        fate,
        errors,
    }
}

fn result(outcome: Outcome) -> PreviewResult {
    let (fate, step, record, error) = match outcome {
        Outcome::Stored(fields) => (RecordFate::Stored, None, Some(fields), None),
        Outcome::Dropped { step } => (RecordFate::Dropped, Some(step), None, None),
        Outcome::Held { step } => (RecordFate::Held, Some(step), None, None),
        Outcome::Failed(error) => (RecordFate::Failed, Some(error.step), None, Some(error)),
    };
    PreviewResult {
        fate,
        step: step.map(number),
        record: record.map(|fields| Json(Value::Object(fields))),
        error: error.map(problem),
    }
}
