//! The secrets of a polling source: the values of its headers, and the password, token or key of its
//! authentication. They are sealed together, and sent only to where they were entered for.

use dash_shared::ids::PipelineId;
use dash_shared::sources::polling::{Auth, HttpPolling};
use dash_shared::sources::{MAX_HEADER_VALUE_BYTES, Source};
use dash_shared::{Invalid, InvalidCode};
use serde::{Deserialize, Serialize};
use url::{Origin, Url};

use super::PipelinesError;
use crate::engine::Credentials;
use crate::secrets::SecretBox;

/// A header as somebody enters it. Without a value, the stored one of the same name is kept.
#[derive(Clone, Debug)]
pub struct NewHeader {
    /// Its name.
    pub name: String,
    /// Its value, a secret.
    pub value: Option<String>,
}

/// Secrets as somebody enters them. What is left out is kept.
#[derive(Clone, Debug, Default)]
pub struct NewCredentials {
    /// The headers.
    pub headers: Vec<NewHeader>,
    /// The secret of the authentication.
    pub secret: Option<String>,
}

type Headers = Vec<(String, String)>;

/// What is sealed. Without a secret it is a list, as it was when there were headers only.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Sealed {
    Headers(Headers),
    All { headers: Headers, secret: String },
}

/// Opens the stored secrets of a pipeline.
pub(super) fn open(
    secrets: &SecretBox,
    id: PipelineId,
    sealed: Option<&[u8]>,
) -> Result<Credentials, PipelinesError> {
    let Some(sealed) = sealed else {
        return Ok(Credentials::default());
    };
    let damaged = |error: &dyn std::fmt::Display| PipelinesError::Damaged(error.to_string());
    let json = secrets
        .open(&id.to_string(), sealed)
        .map_err(|error| damaged(&error))?;
    let opened = serde_json::from_slice(&json).map_err(|error| damaged(&error))?;
    Ok(match opened {
        Sealed::Headers(headers) => Credentials {
            headers,
            secret: None,
        },
        Sealed::All { headers, secret } => Credentials {
            headers,
            secret: Some(secret),
        },
    })
}

/// Seals the secrets of a pipeline; nothing when there are none.
pub(super) fn seal(
    secrets: &SecretBox,
    id: PipelineId,
    credentials: Credentials,
) -> Result<Option<Vec<u8>>, PipelinesError> {
    let sealed = match credentials {
        Credentials {
            headers,
            secret: Some(secret),
        } => Sealed::All { headers, secret },
        Credentials { headers, .. } if headers.is_empty() => return Ok(None),
        Credentials { headers, .. } => Sealed::Headers(headers),
    };
    let damaged = |error: &dyn std::fmt::Display| PipelinesError::Damaged(error.to_string());
    let json = serde_json::to_vec(&sealed).map_err(|error| damaged(&error))?;
    secrets
        .seal(&id.to_string(), &json)
        .map(Some)
        .map_err(|error| damaged(&error))
}

fn origin(url: &str) -> Option<Origin> {
    Url::parse(url.trim()).ok().map(|url| url.origin())
}

/// The stored secrets that may be used for `polling`: those that would be sent to the origins that
/// they were entered for, else none. Who may change an address is not thereby told the secrets.
pub(super) fn known_for(
    stored: Credentials,
    entered_for: &Source,
    polling: &HttpPolling,
) -> Credentials {
    let Source::HttpPolling(before) = entered_for else {
        return Credentials::default();
    };
    let same = |before: &str, now: &str| origin(before).is_some() && origin(before) == origin(now);
    if !same(&before.url, &polling.url) {
        return Credentials::default();
    }
    let same_place = match (&before.auth, &polling.auth) {
        (Auth::Basic { .. }, Auth::Basic { .. })
        | (Auth::Bearer, Auth::Bearer)
        | (Auth::ApiKey { .. }, Auth::ApiKey { .. }) => true,
        (Auth::OAuth2(before), Auth::OAuth2(now)) => same(&before.token_url, &now.token_url),
        _ => false,
    };
    Credentials {
        headers: stored.headers,
        secret: stored.secret.filter(|_| same_place),
    }
}

/// Fills in the stored secrets where none were entered.
pub(super) fn complete(
    auth: &Auth,
    entered: NewCredentials,
    stored: &Credentials,
) -> Result<Credentials, Vec<Invalid>> {
    let mut problems = Vec::new();
    let mut headers = Vec::new();
    for (index, header) in entered.headers.into_iter().enumerate() {
        let at = format!("headers.{index}.value");
        let same = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(&header.name);
        let kept = || {
            stored
                .headers
                .iter()
                .find(same)
                .map(|(_, value)| value.clone())
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
            Some(value) => {
                problems.extend(check(&at, "A header value", &value));
                headers.push((header.name, value));
            }
        }
    }
    let secret = if *auth == Auth::None {
        None
    } else {
        let entered = entered.secret.filter(|secret| !secret.is_empty());
        let secret = entered.or_else(|| stored.secret.clone());
        match &secret {
            Some(secret) => problems.extend(check("auth.secret", "A secret", secret)),
            None => problems.push(Invalid::new(
                "auth.secret",
                InvalidCode::Required,
                format!(
                    "Enter {}. A stored one is only sent to the host that it was entered for.",
                    match auth {
                        Auth::Basic { .. } => "the password",
                        Auth::ApiKey { .. } => "the key",
                        Auth::OAuth2(_) => "the client's secret",
                        Auth::Bearer | Auth::None => "the token",
                    }
                ),
            )),
        }
        secret
    };
    if problems.is_empty() {
        Ok(Credentials { headers, secret })
    } else {
        Err(problems)
    }
}

fn check(field: &str, what: &str, value: &str) -> Option<Invalid> {
    if value.len() > MAX_HEADER_VALUE_BYTES {
        let message = format!("{what} has at most {MAX_HEADER_VALUE_BYTES} bytes.");
        Some(Invalid::new(field, InvalidCode::TooLong, message))
    } else if value.chars().any(char::is_control) {
        let message = format!("{what} is one line, without control characters.");
        Some(Invalid::new(field, InvalidCode::Invalid, message))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_before_there_was_more_opens() {
        let secrets = SecretBox::new(&[7; 32]);
        let id = PipelineId::new();
        let check = |json: &[u8], headers: usize, secret: Option<&str>| {
            let sealed = secrets.seal(&id.to_string(), json).unwrap();
            let opened = open(&secrets, id, Some(&sealed)).unwrap();
            assert_eq!(
                (opened.headers.len(), opened.secret.as_deref()),
                (headers, secret)
            );
            let again = seal(&secrets, id, opened.clone()).unwrap().unwrap();
            assert_eq!(open(&secrets, id, Some(&again)).unwrap(), opened);
        };
        check(br#"[["X-Key", "a"]]"#, 1, None);
        check(br#"{"headers": [], "secret": "b"}"#, 0, Some("b"));
        assert_eq!(seal(&secrets, id, Credentials::default()).unwrap(), None);
    }
}
