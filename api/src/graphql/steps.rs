//! Transform steps and fields, as they are shown and as they are entered.

use async_graphql::{Enum, InputObject, SimpleObject};
use dash_shared::fields::{self, SampledField};
use dash_shared::transform::{self, Action, Step, mapping};

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

/// What happens to a record that a step cannot handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "transform::OnError")]
pub enum OnError {
    /// The record is not stored and is listed with the error.
    Fail,
    /// The record is left out.
    Drop,
    /// The record goes on; the field that failed becomes null.
    Keep,
}

/// The field-mapping step: select, rename and cast.
#[derive(Debug, SimpleObject)]
pub struct MapStep {
    /// The fields that come out, in this order.
    fields: Vec<FieldMapping>,
    /// Whether top-level fields that no mapping takes from are kept as they are.
    keep_rest: bool,
    /// What happens when a cast fails.
    on_error: OnError,
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

impl MapStep {
    /// A step as it is shown; none for the kinds that the API does not show yet.
    pub(super) fn of(step: &Step) -> Option<Self> {
        let on_error = step.on_error.into();
        let Action::Map(step) = &step.action else {
            return None;
        };
        Some(Self {
            fields: step.fields.iter().map(FieldMapping::of).collect(),
            keep_rest: step.keep_rest,
            on_error,
        })
    }
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

/// A field-mapping step.
#[derive(Debug, InputObject)]
pub struct MapStepInput {
    /// The fields that come out, in this order.
    fields: Vec<FieldMappingInput>,
    /// Whether top-level fields that no mapping takes from are kept as they are.
    #[graphql(default = false)]
    keep_rest: bool,
    /// What happens when a cast fails.
    #[graphql(default_with = "OnError::Fail")]
    on_error: OnError,
}

/// One field of a field-mapping step.
#[derive(Debug, InputObject)]
pub struct FieldMappingInput {
    /// Where the value is: `total`, `customer.country`, `items[0].price`.
    from: String,
    /// The name it gets; no dots, brackets or quotes.
    to: String,
    /// The type it is converted to; left as it is without one.
    cast: Option<FieldType>,
}

/// Reads the paths of entered steps; those that are none are told all at once.
pub(super) fn read_steps(input: Vec<MapStepInput>) -> Result<Vec<Step>, Vec<UserError>> {
    let mut problems = Vec::new();
    let mut steps = Vec::new();
    for (index, step) in input.into_iter().enumerate() {
        let mut mappings = Vec::new();
        for (place, mapping) in step.fields.into_iter().enumerate() {
            match mapping.from.parse() {
                Ok(from) => mappings.push(mapping::FieldMapping {
                    from,
                    to: mapping.to,
                    cast: mapping.cast.map(Into::into),
                }),
                Err(error) => {
                    let path = [
                        "steps",
                        &index.to_string(),
                        "fields",
                        &place.to_string(),
                        "from",
                    ];
                    problems.push(UserError {
                        field: Some(path.map(str::to_owned).to_vec()),
                        message: format!("{error}."),
                        code: UserErrorCode::Invalid,
                    });
                }
            }
        }
        steps.push(Step {
            action: Action::Map(mapping::MapStep {
                fields: mappings,
                keep_rest: step.keep_rest,
            }),
            on_error: step.on_error.into(),
        });
    }
    if problems.is_empty() {
        Ok(steps)
    } else {
        Err(problems)
    }
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
