//! What a test case expects of a transform, and whether that is what came.

use dash_shared::transform::compare::{Difference, differences};
use dash_shared::transform::{Outcome, StepError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a transform has to make of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// These records come out, in this order, and nothing fails.
    Records(Vec<Value>),
    /// A step leaves it out.
    Dropped,
    /// It becomes a part of a window.
    Held,
    /// It fails, and the message has this text in it.
    Failure(String),
}

/// What a transform made of a record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Actual {
    /// The records that came out.
    pub records: Vec<Value>,
    /// Whether it became a part of a window.
    pub held: bool,
    /// What failed.
    pub errors: Vec<StepError>,
}

/// Whether a record became what was expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What came.
    pub actual: Actual,
    /// What is wrong, for people; none when it is right.
    pub problem: Option<String>,
    /// Where the records differ.
    pub differences: Vec<Difference>,
}

impl Actual {
    pub(super) fn of(outcomes: Vec<Outcome>) -> Self {
        let mut actual = Self::default();
        for outcome in outcomes {
            match outcome {
                Outcome::Stored(fields) => actual.records.push(Value::Object(fields)),
                Outcome::Dropped { .. } => {}
                Outcome::Held { .. } => actual.held = true,
                Outcome::Failed(error) => actual.errors.push(error),
            }
        }
        actual
    }

    /// What a test case has to expect that this is right for.
    pub(super) fn as_expected(&self) -> Expected {
        match (self.errors.first(), self.records.as_slice()) {
            (Some(error), _) => Expected::Failure(error.message.clone()),
            (None, []) if self.held => Expected::Held,
            (None, []) => Expected::Dropped,
            (None, records) => Expected::Records(records.to_vec()),
        }
    }

    /// What came, in a few words.
    fn words(&self) -> String {
        match (self.errors.first(), self.records.len()) {
            (Some(error), _) if error.path.is_empty() => {
                format!("it failed in step {}: {}", error.step, error.message)
            }
            (Some(error), _) => format!(
                "it failed in step {} at {}: {}",
                error.step, error.path, error.message
            ),
            (None, 0) if self.held => "it became a part of a window".to_owned(),
            (None, 0) => "it was left out".to_owned(),
            (None, 1) => "a record came out".to_owned(),
            (None, count) => format!("{count} records came out"),
        }
    }
}

impl Verdict {
    pub(super) fn of(expected: &Expected, outcomes: Vec<Outcome>) -> Self {
        let actual = Actual::of(outcomes);
        let mut found = Vec::new();
        let none = actual.records.is_empty();
        let right = match expected {
            Expected::Records(records) => {
                if actual.errors.is_empty() {
                    let (want, have) = (
                        Value::Array(records.clone()),
                        Value::Array(actual.records.clone()),
                    );
                    found = differences(&want, &have);
                }
                actual.errors.is_empty() && found.is_empty()
            }
            Expected::Dropped => none && actual.errors.is_empty() && !actual.held,
            Expected::Held => none && actual.errors.is_empty() && actual.held,
            Expected::Failure(text) => {
                let has_it = |error: &StepError| error.message.contains(text.as_str());
                actual.errors.iter().any(has_it)
            }
        };
        let problem = (!right).then(|| match (expected, found.first()) {
            (Expected::Records(records), Some(first)) if records.len() == actual.records.len() => {
                let more = match found.len() {
                    1 => String::new(),
                    count => format!(", and {} more", count - 1),
                };
                format!("the records differ at {}{more}", first.path)
            }
            _ => format!("{}, but {}", expected.words(), actual.words()),
        });
        Self {
            actual,
            problem,
            differences: found,
        }
    }

    /// Of a test case that there was no time for.
    pub(super) fn late() -> Self {
        let problem = "the test cases take too long, and this one was not reached".to_owned();
        Self {
            actual: Actual::default(),
            problem: Some(problem),
            differences: Vec::new(),
        }
    }
}

impl Expected {
    fn words(&self) -> String {
        match self {
            Self::Records(records) if records.len() == 1 => "expected a record".to_owned(),
            Self::Records(records) => format!("expected {} records", records.len()),
            Self::Dropped => "expected it to be left out".to_owned(),
            Self::Held => "expected it to become a part of a window".to_owned(),
            Self::Failure(text) if text.is_empty() => "expected it to fail".to_owned(),
            Self::Failure(text) => format!("expected it to fail with “{text}”"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stored(fields: Value) -> Outcome {
        Outcome::Stored(fields.as_object().unwrap().clone())
    }

    fn failed() -> Outcome {
        Outcome::Failed(StepError {
            step: 2,
            path: "total".to_owned(),
            value: "n/a".to_owned(),
            message: "“n/a” is not a number".to_owned(),
        })
    }

    #[test]
    fn what_came_is_compared_with_what_was_expected() {
        let check = |expected: Expected, outcomes: Vec<Outcome>, problem: Option<&str>| {
            let verdict = Verdict::of(&expected, outcomes);
            assert_eq!(verdict.problem.as_deref(), problem, "{expected:?}");
        };
        let one = || Expected::Records(vec![json!({"b": 2, "a": 1.0})]);
        let dropped = || Outcome::Dropped { step: 1 };
        check(one(), vec![stored(json!({"a": 1, "b": 2}))], None);
        check(
            one(),
            vec![dropped(), stored(json!({"a": 1, "b": 2}))],
            None,
        );
        check(
            one(),
            vec![stored(json!({"a": 1, "b": 3, "c": 4}))],
            Some("the records differ at [0].b, and 1 more"),
        );
        check(
            one(),
            vec![dropped()],
            Some("expected a record, but it was left out"),
        );
        check(
            one(),
            vec![stored(json!({"a": 1, "b": 2})), failed()],
            Some("expected a record, but it failed in step 2 at total: “n/a” is not a number"),
        );
        check(Expected::Dropped, vec![dropped()], None);
        check(
            Expected::Dropped,
            vec![stored(json!({}))],
            Some("expected it to be left out, but a record came out"),
        );
        check(Expected::Held, vec![Outcome::Held { step: 1 }], None);
        check(
            Expected::Held,
            vec![dropped()],
            Some("expected it to become a part of a window, but it was left out"),
        );
        check(Expected::Failure(String::new()), vec![failed()], None);
        check(
            Expected::Failure("not a number".to_owned()),
            vec![failed()],
            None,
        );
        check(
            Expected::Failure("too long".to_owned()),
            vec![failed()],
            Some(
                "expected it to fail with “too long”, but it failed in step 2 at total: \
                 “n/a” is not a number",
            ),
        );
    }

    #[test]
    fn what_came_can_be_what_is_expected_from_then_on() {
        for outcomes in [
            vec![failed()],
            vec![Outcome::Dropped { step: 1 }],
            vec![Outcome::Held { step: 1 }],
            vec![stored(json!({"a": [1, 2]})), stored(json!({}))],
        ] {
            let expected = Actual::of(outcomes.clone()).as_expected();
            assert_eq!(Verdict::of(&expected, outcomes).problem, None);
        }
    }
}
