//! One record of each element of a list.

use serde_json::Value;

use super::{Context, Flow, check_count};
use crate::fields::{FieldPath, Fields};
use crate::transform::definition::ExplodeStep;
use crate::transform::outcome::Fault;

pub fn run(step: &ExplodeStep, fields: &mut Fields, context: &Context<'_>) -> Result<Flow, Fault> {
    let path = &step.field;
    match path.get(fields) {
        None | Some(Value::Null) => return Ok(without_elements(step, fields)),
        Some(Value::Array(items)) if items.is_empty() => return Ok(without_elements(step, fields)),
        Some(Value::Array(items)) => {
            check_count(items.len(), context).map_err(|fault| fault.under(path))?;
        }
        Some(other) => return Err(Fault::new(path, other, "this is not a list")),
    }
    let Some(Value::Array(items)) = path.remove(fields) else {
        return Ok(Flow::Next);
    };
    for _ in 1..items.len() {
        if let Err(problem) = context.meter.take_copy_of_fields(fields) {
            path.put(fields, Value::Array(items));
            return Err(Fault::from(problem).under(path));
        }
    }
    let mut records = Vec::with_capacity(items.len());
    let last = items.len() - 1;
    for (index, item) in items.into_iter().enumerate() {
        let mut record = if index == last {
            std::mem::take(fields)
        } else {
            fields.clone()
        };
        place(step, path, item, &mut record);
        records.push(record);
    }
    Ok(Flow::Many(records))
}

fn without_elements(step: &ExplodeStep, fields: &mut Fields) -> Flow {
    if step.keep_empty {
        step.field.remove(fields);
        Flow::Next
    } else {
        Flow::Dropped
    }
}

fn place(step: &ExplodeStep, path: &FieldPath, item: Value, record: &mut Fields) {
    match (&step.to, item) {
        (Some(name), item) => {
            record.insert(name.clone(), item);
        }
        (None, Value::Object(inner)) => record.extend(inner),
        (None, item) => path.put(record, item),
    }
}
