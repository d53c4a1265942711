//! What `docs/component-spec.md` asks of every source and of every sink, as one helper for each that
//! all kinds go through. Steps have theirs beside the engine.

use dash_tests::upstream::{Reply, Upstream};
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

use crate::sinks::Setting;
use crate::uploads::{new_upload_pipeline, upload};

/// Checks a source: `bring` makes it take in one record and, if it can at all, one value that is none.
async fn source_complies(
    app: &TestApp,
    client: &Client,
    id: &str,
    brings_failures: bool,
    bring: impl AsyncFn(),
) {
    let count = async || client.all_records(id).await.len();
    bring().await;
    app.run_due_jobs().await;
    // Each object is a record; what is none fails and does not lose the others.
    assert_eq!(count().await, 1, "{id}");
    let runs = client.runs(id).await;
    let run = &runs[0];
    let failed = i64::from(brings_failures);
    assert_eq!(
        (&run["received"], &run["stored"], &run["failed"]),
        (&json!(1 + failed), &json!(1), &json!(failed)),
        "{run}"
    );
    let query = "query ($id: ID!) { pipeline(id: $id) { openFailureCount failures { nodes { step \
                 message received } } received(first: 1) { value } } }";
    let found = client.data(query, json!({ "id": id })).await["pipeline"].clone();
    assert_eq!(found["openFailureCount"], failed, "{found}");
    if brings_failures {
        assert_eq!(run["state"], "PARTIAL");
        let failure = &found["failures"]["nodes"][0];
        assert!(
            failure["message"].as_str().unwrap().contains("object"),
            "{failure}"
        );
    }
    // What came in is known, for whoever edits the steps.
    assert_eq!(found["received"][0]["value"]["n"], 1, "{found}");
    // A paused source takes nothing in.
    let input = json!({ "id": id });
    client.done("pausePipeline", "pipeline { id }", input).await;
    bring().await;
    app.pass(120_000).await;
    assert_eq!(count().await, 1, "{id} is paused");
}

#[tokio::test]
async fn webhooks_comply() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    let bring = async || drop(ann.post(&url, &json!([{"n": 1}, "x"])).await);
    source_complies(&app, &ann, &id, true, bring).await;
}

#[tokio::test]
async fn polled_sources_comply() {
    let reply = Reply::Json(json!([{"n": 1}, "x"]));
    let (app, ann, _upstream, id) = TestApp::polling(reply, "$").await;
    source_complies(&app, &ann, &id, true, async || ()).await;
}

#[tokio::test]
async fn pipelines_as_sources_comply() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (upstream, url) = ann.new_webhook("Upstream").await;
    let source = json!({ "pipeline": { "pipelineId": upstream } });
    let input = json!({ "name": "Reader", "source": source });
    let (id, _) = ann.new_pipeline(input).await;
    let bring = async || drop(ann.post(&url, &json!({"n": 1})).await);
    source_complies(&app, &ann, &id, false, bring).await;
}

#[tokio::test]
async fn files_comply() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let id = new_upload_pipeline(&ann, json!({})).await;
    let bring = async || {
        let file = "{\"n\": 1}\n\"x\"\n";
        drop(upload(&ann, &id, "name=a.ndjson", file).await);
    };
    source_complies(&app, &ann, &id, true, bring).await;
}

/// Checks a sink that asks an address: order, repeats with the same id, the log, and that one record
/// after the other is sent.
async fn sink_complies(kind: &str, target: impl Fn(&Upstream) -> Value) {
    let setting = Setting::new(Reply::status(500)).await;
    let id = setting.sink(target(&setting.target)).await;
    setting.store(json!([{"n": 1}])).await;
    setting.app.run_due_jobs().await;
    let first = setting.target.requests();
    assert_eq!(first.len(), 1, "{kind}");
    // The next one waits until the one before is delivered.
    setting.store(json!([{"n": 2}])).await;
    setting.app.run_due_jobs().await;
    assert_eq!(setting.target.requests().len(), 1, "{kind} keeps the order");
    setting.target.reply_with(Reply::Json(json!({})));
    setting.app.pass(10_000).await;
    setting.app.run_due_jobs().await;
    let sent = setting.target.requests();
    assert_eq!(sent.len(), 3, "{kind} tries again and goes on");
    assert_eq!(sent[0].body, sent[1].body, "{kind} repeats the same");
    let ids = |at: usize| sent[at].header("webhook-id").to_owned();
    assert_eq!(ids(0), ids(1), "{kind} repeats with the same id");
    assert!(ids(0).is_empty() || ids(0) != ids(2), "{kind}");
    let log = setting.log(&id).await;
    assert_eq!(log.len(), 2, "{kind}");
    let attempts = log[1]["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2, "{kind} logs each attempt");
    assert_eq!(setting.show(&id).await["state"], "ENABLED", "{kind}");
}

#[tokio::test]
async fn webhook_sinks_comply() {
    sink_complies("webhook", |at| json!({ "webhook": { "url": at.url } })).await;
}

#[tokio::test]
async fn zapier_sinks_comply() {
    sink_complies("zapier", |at| json!({ "zapier": { "url": at.url } })).await;
}

#[tokio::test]
async fn slack_sinks_comply() {
    let slack = |at: &Upstream| json!({ "slack": { "url": at.url, "message": "{{n}}" } });
    sink_complies("slack", slack).await;
}

#[tokio::test]
async fn http_sinks_comply() {
    sink_complies("http", |at| json!({ "http": { "url": at.url } })).await;
}
