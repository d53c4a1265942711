//! What a pipeline tells of what passes through it: totals, throughput, the last minute.

use dash_shared::timestamps::parse_ms;
use dash_tests::TestApp;
use serde_json::json;

#[tokio::test]
async fn a_pipeline_tells_how_much_came_in_and_what_its_fields_are() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    let order = json!({"total": 1.5, "customer": {"country": "FR", "vip": true}, "at": "2026-11-22T11:00:00Z"});
    ann.post(&url, &json!([order, order])).await;
    app.clock.advance_ms(60_000);
    ann.post(&url, &order).await;
    let found = ann.pipeline(&id).await;
    assert_eq!(found["recordCount"], 3.0);
    #[expect(clippy::cast_precision_loss, reason = "a hundred")]
    let bytes = 3.0 * order.to_string().len() as f64;
    assert_eq!(found["storedBytes"], bytes);
    assert!(
        found["lastRecordAt"]
            .as_str()
            .unwrap()
            .starts_with("2026-11-22T12:01:00")
    );
    let throughput = found["throughput"].as_array().unwrap();
    assert_eq!(
        (throughput.len(), &throughput[58], &throughput[59]),
        (60, &json!(2), &json!(1))
    );
    let fields: Vec<_> = found["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| (field["path"].clone(), field["type"].clone()))
        .collect();
    let expected = [
        ("total", "NUMBER"),
        ("customer.country", "TEXT"),
        ("customer.vip", "BOOLEAN"),
        ("at", "TIME"),
    ];
    assert_eq!(fields, expected.map(|(path, of)| (json!(path), json!(of))));
    assert_eq!(found["lastRun"]["state"], "SUCCEEDED");
}

#[tokio::test]
async fn a_pipeline_tells_what_came_in_during_the_last_minute() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (busy, busy_url) = ann.new_webhook("Busy").await;
    let (quiet, quiet_url) = ann.new_webhook("Quiet").await;
    let (idle, _) = ann.new_webhook("Idle").await;
    let fields = json!([{"from": "n", "to": "n", "cast": "number"}]);
    let change = json!({ "id": busy, "steps": [{ "kind": "map", "fields": fields }] });
    ann.done("updatePipeline", "pipeline { id }", change).await;
    let last_minutes = async || {
        let query = "{ pipelines { nodes { id lastMinute { received stored until } } } }";
        let found = ann.data(query, json!({})).await;
        let nodes = found["pipelines"]["nodes"].as_array().unwrap().clone();
        let of = |id: &str| {
            let node = nodes.iter().find(|node| node["id"] == id).unwrap();
            let minute = &node["lastMinute"];
            assert_eq!(parse_ms(&minute["until"]), Some(app.clock.now_ms()));
            (
                minute["received"].as_i64().unwrap(),
                minute["stored"].as_i64().unwrap(),
            )
        };
        [of(&busy), of(&quiet), of(&idle)]
    };
    assert_eq!(last_minutes().await, [(0, 0); 3]);
    // More runs than any page shows.
    for n in 0..130 {
        ann.post(&busy_url, &json!([{"n": n}, {"n": "x"}])).await;
    }
    app.clock.advance_ms(20_000);
    ann.post(&busy_url, &json!([{"n": 1}])).await;
    ann.post(&quiet_url, &json!([{"a": 1}, {"a": 2}])).await;
    assert_eq!(last_minutes().await, [(261, 131), (2, 2), (0, 0)]);
    app.clock.advance_ms(39_999);
    assert_eq!(last_minutes().await, [(261, 131), (2, 2), (0, 0)]);
    app.clock.advance_ms(1);
    assert_eq!(last_minutes().await, [(1, 1), (2, 2), (0, 0)]);
    app.clock.advance_ms(20_000);
    assert_eq!(last_minutes().await, [(0, 0); 3]);
}
