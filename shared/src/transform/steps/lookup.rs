//! What a table says of a value.

use std::collections::HashMap;

use serde_json::Value;

use super::{Context, key_text};
use crate::fields::Fields;
use crate::transform::definition::LookupStep;
use crate::transform::outcome::Fault;

/// A table, ready to be looked into.
#[derive(Debug)]
pub struct Lookup {
    step: LookupStep,
    rows: HashMap<String, usize>,
}

impl Lookup {
    pub fn compile(step: &LookupStep) -> Self {
        let mut rows = HashMap::with_capacity(step.rows.len());
        for (index, row) in step.rows.iter().enumerate() {
            if let Some(key) = row.first().and_then(key_text) {
                // Of two rows for one value, the first one counts.
                rows.entry(folded(&key, step.ignore_case)).or_insert(index);
            }
        }
        Self {
            step: step.clone(),
            rows,
        }
    }

    pub fn run(&self, fields: &mut Fields, context: &mut Context<'_>) -> Result<(), Fault> {
        let step = &self.step;
        let value = step.field.get(fields).filter(|value| !value.is_null());
        let key = value.and_then(key_text);
        let row = key
            .and_then(|key| self.rows.get(&folded(&key, step.ignore_case)))
            .and_then(|index| step.rows.get(*index));
        if let (None, Some(value), true) = (row, value, step.required) {
            let fault = Fault::new(&step.field, value, "this is not in the table");
            context.keep(fault)?;
        }
        for (place, column) in step.columns.iter().enumerate().skip(1) {
            let found = row.and_then(|row| row.get(place)).unwrap_or(&Value::Null);
            context.meter.take_copy_of(found)?;
            fields.insert(column.clone(), found.clone());
        }
        Ok(())
    }
}

fn folded(key: &str, ignore_case: bool) -> String {
    if ignore_case {
        key.to_lowercase()
    } else {
        key.to_owned()
    }
}
