//! Editing a dashboard: what is added, moved, undone and saved.

use serde_json::json;

use crate::newcomer;

const RECORDS: &str = "[data-testid='widget-Records']";

#[tokio::test]
async fn a_widget_is_added_moved_and_saved() {
    let (app, browser) = newcomer().await;
    let owner = app
        .logged_in("ann@corp.test", "correct horse battery")
        .await;
    let (pipeline, url) = owner.new_webhook("Orders").await;
    owner
        .post(&url, &json!({"total": 12.5, "country": "DE"}))
        .await;
    let input = json!({"name": "Orders", "pipelineId": pipeline});
    let made = owner
        .done("createDashboard", "dashboard { id }", input)
        .await;
    let id = made["dashboard"]["id"].as_str().unwrap().to_owned();

    browser
        .driver
        .goto(format!("{}/dashboards/{id}", app.url))
        .await
        .unwrap();
    browser.sees_in(RECORDS, "1").await;
    browser.click("edit-dashboard").await;
    browser.click("add-widget").await;
    browser.find("[data-testid=widget-editor]").await;
    browser.fill("widget-title", "Turnover").await;
    browser.screenshot("widget-editor").await;
    browser.click("widget-apply").await;
    browser.find("[data-testid='widget-Turnover']").await;
    browser.screenshot("dashboard-editing").await;
    browser.click("undo").await;
    browser
        .wait_for("no added widget", "body", |shown| {
            !shown.contains("Turnover")
        })
        .await;
    browser.click("redo").await;
    browser.find("[data-testid='widget-Turnover']").await;
    browser.click("save-dashboard").await;
    browser.find("[data-testid=edit-dashboard]").await;

    let query = "query ($id: ID!) { dashboard(id: $id) { version widgets { title } } }";
    let saved = owner.data(query, json!({ "id": id })).await;
    let titles: Vec<_> = saved["dashboard"]["widgets"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    assert!(
        titles.iter().any(|widget| widget["title"] == "Turnover"),
        "{titles:?}"
    );
    assert_eq!(saved["dashboard"]["version"], 2);
    browser.has_a_clean_console().await;
    browser.close().await;
}
