//! The words that people see for figures and filters. The client titles widgets and lists with
//! them, the server can do the same.

use super::{Aggregate, Comparison, Filter};
use crate::fields::FieldType;

/// The longest value of a filter that is told whole, in characters.
const MAX_TOLD_CHARS: usize = 40;

impl Aggregate {
    /// What it makes of `what`: `Average total`, `95th percentile of latency`.
    pub fn title_of(self, what: &str) -> String {
        match self {
            Self::Count => "Records".to_owned(),
            Self::Sum => format!("Total {what}"),
            Self::Avg => format!("Average {what}"),
            Self::Min => format!("Smallest {what}"),
            Self::Max => format!("Largest {what}"),
            Self::First => format!("Earliest {what}"),
            Self::Last => format!("Latest {what}"),
            Self::P50 => format!("Median {what}"),
            Self::P95 => format!("95th percentile of {what}"),
            Self::P99 => format!("99th percentile of {what}"),
            Self::Distinct => format!("Different {what}"),
        }
    }
}

impl Comparison {
    /// All comparisons, with the words between a field and a value.
    pub const ALL: [(Self, &str); 9] = [
        (Self::Equal, "is"),
        (Self::NotEqual, "is not"),
        (Self::Less, "is less than"),
        (Self::AtMost, "is at most"),
        (Self::Greater, "is more than"),
        (Self::AtLeast, "is at least"),
        (Self::Contains, "contains"),
        (Self::Exists, "has a value"),
        (Self::Missing, "has no value"),
    ];

    /// The words between a field and a value.
    pub fn words(self) -> &'static str {
        let found = Self::ALL
            .into_iter()
            .find(|(comparison, _)| *comparison == self);
        found.map_or("", |(_, words)| words)
    }

    /// Whether it says something of values of this type.
    pub const fn suits(self, field_type: FieldType) -> bool {
        match self {
            Self::Equal | Self::NotEqual | Self::Exists | Self::Missing => true,
            Self::Less | Self::AtMost | Self::Greater | Self::AtLeast => {
                matches!(field_type, FieldType::Number | FieldType::Time)
            }
            Self::Contains => matches!(field_type, FieldType::Text | FieldType::Time),
        }
    }

    /// A condition as a clause: `country is DE`, `coupon has a value`.
    pub fn clause(self, field: &str, value: &str) -> String {
        if !self.takes_value() {
            return format!("{field} {}", self.words());
        }
        let mut told: String = value.chars().take(MAX_TOLD_CHARS).collect();
        if told.len() < value.len() {
            told.push('…');
        } else if told.trim().is_empty() {
            told = format!("“{told}”");
        }
        format!("{field} {} {told}", self.words())
    }
}

impl Filter {
    /// The condition as a clause: `country is DE`.
    pub fn clause(&self) -> String {
        self.comparison.clause(self.field.as_str(), &self.value)
    }
}

/// What a list of the records behind a figure is called. The range is given in words.
pub fn records_behind(title: &str, range: &str, clauses: &[String]) -> String {
    let mut words = format!("Records behind “{title}”, {range}");
    for clause in clauses {
        words.push_str(", ");
        words.push_str(clause);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_aggregate_has_a_natural_title() {
        let check = |aggregate: Aggregate, expected: &str| {
            assert_eq!(aggregate.title_of("total"), expected);
        };
        check(Aggregate::Count, "Records");
        check(Aggregate::Avg, "Average total");
        check(Aggregate::First, "Earliest total");
        check(Aggregate::P50, "Median total");
        check(Aggregate::P95, "95th percentile of total");
        check(Aggregate::P99, "99th percentile of total");
        check(Aggregate::Distinct, "Different total");
    }

    #[test]
    fn every_comparison_has_words() {
        for (comparison, words) in Comparison::ALL {
            assert_eq!(comparison.words(), words);
            assert!(!words.is_empty());
        }
    }

    #[test]
    fn what_is_offered_suits_the_type() {
        let offered = |field_type| {
            Comparison::ALL
                .into_iter()
                .filter(|(comparison, _)| comparison.suits(field_type))
                .map(|(_, words)| words)
                .collect::<Vec<_>>()
                .join(", ")
        };
        assert_eq!(
            offered(FieldType::Text),
            "is, is not, contains, has a value, has no value"
        );
        assert_eq!(
            offered(FieldType::Number),
            "is, is not, is less than, is at most, is more than, is at least, has a value, \
             has no value"
        );
        assert_eq!(
            offered(FieldType::Boolean),
            "is, is not, has a value, has no value"
        );
    }

    #[test]
    fn conditions_read_as_clauses() {
        let check = |comparison: Comparison, value: &str, expected: &str| {
            assert_eq!(comparison.clause("country", value), expected);
        };
        check(Comparison::Equal, "DE", "country is DE");
        check(Comparison::NotEqual, "DE", "country is not DE");
        check(Comparison::AtLeast, "100", "country is at least 100");
        check(Comparison::Missing, "DE", "country has no value");
        check(Comparison::Equal, "", "country is “”");
        check(
            Comparison::Contains,
            &"ä".repeat(MAX_TOLD_CHARS + 1),
            &format!("country contains {}…", "ä".repeat(MAX_TOLD_CHARS)),
        );
    }

    #[test]
    fn a_list_says_what_it_is_of() {
        assert_eq!(
            records_behind("Orders", "last hour", &[]),
            "Records behind “Orders”, last hour"
        );
        assert_eq!(
            records_behind(
                "Average total",
                "last 24 hours",
                &["country is DE".to_owned(), "paid is true".to_owned()],
            ),
            "Records behind “Average total”, last 24 hours, country is DE, paid is true"
        );
    }
}
