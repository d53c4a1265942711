//! The team's secrets in a source: put in where the source names them, and taken out of what is told
//! about it.

use std::collections::BTreeMap;

use dash_shared::sources::polling::{Auth, HttpPolling, placeholders};

use crate::engine::{Credentials, FetchError};

/// What is told in place of a secret.
const REDACTED: &str = "•••";
/// Shorter texts are no secrets, and stand in many messages by chance.
const MIN_SECRET_CHARS: usize = 4;

/// A source that is ready to be asked, and what must not be told of it.
pub(super) struct Filled {
    pub(super) polling: HttpPolling,
    pub(super) credentials: Credentials,
    secrets: Vec<String>,
}

/// The names of the team's secrets that a source uses.
pub(super) fn names(polling: &HttpPolling, credentials: &Credentials) -> Vec<String> {
    let headers = credentials.headers.iter().map(|(_, value)| value.as_str());
    let secret = credentials.secret.iter().map(String::as_str);
    let texts = polling.templates().chain(headers).chain(secret);
    let mut names: Vec<String> = texts
        .flat_map(placeholders::names)
        .filter_map(|name| name.strip_prefix(placeholders::SECRETS))
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl Filled {
    /// Puts the team's secrets in.
    pub(super) fn new(
        mut polling: HttpPolling,
        mut credentials: Credentials,
        known: &BTreeMap<String, String>,
    ) -> Result<Self, FetchError> {
        let used = names(&polling, &credentials);
        if let Some(missing) = used.iter().find(|name| !known.contains_key(*name)) {
            return Err(FetchError::no_secret(missing));
        }
        let fill = |text: &str| {
            placeholders::fill(text, |name| {
                known
                    .get(name.strip_prefix(placeholders::SECRETS)?)
                    .cloned()
            })
        };
        polling.fill_templates(fill);
        for (_, value) in &mut credentials.headers {
            *value = fill(value);
        }
        credentials.secret = credentials.secret.as_deref().map(fill);
        let mut secrets: Vec<String> = used
            .iter()
            .filter_map(|name| known.get(name).cloned())
            .chain(credentials.headers.iter().map(|(_, value)| value.clone()))
            .chain(credentials.secret.clone())
            .filter(|secret| secret.chars().count() >= MIN_SECRET_CHARS)
            .collect();
        // The longest first: one may be part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        if let Auth::None = polling.auth {
            credentials.secret = None;
        }
        Ok(Self {
            polling,
            credentials,
            secrets,
        })
    }

    /// A text without the secrets.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if text.contains(secret) {
                text = text.replace(secret, REDACTED);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dash_shared::sources::polling::Schedule;

    #[test]
    fn secrets_are_put_in_and_never_told() {
        let every = Schedule::Every {
            interval_seconds: 60,
        };
        let polling = HttpPolling::get("https://a.test/{{secrets.account}}", every);
        let credentials = Credentials {
            headers: vec![("X-Key".to_owned(), "k {{secrets.key}}".to_owned())],
            secret: None,
        };
        assert_eq!(names(&polling, &credentials), ["account", "key"]);
        let mut known: BTreeMap<_, _> = [("account".to_owned(), "acme".to_owned())].into();
        let missing = Filled::new(polling.clone(), credentials.clone(), &known);
        assert!(missing.err().unwrap().message.contains("no secret “key”"));
        known.insert("key".to_owned(), "swordfish".to_owned());
        let filled = Filled::new(polling, credentials, &known).ok().unwrap();
        assert_eq!(filled.polling.url, "https://a.test/acme");
        assert_eq!(filled.credentials.headers[0].1, "k swordfish");
        assert_eq!(filled.redact("no swordfish for acme"), "no ••• for •••");
    }
}
