//! The transform editor: steps of several kinds made from nothing, on real records.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails by panicking"
)]

use serde_json::{Value, json};
use thirtyfour::Key;

use crate::newcomer;
use dash_tests::browser::Browser;

/// The form that is open.
const FORM: &str = "[data-testid=step-form]";

/// Adds a step of this kind with the picker.
async fn add(browser: &Browser, kind: &str) {
    browser.click("add-step").await;
    browser.click(&format!("pick-{kind}")).await;
    browser.find(FORM).await;
}

/// Types into the inputs of the open form that a selector finds, the first ones first.
async fn fill(browser: &Browser, css: &str, texts: &[&str]) {
    browser.find(&format!("{FORM} {css}")).await;
    let found = browser
        .driver
        .find_all(thirtyfour::By::Css(format!("{FORM} {css}")))
        .await
        .unwrap();
    for (input, text) in found.iter().zip(texts) {
        input.clear().await.unwrap();
        input.send_keys(*text).await.unwrap();
        // What is suggested is not wanted.
        input.send_keys(Key::Escape).await.unwrap();
    }
}

#[tokio::test]
async fn a_transform_is_made_from_nothing_and_runs() {
    let (app, browser) = newcomer().await;
    let owner = app
        .logged_in("ann@corp.test", "correct horse battery")
        .await;
    let (pipeline, url) = owner.new_webhook("Orders").await;
    owner
        .post(
            &url,
            &json!({"order": "A-1", "total": "119", "card": "4111111111111111", "note": "x"}),
        )
        .await;
    owner
        .post(
            &url,
            &json!({"order": "A-2", "total": "5", "card": "4111111111112222", "note": "y"}),
        )
        .await;
    browser
        .driver
        .goto(format!("{}/pipelines/{pipeline}/transform", app.url))
        .await
        .unwrap();
    browser.find("[data-testid=no-steps]").await;
    browser.sees_in("[data-testid=outcome]", "A-2").await;

    // A number is made of a text, a field is worked out, small orders are left out.
    add(&browser, "cast").await;
    fill(&browser, "[data-testid=field-box]", &["total"]).await;
    add(&browser, "calculate").await;
    fill(&browser, "[data-testid=field-box]", &["net"]).await;
    fill(&browser, "[data-testid=source]", &["round(total / 1.19, "]).await;
    browser.find("[data-testid=source-error]").await;
    browser.screenshot("transform-formula").await;
    fill(
        &browser,
        "[data-testid=source]",
        &["round(total / 1.19, 2)"],
    )
    .await;
    browser.sees_in("[data-testid=outcome]", "100").await;
    add(&browser, "filter").await;
    fill(&browser, "[data-testid=field-box]", &["total"]).await;
    browser.choose("condition-comparison", "is more than").await;
    fill(&browser, "[data-testid=condition-value]", &["20"]).await;
    browser
        .sees_in("[data-testid=preview-summary]", "1 of 2 records")
        .await;
    browser.sees("Keep records where total > 20").await;
    add(&browser, "mask").await;
    let card = browser
        .driver
        .find(thirtyfour::By::XPath(
            "//label[.//span[text()='card']]//input",
        ))
        .await
        .unwrap();
    card.click().await.unwrap();
    browser.choose("mask-style", "Keep the last").await;
    browser.sees_in("[data-testid=outcome]", "•••1111").await;
    browser
        .sees_in("[data-testid=preview-by]", "in the browser")
        .await;

    // Undo takes back the last choice, redo brings it again.
    browser.click("steps-undo").await;
    browser
        .wait_for("no masked card", "[data-testid=outcome]", |shown| {
            !shown.contains("•••1111")
        })
        .await;
    browser.click("steps-redo").await;
    browser.sees_in("[data-testid=outcome]", "•••1111").await;
    browser.survey("transform-editor").await;

    browser.click("save").await;
    browser.sees("The transform is saved").await;
    owner
        .post(
            &url,
            &json!({"order": "A-3", "total": "238", "card": "4111111111113333"}),
        )
        .await;
    owner
        .post(&url, &json!({"order": "A-4", "total": "2"}))
        .await;
    let records = owner.all_records(&pipeline).await;
    let fields: Vec<&Value> = records.iter().map(|record| &record["fields"]).collect();
    assert!(
        fields.contains(&&json!({"order": "A-3", "total": 238, "card": "•••3333", "net": 200})),
        "{fields:?}"
    );
    assert!(!fields.iter().any(|fields| fields["order"] == "A-4"));
    browser.has_a_clean_console().await;
    browser.close().await;
}

#[tokio::test]
async fn steps_of_every_kind_survive_the_editor() {
    let (app, browser) = newcomer().await;
    let owner = app
        .logged_in("ann@corp.test", "correct horse battery")
        .await;
    let steps = json!([
        { "kind": "explode", "field": "items", "keep_empty": true, "on_error": "keep" },
        { "kind": "set", "fields": [{ "field": "source", "value": { "a": [1, null] } }] },
        { "kind": "filter", "formula": "total > 1" },
    ]);
    let input = json!({ "name": "Steps", "source": { "webhook": {} }, "steps": steps });
    let (pipeline, _) = owner.new_pipeline(input).await;
    let query = "query ($id: ID!) { pipeline(id: $id) { steps } }";
    let before = owner.data(query, json!({ "id": pipeline })).await;
    browser
        .driver
        .goto(format!("{}/pipelines/{pipeline}/transform", app.url))
        .await
        .unwrap();
    // The second step moves up with the keyboard; nothing else changes.
    browser.sees("Keep records where total > 1").await;
    let heads = browser
        .driver
        .find_all(thirtyfour::By::Css("[data-testid=step-open]"))
        .await
        .unwrap();
    heads[1].send_keys(Key::Alt + Key::Up).await.unwrap();
    browser.click("save").await;
    browser.sees("The transform is saved").await;
    let after = owner.data(query, json!({ "id": pipeline })).await;
    let moved = |steps: &Value| {
        let steps = &steps["pipeline"]["steps"];
        json!([steps[1], steps[0], steps[2]])
    };
    assert_eq!(after["pipeline"]["steps"], moved(&before));
    browser.has_a_clean_console().await;
    browser.close().await;
}
