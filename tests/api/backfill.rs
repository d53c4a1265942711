//! Backfill: a pipeline's steps applied to everything that it received, shown at once when all of it
//! is done, whatever comes in or breaks off meanwhile.

use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

const STATE: &str = "query ($id: ID!) { pipeline(id: $id) { recordCount storedBytes \
    backfill { state problem progress events records failed dropped } } }";

async fn state(client: &Client, id: &str) -> Value {
    client.data(STATE, json!({ "id": id })).await["pipeline"].clone()
}

async fn start(client: &Client, id: &str) {
    let input = json!({ "pipelineId": id });
    client.done("startBackfill", "pipeline { id }", input).await;
}

async fn set_steps(client: &Client, id: &str, steps: Value) {
    let input = json!({ "id": id, "steps": steps });
    client
        .done("updatePipeline", "pipeline { id }", input)
        .await;
}

/// The numbers and fields of all records.
async fn stored(client: &Client, id: &str) -> Vec<(i64, Value)> {
    let records = client.all_records(id).await;
    records
        .into_iter()
        .map(|record| {
            let cursor = record["cursor"].as_str().unwrap_or_default();
            (cursor.parse().unwrap_or(0), record["fields"].clone())
        })
        .collect()
}

fn numbers(stored: &[(i64, Value)]) -> Vec<i64> {
    stored
        .iter()
        .map(|(_, fields)| fields["n"].as_i64().unwrap())
        .collect()
}

async fn finish(app: &TestApp, client: &Client, id: &str) -> Value {
    let mut rounds = 0;
    loop {
        app.run_due_jobs().await;
        let now = state(client, id).await;
        let phase = now["backfill"]["state"].as_str().unwrap_or_default();
        if phase == "DONE" || phase == "FAILED" {
            return now;
        }
        rounds += 1;
        assert!(rounds < 50, "the backfill does not end: {now}");
    }
}

#[tokio::test]
async fn what_was_left_out_comes_back_and_what_was_wrong_is_right() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    ann.post(&url, &json!([{"n": 1, "c": "de"}, {"n": 2, "c": "fr"}]))
        .await;
    set_steps(
        &ann,
        &id,
        json!([{ "kind": "filter", "formula": "c == 'de'" }]),
    )
    .await;
    ann.post(&url, &json!([{"n": 3, "c": "fr"}, {"n": 4, "c": "de"}]))
        .await;
    ann.post(&url, &json!({"n": 5, "c": "fr"})).await;
    assert_eq!(numbers(&stored(&ann, &id).await), [1, 2, 4]);

    let upper =
        json!([{ "kind": "calculate", "fields": [{ "field": "c", "formula": "upper(c)" }] }]);
    set_steps(&ann, &id, upper).await;
    start(&ann, &id).await;
    // What comes in meanwhile has the new steps already.
    ann.post(&url, &json!({"n": 6, "c": "it"})).await;
    assert_eq!(
        numbers(&stored(&ann, &id).await),
        [1, 2, 4, 6],
        "nothing changes until it is done"
    );
    let done = finish(&app, &ann, &id).await;
    assert_eq!(done["backfill"]["state"], "DONE", "{done}");
    assert_eq!(done["backfill"]["events"], 5.0);
    let after = stored(&ann, &id).await;
    assert_eq!(numbers(&after), [1, 2, 3, 4, 5, 6]);
    assert!(
        after
            .iter()
            .all(|(_, fields)| ["DE", "FR", "IT"].contains(&fields["c"].as_str().unwrap()))
    );
    assert_eq!(done["recordCount"], 6.0);
    let bytes: usize = after
        .iter()
        .map(|(_, fields)| fields.to_string().len())
        .sum();
    assert_eq!(done["storedBytes"].to_string(), format!("{bytes}.0"));

    // It can be done again, from what was received at first.
    set_steps(
        &ann,
        &id,
        json!([{ "kind": "filter", "formula": "c == 'fr'" }]),
    )
    .await;
    start(&ann, &id).await;
    finish(&app, &ann, &id).await;
    let after = stored(&ann, &id).await;
    assert_eq!(numbers(&after), [2, 3, 5]);
    ann.post(&url, &json!([{"n": 7, "c": "fr"}])).await;
    app.pass(120_000).await;
    assert_eq!(numbers(&stored(&ann, &id).await), [2, 3, 5, 7]);
}

#[tokio::test]
async fn one_event_can_become_many_records_and_later_numbers_grow() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Baskets").await;
    ann.post(
        &url,
        &json!([{"items": [{"n": 1}, {"n": 2}]}, {"items": [{"n": 3}, {"n": 4}, {"n": 5}]}]),
    )
    .await;
    let explode = json!([
        { "kind": "explode", "field": "items" },
        { "kind": "select", "fields": ["n"] },
    ]);
    set_steps(&ann, &id, explode).await;
    start(&ann, &id).await;
    ann.post(&url, &json!({"items": [{"n": 6}]})).await;
    finish(&app, &ann, &id).await;
    ann.post(&url, &json!({"items": [{"n": 7}]})).await;
    assert_eq!(numbers(&stored(&ann, &id).await), [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn figures_and_the_ledger_are_those_of_the_new_records() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    let orders: Vec<_> = (0..300).map(|n| json!({ "n": n })).collect();
    ann.post(&url, &json!(orders)).await;
    let query = "query ($id: ID!) { pipeline(id: $id) { query(input: { measures: [{ aggregate: COUNT }], \
                 range: { lastSeconds: 3600 } }) { groups { totals } } } }";
    let count = async || {
        let answer = ann.data(query, json!({ "id": id })).await;
        answer["pipeline"]["query"]["groups"][0]["totals"][0].clone()
    };
    let used = async || {
        let query = "{ viewer { organization { dataPointsThisMonth } } }";
        let found = ann.data(query, json!({})).await;
        found["viewer"]["organization"]["dataPointsThisMonth"].clone()
    };
    assert_eq!(count().await, 300.0);
    set_steps(
        &ann,
        &id,
        json!([{ "kind": "filter", "formula": "n < 100" }]),
    )
    .await;
    start(&ann, &id).await;
    finish(&app, &ann, &id).await;
    assert_eq!((count().await, used().await), (json!(100.0), json!(300.0)));
    ann.post(&url, &json!({ "n": 1 })).await;
    assert_eq!((count().await, used().await), (json!(101.0), json!(301.0)));
}

#[tokio::test]
async fn a_change_of_the_steps_ends_it_and_nothing_is_lost() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    ann.post(&url, &json!([{"n": 1}, {"n": 2}])).await;
    start(&ann, &id).await;
    let again = ann
        .user_errors("startBackfill", json!({ "pipelineId": id }))
        .await;
    assert_eq!(again, ["pipelineId INVALID"]);
    set_steps(&ann, &id, json!([{ "kind": "filter", "formula": "n > 1" }])).await;
    let ended = finish(&app, &ann, &id).await;
    assert_eq!(ended["backfill"]["state"], "FAILED");
    assert!(
        ended["backfill"]["problem"]
            .as_str()
            .unwrap()
            .contains("changed")
    );
    assert_eq!(numbers(&stored(&ann, &id).await), [1, 2]);
    start(&ann, &id).await;
    ann.done(
        "cancelBackfill",
        "pipeline { id }",
        json!({ "pipelineId": id }),
    )
    .await;
    let stopped = state(&ann, &id).await;
    assert_eq!(stopped["backfill"]["problem"], "It was stopped.");
    start(&ann, &id).await;
    finish(&app, &ann, &id).await;
    assert_eq!(numbers(&stored(&ann, &id).await), [2]);
}

#[tokio::test]
async fn a_pipeline_that_received_nothing_has_nothing_to_transform() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, _) = ann.new_webhook("Orders").await;
    let refused = ann
        .user_errors("startBackfill", json!({ "pipelineId": id }))
        .await;
    assert_eq!(refused, ["pipelineId INVALID"]);
    assert_eq!(state(&ann, &id).await["backfill"], Value::Null);
}
