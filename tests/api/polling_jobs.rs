//! What runs when: the rhythm of polls and of the demo, pauses after failures, and the leases that
//! keep two processes from running the same job at once.

use std::time::Duration;

use axum::body::Bytes;
use dash_api::jobs::{LEASE_MS, Next};
use dash_shared::timestamps::parse_ms;
use dash_tests::app::START_MS;
use dash_tests::client::time_ms;
use dash_tests::upstream::{Reply, Upstream};
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

const MINUTE_MS: i64 = 60_000;

/// When the pipeline is polled next, in milliseconds after the start of the test.
async fn next_after_start(ann: &Client, id: &str) -> i64 {
    parse_ms(&ann.pipeline(id).await["nextRunAt"]).unwrap() - START_MS
}

#[tokio::test]
async fn polls_keep_their_rhythm() {
    let (app, ann, upstream, id) = TestApp::polling(Reply::Json(json!([{"n": 1}])), "$").await;
    assert_eq!(app.run_due_jobs().await, 1);
    assert_eq!(next_after_start(&ann, &id).await, MINUTE_MS);
    assert_eq!(app.pass(MINUTE_MS - 1).await, 0);
    assert_eq!(app.pass(1).await, 1);
    assert_eq!(next_after_start(&ann, &id).await, 2 * MINUTE_MS);
    // Polls that were missed are not made up for.
    assert_eq!(app.pass(2 * MINUTE_MS + 30_000).await, 1);
    assert_eq!(next_after_start(&ann, &id).await, 4 * MINUTE_MS);
    assert_eq!(app.pass(30_000).await, 1);
    assert_eq!(upstream.requests().len(), 4);
}

#[tokio::test]
async fn polls_that_fail_are_made_less_and_less_often() {
    let failing = Reply::Raw(500, "text/plain", Bytes::new());
    let (app, ann, upstream, id) = TestApp::polling(failing, "$").await;
    let mut now = 0;
    for (poll, pause) in [2, 4, 8, 15, 15].into_iter().enumerate() {
        assert_eq!(app.run_due_jobs().await, 1, "{poll}");
        now += pause * MINUTE_MS;
        assert_eq!(next_after_start(&ann, &id).await, now);
        app.clock.advance_ms(pause * MINUTE_MS);
    }
    let since = ann.pipeline(&id).await["failingSince"].clone();
    assert_eq!(parse_ms(&since), Some(START_MS));
    upstream.reply_with(Reply::Json(json!([])));
    assert_eq!(app.run_due_jobs().await, 1);
    assert_eq!(next_after_start(&ann, &id).await, now + MINUTE_MS);
}

#[tokio::test]
async fn a_pipeline_runs_at_once_when_somebody_asks_for_it() {
    let (app, ann, upstream, id) = TestApp::polling(Reply::Json(json!([{"n": 1}])), "$").await;
    app.run_due_jobs().await;
    app.clock.advance_ms(10_000);
    ann.done("runPipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    assert_eq!(app.run_due_jobs().await, 1);
    assert_eq!(ann.runs(&id).await[0]["trigger"], "MANUAL");
    assert_eq!(upstream.requests().len(), 2);

    // A paused one too, once.
    ann.done("pausePipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    assert_eq!(app.pass(10 * MINUTE_MS).await, 0);
    ann.done("runPipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    assert_eq!(app.run_due_jobs().await, 1);
    assert_eq!(app.pass(10 * MINUTE_MS).await, 0);
    let pipeline = ann.pipeline(&id).await;
    assert_eq!(
        (&pipeline["state"], &pipeline["nextRunAt"]),
        (&json!("PAUSED"), &Value::Null)
    );
    assert_eq!(pipeline["recordCount"], 3.0);
}

#[tokio::test]
async fn a_pipeline_that_is_resumed_while_it_runs_goes_on() {
    let (app, ann, upstream, id) = TestApp::polling(Reply::Json(json!([{"n": 1}])), "$").await;
    app.run_due_jobs().await;
    ann.done("pausePipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    app.clock.advance_ms(1);
    ann.done("runPipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    let [job] = &app.app.jobs.claim(10).await.unwrap()[..] else {
        panic!("one job is due")
    };
    let next = app.app.pipelines.run_job(job).await;
    ann.done("resumePipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    app.app.jobs.finish(job, next).await.unwrap();
    assert!(ann.pipeline(&id).await["nextRunAt"].is_string());
    app.clock.advance_ms(1);
    assert_eq!(app.run_due_jobs().await, 1);
    assert_eq!(upstream.requests().len(), 3);
}

#[tokio::test]
async fn paused_and_resumed_during_a_poll_it_is_not_polled_twice_at_once() {
    let (app, ann, upstream, id) = TestApp::polling(Reply::Json(json!([{"n": 1}])), "$").await;
    let [job] = &app.app.jobs.claim(10).await.unwrap()[..] else {
        panic!("one job is due")
    };
    ann.done("pausePipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    assert_eq!(ann.pipeline(&id).await["nextRunAt"], Value::Null);
    app.clock.advance_ms(1);
    ann.done("resumePipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    assert_eq!(app.run_due_jobs().await, 0, "the first poll still runs");
    let next = app.app.pipelines.run_job(job).await;
    app.app.jobs.finish(job, next).await.unwrap();
    assert_eq!(app.run_due_jobs().await, 1);
    assert_eq!(upstream.requests().len(), 2);

    // Paused while it runs, it does not run again, even if the process that ran it is gone.
    assert_eq!(app.pass(MINUTE_MS).await, 1);
    app.clock.advance_ms(MINUTE_MS);
    assert_eq!(app.app.jobs.claim(10).await.unwrap().len(), 1);
    ann.done("pausePipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    app.pass(MINUTE_MS).await;
    assert_eq!(app.pass(MINUTE_MS).await, 0);
    assert_eq!(upstream.requests().len(), 3);
}

#[tokio::test]
async fn a_pipeline_that_is_asked_to_run_while_it_runs_runs_again() {
    let (app, ann, upstream, id) = TestApp::polling(Reply::Json(json!([{"n": 1}])), "$").await;
    let [job] = &app.app.jobs.claim(10).await.unwrap()[..] else {
        panic!("one job is due")
    };
    let next = app.app.pipelines.run_job(job).await;
    app.clock.advance_ms(1);
    ann.done("runPipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    assert_eq!(app.run_due_jobs().await, 0, "it is still running");
    app.app.jobs.finish(job, next).await.unwrap();
    assert_eq!(app.run_due_jobs().await, 1);
    assert_eq!(upstream.requests().len(), 2);
    assert_eq!(ann.runs(&id).await[0]["trigger"], "MANUAL");
}

#[tokio::test]
async fn two_processes_never_poll_at_once() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let late = Reply::Late(Duration::from_millis(200), json!([{"n": 1}]));
    let upstream = Upstream::start(late).await;
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(
            ann.new_polling("Feed", &format!("{}/{n}", upstream.url), "$")
                .await,
        );
    }
    let other = app.beside().await;
    let (here, there) = tokio::join!(app.run_due_jobs(), other.run_due_jobs());
    assert_eq!(here + there, 4);
    assert_eq!(upstream.requests().len(), 4);
    for id in ids {
        assert_eq!(ann.pipeline(&id).await["recordCount"], 1.0);
    }
}

#[tokio::test]
async fn a_job_is_taken_once_however_many_want_it() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    for n in 0..20 {
        ann.new_polling("Feed", &format!("http://127.0.0.1:9/{n}"), "$")
            .await;
    }
    let jobs = &app.app.jobs;
    let claims = (0..8).map(|_| jobs.claim(5));
    let claimed = futures_util::future::join_all(claims).await;
    let mut keys: Vec<_> = claimed
        .into_iter()
        .flat_map(Result::unwrap)
        .map(|job| job.unique_key)
        .collect();
    let taken = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!((taken, keys.len()), (20, 20));
}

#[tokio::test]
async fn those_who_have_little_to_do_do_not_wait_for_those_who_have_much() {
    let app = TestApp::start().await;
    let (ann, eve) = (app.owner("ann").await, app.owner("eve").await);
    for n in 0..50 {
        ann.new_polling("Feed", &format!("http://127.0.0.1:9/{n}"), "$")
            .await;
    }
    let mut few = Vec::new();
    for n in 0..3 {
        few.push(
            eve.new_polling("Feed", &format!("http://127.0.0.1:9/{n}"), "$")
                .await,
        );
    }
    app.clock.advance_ms(1);
    let taken = async |limit| {
        let jobs = app.app.jobs.claim(limit).await.unwrap();
        let of_eve = |key: &str| few.iter().any(|id| key.ends_with(id.as_str()));
        let eves = jobs.iter().filter(|job| of_eve(&job.unique_key)).count();
        (jobs.len(), eves)
    };
    // They take turns, and what one of them does not need is the other's.
    assert_eq!(taken(4).await, (4, 2));
    assert_eq!(taken(10).await, (10, 1));
    assert_eq!(taken(100).await, (39, 0));
}

#[tokio::test]
async fn slow_servers_of_one_do_not_take_the_places_of_all() {
    let app = TestApp::builder().workers().real_clock().start().await;
    let (ann, eve) = (app.owner("ann").await, app.owner("eve").await);
    let (slow, fast) = (
        Upstream::start(Reply::Never).await,
        Upstream::start(Reply::Json(json!([{"n": 1}]))).await,
    );
    for n in 0..140 {
        ann.new_polling("Slow", &format!("{}/{n}", slow.url), "$")
            .await;
    }
    slow.asked(32).await;
    eve.new_polling("Fast", &fast.url, "$").await;
    fast.asked(1).await;
    assert!(slow.most_at_once() < 128, "{}", slow.most_at_once());
}

#[tokio::test]
async fn a_poll_whose_process_dies_is_taken_over_and_stored_once() {
    let (app, ann, upstream, id) =
        TestApp::polling(Reply::Json(json!([{"n": 1}, {"n": 2}])), "$").await;
    let jobs = &app.app.jobs;
    let [dead] = &jobs.claim(10).await.unwrap()[..] else {
        panic!("one job is due")
    };
    // It polls and stores, and dies before it can say so.
    let next = app.app.pipelines.run_job(dead).await;
    assert_eq!(ann.pipeline(&id).await["recordCount"], 2.0);
    assert_eq!(app.pass(LEASE_MS).await, 0, "the lease has not run out");
    assert!(jobs.renew(dead).await.unwrap());
    assert_eq!(app.pass(LEASE_MS).await, 0, "the lease was renewed");
    app.clock.advance_ms(1);
    let [heir] = &jobs.claim(10).await.unwrap()[..] else {
        panic!("the lease has run out")
    };
    assert_eq!(
        (&heir.unique_key, heir.run_at_ms),
        (&dead.unique_key, dead.run_at_ms)
    );
    let next_of_heir = app.app.pipelines.run_job(heir).await;
    assert!(!jobs.renew(dead).await.unwrap());
    assert!(!jobs.finish(dead, next).await.unwrap(), "it lost its lease");
    assert!(!jobs.finish(dead, Next::Done).await.unwrap());
    assert!(jobs.finish(heir, next_of_heir).await.unwrap());
    assert_eq!(upstream.requests().len(), 2);
    assert_eq!(ann.pipeline(&id).await["recordCount"], 2.0);
    assert_eq!(ann.runs(&id).await.len(), 1);
    assert_eq!(app.run_due_jobs().await, 0);
    assert_eq!(next_after_start(&ann, &id).await, 2 * MINUTE_MS);
}

#[tokio::test]
async fn a_job_that_fails_inside_dash_is_tried_again_later() {
    let (app, ann, _upstream, id) = TestApp::polling(Reply::Json(json!([{"n": 1}])), "$").await;
    let jobs = &app.app.jobs;
    for pause_ms in [1_000, 2_000, 4_000] {
        let [job] = &jobs.claim(10).await.unwrap()[..] else {
            panic!("the job is due")
        };
        let failed = Next::Retry("the disk is full".to_owned());
        assert!(jobs.finish(job, failed).await.unwrap());
        app.clock.advance_ms(pause_ms);
        assert_eq!(jobs.claim(10).await.unwrap(), []);
        app.clock.advance_ms(1);
    }
    assert_eq!(app.run_due_jobs().await, 1);
    assert_eq!(ann.pipeline(&id).await["recordCount"], 1.0);
}

#[tokio::test]
async fn the_demo_sells_orders_from_the_first_moment_on() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let query = "mutation { startDemo { pipeline { id } dashboard { id widgets { title } } userErrors { \
                 code } } }";
    let started = ann.data(query, json!({})).await["startDemo"].clone();
    let id = started["pipeline"]["id"].as_str().unwrap().to_owned();
    assert_eq!(started["dashboard"]["widgets"].as_array().unwrap().len(), 7);
    assert_eq!(app.run_due_jobs().await, 1);
    let after_history = ann.pipeline(&id).await["recordCount"].as_f64().unwrap();
    assert!(
        (20_000.0..50_000.0).contains(&after_history),
        "{after_history}"
    );
    // The job that was due goes as far as its own time, the next one as far as now.
    assert_eq!(app.pass(60_000).await, 1);
    assert_eq!(app.pass(2_000).await, 1);
    let records = ann.records(&id).await;
    let newest_ms = time_ms(&records[0]);
    assert!(
        newest_ms > START_MS + 30_000 && newest_ms < START_MS + 62_000,
        "{newest_ms}"
    );
    let runs = ann.runs(&id).await;
    assert!(
        runs.iter()
            .all(|run| run["trigger"] == "DEMO" && run["state"] == "SUCCEEDED")
    );
}
