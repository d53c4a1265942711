//! Records through the API: questions about them, searching for them, changing and deleting them.

use dash_tests::live::Live;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

const QUESTION: &str = "query ($id: ID!, $input: RecordQueryInput!) { pipeline(id: $id) { \
                        query(input: $input) { times groups { name totals values } groupCount \
                        recordCount endCursor } } }";
const SEARCH: &str = "query ($id: ID!, $filters: [FilterInput!]!, $first: Int, $after: String) { \
                      pipeline(id: $id) { findRecords(range: { lastSeconds: 3600 }, filters: \
                      $filters, first: $first, after: $after) { nodes { id fields } endCursor } } }";

async fn ask(ann: &Client, id: &str, input: Value) -> Value {
    let data = ann
        .data(QUESTION, json!({ "id": id, "input": input }))
        .await;
    data["pipeline"]["query"].clone()
}

async fn shop() -> (TestApp, Client, String) {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    ann.post(
        &url,
        &json!([
            {"total": 10, "country": "DE"}, {"total": 2.5, "country": "FR"},
            {"total": 0.1, "country": "DE"}, {"total": 0.2, "country": "DE"},
            {"total": null, "country": null},
        ]),
    )
    .await;
    app.clock.advance_ms(600_000);
    ann.post(&url, &json!({"total": 4, "country": "FR"})).await;
    (app, ann, id)
}

#[tokio::test]
async fn a_question_is_answered_by_group_and_bucket() {
    let (_app, ann, id) = shop().await;
    let sum = json!({ "aggregate": "SUM", "field": "total" });
    let input = json!({
        "measures": [sum, { "aggregate": "COUNT" }],
        "range": { "lastSeconds": 900 },
        "bucket": { "seconds": 300 },
        "groupBy": "country",
        "first": 2,
    });
    let answer = ask(&ann, &id, input.clone()).await;
    assert_eq!(answer["times"].as_array().unwrap().len(), 4, "{answer}");
    assert_eq!(answer["groupCount"], 3);
    assert_eq!(answer["recordCount"], 6.0);
    let groups = &answer["groups"];
    assert_eq!(groups[0]["name"], "DE");
    assert_eq!(groups[0]["totals"], json!([10.3, 3.0]));
    assert_eq!(groups[1]["totals"], json!([6.5, 2.0]));
    assert_eq!(groups[1]["values"][1], json!([0.0, 1.0, 0.0, 1.0]));
    let mut next = input;
    next["after"] = answer["endCursor"].clone();
    let answer = ask(&ann, &id, next).await;
    assert_eq!(answer["groups"][0]["name"], "(none)");
    assert_eq!(answer["groups"][0]["totals"], json!([0.0, 1.0]));
    assert_eq!(answer["endCursor"], Value::Null);
}

#[tokio::test]
async fn a_question_can_be_of_some_records_and_without_buckets_and_groups() {
    let (_app, ann, id) = shop().await;
    let german = json!({ "field": "country", "comparison": "EQUAL", "value": "DE" });
    let median = json!({ "aggregate": "P50", "field": "total" });
    let different = json!({ "aggregate": "DISTINCT", "field": "country" });
    let input = |measures: Value, filters: Value| json!({ "measures": measures, "range": { "lastSeconds": 3600 }, "filters": filters });
    let answer = ask(&ann, &id, input(json!([median]), json!([german]))).await;
    let median = answer["groups"][0]["totals"][0].as_f64().unwrap();
    assert!((median - 0.2).abs() < 0.003, "{answer}");
    let answer = ask(&ann, &id, input(json!([different]), json!([]))).await;
    assert_eq!(answer["groups"][0]["totals"], json!([2.0]));
    assert_eq!(answer["groups"][0]["name"], "");
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_says_why() {
    let (_app, ann, id) = shop().await;
    let check = async |change: Value, says: &str| {
        let mut input = json!({
            "measures": [{ "aggregate": "COUNT" }],
            "range": { "lastSeconds": 3600 },
        });
        for (key, value) in change.as_object().unwrap() {
            input[key] = value.clone();
        }
        let answer = ann
            .send(QUESTION, json!({ "id": id, "input": input }))
            .await;
        let error = &answer.json["errors"][0];
        assert_eq!(
            error["extensions"]["code"], "BAD_USER_INPUT",
            "{:#}",
            answer.json
        );
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
    };
    check(json!({ "measures": [] }), "1 to 8 measures").await;
    check(
        json!({ "measures": [{ "aggregate": "SUM" }] }),
        "without a field",
    )
    .await;
    check(json!({ "timeZone": "Mars/Olympus" }), "time zone").await;
    check(json!({ "bucket": { "seconds": 7 } }), "divides a day").await;
    check(json!({ "bucket": {} }), "either").await;
    check(
        json!({ "bucket": { "seconds": 1 }, "range": { "lastSeconds": 86_400 } }),
        "buckets",
    )
    .await;
    check(
        json!({ "range": { "lastSeconds": 0 } }),
        "ends after it begins",
    )
    .await;
    check(json!({ "groupBy": "a..b" }), "not a path").await;
    let filter = json!({ "field": "a", "comparison": "EQUAL", "value": "1" });
    check(json!({ "filters": vec![filter; 11] }), "at most 10 filters").await;
    check(json!({ "first": 101 }), "1 to 100").await;
}

#[tokio::test]
async fn records_are_found_by_what_they_hold_page_by_page() {
    let (_app, ann, id) = shop().await;
    let german = json!([{ "field": "country", "comparison": "EQUAL", "value": "DE" }]);
    let page = async |after: Value| {
        let variables = json!({ "id": id, "filters": german, "first": 2, "after": after });
        ann.data(SEARCH, variables).await["pipeline"]["findRecords"].clone()
    };
    let first = page(Value::Null).await;
    let totals = |page: &Value| -> Vec<f64> {
        let nodes = page["nodes"].as_array().unwrap();
        let total = |node: &Value| node["fields"]["total"].as_f64().unwrap();
        nodes.iter().map(total).collect()
    };
    assert_eq!(totals(&first), [0.2, 0.1]);
    let second = page(first["endCursor"].clone()).await;
    assert_eq!(totals(&second), [10.0]);
    assert_eq!(second["endCursor"], Value::Null);
    let wrong = json!({ "id": id, "filters": [], "after": "x" });
    assert_eq!(ann.error_code(SEARCH, wrong).await, "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_record_is_put_right_and_what_shows_it_follows() {
    let (_app, ann, id) = shop().await;
    let input = json!({ "name": "Orders", "pipelineId": id });
    let made = ann.done("createDashboard", "dashboard { id }", input).await;
    let mut live = Live::connect(&ann).await;
    let query =
        "subscription ($id: ID!) { dashboard(id: $id) { data { ... on StatData { value } } } }";
    let board = live
        .subscribe(query, json!({ "id": made["dashboard"]["id"] }))
        .await;
    live.next(&board).await;

    let variables = json!({ "id": id, "filters": [], "first": 1 });
    let newest = ann.data(SEARCH, variables).await["pipeline"]["findRecords"]["nodes"][0].clone();
    assert_eq!(newest["fields"]["total"], 4);
    let change = json!({ "id": newest["id"], "fields": { "total": 40, "country": "FR" } });
    let changed = ann
        .done("updateRecord", "record { id fields }", change)
        .await;
    assert_eq!(changed["record"]["id"], newest["id"]);
    assert_eq!(changed["record"]["fields"]["total"], 40);
    let sum = json!({ "measures": [{ "aggregate": "SUM", "field": "total" }], "range": { "lastSeconds": 3600 } });
    assert_eq!(
        ask(&ann, &id, sum.clone()).await["groups"][0]["totals"],
        json!([52.8])
    );

    let gone = json!({ "ids": [newest["id"], newest["id"]] });
    let deleted = ann.done("deleteRecords", "deletedIds", gone.clone()).await;
    assert_eq!(deleted["deletedIds"], json!([newest["id"]]));
    assert_eq!(
        ask(&ann, &id, sum).await["groups"][0]["totals"],
        json!([12.8])
    );
    let again = ann.done("deleteRecords", "deletedIds", gone).await;
    assert_eq!(again["deletedIds"], json!([]));
    while !live.next(&board).await["dashboard"]["data"]
        .as_array()
        .unwrap()
        .contains(&json!({ "value": 5.0 }))
    {}
    let pipeline = ann.pipeline(&id).await;
    assert_eq!(pipeline["recordCount"], 5.0);
    let used = "{ viewer { organization { dataPointsThisMonth } } }";
    let used = ann.data(used, json!({})).await;
    assert_eq!(used["viewer"]["organization"]["dataPointsThisMonth"], 6.0);

    let refused = ann
        .user_errors("updateRecord", json!({ "id": newest["id"], "fields": [1] }))
        .await;
    assert_eq!(refused, ["fields INVALID"]);
    let large = json!({ "id": newest["id"], "fields": { "text": "x".repeat(300_000) } });
    assert_eq!(
        ann.user_errors("updateRecord", large).await,
        ["fields TOO_LONG"]
    );
    let many = json!({ "ids": vec![newest["id"].clone(); 101] });
    assert_eq!(
        ann.user_errors("deleteRecords", many).await,
        ["ids TOO_LONG"]
    );
}

#[tokio::test]
async fn widgets_show_only_the_records_that_meet_their_filters() {
    let (_app, ann, id) = shop().await;
    let position = |x: i32| json!({ "x": x, "y": 0, "w": 3, "h": 2 });
    let german = json!([{ "field": "country", "comparison": "EQUAL", "value": "DE" }]);
    let widget = |kind: &str, x: i32, filters: &Value| {
        json!({
            "kind": kind, "title": kind, "pipelineId": id, "position": position(x),
            "filters": filters, "aggregate": "COUNT",
        })
    };
    let input = json!({ "name": "Germany" });
    let made = ann.done("createDashboard", "dashboard { id }", input).await;
    let change = json!({
        "id": made["dashboard"]["id"],
        "widgets": [widget("STAT", 0, &german), widget("TABLE", 3, &german)],
    });
    let selection = "dashboard { id widgets { filters { field comparison value } } }";
    let made = ann.done("updateDashboard", selection, change).await;
    assert_eq!(made["dashboard"]["widgets"][0]["filters"], german);
    let mut live = Live::connect(&ann).await;
    let query = "subscription ($id: ID!) { dashboard(id: $id) { data { ... on StatData { value } \
                 ... on TableData { rows { cells } recordsPerMinute } } } }";
    let board = live
        .subscribe(query, json!({ "id": made["dashboard"]["id"] }))
        .await;
    let first = live.next(&board).await["dashboard"]["data"].clone();
    let shown = first.as_array().unwrap();
    assert!(shown.contains(&json!({ "value": 3.0 })), "{first}");
    let rows = shown.iter().find_map(|data| data["rows"].as_array());
    assert_eq!(rows.map(Vec::len), Some(3));
    let pipeline = ann.pipeline(&id).await;
    let url = pipeline["source"]["url"].as_str().unwrap();
    ann.post(url, &json!([{"country": "FR"}, {"country": "DE"}]))
        .await;
    while !live.next(&board).await["dashboard"]["data"]
        .as_array()
        .unwrap()
        .contains(&json!({ "value": 4.0 }))
    {}

    let wrong = widget(
        "STAT",
        0,
        &json!([{ "field": "a..b", "comparison": "EXISTS" }]),
    );
    let change = json!({ "id": made["dashboard"]["id"], "widgets": [wrong] });
    let refused = ann.user_errors("updateDashboard", change).await;
    assert_eq!(refused, ["widgets.0.filters.0.field INVALID"]);
}
