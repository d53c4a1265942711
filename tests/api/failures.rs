//! What a pipeline could not handle is listed, mended and put in again: each record is stored once,
//! whatever is repeated, killed or done at the same time.

use dash_tests::upstream::Reply;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

const FAILURES: &str = "query ($id: ID!, $state: FailureState, $after: String) { pipeline(id: $id) { \
    openFailureCount failureGroups { step path message count lastAt } failureReplay { running total \
    done failed progress } failures(state: $state, first: 100, after: $after) { totalCount \
    pageInfo { hasNextPage endCursor } nodes { id state failedAt runId step path value message \
    received } } } }";

const REPLAYED: &str =
    "pipeline { openFailureCount } replayedIds stored failed { id problem { step path message } }";

async fn listed(client: &Client, id: &str, state: &str) -> Value {
    let variables = json!({ "id": id, "state": state });
    client.data(FAILURES, variables).await["pipeline"].clone()
}

async fn open(client: &Client, id: &str) -> Vec<Value> {
    let found = listed(client, id, "OPEN").await;
    found["failures"]["nodes"].as_array().cloned().unwrap()
}

fn cast() -> Value {
    json!([{ "kind": "cast", "fields": [{ "field": "total", "type": "number" }] }])
}

fn lenient() -> Value {
    json!([{ "kind": "cast", "fields": [{ "field": "total", "type": "number" }], "on_error": "keep" }])
}

async fn pipeline(client: &Client, steps: Value) -> (String, String) {
    let input = json!({ "name": "Orders", "source": { "webhook": {} }, "steps": steps });
    client.new_pipeline(input).await
}

async fn set_steps(client: &Client, id: &str, steps: Value) {
    let input = json!({ "id": id, "steps": steps });
    client
        .done("updatePipeline", "pipeline { id }", input)
        .await;
}

async fn replay(client: &Client, id: &str, ids: &[&Value], corrected: Value) -> Value {
    let mut input = json!({ "pipelineId": id, "ids": ids });
    if !corrected.is_null() {
        input["corrected"] = corrected;
    }
    client.done("replayFailures", REPLAYED, input).await
}

async fn totals(client: &Client, id: &str) -> Vec<Value> {
    let records = client.all_records(id).await.into_iter();
    records
        .map(|record| record["fields"]["total"].clone())
        .collect()
}

#[tokio::test]
async fn what_failed_is_listed_with_its_cause() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = pipeline(&ann, cast()).await;
    let sent = json!([{"total": "1"}, {"total": "n/a"}, {"total": "?"}, 7]);
    ann.post(&url, &sent).await;
    let found = listed(&ann, &id, "OPEN").await;
    assert_eq!(found["openFailureCount"], 3);
    assert_eq!(found["failures"]["totalCount"], 3);
    let groups = found["failureGroups"].as_array().unwrap();
    let seen: Vec<_> = groups
        .iter()
        .map(|group| (&group["step"], &group["path"], &group["count"]))
        .collect();
    assert_eq!(
        seen,
        [
            (&json!(1), &json!("total"), &json!(2)),
            (&json!(0), &json!(""), &json!(1))
        ]
    );
    let failure = &found["failures"]["nodes"][2];
    assert_eq!(
        (&failure["step"], &failure["path"], &failure["value"]),
        (&json!(1), &json!("total"), &json!("n/a"))
    );
    assert_eq!(failure["message"], "“n/a” is not a number");
    assert_eq!(failure["received"], "{\"total\":\"n/a\"}");
    let query = "query ($id: ID!) { node(id: $id) { ... on Run { failed received } } }";
    let run = ann.data(query, json!({ "id": failure["runId"] })).await;
    assert_eq!(run["node"], json!({ "failed": 3, "received": 4 }));
}

#[tokio::test]
async fn mended_steps_take_what_failed_before() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = pipeline(&ann, cast()).await;
    ann.post(&url, &json!([{"total": "1"}, {"total": "n/a"}]))
        .await;
    let failure = open(&ann, &id).await.remove(0);
    // Nothing is mended yet.
    let again = replay(&ann, &id, &[&failure["id"]], Value::Null).await;
    assert_eq!(again["stored"], 0);
    assert_eq!(
        again["failed"][0]["problem"]["message"],
        "“n/a” is not a number"
    );
    assert_eq!(open(&ann, &id).await.len(), 1, "there is no second entry");
    // Another step is wrong with it now.
    set_steps(&ann, &id, json!([{ "kind": "explode", "field": "total" }])).await;
    replay(&ann, &id, &[&failure["id"]], Value::Null).await;
    let now = open(&ann, &id).await.remove(0);
    assert_ne!(now["message"], failure["message"]);
    assert_eq!(now["id"], failure["id"]);
    set_steps(&ann, &id, lenient()).await;
    let replayed = replay(&ann, &id, &[&failure["id"]], Value::Null).await;
    assert_eq!(replayed["replayedIds"], json!([failure["id"]]));
    assert_eq!(replayed["pipeline"]["openFailureCount"], 0);
    assert_eq!(totals(&ann, &id).await, [json!(1), Value::Null]);
    let runs = ann.runs(&id).await;
    assert_eq!(
        (
            &runs[0]["trigger"],
            &runs[0]["received"],
            &runs[0]["stored"]
        ),
        (&json!("REPLAY"), &json!(1), &json!(1))
    );
    assert_eq!(
        (&runs[2]["trigger"], &runs[2]["state"]),
        (&json!("REPLAY"), &json!("FAILED"))
    );
    let done = listed(&ann, &id, "REPLAYED").await;
    assert_eq!(done["failures"]["nodes"][0]["id"], failure["id"]);
}

#[tokio::test]
async fn a_correction_is_stored_once_however_often_it_is_sent() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = pipeline(&ann, cast()).await;
    ann.post(&url, &json!({"total": "n/a"})).await;
    let failure = open(&ann, &id).await.remove(0);
    let wrong = replay(&ann, &id, &[&failure["id"]], json!({"total": "x"})).await;
    assert_eq!(
        wrong["failed"][0]["problem"]["message"],
        "“x” is not a number"
    );
    let kept = open(&ann, &id).await.remove(0);
    assert_eq!(kept, failure, "a wrong correction leaves it as it was");
    let ids = [&failure["id"]];
    let corrected = json!({"total": "5"});
    let at_once = (0..8).map(|_| replay(&ann, &id, &ids, corrected.clone()));
    let answers = futures_util::future::join_all(at_once).await;
    let stored: i64 = answers
        .iter()
        .map(|answer| answer["stored"].as_i64().unwrap())
        .sum();
    assert_eq!(stored, 1);
    let late = replay(&ann, &id, &ids, corrected).await;
    assert_eq!(
        (&late["stored"], &late["replayedIds"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(totals(&ann, &id).await, [json!(5)]);
    let usage = "{ viewer { organization { dataPointsThisMonth } } }";
    let usage = ann.data(usage, json!({})).await;
    assert_eq!(usage["viewer"]["organization"]["dataPointsThisMonth"], 1.0);
}

#[tokio::test]
async fn a_record_that_became_several_is_stored_once_in_each_part() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let mut steps = json!([{ "kind": "explode", "field": "items" }]);
    steps.as_array_mut().unwrap().push(cast()[0].clone());
    let (id, url) = pipeline(&ann, steps.clone()).await;
    let items = json!([{"total": "1"}, {"total": "a"}, {"total": "3"}, {"total": "b"}]);
    let sent = ann.post(&url, &json!({ "items": items })).await;
    assert_eq!(
        (&sent.json["stored"], &sent.json["failed"]),
        (&json!(2), &json!(2))
    );
    let failures = open(&ann, &id).await;
    assert_eq!(failures.len(), 2);
    // One of them is corrected, the steps are mended for the other.
    let items = json!([{"total": "1"}, {"total": "2"}, {"total": "3"}, {"total": "b"}]);
    let corrected = json!({ "items": items });
    replay(&ann, &id, &[&failures[1]["id"]], corrected).await;
    steps[1] = lenient()[0].clone();
    set_steps(&ann, &id, steps).await;
    replay(&ann, &id, &[&failures[0]["id"]], Value::Null).await;
    assert_eq!(
        totals(&ann, &id).await,
        [json!(1), json!(3), json!(2), Value::Null]
    );
    assert!(open(&ann, &id).await.is_empty());
}

#[tokio::test]
async fn parts_that_cannot_be_told_apart_any_more_stay_open() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let mut steps = json!([{ "kind": "explode", "field": "items" }]);
    steps.as_array_mut().unwrap().push(cast()[0].clone());
    let (id, url) = pipeline(&ann, steps).await;
    ann.post(&url, &json!({ "items": [{"total": "1"}, {"total": "a"}] }))
        .await;
    set_steps(&ann, &id, json!([])).await;
    let failure = open(&ann, &id).await.remove(0);
    let answer = replay(&ann, &id, &[&failure["id"]], Value::Null).await;
    let message = answer["failed"][0]["problem"]["message"].as_str().unwrap();
    assert!(message.contains("part 2 of 2"), "{message}");
    assert_eq!(totals(&ann, &id).await, [json!(1)]);
}

#[tokio::test]
async fn steps_that_remember_have_not_seen_what_failed() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let mut steps = json!([{ "kind": "deduplicate", "keys": ["id"] }]);
    steps.as_array_mut().unwrap().push(cast()[0].clone());
    let (id, url) = pipeline(&ann, steps).await;
    ann.post(
        &url,
        &json!([{"id": 1, "total": "a"}, {"id": 2, "total": "b"}]),
    )
    .await;
    let failures = open(&ann, &id).await;
    // Sent again and right this time, it is stored, and the failed one is left out then.
    ann.post(&url, &json!({"id": 1, "total": "1"})).await;
    let corrected = json!({"id": 1, "total": "10"});
    let left_out = replay(&ann, &id, &[&failures[1]["id"]], corrected).await;
    assert_eq!(left_out["replayedIds"], json!([failures[1]["id"]]));
    assert_eq!(left_out["stored"], 0);
    let corrected = json!({"id": 2, "total": "2"});
    let stored = replay(&ann, &id, &[&failures[0]["id"]], corrected).await;
    assert_eq!(stored["stored"], 1);
    ann.post(&url, &json!({"id": 2, "total": "3"})).await;
    assert_eq!(totals(&ann, &id).await, [json!(1), json!(2)]);
}

#[tokio::test]
async fn all_are_put_in_again_in_the_background() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = pipeline(&ann, cast()).await;
    let odd = |n: usize| {
        if n.is_multiple_of(3) {
            json!("bad")
        } else {
            json!("€ 1")
        }
    };
    for _ in 0..2 {
        let records: Vec<Value> = (0..900).map(|n| json!({ "total": odd(n) })).collect();
        ann.post(&url, &json!(records)).await;
    }
    assert_eq!(listed(&ann, &id, "OPEN").await["openFailureCount"], 1_800);
    let mut steps = json!([{ "kind": "calculate", "fields": [{ "field": "total", "formula": "replace(total, '€ ', '')" }] }]);
    steps.as_array_mut().unwrap().push(cast()[0].clone());
    set_steps(&ann, &id, steps).await;
    let all = json!({ "pipelineId": id, "all": true });
    ann.done("replayFailures", "pipeline { id }", all.clone())
        .await;
    assert_eq!(
        ann.user_errors("replayFailures", all.clone()).await,
        ["pipelineId INVALID"],
        "it is running"
    );
    let progress = listed(&ann, &id, "OPEN").await["failureReplay"].clone();
    assert_eq!(
        (&progress["running"], &progress["total"], &progress["done"]),
        (&json!(true), &json!(1_800), &json!(0))
    );
    // Somebody puts one in meanwhile.
    let one = open(&ann, &id).await.pop().unwrap();
    let corrected = json!({"total": 7});
    replay(&ann, &id, &[&one["id"]], corrected).await;
    // The process ends and another one goes on.
    let app = app.restart().await;
    let ann = ann.at(&app.url);
    while app.run_due_jobs().await > 0 {
        app.clock.advance_ms(1);
    }
    let found = listed(&ann, &id, "OPEN").await;
    let bad = 600 - i32::from(one["value"] == "bad");
    assert_eq!(
        found["failureReplay"],
        json!({ "running": false, "total": 1_800, "done": 1_800, "failed": bad, "progress": 1.0 })
    );
    assert_eq!(found["openFailureCount"], bad);
    let stored = ann.pipeline(&id).await["recordCount"].clone();
    assert_eq!(stored, json!(1_800.0 - f64::from(bad)));
    // Again: those that are left fail again, and nothing is stored.
    ann.done("replayFailures", "pipeline { id }", all).await;
    while app.run_due_jobs().await > 0 {
        app.clock.advance_ms(1);
    }
    assert_eq!(ann.pipeline(&id).await["recordCount"], stored);
}

#[tokio::test]
async fn a_dismissal_can_be_taken_back() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = pipeline(&ann, cast()).await;
    ann.post(
        &url,
        &json!([{"total": "a"}, {"total": "b"}, {"total": "c"}]),
    )
    .await;
    let failures = open(&ann, &id).await;
    let set = async |field: &str, which: Value| {
        let mut input = json!({ "pipelineId": id });
        for (key, value) in which.as_object().unwrap() {
            input[key] = value.clone();
        }
        let payload = ann
            .done(field, "count pipeline { openFailureCount }", input)
            .await;
        (
            payload["count"].clone(),
            payload["pipeline"]["openFailureCount"].clone(),
        )
    };
    let one = json!({ "ids": [failures[0]["id"]] });
    assert_eq!(
        set("dismissFailures", one.clone()).await,
        (json!(1), json!(2))
    );
    assert_eq!(
        set("dismissFailures", one.clone()).await,
        (json!(0), json!(2))
    );
    let late = replay(&ann, &id, &[&failures[0]["id"]], json!({"total": 1})).await;
    assert_eq!(late["stored"], 0, "it is dismissed");
    assert_eq!(set("reopenFailures", one).await, (json!(1), json!(3)));
    let all = json!({ "all": true });
    assert_eq!(
        set("dismissFailures", all.clone()).await,
        (json!(3), json!(0))
    );
    assert_eq!(
        listed(&ann, &id, "DISMISSED").await["failures"]["totalCount"],
        3
    );
    assert_eq!(
        ann.user_errors("replayFailures", json!({ "pipelineId": id, "all": true }))
            .await,
        ["pipelineId INVALID"],
        "nothing is open"
    );
    assert_eq!(set("reopenFailures", all).await, (json!(3), json!(3)));
}

#[tokio::test]
async fn what_cannot_be_put_in_again_is_said() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = pipeline(&ann, cast()).await;
    ann.post(&url, &json!([{"total": "a"}, {"total": "b"}]))
        .await;
    let failures = open(&ann, &id).await;
    let ids = json!([failures[0]["id"], failures[1]["id"]]);
    let many: Vec<_> = (0..101).map(|_| failures[0]["id"].clone()).collect();
    for (which, expected) in [
        (json!({}), "ids REQUIRED"),
        (json!({ "ids": [] }), "ids REQUIRED"),
        (json!({ "ids": ids, "all": true }), "ids REQUIRED"),
        (json!({ "ids": many }), "ids TOO_LONG"),
        (json!({ "ids": ids, "corrected": {} }), "ids INVALID"),
        (
            json!({ "ids": [failures[0]["id"]], "corrected": 7 }),
            "corrected INVALID",
        ),
        (json!({ "all": true, "corrected": {} }), "corrected INVALID"),
    ] {
        let mut input = json!({ "pipelineId": id });
        for (key, value) in which.as_object().unwrap() {
            input[key] = value.clone();
        }
        assert_eq!(
            ann.user_errors("replayFailures", input).await,
            [expected],
            "{which}"
        );
    }
}

#[tokio::test]
async fn a_backfill_takes_an_event_once_that_was_put_in_again() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = pipeline(&ann, cast()).await;
    ann.post(
        &url,
        &json!([{"total": "1"}, {"total": "n/a"}, {"total": "x"}]),
    )
    .await;
    let failures = open(&ann, &id).await;
    replay(&ann, &id, &[&failures[0]["id"]], json!({"total": "3"})).await;
    set_steps(&ann, &id, lenient()).await;
    replay(&ann, &id, &[&failures[1]["id"]], Value::Null).await;
    assert_eq!(totals(&ann, &id).await, [json!(1), json!(3), Value::Null]);
    // The event that came with the others, and was corrected, is among them with both forms.
    set_steps(&ann, &id, cast()).await;
    ann.done(
        "startBackfill",
        "pipeline { id }",
        json!({ "pipelineId": id }),
    )
    .await;
    while app.run_due_jobs().await > 0 {
        app.clock.advance_ms(1);
    }
    assert_eq!(totals(&ann, &id).await, [json!(1), json!(3)]);
}

#[tokio::test]
async fn a_backfill_closes_what_it_stored_and_nothing_else() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = pipeline(&ann, cast()).await;
    ann.post(
        &url,
        &json!([{"total": "1"}, {"total": "€ 2"}, {"total": "x"}]),
    )
    .await;
    let mut steps = json!([{ "kind": "calculate", "fields": [{ "field": "total", "formula": "replace(total, '€ ', '')" }] }]);
    steps.as_array_mut().unwrap().push(cast()[0].clone());
    set_steps(&ann, &id, steps).await;
    ann.done(
        "startBackfill",
        "pipeline { id }",
        json!({ "pipelineId": id }),
    )
    .await;
    let during = json!({ "pipelineId": id, "all": true });
    assert_eq!(
        ann.user_errors("replayFailures", during).await,
        ["id INVALID"],
        "not during a backfill"
    );
    while app.run_due_jobs().await > 0 {
        app.clock.advance_ms(1);
    }
    assert_eq!(totals(&ann, &id).await, [json!(1), json!(2)]);
    let left = open(&ann, &id).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["value"], "x");
}

#[tokio::test]
async fn a_poll_that_failed_as_a_whole_shows_its_error_and_no_failed_record() {
    let (app, ann, _upstream, id) =
        TestApp::polling(Reply::Raw(500, "text/plain", "no".into()), "$").await;
    app.run_due_jobs().await;
    let runs = ann.runs(&id).await;
    assert_eq!(runs[0]["state"], "FAILED");
    assert_eq!(runs[0]["error"]["code"], "BAD_STATUS");
    assert_eq!(listed(&ann, &id, "OPEN").await["openFailureCount"], 0);
}
