//! What is sent: the address with its placeholders filled, the body, and what was known before.

use dash_shared::sources::polling::{HttpPolling, placeholders};
use reqwest::header::{ETAG, LAST_MODIFIED};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use xxhash_rust::xxh3::xxh3_128;

use super::{FetchError, FetchErrorCode};
use crate::data::Mark;
use crate::outbound::Answer;

/// The longest validator that is kept, in bytes.
const MAX_VALIDATOR_BYTES: usize = 1_024;

/// A request for one page.
#[derive(Clone, Debug)]
pub(super) struct Ask<'a> {
    /// The address.
    pub url: Url,
    /// The address of the first page: secrets go to its origin alone.
    pub base: &'a Url,
    /// The content type and the body of a POST.
    pub body: Option<(String, String)>,
    /// What is known of the answer.
    pub known: Option<Validators>,
}

/// The address of the first page, without what the pages add.
pub(super) fn first_url(polling: &HttpPolling, cursor: Option<&str>) -> Result<Url, FetchError> {
    let encoded = percent_encoded(cursor.unwrap_or_default());
    let in_url = |name: &str| (name == placeholders::CURSOR).then(|| encoded.clone());
    let mut url = Url::parse(&placeholders::fill(&polling.url, in_url)).map_err(|error| {
        FetchError::new(
            FetchErrorCode::Unreachable,
            format!("The address is wrong: {error}."),
        )
    })?;
    let given = cursor.unwrap_or_default();
    let in_query = |name: &str| (name == placeholders::CURSOR).then(|| given.to_owned());
    for parameter in &polling.query {
        let value = placeholders::fill(&parameter.value, in_query);
        // At the very beginning there is nothing to go on from.
        let is_left_out = cursor.is_none()
            && value.is_empty()
            && placeholders::has(&parameter.value, placeholders::CURSOR);
        if !is_left_out {
            url.query_pairs_mut().append_pair(&parameter.name, &value);
        }
    }
    Ok(url)
}

/// The body of a POST: in JSON, the cursor is part of a text.
pub(super) fn body(polling: &HttpPolling, cursor: Option<&str>) -> Option<(String, String)> {
    let body = polling.body.as_ref()?;
    let cursor = cursor.unwrap_or_default();
    let is_json = body.content_type.contains("json");
    let given = if is_json {
        let quoted = Value::String(cursor.to_owned()).to_string();
        quoted.trim_matches('"').to_owned()
    } else {
        cursor.to_owned()
    };
    let text = placeholders::fill(&body.text, |name| {
        (name == placeholders::CURSOR).then(|| given.clone())
    });
    Some((body.content_type.clone(), text))
}

/// Sets a parameter of an address, instead of the one of this name if there is one.
pub(super) fn set_parameter(url: &mut Url, name: &str, value: &str) {
    let pairs = url.query_pairs();
    if pairs.clone().any(|(other, _)| other == name) {
        let others: Vec<(String, String)> = pairs
            .into_owned()
            .filter(|(other, _)| other != name)
            .collect();
        url.query_pairs_mut().clear().extend_pairs(others);
    }
    url.query_pairs_mut().append_pair(name, value);
}

/// A text as it can stand anywhere in an address.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend([byte >> 4, byte & 15].map(hex_digit));
        }
    }
    encoded
}

fn hex_digit(four_bits: u8) -> char {
    char::from_digit(u32::from(four_bits), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}

/// What says whether an answer has changed (RFC 9110, section 8.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Validators {
    /// The address that they are for, hashed.
    of: String,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

fn fingerprint(url: &Url) -> String {
    format!("{:032x}", xxh3_128(url.as_str().as_bytes()))
}

impl Validators {
    /// Those that the run before was told for the same address.
    pub(super) fn known(mark: &Mark, url: &Url) -> Option<Self> {
        let known: Self = serde_json::from_str(mark.validators.as_deref()?).ok()?;
        (known.of == fingerprint(url)).then_some(known)
    }

    /// Those of an answer.
    pub(super) fn of(answer: &Answer, url: &Url) -> Option<Self> {
        let header = |name: &str| {
            let value = answer.header(name);
            let is_kept = !value.is_empty() && value.len() <= MAX_VALIDATOR_BYTES;
            is_kept.then(|| value.to_owned())
        };
        let validators = Self {
            of: fingerprint(url),
            etag: header(ETAG.as_str()),
            last_modified: header(LAST_MODIFIED.as_str()),
        };
        (validators.etag.is_some() || validators.last_modified.is_some()).then_some(validators)
    }

    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
