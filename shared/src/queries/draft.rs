//! Filters as people enter them: what is not complete yet, and what has to be put right.

use super::{Comparison, Filter, MAX_GROUP_BYTES, NO_GROUP, check_filters};
use crate::{Invalid, InvalidCode};

/// A filter that is being entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterDraft {
    /// The path of the field; empty until one is chosen.
    pub field: String,
    /// How it is compared.
    pub comparison: Comparison,
    /// What it is compared with.
    pub value: String,
}

impl Default for FilterDraft {
    fn default() -> Self {
        Self {
            field: String::new(),
            comparison: Comparison::Equal,
            value: String::new(),
        }
    }
}

impl From<&Filter> for FilterDraft {
    fn from(filter: &Filter) -> Self {
        Self {
            field: filter.field.to_string(),
            comparison: filter.comparison,
            value: filter.value.clone(),
        }
    }
}

impl FilterDraft {
    /// The filter that leaves the records of one group, which is known by its name.
    pub fn of_group(field: &str, name: &str) -> Self {
        // A name that was cut is the beginning of several values; a character has up to four bytes.
        let is_cut = name.len() + 4 > MAX_GROUP_BYTES;
        let comparison = match name {
            NO_GROUP => Comparison::Missing,
            _ if is_cut => Comparison::Contains,
            _ => Comparison::Equal,
        };
        let value = if comparison.takes_value() { name } else { "" };
        Self {
            field: field.to_owned(),
            comparison,
            value: value.to_owned(),
        }
    }

    /// The value; empty where none is compared with.
    pub fn used_value(&self) -> &str {
        if self.comparison.takes_value() {
            &self.value
        } else {
            ""
        }
    }

    /// The filter, once it is complete.
    pub fn read(&self) -> Result<Filter, Invalid> {
        if self.field.is_empty() {
            let message = "Choose the field to look at.";
            return Err(Invalid::new("field", InvalidCode::Required, message));
        }
        let Ok(field) = self.field.parse() else {
            let message = "This field's name cannot be used.";
            return Err(Invalid::new("field", InvalidCode::Invalid, message));
        };
        let value = self.used_value().to_owned();
        if value.trim().is_empty() && self.comparison.takes_value() {
            let message = "Enter the value to compare with.";
            return Err(Invalid::new("value", InvalidCode::Required, message));
        }
        Ok(Filter {
            field,
            comparison: self.comparison,
            value,
        })
    }
}

/// The filters, once all are complete and allowed; else what to put right at
/// `filters.N.field` and `filters.N.value`.
pub fn read_drafts(drafts: &[FilterDraft]) -> Result<Vec<Filter>, Vec<Invalid>> {
    let mut filters = Vec::new();
    let mut problems = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        match draft.read() {
            Ok(filter) => filters.push(filter),
            Err(problem) => problems.push(problem.under(&format!("filters.{index}"))),
        }
    }
    if problems.is_empty() {
        problems = check_filters(&filters);
    }
    if problems.is_empty() {
        Ok(filters)
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MAX_FILTER_VALUE_BYTES, MAX_FILTERS};
    use super::*;

    fn draft(field: &str, comparison: Comparison, value: &str) -> FilterDraft {
        FilterDraft {
            field: field.to_owned(),
            comparison,
            value: value.to_owned(),
        }
    }

    #[test]
    fn what_is_missing_is_told_at_its_row() {
        let check = |draft: FilterDraft, expected: &str| {
            let complete = self::draft("country", Comparison::Equal, "DE");
            let problems = read_drafts(&[complete, draft]).unwrap_err();
            let places: Vec<_> = problems.iter().map(|p| p.field.join(".")).collect();
            assert_eq!(places, [expected]);
        };
        check(FilterDraft::default(), "filters.1.field");
        check(draft("a..", Comparison::Exists, ""), "filters.1.field");
        check(draft("a", Comparison::Equal, " "), "filters.1.value");
        check(
            draft(
                "a",
                Comparison::Equal,
                &"x".repeat(MAX_FILTER_VALUE_BYTES + 1),
            ),
            "filters.1.value",
        );
    }

    #[test]
    fn complete_filters_are_read_without_unused_values() {
        let read = |comparison, value| draft("total", comparison, value).read().unwrap().value;
        assert_eq!(read(Comparison::AtLeast, "10"), "10");
        assert_eq!(read(Comparison::Exists, "left over"), "");
        let whole = draft("customer.country", Comparison::NotEqual, "DE");
        assert_eq!(FilterDraft::from(&whole.read().unwrap()), whole);
    }

    #[test]
    fn a_group_is_found_by_its_name() {
        let clause = |name: &str| {
            let filter = FilterDraft::of_group("city", name).read().unwrap();
            filter.clause()
        };
        assert_eq!(clause("Lyon"), "city is Lyon");
        assert_eq!(clause(NO_GROUP), "city has no value");
        assert!(clause(&"é".repeat(MAX_GROUP_BYTES / 2)).starts_with("city contains é"));
    }

    #[test]
    fn more_filters_than_are_allowed_are_refused() {
        let drafts = vec![draft("a", Comparison::Exists, ""); MAX_FILTERS + 1];
        let problems = read_drafts(&drafts).unwrap_err();
        assert_eq!(problems[0].field, ["filters"]);
        assert!(read_drafts(&drafts[1..]).is_ok());
    }
}
