//! The services that send webhooks: their names, where their secret comes from, and code that signs
//! as they do.

use super::operations::WebhookSignatureScheme as Scheme;
use crate::components::SelectOption;

/// Every scheme with the word it has in the form.
const SCHEMES: [(Scheme, &str, &str); 8] = [
    (Scheme::None, "none", "Anybody who knows the URL"),
    (Scheme::Github, "github", "GitHub"),
    (Scheme::Stripe, "stripe", "Stripe"),
    (Scheme::Shopify, "shopify", "Shopify"),
    (Scheme::Slack, "slack", "Slack"),
    (
        Scheme::StandardWebhooks,
        "standard",
        "Standard Webhooks (Svix and many others)",
    ),
    (
        Scheme::SharedSecret,
        "shared",
        "A shared secret in a header",
    ),
    (Scheme::Hmac, "hmac", "Another service (HMAC in a header)"),
];

/// What can be chosen.
pub fn options() -> Vec<SelectOption> {
    let options = SCHEMES.iter();
    options
        .map(|(_, word, name)| SelectOption::new(*word, *name))
        .collect()
}

/// The word of a scheme in the form.
pub fn word(scheme: Scheme) -> &'static str {
    let found = SCHEMES.iter().find(|(one, ..)| *one == scheme);
    found.map_or("none", |(_, word, _)| word)
}

/// The scheme with a word.
pub fn scheme(word: &str) -> Scheme {
    let found = SCHEMES.iter().find(|(_, one, _)| *one == word);
    found.map_or(Scheme::None, |(scheme, ..)| *scheme)
}

/// Whether the service makes the secret up.
pub const fn comes_from_sender(scheme: Scheme) -> bool {
    matches!(scheme, Scheme::Stripe | Scheme::Shopify | Scheme::Slack)
}

/// Where the secret is found, or goes.
pub const fn hint(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Stripe => {
            "In Stripe under Developers, Webhooks: the endpoint’s signing secret, with its whsec_."
        }
        Scheme::Shopify => {
            "In Shopify under Settings, Notifications, Webhooks; for an app, its client secret."
        }
        Scheme::Slack => "In Slack under your app’s Basic Information: the signing secret.",
        Scheme::Github => {
            "The same as in the webhook’s settings at GitHub. Leave it empty and Dash makes one."
        }
        Scheme::StandardWebhooks => {
            "It begins with whsec_. Leave it empty and Dash makes one for the sender."
        }
        _ => "The sender needs the same one. Leave it empty and Dash makes one.",
    }
}

/// What a shell needs to send a signed event to a URL.
pub fn code(scheme: Scheme, url: &str, header: &str) -> String {
    let begin = "BODY='{\"total\": 12.5}'\nSECRET='your secret'\n";
    let hex = |what: &str| {
        format!(
            "SIGNATURE=$(printf %s \"{what}\" | openssl dgst -sha256 -hmac \"$SECRET\" -hex | sed 's/.* //')\n"
        )
    };
    let send = |headers: &str| format!("curl '{url}' \\\n{headers}  --data-binary \"$BODY\"");
    let time = "TIME=$(date +%s)\n";
    match scheme {
        Scheme::None => format!("curl '{url}' -d '{{\"total\": 12.5}}'"),
        Scheme::SharedSecret => {
            format!(
                "{begin}{}",
                send(&format!("  -H \"{header}: $SECRET\" \\\n"))
            )
        }
        Scheme::StandardWebhooks => format!(
            "{begin}ID=msg_1\n{time}KEY=$(printf %s \"${{SECRET#whsec_}}\" | base64 -d | xxd -p -c 256)\n\
             SIGNATURE=$(printf %s \"$ID.$TIME.$BODY\" | openssl dgst -sha256 -mac hmac -macopt \"hexkey:$KEY\" -binary | base64)\n{}",
            send(
                "  -H \"webhook-id: $ID\" -H \"webhook-timestamp: $TIME\" \\\n  -H \"webhook-signature: v1,$SIGNATURE\" \\\n"
            )
        ),
        Scheme::Stripe => format!(
            "{begin}{time}{}{}",
            hex("$TIME.$BODY"),
            send("  -H \"Stripe-Signature: t=$TIME,v1=$SIGNATURE\" \\\n")
        ),
        Scheme::Github => format!(
            "{begin}{}{}",
            hex("$BODY"),
            send("  -H \"X-Hub-Signature-256: sha256=$SIGNATURE\" \\\n")
        ),
        Scheme::Shopify => format!(
            "{begin}SIGNATURE=$(printf %s \"$BODY\" | openssl dgst -sha256 -hmac \"$SECRET\" -binary | base64)\n{}",
            send("  -H \"X-Shopify-Hmac-Sha256: $SIGNATURE\" \\\n")
        ),
        Scheme::Slack => format!(
            "{begin}{time}{}{}",
            hex("v0:$TIME:$BODY"),
            send(
                "  -H \"X-Slack-Request-Timestamp: $TIME\" -H \"X-Slack-Signature: v0=$SIGNATURE\" \\\n"
            )
        ),
        Scheme::Hmac => format!(
            "{begin}{}{}",
            hex("$BODY"),
            send(&format!("  -H \"{header}: $SIGNATURE\" \\\n"))
        ),
    }
}
