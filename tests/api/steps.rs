//! Transforms in pipelines: what they remember is as durable as the records, what they need from
//! outside is the team's own, and a preview says what would happen.

use dash_shared::plans::Plan;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

/// A webhook with these steps: its id and its address.
async fn with_steps(client: &Client, steps: Value) -> (String, String) {
    let input = json!({ "name": "Steps", "source": { "webhook": {} }, "steps": steps });
    client.new_pipeline(input).await
}

async fn stored(client: &Client, id: &str) -> Vec<Value> {
    let records = client.all_records(id).await;
    records
        .into_iter()
        .map(|record| record["fields"].clone())
        .collect()
}

async fn set_steps(client: &Client, id: &str, steps: Value) {
    let input = json!({ "id": id, "steps": steps });
    client
        .done("updatePipeline", "pipeline { id }", input)
        .await;
}

fn deduplicate() -> Value {
    json!([{ "kind": "deduplicate", "keys": ["id"], "within_seconds": 3_600, "remember": 100 }])
}

fn window() -> Value {
    json!([{
        "kind": "window", "size_seconds": 60, "group_by": ["shop"],
        "measures": [{ "aggregate": "count", "to": "orders" },
                     { "aggregate": "sum", "field": "total", "to": "revenue" }],
    }])
}

#[tokio::test]
async fn what_a_transform_remembers_outlives_the_process() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = with_steps(&ann, deduplicate()).await;
    let path = url.strip_prefix(&app.url).unwrap().to_owned();
    let first = ann
        .post(&url, &json!([{"id": 1}, {"id": 2}, {"id": 1}]))
        .await;
    assert_eq!(
        (&first.json["stored"], &first.json["dropped"]),
        (&json!(2), &json!(1))
    );
    let app = app.restart().await;
    let ann = ann.at(&app.url);
    let url = format!("{}{path}", app.url);
    let again = ann.post(&url, &json!([{"id": 2}, {"id": 3}])).await;
    assert_eq!(
        (&again.json["stored"], &again.json["dropped"]),
        (&json!(1), &json!(1))
    );
    // A step that says something else begins anew; the one before it keeps what it knows.
    let mut steps = deduplicate();
    steps
        .as_array_mut()
        .unwrap()
        .push(json!({ "kind": "set", "fields": [{ "field": "seen", "value": true }] }));
    set_steps(&ann, &id, steps).await;
    let more = ann.post(&url, &json!([{"id": 3}, {"id": 4}])).await;
    assert_eq!(more.json["stored"], 1, "{}", more.text);
}

#[tokio::test]
async fn a_repeated_delivery_changes_nothing_of_what_is_remembered() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = with_steps(&ann, window()).await;
    let key = [("idempotency-key", "once")];
    for _ in 0..3 {
        let body = json!({"shop": "a", "total": 2}).to_string();
        let answer = ann.post_with(&url, &key, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    app.pass(120_000).await;
    let windows = stored(&ann, &id).await;
    assert_eq!(windows.len(), 1);
    assert_eq!(windows[0]["orders"], 1);
}

#[tokio::test]
async fn windows_close_while_nothing_comes() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = with_steps(&ann, window()).await;
    let orders =
        json!([{"shop": "a", "total": 2}, {"shop": "b", "total": 3}, {"shop": "a", "total": 0.5}]);
    let held = ann.post(&url, &orders).await;
    assert_eq!(
        (&held.json["stored"], &held.json["held"]),
        (&json!(0), &json!(3))
    );
    assert!(stored(&ann, &id).await.is_empty());
    let app = app.restart().await;
    let ann = ann.at(&app.url);
    app.pass(120_000).await;
    let mut windows = stored(&ann, &id).await;
    windows.sort_by_key(|window| window["shop"].to_string());
    let seen: Vec<_> = windows
        .iter()
        .map(|window| (&window["shop"], &window["orders"], &window["revenue"]))
        .collect();
    assert_eq!(
        seen,
        [
            (&json!("a"), &json!(2), &json!(2.5)),
            (&json!("b"), &json!(1), &json!(3))
        ]
    );
    let runs = ann.runs(&id).await;
    assert_eq!(
        (&runs[0]["trigger"], &runs[0]["stored"]),
        (&json!("WINDOW"), &json!(2))
    );
    app.pass(120_000).await;
    assert_eq!(stored(&ann, &id).await.len(), 2, "they close once");
}

#[tokio::test]
async fn a_join_takes_the_latest_record_of_the_teams_own_pipeline() {
    let app = TestApp::start().await;
    let (ann, eve) = (app.owner("ann").await, app.owner("eve").await);
    let (customers, customers_url) = ann.new_webhook("Customers").await;
    let join = json!([{
        "kind": "join", "pipeline": customers, "field": "customer", "matches": "id",
        "take": [{ "from": "name", "to": "name" }],
    }]);
    let (id, url) = with_steps(&ann, join.clone()).await;
    let both = json!([{"id": 7, "name": "Ada"}, {"id": 8, "name": "Bo"}]);
    ann.post(&customers_url, &both).await;
    ann.post(&url, &json!([{"customer": "7"}, {"customer": 9}]))
        .await;
    ann.post(&customers_url, &json!({"id": 7, "name": "Ada L."}))
        .await;
    ann.post(&url, &json!({"customer": 7})).await;
    assert_eq!(
        stored(&ann, &id).await,
        [
            json!({"customer": "7", "name": "Ada"}),
            json!({"customer": 9, "name": null}),
            json!({"customer": 7, "name": "Ada L."}),
        ]
    );
    let input = json!({ "name": "Theirs", "source": { "webhook": {} }, "steps": join });
    let refused = eve.user_errors("createPipeline", input).await;
    assert_eq!(refused, ["steps.0.pipeline INVALID"]);
    ann.done("deletePipeline", "deletedId", json!({ "id": customers }))
        .await;
    app.pass(120_000).await;
    let orphan = ann.post(&url, &json!({"customer": 7})).await;
    assert_eq!(orphan.json["stored"], 1, "{}", orphan.text);
}

#[tokio::test]
async fn hashes_are_the_same_within_a_team_and_for_nobody_else() {
    let app = TestApp::start().await;
    let (ann, eve) = (app.owner("ann").await, app.owner("eve").await);
    let hash = || json!([{ "kind": "hash", "fields": ["mail"] }]);
    let hashed = async |client: &Client| {
        let (id, url) = with_steps(client, hash()).await;
        client.post(&url, &json!({"mail": "a@b.test"})).await;
        stored(client, &id).await[0]["mail"].clone()
    };
    let (one, two, other) = (hashed(&ann).await, hashed(&ann).await, hashed(&eve).await);
    assert_eq!(one, two);
    assert_ne!(one, other);
    assert_eq!(one.as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn dates_are_read_in_the_zone_that_is_named() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let steps = json!([{
        "kind": "parse_date", "fields": ["at"], "format": "day_first", "zone": "Europe/Berlin",
    }]);
    let (id, url) = with_steps(&ann, steps).await;
    ann.post(
        &url,
        &json!([{"at": "01.07.2026 12:00"}, {"at": "01.12.2026 12:00"}]),
    )
    .await;
    let seen = stored(&ann, &id).await;
    let ms: Vec<_> = seen
        .iter()
        .map(|fields| dash_shared::timestamps::parse_ms(&fields["at"]).unwrap())
        .collect();
    let expected = ["2026-07-01T10:00:00Z", "2026-12-01T11:00:00Z"];
    assert_eq!(
        ms,
        expected.map(|at| dash_shared::timestamps::parse_ms(&json!(at)).unwrap())
    );
}

#[tokio::test]
async fn advanced_steps_need_a_plan_that_has_them() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let script = json!([{ "kind": "set", "fields": [{ "field": "a", "value": 1 }] },
                        { "kind": "script", "source": "record.a = 1" }]);
    let input = json!({ "name": "Script", "source": { "webhook": {} }, "steps": script });
    for (plan, expected) in [
        (Plan::Free, vec!["steps.1.kind PLAN_REQUIRED"]),
        (Plan::Pro, vec!["steps.1.kind PLAN_REQUIRED"]),
        (Plan::Business, vec![]),
    ] {
        app.app
            .accounts
            .set_plan("ann@corp.test", plan)
            .await
            .unwrap();
        let found = ann.user_errors("createPipeline", input.clone()).await;
        assert_eq!(found, expected, "{plan:?}");
    }
}

#[tokio::test]
async fn documents_that_are_no_steps_are_refused_with_the_place() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let check = async |steps: Value, expected: &[&str]| {
        let input = json!({ "name": "a", "source": { "webhook": {} }, "steps": steps });
        assert_eq!(
            ann.user_errors("createPipeline", input).await,
            expected,
            "{steps}"
        );
    };
    check(json!([{ "kind": "nonsense" }]), &["steps.0 INVALID"]).await;
    check(
        json!([{ "kind": "filter", "formula": "a >" }]),
        &["steps.0.formula INVALID"],
    )
    .await;
    check(json!([{}, 7]), &["steps.0 INVALID", "steps.1 INVALID"]).await;
    check(
        json!([{ "kind": "drop", "fields": ["a", "b.."] }]),
        &["steps.0.fields.1 INVALID"],
    )
    .await;
}

const PREVIEW: &str = "query ($input: PreviewTransformInput!) { previewTransform(input: $input) { \
    records { received steps { step before after fate errors { step path message } } \
    results { fate step record error { message } } } userErrors { field message code } } }";

#[tokio::test]
async fn a_preview_says_step_by_step_what_would_happen_to_what_came_in() {
    let app = TestApp::start().await;
    let (ann, eve) = (app.owner("ann").await, app.owner("eve").await);
    let (id, url) = with_steps(&ann, json!([{ "kind": "drop", "fields": ["secret"] }])).await;
    let sent = json!([{"n": "1", "secret": "x"}, {"n": "two"}, {"n": "3"}]);
    ann.post(&url, &sent).await;
    let received =
        "query ($id: ID!) { pipeline(id: $id) { received(first: 2) { receivedAt value } } }";
    let data = ann.data(received, json!({ "id": id })).await;
    assert_eq!(data["pipeline"]["received"][0]["value"], sent[2]);
    assert_eq!(data["pipeline"]["received"][1]["value"], sent[1]);

    let steps = json!([
        { "kind": "cast", "fields": [{ "field": "n", "type": "number" }] },
        { "kind": "filter", "formula": "n < 2" },
    ]);
    let input = json!({ "pipelineId": id, "steps": steps });
    let preview = ann.data(PREVIEW, json!({ "input": input })).await["previewTransform"].clone();
    assert_eq!(preview["userErrors"], json!([]));
    let records = preview["records"].as_array().unwrap();
    let received: Vec<_> = records.iter().map(|record| &record["received"]).collect();
    assert_eq!(
        received,
        sent.as_array().unwrap().iter().collect::<Vec<_>>()
    );
    assert_eq!(
        records[0]["results"][0]["record"],
        json!({"n": 1, "secret": "x"})
    );
    assert_eq!(records[0]["steps"][0]["before"], sent[0]);
    assert_eq!(records[1]["results"][0]["fate"], "FAILED");
    assert_eq!(records[1]["steps"][0]["errors"][0]["path"], "n");
    assert_eq!(records[2]["results"][0]["fate"], "DROPPED");
    assert_eq!(records[2]["results"][0]["step"], 2);
    assert_eq!(stored(&ann, &id).await.len(), 3, "nothing was stored by it");

    let input = json!({ "pipelineId": id, "steps": [{ "kind": "filter", "formula": "n <" }] });
    let wrong = ann.data(PREVIEW, json!({ "input": input })).await["previewTransform"].clone();
    assert_eq!(
        wrong["userErrors"][0]["field"],
        json!(["steps", "0", "formula"])
    );
    let input = json!({ "pipelineId": id, "steps": [] });
    assert_eq!(
        eve.error_code(PREVIEW, json!({ "input": input })).await,
        "NOT_FOUND"
    );
}

#[tokio::test]
async fn what_came_in_before_there_were_steps_is_known_too() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Plain").await;
    ann.post(&url, &json!([{"n": 1}, {"n": 2}])).await;
    set_steps(&ann, &id, json!([{ "kind": "filter", "formula": "n > 3" }])).await;
    ann.post(&url, &json!([{"n": 3}, {"n": 4}])).await;
    ann.post(&url, &json!({"n": 5})).await;
    set_steps(&ann, &id, json!([])).await;
    ann.post(&url, &json!({"n": 6})).await;
    let query = "query ($id: ID!) { pipeline(id: $id) { received(first: 10) { value } } }";
    let data = ann.data(query, json!({ "id": id })).await;
    let seen: Vec<_> = data["pipeline"]["received"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["value"]["n"].as_i64().unwrap())
        .collect();
    assert_eq!(seen, [6, 5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn many_deliveries_at_once_are_remembered_one_by_one() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = with_steps(&ann, deduplicate()).await;
    let (body, other) = (json!({"id": 1}), json!({"id": 2}));
    let posts = (0..20).map(|n| ann.post(&url, if n % 2 == 0 { &body } else { &other }));
    for answer in futures_util::future::join_all(posts).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(stored(&ann, &id).await.len(), 2);
}

#[tokio::test]
async fn two_processes_remember_the_same() {
    let a = TestApp::start().await;
    if a.app.db.engine() == dash_api::db::Engine::Sqlite {
        return;
    }
    let b = a.beside().await;
    let ann = a.owner("ann").await;
    let (id, url) = with_steps(&ann, deduplicate()).await;
    let at_b = format!("{}{}", b.url, url.strip_prefix(&a.url).unwrap());
    for n in 0..10 {
        let body = json!({ "id": n });
        let posts = [&url, &at_b, &url, &at_b].map(|url| ann.post(url, &body));
        for answer in futures_util::future::join_all(posts).await {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    }
    assert_eq!(stored(&ann, &id).await.len(), 10);
}
