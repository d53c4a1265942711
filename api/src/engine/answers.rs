//! Reading the answer of a polled address: whether it is one, whether it is JSON, NDJSON or CSV, and what
//! is wrong with it in words. Where in it the records are is not known here.

use dash_shared::sources::MAX_RECORDS_PER_RUN;
use dash_shared::sources::polling::AnswerFormat;
use serde_json::Value;

use super::csv_source::{CsvError, Delimiter, records_of_csv};
use super::polling::{FetchError, FetchErrorCode, Outlook};
use crate::outbound::{Answer, StatusCode};

/// How a text was written that is now a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// As JSON.
    Json,
    /// As a JSON value on each line; the value is the list of them.
    Ndjson,
    /// As CSV; the value is the list of its records.
    Csv,
}

/// An answer that was read.
#[derive(Debug)]
pub(super) struct Content {
    /// How it was written.
    pub format: Format,
    /// What it holds.
    pub value: Value,
}

/// Reads an answer that is written in this format. Without one, its content type decides; if that
/// says nothing, it is JSON, or what the name says that its address ends with.
pub(super) fn read(answer: &Answer, format: AnswerFormat) -> Result<Content, FetchError> {
    if !answer.status.is_success() {
        return Err(bad_status(answer.status));
    }
    if answer.body.iter().all(u8::is_ascii_whitespace) {
        return Err(FetchError::new(
            FetchErrorCode::NotJson,
            "The server answered with an empty body. Dash reads JSON, NDJSON and CSV.",
        ));
    }
    let content_type = answer.content_type();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    match format {
        AnswerFormat::Auto => by_type(answer, media_type),
        AnswerFormat::Json => json(answer),
        AnswerFormat::Ndjson => ndjson(answer),
        AnswerFormat::Csv => match (media_type, named(answer)) {
            ("text/tab-separated-values", _) | (_, Some(Named::Csv(Delimiter::Tab))) => {
                csv(answer, Delimiter::Tab)
            }
            _ => csv(answer, Delimiter::OfHeader),
        },
    }
}

fn by_type(answer: &Answer, media_type: &str) -> Result<Content, FetchError> {
    match media_type {
        "text/csv" | "application/csv" => csv(answer, Delimiter::OfHeader),
        "text/tab-separated-values" => csv(answer, Delimiter::Tab),
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonlines"
        | "application/json-lines"
        | "application/jsonlines" => ndjson(answer),
        "" | "text/plain" | "application/octet-stream" => {
            json(answer).or_else(|not_json| match named(answer) {
                Some(Named::Csv(delimiter)) => csv(answer, delimiter),
                Some(Named::Ndjson) => ndjson(answer),
                None => Err(not_json),
            })
        }
        _ => json(answer),
    }
}

/// What the end of an address says.
enum Named {
    Csv(Delimiter),
    Ndjson,
}

/// What the address says that was asked, or the one that it led to.
fn named(answer: &Answer) -> Option<Named> {
    [&answer.asked, &answer.url].into_iter().find_map(|url| {
        let (_, extension) = url.path().rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "csv" => Some(Named::Csv(Delimiter::OfHeader)),
            "tsv" => Some(Named::Csv(Delimiter::Tab)),
            "ndjson" | "jsonl" => Some(Named::Ndjson),
            _ => None,
        }
    })
}

fn json(answer: &Answer) -> Result<Content, FetchError> {
    let value = serde_json::from_slice(&answer.body).map_err(|error| {
        let start = answer.body.trim_ascii_start();
        if answer.content_type().contains("html") || start.starts_with(b"<") {
            web_page()
        } else {
            FetchError::new(
                FetchErrorCode::NotJson,
                format!("The answer is not JSON: {error}."),
            )
        }
    })?;
    Ok(Content {
        format: Format::Json,
        value,
    })
}

/// A value on each line; empty lines are skipped.
fn ndjson(answer: &Answer) -> Result<Content, FetchError> {
    let body = &*answer.body;
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut values = Vec::new();
    for (number, line) in (1..).zip(body.split(|byte| *byte == b'\n')) {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if values.len() == MAX_RECORDS_PER_RUN {
            return Err(FetchError::new(
                FetchErrorCode::TooLarge,
                format!(
                    "The answer has more than {MAX_RECORDS_PER_RUN} lines; a run takes at most that \
                     many. Ask for fewer, for example with a limit in the address."
                ),
            ));
        }
        values.push(serde_json::from_slice(line).map_err(|error| {
            if begins_like_a_web_page(body) {
                return web_page();
            }
            // Where in the line it is, not in which: it is the only one that was read.
            let message = format!(
                "Line {number} of the answer is not JSON: column {} cannot be read.",
                error.column()
            );
            FetchError::new(FetchErrorCode::NotJson, message)
        })?);
    }
    Ok(Content {
        format: Format::Ndjson,
        value: Value::Array(values),
    })
}

fn csv(answer: &Answer, delimiter: Delimiter) -> Result<Content, FetchError> {
    if begins_like_a_web_page(&answer.body) {
        return Err(web_page());
    }
    let records = records_of_csv(&answer.body, delimiter)?;
    Ok(Content {
        format: Format::Csv,
        value: Value::Array(records),
    })
}

/// Some who write CSV put the names of its fields in angle brackets: `<DATE>,<CLOSE>`.
fn begins_like_a_web_page(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let start = body.trim_ascii_start();
    let starts: [&[u8]; 5] = [b"<!", b"<?xml", b"<html", b"<head", b"<body"];
    starts.into_iter().any(|tag| {
        start
            .get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag))
    })
}

fn web_page() -> FetchError {
    FetchError::new(
        FetchErrorCode::NotJson,
        "The server answered with a web page (HTML), not with JSON or CSV. Is this the address of \
         the API, and does it need a token?",
    )
}

/// A status that is no success.
pub(super) fn bad_status(status: StatusCode) -> FetchError {
    let hint = match status.as_u16() {
        401 | 403 => " Check the token, key or password.",
        404 | 410 => " Check the address.",
        429 => " It asks for fewer requests: choose a longer interval.",
        300..=399 => " It points to another address that Dash does not follow.",
        500..=599 => " The problem is on its side; Dash tries again.",
        _ => "",
    };
    let message = format!("The server answered with status {status}.{hint}");
    let error = FetchError::new(FetchErrorCode::BadStatus, message);
    match status.as_u16() {
        401 | 403 | 404 | 410 => error.with(Outlook::Hopeless),
        _ => error,
    }
}

impl From<CsvError> for FetchError {
    fn from(error: CsvError) -> Self {
        let code = match error {
            CsvError::TooManyColumns(_) | CsvError::TooManyRecords(_) | CsvError::TooLarge => {
                FetchErrorCode::TooLarge
            }
            CsvError::NoHeader
            | CsvError::NotUtf8 { .. }
            | CsvError::Ragged { .. }
            | CsvError::OpenQuote { .. }
            | CsvError::Unreadable(_) => FetchErrorCode::InvalidCsv,
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::CONTENT_TYPE;
    use serde_json::json;
    use url::Url;

    fn read_text(content_type: &str, path: &str, body: &str) -> Result<Content, FetchError> {
        let answer = Answer {
            status: StatusCode::OK,
            headers: [(CONTENT_TYPE, content_type.parse().unwrap())]
                .into_iter()
                .collect(),
            asked: Url::parse("https://example.com/download?file=a.csv").unwrap(),
            url: Url::parse(&format!("https://example.com/{path}")).unwrap(),
            body: body.to_owned().into(),
            is_cut: false,
            duration_ms: 1,
        };
        read(&answer, AnswerFormat::Auto)
    }

    #[test]
    fn the_content_type_decides_and_else_the_name() {
        let check = |content_type: &str, path: &str, body: &str, expected: Value| {
            let found = read_text(content_type, path, body).map(|answer| answer.value);
            assert_eq!(found, Ok(expected), "{content_type} {path} {body}");
        };
        let record = || json!([{"a": 1, "b": "x"}]);
        let csv_types = ["text/csv", "application/csv", "text/csv; charset=latin-1"];
        for csv in csv_types {
            check(csv, "any", "a,b\n1,x", record());
            check(csv, "any", "a;b\n1;x", record());
        }
        let tab_separated = "text/tab-separated-values";
        check(tab_separated, "any", "a\tb\n1\tx", record());
        check("text/csv", "a.tsv", "a,b\n1,x", record());
        for unsaid in ["", "text/plain; charset=utf-8", "application/octet-stream"] {
            check(unsaid, "a.csv", "a,b\n1,x", record());
            check(unsaid, "A.CSV?v=1", "a,b\n1,x", record());
            check(unsaid, "a.tsv", "a\tb\n1\tx", record());
            check(unsaid, "a.csv", "{\"a\": 1}", json!({"a": 1}));
            check(unsaid, "a.json", "[1]", json!([1]));
        }
        check("application/json", "a.csv", "[1]", json!([1]));
        let lines = "{\"a\": 1}\n\n[2]\r\n3\n";
        check(
            "application/x-ndjson",
            "any",
            lines,
            json!([{"a": 1}, [2], 3]),
        );
        check("text/plain", "a.jsonl", lines, json!([{"a": 1}, [2], 3]));
        check("text/plain", "a.ndjson", "{\"a\": 1}", json!({"a": 1}));
        check("text/csv", "any", "<DATE>\n1", json!([{"<DATE>": 1}]));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        use FetchErrorCode::{InvalidCsv, NotJson, TooLarge};
        let check = |content_type: &str, path: &str, body: &str, code, message: &str| {
            let error = read_text(content_type, path, body).map(drop).unwrap_err();
            assert_eq!(error.code, code, "{content_type} {path} {body}");
            assert!(error.message.contains(message), "{}", error.message);
        };
        let page = "<!DOCTYPE html><title>Log in</title>";
        for (content_type, path) in [
            ("text/html", "a.csv"),
            ("text/csv", "a.csv"),
            ("text/plain", "a.csv"),
            ("text/plain", "a"),
            ("application/json", "a"),
        ] {
            check(content_type, path, page, NotJson, "a web page (HTML)");
        }
        check("text/csv", "a", " \n<HTML lang=\"en\">", NotJson, "(HTML)");
        check("text/csv", "a", " \r\n", NotJson, "an empty body");
        check("text/csv", "a", "a,b\n1", InvalidCsv, "Line 2");
        check("text/plain", "a.csv", "a,b\n1", InvalidCsv, "Line 2");
        check("text/plain", "a", "a,b\n1,2", NotJson, "is not JSON");
        check(
            "application/json",
            "a.csv",
            "a,b\n1,2",
            NotJson,
            "is not JSON",
        );
        let message = "Line 2 of the answer is not JSON: column 2";
        check("application/jsonl", "a", "1\n{]", NotJson, message);
        let lines = "1\n".repeat(MAX_RECORDS_PER_RUN + 1);
        check("application/jsonl", "a", &lines, TooLarge, "10000 lines");
        let columns = ",".repeat(500);
        check("text/csv", "a", &columns, TooLarge, "501 columns");
    }
}
