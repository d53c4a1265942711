//! The steps that move fields about: rename, select, drop, cast, set.

use serde_json::Value;

use super::Context;
use crate::cast::cast;
use crate::fields::Fields;
use crate::transform::definition::{CastStep, DropStep, RenameStep, SelectStep, SetStep};
use crate::transform::outcome::Fault;

/// Gives fields other names. Those at the top level stay where they are.
pub fn rename(step: &RenameStep, fields: &mut Fields) {
    let mut renamed: Vec<(&str, &str)> = Vec::with_capacity(step.fields.len());
    for renaming in &step.fields {
        match renaming.from.top_level_key() {
            Some(key) if fields.contains_key(key) => renamed.push((key, &renaming.to)),
            Some(_) => {}
            None => {
                if let Some(value) = renaming.from.remove(fields) {
                    fields.insert(renaming.to.clone(), value);
                }
            }
        }
    }
    if renamed.is_empty() {
        return;
    }
    let before = std::mem::take(fields);
    let mut after = Fields::with_capacity(before.len());
    for (key, value) in before {
        match renamed.iter().find(|(from, _)| *from == key) {
            Some((_, to)) => {
                after.insert((*to).to_owned(), value);
            }
            // What is called like a new name makes room for it.
            None if renamed.iter().any(|(_, to)| *to == key) => {}
            None => {
                after.insert(key, value);
            }
        }
    }
    *fields = after;
}

/// Keeps only some fields, where they are, in the order of the step.
pub fn select(step: &SelectStep, fields: &mut Fields, context: &Context<'_>) -> Result<(), Fault> {
    let mut selected = Fields::with_capacity(step.fields.len());
    for path in &step.fields {
        if let Some(key) = path.top_level_key() {
            if let Some(value) = fields.get_mut(key) {
                selected.insert(key.to_owned(), value.take());
            }
        } else if let Some(value) = path.get(fields) {
            context.meter.take_copy_of(value)?;
            path.put(&mut selected, value.clone());
        }
    }
    *fields = selected;
    Ok(())
}

/// Takes fields away.
pub fn drop(step: &DropStep, fields: &mut Fields) {
    for path in &step.fields {
        path.remove(fields);
    }
}

/// Converts fields to types. Those that are missing stay so.
pub fn cast_fields(
    step: &CastStep,
    fields: &mut Fields,
    context: &mut Context<'_>,
) -> Result<(), Fault> {
    for casting in &step.fields {
        let Some(value) = casting.field.get_mut(fields) else {
            continue;
        };
        match cast(value, casting.wanted) {
            Ok(converted) => *value = converted,
            Err(error) => {
                context.keep(Fault::of_cast(&casting.field, error))?;
                *value = Value::Null;
            }
        }
    }
    Ok(())
}

/// Gives fields constant values.
pub fn set(step: &SetStep, fields: &mut Fields, context: &Context<'_>) -> Result<(), Fault> {
    for constant in &step.fields {
        context.meter.take_copy_of(&constant.value)?;
        constant.field.put(fields, constant.value.clone());
    }
    Ok(())
}
