//! One JSON value a line.

use dash_shared::sources::MAX_RECORDS_PER_RUN;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::BodyError;

/// Every line that is not blank is a record.
pub(super) fn records(body: &[u8]) -> Result<Vec<Value>, BodyError> {
    let lines = || {
        let lines = body.split(|byte| *byte == b'\n');
        (1..)
            .zip(lines.map(<[u8]>::trim_ascii))
            .filter(|(_, line)| !line.is_empty())
    };
    // Counted before any is read: a body of too many lines costs no parsing.
    match lines().count() {
        0 => return Err(BodyError::Empty),
        count if count > MAX_RECORDS_PER_RUN => return Err(BodyError::TooManyRecords(count)),
        _ => {}
    }
    let read = |(line, text)| {
        serde_json::from_slice(text).map_err(|error| BodyError::NotNdjson {
            message: without_place(&error),
            line,
            column: error.column(),
        })
    };
    lines().map(read).collect()
}

/// Whether the first line is a JSON object, and something comes after it.
pub(super) fn begins_with_a_whole_line(body: &[u8]) -> bool {
    let body = body.trim_ascii_start();
    let Some(end) = body.iter().position(|byte| *byte == b'\n') else {
        return false;
    };
    let (first, rest) = body.split_at(end);
    first.first() == Some(&b'{')
        && !rest.trim_ascii().is_empty()
        && serde_json::from_slice::<IgnoredAny>(first).is_ok()
}

/// What is wrong; the place that the parser tells is one within the line.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = text.rfind(" at line ").unwrap_or(text.len());
    text.get(..place).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_are_records_and_a_bad_one_is_named() {
        let read = |body: &str| records(body.as_bytes());
        let two = vec![json!({"a": 1}), json!({"a": 2})];
        assert_eq!(read("{\"a\":1}\r\n\n{\"a\":2}"), Ok(two));
        assert_eq!(read("\n \n"), Err(BodyError::Empty));
        let expected = BodyError::NotNdjson {
            message: "EOF while parsing an object".to_owned(),
            line: 3,
            column: 1,
        };
        assert_eq!(read("{}\n\n{"), Err(expected));
        let many = "1\n".repeat(MAX_RECORDS_PER_RUN + 1);
        let expected = BodyError::TooManyRecords(MAX_RECORDS_PER_RUN + 1);
        assert_eq!(read(&many), Err(expected));
    }

    #[test]
    fn a_first_line_that_is_whole_tells_that_lines_are_records() {
        let check = |body: &str, whole| {
            assert_eq!(begins_with_a_whole_line(body.as_bytes()), whole, "{body}");
        };
        check("{}\n{}", true);
        check("\n{\"a\": 1}\nx", true);
        check("{}\n", false);
        check("{\n\"a\": }", false);
        check("[]\n[]", false);
        check("{} x\n", false);
    }
}
