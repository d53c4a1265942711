//! Webhooks: how a sender proves who it is, and how a delivery that comes again is told. The
//! secrets themselves are not part of a definition: they are kept apart, encrypted.

use serde::{Deserialize, Serialize};

use super::MAX_RECORDS_PATH_BYTES;
use crate::{Invalid, InvalidCode};

/// The shortest signing secret, in bytes.
pub const MIN_SECRET_BYTES: usize = 8;
/// The longest signing secret, in bytes.
pub const MAX_SECRET_BYTES: usize = 512;
/// The longest name of a header that a webhook looks at, in bytes.
pub const MAX_HEADER_NAME_BYTES: usize = 100;
/// The longest text before a signature in its header, in bytes.
pub const MAX_PREFIX_BYTES: usize = 40;
/// How far the time in a signature may be from now, in seconds.
pub const TOLERANCE_SECONDS: i64 = 5 * 60;
/// The header that a shared secret is looked for in, unless another one is named.
pub const SECRET_HEADER: &str = "X-Webhook-Secret";

/// A secret URL that others post to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// How a sender proves who it is.
    #[serde(default, skip_serializing_if = "Signature::is_none")]
    pub signature: Signature,
    /// What names a delivery or a record, so that each is stored once.
    #[serde(default, skip_serializing_if = "Idempotency::is_default")]
    pub idempotency: Idempotency,
}

/// How a sender proves who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case")]
pub enum Signature {
    /// Not at all: who knows the URL may send.
    #[default]
    None,
    /// It sends the secret itself: in a header, as a bearer token, or as `?key=` of the URL.
    SharedSecret {
        /// The header.
        header: String,
    },
    /// As the Standard Webhooks specification says; Svix does the same.
    StandardWebhooks,
    /// As Stripe signs.
    Stripe,
    /// As GitHub signs.
    Github,
    /// As Shopify signs.
    Shopify,
    /// As Slack signs.
    Slack,
    /// An HMAC of the body in a header.
    Hmac(HmacHeader),
}

/// Where an HMAC of the body is, and how it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HmacHeader {
    /// The header.
    pub header: String,
    /// The hash function.
    #[serde(default)]
    pub hash: HmacHash,
    /// How the bytes are written.
    #[serde(default)]
    pub encoding: HmacEncoding,
    /// What stands before them, such as `sha256=`.
    #[serde(default)]
    pub prefix: String,
}

/// The hash function of an HMAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HmacHash {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How the bytes of an HMAC are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HmacEncoding {
    /// As hexadecimal digits.
    #[default]
    Hex,
    /// As base64.
    Base64,
}

/// What names a delivery or a record. What has no name is stored whenever it comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Idempotency {
    /// The headers that senders usually name deliveries in.
    #[default]
    UsualHeaders,
    /// A header.
    Header {
        /// Its name.
        name: String,
    },
    /// A value in the body names the delivery.
    BodyPath {
        /// A JSONPath (RFC 9535) from the body as a whole.
        path: String,
    },
    /// A value in each record names the record.
    RecordPath {
        /// A JSONPath (RFC 9535) from the record, as it comes in.
        path: String,
    },
}

impl Webhook {
    /// Checks what a person entered. The JSONPath's own syntax is checked by the server.
    pub fn check(&self) -> Vec<Invalid> {
        let mut problems = Vec::new();
        problems.extend(self.signature.check().err().map(|p| p.under("signature")));
        let at = |problem: Invalid| problem.under("idempotency");
        problems.extend(self.idempotency.check().err().map(at));
        problems
    }
}

impl Signature {
    /// Whether senders need not prove anything.
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether a secret of the one scheme can be one of the other.
    pub fn is_same_scheme(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Whether the sender's service makes the secret up, not its customer.
    pub const fn secret_comes_from_sender(&self) -> bool {
        matches!(self, Self::Stripe | Self::Shopify | Self::Slack)
    }

    fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::SharedSecret { header } => check_header_name("header", header),
            Self::Hmac(hmac) => {
                check_header_name("header", &hmac.header)?;
                let is_plain = hmac.prefix.bytes().all(|byte| byte.is_ascii_graphic());
                if hmac.prefix.len() > MAX_PREFIX_BYTES || !is_plain {
                    return Err(Invalid::new(
                        "prefix",
                        InvalidCode::Invalid,
                        format!(
                            "A prefix has at most {MAX_PREFIX_BYTES} plain characters, like \
                             sha256=."
                        ),
                    ));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Checks a secret for this scheme.
    pub fn check_secret(&self, secret: &str) -> Result<(), Invalid> {
        let wrong = |code, message: String| Err(Invalid::new("secret", code, message));
        if secret.is_empty() {
            let message = "Enter the secret, or let Dash make one.".to_owned();
            return wrong(InvalidCode::Required, message);
        }
        if secret.len() < MIN_SECRET_BYTES {
            let message = format!("A secret has at least {MIN_SECRET_BYTES} characters.");
            return wrong(InvalidCode::TooShort, message);
        }
        if secret.len() > MAX_SECRET_BYTES {
            let message = format!("A secret has at most {MAX_SECRET_BYTES} characters.");
            return wrong(InvalidCode::TooLong, message);
        }
        if secret.chars().any(char::is_control) {
            let message = "A secret is one line, without control characters.".to_owned();
            return wrong(InvalidCode::Invalid, message);
        }
        let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        let key = secret.strip_prefix("whsec_").unwrap_or(secret);
        if matches!(self, Self::StandardWebhooks)
            && (key.len() < MIN_SECRET_BYTES || !key.bytes().all(base64))
        {
            let message = "A secret of Standard Webhooks is whsec_ and base64 after it. Copy it \
                           as the sender shows it.";
            return wrong(InvalidCode::Invalid, message.to_owned());
        }
        Ok(())
    }
}

impl Idempotency {
    /// Whether it is what a webhook does when nothing else is said.
    pub const fn is_default(&self) -> bool {
        matches!(self, Self::UsualHeaders)
    }

    fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Header { name } => check_header_name("header", name),
            Self::BodyPath { path } | Self::RecordPath { path } if path.is_empty() => {
                Err(Invalid::new(
                    "path",
                    InvalidCode::Required,
                    "Enter the path of the value that names it, like $.id.",
                ))
            }
            Self::BodyPath { path } | Self::RecordPath { path }
                if path.len() > MAX_RECORDS_PATH_BYTES =>
            {
                Err(Invalid::new(
                    "path",
                    InvalidCode::TooLong,
                    format!("A path has at most {MAX_RECORDS_PATH_BYTES} bytes."),
                ))
            }
            Self::UsualHeaders | Self::BodyPath { .. } | Self::RecordPath { .. } => Ok(()),
        }
    }
}

fn check_header_name(field: &str, name: &str) -> Result<(), Invalid> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || name.len() > MAX_HEADER_NAME_BYTES || !name.chars().all(token) {
        return Err(Invalid::new(
            field,
            InvalidCode::Invalid,
            "A header name has letters, digits and dashes, like X-Signature.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    #[test]
    fn what_was_stored_before_there_were_options_is_read() {
        let source: Source = serde_json::from_str(r#"{"kind":"webhook"}"#).unwrap();
        assert_eq!(source, Source::Webhook(Webhook::default()));
        let text = serde_json::to_string(&source).unwrap();
        assert_eq!(text, r#"{"kind":"webhook"}"#);
    }

    #[test]
    fn every_option_survives_its_text() {
        let hmac = HmacHeader {
            header: "X-Signature".to_owned(),
            hash: HmacHash::Sha512,
            encoding: HmacEncoding::Base64,
            prefix: "v1=".to_owned(),
        };
        let header = || "X-Token".to_owned();
        let path = || "$.id".to_owned();
        let signatures = [
            Signature::None,
            Signature::SharedSecret { header: header() },
            Signature::StandardWebhooks,
            Signature::Stripe,
            Signature::Github,
            Signature::Shopify,
            Signature::Slack,
            Signature::Hmac(hmac),
        ];
        let names = [
            Idempotency::UsualHeaders,
            Idempotency::Header { name: header() },
            Idempotency::BodyPath { path: path() },
            Idempotency::RecordPath { path: path() },
        ];
        for signature in signatures {
            for idempotency in names.clone() {
                let source = Source::Webhook(Webhook {
                    signature: signature.clone(),
                    idempotency,
                });
                let text = serde_json::to_string(&source).unwrap();
                assert_eq!(serde_json::from_str::<Source>(&text).unwrap(), source);
            }
        }
    }

    #[test]
    fn secrets_are_checked() {
        let check = |signature: &Signature, secret: &str, ok: bool| {
            assert_eq!(signature.check_secret(secret).is_ok(), ok, "{secret}");
        };
        check(&Signature::Github, "correct-horse", true);
        check(&Signature::Github, "", false);
        check(&Signature::Github, "short", false);
        check(&Signature::Github, &"x".repeat(513), false);
        check(&Signature::Github, "with a space", true);
        check(&Signature::Github, "two\nlines here", false);
        let standard = Signature::StandardWebhooks;
        check(&standard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true);
        check(&standard, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true);
        check(&standard, "whsec_not-base64!", false);
        check(&standard, "whsec_", false);
    }

    #[test]
    fn headers_and_paths_are_checked_and_told_with_their_place() {
        let webhook = Webhook {
            signature: Signature::SharedSecret {
                header: "bad name".to_owned(),
            },
            idempotency: Idempotency::RecordPath {
                path: String::new(),
            },
        };
        let problems = webhook.check().into_iter();
        let fields: Vec<_> = problems.map(|problem| problem.field.join(".")).collect();
        assert_eq!(fields, ["signature.header", "idempotency.path"]);
    }
}
