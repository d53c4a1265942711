//! Pipelines that read other pipelines: each record once and in order, no circles, nothing of others.

use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

async fn reading(client: &Client, upstream: &str, more: Value) -> String {
    let mut source = json!({ "pipelineId": upstream });
    for (key, value) in more.as_object().unwrap() {
        source[key] = value.clone();
    }
    let input = json!({ "name": "Reader", "source": { "pipeline": source } });
    let selection = "pipeline { id }";
    let made = client.done("createPipeline", selection, input).await;
    made["pipeline"]["id"].as_str().unwrap().to_owned()
}

async fn numbers(client: &Client, id: &str) -> Vec<i64> {
    let records = client.all_records(id).await;
    records
        .iter()
        .map(|record| record["fields"]["n"].as_i64().unwrap())
        .collect()
}

fn all(from: i64, to: i64) -> Value {
    (from..=to).map(|n| json!({ "n": n })).collect()
}

#[tokio::test]
async fn what_one_pipeline_stores_comes_into_those_that_read_it() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (first, url) = ann.new_webhook("First").await;
    ann.post(&url, &all(1, 3)).await;
    let from_now = reading(&ann, &first, json!({})).await;
    let from_first = reading(&ann, &first, json!({ "readFrom": "BEGINNING" })).await;
    let second = reading(&ann, &from_first, json!({ "readFrom": "BEGINNING" })).await;
    let steps = json!([{ "kind": "filter", "formula": "n > 2" }]);
    let input = json!({ "id": second, "steps": steps });
    ann.done("updatePipeline", "pipeline { id }", input).await;
    ann.post(&url, &all(4, 1_200)).await;
    for _ in 0..5 {
        app.run_due_jobs().await;
    }
    assert_eq!(
        numbers(&ann, &from_now).await,
        (4..=1_200).collect::<Vec<_>>()
    );
    assert_eq!(
        numbers(&ann, &from_first).await,
        (1..=1_200).collect::<Vec<_>>()
    );
    assert_eq!(
        numbers(&ann, &second).await,
        (3..=1_200).collect::<Vec<_>>()
    );
    let runs = ann.runs(&second).await;
    assert_eq!(runs[0]["trigger"], "PIPELINE");
    let query = "query ($id: ID!) { pipeline(id: $id) { source { ... on PipelineSource { \
                 pipelineId pipeline { name } } } } }";
    let shown = ann.data(query, json!({ "id": second })).await;
    assert_eq!(shown["pipeline"]["source"]["pipelineId"], from_first);
    assert_eq!(shown["pipeline"]["source"]["pipeline"]["name"], "Reader");
}

#[tokio::test]
async fn a_paused_reader_goes_on_where_it_was() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (first, url) = ann.new_webhook("First").await;
    let reader = reading(&ann, &first, json!({})).await;
    ann.post(&url, &all(1, 2)).await;
    app.run_due_jobs().await;
    ann.done("pausePipeline", "pipeline { id }", json!({ "id": reader }))
        .await;
    ann.post(&url, &all(3, 4)).await;
    app.run_due_jobs().await;
    assert_eq!(numbers(&ann, &reader).await, [1, 2]);
    let app = app.restart().await;
    let ann = ann.at(&app.url);
    ann.done("resumePipeline", "pipeline { id }", json!({ "id": reader }))
        .await;
    app.run_due_jobs().await;
    assert_eq!(numbers(&ann, &reader).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn circles_long_ways_and_what_others_own_are_refused() {
    let app = TestApp::start().await;
    let (ann, eve) = (app.owner("ann").await, app.owner("eve").await);
    let (first, _) = ann.new_webhook("First").await;
    let source =
        |id: &str| json!({ "name": "Mine", "source": { "pipeline": { "pipelineId": id } } });
    let refused = ["source.pipeline.pipelineId INVALID"];
    assert_eq!(
        eve.user_errors("createPipeline", source(&first)).await,
        refused
    );
    assert_eq!(
        ann.user_errors("createPipeline", source("nonsense")).await,
        refused
    );
    let mut chain = vec![first.clone()];
    for _ in 0..8 {
        chain.push(reading(&ann, &chain[chain.len() - 1], json!({})).await);
    }
    assert_eq!(
        ann.user_errors("createPipeline", source(&chain[8])).await,
        refused
    );
    let circle = json!({ "id": chain[1], "source": { "pipeline": { "pipelineId": chain[4] } } });
    assert_eq!(ann.user_errors("updatePipeline", circle).await, refused);
    let itself = json!({ "id": chain[1], "source": { "pipeline": { "pipelineId": chain[1] } } });
    assert_eq!(ann.user_errors("updatePipeline", itself).await, refused);
    // Nothing is read from under others.
    let in_use = ann
        .user_errors("deletePipeline", json!({ "id": chain[7] }))
        .await;
    assert_eq!(in_use, ["id INVALID"]);
    ann.done("deletePipeline", "deletedId", json!({ "id": chain[8] }))
        .await;
    ann.done("deletePipeline", "deletedId", json!({ "id": chain[7] }))
        .await;
}

#[tokio::test]
async fn records_come_within_a_moment() {
    let app = TestApp::builder().real_clock().start().await;
    app.app.start_workers();
    let ann = app.owner("ann").await;
    let (first, url) = ann.new_webhook("First").await;
    let reader = reading(&ann, &first, json!({})).await;
    let mut live = dash_tests::live::Live::connect(&ann).await;
    let query =
        "subscription ($id: ID!) { pipelineRecords(pipelineId: $id) { records { fields } } }";
    let id = live.subscribe(query, json!({ "id": reader })).await;
    let mut seen = Vec::new();
    let mut sent = 0;
    while seen.is_empty() {
        sent += 1;
        ann.post(&url, &json!({ "n": sent })).await;
        let wait = std::time::Duration::from_secs(2);
        if let Ok(message) = tokio::time::timeout(wait, live.next(&id)).await {
            let records = message["pipelineRecords"]["records"].as_array().cloned();
            seen = records.unwrap_or_default();
        }
        assert!(sent < 10, "nothing comes");
    }
    assert!(seen[0]["fields"]["n"].is_i64());
}
