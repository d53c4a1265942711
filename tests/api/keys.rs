//! Keys: what has a key is stored once, however often and from wherever it comes, and every count is
//! right.

use std::sync::Arc;

use dash_api::data::{Append, Appended, NewRecord, NewRun, RecordKey, RunTrigger};
use dash_shared::ids::{PipelineId, TeamId};
use dash_tests::client::Answer;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

const DAY_MS: i64 = 24 * 3_600_000;

async fn deliver(client: &Client, url: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let mut request = client.http().post(url).body(body.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_delivery_that_comes_again_is_acknowledged_and_not_stored_again() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    let (other, other_url) = ann.new_webhook("Other").await;
    let mut stored = 0;
    for headers in [
        vec![("Idempotency-Key", "a-1")],
        vec![("webhook-id", "a-1")],
        vec![("X-GitHub-Delivery", "a-1")],
        vec![("X-GitHub-Delivery", "a-1"), ("idempotency-key", "a-2")],
        vec![("webhook-id", "msg-3"), ("Idempotency-Key", " ")],
    ] {
        let body = json!([{ "n": 1 }, { "n": 2 }]);
        let first = deliver(&ann, &url, &headers, &body).await;
        assert_eq!(first.status, 200);
        assert_eq!(first.json["duplicate"], false, "{headers:?}");
        assert_eq!(first.json["stored"], 2);
        stored += 2;
        // The headers that do not count are others now.
        for again in [&headers[..], &[headers[0], ("x-github-delivery", "b")][..]] {
            if headers.len() > 1 && again != headers {
                continue;
            }
            let repeat = deliver(&ann, &url, again, &body).await;
            assert_eq!(repeat.status, 200);
            let told = ["duplicate", "runId", "received", "stored", "duplicates"]
                .map(|name| repeat.json[name].clone());
            assert_eq!(
                told,
                [json!(true), Value::Null, json!(2), json!(0), json!(2)],
                "{headers:?}"
            );
        }
        let elsewhere = deliver(&ann, &other_url, &headers, &body).await;
        assert_eq!(elsewhere.json["duplicate"], false, "{headers:?}");
    }
    for id in [&id, &other] {
        assert_eq!(ann.all_records(id).await.len(), stored);
        assert_eq!(ann.runs(id).await.len(), stored / 2);
    }
    for _ in 0..2 {
        let nameless = deliver(&ann, &url, &[], &json!({ "n": 1 })).await;
        assert_eq!(nameless.json["duplicate"], false);
    }
}

#[tokio::test]
async fn a_delivery_of_which_nothing_could_be_stored_may_come_again() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let fields = json!([{ "from": "n", "to": "n", "cast": "number" }]);
    let steps = json!([{ "kind": "map", "fields": fields }]);
    let input = json!({ "name": "Orders", "source": { "webhook": {} }, "steps": steps });
    let (id, url) = ann.new_pipeline(input).await;
    let named = [("webhook-id", "msg-1")];
    assert_eq!(
        deliver(&ann, &url, &named, &json!("text")).await.status,
        400
    );
    let body = json!({ "n": "many" });
    let failed = deliver(&ann, &url, &named, &body).await;
    assert_eq!(
        (&failed.json["failed"], &failed.json["stored"]),
        (&json!(1), &json!(0))
    );
    let mended = json!([{ "kind": "map", "fields": [{ "from": "n", "to": "n" }] }]);
    ann.done(
        "updatePipeline",
        "pipeline { id }",
        json!({ "id": id, "steps": mended }),
    )
    .await;
    assert_eq!(deliver(&ann, &url, &named, &body).await.json["stored"], 1);
    let repeat = deliver(&ann, &url, &named, &body).await;
    assert_eq!(repeat.json["duplicate"], true);
}

#[tokio::test]
async fn many_deliveries_at_once_by_two_processes_are_each_stored_once() {
    const DELIVERIES: usize = 150;
    let app = TestApp::start().await;
    let other = app.beside().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    let other_url = url.replace(&app.url, &other.url);
    let deliveries = (0..DELIVERIES * 4).map(|n| {
        let (ann, n, url) = (&ann, n / 4, if n % 2 == 0 { &url } else { &other_url });
        async move {
            let headers = [("webhook-id", &*format!("msg-{n}"))];
            let answer = deliver(ann, url, &headers, &json!([{ "n": n }, { "n": n }])).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            answer.json["duplicate"] == false
        }
    });
    let answers = futures_util::future::join_all(deliveries).await;
    assert_eq!(answers.iter().filter(|fresh| **fresh).count(), DELIVERIES);
    let records = ann.all_records(&id).await;
    let mut numbers: Vec<_> = records
        .iter()
        .map(|record| record["fields"]["n"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    let expected: Vec<_> = (0..DELIVERIES as u64).flat_map(|n| [n, n]).collect();
    assert_eq!(numbers, expected);
    let in_order = (1..=records.len()).map(|seq| json!(seq.to_string()));
    assert!(
        records
            .iter()
            .map(|record| record["cursor"].clone())
            .eq(in_order)
    );
    let query = "query ($id: ID!) { pipeline(id: $id) { recordCount runs { totalCount } } }";
    let counted = ann.data(query, json!({ "id": id })).await["pipeline"].clone();
    assert_eq!(
        counted,
        json!({ "recordCount": 300.0, "runs": { "totalCount": DELIVERIES } })
    );
}

/// A record that came in at a time.
pub(crate) fn new_record(at_ms: i64, value: Value, key: Option<&str>) -> NewRecord {
    NewRecord {
        time_ms: at_ms,
        received_at_ms: at_ms,
        json: value.to_string(),
        fields: Arc::new(serde_json::from_value(value).unwrap()),
        key: key.map(RecordKey::of),
    }
}

/// Records with these keys, received now.
fn append(
    app: &TestApp,
    pipeline_id: PipelineId,
    team_id: TeamId,
    keys: &[Option<&str>],
) -> Append {
    let now_ms = app.clock.now_ms();
    let records = keys
        .iter()
        .map(|key| new_record(now_ms, json!({ "key": key }), *key));
    let records: Vec<_> = records.collect();
    let run = NewRun {
        team_id,
        pipeline_id,
        batch_key: None,
        trigger: RunTrigger::Schedule,
        started_at_ms: now_ms,
        finished_at_ms: now_ms,
        received: i64::try_from(records.len()).unwrap(),
        dropped: 0,
        held: 0,
        failed: 0,
        record_errors: Vec::new(),
        error: None,
    };
    Append::new(run, records)
}

fn counts(appended: Appended) -> (usize, usize) {
    assert!(appended.run_id.is_some());
    (appended.stored, appended.duplicates)
}

#[tokio::test]
async fn a_record_whose_key_is_stored_is_left_out_and_counted_as_a_duplicate() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, _) = ann.new_webhook("Orders").await;
    let (other, _) = ann.new_webhook("Other").await;
    let team = TeamId::new();
    let (pipeline, other): (PipelineId, PipelineId) = (id.parse().unwrap(), other.parse().unwrap());
    let store = &app.app.store;
    let put = async |pipeline, keys: &[Option<&str>]| {
        counts(
            store
                .append(append(&app, pipeline, team, keys))
                .await
                .unwrap(),
        )
    };
    let twice = [Some("a"), Some("b"), Some("a"), None, None];
    assert_eq!(put(pipeline, &twice).await, (4, 1));
    assert_eq!(put(pipeline, &[Some("b"), Some("c"), None]).await, (2, 1));
    assert_eq!(
        put(pipeline, &[Some("a"), Some("b"), Some("c")]).await,
        (0, 3)
    );
    assert_eq!(put(other, &[Some("a")]).await, (1, 0));

    let records = ann.all_records(&id).await;
    let stored: Vec<_> = records
        .iter()
        .map(|record| json!([record["cursor"], record["fields"]["key"]]))
        .collect();
    let expected = json!([
        ["1", "a"],
        ["2", "b"],
        ["3", null],
        ["4", null],
        ["5", "c"],
        ["6", null]
    ]);
    assert_eq!(json!(stored), expected);
    let query = "query ($id: ID!) { pipeline(id: $id) { recordCount storedBytes runs { nodes { \
                 state received stored duplicates storedBytes } } } }";
    let found = ann.data(query, json!({ "id": id })).await["pipeline"].clone();
    let runs = found["runs"]["nodes"].as_array().unwrap();
    let told: Vec<_> = runs
        .iter()
        .map(|run| {
            json!([
                run["state"],
                run["received"],
                run["stored"],
                run["duplicates"]
            ])
        })
        .collect();
    let expected = json!([
        ["SUCCEEDED", 3, 0, 3],
        ["SUCCEEDED", 3, 2, 1],
        ["SUCCEEDED", 5, 4, 1]
    ]);
    assert_eq!(json!(told), expected);
    assert_eq!(found["recordCount"], 6.0);
    let bytes: f64 = runs
        .iter()
        .filter_map(|run| run["storedBytes"].as_f64())
        .sum();
    assert_eq!(found["storedBytes"], bytes);
    let used = store.usage(&[team], 0, i64::MAX).await.unwrap();
    assert_eq!(used.points, 7);
}

#[tokio::test]
async fn appends_of_one_commit_are_told_their_own_duplicates() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, _) = ann.new_webhook("Orders").await;
    let (pipeline, team): (PipelineId, _) = (id.parse().unwrap(), TeamId::new());
    let appends = (0..60).map(|n| {
        let own = format!("own {n}");
        let keys = [Some(&*own), Some("shared"), Some(&*own), None];
        let append = append(&app, pipeline, team, &keys);
        app.app.store.append(append)
    });
    let appended = futures_util::future::join_all(appends).await;
    let mut told: Vec<_> = appended
        .into_iter()
        .map(|appended| counts(appended.unwrap()))
        .collect();
    told.sort_unstable();
    let mut expected = vec![(2, 2); 59];
    expected.push((3, 1));
    assert_eq!(told, expected);
    assert_eq!(ann.pipeline(&id).await["recordCount"], 121.0);
    assert_eq!(ann.all_records(&id).await.len(), 121);
}

#[tokio::test]
async fn a_key_goes_with_its_record() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, _) = ann.new_webhook("Orders").await;
    let (pipeline, team): (PipelineId, _) = (id.parse().unwrap(), TeamId::new());
    let store = &app.app.store;
    let put = async |keys: &[Option<&str>]| {
        counts(
            store
                .append(append(&app, pipeline, team, keys))
                .await
                .unwrap(),
        )
    };
    assert_eq!(put(&[Some("old")]).await, (1, 0));
    app.clock.advance_ms(DAY_MS);
    assert_eq!(put(&[Some("new"), Some("old")]).await, (1, 1));
    let trimmed = store.trim(pipeline, app.clock.now_ms()).await.unwrap();
    assert_eq!(trimmed, 1);
    assert_eq!(put(&[Some("new"), Some("old")]).await, (1, 1));
    ann.done("deletePipeline", "deletedId", json!({ "id": id }))
        .await;
    app.pass(60_000).await;
    assert_eq!(app.execute("DELETE FROM record_keys").await, 0);
}
