//! Test cases: what a transform has to do stays what it does, or the change is not published.

use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

const RUN: &str = "query ($input: RunTransformTestsInput!) { runTransformTests(input: $input) { \
    results { test { name expected { records dropped held failure } } passed problem records held \
    errors { step path message } differences { path expected actual } } \
    userErrors { field message code } } }";

const TEST: &str = "test { id name input expected { records dropped held failure } }";

async fn results(client: &Client, input: Value) -> Vec<Value> {
    let data = client.data(RUN, json!({ "input": input })).await["runTransformTests"].clone();
    assert_eq!(data["userErrors"], json!([]));
    data["results"].as_array().cloned().unwrap()
}

async fn create(client: &Client, id: &str, name: &str, input: Value, expected: Value) -> Value {
    let mut test = json!({ "pipelineId": id, "name": name, "input": input });
    if !expected.is_null() {
        test["expected"] = expected;
    }
    client.done("createTransformTest", TEST, test).await["test"].clone()
}

fn cast() -> Value {
    json!([{ "kind": "cast", "fields": [{ "field": "total", "type": "number" }] },
           { "kind": "filter", "formula": "total > 10" }])
}

async fn with_cast(client: &Client) -> String {
    let input = json!({ "name": "Orders", "source": { "webhook": {} }, "steps": cast() });
    client.new_pipeline(input).await.0
}

#[tokio::test]
async fn a_test_case_takes_over_what_the_steps_do_now() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let id = with_cast(&ann).await;
    let large = create(&ann, &id, "large", json!({"total": "12.50"}), Value::Null).await;
    assert_eq!(large["expected"]["records"], json!([{"total": 12.5}]));
    let small = create(&ann, &id, "small", json!({"total": "2"}), Value::Null).await;
    assert_eq!(small["expected"]["dropped"], true);
    let none = create(&ann, &id, "none", json!({"total": "n/a"}), Value::Null).await;
    assert_eq!(none["expected"]["failure"], "“n/a” is not a number");
    let all = results(&ann, json!({ "pipelineId": id })).await;
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|result| result["passed"] == true), "{all:?}");
    let query = "query ($id: ID!) { pipeline(id: $id) { transformTests { name } } }";
    let listed = ann.data(query, json!({ "id": id })).await;
    assert_eq!(
        listed["pipeline"]["transformTests"],
        json!([{ "name": "large" }, { "name": "none" }, { "name": "small" }])
    );
}

#[tokio::test]
async fn a_change_that_breaks_a_test_case_is_not_published() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let id = with_cast(&ann).await;
    create(&ann, &id, "large", json!({"total": "12.5"}), Value::Null).await;
    let expected = json!({ "records": [{"total": 12.5, "eur": true}] });
    let broken = json!([{ "kind": "set", "fields": [{ "field": "eur", "value": true }] }]);
    let tried = results(&ann, json!({ "pipelineId": id, "steps": broken })).await;
    assert_eq!(tried[0]["passed"], false);
    assert_eq!(
        tried[0]["problem"],
        "the records differ at [0].total, and 1 more"
    );
    assert_eq!(
        tried[0]["differences"],
        json!([{ "path": "[0].total", "expected": "12.5", "actual": "\"12.5\"" },
               { "path": "[0].eur", "expected": null, "actual": "true" }])
    );
    let input = json!({ "id": id, "name": "Renamed", "steps": broken });
    let payload = ann
        .mutate("updatePipeline", "pipeline { id }", input.clone())
        .await;
    assert_eq!(payload["pipeline"], Value::Null);
    assert_eq!(
        payload["userErrors"],
        json!([{
            "field": ["steps"], "code": "TESTS_FAILED",
            "message": "The test case “large” fails: the records differ at [0].total, and 1 more.",
        }])
    );
    let after = ann.pipeline(&id).await;
    assert_eq!(
        (&after["name"], &after["version"]),
        (&json!("Orders"), &json!(1))
    );
    // The name alone can be changed, whatever the tests say.
    let query = "query ($id: ID!) { pipeline(id: $id) { transformTests { id } } }";
    let test =
        ann.data(query, json!({ "id": id })).await["pipeline"]["transformTests"][0]["id"].clone();
    let change = json!({ "id": test, "expected": expected });
    ann.done("updateTransformTest", TEST, change).await;
    let rename = json!({ "id": id, "name": "Renamed" });
    ann.done("updatePipeline", "pipeline { id }", rename).await;
    let refused = ann.user_errors("updatePipeline", input).await;
    assert_eq!(refused, ["steps TESTS_FAILED"], "the total is still a text");
    let mut good = cast();
    good.as_array_mut().unwrap().push(broken[0].clone());
    let input = json!({ "id": id, "steps": good });
    ann.done("updatePipeline", "pipeline { id }", input).await;
    // Nor is an older version brought back that does not pass.
    let restore = json!({ "pipelineId": id, "version": 1 });
    assert_eq!(
        ann.user_errors("restorePipelineVersion", restore.clone())
            .await,
        ["steps TESTS_FAILED"]
    );
    ann.done("deleteTransformTest", "deletedId", json!({ "id": test }))
        .await;
    ann.done("restorePipelineVersion", "pipeline { id }", restore)
        .await;
}

#[tokio::test]
async fn a_time_field_that_breaks_a_test_case_is_refused_too() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, _) = ann.new_webhook("Orders").await;
    create(&ann, &id, "plain", json!({"at": "soon"}), Value::Null).await;
    let input = json!({ "id": id, "timeField": "at" });
    assert_eq!(
        ann.user_errors("updatePipeline", input).await,
        ["steps TESTS_FAILED"]
    );
    let tried = results(&ann, json!({ "pipelineId": id, "timeField": "at" })).await;
    assert_eq!(tried[0]["errors"][0]["message"], "“soon” is not a time");
}

#[tokio::test]
async fn each_test_case_runs_as_if_nothing_came_before_it_and_time_stands_still() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let steps = json!([{ "kind": "deduplicate", "keys": ["id"] },
                       { "kind": "calculate", "fields": [{ "field": "day", "formula": "date(now())" }] }]);
    let input = json!({ "name": "Once", "source": { "webhook": {} }, "steps": steps });
    let (id, url) = ann.new_pipeline(input).await;
    ann.post(&url, &json!({"id": 1})).await;
    create(&ann, &id, "a", json!({"id": 1}), Value::Null).await;
    create(&ann, &id, "b", json!({"id": 1}), Value::Null).await;
    app.clock.advance_ms(10 * 86_400_000);
    let all = results(&ann, json!({ "pipelineId": id })).await;
    assert!(all.iter().all(|result| result["passed"] == true), "{all:?}");
    let window = json!([{ "kind": "window", "size_seconds": 60, "measures": [{ "aggregate": "count", "to": "n" }] }]);
    let tried = results(&ann, json!({ "pipelineId": id, "steps": window })).await;
    assert_eq!(
        (&tried[0]["held"], &tried[0]["passed"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        tried[0]["problem"],
        "expected a record, but it became a part of a window"
    );
}

#[tokio::test]
async fn a_race_cannot_publish_past_a_test_case() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    for round in 0..5 {
        let (id, _) = ann.new_webhook("Race").await;
        let expected = json!({ "records": [{"a": 1}] });
        let test =
            json!({ "pipelineId": id, "name": "keeps a", "input": {"a": 1}, "expected": expected });
        let change = json!({ "id": id, "steps": [{ "kind": "drop", "fields": ["a"] }] });
        let (_, changed) = tokio::join!(
            ann.done("createTransformTest", TEST, test),
            ann.mutate("updatePipeline", "pipeline { id }", change)
        );
        // Either the change came first, and then there is a failing test case, or it is refused.
        let passed = results(&ann, json!({ "pipelineId": id })).await[0]["passed"].clone();
        let refused = changed["userErrors"][0]["code"] == "TESTS_FAILED";
        assert_eq!(passed, refused, "round {round}: {changed}");
    }
}

#[tokio::test]
async fn what_is_no_test_case_is_refused() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let id = with_cast(&ann).await;
    create(&ann, &id, "one", json!({"total": 20}), Value::Null).await;
    let check = async |input: Value, expected: &[&str]| {
        let mut test = json!({ "pipelineId": id, "name": "two", "input": {} });
        for (key, value) in input.as_object().unwrap() {
            test[key] = value.clone();
        }
        assert_eq!(ann.user_errors("createTransformTest", test).await, expected);
    };
    check(json!({ "name": " one " }), &["name TAKEN"]).await;
    check(json!({ "name": "" }), &["name REQUIRED"]).await;
    check(
        json!({ "input": { "a": "x".repeat(70_000) } }),
        &["input TOO_LONG"],
    )
    .await;
    check(
        json!({ "expected": { "dropped": false } }),
        &["expected INVALID"],
    )
    .await;
    for n in 1..100 {
        create(
            &ann,
            &id,
            &format!("t{n}"),
            json!({}),
            json!({ "failure": "" }),
        )
        .await;
    }
    check(json!({}), &["pipelineId TOO_LONG"]).await;
    let unknown = "mutation ($input: UpdateTransformTestInput!) { \
                   updateTransformTest(input: $input) { test { id } } }";
    let input = json!({ "input": { "id": "tst_00000000000000000000000000", "name": "x" } });
    assert_eq!(ann.error_code(unknown, input).await, "NOT_FOUND");
}
