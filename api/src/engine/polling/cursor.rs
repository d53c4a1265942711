//! The incremental cursor: which value of what came the next request begins at.

use std::cmp::Ordering;

use dash_shared::fields::FieldPath;
use dash_shared::sources::polling::{Cursor, CursorPick, CursorPlace, MAX_CURSOR_BYTES};
use dash_shared::timestamps;
use serde_json::Value;
use serde_json_path::JsonPath;

use super::paths::parse_path;
use super::{FetchError, FetchErrorCode};

/// Reads the cursor of one run.
pub(super) struct CursorReader<'a> {
    rule: Option<(&'a Cursor, Place)>,
    /// What is known: from the run before, or from what came since.
    value: Option<String>,
    sent: Option<String>,
    seen: bool,
}

enum Place {
    Field(FieldPath),
    Path(JsonPath),
}

impl<'a> CursorReader<'a> {
    /// Begins where the run before ended, or with the first value.
    pub(super) fn new(rule: Option<&'a Cursor>, known: Option<String>) -> Result<Self, FetchError> {
        let rule = match rule {
            None => None,
            Some(rule) => {
                let place = match rule.place {
                    CursorPlace::Answer => Place::Path(parse_path(&rule.path)?),
                    CursorPlace::Records => Place::Field(rule.path.parse().map_err(|error| {
                        FetchError::new(FetchErrorCode::InvalidPath, format!("{error}."))
                    })?),
                };
                Some((rule, place))
            }
        };
        let initial = rule.as_ref().and_then(|(rule, _)| rule.initial.clone());
        let value = known.filter(|_| rule.is_some());
        Ok(Self {
            sent: value.clone().or(initial),
            rule,
            value,
            seen: false,
        })
    }

    /// What takes the place of `{{cursor}}`; nothing at the very beginning.
    pub(super) fn to_send(&self) -> Option<&str> {
        self.sent.as_deref()
    }

    /// Whether another run goes on where this one ends.
    pub(super) const fn goes_on(&self) -> bool {
        self.rule.is_some() && self.seen
    }

    /// Looks at a whole answer.
    pub(super) fn look_at_answer(&mut self, answer: &Value) {
        if let Some((_, Place::Path(path))) = &self.rule
            && let Some(value) = path
                .query(answer)
                .all()
                .last()
                .and_then(|value| text(value))
        {
            self.value = Some(value);
            self.seen = true;
        }
    }

    /// Looks at records, in their order.
    pub(super) fn look_at(&mut self, records: &[Value]) {
        let Some((rule, Place::Field(path))) = &self.rule else {
            return;
        };
        let values = records
            .iter()
            .filter_map(|record| text(path.get(record.as_object()?)?));
        for value in values {
            self.seen = true;
            let is_further = match (rule.pick, &self.value) {
                (CursorPick::Last, _) | (_, None) => true,
                (CursorPick::Highest, Some(known)) => compare(&value, known).is_gt(),
            };
            if is_further {
                self.value = Some(value);
            }
        }
    }

    /// Where the next run begins.
    pub(super) fn end(self, records: usize) -> Result<Option<String>, FetchError> {
        match &self.rule {
            Some((rule, Place::Field(_))) if records > 0 && !self.seen => Err(FetchError::new(
                FetchErrorCode::NoCursor,
                format!(
                    "None of the records has a value in the cursor's field “{}”. Test the source \
                     to see which fields there are.",
                    rule.path
                ),
            )),
            Some(_) => Ok(self.value),
            None => Ok(None),
        }
    }
}

/// A value as it is sent; nothing if it is none that can be.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let sendable =
        !text.is_empty() && text.len() <= MAX_CURSOR_BYTES && !text.contains(char::is_control);
    sendable.then_some(text)
}

/// Numbers are compared as numbers, times as times, and all else character by character.
fn compare(a: &str, b: &str) -> Ordering {
    if let (Ok(a), Ok(b)) = (a.parse::<i128>(), b.parse::<i128>()) {
        return a.cmp(&b);
    }
    if let (Ok(a), Ok(b)) = (a.parse::<f64>(), b.parse::<f64>()) {
        return a.total_cmp(&b);
    }
    let time = |text: &str| timestamps::parse_ms(&Value::String(text.to_owned()));
    match (time(a), time(b)) {
        // Two times of one millisecond may differ behind it.
        (Some(x), Some(y)) => x.cmp(&y).then_with(|| a.cmp(b)),
        _ => a.cmp(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_higher_depends_on_what_it_is() {
        let check = |low: &str, high: &str| assert!(compare(high, low).is_gt(), "{low} {high}");
        check("9", "10");
        check("-10", "-9");
        check("1.5", "10");
        check("9007199254740992", "9007199254740993");
        check("2026-11-22T12:00:00+02:00", "2026-11-22T11:00:00Z");
        check("2026-11-22T11:00:00.000001Z", "2026-11-22T11:00:00.000002Z");
        check("a9", "b1");
    }

    #[test]
    fn a_cursor_moves_on_with_what_came() {
        use CursorPick::{Highest, Last};
        use CursorPlace::{Answer, Records};
        let rule = |place, path: &str, pick| Cursor {
            place,
            path: path.to_owned(),
            pick,
            initial: Some("0".to_owned()),
        };
        let check = |rule: &Cursor, known: Option<&str>, expected: Option<&str>| {
            let known = known.map(str::to_owned);
            let mut reader = CursorReader::new(Some(rule), known.clone()).unwrap();
            assert_eq!(reader.to_send(), known.as_deref().or(Some("0")));
            reader.look_at_answer(&json!({ "next": "n2" }));
            reader.look_at(&[json!({ "id": 3 }), json!({ "id": 9 }), json!({ "id": 4 })]);
            assert_eq!(reader.end(3).unwrap().as_deref(), expected);
        };
        check(&rule(Records, "id", Highest), None, Some("9"));
        check(&rule(Records, "id", Highest), Some("12"), Some("12"));
        check(&rule(Records, "id", Last), Some("12"), Some("4"));
        check(&rule(Answer, "$.next", Last), Some("n1"), Some("n2"));
        check(&rule(Answer, "$.none", Last), Some("n1"), Some("n1"));
        let rule = rule(Records, "none", Highest);
        let mut reader = CursorReader::new(Some(&rule), None).unwrap();
        reader.look_at(&[json!({ "id": 3 })]);
        assert_eq!(reader.end(1).unwrap_err().code, FetchErrorCode::NoCursor);
    }
}
