//! The request headers of a polling source: names in the definition, values sealed.

use dash_shared::ids::PipelineId;
use dash_shared::sources::{MAX_HEADER_VALUE_BYTES, Source};
use dash_shared::{Invalid, InvalidCode};
use url::Url;

use super::PipelinesError;
use crate::secrets::SecretBox;

/// A header as somebody enters it. Without a value, the stored one of the same name is kept.
#[derive(Clone, Debug)]
pub struct NewHeader {
    /// Its name.
    pub name: String,
    /// Its value, a secret.
    pub value: Option<String>,
}

/// The names of headers, with their secret values.
pub(super) type Headers = Vec<(String, String)>;

/// Opens the stored headers of a pipeline.
pub(super) fn open(
    secrets: &SecretBox,
    id: PipelineId,
    sealed: Option<&[u8]>,
) -> Result<Headers, PipelinesError> {
    let Some(sealed) = sealed else {
        return Ok(Vec::new());
    };
    let damaged = |error: &dyn std::fmt::Display| PipelinesError::Damaged(error.to_string());
    let json = secrets
        .open(&id.to_string(), sealed)
        .map_err(|error| damaged(&error))?;
    serde_json::from_slice(&json).map_err(|error| damaged(&error))
}

/// Seals the headers of a pipeline; nothing when there are none.
pub(super) fn seal(
    secrets: &SecretBox,
    id: PipelineId,
    headers: &[(String, String)],
) -> Result<Option<Vec<u8>>, PipelinesError> {
    if headers.is_empty() {
        return Ok(None);
    }
    let damaged = |error: &dyn std::fmt::Display| PipelinesError::Damaged(error.to_string());
    let json = serde_json::to_vec(headers).map_err(|error| damaged(&error))?;
    secrets
        .seal(&id.to_string(), &json)
        .map(Some)
        .map_err(|error| damaged(&error))
}

/// The stored headers that may be sent to the address `url`: all of them if it is of the origin that
/// they were entered for, else none. Who may change an address is not thereby told the secrets.
pub(super) fn known_at(stored: Headers, entered_for: &Source, url: &str) -> Headers {
    let origin = |url: &str| Url::parse(url.trim()).ok().map(|url| url.origin());
    match entered_for {
        Source::HttpPolling(polling) if origin(&polling.url) == origin(url) => stored,
        _ => Vec::new(),
    }
}

/// Fills in the stored values of headers that were entered without one.
pub(super) fn complete(
    entered: Vec<NewHeader>,
    stored: &[(String, String)],
) -> Result<Headers, Vec<Invalid>> {
    let mut problems = Vec::new();
    let mut complete = Vec::new();
    for (index, header) in entered.into_iter().enumerate() {
        let at = format!("headers.{index}.value");
        let kept = || {
            let same = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(&header.name);
            stored.iter().find(same).map(|(_, value)| value.clone())
        };
        match header.value.clone().or_else(kept) {
            None => problems.push(Invalid::new(
                &at,
                InvalidCode::Required,
                format!(
                    "Enter the value of the header “{}”. A stored value is only sent to the \
                     host that it was entered for.",
                    header.name
                ),
            )),
            Some(value) if value.len() > MAX_HEADER_VALUE_BYTES => problems.push(Invalid::new(
                &at,
                InvalidCode::TooLong,
                format!("A header value has at most {MAX_HEADER_VALUE_BYTES} bytes."),
            )),
            Some(value) if value.chars().any(char::is_control) => problems.push(Invalid::new(
                &at,
                InvalidCode::Invalid,
                "A header value is one line, without control characters.",
            )),
            Some(value) => complete.push((header.name, value)),
        }
    }
    if problems.is_empty() {
        Ok(complete)
    } else {
        Err(problems)
    }
}
