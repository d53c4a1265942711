//! From a record that is posted to a webhook to the open dashboard in a browser that shows it. The
//! baseline is the post alone: until it is answered, when the record is durable.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use dash_tests::TestApp;
use dash_tests::browser::Browser;
use serde_json::json;

use crate::report::{Goal, Measurement};

const WARM_UP: usize = 10;
const SAMPLES: usize = 100;
/// The time from one post to the next: the machine is idle in between.
const PAUSE: Duration = Duration::from_millis(200);

/// Notes when the page shows each marker, in milliseconds since 1970, after it was painted.
const OBSERVE: &str = r"
    window.shown = {};
    const look = () => {
        const now = performance.timeOrigin + performance.now();
        for (const found of document.body.textContent.matchAll(/marker-(\d+)-/g)) {
            window.shown[found[1]] ??= now;
        }
    };
    new MutationObserver(() => requestAnimationFrame(() => setTimeout(look))).observe(
        document.body, { subtree: true, childList: true, characterData: true });
";

/// Measures.
pub async fn measure() -> Vec<Measurement> {
    let app = TestApp::builder()
        .web()
        .real_clock()
        .workers()
        .start()
        .await;
    let owner = app.owner("ann").await;
    let (pipeline, url) = owner.new_webhook("Latency").await;
    owner
        .post(&url, &json!({"marker": "first", "value": 0}))
        .await;
    let input = json!({"name": "Latency", "pipelineId": pipeline});
    let made = owner
        .done("createDashboard", "dashboard { id }", input)
        .await;
    let dashboard = made["dashboard"]["id"]
        .as_str()
        .expect("a dashboard has an id")
        .to_owned();

    let browser = Browser::open(&format!("{}/login", app.url)).await;
    browser.fill("email", "ann@corp.test").await;
    browser.fill("password", "correct horse battery").await;
    browser.click("submit").await;
    browser.find("[data-testid=organization-name]").await;
    browser
        .driver
        .goto(format!("{}/dashboards/{dashboard}", app.url))
        .await
        .expect("it loads");
    browser
        .sees_in("[data-testid='widget-Latest records']", "first")
        .await;
    browser.script(OBSERVE).await;

    let mut posted = Vec::new();
    for index in 0..WARM_UP + SAMPLES {
        tokio::time::sleep(PAUSE).await;
        let (began, clock) = (now_ms(), Instant::now());
        let record = json!({"marker": format!("marker-{index}-"), "value": index});
        let answer = owner.post(&url, &record).await;
        assert!(answer.status.is_success(), "{:#}", answer.json);
        posted.push((index, began, clock.elapsed().as_secs_f64() * 1_000.0));
    }
    let last = format!("marker-{}-", WARM_UP + SAMPLES - 1);
    browser
        .sees_in("[data-testid='widget-Latest records']", &last)
        .await;
    tokio::time::sleep(PAUSE).await;
    let shown = browser.script("return window.shown").await;
    browser.close().await;

    let measured = posted.into_iter().skip(WARM_UP);
    let (mut seen, mut answered): (Vec<f64>, Vec<f64>) = measured
        .map(|(index, began, answered)| {
            let at = shown[index.to_string()].as_f64();
            (at.expect("every marker was shown") - began, answered)
        })
        .unzip();
    seen.sort_by(f64::total_cmp);
    answered.sort_by(f64::total_cmp);
    let measurement = |name: &str, place: usize, goal| Measurement {
        name: format!("webhook to pixel, {name}"),
        value: seen[place],
        unit: "ms",
        baseline: answered[place],
        goal: Goal::AtMost(goal),
    };
    vec![
        measurement("median of 100", SAMPLES / 2, 250.0),
        measurement("95th percentile of 100", SAMPLES * 95 / 100, 500.0),
    ]
}

fn now_ms() -> f64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970");
    since.as_secs_f64() * 1_000.0
}
