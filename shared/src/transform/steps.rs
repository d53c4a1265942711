//! The steps, one file for each kind or family. Each runs in place: it changes the fields it is
//! given, or says what else became of the record. A step that fails leaves a record that goes on
//! all the same as it was, or with null where a field failed.

pub(super) mod calculate;
pub(super) mod dates;
pub(super) mod deduplicate;
pub(super) mod explode;
pub(super) mod fields;
pub(super) mod filter;
pub(super) mod flatten;
pub(super) mod join;
pub(super) mod lookup;
pub(super) mod privacy;
pub(super) mod script;
pub(super) mod window;

use std::borrow::Cow;

use serde_json::Value;

use super::MAX_EXPLODED;
use super::definition::OnError;
use super::environment::Environment;
use super::outcome::{Fault, StepError};
use super::state::State;
use crate::fields::{FieldPath, Fields};
use crate::formula::{Meter, Number};

/// What becomes of a record after a step.
#[derive(Debug)]
pub(super) enum Flow {
    /// It goes on.
    Next,
    /// These go on instead of it.
    Many(Vec<Fields>),
    /// It is left out.
    Dropped,
    /// It is a part of a window now; these windows have closed and go on.
    Held(Vec<Fields>),
}

/// What a step runs with.
pub(super) struct Context<'c> {
    pub environment: &'c dyn Environment,
    pub now_ms: i64,
    pub state: &'c mut State,
    pub meter: &'c Meter,
    /// The step, counted from 1.
    pub step: usize,
    pub on_error: OnError,
    /// How many records may still be made of the received one.
    pub left: usize,
    /// The errors of records that went on all the same, when somebody looks.
    pub kept: Option<Vec<StepError>>,
}

impl Context<'_> {
    /// Decides about a field that failed: it becomes null, or the record fails.
    pub fn keep(&mut self, fault: Fault) -> Result<(), Fault> {
        if self.on_error != OnError::Keep {
            return Err(fault);
        }
        if let Some(kept) = &mut self.kept {
            kept.push(fault.at(self.step));
        }
        Ok(())
    }
}

/// Writes a value and pays for the lists that are made on the way.
fn put(
    path: &FieldPath,
    fields: &mut Fields,
    value: Value,
    context: &Context<'_>,
) -> Result<(), Fault> {
    context.meter.take_values(path.written_places())?;
    path.put(fields, value);
    Ok(())
}

/// Refuses a step that would make too many records of one.
fn check_count(count: usize, context: &Context<'_>) -> Result<(), Fault> {
    if count <= context.left {
        return Ok(());
    }
    Err(Fault::of_record(format!(
        "{count} records are too many: at most {MAX_EXPLODED} are made of one"
    )))
}

/// A value as the text that it is looked up by: the same number, the same text, however it was
/// written. None for nothing, and for lists and objects.
pub fn key_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(Number::from_json(number).to_string())),
        Value::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
