//! Keeps what is shown of the steps up to date: asks the engine in the browser as soon as it is
//! there, and the server until then, or when only the server knows what a step needs.

use std::sync::Arc;
use std::time::Duration;

use dash_shared::fields::SampledField;
use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;

use super::checks;
use super::desk::{Desk, Problem};
use super::preview::{PreviewedRecord, ask_server};
use crate::api::{Json, UserErrorCode};
use crate::format::now_ms;
use crate::parts::{self, prefetch};

/// How long the engine waits for another keystroke.
const ENGINE_PAUSE: Duration = Duration::from_millis(30);
/// How long the server is not asked while somebody types.
const SERVER_PAUSE: Duration = Duration::from_millis(400);
/// How many bytes of records the server is sent at most, about.
const MAX_SENT_BYTES: usize = 400_000;

/// Who did the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answerer {
    /// The engine in the browser.
    Browser,
    /// The server.
    Server,
}

/// What the steps made of the records.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// What became of each record.
    pub records: Vec<PreviewedRecord>,
    /// The steps that were run.
    pub keys: Vec<u32>,
    /// How many steps there were; those behind the first wrong one were not run.
    pub steps: usize,
    /// Who did it.
    pub by: Answerer,
}

impl Shown {
    /// The number of a step, from 1, if it was run.
    pub fn number_of(&self, key: u32) -> Option<i32> {
        let index = self.keys.iter().position(|known| *known == key)?;
        i32::try_from(index + 1).ok()
    }

    /// The fields of the records that arrive at a step. `before` are the steps before it, the
    /// last of which that was run says what arrives when the step itself was not.
    pub fn fields_at(&self, key: u32, before: &[u32]) -> Vec<SampledField> {
        let traces = || self.records.iter().flat_map(|record| &record.steps);
        if let Some(number) = self.number_of(key) {
            let arriving = traces().filter(|trace| trace.step == number);
            let found = checks::fields_of(arriving.map(|trace| &trace.before.0));
            if !found.is_empty() {
                return found;
            }
        }
        // When nothing gets this far, what the steps before left is the best that is known.
        let mut numbers: Vec<i32> = before
            .iter()
            .filter_map(|key| self.number_of(*key))
            .collect();
        while let Some(number) = numbers.pop() {
            let left = traces().filter(|trace| trace.step == number);
            let found = checks::fields_of(left.flat_map(|trace| &trace.after).map(|json| &json.0));
            if !found.is_empty() {
                return found;
            }
        }
        checks::fields_of(self.records.iter().map(|record| &record.received.0))
    }
}

/// What is to be run.
#[derive(Clone)]
struct Work {
    documents: Vec<Arc<Value>>,
    keys: Vec<u32>,
}

/// Keeps `desk.shown` and `desk.problems` up to date, and fetches the engine.
pub fn keep_fresh(desk: Desk) {
    let turn = StoredValue::new(0_u32);
    Effect::new(move || {
        let (documents, keys) = desk.content.with(|content| {
            let documents = content.steps.iter().map(|step| step.document.clone());
            let keys = content.steps.iter().map(|step| step.key);
            (documents.collect::<Vec<_>>(), keys.collect::<Vec<_>>())
        });
        desk.sample.track();
        let has_engine = desk.engine.with(Option::is_some);
        let now = turn.get_value().wrapping_add(1);
        turn.set_value(now);
        let work = Work { documents, keys };
        let is_current = move || turn.try_get_value() == Some(now);
        if has_engine {
            after(ENGINE_PAUSE, is_current, move || {
                run_here(desk, work, is_current);
            });
        } else {
            let found = work.documents.iter().enumerate();
            desk.problems.set(
                found
                    .flat_map(|(at, document)| checks::check(at, document))
                    .collect(),
            );
            after(SERVER_PAUSE, is_current, move || {
                ask(desk, work, is_current);
            });
        }
    });
    prefetch::when_idle(Duration::from_millis(500), move || {
        spawn_local(async move {
            // Without it the server answers, later but as well.
            if let Ok(engine) = parts::engine().await {
                let _gone = desk.engine.try_set(Some(engine));
            }
        });
    });
}

fn after(pause: Duration, is_current: impl Fn() -> bool + 'static, act: impl FnOnce() + 'static) {
    set_timeout(
        move || {
            if is_current() {
                act();
            }
        },
        pause,
    );
}

fn run_here(desk: Desk, mut work: Work, is_current: impl Fn() -> bool + Copy + 'static) {
    let Some(engine) = desk.engine.get_untracked() else {
        return;
    };
    let answer = desk
        .sample
        .with_untracked(|sample| (engine.run)(&work.documents, sample, now_ms()));
    desk.problems.set(answer.problems);
    let steps = work.documents.len();
    work.documents.truncate(answer.complete);
    work.keys.truncate(answer.complete);
    if answer.needs_server {
        after(SERVER_PAUSE, is_current, move || {
            ask(desk, work, is_current);
        });
    } else {
        desk.shown.set(Some(Arc::new(Shown {
            records: answer.records,
            keys: work.keys,
            steps,
            by: Answerer::Browser,
        })));
    }
}

/// Asks the server; when a step is wrong, once more for those before it.
fn ask(desk: Desk, mut work: Work, is_current: impl Fn() -> bool + 'static) {
    let steps = desk.content.with_untracked(|content| content.steps.len());
    let complete = desk.problems.with_untracked(|problems| {
        let wrong = problems
            .iter()
            .filter_map(|problem| checks::step_of(&problem.at));
        wrong.min().unwrap_or(work.documents.len())
    });
    work.documents.truncate(complete);
    let records = sent(&desk.sample.get_untracked());
    spawn_local(async move {
        for _ in 0..2 {
            let documents = work.documents.iter().map(|step| Json((**step).clone()));
            let answer = ask_server(documents.collect(), records.clone()).await;
            let (Ok(payload), true) = (answer, is_current()) else {
                return;
            };
            let problems = problems_of(&payload.user_errors);
            let wrong = problems
                .iter()
                .filter_map(|problem| checks::step_of(&problem.at));
            let Some(first_wrong) = wrong.min() else {
                work.keys.truncate(work.documents.len());
                desk.shown.set(Some(Arc::new(Shown {
                    records: payload.records,
                    keys: work.keys,
                    steps,
                    by: Answerer::Server,
                })));
                return;
            };
            work.documents.truncate(first_wrong);
            desk.problems.update(|known| {
                for problem in problems {
                    if known.iter().all(|other| other.at != problem.at) {
                        known.push(problem);
                    }
                }
            });
        }
    });
}

/// The newest records, as many as are sent.
fn sent(sample: &[Value]) -> Vec<Json> {
    let mut left = MAX_SENT_BYTES;
    // The API takes everything but nothing.
    let mut records: Vec<Json> = sample
        .iter()
        .rev()
        .filter(|record| !record.is_null())
        .map_while(|record| {
            left = left.checked_sub(record.to_string().len())?;
            Some(Json(record.clone()))
        })
        .collect();
    records.reverse();
    records
}

/// What the API wants to be put right, each with its place.
pub fn problems_of(errors: &[crate::api::UserError]) -> Vec<Problem> {
    let problem = |error: &crate::api::UserError| {
        let path = error.field.as_deref().unwrap_or_default();
        let path = path.strip_prefix(&["input".to_owned()]).unwrap_or(path);
        Problem {
            at: path.join("."),
            message: error.message.clone(),
            is_missing: error.code == UserErrorCode::Required,
        }
    };
    errors.iter().map(problem).collect()
}
