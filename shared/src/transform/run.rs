//! Runs a compiled transform over records. One record's error never touches another, and what one
//! received record may use up is counted, however many records a step makes of it.

use std::borrow::Cow;

use serde_json::Value;

use super::MAX_EXPLODED;
use super::compiled::Transform;
use super::definition::OnError;
use super::environment::Environment;
use super::outcome::{Outcome, StepError};
use super::state::State;
use super::steps::{Context, Flow, window};
use crate::fields::Fields;
use crate::formula::Meter;

/// What one step did with one record, for whoever edits the steps.
#[derive(Clone, Debug, PartialEq)]
pub struct StepTrace {
    /// The step, counted from 1.
    pub step: usize,
    /// The record before it.
    pub before: Fields,
    /// What became of it.
    pub after: After,
    /// The errors that the record went on in spite of.
    pub kept: Vec<StepError>,
}

/// What became of a record after one step.
#[derive(Clone, Debug, PartialEq)]
pub enum After {
    /// These records go on: one, or those that were made of it.
    Records(Vec<Fields>),
    /// It was left out.
    Dropped,
    /// It is a part of a window now; these windows closed.
    Held(Vec<Fields>),
    /// It failed.
    Failed(StepError),
}

/// A record's way through a transform.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// What each step did, in the order in which it happened.
    pub steps: Vec<StepTrace>,
    /// What became of the record in the end.
    pub outcomes: Vec<Outcome>,
}

impl Transform {
    /// Runs the steps over one received value. Adds what became of it to `outcomes`: one outcome,
    /// or several where a step made several records of it or a window closed.
    pub fn run(
        &self,
        received: &Value,
        state: &mut State,
        environment: &dyn Environment,
        outcomes: &mut Vec<Outcome>,
    ) {
        match received {
            Value::Object(fields) => {
                state.last_seen.clear();
                let mut run = Run::new(self, state, environment, outcomes);
                run.record(Cow::Borrowed(fields), 0, &Meter::for_record());
            }
            other => {
                state.last_seen.clear();
                outcomes.push(Outcome::Failed(StepError::no_record(other)));
            }
        }
    }

    /// The same for a record that nobody else needs.
    pub fn run_fields(
        &self,
        fields: Fields,
        state: &mut State,
        environment: &dyn Environment,
        outcomes: &mut Vec<Outcome>,
    ) {
        state.last_seen.clear();
        let mut run = Run::new(self, state, environment, outcomes);
        run.record(Cow::Owned(fields), 0, &Meter::for_record());
    }

    /// Closes the windows that have ended by now although no later record came. Belongs to be
    /// called every few seconds where [`Self::has_windows`].
    pub fn tick(
        &self,
        state: &mut State,
        environment: &dyn Environment,
        outcomes: &mut Vec<Outcome>,
    ) {
        let mut run = Run::new(self, state, environment, outcomes);
        for (index, step) in self.steps().iter().enumerate() {
            let Some((window, fingerprint)) = step.window() else {
                continue;
            };
            let Some(windows) = run.state.windows.get_mut(&fingerprint) else {
                continue;
            };
            let closed = window::tick(window, windows, run.now_ms);
            run.closed(closed, index + 1);
        }
    }

    /// Runs the steps over one received value and tells what each of them did.
    pub fn trace(
        &self,
        received: &Value,
        state: &mut State,
        environment: &dyn Environment,
    ) -> Trace {
        let mut trace = Trace::default();
        let Value::Object(fields) = received else {
            let error = StepError::no_record(received);
            trace.outcomes.push(Outcome::Failed(error));
            return trace;
        };
        state.last_seen.clear();
        let mut run = Run::new(self, state, environment, &mut trace.outcomes);
        run.traced = Some(&mut trace.steps);
        run.record(Cow::Borrowed(fields), 0, &Meter::for_record());
        trace
    }
}

struct Run<'r> {
    transform: &'r Transform,
    state: &'r mut State,
    environment: &'r dyn Environment,
    now_ms: i64,
    outcomes: &'r mut Vec<Outcome>,
    traced: Option<&'r mut Vec<StepTrace>>,
    /// How many more records may be made of the received one.
    left: usize,
}

impl<'r> Run<'r> {
    fn new(
        transform: &'r Transform,
        state: &'r mut State,
        environment: &'r dyn Environment,
        outcomes: &'r mut Vec<Outcome>,
    ) -> Self {
        Self {
            transform,
            state,
            now_ms: environment.now_ms(),
            environment,
            outcomes,
            traced: None,
            left: MAX_EXPLODED,
        }
    }

    /// Runs the steps from one on. Goes only as deep as there are steps that make several records.
    fn record(&mut self, mut fields: Cow<'_, Fields>, from: usize, meter: &Meter) {
        let transform = self.transform;
        for (index, step) in transform.steps().iter().enumerate().skip(from) {
            let number = index + 1;
            let before = self.traced.is_some().then(|| fields.clone().into_owned());
            let mut context = Context {
                environment: self.environment,
                now_ms: self.now_ms,
                state: self.state,
                meter,
                step: number,
                on_error: step.on_error,
                left: self.left,
                kept: self.traced.is_some().then(Vec::new),
            };
            let flow = step.run(&mut fields, &mut context);
            let mut kept = context.kept.unwrap_or_default();
            let flow = match (flow, step.on_error) {
                (Ok(flow), _) => Ok(flow),
                (Err(_), OnError::Drop) => Ok(Flow::Dropped),
                (Err(fault), OnError::Keep) => {
                    kept.push(fault.at(number));
                    Ok(Flow::Next)
                }
                (Err(fault), OnError::Fail) => Err(fault.at(number)),
            };
            if let (Some(traced), Some(before)) = (&mut self.traced, before) {
                traced.push(StepTrace {
                    step: number,
                    before,
                    after: After::of(&flow, &fields),
                    kept,
                });
            }
            match flow {
                Ok(Flow::Next) => {}
                Ok(Flow::Many(records)) => {
                    self.left = self.left.saturating_sub(records.len());
                    for record in records {
                        self.record(Cow::Owned(record), number, meter);
                    }
                    return;
                }
                Ok(Flow::Dropped) => {
                    self.outcomes.push(Outcome::Dropped { step: number });
                    return;
                }
                Ok(Flow::Held(closed)) => {
                    self.outcomes.push(Outcome::Held { step: number });
                    self.closed(closed, number);
                    return;
                }
                Err(error) => {
                    self.outcomes.push(Outcome::Failed(error));
                    return;
                }
            }
        }
        self.outcomes.push(Outcome::Stored(fields.into_owned()));
    }

    /// Windows that closed go on, each as a record of its own.
    fn closed(&mut self, windows: Vec<Fields>, from: usize) {
        let meter = Meter::for_windows();
        for fields in windows {
            self.left = MAX_EXPLODED;
            self.record(Cow::Owned(fields), from, &meter);
        }
    }
}

impl After {
    fn of(flow: &Result<Flow, StepError>, fields: &Fields) -> Self {
        match flow {
            Ok(Flow::Next) => Self::Records(vec![fields.clone()]),
            Ok(Flow::Many(records)) => Self::Records(records.clone()),
            Ok(Flow::Dropped) => Self::Dropped,
            Ok(Flow::Held(closed)) => Self::Held(closed.clone()),
            Err(error) => Self::Failed(error.clone()),
        }
    }
}
