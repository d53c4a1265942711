//! The pictures of the documentation: `cargo xtask screenshots` runs the tutorials of README.md in
//! a real browser, with the data they name, and writes docs/images.
#![expect(clippy::expect_used, reason = "a tool that cannot go on ends")]

use std::path::Path;

use dash_api::clock::Clock;
use dash_tests::TestApp;
use dash_tests::browser::Browser;
use dash_tests::client::Client;
use dash_tests::environment;
use dash_tests::upstream::{Reply, Upstream};
use serde_json::{Value, json};

#[tokio::main]
async fn main() {
    let app = TestApp::builder()
        .web()
        .real_clock()
        .workers()
        .start()
        .await;
    let owner = app.owner("ann").await;
    let browser = Browser::open(&format!("{}/login", app.url)).await;
    browser.fill("email", "ann@corp.test").await;
    browser.fill("password", "correct horse battery").await;
    browser.click("submit").await;
    browser.find("[data-testid=start-demo]").await;
    picture(&browser, "home").await;

    browser.click("start-demo").await;
    browser
        .sees_in("[data-testid='widget-Latest orders']", "ord_")
        .await;
    browser.find("[data-testid='widget-Revenue by channel'] canvas, [data-testid='widget-Revenue by channel'] svg").await;
    picture(&browser, "demo-dashboard").await;

    github(&app, &owner, &browser).await;
    earthquakes(&app, &owner, &browser).await;
    browser.close().await;
}

/// The first tutorial: GitHub's webhook deliveries.
async fn github(app: &TestApp, owner: &Client, browser: &Browser) {
    let (pipeline, url) = owner
        .new_pipeline(json!({
            "name": "GitHub events",
            "source": { "webhook": {} },
            "steps": [{ "kind": "map", "fields": [
                { "from": "action", "to": "action" },
                { "from": "repository.full_name", "to": "repository" },
                { "from": "sender.login", "to": "sender" },
                { "from": "issue.title", "to": "issue" },
                { "from": "pull_request.additions", "to": "additions", "cast": "number" },
            ]}],
        }))
        .await;
    let path =
        environment::node_modules().join("@octokit/webhooks-examples/api.github.com/index.json");
    let examples: Value =
        serde_json::from_slice(&std::fs::read(path).expect("the examples are installed"))
            .expect("the examples are JSON");
    let all = examples.as_array().expect("a list of events").iter();
    for delivery in all
        .filter_map(|event| event["examples"].as_array())
        .flatten()
        .take(120)
    {
        owner.post(&url, delivery).await;
    }
    show(
        app,
        owner,
        browser,
        &pipeline,
        "GitHub events",
        "github-dashboard",
        "",
    )
    .await;
    let page = format!("{}/pipelines/{pipeline}", app.url);
    browser.driver.goto(page).await.expect("the page loads");
    browser.sees_in("[data-testid=flow]", "Webhook").await;
    picture(browser, "github-pipeline").await;
}

/// The second tutorial: the earthquakes feed of the USGS, polled.
async fn earthquakes(app: &TestApp, owner: &Client, browser: &Browser) {
    let feed = environment::vega_dataset("earthquakes.json");
    let mut feed: Value = serde_json::from_str(&feed).expect("the feed is JSON");
    move_to_this_week(&mut feed);
    let upstream = Upstream::start(Reply::Json(feed)).await;
    let (pipeline, _) = owner
        .new_pipeline(json!({
            "name": "Earthquakes",
            "source": { "httpPolling": {
                "url": format!("{}/earthquakes.json", upstream.url),
                "intervalSeconds": 3_600,
                "recordsPath": "$.features",
            }},
            "steps": [{ "kind": "map", "fields": [
                { "from": "properties.place", "to": "place" },
                { "from": "properties.mag", "to": "magnitude", "cast": "number" },
                { "from": "properties.time", "to": "time", "cast": "time" },
                { "from": "properties.felt", "to": "felt", "cast": "number" },
                { "from": "geometry.coordinates[2]", "to": "depth_km", "cast": "number" },
            ]}],
            "timeField": "time",
        }))
        .await;
    let page = format!("{}/pipelines/{pipeline}", app.url);
    browser.driver.goto(page).await.expect("the page loads");
    browser.sees_in("[data-testid=flow]", "1,7").await;
    picture(browser, "earthquakes-pipeline").await;
    show(
        app,
        owner,
        browser,
        &pipeline,
        "Earthquakes",
        "earthquakes-dashboard",
        "?last=604800",
    )
    .await;
}

async fn show(
    app: &TestApp,
    owner: &Client,
    browser: &Browser,
    pipeline: &str,
    name: &str,
    picture_name: &str,
    range: &str,
) {
    let input = json!({ "name": name, "pipelineId": pipeline });
    let made = owner
        .done("createDashboard", "dashboard { id }", input)
        .await;
    let id = made["dashboard"]["id"]
        .as_str()
        .expect("a dashboard has an id");
    let page = format!("{}/dashboards/{id}{range}", app.url);
    browser.driver.goto(page).await.expect("the page loads");
    browser.find("[data-testid=record-row]").await;
    picture(browser, picture_name).await;
}

/// The saved feed is some years old. Its earthquakes are moved to the days up to now.
fn move_to_this_week(feed: &mut Value) {
    let quakes = feed["features"].as_array_mut().expect("a list of features");
    let time_of = |quake: &Value| quake["properties"]["time"].as_i64().unwrap_or_default();
    let newest = quakes.iter().map(time_of).max().unwrap_or_default();
    let moved = Clock::System.now_ms() - newest;
    for quake in quakes {
        quake["properties"]["time"] = json!(time_of(quake) + moved);
    }
}

/// Takes a picture, after everything that moves has come to rest.
async fn picture(browser: &Browser, name: &str) {
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let taken = browser.screenshot(name).await;
    let folder = Path::new("docs/images");
    std::fs::create_dir_all(folder).expect("docs/images can be made");
    std::fs::copy(taken, folder.join(format!("{name}.png"))).expect("a picture can be kept");
}
