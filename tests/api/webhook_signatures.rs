//! Webhooks whose senders prove who they are: with the services' own libraries, with secrets that
//! are changed, and what becomes of those who cannot.

use std::collections::BTreeMap;

use dash_tests::app::START_MS;
use dash_tests::client::Answer;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

use crate::graphql::node;

const SECRET: &str = "correct horse battery staple";
/// `Hello, World!` as GitHub's documentation signs it.
const GITHUB_SECRET: &str = "It's a Secret to Everybody";
const GITHUB_SIGNATURE: &str =
    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

type Headers = BTreeMap<String, String>;

async fn send(url: &str, headers: &Headers, body: impl Into<Vec<u8>>) -> Answer {
    let client = Client::new("");
    let mut request = client.http().post(url).body(body.into());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    Answer::read(request.send().await.unwrap()).await
}

/// A webhook that asks for proof; its id and URL.
async fn signed_webhook(client: &Client, signature: Value) -> (String, String) {
    let source = json!({ "webhook": { "signature": signature } });
    client
        .new_pipeline(json!({ "name": "Signed", "source": source }))
        .await
}

fn github(body: &str, secret: &str) -> Headers {
    let signature = hmac_hex(secret, body);
    [(
        "x-hub-signature-256".to_owned(),
        format!("sha256={signature}"),
    )]
    .into()
}

/// The HMAC of a body, as no library of Dash makes it.
fn hmac_hex(secret: &str, body: &str) -> String {
    use std::io::Write as _;
    let mut openssl = std::process::Command::new("node")
        .args([
            "-e",
            "const c = require('crypto'); let b = []; process.stdin.on('data', d => b.push(d)).on('end', \
             () => process.stdout.write(c.createHmac('sha256', process.argv[1]).update(Buffer.concat(b)).digest('hex')))",
            secret,
        ])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    openssl
        .stdin
        .take()
        .unwrap()
        .write_all(body.as_bytes())
        .unwrap();
    let done = openssl.wait_with_output().unwrap();
    String::from_utf8(done.stdout).unwrap()
}

async fn runs(client: &Client, id: &str) -> Vec<Value> {
    client.runs(id).await
}

async fn source(client: &Client, id: &str) -> Value {
    let query = "query ($id: ID!) { pipeline(id: $id) { version source { ... on WebhookSource { \
                 signature { scheme header hash encoding prefix hasSecret hasPreviousSecret } \
                 idempotency { by header path } } } } }";
    client.data(query, json!({ "id": id })).await["pipeline"]["source"].clone()
}

#[tokio::test]
async fn what_the_official_libraries_sign_is_taken_and_no_changed_byte_is() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let printed = node("sign-webhooks.mjs", &[&START_MS.to_string()]).await;
    let signed: Vec<Value> = serde_json::from_str(&printed).unwrap();
    assert_eq!(signed.len(), 4);
    for delivery in signed {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (scheme, secret) = (&delivery["scheme"], &delivery["secret"]);
        let signature = json!({ "scheme": scheme, "secret": secret });
        let (id, url) = signed_webhook(&ann, signature).await;
        let body = text(&delivery["body"]);
        let headers: Headers = delivery["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect();
        let taken = send(&url, &headers, body.clone()).await;
        assert_eq!(taken.status, 200, "{scheme}: {}", taken.text);
        assert_eq!(taken.json["stored"], 1);
        for place in 0..body.len() {
            let mut changed = body.clone().into_bytes();
            changed[place] ^= 1;
            let refused = send(&url, &headers, changed).await;
            assert_eq!(
                refused.status, 401,
                "{scheme} body {place}: {}",
                refused.text
            );
        }
        for (name, value) in &headers {
            for place in 0..value.len() {
                let mut changed = value.clone().into_bytes();
                changed[place] ^= 1;
                let mut headers = headers.clone();
                headers.insert(name.clone(), String::from_utf8(changed).unwrap());
                let refused = send(&url, &headers, body.clone()).await;
                assert_eq!(
                    refused.status, 401,
                    "{scheme} {name} {place}: {}",
                    refused.text
                );
            }
        }
        assert_eq!(ann.all_records(&id).await.len(), 1);
    }
}

#[tokio::test]
async fn who_proves_nothing_is_told_why_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let check = async |url: &str, headers: &[(&str, &str)], code: &str, header: &str| {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        let refused = send(url, &headers.collect(), "Hello, World!").await;
        assert_eq!(refused.status, 401, "{}", refused.text);
        let error = &refused.json["error"];
        assert_eq!(
            (&error["code"], &error["header"]),
            (&json!(code), &json!(header))
        );
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(header), "{message}");
    };
    let secret = json!({ "scheme": "GITHUB", "secret": GITHUB_SECRET });
    let (id, url) = signed_webhook(&ann, secret).await;
    let name = "X-Hub-Signature-256";
    check(&url, &[], "SIGNATURE_MISSING", name).await;
    check(&url, &[(name, "sha1=00")], "SIGNATURE_MALFORMED", name).await;
    check(&url, &[(name, "sha256=00")], "SIGNATURE_MISMATCH", name).await;
    // What is well signed and cannot be read is told to be that.
    let unreadable = [(name.to_owned(), GITHUB_SIGNATURE.to_owned())].into();
    let unreadable = send(&url, &unreadable, "Hello, World!").await;
    assert_eq!(
        unreadable.json["error"]["code"], "NOT_JSON",
        "{}",
        unreadable.text
    );
    assert_eq!(ann.pipeline(&id).await["recordCount"], 0.0);

    let slack = json!({ "scheme": "SLACK", "secret": SECRET });
    let (_, slack) = signed_webhook(&ann, slack).await;
    let signature = ("x-slack-signature", "v0=00");
    let time = |seconds: i64| (START_MS / 1_000 + seconds).to_string();
    let name = "X-Slack-Request-Timestamp";
    check(&slack, &[signature], "SIGNATURE_MISSING", name).await;
    check(
        &slack,
        &[signature, (name, &time(-301))],
        "SIGNATURE_TOO_OLD",
        name,
    )
    .await;
    check(
        &slack,
        &[signature, (name, &time(301))],
        "SIGNATURE_TOO_NEW",
        name,
    )
    .await;
    let name = "X-Slack-Signature";
    check(
        &slack,
        &[signature, ("x-slack-request-timestamp", &time(0))],
        "SIGNATURE_MISMATCH",
        name,
    )
    .await;
}

#[tokio::test]
async fn a_pipelines_owner_sees_that_deliveries_were_refused_once_a_minute() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let secret = json!({ "scheme": "GITHUB", "secret": SECRET });
    let (id, url) = signed_webhook(&ann, secret).await;
    let beside = app.beside().await;
    let other_url = url.replace(&app.url, &beside.url);
    let none = Headers::new();
    let wrong = [("x-hub-signature-256".to_owned(), "sha256=00".to_owned())].into();
    for _ in 0..5 {
        send(&url, &none, "{}").await;
        send(&other_url, &none, "{}").await;
    }
    let told = |run: &Value| json!([run["state"], run["trigger"], run["error"]["code"]]);
    let found = runs(&ann, &id).await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        told(&found[0]),
        json!(["FAILED", "WEBHOOK", "INVALID_SIGNATURE"])
    );
    let message = found[0]["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("X-Hub-Signature-256 is missing"),
        "{message}"
    );
    assert!(!message.contains(SECRET));
    send(&url, &wrong, "{}").await;
    assert_eq!(runs(&ann, &id).await.len(), 2, "another reason");
    app.clock.advance_ms(60_000);
    send(&url, &none, "{}").await;
    assert_eq!(runs(&ann, &id).await.len(), 3, "another minute");
    let metrics = ann.get("/metrics").await.text;
    assert!(
        metrics.contains("dash_webhooks_refused_total{reason=\"missing\"}"),
        "{metrics}"
    );
    // A pipeline does not fail because strangers knock.
    assert_eq!(ann.pipeline(&id).await["state"], "RUNNING");
}

#[tokio::test]
async fn a_secret_is_changed_without_a_gap() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let first = "first secret of all";
    let secret = json!({ "scheme": "GITHUB", "secret": first });
    let (id, url) = signed_webhook(&ann, secret).await;
    let body = r#"{"n":1}"#;
    let status = async |secret: &str| {
        send(&url, &github(body, secret), body)
            .await
            .status
            .as_u16()
    };
    assert_eq!(status(first).await, 200);
    let selection = "secret pipeline { version source { ... on WebhookSource { signature { \
                     hasSecret hasPreviousSecret } } } }";
    let rotated = ann
        .done("rotateWebhookSecret", selection, json!({ "id": id }))
        .await;
    let second = rotated["secret"].as_str().unwrap().to_owned();
    assert_eq!(second.len(), 64);
    let signature = &rotated["pipeline"]["source"]["signature"];
    assert_eq!(
        signature,
        &json!({"hasSecret": true, "hasPreviousSecret": true})
    );
    assert_eq!((status(first).await, status(&second).await), (200, 200));
    // Of three, the newest two are good.
    let third = "third secret, my own";
    let input = json!({ "id": id, "secret": third });
    let rotated = ann.done("rotateWebhookSecret", selection, input).await;
    assert_eq!(rotated["secret"], Value::Null, "who brought it knows it");
    assert_eq!(status(first).await, 401);
    assert_eq!((status(&second).await, status(third).await), (200, 200));
    let input = json!({ "id": id });
    ann.done("removePreviousWebhookSecret", "pipeline { id }", input)
        .await;
    assert_eq!((status(&second).await, status(third).await), (401, 200));
    let input = json!({ "id": id, "secret": first, "keepPrevious": false });
    ann.done("rotateWebhookSecret", selection, input).await;
    assert_eq!((status(first).await, status(third).await), (200, 401));
    assert_eq!(ann.pipeline(&id).await["version"], 5);
}

#[tokio::test]
async fn no_secret_is_ever_read_back() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let input = json!({
        "name": "Signed",
        "source": { "webhook": { "signature": {
            "scheme": "STANDARD_WEBHOOKS", "generateSecret": true,
        } } },
    });
    let selection = "webhookSecret pipeline { id }";
    let made = ann.done("createPipeline", selection, input).await;
    let id = made["pipeline"]["id"].as_str().unwrap();
    let secret = made["webhookSecret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"), "{secret}");
    ann.done(
        "rotateWebhookSecret",
        "pipeline { id }",
        json!({ "id": id, "secret": secret }),
    )
    .await;
    let stored = app.everything_stored().await;
    let key = secret.strip_prefix("whsec_").unwrap().as_bytes();
    assert!(!stored.windows(key.len()).any(|window| window == key));
    let shown = source(&ann, id).await;
    let expected = json!({
        "scheme": "STANDARD_WEBHOOKS", "header": null, "hash": null, "encoding": null,
        "prefix": null, "hasSecret": true, "hasPreviousSecret": true,
    });
    assert_eq!(shown["signature"], expected);
    // What could not be made has no secret to show.
    let input = json!({
        "name": "",
        "source": { "webhook": { "signature": { "scheme": "GITHUB", "generateSecret": true } } },
    });
    let refused = ann.mutate("createPipeline", selection, input).await;
    assert_eq!(refused["webhookSecret"], Value::Null);
}

#[tokio::test]
async fn what_is_left_out_of_an_update_stays() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let hmac = json!({
        "scheme": "HMAC", "header": "X-Sig", "hash": "SHA512", "encoding": "BASE64",
        "prefix": "v=", "secret": SECRET,
    });
    let (id, url) = signed_webhook(&ann, hmac).await;
    let update = async |webhook: Value| {
        let input = json!({ "id": id, "source": { "webhook": webhook } });
        ann.mutate("updatePipeline", "pipeline { id }", input).await["userErrors"].clone()
    };
    let idempotency = json!({ "by": "HEADER", "header": "X-Event" });
    assert_eq!(
        update(json!({ "idempotency": idempotency })).await,
        json!([])
    );
    let now = source(&ann, &id).await;
    let expected = json!({
        "scheme": "HMAC", "header": "X-Sig", "hash": "SHA512", "encoding": "BASE64",
        "prefix": "v=", "hasSecret": true, "hasPreviousSecret": false,
    });
    assert_eq!(now["signature"], expected);
    assert_eq!(
        now["idempotency"],
        json!({"by": "HEADER", "header": "X-Event", "path": null})
    );
    assert_eq!(ann.pipeline(&id).await["source"]["url"], url);
    // The same scheme keeps its secret, another one needs its own.
    let changed = json!({ "signature": { "scheme": "HMAC", "header": "X-Other" } });
    assert_eq!(update(changed).await, json!([]));
    let other = update(json!({ "signature": { "scheme": "GITHUB" } })).await;
    let field = json!(["source", "webhook", "signature", "secret"]);
    assert_eq!(
        (&other[0]["field"], &other[0]["code"]),
        (&field, &json!("REQUIRED"))
    );
    assert_eq!(
        update(json!({ "signature": { "scheme": "NONE" } })).await,
        json!([])
    );
    assert_eq!(source(&ann, &id).await["signature"]["hasSecret"], false);
    assert_eq!(ann.post(&url, &json!({"n": 1})).await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_with_a_webhook_is_told_with_its_field() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let check = async |webhook: Value, expected: &[&str]| {
        let input = json!({ "name": "Hook", "source": { "webhook": webhook } });
        assert_eq!(
            ann.user_errors("createPipeline", input).await,
            expected,
            "{webhook}"
        );
    };
    let signature = |signature: Value| json!({ "signature": signature });
    let secret = "source.webhook.signature.secret";
    check(
        signature(json!({"scheme": "STRIPE"})),
        &[&format!("{secret} REQUIRED")],
    )
    .await;
    check(
        signature(json!({"scheme": "SLACK", "secret": "short"})),
        &[&format!("{secret} TOO_SHORT")],
    )
    .await;
    let standard = json!({"scheme": "STANDARD_WEBHOOKS", "secret": "whsec_not base64"});
    check(signature(standard), &[&format!("{secret} INVALID")]).await;
    let hmac = json!({"scheme": "HMAC", "secret": SECRET});
    check(
        signature(hmac),
        &["source.webhook.signature.header INVALID"],
    )
    .await;
    let by = |idempotency: Value| json!({ "idempotency": idempotency });
    check(
        by(json!({"by": "HEADER"})),
        &["source.webhook.idempotency.header INVALID"],
    )
    .await;
    check(
        by(json!({"by": "BODY_PATH"})),
        &["source.webhook.idempotency.path REQUIRED"],
    )
    .await;
    check(
        by(json!({"by": "RECORD_PATH", "path": "id["})),
        &["source.webhook.idempotency.path INVALID"],
    )
    .await;
    let (id, _) = ann.new_webhook("Plain").await;
    let errors = ann
        .user_errors("rotateWebhookSecret", json!({ "id": id }))
        .await;
    assert_eq!(errors, ["id INVALID"]);
}

#[tokio::test]
async fn slacks_question_is_answered_when_it_is_slacks() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let secret = json!({ "scheme": "SLACK", "secret": SECRET });
    let (id, url) = signed_webhook(&ann, secret).await;
    let body = json!({"type": "url_verification", "token": "x", "challenge": "3eZbrw1aB10"});
    let body = body.to_string();
    let time = (START_MS / 1_000).to_string();
    let signature = hmac_hex(SECRET, &format!("v0:{time}:{body}"));
    let mut headers: Headers = [
        ("x-slack-signature".to_owned(), format!("v0={signature}")),
        ("x-slack-request-timestamp".to_owned(), time),
        ("content-type".to_owned(), "application/json".to_owned()),
    ]
    .into();
    let answer = send(&url, &headers, body.clone()).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json),
        (200, json!({"challenge": "3eZbrw1aB10"}))
    );
    assert_eq!(ann.pipeline(&id).await["recordCount"], 0.0);
    assert_eq!(runs(&ann, &id).await.len(), 0);
    headers.insert("x-slack-signature".to_owned(), "v0=00".to_owned());
    assert_eq!(send(&url, &headers, body.clone()).await.status, 401);
    // To a webhook that is not Slack's, it is a record like any other.
    let (_, plain) = ann.new_webhook("Plain").await;
    assert_eq!(send(&plain, &Headers::new(), body).await.json["stored"], 1);
}

#[tokio::test]
async fn a_shared_secret_is_taken_from_a_header_a_token_or_the_url() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let secret = json!({ "scheme": "SHARED_SECRET", "secret": SECRET });
    let (id, url) = signed_webhook(&ann, secret).await;
    assert_eq!(
        source(&ann, &id).await["signature"]["header"],
        "X-Webhook-Secret"
    );
    let with = |name: &str, value: &str| -> Headers { [(name.into(), value.into())].into() };
    let in_url = format!("{url}?key={}", SECRET.replace(' ', "+"));
    assert_eq!(
        send(&url, &with("x-webhook-secret", SECRET), "{}")
            .await
            .status,
        200
    );
    let bearer = with("authorization", &format!("Bearer {SECRET}"));
    assert_eq!(send(&url, &bearer, "{}").await.status, 200);
    assert_eq!(send(&in_url, &Headers::new(), "{}").await.status, 200);
    assert_eq!(send(&url, &Headers::new(), "{}").await.status, 401);
    assert_eq!(
        send(&format!("{in_url}x"), &Headers::new(), "{}")
            .await
            .status,
        401
    );
}
