//! The records behind a figure: found by time and conditions, page by page.

use dash_tests::TestApp;
use serde_json::{Value, json};

const QUERY: &str = "query ($id: ID!, $range: TimeRangeInput!, $filters: [FilterInput!]!, \
                     $after: String) { pipeline(id: $id) { findRecords(range: $range, filters: \
                     $filters, first: 2, after: $after) { nodes { fields } endCursor } } }";

#[tokio::test]
async fn records_are_found_by_time_and_conditions_page_by_page() {
    let app = TestApp::start().await;
    let owner = app.owner("ann").await;
    let (pipeline, url) = owner.new_webhook("Orders").await;
    let order = |total: i64| {
        let country = if total % 2 == 0 { "DE" } else { "FR" };
        json!({"total": total, "country": country})
    };
    let orders: Vec<Value> = (1..=6).map(order).collect();
    owner.post(&url, &json!(orders)).await;
    let find = async |filters: Value, after: Value| {
        let variables = json!({
            "id": pipeline, "range": {"lastSeconds": 3_600}, "filters": filters, "after": after,
        });
        let found = owner.data(QUERY, variables).await["pipeline"]["findRecords"].clone();
        let nodes = found["nodes"].as_array().unwrap().iter();
        let totals: Vec<i64> = nodes
            .map(|node| node["fields"]["total"].as_i64().unwrap())
            .collect();
        (totals, found["endCursor"].clone())
    };
    let german = json!([{"field": "country", "comparison": "EQUAL", "value": "DE"}]);
    let (first, cursor) = find(german.clone(), Value::Null).await;
    assert_eq!(first, [6, 4]);
    let (second, end) = find(german, cursor).await;
    assert_eq!((second, end), (vec![2], Value::Null));
    let dear = json!([{"field": "total", "comparison": "AT_LEAST", "value": "9"}]);
    assert_eq!(find(dear, Value::Null).await, (vec![], Value::Null));
}

#[tokio::test]
async fn a_search_may_be_as_short_as_a_bucket_and_no_shorter() {
    let app = TestApp::start().await;
    let owner = app.owner("ann").await;
    let (pipeline, _) = owner.new_webhook("Orders").await;
    let variables = |from: &str, to: &str| {
        let range = json!({"from": from, "to": to});
        json!({"id": pipeline, "range": range, "filters": []})
    };
    let bucket = variables("2026-11-22T14:00:10Z", "2026-11-22T14:00:20Z");
    let found = owner.data(QUERY, bucket).await;
    assert_eq!(found["pipeline"]["findRecords"]["nodes"], json!([]));
    let nothing = variables("2026-11-22T14:00:10Z", "2026-11-22T14:00:10Z");
    assert_eq!(owner.error_code(QUERY, nothing).await, "BAD_USER_INPUT");
}
