//! Fields of another pipeline's latest record.

use serde_json::Value;

use super::{Context, key_text};
use crate::fields::Fields;
use crate::transform::definition::JoinStep;
use crate::transform::outcome::Fault;

pub fn run(step: &JoinStep, fields: &mut Fields, context: &mut Context<'_>) -> Result<(), Fault> {
    let value = step.field.get(fields).filter(|value| !value.is_null());
    let environment = context.environment;
    let found = match value.and_then(key_text) {
        None => None,
        Some(key) => environment
            .latest(step.pipeline, &step.matches, &key)
            .map_err(|error| Fault::of_record(error.to_string()).under(&step.field))?,
    };
    if let (None, Some(value), true) = (&found, value, step.required) {
        let message = "the other pipeline has no record with this value";
        let fault = Fault::new(&step.field, value, message);
        context.keep(fault)?;
    }
    let mut taken = Vec::with_capacity(step.take.len());
    for mapping in &step.take {
        let value = match &found {
            Some(record) => mapping.take_from(record, |fault| context.keep(fault))?,
            None => None,
        };
        let value = value.unwrap_or(Value::Null);
        context.meter.take_copy_of(&value)?;
        taken.push((mapping.to.clone(), value));
    }
    fields.extend(taken);
    Ok(())
}
