//! Questions about a pipeline's records: figures, filters and how wide buckets are. The same words
//! serve widgets, the API and the record store.

pub mod draft;
pub mod words;

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fields::{FieldPath, Fields};
use crate::{Invalid, InvalidCode};

/// The most filters of a question.
pub const MAX_FILTERS: usize = 10;
/// The longest value of a filter, as JSON, in bytes.
pub const MAX_FILTER_VALUE_BYTES: usize = 1_000;
/// How many bytes of a grouping value tell groups apart; longer values with the same beginning are
/// one group.
pub const MAX_GROUP_BYTES: usize = 200;
/// What a record without a value for the grouping field counts as.
pub const NO_GROUP: &str = "(none)";

/// How many records' values become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// How many records; with a field, how many have a value for it.
    Count,
    /// All values added up.
    Sum,
    /// The arithmetic mean.
    Avg,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The value of the oldest record.
    First,
    /// The value of the newest record.
    Last,
    /// The median, within 1 %.
    P50,
    /// The value that 95 % of all values do not exceed, within 1 %.
    P95,
    /// The value that 99 % of all values do not exceed, within 1 %.
    P99,
    /// How many different values there are: exact up to 256, within a few percent beyond.
    Distinct,
}

impl Aggregate {
    /// All aggregates, with the words people see.
    pub const ALL: [(Self, &str); 11] = [
        (Self::Count, "Count"),
        (Self::Sum, "Sum"),
        (Self::Avg, "Average"),
        (Self::Min, "Smallest"),
        (Self::Max, "Largest"),
        (Self::First, "Earliest"),
        (Self::Last, "Latest"),
        (Self::P50, "Median"),
        (Self::P95, "95th percentile"),
        (Self::P99, "99th percentile"),
        (Self::Distinct, "Different values"),
    ];

    /// Whether it can only be told of numbers.
    pub const fn needs_numbers(self) -> bool {
        !matches!(self, Self::Count | Self::Distinct)
    }
}

/// A figure: an aggregate of a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Measure {
    /// How values become one.
    pub aggregate: Aggregate,
    /// Of which field; none only for [`Aggregate::Count`].
    pub field: Option<FieldPath>,
}

impl Measure {
    /// How many records there are.
    pub const COUNT: Self = Self {
        aggregate: Aggregate::Count,
        field: None,
    };
}

/// How a field's value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The same value; a number equals a text that is written like it.
    Equal,
    /// Another value, or none.
    NotEqual,
    /// Smaller: numbers by size, texts by their characters.
    Less,
    /// Smaller or the same.
    AtMost,
    /// Larger.
    Greater,
    /// Larger or the same.
    AtLeast,
    /// A text that has this one in it, whatever the case of letters.
    Contains,
    /// There is a value.
    Exists,
    /// There is none.
    Missing,
}

impl Comparison {
    /// Whether it compares with a value.
    pub const fn takes_value(self) -> bool {
        !matches!(self, Self::Exists | Self::Missing)
    }
}

/// A condition that records have to meet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Filter {
    /// The field that is looked at.
    pub field: FieldPath,
    /// How its value is compared.
    pub comparison: Comparison,
    /// What it is compared with, as text; empty for [`Comparison::Exists`] and
    /// [`Comparison::Missing`].
    #[serde(default)]
    pub value: String,
}

impl Filter {
    /// Whether a record meets the condition.
    pub fn matches(&self, fields: &Fields) -> bool {
        let value = self.field.get(fields).filter(|value| !value.is_null());
        match (self.comparison, value) {
            (Comparison::Exists, value) => value.is_some(),
            (Comparison::Missing, value) => value.is_none(),
            (Comparison::NotEqual, None) => true,
            (_, None) => false,
            (Comparison::Equal, Some(value)) => self.order(value) == Some(Ordering::Equal),
            (Comparison::NotEqual, Some(value)) => self.order(value) != Some(Ordering::Equal),
            (Comparison::Less, Some(value)) => self.order(value) == Some(Ordering::Less),
            (Comparison::AtMost, Some(value)) => self.order(value).is_some_and(Ordering::is_le),
            (Comparison::Greater, Some(value)) => self.order(value) == Some(Ordering::Greater),
            (Comparison::AtLeast, Some(value)) => self.order(value).is_some_and(Ordering::is_ge),
            (Comparison::Contains, Some(value)) => {
                let wanted = self.value.to_lowercase();
                match value {
                    Value::String(text) => text.to_lowercase().contains(&wanted),
                    other => other.to_string().to_lowercase().contains(&wanted),
                }
            }
        }
    }

    /// Whether a value that is written like this is the one that is asked for.
    pub fn equals_text(&self, text: &str) -> bool {
        self.order_of_text(text) == Ordering::Equal
    }

    /// How a value stands to the one that is asked for; none when they cannot be compared.
    fn order(&self, value: &Value) -> Option<Ordering> {
        match value {
            Value::Number(number) => number.as_f64()?.partial_cmp(&self.number()?),
            Value::String(text) => Some(self.order_of_text(text)),
            other => Some(other.to_string().as_str().cmp(&self.value)),
        }
    }

    fn order_of_text(&self, text: &str) -> Ordering {
        match (text.trim().parse::<f64>(), self.number()) {
            (Ok(number), Some(wanted)) if number.is_finite() => {
                number.partial_cmp(&wanted).unwrap_or(Ordering::Equal)
            }
            _ => text.cmp(&self.value),
        }
    }

    fn number(&self) -> Option<f64> {
        let number: f64 = self.value.trim().parse().ok()?;
        number.is_finite().then_some(number)
    }
}

/// Checks the filters of a question.
pub fn check_filters(filters: &[Filter]) -> Vec<Invalid> {
    let mut problems = Vec::new();
    if filters.len() > MAX_FILTERS {
        problems.push(Invalid::new(
            "filters",
            InvalidCode::TooLong,
            format!("There are at most {MAX_FILTERS} filters."),
        ));
    }
    for (index, filter) in filters.iter().enumerate() {
        if filter.value.len() > MAX_FILTER_VALUE_BYTES {
            problems.push(Invalid::new(
                &format!("filters.{index}.value"),
                InvalidCode::TooLong,
                format!("A filter's value has at most {MAX_FILTER_VALUE_BYTES} bytes."),
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn filters_compare_values_as_people_do() {
        let record = json!({
            "n": 12, "text": "Grüße aus Lyon", "digits": "9.50", "yes": true, "nothing": null,
            "in": {"list": [1, 2]},
        });
        let fields = record.as_object().unwrap();
        let check = |field: &str, comparison, value: &str, expected: bool| {
            let filter = Filter {
                field: field.parse().unwrap(),
                comparison,
                value: value.to_owned(),
            };
            assert_eq!(filter.matches(fields), expected, "{filter:?}");
        };
        check("n", Comparison::Equal, "12", true);
        check("n", Comparison::Equal, "12.0", true);
        check("n", Comparison::NotEqual, "13", true);
        check("n", Comparison::Greater, "9", true);
        check("n", Comparison::AtMost, "12", true);
        check("n", Comparison::Less, "12", false);
        check("n", Comparison::Greater, "abc", false);
        check("digits", Comparison::Equal, "9.5", true);
        check("digits", Comparison::Less, "10", true);
        check("text", Comparison::Contains, "GRÜSSE", false);
        check("text", Comparison::Contains, "grüße", true);
        check("text", Comparison::Equal, "Grüße aus Lyon", true);
        check("yes", Comparison::Equal, "true", true);
        check("nothing", Comparison::Missing, "", true);
        check("nothing", Comparison::NotEqual, "1", true);
        check("nothing", Comparison::Equal, "null", false);
        check("elsewhere", Comparison::Exists, "", false);
        check("in.list[1]", Comparison::Equal, "2", true);
        check("in.list", Comparison::Contains, "[1,2", true);
    }
}
