//! Retention: what was kept long enough is deleted, in every pipeline by its plan and its own
//! setting, and everything else stays exact.

use dash_shared::plans::Plan;
use dash_tests::live::Live;
use dash_tests::{Client, TestApp};
use serde_json::json;

const DAY_MS: i64 = 24 * 3_600_000;

async fn enforce(app: &TestApp) {
    app.app.pipelines.enforce_retention().await.unwrap();
}

/// Her session did not outlive so many days.
async fn back(app: &TestApp) -> Client {
    app.logged_in("ann@corp.test", "correct horse battery")
        .await
}

async fn on(plan: Plan) -> (TestApp, Client) {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let set = app.app.accounts.set_plan("ann@corp.test", plan).await;
    set.unwrap();
    (app, ann)
}

async fn numbers(client: &Client, id: &str) -> Vec<i64> {
    let records = client.all_records(id).await;
    let number = |record: &serde_json::Value| record["fields"]["n"].as_i64();
    records.iter().filter_map(number).collect()
}

#[tokio::test]
async fn records_and_runs_are_deleted_when_they_were_kept_as_long_as_the_plan_allows() {
    let (app, ann) = on(Plan::Free).await;
    let (id, url) = ann.new_webhook("Orders").await;
    let (other, other_url) = ann.new_webhook("Other").await;
    ann.post(&url, &json!([{"n": 1}, {"n": 2}])).await;
    app.pass(4 * DAY_MS).await;
    ann.post(&url, &json!({"n": 3, "é": "é"})).await;
    ann.post(&other_url, &json!({"n": 4})).await;
    app.clock.advance_ms(3 * DAY_MS);
    enforce(&app).await;
    assert_eq!(numbers(&ann, &id).await, [1, 2, 3], "kept for 7 days");
    app.clock.advance_ms(1);
    enforce(&app).await;
    assert_eq!(numbers(&ann, &id).await, [3]);
    assert_eq!(ann.runs(&id).await.len(), 1);
    let pipeline = ann.pipeline(&id).await;
    assert_eq!(pipeline["recordCount"], 1.0);
    let query = "query ($id: ID!) { pipeline(id: $id) { storedBytes } }";
    let stored = ann.data(query, json!({ "id": id })).await;
    #[expect(clippy::cast_precision_loss, reason = "a few bytes")]
    let bytes = json!({"n": 3, "é": "é"}).to_string().len() as f64;
    assert_eq!(stored["pipeline"]["storedBytes"], bytes);
    assert_eq!(numbers(&ann, &other).await, [4]);

    // What comes later is counted on from there.
    ann.post(&url, &json!({"n": 5})).await;
    assert_eq!(numbers(&ann, &id).await, [3, 5]);
    assert_eq!(ann.pipeline(&id).await["recordCount"], 2.0);
}

#[tokio::test]
async fn a_pipeline_can_keep_less_than_its_plan_allows_and_never_more() {
    let (app, ann) = on(Plan::Pro).await;
    let (id, url) = ann.new_webhook("Orders").await;
    let keep = async |days: serde_json::Value| {
        let change = json!({ "id": id, "retentionDays": days });
        ann.done("updatePipeline", "pipeline { retentionDays }", change)
            .await["pipeline"]["retentionDays"]
            .clone()
    };
    for (days, refused) in [
        (-1, "retentionDays TOO_SHORT"),
        (31, "retentionDays PLAN_REQUIRED"),
    ] {
        let change = json!({ "id": id, "retentionDays": days });
        assert_eq!(ann.user_errors("updatePipeline", change).await, [refused]);
    }
    ann.post(&url, &json!({"n": 1})).await;
    assert_eq!(keep(json!(2)).await, 2);
    app.clock.advance_ms(2 * DAY_MS + 1);
    ann.post(&url, &json!({"n": 2})).await;
    enforce(&app).await;
    assert_eq!(numbers(&ann, &id).await, [2]);
    assert_eq!(keep(json!(0)).await, json!(null));
    app.clock.advance_ms(2 * DAY_MS + 1);
    enforce(&app).await;
    assert_eq!(numbers(&ann, &id).await, [2]);
}

#[tokio::test]
async fn without_a_limit_records_stay() {
    let (app, ann) = on(Plan::Enterprise).await;
    let (id, url) = ann.new_webhook("Orders").await;
    ann.post(&url, &json!({"n": 1})).await;
    app.clock.advance_ms(3_000 * DAY_MS);
    enforce(&app).await;
    let ann = back(&app).await;
    assert_eq!(numbers(&ann, &id).await, [1]);
}

#[tokio::test]
async fn more_than_a_chunk_is_deleted_and_those_who_look_see_it_go() {
    let (app, ann) = on(Plan::Pro).await;
    let (id, url) = ann.new_webhook("Orders").await;
    let many: Vec<_> = (0..2_500).map(|n| json!({ "n": n })).collect();
    ann.post(&url, &json!(many)).await;
    app.clock.advance_ms(30 * DAY_MS);
    let ann = back(&app).await;
    ann.post(&url, &json!([{"n": 1}, {"n": 2}])).await;
    let input = json!({ "name": "Orders", "pipelineId": id });
    let made = ann.done("createDashboard", "dashboard { id }", input).await;
    let mut live = Live::connect(&ann).await;
    let query = "subscription ($id: ID!) { dashboard(id: $id, range: { lastSeconds: 5184000 }) { \
                 data { ... on StatData { value } } } }";
    let board = live
        .subscribe(query, json!({ "id": made["dashboard"]["id"] }))
        .await;
    app.clock.advance_ms(1);
    enforce(&app).await;
    while !live.next(&board).await["dashboard"]["data"]
        .as_array()
        .unwrap()
        .contains(&json!({ "value": 2.0 }))
    {}
    assert_eq!(numbers(&ann, &id).await, [1, 2]);
}

#[tokio::test]
async fn of_all_processes_one_enforces_it_every_hour() {
    let (app, ann) = on(Plan::Pro).await;
    let (id, url) = ann.new_webhook("Orders").await;
    ann.post(&url, &json!({"n": 1})).await;
    app.app.pipelines.schedule_retention().await.unwrap();
    let other = app.beside().await;
    other.app.pipelines.schedule_retention().await.unwrap();
    assert_eq!(app.run_due_jobs().await + other.run_due_jobs().await, 1);
    app.clock.advance_ms(31 * DAY_MS);
    assert_eq!(app.run_due_jobs().await + other.run_due_jobs().await, 1);
    let ann = back(&app).await;
    assert_eq!(ann.pipeline(&id).await["recordCount"], 0.0);
}

#[tokio::test]
async fn what_is_deleted_gives_its_space_back() {
    let (app, ann) = on(Plan::Pro).await;
    if app.app.db.engine() != dash_api::db::Engine::Sqlite {
        return;
    }
    let (_, url) = ann.new_webhook("Orders").await;
    let text = "x".repeat(1_000);
    let many: Vec<_> = (0..1_000)
        .map(|n| json!({ "n": n, "text": text }))
        .collect();
    for _ in 0..20 {
        ann.post(&url, &json!(many)).await;
    }
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    app.execute(checkpoint).await;
    let size = || std::fs::metadata(app.sqlite_file()).unwrap().len();
    let full = size();
    assert!(full > 20_000_000, "{full}");
    app.clock.advance_ms(31 * DAY_MS);
    enforce(&app).await;
    app.execute(checkpoint).await;
    assert!(size() < full / 10, "{} of {full}", size());
}
