//! What 10,000 polled pipelines cost that are asked for every minute: how late their polls are, and
//! the processor time, beside that of the bare requests. Server, Dash and client are one process
//! here, so both figures hold the server's share too.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use dash_api::clock::Clock;
use dash_tests::{Client, TestApp};
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::report::{Goal, Measurement};

/// A build without optimisation only shows that it works.
const IS_TRIAL: bool = cfg!(debug_assertions);
const PIPELINES: usize = if IS_TRIAL { 500 } else { 10_000 };
/// How many are made at once.
const MAKING: usize = 16;
const MINUTE_MS: i64 = 60_000;
/// How long polls run before they are measured: connections are made, caches filled.
const WARM_UP: Duration = Duration::from_secs(if IS_TRIAL { 10 } else { 60 });
/// How long they are measured.
const MEASURED: Duration = Duration::from_secs(if IS_TRIAL { 30 } else { 120 });
/// How long bare requests of the same rate are measured.
const BARE: Duration = Duration::from_secs(if IS_TRIAL { 10 } else { 30 });
/// How many ticks of the processor are a second, as Linux counts them.
const TICKS_PER_SECOND: f64 = 100.0;

/// When each poll is due, and how late those were that came.
struct Asked {
    due_ms: Vec<i64>,
    late_ms: Vec<i64>,
}

/// Measures.
pub async fn measure() -> Vec<Measurement> {
    let asked = Arc::new(Mutex::new(Asked {
        due_ms: vec![0; PIPELINES],
        late_ms: Vec::new(),
    }));
    let url = serve(Arc::clone(&asked)).await;
    let bare = bare_cpu(&url).await;

    let app = TestApp::builder().on_sqlite().real_clock().start().await;
    let ann = app.owner("ann").await;
    let ids = make_pipelines(&ann, &url).await;
    spread(&app, &ids, &asked).await;
    app.app.start_workers();
    sleep(WARM_UP).await;
    asked.lock().expect("nobody panics").late_ms.clear();
    let before = cpu_seconds();
    sleep(MEASURED).await;
    let cpu = (cpu_seconds() - before) / MEASURED.as_secs_f64();
    let mut late = std::mem::take(&mut asked.lock().expect("nobody panics").late_ms);
    app.stop().await;

    let expected = PIPELINES as u64 * MEASURED.as_secs() / 60;
    let made = late.len() as u64;
    assert!(made * 100 >= expected * 95, "{made} polls of {expected}");
    late.sort_unstable();
    vec![
        Measurement {
            name: format!("{PIPELINES} polls a minute, lateness, p50"),
            value: percentile(&late, 50),
            unit: "ms",
            baseline: 1_000.0,
            goal: Goal::AtMost(1_000.0),
        },
        Measurement {
            name: format!("{PIPELINES} polls a minute, lateness, p99"),
            value: percentile(&late, 99),
            unit: "ms",
            baseline: 2_000.0,
            goal: Goal::AtMost(2_000.0),
        },
        Measurement {
            name: format!("{PIPELINES} polls a minute, share of a core; bare requests"),
            value: cpu * 100.0,
            unit: "%",
            baseline: bare * 100.0,
            goal: Goal::AtMost(100.0),
        },
    ]
}

/// A server that notes when each path is asked for.
async fn serve(asked: Arc<Mutex<Asked>>) -> String {
    let answer = async |State(asked): State<Arc<Mutex<Asked>>>, Path(number): Path<usize>| {
        let now_ms = Clock::System.now_ms();
        let mut asked = asked.lock().expect("nobody panics");
        if let Some(due_ms) = asked.due_ms.get(number).copied() {
            asked.late_ms.push((now_ms - due_ms).rem_euclid(MINUTE_MS));
        }
        axum::Json(json!([{ "n": number }]))
    };
    let router = Router::new()
        .route("/{number}", get(answer))
        .with_state(asked);
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    format!("http://{address}")
}

async fn make_pipelines(ann: &Client, url: &str) -> Vec<String> {
    stream::iter(0..PIPELINES)
        .map(|number| async move {
            let name = format!("Feed {number}");
            ann.new_polling(&name, &format!("{url}/{number}"), "$")
                .await
        })
        .buffered(MAKING)
        .collect()
        .await
}

/// Makes the polls due evenly over the next minute, as those are that were not all made at once.
async fn spread(app: &TestApp, ids: &[String], asked: &Mutex<Asked>) {
    let start_ms = Clock::System.now_ms() + 5_000;
    for (chunk, ids) in ids.chunks(500).enumerate() {
        let mut sql = "BEGIN".to_owned();
        for (place, id) in ids.iter().enumerate() {
            let number = chunk * 500 + place;
            let share = MINUTE_MS.unsigned_abs() * number as u64 / PIPELINES as u64;
            let due_ms = start_ms + i64::try_from(share).unwrap_or_default();
            asked.lock().expect("nobody panics").due_ms[number] = due_ms;
            let set =
                format!("; UPDATE jobs SET run_at_ms = {due_ms} WHERE unique_key = 'poll:{id}'");
            sql.push_str(&set);
        }
        sql.push_str("; COMMIT");
        app.execute(&sql).await;
    }
}

/// The cores that the same requests take alone.
async fn bare_cpu(url: &str) -> f64 {
    let client = Client::new(url);
    let pause = Duration::from_micros(60_000_000 / PIPELINES as u64);
    let mut ticks = interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let requests = BARE.as_micros() / pause.as_micros();
    let before = cpu_seconds();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..requests {
        ticks.tick().await;
        let request = client.http().get(format!("{url}/{number}"));
        tasks.spawn(async move {
            let answer = request.send().await.expect("the server answers");
            answer.bytes().await.expect("the answer comes")
        });
        while tasks.try_join_next().is_some() {}
    }
    tasks.join_all().await;
    (cpu_seconds() - before) / BARE.as_secs_f64()
}

/// The processor time that this process has taken.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells");
    // The name of the program, in brackets, may have spaces in it; time is 11 fields behind it.
    let (_, fields) = stat.rsplit_once(')').expect("it has a name");
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut ticks = || -> f64 {
        let field = fields.next().expect("it has as many fields");
        field.parse().expect("a number")
    };
    (ticks() + ticks()) / TICKS_PER_SECOND
}

fn percentile(sorted: &[i64], percent: usize) -> f64 {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    let found = sorted.get(place).copied().unwrap_or(MINUTE_MS);
    f64::from(i32::try_from(found).unwrap_or(i32::MAX))
}
