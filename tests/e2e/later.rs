//! What a page can do without at first, and is fetched when it is asked for; and what comes back by
//! itself after a lost connection.

use dash_tests::browser::Browser;
use dash_tests::{Client, TestApp};
use serde_json::json;

use crate::newcomer;

/// A pipeline with one record, and a dashboard that shows it, by its id. Returns the address that
/// takes records too.
async fn orders(app: &TestApp) -> (String, String, Client) {
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
    let id = made["dashboard"]["id"].as_str().unwrap_or_default();
    (id.to_owned(), url, owner)
}

async fn open(browser: &Browser, app: &TestApp, path: &str) {
    let opened = browser.driver.goto(format!("{}{path}", app.url)).await;
    assert!(opened.is_ok(), "{opened:?}");
}

#[tokio::test]
async fn what_is_fetched_later_opens_when_it_is_asked_for() {
    let (app, browser) = newcomer().await;
    browser.click("open-palette").await;
    browser.fill("palette-input", "dashboards").await;
    browser.press(&browser.find("#palette-0").await).await;
    browser.find("[data-testid=dashboards-empty]").await;
    browser
        .script("dispatchEvent(new KeyboardEvent('keydown', { key: '?' }))")
        .await;
    browser
        .sees_in("[data-testid=shortcuts]", "Go to Pipelines")
        .await;

    open(&browser, &app, "/dashboards").await;
    browser.click("new-dashboard").await;
    browser.fill("dashboard-name", "Web shop").await;
    browser.click("create-dashboard").await;
    browser
        .sees_in("[data-testid=page-title]", "Web shop")
        .await;
    browser.click("dashboard-menu").await;
    browser.click("rename-dashboard").await;
    browser.fill("rename-name", "Book shop").await;
    browser.click("rename-save").await;
    browser
        .sees_in("[data-testid=page-title]", "Book shop")
        .await;

    let (id, ..) = orders(&app).await;
    open(&browser, &app, &format!("/dashboards/{id}")).await;
    browser
        .press(&browser.find("[data-testid=record-row]").await)
        .await;
    browser
        .sees_in("[data-testid=record-drawer]", "\"country\": \"DE\"")
        .await;
    browser.has_a_clean_console().await;
    browser.close().await;
}

#[tokio::test]
async fn a_widget_is_moved_with_keys_and_with_the_pointer() {
    let (app, browser) = newcomer().await;
    let (id, ..) = orders(&app).await;
    open(&browser, &app, &format!("/dashboards/{id}")).await;
    browser.click("edit-dashboard").await;
    browser.find(".tile-grab").await;
    let place = "return document.querySelector('.tile').style.getPropertyValue('--x')";
    let before = browser.script(place).await;
    browser
        .script(
            "const tile = document.querySelector('.tile'); tile.focus();
             tile.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }))",
        )
        .await;
    let moved = browser.script(place).await;
    assert_ne!(moved, before);
    browser
        .script(
            "const grab = document.querySelector('.tile-grab');
             const at = (type, clientX) => grab.dispatchEvent(new PointerEvent(
               type, { clientX, clientY: 200, button: 0, pointerId: 1, bubbles: true }));
             at('pointerdown', 400); at('pointermove', 1000); at('pointerup', 1000)",
        )
        .await;
    assert_ne!(browser.script(place).await, moved);
    browser.click("undo").await;
    assert_eq!(browser.script(place).await, moved);
    browser.close().await;
}

#[tokio::test]
async fn a_lost_connection_comes_back_and_misses_nothing() {
    let (app, browser) = newcomer().await;
    let (id, url, owner) = orders(&app).await;
    open(&browser, &app, &format!("/dashboards/{id}")).await;
    let records = "[data-testid='widget-Records'] [data-testid=stat-value]";
    browser.sees_in(records, "1").await;
    browser.sees_in("[data-testid=page-actions]", "Live").await;
    browser.script("dispatchEvent(new Event('offline'))").await;
    owner
        .post(&url, &json!({"total": 3, "country": "FR"}))
        .await;
    browser.script("dispatchEvent(new Event('online'))").await;
    browser.sees_in(records, "2").await;
    browser.sees_in("[data-testid=page-actions]", "Live").await;
    owner
        .post(&url, &json!({"total": 4, "country": "IT"}))
        .await;
    browser.sees_in(records, "3").await;
    browser.has_a_clean_console().await;
    browser.close().await;
}
