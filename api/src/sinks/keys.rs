//! The secrets of a sink, sealed as one: header values, secret addresses and signing keys. None of
//! them is ever shown again; a stored value only goes to the host that it was entered for.

use dash_shared::ids::SinkId;
use dash_shared::sinks::{SinkKind, Target};
use dash_shared::sources::{MAX_HEADER_VALUE_BYTES, check_url};
use dash_shared::{Invalid, InvalidCode};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{SinksError, signing};
use crate::secrets::SecretBox;

/// How long the signing key before the newest one signs too.
pub(super) const OVERLAP_MS: i64 = 24 * 3_600_000;

/// A header as somebody enters it. Without a value, the stored one of the same name is kept.
#[derive(Clone, Debug)]
pub struct NewHeader {
    /// Its name.
    pub name: String,
    /// Its value, a secret.
    pub value: Option<String>,
}

/// The secrets that somebody enters with a sink.
#[derive(Clone, Debug, Default)]
pub struct NewSecrets {
    /// The request headers.
    pub headers: Vec<NewHeader>,
    /// The secret address of Slack or Zapier; without one, the stored one is kept.
    pub url: Option<String>,
}

/// The secrets of a sink.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Keys {
    /// Names and values of request headers.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The address, where it is secret.
    pub url: Option<String>,
    /// What webhooks are signed with, the newest first.
    #[serde(default)]
    pub signing: Vec<SigningKey>,
}

/// Only says how many there are.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("headers", &self.headers.len())
            .finish_non_exhaustive()
    }
}

/// A key that webhooks are signed with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SigningKey {
    pub key: String,
    /// When it stops signing, in milliseconds since 1970.
    pub until_ms: Option<i64>,
}

impl Keys {
    pub fn open(
        secrets: &SecretBox,
        id: SinkId,
        sealed: Option<&[u8]>,
    ) -> Result<Self, SinksError> {
        let Some(sealed) = sealed else {
            return Ok(Self::default());
        };
        let json = secrets.open(&id.to_string(), sealed);
        let json = json.map_err(SinksError::damaged)?;
        serde_json::from_slice(&json).map_err(SinksError::damaged)
    }

    pub fn seal(&self, secrets: &SecretBox, id: SinkId) -> Result<Option<Vec<u8>>, SinksError> {
        if *self == Self::default() {
            return Ok(None);
        }
        let json = serde_json::to_vec(self).map_err(SinksError::damaged)?;
        let sealed = secrets.seal(&id.to_string(), &json);
        sealed.map(Some).map_err(SinksError::damaged)
    }

    /// The keys that sign at a moment.
    pub fn signing_at(&self, now_ms: i64) -> impl Iterator<Item = &str> {
        let valid = move |key: &&SigningKey| key.until_ms.is_none_or(|until| now_ms < until);
        self.signing
            .iter()
            .filter(valid)
            .map(|key| key.key.as_str())
    }

    /// Adds a new signing key; the one before it signs for a while yet. Returns the new one.
    pub fn rotate(&mut self, now_ms: i64) -> String {
        let key = signing::new_key();
        self.signing.truncate(1);
        for old in &mut self.signing {
            old.until_ms = Some(now_ms + OVERLAP_MS);
        }
        self.signing.insert(
            0,
            SigningKey {
                key: key.clone(),
                until_ms: None,
            },
        );
        key
    }

    /// Everything that must not be shown.
    pub fn all(&self) -> Vec<&str> {
        let headers = self.headers.iter().map(|(_, value)| value.as_str());
        let signing = self.signing.iter().map(|key| key.key.as_str());
        headers.chain(signing).chain(self.url.as_deref()).collect()
    }

    /// The secrets of a target as they were entered: what was left out is taken from `stored`, if it
    /// was entered for the same host.
    pub fn complete(
        target: &Target,
        entered: NewSecrets,
        before: Option<(&Target, Self)>,
    ) -> Result<Self, Vec<Invalid>> {
        let kind = target.kind();
        let at = |field: &str| format!("target.{}.{field}", kind.as_str());
        let same_kind = before.filter(|(before, _)| before.kind() == kind);
        let (stored, same_host) = match same_kind {
            Some((before, stored)) => (stored, same_origin(before.url(), target.url())),
            None => (Self::default(), false),
        };
        let known = if same_host { &stored.headers[..] } else { &[] };
        let mut problems = Vec::new();
        let mut headers = Vec::new();
        for (index, header) in entered.headers.into_iter().enumerate() {
            match complete_header(header, known) {
                Ok(header) => headers.push(header),
                Err((code, message)) => {
                    let at = at(&format!("headers.{index}.value"));
                    problems.push(Invalid::new(&at, code, message));
                }
            }
        }
        let url = match (kind, entered.url.map(|url| url.trim().to_owned())) {
            (SinkKind::Slack | SinkKind::Zapier, Some(url)) => {
                problems.extend(check_url(&url).err().map(|problem| Invalid {
                    field: at("url").split('.').map(str::to_owned).collect(),
                    ..problem
                }));
                Some(url)
            }
            (SinkKind::Slack | SinkKind::Zapier, None) => {
                if stored.url.is_none() {
                    let message = "Enter the address of the incoming hook.";
                    problems.push(Invalid::new(&at("url"), InvalidCode::Required, message));
                }
                stored.url
            }
            _ => None,
        };
        if problems.is_empty() {
            Ok(Self {
                headers,
                url,
                signing: stored.signing,
            })
        } else {
            Err(problems)
        }
    }
}

fn complete_header(
    header: NewHeader,
    known: &[(String, String)],
) -> Result<(String, String), (InvalidCode, String)> {
    let same = |(name, _): &&(String, String)| name.eq_ignore_ascii_case(&header.name);
    let kept = || known.iter().find(same).map(|(_, value)| value.clone());
    match header.value.clone().or_else(kept) {
        None => Err((
            InvalidCode::Required,
            format!(
                "Enter the value of the header “{}”. A stored value is only sent to the host that \
                 it was entered for.",
                header.name
            ),
        )),
        Some(value) if value.len() > MAX_HEADER_VALUE_BYTES => Err((
            InvalidCode::TooLong,
            format!("A header value has at most {MAX_HEADER_VALUE_BYTES} bytes."),
        )),
        Some(value) if value.chars().any(char::is_control) => Err((
            InvalidCode::Invalid,
            "A header value is one line, without control characters.".to_owned(),
        )),
        Some(value) => Ok((header.name, value)),
    }
}

fn same_origin(one: Option<&str>, other: Option<&str>) -> bool {
    // Placeholders come after the host.
    let origin = |url: &str| {
        let constant = url.split("{{").next().unwrap_or_default();
        Url::parse(constant.trim()).ok().map(|url| url.origin())
    };
    let origin = |url: Option<&str>| url.and_then(origin);
    origin(one).is_some() && origin(one) == origin(other)
}
