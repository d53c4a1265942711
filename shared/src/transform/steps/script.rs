//! A script over each record.

use std::borrow::Cow;

use super::{Context, Flow, check_count};
use crate::fields::Fields;
use crate::formula::{Returned, Script};
use crate::transform::outcome::Fault;

pub fn run(
    script: &Script,
    fields: &mut Cow<'_, Fields>,
    context: &Context<'_>,
) -> Result<Flow, Fault> {
    Ok(match script.run(fields, context.now_ms, context.meter)? {
        Returned::Nothing => Flow::Dropped,
        Returned::One(record) => {
            *fields = Cow::Owned(record);
            Flow::Next
        }
        Returned::Many(records) if records.is_empty() => Flow::Dropped,
        Returned::Many(records) => {
            check_count(records.len(), context)?;
            Flow::Many(records)
        }
    })
}
