//! The transform engine compiled to WebAssembly, with one function that a test calls in Node: what
//! the server's `previewTransform` answers to the same question, in the same words.

use dash_shared::transform::{
    After, Definition, Outcome, Preview, State, Step, StepError, StepTrace, Transform,
};
use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;

/// Answers `{"nowMs": …, "questions": [{"steps": […], "records": […]}]}` with a list of answers.
#[wasm_bindgen]
pub fn preview(input: &str) -> String {
    let input: Value = serde_json::from_str(input).unwrap_or_default();
    let surroundings = Preview {
        now_ms: input["nowMs"].as_i64().unwrap_or_default(),
    };
    let questions = input["questions"].as_array().cloned().unwrap_or_default();
    let answers = questions
        .into_iter()
        .map(|question| answer(question, surroundings));
    Value::Array(answers.collect()).to_string()
}

fn answer(mut question: Value, surroundings: Preview) -> Value {
    let steps: Vec<Step> = match serde_json::from_value(question["steps"].take()) {
        Ok(steps) => steps,
        Err(error) => return json!({ "unreadable": error.to_string() }),
    };
    let transform = match Transform::compile(&Definition { steps }) {
        Ok(transform) => transform,
        Err(problems) => {
            let problems = problems
                .into_iter()
                .map(|problem| json!({ "field": problem.field, "message": problem.message }));
            let problems: Vec<Value> = problems.collect();
            return json!({ "records": [], "userErrors": problems });
        }
    };
    let mut state = State::default();
    let records = question["records"].as_array().cloned().unwrap_or_default();
    let records = records.into_iter().map(|received| {
        let trace = transform.trace(&received, &mut state, &surroundings);
        let steps: Vec<Value> = trace.steps.into_iter().map(step).collect();
        let results: Vec<Value> = trace.outcomes.into_iter().map(result).collect();
        json!({ "received": received, "steps": steps, "results": results })
    });
    let records: Vec<Value> = records.collect();
    json!({ "records": records, "userErrors": [] })
}

fn step(trace: StepTrace) -> Value {
    let mut errors: Vec<Value> = trace.kept.into_iter().map(problem).collect();
    let (fate, after) = match trace.after {
        After::Records(records) => ("STORED", records),
        After::Dropped => ("DROPPED", Vec::new()),
        After::Held(closed) => ("HELD", closed),
        After::Failed(error) => {
            errors.push(problem(error));
            ("FAILED", Vec::new())
        }
    };
    json!({ "step": trace.step, "before": trace.before, "after": after, "fate": fate, "errors": errors })
}

fn result(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Stored(fields) => {
            json!({ "fate": "STORED", "step": null, "record": fields, "error": null })
        }
        Outcome::Dropped { step } => {
            json!({ "fate": "DROPPED", "step": step, "record": null, "error": null })
        }
        Outcome::Held { step } => {
            json!({ "fate": "HELD", "step": step, "record": null, "error": null })
        }
        Outcome::Failed(error) => json!({
            "fate": "FAILED", "step": error.step, "record": null, "error": problem(error),
        }),
    }
}

fn problem(error: StepError) -> Value {
    json!({ "step": error.step, "path": error.path, "value": error.value, "message": error.message })
}
