//! Transform steps and fields, as they are shown and as they are entered. A step is a JSON document,
//! the one that `docs/transforms.md` describes and that definitions are exported with: 18 kinds of
//! steps would be 36 types, and every client would have to know them all to change one.

use async_graphql::{Enum, SimpleObject};
use dash_shared::fields::{self, FieldPath, SampledField};
use dash_shared::transform::{Step, mapping};
use serde_json::Value;

use super::errors::{UserError, UserErrorCode};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "fields::FieldType")]
pub enum FieldType {
    /// Any text.
    Text,
    /// A decimal number.
    Number,
    /// True or false.
    Boolean,
    /// A point in time, written as RFC 3339 in UTC.
    Time,
}

/// Where one field comes from, what it is called and what type it gets.
#[derive(Debug, SimpleObject)]
pub struct FieldMapping {
    /// Where the value is: `total`, `customer.country`, `items[0].price`.
    from: String,
    /// The name it gets.
    to: String,
    /// The type it is converted to; left as it is without one.
    cast: Option<FieldType>,
}

impl FieldMapping {
    pub(super) fn of(mapping: &mapping::FieldMapping) -> Self {
        Self {
            from: mapping.from.to_string(),
            to: mapping.to.clone(),
            cast: mapping.cast.map(Into::into),
        }
    }
}

/// A step as it is shown.
pub(super) fn show_step(step: &Step) -> Value {
    // A step has no maps with other keys than texts.
    serde_json::to_value(step).unwrap_or_default()
}

/// Reads steps as they are entered; those that are none are told all at once.
pub(super) fn read_steps(input: Vec<Value>) -> Result<Vec<Step>, Vec<UserError>> {
    let mut problems = Vec::new();
    let mut steps = Vec::new();
    for (index, document) in input.into_iter().enumerate() {
        match read_step(index, document) {
            Ok(step) => steps.push(step),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(steps)
    } else {
        Err(problems)
    }
}

fn read_step(index: usize, document: Value) -> Result<Step, UserError> {
    let at = |path: &[String], message: String| UserError {
        field: Some(
            ["steps".to_owned(), index.to_string()]
                .into_iter()
                .chain(path.iter().cloned())
                .collect(),
        ),
        message,
        code: UserErrorCode::Invalid,
    };
    if let Some((path, message)) = first_wrong_path(&document) {
        return Err(at(&path, message));
    }
    serde_json::from_value(document).map_err(|error| {
        let message = format!("Step {} cannot be read: {error}.", index + 1);
        at(&[], message)
    })
}

/// Where a path that names a field is none: the one mistake that is made by people who type.
fn first_wrong_path(document: &Value) -> Option<(Vec<String>, String)> {
    let wrong = |value: &Value| {
        let text = value.as_str()?;
        let error = text.parse::<FieldPath>().err()?;
        Some(format!("{error}."))
    };
    let fields = document.get("fields")?.as_array()?;
    fields.iter().enumerate().find_map(|(place, field)| {
        let (path, value) = match field {
            Value::Object(mapping) => (Some("from"), mapping.get("from")?),
            value => (None, value),
        };
        let message = wrong(value)?;
        let path = ["fields".to_owned(), place.to_string()]
            .into_iter()
            .chain(path.map(str::to_owned));
        Some((path.collect(), message))
    })
}

/// A field that a pipeline's newest records have.
#[derive(Debug, SimpleObject)]
pub struct Field {
    /// Where it is.
    path: String,
    /// The type that fits all values that were seen.
    #[graphql(name = "type")]
    holds: FieldType,
    /// One of the values, shortened.
    example: Option<String>,
}

impl From<SampledField> for Field {
    fn from(field: SampledField) -> Self {
        Self {
            path: field.path.to_string(),
            holds: field.field_type.into(),
            example: field.example,
        }
    }
}
