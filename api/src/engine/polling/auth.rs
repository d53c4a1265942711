//! Who asks: passwords, tokens and keys, and getting a token as an OAuth 2.0 client.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dash_shared::sources::polling::{ApiKeyPlace, Auth, ClientPlace, OAuth2};
use moka::future::Cache;
use reqwest::header::AUTHORIZATION;
use serde_json::Value;
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::request::set_parameter;
use super::{FetchError, FetchErrorCode, Outlook, Polled, Poller};
use crate::data::RecordKey;
use crate::outbound::{LargerAnswer, Outgoing, StatusCode};

/// How many tokens are kept.
const KEPT_TOKENS: u64 = 10_000;
/// How long the longest one is kept.
const LONGEST_KEPT: Duration = Duration::from_hours(24);
/// How long before it expires a token is used no more.
const SPARE_MS: i64 = 60_000;
/// How long a token is used that does not say when it expires.
const UNSAID_MS: i64 = 5 * 60_000;
/// The largest answer of a server that gives tokens.
const MAX_TOKEN_ANSWER_BYTES: usize = 64 * 1024;

/// Tokens that were got, by all that they were got with. Cheap to clone.
#[derive(Clone)]
pub(super) struct Tokens(Cache<RecordKey, Token>);

/// A token, and until when it is used.
#[derive(Clone)]
struct Token {
    text: String,
    until_ms: i64,
}

impl Default for Tokens {
    fn default() -> Self {
        let cache = Cache::builder()
            .max_capacity(KEPT_TOKENS)
            .time_to_live(LONGEST_KEPT);
        Self(cache.build())
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens")
    }
}

impl Poller {
    /// Puts the secret where it belongs: into the address, or into the header that is returned.
    pub(super) async fn authorize(
        &self,
        polled: Polled<'_>,
        url: &mut Url,
    ) -> Result<Option<(String, String)>, FetchError> {
        let header = |value: String| Some((AUTHORIZATION.to_string(), value));
        let auth = &polled.polling.auth;
        if *auth == Auth::None {
            return Ok(None);
        }
        let secret = polled.credentials.secret.as_deref().ok_or_else(|| {
            FetchError::new(
                FetchErrorCode::SecretsLost,
                "The secret of the authentication is missing. Enter it again.",
            )
        })?;
        Ok(match auth {
            Auth::None => None,
            Auth::Basic { user_name } => header(basic(user_name, secret)),
            Auth::Bearer => header(format!("Bearer {secret}")),
            Auth::ApiKey {
                place: ApiKeyPlace::Header,
                name,
            } => Some((name.clone(), secret.to_owned())),
            Auth::ApiKey {
                place: ApiKeyPlace::Query,
                name,
            } => {
                set_parameter(url, name, secret);
                None
            }
            Auth::OAuth2(client) => header(format!(
                "Bearer {}",
                self.token(polled, client, secret).await?
            )),
        })
    }

    /// Forgets a token that is refused.
    pub(super) async fn forget_token(&self, polled: Polled<'_>) {
        if let (Auth::OAuth2(client), Some(secret)) =
            (&polled.polling.auth, &polled.credentials.secret)
        {
            self.tokens
                .0
                .invalidate(&token_key(polled, client, secret))
                .await;
        }
    }

    async fn token(
        &self,
        polled: Polled<'_>,
        client: &OAuth2,
        secret: &str,
    ) -> Result<String, FetchError> {
        let key = token_key(polled, client, secret);
        let now_ms = self.clock.now_ms();
        if let Some(token) = self.tokens.0.get(&key).await
            && now_ms < token.until_ms
        {
            return Ok(token.text);
        }
        let token = self.new_token(client, secret, now_ms).await?;
        self.tokens.0.insert(key, token.clone()).await;
        Ok(token.text)
    }

    async fn new_token(
        &self,
        client: &OAuth2,
        secret: &str,
        now_ms: i64,
    ) -> Result<Token, FetchError> {
        let content_type = "application/x-www-form-urlencoded";
        let mut request =
            Outgoing::post(&client.token_url, content_type, token_form(client, secret))
                .accept("application/json")
                .at_most(MAX_TOKEN_ANSWER_BYTES, LargerAnswer::Fails);
        if client.client_place == ClientPlace::Header {
            // Both are encoded like a form before they are put together (RFC 6749, 2.3.1).
            let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let value = basic(&encoded(&client.client_id), &encoded(secret));
            request = request.header(AUTHORIZATION.as_str(), value);
        }
        let answer = self.outbound.send(&request).await.map_err(|error| {
            let error = FetchError::from(error);
            let message = format!("No token could be got: {}", error.message);
            FetchError::new(error.code, message)
        })?;
        let content: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let token = content.get("access_token").and_then(Value::as_str);
        let token = token.filter(|token| !token.is_empty() && answer.status.is_success());
        let Some(token) = token else {
            return Err(no_token(answer.status, &content));
        };
        let lifetime_ms = content
            .get("expires_in")
            .and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()))
            .map_or(UNSAID_MS, |seconds| {
                seconds.saturating_mul(1_000).saturating_sub(SPARE_MS)
            });
        Ok(Token {
            text: token.to_owned(),
            until_ms: now_ms.saturating_add(lifetime_ms),
        })
    }
}

fn token_form(client: &OAuth2, secret: &str) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    let optional = [("scope", &client.scope), ("audience", &client.audience)];
    for (name, value) in optional {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            form.append_pair(name, value);
        }
    }
    if client.client_place == ClientPlace::Body {
        form.append_pair("client_id", &client.client_id);
        form.append_pair("client_secret", secret);
    }
    form.finish()
}

fn basic(name: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")))
}

/// Who a token is for, and all that it was got with.
fn token_key(polled: Polled<'_>, client: &OAuth2, secret: &str) -> RecordKey {
    let id = polled.pipeline_id.map(|id| id.to_string());
    let with = serde_json::json!([
        id,
        client.token_url,
        client.client_id,
        client.scope,
        client.audience,
        secret
    ]);
    RecordKey::of(with.to_string())
}

fn no_token(status: StatusCode, content: &Value) -> FetchError {
    // The server's own word for it (RFC 6749, 5.2), if it is one.
    let word = content.get("error").and_then(Value::as_str);
    let is_word = |word: &&str| {
        word.len() <= 60
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let word = word
        .filter(is_word)
        .map_or_else(String::new, |word| format!(" ({word})"));
    let message = if status.is_success() {
        "The token server answered without a token. Is this the address that gives tokens?"
            .to_owned()
    } else {
        format!(
            "The token server answered with status {status}{word}. Check the client's id, its \
             secret and the scope."
        )
    };
    let error = FetchError::new(FetchErrorCode::NoToken, message);
    if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
        error.with(Outlook::Hopeless)
    } else {
        error
    }
}
