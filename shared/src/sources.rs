//! Where a pipeline's data comes from: the definitions of sources and the rules for them. Secrets
//! are not part of a definition: header values are kept apart, encrypted.

pub mod webhook;

use serde::{Deserialize, Serialize};

use crate::plans::Plan;
use crate::{Invalid, InvalidCode};

pub use webhook::Webhook;

/// The largest webhook body and the largest polled response, in bytes.
pub const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// The most records one webhook body or one polled response may hold.
pub const MAX_RECORDS_PER_RUN: usize = 10_000;
/// The largest single record, as JSON, in bytes.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;
/// The largest file that is taken in, in bytes.
pub const MAX_UPLOAD_BYTES: u64 = 100 * 1024 * 1024;
/// The longest address, in bytes.
pub const MAX_URL_BYTES: usize = 2_048;
/// The most request headers of a polling source.
pub const MAX_HEADERS: usize = 20;
/// The longest header value, in bytes.
pub const MAX_HEADER_VALUE_BYTES: usize = 4_096;
/// The longest time between two polls.
pub const MAX_INTERVAL_SECONDS: u32 = 7 * 86_400;
/// The longest JSONPath, in bytes.
pub const MAX_RECORDS_PATH_BYTES: usize = 512;

/// A pipeline's source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// A secret URL that others post to.
    Webhook(Webhook),
    /// An address that is asked at an interval.
    HttpPolling(HttpPolling),
    /// Believable orders of a web shop that does not exist.
    Demo {
        /// What the invented data follows from.
        seed: u32,
    },
    /// Files that people hand over.
    FileUpload(FileUpload),
}

/// What is to be known of the files of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileUpload {
    /// A JSONPath (RFC 9535) from a record to the value that names it, so that it is stored once,
    /// whatever files it comes with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_path: Option<String>,
}

/// What is polled, how often, and where the records are in the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpPolling {
    /// An `http` or `https` address.
    pub url: String,
    /// The time from one poll to the next.
    pub interval_seconds: u32,
    /// The names of the request headers; the values are secrets and kept apart.
    #[serde(default)]
    pub header_names: Vec<String>,
    /// A JSONPath (RFC 9535) to the records: to an array of them, or to each.
    pub records_path: String,
}

/// Headers that are set by the client itself or change how a connection is used.
const RESERVED_HEADERS: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl HttpPolling {
    /// Checks what a person entered. The JSONPath's own syntax is checked by the server.
    pub fn check(&self, plan: Plan) -> Vec<Invalid> {
        let mut problems = Vec::new();
        problems.extend(check_url(&self.url).err());
        if self.interval_seconds > MAX_INTERVAL_SECONDS {
            problems.push(Invalid::new(
                "intervalSeconds",
                InvalidCode::Invalid,
                "The interval is at most 7 days.",
            ));
        }
        problems.extend(plan.check_polling_interval(self.interval_seconds).err());
        if self.records_path.len() > MAX_RECORDS_PATH_BYTES {
            problems.push(Invalid::new(
                "recordsPath",
                InvalidCode::TooLong,
                format!("A path has at most {MAX_RECORDS_PATH_BYTES} bytes."),
            ));
        }
        problems.extend(self.check_headers());
        problems
    }

    fn check_headers(&self) -> Vec<Invalid> {
        let mut problems = Vec::new();
        if self.header_names.len() > MAX_HEADERS {
            problems.push(Invalid::new(
                "headers",
                InvalidCode::TooLong,
                format!("A source has at most {MAX_HEADERS} headers."),
            ));
        }
        let mut seen = std::collections::BTreeSet::new();
        for (index, name) in self.header_names.iter().enumerate() {
            let at = format!("headers.{index}.name");
            let lower = name.to_ascii_lowercase();
            let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            if name.is_empty() || name.len() > 100 || !name.chars().all(token) {
                problems.push(Invalid::new(
                    &at,
                    InvalidCode::Invalid,
                    "A header name has letters, digits and dashes, like X-Api-Key.",
                ));
            } else if RESERVED_HEADERS.contains(&lower.as_str()) {
                problems.push(Invalid::new(
                    &at,
                    InvalidCode::Invalid,
                    format!("Dash sets the header “{name}” itself. Leave it out."),
                ));
            } else if !seen.insert(lower) {
                problems.push(Invalid::new(
                    &at,
                    InvalidCode::Invalid,
                    format!("The header “{name}” is there twice."),
                ));
            }
        }
        problems
    }
}

/// Checks that an address can be asked at all. Whether it may be is decided when it is asked.
pub fn check_url(url: &str) -> Result<(), Invalid> {
    let invalid = |message: &str| Err(Invalid::new("url", InvalidCode::Invalid, message));
    if url.is_empty() {
        return Err(Invalid::new(
            "url",
            InvalidCode::Required,
            "Enter an address to ask.",
        ));
    }
    if url.len() > MAX_URL_BYTES {
        return invalid("An address has at most 2,048 bytes.");
    }
    let Some(rest) = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
    else {
        return invalid("An address starts with https:// or http://.");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return invalid("Put the user name and password into a header, not into the address.");
    }
    if host.is_empty() || host.starts_with(':') || url.contains(char::is_whitespace) {
        return invalid("This is not a complete address, like https://api.example.com/orders.");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polling(url: &str, interval_seconds: u32, headers: &[&str]) -> HttpPolling {
        HttpPolling {
            url: url.to_owned(),
            interval_seconds,
            header_names: headers.iter().map(|name| (*name).to_owned()).collect(),
            records_path: "$".to_owned(),
        }
    }

    #[test]
    fn addresses_are_checked() {
        let check = |url: &str, ok: bool| assert_eq!(check_url(url).is_ok(), ok, "{url}");
        check("https://api.example.com/orders?since=1", true);
        check("http://127.0.0.1:8080", true);
        check("ftp://example.com", false);
        check("https://", false);
        check("https://user:pass@example.com", false);
        check("https://exa mple.com", false);
        check("", false);
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let source = polling("x", 1, &["X-Api-Key", "x-api-key", "Host", "bad name"]);
        let fields: Vec<_> = source
            .check(Plan::Pro)
            .into_iter()
            .map(|problem| problem.field.join("."))
            .collect();
        assert_eq!(
            fields,
            [
                "url",
                "intervalSeconds",
                "headers.1.name",
                "headers.2.name",
                "headers.3.name"
            ]
        );
        assert!(
            polling("https://a.test", 60, &["X-Api-Key"])
                .check(Plan::Pro)
                .is_empty()
        );
    }
}
