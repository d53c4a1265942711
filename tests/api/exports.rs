//! All records as a file: CSV and NDJSON, streamed, for those who may see the pipeline.

use dash_tests::TestApp;
use reqwest::header::ORIGIN;
use serde_json::{Value, json};

const URL: &str = "query ($id: ID!, $format: ExportFormat!, $range: TimeRangeInput, \
                   $filters: [FilterInput!]!) { pipeline(id: $id) { exportUrl(format: $format, \
                   range: $range, filters: $filters) } }";

#[tokio::test]
async fn a_file_has_every_record_the_oldest_first() {
    let app = TestApp::start().await;
    let owner = app.owner("ann").await;
    let (pipeline, url) = owner.new_webhook("Orders / EU").await;
    // More than are read at once, not in the order of their times.
    let input = json!({"id": pipeline, "timeField": "at"});
    owner.done("updatePipeline", "pipeline { id }", input).await;
    let order = |number: i64| {
        let minute = number * 7 % 60;
        json!({"at": format!("2026-11-22T10:{minute:02}:00Z"), "n": number, "buyer": {"id": number}})
    };
    for part in 0..5 {
        let orders: Vec<Value> = (part * 1_000..(part + 1) * 1_000).map(order).collect();
        assert_eq!(owner.post(&url, &json!(orders)).await.status, 200);
    }
    let file = owner
        .get(&format!("/v1/pipelines/{pipeline}/records.ndjson"))
        .await;
    assert_eq!(file.status, 200);
    assert_eq!(file.header("content-type"), "application/x-ndjson");
    let name = "attachment; filename=\"orders-eu-2026-11-22.ndjson\"";
    assert_eq!(file.header("content-disposition"), name);
    let lines: Vec<Value> = file
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut expected: Vec<(String, i64)> = (0..5_000)
        .map(|number| (order(number)["at"].as_str().unwrap().to_owned(), number))
        .collect();
    expected.sort();
    let numbers = |lines: &[Value]| -> Vec<i64> {
        lines
            .iter()
            .map(|line| line["fields"]["n"].as_i64().unwrap())
            .collect()
    };
    let in_order: Vec<i64> = expected.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers(&lines), in_order);
    assert_eq!(lines[0]["time"], "2026-11-22T10:00:00.000Z");

    let file = owner
        .get(&format!("/v1/pipelines/{pipeline}/records.csv"))
        .await;
    assert!(file.header("content-type").starts_with("text/csv"));
    let mut rows = file.text.split("\r\n");
    assert_eq!(rows.next(), Some("_id,_time,_received_at,at,n,buyer.id"));
    let first = rows.next().unwrap();
    assert!(
        first.starts_with(&format!("{pipeline}.1,2026-11-22T10:00:00.000Z,")),
        "{first}"
    );
    assert!(first.ends_with(",2026-11-22T10:00:00Z,0,0"), "{first}");
    assert_eq!(rows.count(), 5_000, "the others, and the end of the last");
}

#[tokio::test]
async fn a_file_has_what_was_asked_for() {
    let app = TestApp::start().await;
    let owner = app.owner("ann").await;
    let (pipeline, url) = owner.new_webhook("Orders").await;
    let orders = json!([
        {"country": "DE", "total": 1},
        {"country": "FR", "total": 2},
        {"country": "DE", "total": 3, "note": "=1+1"},
    ]);
    owner.post(&url, &orders).await;
    let get = async |format: &str, range: Value, filters: Value| {
        let variables =
            json!({"id": pipeline, "format": format, "range": range, "filters": filters});
        let data = owner.data(URL, variables).await;
        let url = data["pipeline"]["exportUrl"].as_str().unwrap().to_owned();
        let path = url
            .strip_prefix(owner.url())
            .expect("it is this Dash's")
            .to_owned();
        owner.get(&path).await.text
    };
    let german = json!([{"field": "country", "comparison": "EQUAL", "value": "DE"}]);
    let text = get("CSV", json!({"lastSeconds": 3_600}), german.clone()).await;
    let columns: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split(',').skip(3).collect())
        .collect();
    assert_eq!(
        columns,
        [
            ["country", "total", "note"],
            ["DE", "1", ""],
            ["DE", "3", "'=1+1"]
        ]
    );
    let long_ago = json!({"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"});
    assert_eq!(get("NDJSON", long_ago.clone(), json!([])).await, "");
    let nothing = get("CSV", long_ago, json!([])).await;
    assert_eq!(nothing, "_id,_time,_received_at\r\n");
    assert_eq!(get("NDJSON", Value::Null, german).await.lines().count(), 2);

    let path = format!("/v1/pipelines/{pipeline}/records.csv?field=total&field=missing");
    let named = owner.get(&path).await.text;
    assert!(
        named.starts_with("_id,_time,_received_at,total,missing\r\n"),
        "{named}"
    );
}

#[tokio::test]
async fn nobody_else_gets_the_file() {
    let app = TestApp::start().await;
    let (owner, stranger) = (app.owner("ann").await, app.owner("bob").await);
    let (pipeline, url) = owner.new_webhook("Orders").await;
    owner.post(&url, &json!({"secret": 1})).await;
    let path = format!("/v1/pipelines/{pipeline}/records.csv");
    let check = |answer: dash_tests::Answer, status: u16, code: &str| {
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.json["error"]["code"], code);
        assert!(!answer.text.contains("secret"));
    };
    check(stranger.get(&path).await, 404, "NOT_FOUND");
    check(app.anonymous().get(&path).await, 401, "UNAUTHENTICATED");
    let nobodys = "/v1/pipelines/pip_1/records.csv";
    check(owner.get(nobodys).await, 404, "NOT_FOUND");
    for parameters in ["from=yesterday", "filters=%5B1%5D", "limit=3"] {
        let answer = owner.get(&format!("{path}?{parameters}")).await;
        check(answer, 400, "BAD_USER_INPUT");
    }
    let from_elsewhere = owner
        .http()
        .get(format!("{}{path}", owner.url()))
        .header("cookie", owner.cookie().unwrap())
        .header(ORIGIN, "https://evil.example")
        .send();
    let answer = dash_tests::Answer::read(from_elsewhere.await.unwrap()).await;
    check(answer, 403, "FORBIDDEN");
}
