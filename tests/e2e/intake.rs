//! Data that is sent or handed over: a webhook that asks its senders for proof, and a file.

use std::io::Write as _;

use dash_tests::client::{Answer, Client};
use serde_json::{Value, json};

use crate::newcomer;

const SECRET: &str = "correct horse battery";
/// What is sent, and its signature as OpenSSL makes it with [`SECRET`].
const BODY: &str = r#"{"total":184.2,"country":"DE"}"#;
const SIGNATURE: &str = "sha256=811d88982ea114aecf52ca9250858ed4f4902be363bbbfd5d07c31741f0e9a21";

async fn deliver(sender: &Client, url: &str, signature: Option<&str>) -> (u16, Value) {
    let mut request = sender.http().post(url).body(BODY);
    if let Some(signature) = signature {
        request = request.header("x-hub-signature-256", signature);
    }
    let sent = request.send().await;
    #[expect(
        clippy::expect_used,
        reason = "a test that cannot go on fails by panicking"
    )]
    let answer = Answer::read(sent.expect("Dash answers")).await;
    (answer.status.as_u16(), answer.json)
}

#[tokio::test]
async fn a_webhook_takes_what_github_signs_and_nothing_else() {
    let (app, browser) = newcomer().await;
    browser.click("create-webhook").await;
    browser.fill("pipeline-name", "Repository").await;
    browser.click("create-pipeline").await;
    browser.find("[data-testid=waiting-for-event]").await;
    let url = browser.text_of("[data-testid=webhook-url]").await;
    browser.choose("sender-scheme", "GitHub").await;
    browser.fill("sender-secret", SECRET).await;
    browser
        .sees_in("[data-testid=signed-snippet]", "X-Hub-Signature-256")
        .await;
    browser.click("save-senders").await;
    browser
        .sees_in("[data-testid=secrets]", "A secret is set")
        .await;
    browser.screenshot("webhook-signed").await;
    let (sender, url) = (Client::new(&app.url), url.trim());
    let (status, answer) = deliver(&sender, url, None).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (401, &json!("SIGNATURE_MISSING"))
    );
    let (status, answer) = deliver(&sender, url, Some(SIGNATURE)).await;
    assert_eq!((status, &answer["stored"]), (200, &json!(1)), "{answer}");
    browser.sees_in("[data-testid=first-event]", "184.2").await;

    // A second secret is good beside the first, which is then taken away.
    let path = browser.path().await;
    let (_, id) = path.split_once("id=").expect("it works");
    let tab = format!("{}/pipelines/{id}/source", app.url);
    browser.driver.goto(tab).await.expect("it works");
    browser.click("add-secret").await;
    browser
        .fill("sender-secret", "another secret of ours")
        .await;
    browser.click("save-secret").await;
    browser
        .sees_in("[data-testid=secrets]", "Two secrets are good")
        .await;
    browser.survey("webhook-secrets").await;
    assert_eq!(deliver(&sender, url, Some(SIGNATURE)).await.0, 200);
    browser.click("remove-secret").await;
    browser.click("confirm-go").await;
    browser
        .sees_in("[data-testid=secrets]", "A secret is set")
        .await;
    assert_eq!(deliver(&sender, url, Some(SIGNATURE)).await.0, 401);
    browser.has_a_clean_console().await;
    browser.close().await;
}

#[tokio::test]
async fn a_csv_is_handed_over_and_becomes_records() {
    let (app, browser) = newcomer().await;
    browser.click("upload-file").await;
    browser.fill("pipeline-name", "Orders of last year").await;
    browser.click("create-pipeline").await;
    browser.find("[data-testid=drop-zone]").await;
    let mut file = tempfile::Builder::new()
        .suffix(".csv")
        .tempfile()
        .expect("it works");
    let rows = (0..2_500).map(|n| format!("{n},Berlin\n"));
    let text = format!("order,city\n{}not enough\n", rows.collect::<String>());
    file.write_all(text.as_bytes()).expect("it works");
    let input = browser.find("input[data-testid=file-input]").await;
    input
        .send_keys(file.path().to_str().expect("it works"))
        .await
        .expect("it works");
    browser
        .sees_in("[data-testid=uploads]", "2,500 records stored")
        .await;
    browser
        .sees_in("[data-testid=upload-errors]", "Line 2502")
        .await;
    browser.survey("file-handed-over").await;
    browser.click("go-to-pipeline").await;
    browser
        .sees_in("[data-testid=pipeline-page]", "Orders of last year")
        .await;
    browser.sees_in("[data-testid=event-table]", "Berlin").await;
    // The tab of the source takes further files, and knows this one.
    let path = browser.path().await;
    browser
        .driver
        .goto(format!("{}{path}/source", app.url))
        .await
        .expect("it works");
    let input = browser.find("input[data-testid=file-input]").await;
    browser
        .sees_in("[data-testid=uploads]", "2,500 records stored")
        .await;
    input
        .send_keys(file.path().to_str().expect("it works"))
        .await
        .expect("it works");
    browser
        .sees_in("[data-testid=uploads]", "2,500 were there before")
        .await;
    browser.has_a_clean_console().await;
    browser.close().await;
}
