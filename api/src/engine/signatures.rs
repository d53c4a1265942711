//! Proof of who sent a webhook: signatures of the raw body, or a shared secret. Verifying knows
//! bytes and a moment, and nothing of HTTP or of pipelines; it takes the same time whatever it is
//! that does not match.

mod encodings;
mod schemes;
#[cfg(test)]
mod tests;

use std::fmt;

use dash_shared::sources::webhook::{Signature, TOLERANCE_SECONDS};

use self::encodings::base64;

/// What was sent, as far as it proves something.
#[derive(Clone, Copy)]
pub struct Sent<'a> {
    /// The value of a header, by its name in any case.
    pub header: &'a (dyn Fn(&str) -> Option<&'a [u8]> + Sync),
    /// The query of the URL, without the question mark.
    pub query: &'a str,
    /// The body as it came.
    pub body: &'a [u8],
}

impl fmt::Debug for Sent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent").finish_non_exhaustive()
    }
}

/// Why something does not prove who sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// What proves it is not there.
    #[error(
        "the header {header} is missing; this webhook only takes what its sender proves to have \
         sent"
    )]
    Missing {
        /// Where it should be.
        header: String,
    },
    /// What is there is not written as it should be.
    #[error("the header {header} cannot be read; it should look like {like}")]
    Malformed {
        /// Where it is.
        header: String,
        /// What it should look like.
        like: &'static str,
    },
    /// It is made with another secret, or of another body.
    #[error(
        "the header {header} does not match; check that both sides have the same secret, and that \
         the body is signed exactly as it is sent"
    )]
    Mismatch {
        /// Where it is.
        header: String,
    },
    /// It was signed too long ago.
    #[error(
        "the time in the header {header} is more than {} minutes ago; sign every delivery when it \
         is sent, and check the sender's clock",
        TOLERANCE_SECONDS / 60
    )]
    TooOld {
        /// Where the time is.
        header: String,
    },
    /// It was signed in the future.
    #[error(
        "the time in the header {header} is more than {} minutes ahead; check the sender's clock",
        TOLERANCE_SECONDS / 60
    )]
    TooNew {
        /// Where the time is.
        header: String,
    },
}

/// The kind of a [`SignatureError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureFault {
    /// What proves it is not there.
    Missing,
    /// It cannot be read.
    Malformed,
    /// It does not match.
    Mismatch,
    /// It was signed too long ago.
    TooOld,
    /// It was signed in the future.
    TooNew,
}

impl SignatureFault {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::Missing,
        Self::Malformed,
        Self::Mismatch,
        Self::TooOld,
        Self::TooNew,
    ];

    /// A word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Mismatch => "mismatch",
            Self::TooOld => "too_old",
            Self::TooNew => "too_new",
        }
    }
}

impl SignatureError {
    /// Its kind.
    pub const fn fault(&self) -> SignatureFault {
        match self {
            Self::Missing { .. } => SignatureFault::Missing,
            Self::Malformed { .. } => SignatureFault::Malformed,
            Self::Mismatch { .. } => SignatureFault::Mismatch,
            Self::TooOld { .. } => SignatureFault::TooOld,
            Self::TooNew { .. } => SignatureFault::TooNew,
        }
    }

    /// The header that it is about.
    pub fn header(&self) -> &str {
        match self {
            Self::Missing { header }
            | Self::Malformed { header, .. }
            | Self::Mismatch { header }
            | Self::TooOld { header }
            | Self::TooNew { header } => header,
        }
    }
}

/// Checks what one webhook's senders send.
pub struct Verifier {
    signature: Signature,
    /// With two of them, either one proves it.
    keys: Vec<Vec<u8>>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("signature", &self.signature)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// One for senders that prove themselves like this, with any of these secrets.
    pub fn new(signature: Signature, secrets: &[String]) -> Self {
        let keys = secrets.iter().map(|secret| key(&signature, secret));
        Self {
            keys: keys.collect(),
            signature,
        }
    }

    /// How senders prove themselves.
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Checks what was sent.
    pub fn verify(&self, sent: &Sent<'_>, now_ms: i64) -> Result<(), SignatureError> {
        schemes::verify(&self.signature, &self.keys, sent, now_ms)
    }
}

/// What a secret, as people copy it, is as a key.
fn key(signature: &Signature, secret: &str) -> Vec<u8> {
    match signature {
        Signature::StandardWebhooks => {
            let text = secret.strip_prefix("whsec_").unwrap_or(secret);
            // What is no base64 was refused when it was entered.
            base64(text.as_bytes()).unwrap_or_else(|| secret.as_bytes().to_vec())
        }
        _ => secret.as_bytes().to_vec(),
    }
}
