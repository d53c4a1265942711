//! Several processes on one PostgreSQL: what happens in one is seen by those who follow in another,
//! at once. SQLite has one process, and nothing to test here.

use std::time::Duration;

use dash_api::data::{Append, NewRun, RunTrigger};
use dash_api::db::Engine;
use dash_shared::ids::{PipelineId, TeamId};
use dash_tests::live::Live;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

const DASHBOARD: &str = "subscription ($id: ID!) { dashboard(id: $id) { dashboard { name version } data { \
                         ... on StatData { value } ... on WidgetFailure { message } } } }";
const RECORDS: &str = "subscription ($id: ID!, $after: String) { pipelineRecords(pipelineId: $id, \
                       after: $after) { records { cursor fields } } }";
const RUNS: &str =
    "subscription ($id: ID!) { pipelineRuns(pipelineId: $id) { received stored state } }";

/// Two processes, and somebody who is known to both.
struct Two {
    a: TestApp,
    b: TestApp,
    ann: Client,
}

/// None on SQLite.
async fn two() -> Option<Two> {
    let a = TestApp::start().await;
    if a.app.db.engine() == Engine::Sqlite {
        return None;
    }
    let b = a.beside().await;
    let ann = a.owner("ann").await;
    Some(Two { a, b, ann })
}

impl Two {
    fn at_b(&self) -> Client {
        self.ann.at(&self.b.url)
    }
}

/// Posts empty batches until a message comes: then B listens, and what A does next is told as it
/// happens.
async fn listening(live: &mut Live, runs: &str, client: &Client, url: &str) {
    loop {
        client.post(url, &json!([])).await;
        let message = tokio::time::timeout(Duration::from_millis(50), live.next(runs));
        if message.await.is_ok() {
            return;
        }
    }
}

async fn records(live: &mut Live, id: &str, count: usize) -> Vec<(usize, Value)> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let batch = live.next(id).await["pipelineRecords"].clone();
        let records = batch["records"].as_array().unwrap();
        seen.extend(records.iter().map(|record| {
            let seq = record["cursor"].as_str().unwrap().parse().unwrap();
            (seq, record["fields"].clone())
        }));
    }
    seen
}

/// Reads messages about a dashboard until one has this value among its data.
async fn shows(live: &mut Live, board: &str, value: &Value) {
    while !live.next(board).await["dashboard"]["data"]
        .as_array()
        .unwrap()
        .contains(value)
    {}
}

#[tokio::test]
async fn what_one_process_stores_is_told_to_the_followers_of_another() {
    let Some(two) = two().await else { return };
    let (ann, (id, url)) = (&two.ann, two.ann.new_webhook("Orders").await);
    let input = json!({ "name": "Orders", "pipelineId": id });
    let made = ann.done("createDashboard", "dashboard { id }", input).await;
    let mut live = Live::connect(&two.at_b()).await;
    let runs = live.subscribe(RUNS, json!({ "id": id })).await;
    listening(&mut live, &runs, ann, &url).await;
    let board = made["dashboard"]["id"].clone();
    let board = live.subscribe(DASHBOARD, json!({ "id": board })).await;
    let followed = live
        .subscribe(RECORDS, json!({ "id": id, "after": "0" }))
        .await;
    shows(&mut live, &board, &json!({ "value": 0.0 })).await;

    ann.post(&url, &json!([{ "n": 1 }, "no record"])).await;
    assert_eq!(
        records(&mut live, &followed, 1).await,
        [(1, json!({ "n": 1 }))]
    );
    shows(&mut live, &board, &json!({ "value": 1.0 })).await;
    let run = loop {
        let run = live.next(&runs).await["pipelineRuns"].clone();
        if run["received"] != 0 {
            break run;
        }
    };
    assert_eq!(
        run,
        json!({ "received": 2, "stored": 1, "state": "PARTIAL" })
    );

    // The other way round, and by both.
    let url_b = url.replace(&two.a.url, &two.b.url);
    ann.post(&url_b, &json!({ "n": 2 })).await;
    ann.post(&url, &json!({ "n": 3 })).await;
    let expected = [(2, json!({ "n": 2 })), (3, json!({ "n": 3 }))];
    assert_eq!(records(&mut live, &followed, 2).await, expected);
    shows(&mut live, &board, &json!({ "value": 3.0 })).await;

    // What retention deletes in one is gone in the other.
    two.a.clock.advance_ms(1);
    let pipeline: PipelineId = id.parse().unwrap();
    let trimmed = two.a.app.store.trim(pipeline, two.a.clock.now_ms()).await;
    assert_eq!(trimmed.unwrap(), 3);
    shows(&mut live, &board, &json!({ "value": 0.0 })).await;
}

#[tokio::test]
async fn records_that_two_processes_store_in_turn_are_told_in_order_and_once() {
    const POSTS: usize = 60;
    let Some(two) = two().await else { return };
    let (ann, (id, url)) = (&two.ann, two.ann.new_webhook("Orders").await);
    let url_b = url.replace(&two.a.url, &two.b.url);
    let mut at_a = Live::connect(ann).await;
    let mut at_b = Live::connect(&two.at_b()).await;
    let variables = || json!({ "id": id, "after": "0" });
    let of_a = at_a.subscribe(RECORDS, variables()).await;
    let of_b = at_b.subscribe(RECORDS, variables()).await;
    let post = |url: String, by: &'static str| async move {
        for n in 0..POSTS {
            let body: Vec<_> = (0..=n % 3).map(|_| json!({ "by": by, "n": n })).collect();
            assert_eq!(ann.post(&url, &json!(body)).await.status, 200);
        }
    };
    // Each writer posts one body after the other, several times at once.
    let all = 4 * POSTS * 2;
    let ((), (), (), (), seen_a, seen_b) = tokio::join!(
        post(url.clone(), "a"),
        post(url_b.clone(), "b"),
        post(url, "a"),
        post(url_b, "b"),
        records(&mut at_a, &of_a, all),
        records(&mut at_b, &of_b, all),
    );
    assert!(seen_a.iter().map(|(seq, _)| *seq).eq(1..=all));
    assert_eq!(seen_a, seen_b);
    let stored: Vec<_> = ann
        .all_records(&id)
        .await
        .into_iter()
        .map(|record| record["fields"].clone())
        .collect();
    assert!(seen_a.into_iter().map(|(_, fields)| fields).eq(stored));
}

#[tokio::test]
async fn definitions_that_change_in_one_process_change_in_the_other() {
    let Some(two) = two().await else { return };
    let (ann, (id, url)) = (&two.ann, two.ann.new_webhook("Orders").await);
    let input = json!({ "name": "Orders", "pipelineId": id });
    let made = ann.done("createDashboard", "dashboard { id }", input).await;
    let board = made["dashboard"]["id"].clone();
    let mut live = Live::connect(&two.at_b()).await;
    let runs = live.subscribe(RUNS, json!({ "id": id })).await;
    listening(&mut live, &runs, ann, &url).await;
    let followed = live.subscribe(DASHBOARD, json!({ "id": board })).await;
    let of_records = live.subscribe(RECORDS, json!({ "id": id })).await;
    shows(&mut live, &followed, &json!({ "value": 0.0 })).await;

    let renamed = json!({ "id": board, "name": "Sales" });
    ann.done("updateDashboard", "dashboard { id }", renamed)
        .await;
    let changed = loop {
        let message = live.next(&followed).await["dashboard"]["dashboard"].clone();
        if !message.is_null() {
            break message;
        }
    };
    assert_eq!(changed, json!({ "name": "Sales", "version": 2 }));

    ann.done("deletePipeline", "deletedId", json!({ "id": id }))
        .await;
    assert_eq!(live.next(&of_records).await, Value::Null);
    let failed = |message: &Value| {
        let data = message["dashboard"]["data"].as_array().unwrap().iter();
        data.clone().any(|data| {
            data["message"]
                .as_str()
                .is_some_and(|text| text.contains("deleted"))
        })
    };
    while !failed(&live.next(&followed).await) {}
    ann.done("deleteDashboard", "deletedId", json!({ "id": board }))
        .await;
    while !live.next(&followed).await.is_null() {}
}

#[tokio::test]
async fn a_connection_to_the_others_that_is_cut_again_and_again_misses_nothing() {
    const POSTS: usize = 200;
    let Some(two) = two().await else { return };
    let (ann, (id, url)) = (&two.ann, two.ann.new_webhook("Orders").await);
    let mut live = Live::connect(&two.at_b()).await;
    let followed = live
        .subscribe(RECORDS, json!({ "id": id, "after": "0" }))
        .await;
    let post = async {
        for n in 0..POSTS {
            assert_eq!(ann.post(&url, &json!({ "n": n })).await.status, 200);
            if n % 20 == 10 {
                let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE \
                           datname = current_database() AND query LIKE 'LISTEN%'";
                two.a.execute(cut).await;
            }
        }
    };
    let ((), seen) = tokio::join!(post, records(&mut live, &followed, POSTS));
    assert!(seen.iter().map(|(seq, _)| *seq).eq(1..=POSTS));
}

#[tokio::test]
async fn a_commit_to_more_pipelines_than_can_be_named_is_told_all_the_same() {
    const PIPELINES: usize = 200;
    let Some(two) = two().await else { return };
    let (ann, (id, url)) = (&two.ann, two.ann.new_webhook("Orders").await);
    let mut live = Live::connect(&two.at_b()).await;
    let runs = live.subscribe(RUNS, json!({ "id": id })).await;
    listening(&mut live, &runs, ann, &url).await;
    let followed = live
        .subscribe(RECORDS, json!({ "id": id, "after": "0" }))
        .await;
    let pipeline: PipelineId = id.parse().unwrap();
    let now_ms = two.a.clock.now_ms();
    for round in 0..3_usize {
        // The first one is stored alone, and the others together.
        let appends = (0..PIPELINES).map(|n| {
            let pipeline_id = if n == PIPELINES - 1 {
                pipeline
            } else {
                PipelineId::new()
            };
            let run = NewRun {
                team_id: TeamId::new(),
                pipeline_id,
                batch_key: None,
                trigger: RunTrigger::Webhook,
                started_at_ms: now_ms,
                finished_at_ms: now_ms,
                received: 1,
                dropped: 0,
                held: 0,
                failed: 0,
                record_errors: Vec::new(),
                error: None,
            };
            let record = super::keys::new_record(now_ms, json!({ "round": round }), None);
            two.a.app.store.append(Append::new(run, vec![record]))
        });
        for appended in futures_util::future::join_all(appends).await {
            assert_eq!(appended.unwrap().stored, 1);
        }
        let seen = records(&mut live, &followed, 1).await;
        assert_eq!(seen, [(round + 1, json!({ "round": round }))]);
    }
}
