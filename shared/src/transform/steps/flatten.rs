//! Nested objects made flat.

use serde_json::Value;

use super::Context;
use crate::fields::{Fields, MAX_PATH_BYTES};
use crate::transform::MAX_FLATTENED_FIELDS;
use crate::transform::definition::{FlattenStep, Separator};
use crate::transform::outcome::Fault;

pub fn run(step: &FlattenStep, fields: &mut Fields, context: &Context<'_>) -> Result<(), Fault> {
    let mut flat = Flat {
        separator: match step.separator {
            Separator::Underscore => "_",
            Separator::Dot => ".",
        },
        depth: step.depth,
        fields: Fields::with_capacity(fields.len()),
        context,
    };
    match &step.field {
        None => flat.add_all("", fields, 0)?,
        Some(path) => {
            let inner = match path.get(fields) {
                None | Some(Value::Null) => return Ok(()),
                Some(Value::Object(inner)) => inner,
                Some(other) => return Err(Fault::new(path, other, "this is not an object")),
            };
            // The object itself is the first level.
            flat.add_all(path.last_key(), inner, 1)?;
            let mut made = std::mem::take(&mut flat.fields);
            let Some(key) = path.top_level_key() else {
                path.remove(fields);
                fields.extend(made);
                return Ok(());
            };
            // What was nested takes the place of the object.
            for (name, value) in std::mem::take(fields) {
                if name == key {
                    flat.fields.extend(std::mem::take(&mut made));
                } else {
                    flat.fields.entry(name).or_insert(value);
                }
            }
        }
    }
    *fields = flat.fields;
    Ok(())
}

struct Flat<'f> {
    separator: &'static str,
    depth: u8,
    fields: Fields,
    context: &'f Context<'f>,
}

impl Flat<'_> {
    fn add_all(&mut self, prefix: &str, nested: &Fields, level: u8) -> Result<(), Fault> {
        for (key, value) in nested {
            let name = if level == 0 {
                key.clone()
            } else {
                format!("{prefix}{}{key}", self.separator)
            };
            if level > 0 && name.len() > MAX_PATH_BYTES {
                return Err(Fault::of_record(format!(
                    "a name that comes out has more than {MAX_PATH_BYTES} characters"
                )));
            }
            match value {
                Value::Object(inner) if !inner.is_empty() && level < self.depth => {
                    self.add_all(&name, inner, level + 1)?;
                }
                value => {
                    if self.fields.len() >= MAX_FLATTENED_FIELDS {
                        return Err(Fault::of_record(format!(
                            "more than {MAX_FLATTENED_FIELDS} fields come out"
                        )));
                    }
                    self.context.meter.take_copy_of(value)?;
                    self.fields.insert(name, value.clone());
                }
            }
        }
        Ok(())
    }
}
