//! A thousand sinks to a local server: how long after a record is posted each of them has it; and the
//! same while the target of one of them never answers. The baseline is the run where all answer.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use dash_tests::upstream::{Reply, Upstream};
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::report::{Goal, Measurement};

/// How many pipelines there are, and sinks of each.
const PIPELINES: usize = 100;
const SINKS_OF_EACH: usize = 10;
/// How many records are posted, to one pipeline after the other.
const RECORDS: usize = 2 * PIPELINES;
/// The time from one to the next.
const PERIOD: Duration = Duration::from_millis(100);
/// A run that takes longer has failed.
const TIME_LIMIT: Duration = Duration::from_mins(5);

/// How long each delivery took, in milliseconds.
type Seen = Arc<Mutex<Vec<f64>>>;

/// Measures.
pub async fn measure() -> Vec<Measurement> {
    let all = run(false).await;
    let others = run(true).await;
    let measurement = |name: &str, of_100: usize, most: f64| Measurement {
        name: format!("1,000 sinks, one dead: the others, {name}"),
        value: percentile(&others, of_100),
        unit: "ms",
        baseline: percentile(&all, of_100),
        goal: Goal::RatioAtMost(most),
    };
    vec![measurement("p50", 50, 1.25), measurement("p99", 99, 1.5)]
}

async fn run(one_is_dead: bool) -> Vec<f64> {
    let app = TestApp::builder().real_clock().workers().start().await;
    let owner = app.owner("ann").await;
    let seen = Seen::default();
    let target = serve(Arc::clone(&seen)).await;
    let dead = Upstream::start(Reply::Never).await;
    let mut hooks = Vec::new();
    for pipeline in 0..PIPELINES {
        let (id, hook) = owner.new_webhook(&format!("Sinks {pipeline}")).await;
        for sink in 0..SINKS_OF_EACH {
            let is_dead = one_is_dead && pipeline == 0 && sink == 0;
            make_sink(&owner, &id, if is_dead { &dead.url } else { &target }).await;
        }
        hooks.push(hook);
    }
    let mut ticks = tokio::time::interval(PERIOD);
    for record in 0..RECORDS {
        ticks.tick().await;
        let hook = &hooks[record % PIPELINES];
        let answer = owner.post(hook, &json!({ "sent": now_ms() })).await;
        assert_eq!(answer.status, 200, "a record is stored");
    }
    let expected = RECORDS * SINKS_OF_EACH - if one_is_dead { RECORDS / PIPELINES } else { 0 };
    let started = Instant::now();
    loop {
        let arrived = seen.lock().map_or(0, |seen| seen.len());
        if arrived >= expected {
            break;
        }
        assert!(started.elapsed() < TIME_LIMIT, "{arrived} of {expected}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut seen = seen.lock().map(|seen| seen.clone()).unwrap_or_default();
    seen.sort_by(f64::total_cmp);
    seen
}

async fn make_sink(owner: &Client, pipeline: &str, url: &str) {
    let target = json!({ "webhook": { "url": url } });
    let input = json!({ "pipelineId": pipeline, "name": "Sink", "target": target });
    owner.done("createSink", "sink { id }", input).await;
}

/// A server that notes how long each record was on its way.
async fn serve(seen: Seen) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    let router = Router::new().fallback(arrive).with_state(seen);
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    format!("http://{address}")
}

async fn arrive(State(seen): State<Seen>, body: Bytes) {
    let record: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let (Some(sent), Ok(mut seen)) = (record["data"]["sent"].as_f64(), seen.lock()) {
        seen.push(now_ms() - sent);
    }
}

fn now_ms() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64() * 1_000.0
}

fn percentile(sorted: &[f64], of_100: usize) -> f64 {
    let place = (sorted.len() * of_100 / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or(f64::NAN)
}
