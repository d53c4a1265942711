//! The three doors of the home page: each leads to live data.

use dash_tests::client::Client;
use dash_tests::upstream::{Reply, Upstream};
use serde_json::json;

use crate::newcomer;

#[tokio::test]
async fn the_demo_shows_a_live_dashboard_at_one_click() {
    let (app, browser) = newcomer().await;
    browser.screenshot("home-newcomer").await;
    browser.click("start-demo").await;
    browser.sees_in("[data-testid='widget-Revenue']", "€").await;
    browser
        .sees_in("[data-testid='widget-Latest orders']", "ord_")
        .await;
    browser
        .find("[data-testid='widget-Revenue by channel'] canvas")
        .await;
    let orders = "[data-testid='widget-Orders'] [data-testid=stat-value]";
    let count = |text: &str| -> Option<u64> {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let before = browser
        .wait_for("a number of orders", orders, |text| count(text) > Some(0))
        .await;
    // The shop goes on selling: the figure rises without a reload.
    browser
        .wait_for("more orders", orders, |text| count(text) > count(&before))
        .await;
    browser.survey("demo-dashboard").await;
    for (name, path, shown) in [
        ("dashboards", "/dashboards", "Demo web shop"),
        ("pipelines", "/pipelines", "Demo shop orders"),
        ("home-with-data", "/", "Demo web shop"),
    ] {
        browser
            .driver
            .goto(format!("{}{path}", app.url))
            .await
            .unwrap();
        browser.sees_in("main", shown).await;
        browser.survey(name).await;
    }
    browser.has_a_clean_console().await;
    browser.close().await;
}

#[tokio::test]
async fn a_webhook_shows_its_first_event_and_makes_a_dashboard() {
    let (app, browser) = newcomer().await;
    browser.click("create-webhook").await;
    browser.fill("pipeline-name", "Shop orders").await;
    browser
        .press(&browser.find("form button[type=submit]").await)
        .await;
    browser.find("[data-testid=waiting-for-event]").await;
    browser.screenshot("webhook-waiting").await;
    let url = browser.text_of("[data-testid=webhook-url]").await;
    let sender = Client::new(&app.url);
    let answer = sender
        .post(url.trim(), &json!({"total": 184.2, "country": "DE"}))
        .await;
    assert_eq!(answer.json["stored"], 1, "{:#}", answer.json);
    browser.sees_in("[data-testid=first-event]", "184.2").await;
    browser.screenshot("webhook-first-event").await;
    browser.click("make-dashboard").await;
    browser
        .sees_in(
            "[data-testid='widget-Records'] [data-testid=stat-value]",
            "1",
        )
        .await;
    // A value that is sent now appears on the open dashboard, without a reload.
    sender
        .post(url.trim(), &json!({"total": 62.5, "country": "FR"}))
        .await;
    browser
        .sees_in(
            "[data-testid='widget-Records'] [data-testid=stat-value]",
            "2",
        )
        .await;
    browser
        .sees_in("[data-testid='widget-Latest records']", "62.5")
        .await;
    browser.screenshot("webhook-dashboard").await;
    // What came while the connection was lost is there when it is back.
    browser.script("dispatchEvent(new Event('offline'))").await;
    sender
        .post(url.trim(), &json!({"total": 99.5, "country": "IT"}))
        .await;
    browser
        .sees_in(
            "[data-testid='widget-Records'] [data-testid=stat-value]",
            "3",
        )
        .await;
    browser
        .sees_in("[data-testid='widget-Latest records']", "99.5")
        .await;
    browser.has_a_clean_console().await;
    browser.close().await;
}

#[tokio::test]
async fn an_api_is_tested_mapped_and_polled() {
    let quakes = json!({"type": "FeatureCollection", "features": [
        {"id": "a", "properties": {"mag": 1.4, "place": "Alaska", "time": 1_763_800_000_000_i64}},
        {"id": "b", "properties": {"mag": 5.1, "place": "Fiji", "time": 1_763_800_060_000_i64}},
    ]});
    let upstream = Upstream::start(Reply::Json(quakes)).await;
    let (app, browser) = newcomer().await;
    browser.click("connect-api").await;
    browser
        .fill("polling-url", &format!("{}/quakes.json", upstream.url))
        .await;
    browser.click("test-source").await;
    browser.find("[data-testid=test-done]").await;
    // The records are found where they are, inside the answer.
    browser
        .sees_in("[data-testid=test-done]", "$.features")
        .await;
    browser.sees("Alaska").await;
    browser.screenshot("api-tested").await;
    browser.click("continue").await;
    browser.find("[data-testid=mapping]").await;
    browser.screenshot("api-mapping").await;
    browser.click("continue").await;
    browser.fill("pipeline-name", "Earthquakes").await;
    browser.screenshot("api-name").await;
    browser.click("create-pipeline").await;
    browser
        .sees_in("[data-testid=pipeline-page]", "Earthquakes")
        .await;
    browser.sees_in("[data-testid=event-table]", "Fiji").await;
    browser.survey("pipeline-overview").await;
    let page = browser.path().await;
    for tab in [
        "source",
        "transform",
        "runs",
        "errors",
        "versions",
        "settings",
    ] {
        browser
            .driver
            .goto(format!("{}{page}/{tab}", app.url))
            .await
            .unwrap();
        browser
            .sees_in("[data-testid=pipeline-page]", "Earthquakes")
            .await;
        browser.survey(&format!("pipeline-{tab}")).await;
    }
    browser.has_a_clean_console().await;
    browser.close().await;
}

#[tokio::test]
async fn an_api_with_a_token_and_pages_is_polled_to_its_end() {
    let upstream = Upstream::start(Reply::to(|request| {
        if request.header("authorization") != "Bearer swordfish" {
            return Reply::status(401);
        }
        let page: i64 = request.query("page").parse().unwrap_or(0);
        let orders: Vec<_> = (0..2)
            .map(|n| json!({ "id": page * 2 + n, "city": format!("City {page}{n}") }))
            .collect();
        let orders = if page <= 3 { orders } else { Vec::new() };
        Reply::Json(json!({ "orders": orders }))
    }))
    .await;
    let (app, browser) = newcomer().await;
    browser.click("connect-api").await;
    let address = format!("{}/orders", upstream.url);
    browser.fill("polling-url", &address).await;
    browser.click("polling-more").await;
    browser.find("[data-testid=polling-sections]").await;
    for section in ["section-auth", "section-pages", "section-new"] {
        let summary = format!("[data-testid={section}] > summary");
        browser.press(&browser.find(&summary).await).await;
    }
    browser.choose("auth-kind", "Bearer token").await;
    browser.fill("auth-secret", "swordfish").await;
    browser.choose("page-kind", "Page number").await;
    browser.fill("page-parameter", "page").await;
    browser.fill("key-field", "id").await;
    browser.click("test-source").await;
    browser.sees_in("[data-testid=test-done]", "$.orders").await;
    browser.sees("City 10").await;
    browser
        .sees_in("[data-testid=test-done]", "More pages follow")
        .await;
    browser.survey("api-with-pages").await;
    browser.click("continue").await;
    browser.find("[data-testid=mapping]").await;
    browser.click("continue").await;
    browser.fill("pipeline-name", "Orders").await;
    browser.click("create-pipeline").await;
    browser
        .sees_in("[data-testid=event-table]", "City 31")
        .await;
    // What was entered is there to be changed, and the token is not shown.
    let page = browser.path().await;
    browser
        .driver
        .goto(format!("{}{page}/source", app.url))
        .await
        .unwrap();
    browser.find("[data-testid=polling-sections]").await;
    browser
        .sees_in("[data-testid=section-auth]", "Bearer token")
        .await;
    browser
        .sees_in("[data-testid=section-pages]", "Page number")
        .await;
    browser
        .sees_in("[data-testid=section-new]", "each id once")
        .await;
    browser.has_a_clean_console().await;
    browser.close().await;
}
