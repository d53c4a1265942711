use std::collections::BTreeMap;

use dash_shared::sources::webhook::{HmacEncoding, HmacHash, HmacHeader};
use hmac::{Hmac, KeyInit as _, Mac as _};
use proptest::prelude::*;
use sha2::Sha256;

use super::*;

/// A delivery as it came.
#[derive(Clone, Debug, Default)]
struct Case {
    headers: BTreeMap<String, String>,
    query: String,
    body: Vec<u8>,
}

impl Case {
    fn new(headers: &[(&str, &str)], body: &str) -> Self {
        let pairs = headers.iter();
        Self {
            headers: pairs
                .map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned()))
                .collect(),
            query: String::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn with_query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    fn fault(
        &self,
        signature: &Signature,
        secrets: &[&str],
        now_ms: i64,
    ) -> Option<SignatureFault> {
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        let verifier = Verifier::new(signature.clone(), &secrets);
        let header = |name: &str| {
            let value = self.headers.get(&name.to_ascii_lowercase());
            value.map(String::as_bytes)
        };
        let sent = Sent {
            header: &header,
            query: &self.query,
            body: &self.body,
        };
        verifier
            .verify(&sent, now_ms)
            .err()
            .map(|error| error.fault())
    }
}

/// A delivery that somebody else signed, and with what.
struct Vector {
    signature: Signature,
    secret: &'static str,
    now_ms: i64,
    case: Case,
}

const SLACK_BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&\
    channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&\
    command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F\
    T1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&\
    trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

/// The examples in the documentation of each service; for Shopify, Stripe and other senders,
/// signatures that OpenSSL made.
fn vectors() -> Vec<Vector> {
    let vector = |signature, secret, seconds: i64, headers: &[(&str, &str)], body| Vector {
        signature,
        secret,
        now_ms: seconds * 1_000,
        case: Case::new(headers, body),
    };
    let hmac = |encoding, hash, prefix: &str| {
        Signature::Hmac(HmacHeader {
            header: "X-Signature".to_owned(),
            hash,
            encoding,
            prefix: prefix.to_owned(),
        })
    };
    vec![
        vector(
            Signature::Github,
            "It's a Secret to Everybody",
            0,
            &[(
                "X-Hub-Signature-256",
                "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            )],
            "Hello, World!",
        ),
        vector(
            Signature::StandardWebhooks,
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            1_614_265_330,
            &[
                ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
                ("webhook-timestamp", "1614265330"),
                (
                    "webhook-signature",
                    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
                ),
            ],
            r#"{"test": 2432232314}"#,
        ),
        vector(
            Signature::Slack,
            "8f742231b10e8888abcd99yyyzzz85a5",
            1_531_420_618,
            &[
                ("X-Slack-Request-Timestamp", "1531420618"),
                (
                    "X-Slack-Signature",
                    "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
                ),
            ],
            SLACK_BODY,
        ),
        vector(
            Signature::Shopify,
            "hush-hush",
            0,
            &[(
                "X-Shopify-Hmac-Sha256",
                "Tee3YpF35pCcQ4VpA7xaRvUaU8jattd/Rf/Cvq0k0tU=",
            )],
            r#"{"id":820982911946154508}"#,
        ),
        vector(
            Signature::Stripe,
            "whsec_test_secret",
            1_614_265_330,
            &[(
                "Stripe-Signature",
                "t=1614265330,v1=e135cdbed3dda004bf8a2fb350f2541d299393c770e0b9e6e319dc595e9072aa",
            )],
            r#"{"id":"evt_1"}"#,
        ),
        vector(
            hmac(HmacEncoding::Hex, HmacHash::Sha512, "v="),
            "pepper-and-salt",
            0,
            &[(
                "x-signature",
                "v=35a4c2b7325966f3e205ef76e255538c8c0bf3ab18d8690833809363a8a3df562015f64b51fb590a58e75c44bc1325e3de7188a8e39076779d09d8e8b37db4d0",
            )],
            "Hello, World!",
        ),
        vector(
            Signature::SharedSecret {
                header: "X-Token".to_owned(),
            },
            "open sesame",
            0,
            &[("x-token", "open sesame")],
            "anything",
        ),
    ]
}

#[test]
fn what_each_service_documents_is_accepted() {
    for Vector {
        signature,
        secret,
        now_ms,
        case,
    } in vectors()
    {
        assert_eq!(
            case.fault(&signature, &[secret], now_ms),
            None,
            "{signature:?}"
        );
        let other = "another-secret";
        let wrong = Some(SignatureFault::Mismatch);
        assert_eq!(
            case.fault(&signature, &[other], now_ms),
            wrong,
            "{signature:?}"
        );
        // While secrets are changed, either one is good.
        assert_eq!(case.fault(&signature, &[other, secret], now_ms), None);
        assert_eq!(case.fault(&signature, &[secret, other], now_ms), None);
        assert_eq!(case.fault(&signature, &[], now_ms), wrong);
    }
}

#[test]
fn a_header_that_is_not_there_is_named() {
    for Vector {
        signature,
        secret,
        now_ms,
        case,
    } in vectors()
    {
        for name in case.headers.keys() {
            let mut without = case.clone();
            without.headers.remove(name);
            let fault = without.fault(&signature, &[secret], now_ms);
            assert_eq!(fault, Some(SignatureFault::Missing), "{signature:?} {name}");
            without.headers.insert(name.clone(), " ".to_owned());
            let fault = without.fault(&signature, &[secret], now_ms);
            assert_eq!(fault, Some(SignatureFault::Missing), "{signature:?} {name}");
        }
    }
}

#[test]
fn a_signature_is_good_for_five_minutes() {
    for Vector {
        signature,
        secret,
        now_ms,
        case,
    } in vectors()
    {
        if now_ms == 0 {
            continue;
        }
        for (seconds, expected) in [
            (300, None),
            (301, Some(SignatureFault::TooOld)),
            (86_400, Some(SignatureFault::TooOld)),
            (-300, None),
            (-301, Some(SignatureFault::TooNew)),
        ] {
            let later = now_ms + seconds * 1_000;
            assert_eq!(
                case.fault(&signature, &[secret], later),
                expected,
                "{signature:?}"
            );
        }
    }
}

#[test]
fn a_time_that_is_none_is_malformed() {
    let malformed = Some(SignatureFault::Malformed);
    for Vector {
        signature,
        secret,
        now_ms,
        case,
    } in vectors()
    {
        for time in [
            "",
            "x",
            "+1614265330",
            "16142653300000000000000",
            "1614265330.5",
        ] {
            let mut changed = case.clone();
            let name = match signature {
                Signature::StandardWebhooks => "webhook-timestamp",
                Signature::Slack => "x-slack-request-timestamp",
                Signature::Stripe => "stripe-signature",
                _ => continue,
            };
            let value = match signature {
                Signature::Stripe => format!("t={time},v1=00"),
                _ => time.to_owned(),
            };
            changed.headers.insert(name.to_owned(), value);
            let found = changed.fault(&signature, &[secret], now_ms);
            let expected = match (time, &signature) {
                ("", Signature::StandardWebhooks | Signature::Slack) => {
                    Some(SignatureFault::Missing)
                }
                _ => malformed,
            };
            assert_eq!(found, expected, "{signature:?} {time}");
        }
    }
}

#[test]
fn one_of_several_signatures_is_enough() {
    let vectors = vectors();
    let standard = vectors
        .iter()
        .find(|v| v.signature == Signature::StandardWebhooks)
        .unwrap();
    let good = &standard.case.headers["webhook-signature"];
    for (value, expected) in [
        (format!("v1,AAAA {good}"), None),
        (format!("v1a,AAAA v2,x {good}"), None),
        ("v1,AAAA v1,BBBB".to_owned(), Some(SignatureFault::Mismatch)),
        ("v2,AAAA".to_owned(), Some(SignatureFault::Malformed)),
    ] {
        let mut case = standard.case.clone();
        case.headers
            .insert("webhook-signature".to_owned(), value.clone());
        let found = case.fault(&standard.signature, &[standard.secret], standard.now_ms);
        assert_eq!(found, expected, "{value}");
    }
    // As Svix names them.
    let mut svix = Case {
        headers: BTreeMap::new(),
        ..standard.case.clone()
    };
    for name in ["id", "timestamp", "signature"] {
        let value = standard.case.headers[&format!("webhook-{name}")].clone();
        svix.headers.insert(format!("svix-{name}"), value);
    }
    assert_eq!(
        svix.fault(&standard.signature, &[standard.secret], standard.now_ms),
        None
    );
    let stripe = vectors
        .iter()
        .find(|v| v.signature == Signature::Stripe)
        .unwrap();
    let mut case = stripe.case.clone();
    let value = case.headers["stripe-signature"].replace(",v1=", ",v0=00,v1=00,v1=");
    case.headers.insert("stripe-signature".to_owned(), value);
    assert_eq!(
        case.fault(&stripe.signature, &[stripe.secret], stripe.now_ms),
        None
    );
}

#[test]
fn a_shared_secret_may_come_in_three_places() {
    let signature = Signature::SharedSecret {
        header: "X-Token".to_owned(),
    };
    let check = |case: Case, expected| {
        assert_eq!(
            case.fault(&signature, &["a b+c&d"], 0),
            expected,
            "{case:?}"
        );
    };
    let mismatch = Some(SignatureFault::Mismatch);
    check(Case::new(&[("X-Token", "a b+c&d")], ""), None);
    check(Case::new(&[("Authorization", "Bearer a b+c&d")], ""), None);
    check(Case::new(&[("Authorization", "bearer a b+c&d")], ""), None);
    check(Case::default().with_query("x=1&key=a%20b%2Bc%26d"), None);
    check(
        Case::new(&[("X-Token", "wrong")], "").with_query("key=a+b%2Bc%26d"),
        None,
    );
    check(Case::new(&[("X-Token", "a b+c")], ""), mismatch);
    check(
        Case::new(&[("Authorization", "Basic a b+c&d")], ""),
        Some(SignatureFault::Missing),
    );
    check(
        Case::default().with_query("key="),
        Some(SignatureFault::Missing),
    );
    check(Case::default().with_query("key=A%20b%2Bc%26d"), mismatch);
}

/// Changes one bit of a text, unless it is no text then, or the same one in hexadecimal.
fn flipped(text: &str, bit: usize) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let place = bit / 8 % bytes.len();
    bytes[place] ^= 1 << (bit % 8);
    let changed = String::from_utf8(bytes).ok()?;
    let same = changed.eq_ignore_ascii_case(text) || changed.trim() == text.trim();
    (!same).then_some(changed)
}

proptest! {
    #[test]
    fn a_changed_bit_of_the_body_is_noticed(which in 0..6_usize, bit in any::<prop::sample::Index>()) {
        let Vector { signature, secret, now_ms, mut case } = vectors().swap_remove(which);
        let bit = bit.index(case.body.len() * 8);
        case.body[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(case.fault(&signature, &[secret], now_ms).is_some(), "{signature:?}");
    }

    #[test]
    fn a_changed_bit_of_a_header_is_noticed(
        which in 0..7_usize,
        name in any::<prop::sample::Index>(),
        bit in any::<prop::sample::Index>(),
    ) {
        let Vector { signature, secret, now_ms, mut case } = vectors().swap_remove(which);
        let names: Vec<String> = case.headers.keys().cloned().collect();
        let name = name.get(&names);
        let value = case.headers[name].clone();
        if let Some(changed) = flipped(&value, bit.index(value.len() * 8)) {
            case.headers.insert(name.clone(), changed.clone());
            let fault = case.fault(&signature, &[secret], now_ms);
            prop_assert!(fault.is_some(), "{signature:?} {name}: {changed}");
        }
    }

    #[test]
    fn what_we_sign_is_accepted_whatever_it_is(
        body in prop::collection::vec(any::<u8>(), 0..200),
        secret in "[ -~]{8,80}",
    ) {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(&body);
        let bytes = mac.finalize().into_bytes();
        let hex = bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02X}"));
        let signature = Signature::Hmac(HmacHeader {
            header: "X-Sig".to_owned(),
            hash: HmacHash::Sha256,
            encoding: HmacEncoding::Hex,
            prefix: String::new(),
        });
        let mut case = Case::new(&[("X-Sig", &hex)], "");
        case.body = body;
        prop_assert_eq!(case.fault(&signature, &[&secret], 0), None);
    }

    #[test]
    fn no_headers_make_a_verifier_panic(which in 0..7_usize, value in "\\PC{0,80}", query in "\\PC{0,40}") {
        let Vector { signature, secret, now_ms, mut case } = vectors().swap_remove(which);
        for given in case.headers.values_mut() {
            given.clone_from(&value);
        }
        case.query = query;
        let _ = case.fault(&signature, &[secret], now_ms);
    }
}
