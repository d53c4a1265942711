//! Reading records from a JSON body: an object is one record, an array is its items.

use dash_shared::sources::MAX_RECORDS_PER_RUN;
use serde_json::Value;

use super::bodies::{BodyError, ReceivedBody};

/// The records of a body.
pub(super) fn records_of_json(body: &[u8]) -> Result<ReceivedBody, BodyError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(BodyError::Empty);
    }
    let value: Value = serde_json::from_slice(body).map_err(|error| BodyError::NotJson {
        message: error.to_string(),
        line: error.line(),
        column: error.column(),
    })?;
    let read = |records, is_list| ReceivedBody {
        records,
        is_list,
        files: Vec::new(),
    };
    match value {
        Value::Array(items) if items.len() > MAX_RECORDS_PER_RUN => {
            Err(BodyError::TooManyRecords(items.len()))
        }
        Value::Array(items) => Ok(read(items, true)),
        Value::Object(_) => Ok(read(vec![value], false)),
        Value::Null => Err(BodyError::NotRecords("null")),
        Value::Bool(_) => Err(BodyError::NotRecords("true or false")),
        Value::Number(_) => Err(BodyError::NotRecords("a number")),
        Value::String(_) => Err(BodyError::NotRecords("text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_or_say_what_is_wrong() {
        let check = |body: &str, expected: Result<usize, BodyError>| {
            let found = records_of_json(body.as_bytes()).map(|read| read.records.len());
            assert_eq!(found, expected, "{body}");
        };
        check("{}", Ok(1));
        check("[{}, 1]", Ok(2));
        check("[]", Ok(0));
        check(" \n", Err(BodyError::Empty));
        check("3", Err(BodyError::NotRecords("a number")));
        check("null", Err(BodyError::NotRecords("null")));
        let Err(BodyError::NotJson { line, column, .. }) = records_of_json(b"{\n\"a\": }") else {
            panic!("should not be JSON")
        };
        assert_eq!((line, column), (2, 6));
        assert!(matches!(
            records_of_json(b"{} x"),
            Err(BodyError::NotJson { .. })
        ));
        assert!(matches!(
            records_of_json(&[0xff]),
            Err(BodyError::NotJson { .. })
        ));
        let deep = "[".repeat(100_000);
        assert!(matches!(
            records_of_json(deep.as_bytes()),
            Err(BodyError::NotJson { .. })
        ));
        let many = format!("[{}1]", "1,".repeat(MAX_RECORDS_PER_RUN));
        check(
            &many,
            Err(BodyError::TooManyRecords(MAX_RECORDS_PER_RUN + 1)),
        );
    }
}
