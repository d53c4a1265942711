//! Signatures after the specification Standard Webhooks, version 1: a message's id, its time and its
//! body, with HMAC-SHA256 under a key that both sides know.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dash_shared::ids::SinkId;
use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use sha2::{Digest, Sha256};

/// What the text of a key begins with.
const PREFIX: &str = "whsec_";
const KEY_BYTES: usize = 32;
/// Crockford's base 32 alphabet, as ids are written in.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// The length of a message's name after its prefix: 130 bits.
const NAME_CHARS: usize = 26;

/// A new signing key, as its owner sees it.
pub(super) fn new_key() -> String {
    let mut key = [0; KEY_BYTES];
    rand::rng().fill_bytes(&mut key);
    format!("{PREFIX}{}", STANDARD.encode(key))
}

/// The signatures under all keys, the newest key first; a key that cannot be read signs nothing.
pub(super) fn sign<'k>(
    keys: impl Iterator<Item = &'k str>,
    message_id: &str,
    timestamp: i64,
    body: &str,
) -> String {
    let signatures = keys.filter_map(|key| {
        let key = STANDARD.decode(key.strip_prefix(PREFIX)?).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(format!("{message_id}.{timestamp}.{body}").as_bytes());
        Some(format!(
            "v1,{}",
            STANDARD.encode(mac.finalize().into_bytes())
        ))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

/// The name of the message that begins with a record: the same, whoever sends it and however often.
pub(super) fn message_id(sink_id: SinkId, first_seq: i64) -> String {
    name(&format!("{sink_id}.{first_seq}"))
}

/// The name of a message that is sent but once.
pub(super) fn new_message_id() -> String {
    name(&uuid::Uuid::now_v7().to_string())
}

fn name(of: &str) -> String {
    let digest = Sha256::digest(of.as_bytes());
    let letters = digest.iter().take(NAME_CHARS);
    let letters = letters.map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
    format!("msg_{}", letters.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        // The example of the specification's reference libraries.
        let signed = sign(
            ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"].into_iter(),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_key_signs_for_itself() {
        let keys = [new_key(), new_key()];
        let both = sign(keys.iter().map(String::as_str), "msg_1", 1, "{}");
        let each: Vec<_> = keys
            .iter()
            .map(|key| sign([key.as_str()].into_iter(), "msg_1", 1, "{}"))
            .collect();
        assert_eq!(both, each.join(" "));
        assert_ne!(each[0], each[1]);
    }

    #[test]
    fn a_message_has_one_name() {
        let (one, other) = (SinkId::new(), SinkId::new());
        assert_eq!(message_id(one, 7), message_id(one, 7));
        assert_ne!(message_id(one, 7), message_id(one, 8));
        assert_ne!(message_id(one, 7), message_id(other, 7));
        assert!(message_id(one, 7).starts_with("msg_") && message_id(one, 7).len() == 30);
    }
}
