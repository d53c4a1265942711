//! Reading the answer of a polled address: whether it is one, whether it is JSON or CSV, and what
//! is wrong with it in words. Where in it the records are is not known here.

use serde_json::Value;

use super::csv_source::{CsvError, Delimiter, records_of_csv};
use super::polling::{FetchError, FetchErrorCode};
use crate::outbound::{Answer as Fetched, StatusCode};

/// How a text was written that is now a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// As JSON.
    Json,
    /// As CSV; the value is the list of its records.
    Csv,
}

/// An answer that was read.
#[derive(Debug)]
pub(super) struct Answer {
    /// How it was written.
    pub format: Format,
    /// What it holds.
    pub value: Value,
}

/// Reads an answer. It is CSV if its content type says so, or if that says nothing, it is no JSON
/// and its address ends like the name of a CSV file; else it is JSON.
pub(super) fn read(fetched: &Fetched) -> Result<Answer, FetchError> {
    if !fetched.status.is_success() {
        return Err(FetchError::new(
            FetchErrorCode::BadStatus,
            status_message(fetched.status),
        ));
    }
    if fetched.body.iter().all(u8::is_ascii_whitespace) {
        return Err(FetchError::new(
            FetchErrorCode::NotJson,
            "The server answered with an empty body. Dash reads JSON and CSV.",
        ));
    }
    let content_type = fetched.content_type();
    let media_type = content_type.split(';').next().unwrap_or_default();
    match media_type.trim() {
        "text/csv" | "application/csv" => csv(fetched, Delimiter::OfHeader),
        "text/tab-separated-values" => csv(fetched, Delimiter::Tab),
        "" | "text/plain" | "application/octet-stream" => {
            json(fetched).or_else(|not_json| match delimiter_by_name(fetched) {
                Some(delimiter) => csv(fetched, delimiter),
                None => Err(not_json),
            })
        }
        _ => json(fetched),
    }
}

/// What the address says that was asked, or the one that it led to.
fn delimiter_by_name(fetched: &Fetched) -> Option<Delimiter> {
    [&fetched.asked, &fetched.url].into_iter().find_map(|url| {
        let (_, extension) = url.path().rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "csv" => Some(Delimiter::OfHeader),
            "tsv" => Some(Delimiter::Tab),
            _ => None,
        }
    })
}

fn json(fetched: &Fetched) -> Result<Answer, FetchError> {
    let value = serde_json::from_slice(&fetched.body).map_err(|error| {
        let start = fetched.body.trim_ascii_start();
        if fetched.content_type().contains("html") || start.starts_with(b"<") {
            web_page()
        } else {
            FetchError::new(
                FetchErrorCode::NotJson,
                format!("The answer is not JSON: {error}."),
            )
        }
    })?;
    Ok(Answer {
        format: Format::Json,
        value,
    })
}

fn csv(fetched: &Fetched, delimiter: Delimiter) -> Result<Answer, FetchError> {
    if begins_like_a_web_page(&fetched.body) {
        return Err(web_page());
    }
    let records = records_of_csv(&fetched.body, delimiter)?;
    Ok(Answer {
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

fn status_message(status: StatusCode) -> String {
    let hint = match status.as_u16() {
        401 | 403 => " Check the token in the headers.",
        404 => " Check the address.",
        429 => " It asks for fewer requests: choose a longer interval.",
        300..=399 => " It points to another address that Dash does not follow.",
        500..=599 => " The problem is on its side; Dash tries again.",
        _ => "",
    };
    format!("The server answered with status {status}.{hint}")
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

    fn read_text(content_type: &str, path: &str, body: &str) -> Result<Answer, FetchError> {
        read(&Fetched {
            status: StatusCode::OK,
            headers: [(CONTENT_TYPE, content_type.parse().unwrap())]
                .into_iter()
                .collect(),
            asked: Url::parse("https://example.com/download?file=a.csv").unwrap(),
            url: Url::parse(&format!("https://example.com/{path}")).unwrap(),
            body: body.to_owned().into(),
            is_cut: false,
            duration_ms: 1,
        })
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
        let columns = ",".repeat(500);
        check("text/csv", "a", &columns, TooLarge, "501 columns");
    }
}
