//! The schemes of signatures: which headers they use, and what exactly is signed.

use dash_shared::sources::webhook::{
    HmacEncoding, HmacHash, HmacHeader, Signature, TOLERANCE_SECONDS,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use super::encodings::{base64, hex};
use super::{Sent, SignatureError};

/// How many signatures of one delivery are looked at; senders send two while they change secrets.
const MAX_SIGNATURES: usize = 10;
/// How many shared secrets of one request are looked at.
const MAX_SHOWN: usize = 4;

/// The two families of names that Standard Webhooks are sent with.
const STANDARD: [[&str; 3]; 2] = [
    ["webhook-signature", "webhook-id", "webhook-timestamp"],
    ["svix-signature", "svix-id", "svix-timestamp"],
];
const STRIPE: &str = "Stripe-Signature";
const GITHUB: &str = "X-Hub-Signature-256";
const SHOPIFY: &str = "X-Shopify-Hmac-Sha256";
const SLACK: &str = "X-Slack-Signature";
const SLACK_TIME: &str = "X-Slack-Request-Timestamp";

type Keys = [Vec<u8>];

pub(super) fn verify(
    signature: &Signature,
    keys: &Keys,
    sent: &Sent<'_>,
    now_ms: i64,
) -> Result<(), SignatureError> {
    match signature {
        Signature::None => Ok(()),
        Signature::SharedSecret { header } => shared_secret(header, keys, sent),
        Signature::StandardWebhooks => standard(keys, sent, now_ms),
        Signature::Stripe => stripe(keys, sent, now_ms),
        Signature::Slack => slack(keys, sent, now_ms),
        Signature::Github => {
            let written = after_prefix(GITHUB, sent, "sha256=", "sha256=<64 hexadecimal digits>")?;
            let like = "sha256=<64 hexadecimal digits>";
            let bytes = hex(written).ok_or_else(|| malformed(GITHUB, like))?;
            of_body::<Hmac<Sha256>>(GITHUB, keys, sent.body, &bytes)
        }
        Signature::Shopify => {
            let written = value(SHOPIFY, sent)?;
            let bytes = base64(written).ok_or_else(|| malformed(SHOPIFY, "base64"))?;
            of_body::<Hmac<Sha256>>(SHOPIFY, keys, sent.body, &bytes)
        }
        Signature::Hmac(hmac) => generic(hmac, keys, sent),
    }
}

/// The value of a header that has to be there.
fn value<'a>(header: &str, sent: &Sent<'a>) -> Result<&'a [u8], SignatureError> {
    let value = (sent.header)(header).map(<[u8]>::trim_ascii);
    value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| SignatureError::Missing {
            header: header.to_owned(),
        })
}

fn after_prefix<'a>(
    header: &str,
    sent: &Sent<'a>,
    prefix: &str,
    like: &'static str,
) -> Result<&'a [u8], SignatureError> {
    let value = value(header, sent)?;
    value
        .strip_prefix(prefix.as_bytes())
        .ok_or_else(|| malformed(header, like))
}

fn malformed(header: &str, like: &'static str) -> SignatureError {
    SignatureError::Malformed {
        header: header.to_owned(),
        like,
    }
}

fn mismatch(header: &str) -> SignatureError {
    SignatureError::Mismatch {
        header: header.to_owned(),
    }
}

/// Checks a time in seconds since 1970.
fn check_time(header: &str, text: &[u8], now_ms: i64) -> Result<(), SignatureError> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    // A sign or a space would be another text that is signed.
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: Option<i64> = text.parse().ok().filter(|_| is_plain);
    let seconds = seconds.ok_or_else(|| malformed(header, "a time in seconds since 1970"))?;
    let header = || header.to_owned();
    let age = now_ms.div_euclid(1_000).saturating_sub(seconds);
    if age > TOLERANCE_SECONDS {
        Err(SignatureError::TooOld { header: header() })
    } else if age < -TOLERANCE_SECONDS {
        Err(SignatureError::TooNew { header: header() })
    } else {
        Ok(())
    }
}

/// Whether one of the keys makes one of these signatures of the parts, one after the other.
fn matches<M: Mac + KeyInit>(keys: &Keys, parts: &[&[u8]], signatures: &[Vec<u8>]) -> bool {
    let mut found = false;
    for key in keys {
        let Ok(mac) = <M as KeyInit>::new_from_slice(key) else {
            continue;
        };
        let mac = parts.iter().fold(mac, Mac::chain_update);
        let made = mac.finalize().into_bytes();
        for signature in signatures {
            found |= bool::from(made.as_slice().ct_eq(signature));
        }
    }
    found
}

fn of_body<M: Mac + KeyInit>(
    header: &str,
    keys: &Keys,
    body: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    if matches::<M>(keys, &[body], &[signature.to_vec()]) {
        Ok(())
    } else {
        Err(mismatch(header))
    }
}

fn standard(keys: &Keys, sent: &Sent<'_>, now_ms: i64) -> Result<(), SignatureError> {
    const LIKE: &str = "v1,<base64>";
    let is_svix =
        (sent.header)(STANDARD[0][0]).is_none() && (sent.header)(STANDARD[1][0]).is_some();
    let [header, id_header, time_header] = STANDARD[usize::from(is_svix)];
    let written = value(header, sent)?;
    let id = value(id_header, sent)?;
    let time = value(time_header, sent)?;
    check_time(time_header, time, now_ms)?;
    let signatures: Vec<Vec<u8>> = written
        .split(|byte| *byte == b' ')
        .filter_map(|each| base64(each.strip_prefix(b"v1,")?))
        .take(MAX_SIGNATURES)
        .collect();
    if signatures.is_empty() {
        return Err(malformed(header, LIKE));
    }
    let parts = [id, b".", time, b".", sent.body];
    if matches::<Hmac<Sha256>>(keys, &parts, &signatures) {
        Ok(())
    } else {
        Err(mismatch(header))
    }
}

fn stripe(keys: &Keys, sent: &Sent<'_>, now_ms: i64) -> Result<(), SignatureError> {
    const LIKE: &str = "t=<seconds since 1970>,v1=<64 hexadecimal digits>";
    let written = value(STRIPE, sent)?;
    let items = || written.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let time = items().find_map(|item| item.strip_prefix(b"t="));
    let time = time.ok_or_else(|| malformed(STRIPE, LIKE))?;
    check_time(STRIPE, time, now_ms)?;
    let signatures: Vec<Vec<u8>> = items()
        .filter_map(|item| hex(item.strip_prefix(b"v1=")?))
        .take(MAX_SIGNATURES)
        .collect();
    if signatures.is_empty() {
        return Err(malformed(STRIPE, LIKE));
    }
    if matches::<Hmac<Sha256>>(keys, &[time, b".", sent.body], &signatures) {
        Ok(())
    } else {
        Err(mismatch(STRIPE))
    }
}

fn slack(keys: &Keys, sent: &Sent<'_>, now_ms: i64) -> Result<(), SignatureError> {
    const LIKE: &str = "v0=<64 hexadecimal digits>";
    let written = after_prefix(SLACK, sent, "v0=", LIKE)?;
    let time = value(SLACK_TIME, sent)?;
    check_time(SLACK_TIME, time, now_ms)?;
    let signature = hex(written).ok_or_else(|| malformed(SLACK, LIKE))?;
    let parts = [b"v0:", time, b":", sent.body];
    if matches::<Hmac<Sha256>>(keys, &parts, &[signature]) {
        Ok(())
    } else {
        Err(mismatch(SLACK))
    }
}

fn generic(hmac: &HmacHeader, keys: &Keys, sent: &Sent<'_>) -> Result<(), SignatureError> {
    let header = &hmac.header;
    let written = after_prefix(header, sent, &hmac.prefix, "the prefix and the signature")?;
    let signature = match hmac.encoding {
        HmacEncoding::Hex => hex(written).ok_or_else(|| malformed(header, "hexadecimal digits"))?,
        HmacEncoding::Base64 => base64(written).ok_or_else(|| malformed(header, "base64"))?,
    };
    match hmac.hash {
        HmacHash::Sha256 => of_body::<Hmac<Sha256>>(header, keys, sent.body, &signature),
        HmacHash::Sha512 => of_body::<Hmac<Sha512>>(header, keys, sent.body, &signature),
    }
}

/// The secret itself, wherever senders can put one.
fn shared_secret(header: &str, keys: &Keys, sent: &Sent<'_>) -> Result<(), SignatureError> {
    let mut shown: Vec<Vec<u8>> = Vec::new();
    shown.extend((sent.header)(header).map(|value| value.trim_ascii().to_vec()));
    if let Some(bearer) = (sent.header)("authorization").and_then(bearer) {
        shown.push(bearer.to_vec());
    }
    let named = url::form_urlencoded::parse(sent.query.as_bytes())
        .filter(|(name, _)| name == "key")
        .map(|(_, value)| value.into_owned().into_bytes());
    shown.extend(named.take(MAX_SHOWN));
    shown.retain(|secret| !secret.is_empty());
    if shown.is_empty() {
        return Err(SignatureError::Missing {
            header: header.to_owned(),
        });
    }
    let mut found = false;
    for key in keys {
        let key = Sha256::digest(key);
        for secret in &shown {
            // Of the digests, so that not even the length shows.
            found |= bool::from(key.as_slice().ct_eq(Sha256::digest(secret).as_slice()));
        }
    }
    if found { Ok(()) } else { Err(mismatch(header)) }
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.trim_ascii().split_at_checked(b"bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}
