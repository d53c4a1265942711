//! Encryption of what must not be read from the database: tokens and other header values.
//!
//! A sealed value is a version byte, a random 24-byte nonce and the ciphertext with its tag
//! (XChaCha20-Poly1305). What it belongs to is associated data, so that a sealed value cannot be
//! moved to another row.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use rand::Rng;

/// The first byte of a sealed value; a later key or method gets another one.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// Seals and opens secrets with the operator's key.
#[derive(Clone)]
pub struct SecretBox {
    cipher: XChaCha20Poly1305,
}

impl fmt::Debug for SecretBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBox")
    }
}

/// A sealed value cannot be opened: another key, another place, or damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored secret cannot be decrypted; was ENCRYPTION_KEY changed?")]
pub struct CannotOpen;

impl SecretBox {
    /// A box with this key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self {
            cipher: XChaCha20Poly1305::new(&Key::from(*key)),
        }
    }

    /// Seals `plain`, bound to `belongs_to`.
    pub fn seal(&self, belongs_to: &str, plain: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let mut nonce = [0u8; NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload {
            msg: plain,
            aad: belongs_to.as_bytes(),
        };
        let ciphertext = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| CannotOpen)?;
        Ok([&[VERSION], nonce.as_slice(), ciphertext.as_slice()].concat())
    }

    /// Opens what [`Self::seal`] made for the same `belongs_to`.
    pub fn open(&self, belongs_to: &str, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let (&version, rest) = sealed.split_first().ok_or(CannotOpen)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(CannotOpen)?;
        if version != VERSION {
            return Err(CannotOpen);
        }
        let payload = Payload {
            msg: ciphertext,
            aad: belongs_to.as_bytes(),
        };
        self.cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| CannotOpen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_where_it_belongs() {
        let secrets = SecretBox::new(&[7; 32]);
        let sealed = secrets.seal("pip_a", b"Bearer x").unwrap();
        assert_eq!(secrets.open("pip_a", &sealed), Ok(b"Bearer x".to_vec()));
        assert_eq!(secrets.open("pip_b", &sealed), Err(CannotOpen));
        assert_eq!(
            SecretBox::new(&[8; 32]).open("pip_a", &sealed),
            Err(CannotOpen)
        );
        for index in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[index] ^= 1;
            assert_eq!(
                secrets.open("pip_a", &flipped),
                Err(CannotOpen),
                "byte {index}"
            );
        }
        assert_eq!(secrets.open("pip_a", &[]), Err(CannotOpen));
    }
}
