//! Reading records from what is posted to a webhook: JSON, one JSON value a line (NDJSON), CSV, a
//! form, or a form with files. The content type chooses the reader; where it says nothing, or what
//! often is wrong, the body's first characters do.
//!
//! All readers are functions of bytes: they do no I/O and give up within limits.

mod form;
mod multipart;
mod ndjson;

use bytes::Bytes;
use dash_shared::sources::MAX_RECORDS_PER_RUN;
use serde_json::Value;

use super::csv_source::{CsvError, Delimiter, records_of_csv};
use super::json_source::records_of_json;

pub use self::form::MAX_FIELDS;
pub use self::multipart::MAX_PARTS;

/// The longest name of a field of a form, in bytes.
pub const MAX_NAME_BYTES: usize = 256;
/// What some programs on Windows put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why a body holds no records that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// There is nothing in it.
    #[error("the body is empty; send a JSON object or an array of objects")]
    Empty,
    /// It is not JSON.
    #[error("the body is not JSON: {message}")]
    NotJson {
        /// What the parser found wrong.
        message: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// One of its lines is not JSON.
    #[error("line {line} of the body is not JSON: {message}")]
    NotNdjson {
        /// What the parser found wrong.
        message: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It is JSON, but neither an object nor an array.
    #[error("the body is {0}; send a JSON object or an array of objects")]
    NotRecords(&'static str),
    /// It is CSV that cannot be read.
    #[error("{message}")]
    NotCsv {
        /// What is wrong, as a sentence.
        message: String,
        /// The line, from 1, where it is wrong.
        line: Option<usize>,
    },
    /// It is a form that cannot be read.
    #[error("the form cannot be read: {0}")]
    NotForm(String),
    /// It has more than a form may have.
    #[error("the form has too many {0}; send fewer at once")]
    TooManyFields(&'static str),
    /// It has more records than one run takes.
    #[error("the body has {0} records; send at most {MAX_RECORDS_PER_RUN} at once")]
    TooManyRecords(usize),
    /// Its records are too large together.
    #[error(
        "with the names of their fields, the records of the CSV are too large; send fewer at once"
    )]
    TooLarge,
    /// It has files, and there is nowhere to keep them.
    #[error(
        "the form has files ({0}), and this Dash does not keep files of webhooks; send the fields \
         without them"
    )]
    FilesNotKept(String),
}

/// What a body holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReceivedBody {
    /// The records, each a JSON value.
    pub records: Vec<Value>,
    /// Whether it is a list of records, and not a single one.
    pub is_list: bool,
    /// The files of a form. They belong to its one record, which does not mention them yet.
    pub files: Vec<ReceivedFile>,
}

/// A file of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedFile {
    /// The field that it is in.
    pub field: String,
    /// The name that its sender gave it.
    pub name: String,
    /// What its sender says that it is.
    pub content_type: String,
    /// What it holds.
    pub bytes: Bytes,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyFormat {
    Json,
    Ndjson,
    Form,
    Csv(Delimiter),
    Multipart,
    /// Nothing is said, or nothing that means anything.
    Unknown,
}

impl BodyFormat {
    /// The format that a `Content-Type` header names; its parameters do not matter.
    fn named_by(content_type: &str) -> Self {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let is = |names: &[&str]| {
            names
                .iter()
                .any(|name| media_type.eq_ignore_ascii_case(name))
        };
        if is(&["application/json"]) {
            Self::Json
        } else if is(&["application/x-www-form-urlencoded"]) {
            Self::Form
        } else if is(&["multipart/form-data"]) {
            Self::Multipart
        } else if is(&[
            "application/x-ndjson",
            "application/ndjson",
            "application/jsonl",
            "application/x-jsonlines",
            "application/jsonlines",
            "application/json-lines",
            "application/json-seq",
        ]) {
            Self::Ndjson
        } else if is(&["text/csv", "application/csv", "text/x-csv"]) {
            Self::Csv(Delimiter::OfHeader)
        } else if is(&["text/tab-separated-values", "text/tsv"]) {
            Self::Csv(Delimiter::Tab)
        } else if is(&["", "text/plain", "application/octet-stream"]) {
            Self::Unknown
        } else {
            // Whoever names a type that is not known here means some kind of JSON.
            Self::Json
        }
    }
}

/// Reads a body that was sent with this content type.
pub fn read_body(content_type: Option<&str>, body: &Bytes) -> Result<ReceivedBody, BodyError> {
    let content_type = content_type.unwrap_or_default();
    let bytes = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let start = bytes.trim_ascii_start();
    let Some(first) = start.first() else {
        return Err(BodyError::Empty);
    };
    let begins_like_json = matches!(first, b'{' | b'[');
    match BodyFormat::named_by(content_type) {
        BodyFormat::Ndjson => Ok(list(ndjson::records(bytes)?)),
        BodyFormat::Csv(delimiter) => Ok(list(csv(bytes, delimiter)?)),
        BodyFormat::Multipart => multipart::read(content_type, body),
        // `curl -d` calls everything a form.
        BodyFormat::Form if !begins_like_json => form::read(bytes),
        BodyFormat::Unknown if !begins_like_json => match records_of_json(bytes) {
            Err(not_json @ BodyError::NotJson { .. }) if looks_like_csv(start) => {
                csv(bytes, Delimiter::OfHeader).map_or(Err(not_json), |records| Ok(list(records)))
            }
            read => read,
        },
        BodyFormat::Form | BodyFormat::Unknown | BodyFormat::Json => json(bytes),
    }
}

fn list(records: Vec<Value>) -> ReceivedBody {
    ReceivedBody {
        records,
        is_list: true,
        files: Vec::new(),
    }
}

/// JSON, or NDJSON that is called JSON.
fn json(body: &[u8]) -> Result<ReceivedBody, BodyError> {
    match records_of_json(body) {
        Err(BodyError::NotJson { .. }) if ndjson::begins_with_a_whole_line(body) => {
            Ok(list(ndjson::records(body)?))
        }
        read => read,
    }
}

/// Whether a text has a line that could name columns, and lines after it.
fn looks_like_csv(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == b'\n');
    let header = lines.next().unwrap_or_default();
    let has_cells = header.iter().any(|byte| b",;\t|".contains(byte));
    has_cells && lines.any(|line| !line.trim_ascii().is_empty())
}

fn csv(body: &[u8], delimiter: Delimiter) -> Result<Vec<Value>, BodyError> {
    records_of_csv(body, delimiter).map_err(|error| match error {
        CsvError::NoHeader => BodyError::Empty,
        CsvError::TooManyRecords(count) => BodyError::TooManyRecords(count),
        CsvError::TooLarge => BodyError::TooLarge,
        error => BodyError::NotCsv {
            line: error.line(),
            message: error.to_string(),
        },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(content_type: &str, body: &str, expected: Value) {
        let read = read_body(Some(content_type), &Bytes::from(body.to_owned()));
        let records = read.map(|read| Value::Array(read.records));
        assert_eq!(records, Ok(expected), "{content_type}: {body}");
    }

    fn refused(content_type: &str, body: &str) -> BodyError {
        read_body(Some(content_type), &Bytes::from(body.to_owned())).unwrap_err()
    }

    #[test]
    fn the_content_type_chooses_the_reader() {
        check("application/json", "{\"a\":1}", json!([{"a": 1}]));
        check("application/vnd.api+json", "[1]", json!([1]));
        check(
            "Application/X-NDJSON; charset=utf-8",
            "{}\n{}\n",
            json!([{}, {}]),
        );
        check("text/csv", "a,b\n1,x", json!([{"a": 1, "b": "x"}]));
        check(
            "text/tab-separated-values",
            "a\tb,c\n1\tx",
            json!([{"a": 1, "b,c": "x"}]),
        );
        check(
            "application/x-www-form-urlencoded",
            "a=1",
            json!([{"a": "1"}]),
        );
    }

    #[test]
    fn what_the_content_type_does_not_say_the_body_does() {
        let form = "application/x-www-form-urlencoded";
        check(form, " {\"a\":1}", json!([{"a": 1}]));
        check("", "{\"a\":1}", json!([{"a": 1}]));
        check(
            "text/plain",
            "{\"a\":1}\n{\"a\":2}\n",
            json!([{"a": 1}, {"a": 2}]),
        );
        check(
            "application/json",
            "{\"a\":1}\n{\"a\":2}",
            json!([{"a": 1}, {"a": 2}]),
        );
        check("text/plain", "a,b\n1,2", json!([{"a": 1, "b": 2}]));
        check("", "a;b\n1;2", json!([{"a": 1, "b": 2}]));
        check("application/json", "\u{feff}{\"a\":1}", json!([{"a": 1}]));
        assert!(matches!(
            refused("text/plain", "hello, you"),
            BodyError::NotJson { .. }
        ));
        assert!(matches!(
            refused("application/json", "a,b\n1,2"),
            BodyError::NotJson { .. }
        ));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let ndjson = refused("application/json", "{}\n{}\n{\"a\":}\n");
        let BodyError::NotNdjson { line, column, .. } = ndjson else {
            panic!("{ndjson:?}")
        };
        assert_eq!((line, column), (3, 6));
        let csv = refused("text/csv", "a,b\n1,2\n1,2,3");
        assert!(
            matches!(csv, BodyError::NotCsv { line: Some(3), .. }),
            "{csv:?}"
        );
        assert_eq!(refused("text/csv", " \n"), BodyError::Empty);
        assert_eq!(refused("multipart/form-data", ""), BodyError::Empty);
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_reader_panic(
            kind in prop::sample::select(vec![
                "", "application/json", "application/x-ndjson", "text/csv",
                "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
            ]),
            body in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let _ = read_body(Some(kind), &Bytes::from(body));
        }
    }
}
