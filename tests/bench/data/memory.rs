//! How much memory ingest takes at most, beyond what an idle Dash takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dash_tests::TestApp;

use super::rows::{self, BODY_RECORDS};
use crate::report::{Goal, Measurement};

/// How many records are stored.
const RECORDS: usize = 1_000_000;
/// How often the memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Measures.
pub async fn measure() -> Vec<Measurement> {
    let app = TestApp::builder().on_sqlite().real_clock().start().await;
    let owner = app.owner("ann").await;
    let (pipeline, url) = owner.new_webhook("Memory").await;
    let key = url.rsplit('/').next().expect("a URL has a key").to_owned();
    // Somebody looks at it, so that roll-ups and live results are part of the work.
    let input = serde_json::json!({ "name": "Memory", "pipelineId": pipeline });
    owner
        .done("createDashboard", "dashboard { id }", input)
        .await;
    rows::send(&app, &key, 10, |n| rows::body(n * BODY_RECORDS)).await;
    let idle = resident_mb();
    let done = Arc::new(AtomicBool::new(false));
    let watched = Arc::clone(&done);
    let most = tokio::task::spawn_blocking(move || {
        let mut most = 0.0f64;
        while !watched.load(Ordering::Relaxed) {
            most = most.max(resident_mb());
            std::thread::sleep(LOOK_EVERY);
        }
        most
    });
    rows::send(&app, &key, RECORDS / BODY_RECORDS, |n| {
        rows::body(n * BODY_RECORDS)
    })
    .await;
    done.store(true, Ordering::Relaxed);
    let most = most.await.expect("the memory was watched");
    app.stop().await;
    vec![Measurement {
        name: "memory while 1,000,000 records come in, beyond idle".to_owned(),
        value: most - idle,
        unit: "MB",
        baseline: idle,
        goal: Goal::AtMost(150.0),
    }]
}

/// What this process has in memory, in megabytes.
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kb = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kb.expect("Linux tells how much memory a process has") / 1_024.0
}
