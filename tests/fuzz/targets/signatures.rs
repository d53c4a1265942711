//! What is sent to prove who sends: the first line is the header's value, the second the query, the
//! rest the body. Whatever it is, it is refused: nobody guesses the secret.
#![no_main]

use dash_api::engine::Sent;
use dash_api::engine::signatures::Verifier;
use dash_shared::sources::webhook::{HmacEncoding, HmacHash, HmacHeader, Signature};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(3, |byte| *byte == b'\n');
    let value = parts.next().unwrap_or_default();
    let query = std::str::from_utf8(parts.next().unwrap_or_default()).unwrap_or_default();
    let body = parts.next().unwrap_or_default();
    let hmac = |hash, encoding| {
        Signature::Hmac(HmacHeader {
            header: "x-signature".to_owned(),
            hash,
            encoding,
            prefix: "sha=".to_owned(),
        })
    };
    let schemes = [
        Signature::SharedSecret {
            header: "x-secret".to_owned(),
        },
        Signature::StandardWebhooks,
        Signature::Stripe,
        Signature::Github,
        Signature::Shopify,
        Signature::Slack,
        hmac(HmacHash::Sha256, HmacEncoding::Hex),
        hmac(HmacHash::Sha512, HmacEncoding::Base64),
    ];
    let header = |_: &str| Some(value);
    let sent = Sent {
        header: &header,
        query,
        body,
    };
    let secrets = ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned()];
    for scheme in schemes {
        let verifier = Verifier::new(scheme, &secrets);
        assert!(verifier.verify(&sent, 1_795_314_960_000).is_err());
    }
});
