//! What webhooks take besides JSON, what names a delivery, and how fast deliveries may come.

use dash_shared::plans::Plan;
use dash_tests::client::Answer;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

async fn send(url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let client = Client::new("");
    let mut request = client.http().post(url).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::read(request.send().await.unwrap()).await
}

async fn send_as(url: &str, content_type: &str, body: &str) -> Answer {
    send(url, &[("content-type", content_type)], body).await
}

async fn stored(client: &Client, id: &str) -> Vec<Value> {
    let records = client.all_records(id).await;
    records
        .iter()
        .map(|record| record["fields"].clone())
        .collect()
}

#[tokio::test]
async fn every_format_becomes_the_same_records() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    for (content_type, body) in [
        (
            "application/x-ndjson",
            "{\"n\":1,\"t\":\"é\"}\n{\"n\":2,\"t\":\"b\"}\n",
        ),
        (
            "application/json",
            "{\"n\":1,\"t\":\"é\"}\n{\"n\":2,\"t\":\"b\"}",
        ),
        ("text/csv; charset=utf-8", "n,t\r\n1,é\r\n2,b\r\n"),
        ("text/tab-separated-values", "n\tt\n1\té\n2\tb"),
        ("text/plain", "n;t\n1;é\n2;b"),
        (
            "application/x-www-form-urlencoded",
            "payload=%5B%7B%22n%22%3A1%2C%22t%22%3A%22%C3%A9%22%7D%2C%7B%22n%22%3A2%2C%22t%22%3A%22b%22%7D%5D",
        ),
    ] {
        let (id, url) = ann.new_webhook("Any").await;
        let answer = send_as(&url, content_type, body).await;
        assert_eq!(answer.status, 200, "{content_type}: {}", answer.text);
        assert_eq!(answer.json["stored"], 2);
        let expected = [json!({"n": 1, "t": "é"}), json!({"n": 2, "t": "b"})];
        assert_eq!(stored(&ann, &id).await, expected, "{content_type}");
    }
}

#[tokio::test]
async fn a_form_is_one_record_with_or_without_parts() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Forms").await;
    let form = "application/x-www-form-urlencoded";
    assert_eq!(
        send_as(&url, form, "name=Ann&tag=a&tag=b").await.status,
        200
    );
    let parts = "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nBob\r\n\
                 --x\r\nContent-Disposition: form-data; name=\"record\"\r\n\
                 Content-Type: application/json\r\n\r\n{\"total\": 12.5}\r\n--x--\r\n";
    let multipart = "multipart/form-data; boundary=x";
    let answer = send_as(&url, multipart, parts).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let expected = [
        json!({"name": "Ann", "tag": ["a", "b"]}),
        json!({"name": "Bob", "total": 12.5}),
    ];
    assert_eq!(stored(&ann, &id).await, expected);
    let file = "--x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\n\
                Content-Type: image/png\r\n\r\nPNG\r\n--x--\r\n";
    let refused = send_as(&url, multipart, file).await;
    assert_eq!(refused.status, 415, "{}", refused.text);
    assert_eq!(refused.json["error"]["code"], "FILES_NOT_KEPT");
    assert_eq!(stored(&ann, &id).await.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_read_says_where() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Broken").await;
    let check = async |content_type: &str, body: &str, code: &str, line: Value| {
        let refused = send_as(&url, content_type, body).await;
        assert!(refused.status.is_client_error(), "{body}: {}", refused.text);
        let error = &refused.json["error"];
        assert_eq!(
            (&error["code"], &error["line"]),
            (&json!(code), &line),
            "{body}: {error}"
        );
        let message = error["message"].as_str().unwrap();
        assert!(
            message.ends_with('.') && !message.ends_with(".."),
            "{message}"
        );
    };
    check("application/x-ndjson", "{}\n{\n", "NOT_JSON", json!(2)).await;
    check("text/csv", "a,b\n1,2\n3", "NOT_CSV", json!(3)).await;
    check("text/csv", "a,b\n1,\"2", "NOT_CSV", json!(2)).await;
    check("text/csv", "", "EMPTY", Value::Null).await;
    check(
        "multipart/form-data; boundary=x",
        "--y--",
        "NOT_A_FORM",
        Value::Null,
    )
    .await;
    check("multipart/form-data", "--y--", "NOT_A_FORM", Value::Null).await;
    let form = "application/x-www-form-urlencoded";
    check(form, "payload=%7B", "NOT_A_FORM", Value::Null).await;
    let many: Vec<String> = (0..1_001).map(|n| format!("f{n}=1")).collect();
    check(form, &many.join("&"), "TOO_MANY_FIELDS", Value::Null).await;
    let lines = "1\n".repeat(10_001);
    check(
        "application/x-ndjson",
        &lines,
        "TOO_MANY_RECORDS",
        Value::Null,
    )
    .await;
    check(
        "text/csv",
        &format!("a\n{lines}"),
        "TOO_MANY_RECORDS",
        Value::Null,
    )
    .await;
    assert_eq!(ann.runs(&id).await.len(), 0);
}

async fn named_by(client: &Client, idempotency: Value, steps: Value) -> (String, String) {
    let source = json!({ "webhook": { "idempotency": idempotency } });
    let input = json!({ "name": "Named", "source": source, "steps": steps });
    client.new_pipeline(input).await
}

#[tokio::test]
async fn a_delivery_is_named_by_a_header_of_ones_choice_or_by_its_body() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let header = json!({ "by": "HEADER", "header": "X-Event" });
    let (id, url) = named_by(&ann, header, json!([])).await;
    let duplicates = async |deliveries: &[(&[(&str, &str)], &str)], url: &str| {
        let mut found = Vec::new();
        for (headers, body) in deliveries {
            let answer = send(url, headers, body).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            found.push(answer.json["duplicate"].as_bool().unwrap());
        }
        found
    };
    let sent: &[(&[(&str, &str)], &str)] = &[
        (&[("x-event", "1")], "{}"),
        (&[("x-event", "1")], "{\"other\": 1}"),
        (&[("x-event", "2")], "{}"),
        (&[("webhook-id", "2")], "{}"),
        (&[("webhook-id", "2")], "{}"),
    ];
    assert_eq!(
        duplicates(sent, &url).await,
        [false, true, false, false, false]
    );
    assert_eq!(stored(&ann, &id).await.len(), 4);
    let body = json!({ "by": "BODY_PATH", "path": "$.event.id" });
    let (id, url) = named_by(&ann, body, json!([])).await;
    let sent: &[(&[(&str, &str)], &str)] = &[
        (&[], r#"{"event": {"id": 7}, "n": 1}"#),
        (&[], r#"{"event": {"id": 7}, "n": 2}"#),
        (&[], r#"{"event": {"id": 8}, "n": 3}"#),
        (&[], r#"{"event": {}}"#),
        (&[], r#"{"event": {}}"#),
    ];
    assert_eq!(
        duplicates(sent, &url).await,
        [false, true, false, false, false]
    );
    assert_eq!(stored(&ann, &id).await.len(), 4);
}

#[tokio::test]
async fn each_record_is_stored_once_when_a_value_names_it() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let path = json!({ "by": "RECORD_PATH", "path": "$.id" });
    // The name is what came in, whatever the steps make of it.
    let fields = json!([{ "from": "n", "to": "n", "cast": "number" }]);
    let steps = json!([{ "kind": "map", "fields": fields }]);
    let (id, url) = named_by(&ann, path.clone(), steps).await;
    let send = async |body: Value| {
        let answer = ann.post(&url, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let told = ["duplicate", "stored", "duplicates", "failed"];
        json!(told.map(|name| answer.json[name].clone()))
    };
    let (one, two) = (json!({"id": 1, "n": 1}), json!({"id": 2, "n": 2}));
    assert_eq!(send(json!([one, two, one])).await, json!([false, 2, 1, 0]));
    assert_eq!(
        send(json!([one, {"id": 3, "n": "x"}])).await,
        json!([false, 0, 1, 1])
    );
    assert_eq!(send(json!([one, two])).await, json!([true, 0, 2, 0]));
    // One that failed is not stored, and may come again.
    assert_eq!(
        send(json!({"id": 3, "n": 3})).await,
        json!([false, 1, 0, 0])
    );
    assert_eq!(
        send(json!([{"n": 4}, {"n": 4}])).await,
        json!([false, 2, 0, 0])
    );
    assert_eq!(stored(&ann, &id).await.len(), 5);
    // Where a transform remembers, the whole delivery is one.
    let window = json!([{ "kind": "deduplicate", "keys": ["n"] }]);
    let (_, url) = named_by(&ann, path, window).await;
    let body = json!([one, two]);
    let first = ann.post(&url, &body).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(first.json["duplicate"], false);
    assert_eq!(ann.post(&url, &body).await.json["duplicate"], true);
}

#[tokio::test]
async fn a_pipeline_takes_as_many_deliveries_as_its_plan_says() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    app.app
        .accounts
        .set_plan("ann@corp.test", Plan::Free)
        .await
        .unwrap();
    let rate = Plan::Free.limits().webhook_rate;
    let (id, url) = ann.new_webhook("Fast").await;
    let (_, other) = ann.new_webhook("Other").await;
    for _ in 0..rate.burst {
        assert_eq!(ann.post(&url, &json!({"n": 1})).await.status, 200);
    }
    let refused = ann.post(&url, &json!({"n": 1})).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), "1");
    let error = &refused.json["error"];
    let told = [&error["code"], &error["perSecond"], &error["burst"]];
    assert_eq!(
        told,
        [
            &json!("RATE_LIMITED"),
            &json!(rate.per_second),
            &json!(rate.burst)
        ]
    );
    // Every pipeline has a rate of its own.
    assert_eq!(ann.post(&other, &json!({"n": 1})).await.status, 200);
    app.clock.advance_ms(1_000);
    for _ in 0..rate.per_second {
        assert_eq!(ann.post(&url, &json!({"n": 1})).await.status, 200);
    }
    assert_eq!(ann.post(&url, &json!({"n": 1})).await.status, 429);
    let count = f64::from(rate.burst + rate.per_second);
    assert_eq!(ann.pipeline(&id).await["recordCount"], count);
}
