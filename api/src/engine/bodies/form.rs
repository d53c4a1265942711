//! Forms (`application/x-www-form-urlencoded`): one record with its fields as text. Some services,
//! GitHub and Slack among them, put JSON into a single field `payload`: then that is what counts.

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{BodyError, MAX_NAME_BYTES, ReceivedBody};
use crate::engine::json_source::records_of_json;

/// The most fields a form has.
pub const MAX_FIELDS: usize = 1_000;
/// The field that services put JSON into.
const PAYLOAD: &str = "payload";

pub(super) fn read(body: &[u8]) -> Result<ReceivedBody, BodyError> {
    let mut record = Map::new();
    for (count, (name, value)) in form_urlencoded::parse(body.trim_ascii()).enumerate() {
        if count >= MAX_FIELDS {
            return Err(BodyError::TooManyFields("fields"));
        }
        add(&mut record, &name, value.into_owned().into())?;
    }
    if record.is_empty() {
        return Err(BodyError::Empty);
    }
    if record.len() == 1
        && let Some(Value::String(text)) = record.get(PAYLOAD)
        && text.trim_start().starts_with(['{', '['])
    {
        return records_of_json(text.as_bytes()).map_err(|error| match error {
            BodyError::NotJson { message, .. } => {
                BodyError::NotForm(format!("its field {PAYLOAD} is not JSON: {message}"))
            }
            other => other,
        });
    }
    Ok(ReceivedBody {
        records: vec![Value::Object(record)],
        is_list: false,
        files: Vec::new(),
    })
}

/// Adds a field; a name that is there more than once has a list.
pub(super) fn add(
    record: &mut Map<String, Value>,
    name: &str,
    value: Value,
) -> Result<(), BodyError> {
    if name.len() > MAX_NAME_BYTES {
        let message = format!("a field has a name of more than {MAX_NAME_BYTES} bytes");
        return Err(BodyError::NotForm(message));
    }
    match record.get_mut(name) {
        Some(Value::Array(values)) => values.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
        None => {
            record.insert(name.to_owned(), value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn records(body: &str) -> Result<Vec<Value>, BodyError> {
        read(body.as_bytes()).map(|read| read.records)
    }

    #[test]
    fn a_form_is_one_record_and_repeated_names_are_a_list() {
        let expected = json!({"a": ["1 2", "3", "4"], "b": "\u{e9}", "c": ""});
        assert_eq!(records("a=1+2&b=%C3%A9&a=3&a=4&c="), Ok(vec![expected]));
        assert_eq!(records("&"), Err(BodyError::Empty));
    }

    #[test]
    fn json_in_a_payload_is_what_counts() {
        let expected = vec![json!({"zen": "a&b"})];
        assert_eq!(
            records("payload=%7B%22zen%22%3A%22a%26b%22%7D"),
            Ok(expected)
        );
        assert_eq!(
            records("payload=text"),
            Ok(vec![json!({"payload": "text"})])
        );
        let with_more = vec![json!({"payload": "{}", "token": "x"})];
        assert_eq!(records("payload=%7B%7D&token=x"), Ok(with_more));
        let broken = records("payload=%7B").unwrap_err();
        assert!(matches!(broken, BodyError::NotForm(_)), "{broken:?}");
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let many: Vec<String> = (0..=MAX_FIELDS).map(|n| format!("f{n}=1")).collect();
        let refused = records(&many.join("&"));
        assert_eq!(refused, Err(BodyError::TooManyFields("fields")));
        let long = format!("{}=1", "n".repeat(MAX_NAME_BYTES + 1));
        assert!(matches!(records(&long), Err(BodyError::NotForm(_))));
    }
}
