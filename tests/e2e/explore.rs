//! Figures of some records only, and the records behind a figure.

use dash_tests::browser::Browser;
use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::newcomer;

const P95: &str = "[data-testid='widget-95th percentile of total']";
const P95_FIGURE: &str = "[data-testid='widget-95th percentile of total'] [data-testid=stat-value]";
const OVER_TIME: &str = "[data-testid='widget-Records over time']";
const DRAWER: &str = "[data-testid=explore-drawer]";
const PREVIEW: &str = "[data-testid=widget-preview] [data-testid=stat-value]";

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one person's way through the page")]
async fn a_figure_of_some_records_is_built_and_its_records_are_looked_at() {
    let (app, browser) = newcomer().await;
    let owner = app
        .logged_in("ann@corp.test", "correct horse battery")
        .await;
    let (pipeline, url) = owner.new_webhook("Orders").await;
    let order = |total: i64, country: &str| {
        json!({
            "order": format!("A-{total}"), "total": total, "country": country, "paid": true,
            "customer": {"name": "Lena Hartmann", "city": "Berlin"}, "items": ["beanie", "mug"],
        })
    };
    let mut orders: Vec<Value> = (1..=25).map(|total| order(total, "DE")).collect();
    orders.extend((1_000..1_010).map(|total| order(total, "FR")));
    owner.post(&url, &json!(orders)).await;
    let input = json!({"name": "Orders", "pipelineId": pipeline});
    let made = owner
        .done("createDashboard", "dashboard { id }", input)
        .await;
    let id = made["dashboard"]["id"].as_str().unwrap().to_owned();
    let dashboard = format!("{}/dashboards/{id}", app.url);

    browser.driver.goto(&dashboard).await.unwrap();
    browser.click("edit-dashboard").await;
    browser.click("add-widget").await;
    browser.choose("widget-aggregate", "95th percentile").await;
    browser.choose("widget-field", "total (").await;
    let large = |text: &str| figure(text).is_some_and(|figure| figure > 900.0);
    browser.wait_for("the figure of all", PREVIEW, large).await;
    browser.click("add-filter").await;
    browser.click("widget-apply").await;
    browser
        .sees_in(
            "[data-testid=widget-filter]",
            "Choose the field to look at.",
        )
        .await;
    browser.choose("filter-field", "country").await;
    browser.fill("filter-value", "DE").await;
    // Of 1 to 25, within 1 %: the preview follows the condition.
    let small = |text: &str| figure(text).is_some_and(|figure| (22.0..26.0).contains(&figure));
    browser.wait_for("the figure of some", PREVIEW, small).await;
    browser.click("add-filter").await;
    browser.survey("filtered-widget-editor").await;
    let second = browser
        .find("[data-testid=widget-filter]:last-child [data-testid=remove-filter]")
        .await;
    browser.press(&second).await;
    browser.click("widget-apply").await;
    browser
        .wait_for("the filtered figure", P95_FIGURE, small)
        .await;
    browser.click("save-dashboard").await;
    browser.find("[data-testid=edit-dashboard]").await;
    let query = "query ($id: ID!) { dashboard(id: $id) { widgets { aggregate filters { field \
                 comparison value } } } }";
    let saved = owner.data(query, json!({ "id": id })).await;
    let widgets = saved["dashboard"]["widgets"].as_array().unwrap();
    let added = widgets.iter().find(|widget| widget["aggregate"] == "P95");
    let german = json!([{"field": "country", "comparison": "EQUAL", "value": "DE"}]);
    assert_eq!(added.unwrap()["filters"], german);

    // What is saved is what is shown after a reload.
    browser.driver.goto(&dashboard).await.unwrap();
    browser
        .wait_for("the saved figure", P95_FIGURE, small)
        .await;
    let menu = browser
        .find(&format!("{P95} [data-testid=widget-menu]"))
        .await;
    browser.press(&menu).await;
    browser.click("widget-explore").await;
    let title = "Records behind “95th percentile of total”, last 24 hours, country is DE";
    browser.sees_in(DRAWER, title).await;
    browser.sees_in(DRAWER, "The newest 20 records").await;
    browser.click("explore-more").await;
    browser.sees_in(DRAWER, "25 records in all").await;
    let shown = browser.text_of(DRAWER).await;
    assert!(!shown.contains("FR"), "{shown}");
    let first = browser.find("[data-testid=found-record] summary").await;
    first.send_keys(Key::Enter).await.unwrap();
    browser
        .sees_in("[data-testid=found-record] .json", "\"Lena Hartmann\"")
        .await;
    browser.survey("explored-records").await;

    // All of them as a file, not only those that are seen.
    let folder = browser.downloads().await;
    browser.click("explore-export").await;
    browser.screenshot("explored-export").await;
    browser.click("export-csv").await;
    let file = Browser::downloaded(&folder, ".csv").await;
    let mut lines = file.lines();
    let head = "_id,_time,_received_at,order,total,country,paid,customer.name,customer.city,items";
    assert_eq!(lines.next(), Some(head));
    assert_eq!(lines.clone().count(), 25);
    assert!(lines.all(|line| line.contains(",DE,true,Lena Hartmann,Berlin,")));
    leave(&browser).await;

    // The chart's table is for the keyboard: each of its figures leads to its records.
    let open = format!("document.querySelector(\"{OVER_TIME} .chart-data summary\").click()");
    browser.script(&open).await;
    let cell = format!("{OVER_TIME} .chart-data tbody tr button");
    let cell = browser.find(&cell).await;
    browser.screenshot("chart-as-a-table").await;
    cell.send_keys(Key::Enter).await.unwrap();
    browser
        .sees_in(DRAWER, "Records behind “Records over time”, ")
        .await;
    leave(&browser).await;

    // In the middle of the chart it is twelve hours ago, when there was nothing yet.
    browser.script(&open).await;
    let canvas = browser.find(&format!("{OVER_TIME} canvas")).await;
    browser.press(&canvas).await;
    browser.find("[data-testid=explore-empty]").await;
    browser.survey("explored-nothing").await;
    leave(&browser).await;
    browser.has_a_clean_console().await;

    // Without a connection it says so, and tries again when it is asked to.
    let offline = |is_offline: bool| {
        json!({
            "offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
        })
    };
    browser.devtools("Network.enable", json!({})).await;
    browser
        .devtools("Network.emulateNetworkConditions", offline(true))
        .await;
    let menu = browser
        .find(&format!("{P95} [data-testid=widget-menu]"))
        .await;
    browser.press(&menu).await;
    browser.click("widget-explore").await;
    browser.sees_in(DRAWER, "No connection").await;
    browser.screenshot("explored-offline").await;
    browser
        .devtools("Network.emulateNetworkConditions", offline(false))
        .await;
    let retry = browser
        .find(&format!("{DRAWER} [data-testid=error-panel] button"))
        .await;
    browser.press(&retry).await;
    browser.sees_in(DRAWER, "A-25").await;
    browser.close().await;
}

/// The number that a figure shows.
fn figure(text: &str) -> Option<f64> {
    text.trim().replace(',', "").parse().ok()
}

/// Closes the drawer with the keyboard.
async fn leave(browser: &Browser) {
    let escape = browser.driver.action_chain().send_keys(Key::Escape);
    assert!(escape.perform().await.is_ok(), "keys can be pressed");
    browser
        .wait_for("no drawer", "[data-testid=explore-drawer][open]", |shown| {
            shown.is_empty()
        })
        .await;
}
