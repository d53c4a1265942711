//! Versions of pipelines: each change that people can see is kept with who made it, and can be
//! brought back.

use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

const VERSIONS: &str = "query ($id: ID!, $first: Int, $after: String) { pipeline(id: $id) { version \
    versions(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { \
    version at author summary name source steps timeField } } } }";

async fn versions(client: &Client, id: &str) -> Vec<Value> {
    let data = client
        .data(VERSIONS, json!({ "id": id, "first": 100 }))
        .await;
    data["pipeline"]["versions"]["nodes"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn summaries(versions: &[Value]) -> Vec<String> {
    let text = |version: &Value| {
        let summary = version["summary"].as_str().unwrap_or_default();
        format!("{} {summary}", version["version"])
    };
    versions.iter().map(text).collect()
}

async fn update(client: &Client, input: Value) -> Value {
    client
        .done(
            "updatePipeline",
            "pipeline { version steps name timeField }",
            input,
        )
        .await["pipeline"]
        .clone()
}

#[tokio::test]
async fn every_change_that_can_be_seen_makes_a_version() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, _) = ann.new_webhook("Orders").await;
    app.clock.advance_ms(60_000);
    let drop = json!({ "kind": "drop", "fields": ["a"] });
    let filter = json!({ "kind": "filter", "formula": "n > 1" });
    update(&ann, json!({ "id": id, "steps": [drop] })).await;
    update(
        &ann,
        json!({ "id": id, "steps": [filter, drop], "timeField": "at" }),
    )
    .await;
    update(&ann, json!({ "id": id, "name": "Sales" })).await;
    // Nothing that can be seen, or nothing at all.
    update(&ann, json!({ "id": id, "retentionDays": 5 })).await;
    update(
        &ann,
        json!({ "id": id, "name": "Sales", "steps": [filter, drop] }),
    )
    .await;
    let found = versions(&ann, &id).await;
    assert_eq!(
        summaries(&found),
        [
            "4 renamed from “Orders”",
            "3 steps changed: filter added; time field changed to at",
            "2 steps changed: drop added",
            "1 made",
        ]
    );
    assert_eq!(found[0]["author"], "ann");
    assert_eq!(found[0]["source"], json!({ "kind": "webhook" }));
    assert_eq!(found[0]["steps"][0]["kind"], "filter");
    assert_eq!(found[2]["steps"][0]["fields"], json!(["a"]));
    assert_eq!(found[2]["name"], "Orders");
    assert_eq!(found[1]["timeField"], "at");
    assert_eq!(found[3]["at"], "2026-11-22T12:00:00+00:00");
    assert_eq!(found[0]["at"], "2026-11-22T12:01:00+00:00");

    let page = ann.data(VERSIONS, json!({ "id": id, "first": 3 })).await["pipeline"].clone();
    assert_eq!(page["version"], 4);
    assert_eq!(page["versions"]["totalCount"], 4);
    let info = &page["versions"]["pageInfo"];
    assert_eq!(info["hasNextPage"], true);
    let rest = json!({ "id": id, "first": 3, "after": info["endCursor"] });
    let rest = ann.data(VERSIONS, rest).await["pipeline"]["versions"].clone();
    assert_eq!(rest["nodes"][0]["version"], 1);
    assert_eq!(rest["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn a_version_holds_no_secret() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let polling = json!({
        "url": "https://api.example.com/orders", "intervalSeconds": 60,
        "headers": [{ "name": "X-Key", "value": "swordfish" }],
    });
    let input = json!({ "name": "Feed", "source": { "httpPolling": polling } });
    let (id, _) = ann.new_pipeline(input).await;
    let mut slower = polling.clone();
    slower["intervalSeconds"] = json!(90);
    slower["headers"] = json!([{ "name": "X-Key" }]);
    update(
        &ann,
        json!({ "id": id, "source": { "httpPolling": slower } }),
    )
    .await;
    let found = versions(&ann, &id).await;
    assert_eq!(
        summaries(&found),
        ["2 source changed: interval seconds", "1 made"]
    );
    assert_eq!(found[1]["source"]["header_names"], json!(["X-Key"]));
    assert!(!json!(found).to_string().contains("swordfish"));

    let (hook, old_url) = ann.new_webhook("Hook").await;
    let renewed = json!({ "id": hook, "source": { "webhook": { "regenerateUrl": true } } });
    update(&ann, renewed).await;
    let found = versions(&ann, &hook).await;
    assert_eq!(summaries(&found), ["2 webhook got a new URL", "1 made"]);
    let key = old_url.rsplit('/').next().unwrap();
    assert!(!json!(found).to_string().contains(key));
}

#[tokio::test]
async fn a_version_is_brought_back_as_a_new_one_and_the_source_stays() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let steps = json!([{ "kind": "drop", "fields": ["a"], "on_error": "fail" }]);
    let input = json!({ "name": "Orders", "source": { "webhook": {} }, "steps": steps });
    let (id, url) = ann.new_pipeline(input).await;
    update(
        &ann,
        json!({ "id": id, "name": "Sales", "steps": [], "timeField": "at" }),
    )
    .await;
    let restore = json!({ "pipelineId": id, "version": 1 });
    let selection =
        "pipeline { version name steps timeField source { ... on WebhookSource { url } } }";
    let restored = ann
        .done("restorePipelineVersion", selection, restore.clone())
        .await["pipeline"]
        .clone();
    assert_eq!(
        restored,
        json!({ "version": 3, "name": "Orders", "steps": steps, "timeField": null,
                "source": { "url": url } })
    );
    ann.post(&url, &json!({"a": 1, "b": 2})).await;
    assert_eq!(ann.records(&id).await[0]["fields"], json!({"b": 2}));
    assert_eq!(
        summaries(&versions(&ann, &id).await)[0],
        "3 version 1 restored: renamed from “Sales”; steps changed: drop added; time field removed"
    );
    // What is there already makes no version.
    let again = ann.done("restorePipelineVersion", selection, restore).await;
    assert_eq!(again["pipeline"]["version"], 3);
    let missing = "mutation ($input: RestorePipelineVersionInput!) { \
                   restorePipelineVersion(input: $input) { pipeline { id } } }";
    let input = json!({ "input": { "pipelineId": id, "version": 9 } });
    assert_eq!(ann.error_code(missing, input).await, "NOT_FOUND");
}

#[tokio::test]
async fn the_oldest_versions_go() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, _) = ann.new_webhook("0").await;
    for n in 1..=205 {
        update(&ann, json!({ "id": id, "name": n.to_string() })).await;
    }
    let data = ann.data(VERSIONS, json!({ "id": id, "first": 1 })).await["pipeline"].clone();
    assert_eq!(data["versions"]["totalCount"], 200);
    assert_eq!(data["version"], 206);
    let input = json!({ "input": { "pipelineId": id, "version": 6 } });
    let missing = "mutation ($input: RestorePipelineVersionInput!) { \
                   restorePipelineVersion(input: $input) { pipeline { id } } }";
    assert_eq!(ann.error_code(missing, input).await, "NOT_FOUND");
    // Deleted with the pipeline.
    ann.done("deletePipeline", "deletedId", json!({ "id": id }))
        .await;
    assert_eq!(app.execute("DELETE FROM pipeline_versions").await, 0);
}

#[tokio::test]
async fn pipelines_from_before_there_were_versions_have_their_first_one() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, _) = ann.new_webhook("Orders").await;
    update(&ann, json!({ "id": id, "name": "Sales" })).await;
    for sql in [
        "DROP TABLE pipeline_versions",
        "DROP TABLE transform_tests",
        "DROP TABLE replays",
        "ALTER TABLE failures DROP COLUMN part",
        "ALTER TABLE failures DROP COLUMN parts",
        "ALTER TABLE failures DROP COLUMN kept",
        "ALTER TABLE failures DROP COLUMN record_key",
    ] {
        app.execute(sql).await;
    }
    let undone = app
        .execute("DELETE FROM seaql_migrations WHERE version LIKE '%editing'")
        .await;
    assert_eq!(undone, 1);
    let app = app.restart().await;
    let ann = ann.at(&app.url);
    let found = versions(&ann, &id).await;
    assert_eq!(
        summaries(&found),
        ["2 as it was when versions began to be kept"]
    );
    assert_eq!(
        (&found[0]["name"], &found[0]["author"]),
        (&json!("Sales"), &Value::Null)
    );
    update(&ann, json!({ "id": id, "name": "Orders" })).await;
    assert_eq!(versions(&ann, &id).await[0]["version"], 3);
}
