//! Sinks: added in the browser, followed live, replayed.

use dash_tests::client::Client;
use dash_tests::upstream::{Reply, Upstream};
use serde_json::json;

use crate::newcomer;

#[tokio::test]
async fn a_webhook_is_added_and_its_deliveries_appear_and_are_replayed() {
    let (app, browser) = newcomer().await;
    browser.click("create-webhook").await;
    browser.fill("pipeline-name", "Shop orders").await;
    browser
        .press(&browser.find("form button[type=submit]").await)
        .await;
    let hook = browser.text_of("[data-testid=webhook-url]").await;
    let sender = Client::new(&app.url);
    sender.post(hook.trim(), &json!({ "total": 184.2 })).await;
    browser.find("[data-testid=first-event]").await;
    let pipelines = format!("{}/pipelines", app.url);
    browser.driver.goto(pipelines).await.unwrap();
    browser
        .press(&browser.find("main a[href*='/pipelines/pip_']").await)
        .await;
    browser.click("tab-sinks").await;
    browser
        .sees_in("[data-testid=no-sinks]", "No sinks yet")
        .await;
    browser.survey("sinks-empty").await;

    let target = Upstream::start(Reply::Json(json!({ "ok": true }))).await;
    browser.click("add-sink").await;
    browser.survey("sinks-kinds").await;
    browser.click("sink-kind-webhook").await;
    browser.fill("sink-name", "Warehouse").await;
    browser.fill("sink-url", &target.url).await;
    browser.sees_in("[data-testid=sink-preview]", "184.2").await;
    browser.survey("sinks-form").await;
    browser.click("save-sink").await;
    browser
        .sees_in("[data-testid=signing-secret]", "whsec_")
        .await;
    browser.click("send-test").await;
    browser
        .sees_in("[data-testid=test-result]", "It arrived")
        .await;
    browser.click("sink-done").await;
    browser
        .press(&browser.find("[data-testid=sink]").await)
        .await;

    // The log is live: what is stored now appears without a reload.
    sender.post(hook.trim(), &json!({ "total": 62.5 })).await;
    target.asked(2).await;
    browser.sees_in("[data-testid=sink-log]", "1 record").await;
    browser
        .sees_in("[data-testid=delivery-state]", "delivered")
        .await;
    browser.survey("sinks-log").await;
    browser
        .press(&browser.find("[data-testid=delivery]").await)
        .await;
    browser
        .sees_in("[data-testid=sink-log]", "webhook-signature")
        .await;
    browser.click("replay").await;
    target.asked(3).await;
    let requests = target.requests();
    assert_eq!(
        requests[1].header("webhook-id"),
        requests[2].header("webhook-id")
    );
    browser
        .sees_in("[data-testid=sink-log]", "1 record, replayed")
        .await;
    browser.has_a_clean_console().await;
    browser.close().await;
}
