//! Webhooks: what senders send, what they are told, and that nothing is lost or changed on the way.

use dash_tests::client::Answer;
use dash_tests::{Client, TestApp, environment};
use serde_json::{Value, json};

fn counts(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let count = |name: &str| answer.json[name].clone();
    json!([
        count("received"),
        count("stored"),
        count("dropped"),
        count("failed")
    ])
}

fn fields(records: &[Value]) -> Vec<Value> {
    records
        .iter()
        .map(|record| record["fields"].clone())
        .collect()
}

/// A Dash, somebody there, and the id and URL of a webhook.
async fn webhook() -> (TestApp, Client, String, String) {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    (app, ann, id, url)
}

#[tokio::test]
async fn an_object_is_one_record_and_an_array_is_one_for_each_item() {
    let (_app, ann, id, url) = webhook().await;
    let one = ann.post(&url, &json!({"n": 1})).await;
    assert_eq!(counts(&one), json!([1, 1, 0, 0]));
    assert!(one.json["runId"].as_str().unwrap().starts_with("run_"));
    let two = ann.post(&url, &json!([{"n": 2}, {"n": 3}])).await;
    assert_eq!(counts(&two), json!([2, 2, 0, 0]));
    let none = ann.post(&url, &json!([])).await;
    assert_eq!(counts(&none), json!([0, 0, 0, 0]));
    let stored = fields(&ann.all_records(&id).await);
    assert_eq!(stored, [json!({"n": 1}), json!({"n": 2}), json!({"n": 3})]);
}

#[tokio::test]
async fn a_record_can_be_read_as_soon_as_its_sender_is_told_that_it_is_stored() {
    let (_app, ann, id, url) = webhook().await;
    for n in 1..=30 {
        assert_eq!(ann.post(&url, &json!({ "n": n })).await.status, 200);
        let newest = &ann.records(&id).await[0];
        assert_eq!(newest["fields"], json!({ "n": n }));
        assert_eq!(newest["cursor"], n.to_string());
        assert_eq!(ann.pipeline(&id).await["recordCount"], f64::from(n));
    }
}

#[tokio::test]
async fn many_senders_at_once_are_all_stored_and_each_is_told_its_own_counts() {
    let (_app, ann, id, url) = webhook().await;
    let posts = (0..100_usize).map(|n| {
        let items: Vec<_> = (0..n % 4)
            .map(|item| json!({"n": n, "item": item}))
            .collect();
        let (ann, url) = (&ann, &url);
        async move {
            let answer = ann.post(url, &json!(items)).await;
            assert_eq!(counts(&answer), json!([n % 4, n % 4, 0, 0]));
        }
    });
    futures_util::future::join_all(posts).await;
    let records = ann.all_records(&id).await;
    assert_eq!(records.len(), 25 * (1 + 2 + 3));
    let cursors: Vec<_> = records
        .iter()
        .map(|record| record["cursor"].clone())
        .collect();
    let in_order: Vec<_> = (1..=records.len())
        .map(|seq| json!(seq.to_string()))
        .collect();
    assert_eq!(cursors, in_order);
    let mut distinct = fields(&records);
    distinct.sort_by_key(ToString::to_string);
    distinct.dedup();
    assert_eq!(distinct.len(), records.len());
    let runs = ann.runs(&id).await;
    let stored: i64 = runs.iter().filter_map(|run| run["stored"].as_i64()).sum();
    assert_eq!(stored, 150);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_the_reason_and_nothing_is_stored() {
    let (_app, ann, id, url) = webhook().await;
    let check = async |body: &str, status: u16, code: &str, message: &str| {
        let answer = ann.post_text(&url, body.to_owned()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        let error = &answer.json["error"];
        assert_eq!(error["code"], code, "{body}");
        let told = error["message"].as_str().unwrap();
        assert!(told.contains(message), "{body}: {told}");
        let id = answer.json["requestId"].as_str().unwrap();
        assert_eq!(id, answer.header("x-request-id"));
        error.clone()
    };
    let malformed = check("{\n\"a\": }", 400, "NOT_JSON", "expected value").await;
    assert_eq!(
        (&malformed["line"], &malformed["column"]),
        (&json!(2), &json!(6))
    );
    let cut_off = check(r#"[{"a":1},{"a""#, 400, "NOT_JSON", "EOF").await;
    assert_eq!(
        (&cut_off["line"], &cut_off["column"]),
        (&json!(1), &json!(13))
    );
    check("a=1&b=2", 400, "NOT_JSON", "not JSON").await;
    check("", 400, "EMPTY", "empty").await;
    check(" \r\n\t", 400, "EMPTY", "empty").await;
    check("null", 400, "NOT_RECORDS", "null").await;
    check("\"text\"", 400, "NOT_RECORDS", "text").await;
    check("17", 400, "NOT_RECORDS", "a number").await;
    check(r#"{"lone": "\ud800"}"#, 400, "NOT_JSON", "hex escape").await;
    check(r#"{"n": 1e400}"#, 400, "NOT_JSON", "out of range").await;
    check(&"[".repeat(100_000), 400, "NOT_JSON", "recursion").await;
    assert_eq!(ann.pipeline(&id).await["recordCount"], 0.0);
    assert_eq!(ann.runs(&id).await.len(), 0);
}

#[tokio::test]
async fn bytes_that_are_not_utf_8_are_not_json() {
    let (_app, ann, _, url) = webhook().await;
    let body = b"{\"name\": \"Z\xfcrich\"}".to_vec();
    let sent = ann.http().post(&url).body(body).send().await.unwrap();
    let answer = Answer::read(sent).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json["error"]["code"]),
        (400, &json!("NOT_JSON"))
    );
}

#[tokio::test]
async fn a_body_of_10_mb_is_taken_and_a_larger_one_is_refused() {
    let (_app, ann, id, url) = webhook().await;
    let limit = 10 * 1024 * 1024;
    let record = format!("{{\"text\":\"{}\"}}", "x".repeat(100_000));
    let mut body = format!("[{}", vec![record; 104].join(","));
    body.push_str(&" ".repeat(limit - body.len() - 1));
    body.push(']');
    assert_eq!(body.len(), limit);
    let taken = ann.post_text(&url, body.clone()).await;
    assert_eq!(counts(&taken), json!([104, 104, 0, 0]));

    body.push(' ');
    let refused = ann.post_text(&url, body).await;
    assert_eq!(refused.status, 413, "{}", refused.text);
    assert_eq!(refused.json["error"]["code"], "TOO_LARGE");
    assert_eq!(
        refused.json["error"]["message"],
        "The body is larger than 10 MB."
    );
    assert_eq!(ann.pipeline(&id).await["recordCount"], 104.0);
}

#[tokio::test]
async fn a_body_has_at_most_10_000_records() {
    let (_app, ann, id, url) = webhook().await;
    let records: Vec<_> = (0..10_001).map(|n| json!({ "n": n })).collect();
    let refused = ann.post(&url, &json!(records)).await;
    assert_eq!(refused.status, 413);
    assert_eq!(refused.json["error"]["code"], "TOO_MANY_RECORDS");
    let message = refused.json["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("10001 records; send at most 10000"),
        "{message}"
    );
    let taken = ann.post(&url, &json!(records[1..])).await;
    assert_eq!(counts(&taken), json!([10_000, 10_000, 0, 0]));
    assert_eq!(ann.pipeline(&id).await["recordCount"], 10_000.0);
}

#[tokio::test]
async fn an_unknown_url_is_not_found() {
    let (app, ann, _, url) = webhook().await;
    let mut other_key = url.clone();
    let last = if other_key.pop() == Some('a') {
        'b'
    } else {
        'a'
    };
    other_key.push(last);
    let hooks = format!("{}/hooks", app.url);
    for unknown in [
        other_key,
        format!("{hooks}/whk_unknown"),
        format!("{hooks}/%00"),
        format!("{hooks}/%F0%9F%92%A9"),
        format!("{hooks}/{}", "x".repeat(5_000)),
        format!("{hooks}/'%20OR%201=1%20--"),
    ] {
        let answer = ann.post(&unknown, &json!({"n": 1})).await;
        assert_eq!(answer.status, 404, "{unknown}: {}", answer.text);
        assert_eq!(answer.json["error"]["code"], "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_paused_pipeline_refuses_and_takes_again_when_it_is_resumed() {
    let (_app, ann, id, url) = webhook().await;
    assert_eq!(ann.post(&url, &json!({"n": 1})).await.status, 200);
    ann.done("pausePipeline", "pipeline { state }", json!({ "id": id }))
        .await;
    let refused = ann.post(&url, &json!({"n": 2})).await;
    assert_eq!(refused.status, 409);
    assert_eq!(refused.json["error"]["code"], "PAUSED");
    ann.done("resumePipeline", "pipeline { state }", json!({ "id": id }))
        .await;
    assert_eq!(ann.post(&url, &json!({"n": 3})).await.status, 200);
    let stored = fields(&ann.all_records(&id).await);
    assert_eq!(stored, [json!({"n": 1}), json!({"n": 3})]);
}

#[tokio::test]
async fn a_deleted_pipeline_refuses_at_once_and_its_records_are_purged() {
    let (app, ann, id, url) = webhook().await;
    assert_eq!(
        ann.post(&url, &json!({"secret": "swordfish"})).await.status,
        200
    );
    ann.done("deletePipeline", "deletedId", json!({ "id": id }))
        .await;
    assert_eq!(ann.post(&url, &json!({"n": 1})).await.status, 404);
    assert_eq!(app.run_due_jobs().await, 0);
    assert_eq!(app.pass(60_000).await, 1);
    for table in ["records", "record_keys", "runs", "series", "jobs"] {
        let left = app.execute(&format!("DELETE FROM {table}")).await;
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn whoever_opens_the_url_in_a_browser_is_told_what_it_is_for() {
    let (_app, ann, _, url) = webhook().await;
    for method in ["GET", "PUT", "DELETE"] {
        let request = ann.http().request(method.parse().unwrap(), &url);
        let answer = Answer::read(request.send().await.unwrap()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (405, "POST")
        );
        let message = answer.json["error"]["message"].as_str().unwrap();
        assert!(message.contains("send JSON to it with POST"), "{message}");
    }
}

#[tokio::test]
async fn a_page_of_any_site_may_send() {
    let (_app, ann, _, url) = webhook().await;
    let preflight = ann
        .http()
        .request("OPTIONS".parse().unwrap(), &url)
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let answer = Answer::read(preflight.send().await.unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-headers"), "*");
}

#[tokio::test]
async fn json_is_json_whatever_the_content_type_says() {
    let (_app, ann, id, url) = webhook().await;
    let types = [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/vnd.api+json; charset=utf-8",
        "garbage",
    ];
    for content_type in types {
        let request = ann.http().post(&url).header("content-type", content_type);
        let request = request.body(json!({ "type": content_type }).to_string());
        let answer = Answer::read(request.send().await.unwrap()).await;
        assert_eq!(counts(&answer), json!([1, 1, 0, 0]), "{content_type}");
    }
    let without = ann.http().post(&url).body("{}").send().await.unwrap();
    assert_eq!(without.status(), 200);
    assert_eq!(ann.pipeline(&id).await["recordCount"], 6.0);
}

#[tokio::test]
async fn a_value_that_cannot_be_cast_fails_its_record_and_no_other() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let fields_of = json!([
        {"from": "order.total", "to": "total", "cast": "number"},
        {"from": "order.at", "to": "at", "cast": "time"},
    ]);
    let steps = json!([{ "kind": "map", "fields": fields_of }]);
    let source = json!({ "webhook": {} });
    let input = json!({ "name": "Orders", "source": source, "steps": steps, "timeField": "at" });
    let (id, url) = ann.new_pipeline(input).await;
    let wrong = json!({"order": {"total": "n/a", "at": 1_795_348_800}});
    let sent = json!([
        {"order": {"total": "12.50", "at": "2026-11-22T11:00:00Z"}},
        wrong,
        {"order": {"total": 7, "at": 1_795_345_200_000_i64}},
    ]);
    let answer = ann.post(&url, &sent).await;
    assert_eq!(counts(&answer), json!([3, 2, 0, 1]));
    let told = json!([{
        "index": 1, "step": 1, "path": "order.total", "value": "n/a",
        "message": "“n/a” is not a number",
    }]);
    assert_eq!(answer.json["errors"], told);

    let stored = fields(&ann.all_records(&id).await);
    let at = "2026-11-22T11:00:00.000Z";
    assert_eq!(
        stored,
        [
            json!({"total": 12.5, "at": at}),
            json!({"total": 7, "at": at})
        ]
    );
    let run = &ann.runs(&id).await[0];
    assert_eq!(run["state"], "PARTIAL");
    let listed = json!([{
        "step": 1, "path": "order.total", "value": "n/a",
        "message": "“n/a” is not a number", "received": wrong.to_string(),
    }]);
    assert_eq!(run["recordErrors"], listed);

    let all_wrong = ann.post(&url, &json!({"order": {"total": {"a": 1}}})).await;
    assert_eq!(counts(&all_wrong), json!([1, 0, 0, 1]));
    assert_eq!(ann.runs(&id).await[0]["state"], "FAILED");
    assert_eq!(ann.pipeline(&id).await["state"], "RUNNING");
}

#[tokio::test]
async fn a_step_drops_or_keeps_what_it_cannot_cast_when_it_is_told_to() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let steps = |on_error: &str| {
        let fields = json!([{"from": "n", "to": "n", "cast": "number"}]);
        json!([{ "kind": "map", "fields": fields, "keep_rest": true, "on_error": on_error }])
    };
    let sent = json!([{"n": "x", "rest": 1}, {"n": "2", "rest": 2}]);
    for (on_error, expected, stored) in [
        (
            "drop",
            json!([2, 1, 1, 0]),
            vec![json!({"n": 2, "rest": 2})],
        ),
        (
            "keep",
            json!([2, 2, 0, 0]),
            vec![json!({"n": null, "rest": 1}), json!({"n": 2, "rest": 2})],
        ),
    ] {
        let source = json!({ "webhook": {} });
        let input = json!({ "name": on_error, "source": source, "steps": steps(on_error) });
        let (id, url) = ann.new_pipeline(input).await;
        assert_eq!(counts(&ann.post(&url, &sent).await), expected, "{on_error}");
        assert_eq!(fields(&ann.all_records(&id).await), stored);
        assert_eq!(ann.runs(&id).await[0]["state"], "SUCCEEDED");
    }
}

#[tokio::test]
async fn items_that_are_no_objects_fail_and_are_listed() {
    let (_app, ann, id, url) = webhook().await;
    let answer = ann
        .post(
            &url,
            &json!([{"n": 1}, 2, "three", null, [{"n": 4}], {"n": 5}]),
        )
        .await;
    assert_eq!(counts(&answer), json!([6, 2, 0, 4]));
    let errors = answer.json["errors"].as_array().unwrap();
    let at: Vec<_> = errors.iter().map(|error| error["index"].clone()).collect();
    assert_eq!(at, [json!(1), json!(2), json!(3), json!(4)]);
    assert!(
        errors
            .iter()
            .all(|error| error["message"] == "a record must be a JSON object")
    );
    assert!(errors.iter().all(|error| error["step"] == 0));
    assert_eq!(
        fields(&ann.all_records(&id).await),
        [json!({"n": 1}), json!({"n": 5})]
    );
}

#[tokio::test]
async fn of_many_failed_records_the_first_20_are_listed_and_all_are_counted() {
    let (_app, ann, id, url) = webhook().await;
    let answer = ann.post(&url, &json!(vec![1; 500])).await;
    assert_eq!(counts(&answer), json!([500, 0, 0, 500]));
    assert_eq!(answer.json["errors"].as_array().unwrap().len(), 20);
    let run = &ann.runs(&id).await[0];
    assert_eq!(
        (
            &run["failed"],
            run["recordErrors"].as_array().unwrap().len()
        ),
        (&json!(500), 20)
    );
}

#[tokio::test]
async fn a_record_over_256_kb_fails_alone() {
    let (_app, ann, id, url) = webhook().await;
    let of_bytes = |bytes: usize| json!({ "x": "x".repeat(bytes - r#"{"x":""}"#.len()) });
    let largest = of_bytes(256 * 1024);
    let sent = json!([largest, of_bytes(256 * 1024 + 1), {"n": 1}]);
    let answer = ann.post(&url, &sent).await;
    assert_eq!(counts(&answer), json!([3, 2, 0, 1]));
    assert_eq!(
        answer.json["errors"][0]["message"],
        "a record has at most 262144 bytes"
    );
    assert_eq!(
        fields(&ann.all_records(&id).await),
        [largest, json!({"n": 1})]
    );
    let received = ann.runs(&id).await[0]["recordErrors"][0]["received"].clone();
    assert_eq!(received.as_str().unwrap().chars().count(), 2_000);
}

#[tokio::test]
async fn any_text_comes_back_as_it_was_sent() {
    let (_app, ann, id, url) = webhook().await;
    let sent = json!({
        "z first": 1,
        "a second": "order is kept",
        "": "an empty key",
        " spaces ": "around a key",
        "nul\u{0}key": "nul\u{0}value",
        "control": "\u{1}\u{7f}\u{9f}\u{2028}\r\n\t",
        "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈",
        "languages": "Zürich, 東京, Київ, القاهرة, नई दिल्ली",
        "combining": "e\u{301} is not é",
        "private": "\u{e000}\u{10ffff}\u{fffe}",
        "quotes": "\"\\/'`${}<script>",
        "a.b[0]": {"nested.key": [[], {}, null, true, false, [1, [2, [3]]]]},
    });
    let answer = ann.post(&url, &sent).await;
    assert_eq!(counts(&answer), json!([1, 1, 0, 0]));
    let found = ann.records(&id).await[0]["fields"].clone();
    assert_eq!(found.to_string(), sent.to_string());
}

#[tokio::test]
async fn fields_with_any_name_can_be_shown() {
    let (_app, ann, id, url) = webhook().await;
    let long = "long".repeat(100);
    let sent = json!({
        "": 1, " spaces ": 2, "nul\u{0}": 3, "a.b[0]": {"\"": 4}, "é👍": 5, "\r\n": 6, "[": 7,
        long: 8,
    });
    ann.post(&url, &sent).await;
    let selection = "dashboard { id widgets { kind title columns } }";
    let input = json!({ "name": "Odd", "pipelineId": id });
    let made = ann.done("createDashboard", selection, input).await["dashboard"].clone();
    let query = "query ($id: ID!) { dashboardData(id: $id) { data { ... on TableData { rows { cells \
                 } } ... on WidgetFailure { message } } } }";
    let shown = ann.data(query, json!({ "id": made["id"] })).await;
    let data = shown["dashboardData"]["data"].as_array().unwrap();
    let table = data.last().unwrap();
    assert_eq!(table["rows"][0]["cells"], json!([1, 2, 3, 4, 5, 6, 7]));
    // Every path that is offered can be entered.
    for field in ann.pipeline(&id).await["fields"].as_array().unwrap() {
        let input = json!({ "id": id, "timeField": field["path"] });
        ann.done("updatePipeline", "pipeline { timeField }", input)
            .await;
    }
}

#[tokio::test]
async fn failed_records_with_nul_characters_are_listed() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let mapping = json!([{"from": "[\"a\\u0000b\"]", "to": "n", "cast": "number"}]);
    let steps = json!([{ "kind": "map", "fields": mapping }]);
    let input = json!({ "name": "Nul", "source": { "webhook": {} }, "steps": steps });
    let (id, url) = ann.new_pipeline(input).await;
    let answer = ann.post(&url, &json!({"a\u{0}b": "x\u{0}y"})).await;
    assert_eq!(counts(&answer), json!([1, 0, 0, 1]));
    let error = &ann.runs(&id).await[0]["recordErrors"][0];
    assert_eq!(error["value"], "x\u{0}y");
}

#[tokio::test]
async fn numbers_come_back_as_they_were_sent() {
    let (_app, ann, id, url) = webhook().await;
    let numbers = "[0,-1,9007199254740993,9223372036854775807,-9223372036854775808,\
                   18446744073709551615,0.1,31.245270191439438,5e-324,1.7976931348623157e308,\
                   -118.6671667,123456789.12345678,2.2250738585072014e-308]";
    let body = format!("{{\"numbers\":{numbers}}}");
    assert_eq!(ann.post_text(&url, body).await.status, 200);
    let query = "query ($id: ID!) { pipeline(id: $id) { records { nodes { fields } } } }";
    let answer = ann.send(query, json!({ "id": id })).await;
    let (_, found) = answer.text.split_once("\"numbers\":").unwrap();
    let (found, _) = found.split_once('}').unwrap();
    let normal = |text: &str| text.replace("e+", "e");
    assert_eq!(normal(found), numbers);
}

#[tokio::test]
async fn every_delivery_that_github_sends_is_stored_exactly() {
    let (_app, ann, id, url) = webhook().await;
    let file = "@octokit/webhooks-examples/api.github.com/index.json";
    let text = std::fs::read_to_string(environment::node_modules().join(file)).unwrap();
    let events: Vec<Value> = serde_json::from_str(&text).unwrap();
    let deliveries: Vec<&Value> = events
        .iter()
        .flat_map(|event| event["examples"].as_array().unwrap())
        .collect();
    assert!(deliveries.len() > 300, "{}", deliveries.len());
    for delivery in &deliveries {
        let answer = ann.post(&url, delivery).await;
        assert_eq!(counts(&answer), json!([1, 1, 0, 0]));
    }
    let records = ann.all_records(&id).await;
    assert_eq!(records.len(), deliveries.len());
    for (record, delivery) in records.iter().zip(&deliveries) {
        assert_eq!(record["fields"].to_string(), delivery.to_string());
    }
}
