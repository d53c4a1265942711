//! The steps that move fields about: rename, select, drop, cast, set.

use std::borrow::Cow;

use serde_json::Value;

use super::{Context, put};
use crate::cast::cast;
use crate::fields::Fields;
use crate::transform::definition::{CastStep, DropStep, RenameStep, SelectStep, SetStep};
use crate::transform::outcome::Fault;

/// What a field is called from now on.
enum Name<'n> {
    Same,
    New(&'n str),
    Gone,
}

/// Builds a record anew with other names; copies only what stays of a record that is borrowed.
fn rebuild<'n>(record: &mut Cow<'_, Fields>, name: impl Fn(&str) -> Name<'n>) {
    let before = std::mem::replace(record, Cow::Owned(Fields::new()));
    let mut after = Fields::with_capacity(before.len() + 4);
    match before {
        Cow::Borrowed(before) => {
            for (key, value) in before {
                match name(key) {
                    Name::Same => after.insert(key.clone(), value.clone()),
                    Name::New(name) => after.insert(name.to_owned(), value.clone()),
                    Name::Gone => None,
                };
            }
        }
        Cow::Owned(before) => {
            for (key, value) in before {
                match name(&key) {
                    Name::Same => after.insert(key, value),
                    Name::New(name) => after.insert(name.to_owned(), value),
                    Name::Gone => None,
                };
            }
        }
    }
    *record = Cow::Owned(after);
}

/// Gives fields other names. Those at the top level stay where they are.
pub fn rename(step: &RenameStep, record: &mut Cow<'_, Fields>) {
    let mut renamed: Vec<(&str, &str)> = Vec::with_capacity(step.fields.len());
    for renaming in &step.fields {
        match renaming.from.top_level_key() {
            Some(key) if record.contains_key(key) => renamed.push((key, &renaming.to)),
            Some(_) => {}
            None => {
                let fields = record.to_mut();
                if let Some(value) = renaming.from.remove(fields) {
                    fields.insert(renaming.to.clone(), value);
                }
            }
        }
    }
    if renamed.is_empty() {
        return;
    }
    rebuild(record, |key| {
        match renamed.iter().find(|(from, _)| *from == key) {
            Some((_, to)) => Name::New(to),
            // What is called like a new name makes room for it.
            None if renamed.iter().any(|(_, to)| *to == key) => Name::Gone,
            None => Name::Same,
        }
    });
}

/// Keeps only some fields, where they are, in the order of the step.
pub fn select(
    step: &SelectStep,
    record: &mut Cow<'_, Fields>,
    context: &Context<'_>,
) -> Result<(), Fault> {
    let mut selected = Fields::with_capacity(step.fields.len());
    for path in &step.fields {
        let Some(value) = path.get(record) else {
            continue;
        };
        context.meter.take_copy_of(value)?;
        put(path, &mut selected, value.clone(), context)?;
    }
    *record = Cow::Owned(selected);
    Ok(())
}

/// Takes fields away.
pub fn drop(step: &DropStep, record: &mut Cow<'_, Fields>) {
    if let Cow::Borrowed(_) = record {
        let is_dropped = |key: &str| {
            step.fields
                .iter()
                .any(|path| path.top_level_key() == Some(key))
        };
        rebuild(record, |key| {
            if is_dropped(key) {
                Name::Gone
            } else {
                Name::Same
            }
        });
    }
    let fields = record.to_mut();
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
        put(&constant.field, fields, constant.value.clone(), context)?;
    }
    Ok(())
}
