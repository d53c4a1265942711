//! Pipelines: making, changing, pausing and deleting them, and secrets that are never read back.

use dash_tests::upstream::{Reply, Upstream};
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

fn webhook() -> Value {
    json!({ "webhook": {} })
}

fn polling(more: Value) -> Value {
    let mut polling = json!({ "url": "https://api.example.com/orders", "intervalSeconds": 60 });
    for (key, value) in more.as_object().unwrap() {
        polling[key] = value.clone();
    }
    json!({ "httpPolling": polling })
}

async fn act(client: &Client, act: &str, id: &str) -> Value {
    let payload = client
        .done(
            act,
            "pipeline { state version nextRunAt }",
            json!({ "id": id }),
        )
        .await;
    payload["pipeline"].clone()
}

#[tokio::test]
async fn a_pipeline_is_what_was_entered() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let steps = json!([
        { "kind": "map", "fields": [{"from": "a.b", "to": "b", "cast": "number"}, {"from": "[\"x.y\"]", "to": "xy"}],
          "keep_rest": true, "on_error": "keep" },
        { "kind": "map", "fields": [{"from": "b", "to": "total"}], "keep_rest": false, "on_error": "fail" },
    ]);
    let source = polling(
        json!({ "recordsPath": "$.data[*]", "headers": [{"name": "X-Api-Key", "value": "swordfish"}] }),
    );
    let input = json!({ "name": "  Orders ", "source": source, "steps": steps, "timeField": "b" });
    let (id, _) = ann.new_pipeline(input).await;
    let found = ann.pipeline(&id).await;
    let seen = [
        "name",
        "state",
        "version",
        "timeField",
        "recordCount",
        "lastRun",
    ]
    .map(|name| found[name].clone());
    assert_eq!(
        seen,
        [
            json!("Orders"),
            json!("RUNNING"),
            json!(1),
            json!("b"),
            json!(0.0),
            Value::Null
        ]
    );
    assert_eq!(found["steps"], steps);
    let source = json!({
        "__typename": "HttpPollingSource", "url": "https://api.example.com/orders",
        "intervalSeconds": 60, "headerNames": ["X-Api-Key"], "recordsPath": "$.data[*]",
    });
    assert_eq!(found["source"], source);
    assert!(found["nextRunAt"].is_string());
}

#[tokio::test]
async fn a_webhook_has_a_secret_url_of_its_own() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (_, one) = ann.new_webhook("One").await;
    let (_, two) = ann.new_webhook("Two").await;
    assert_ne!(one, two);
    let prefix = format!("{}/hooks/whk_", app.url);
    assert!(
        one.starts_with(&prefix) && one.len() == prefix.len() + 32,
        "{one}"
    );
}

#[tokio::test]
async fn a_change_counts_the_version_up_and_leaves_the_rest() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let steps = json!([{ "kind": "map", "fields": [{"from": "a", "to": "b"}], "keep_rest": false, "on_error": "fail" }]);
    let input = json!({ "name": "Orders", "source": webhook(), "steps": steps, "timeField": "b" });
    let (id, url) = ann.new_pipeline(input).await;
    let change = async |more: Value| {
        let mut input = json!({ "id": id });
        for (key, value) in more.as_object().unwrap() {
            input[key] = value.clone();
        }
        ann.done("updatePipeline", "pipeline { id }", input).await;
        ann.pipeline(&id).await
    };
    let renamed = change(json!({ "name": "Sales" })).await;
    assert_eq!(
        (&renamed["name"], &renamed["version"]),
        (&json!("Sales"), &json!(2))
    );
    assert_eq!(
        (&renamed["steps"], &renamed["timeField"]),
        (&steps, &json!("b"))
    );
    assert_eq!(renamed["source"]["url"], url);
    let cleared = change(json!({ "timeField": "", "steps": [] })).await;
    assert_eq!(
        (&cleared["steps"], &cleared["timeField"]),
        (&json!([]), &Value::Null)
    );
    assert_eq!(
        (&cleared["name"], &cleared["version"]),
        (&json!("Sales"), &json!(3))
    );
    assert_eq!(ann.post(&url, &json!({"a": 1})).await.status, 200);
    assert_eq!(
        ann.records(&id).await[0]["fields"],
        json!({"a": 1}),
        "the steps are gone at once"
    );
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_counted() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, _) = ann.new_webhook("Orders").await;
    let changes = (0..10).map(|n| {
        let input = json!({ "id": id, "name": n.to_string() });
        ann.done("updatePipeline", "pipeline { version }", input)
    });
    let payloads = futures_util::future::join_all(changes).await;
    let mut versions: Vec<_> = payloads
        .iter()
        .map(|payload| payload["pipeline"]["version"].as_i64().unwrap())
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..=11).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_new_url_makes_the_old_one_unknown() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, old) = ann.new_webhook("Orders").await;
    assert_eq!(ann.post(&old, &json!({"n": 1})).await.status, 200);
    let input = json!({ "id": id, "source": { "webhook": { "regenerateUrl": true } } });
    let selection = "pipeline { source { ... on WebhookSource { url } } }";
    let changed = ann.done("updatePipeline", selection, input).await;
    let new = changed["pipeline"]["source"]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(new, old);
    assert_eq!(ann.post(&old, &json!({"n": 2})).await.status, 404);
    assert_eq!(ann.post(&new, &json!({"n": 3})).await.status, 200);
    assert_eq!(ann.pipeline(&id).await["recordCount"], 2.0);
    let input = json!({ "id": id, "source": webhook() });
    let kept = ann.done("updatePipeline", selection, input).await;
    assert_eq!(kept["pipeline"]["source"]["url"], new);
}

#[tokio::test]
async fn pausing_and_resuming_changes_the_state_and_nothing_else() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let upstream = Upstream::start(Reply::Json(json!([{"n": 1}]))).await;
    let id = ann.new_polling("Feed", &upstream.url, "$").await;
    app.run_due_jobs().await;
    let paused = act(&ann, "pausePipeline", &id).await;
    assert_eq!(
        paused,
        json!({ "state": "PAUSED", "version": 1, "nextRunAt": null })
    );
    assert_eq!(app.pass(3_600_000).await, 0);
    assert_eq!(act(&ann, "pausePipeline", &id).await["state"], "PAUSED");
    assert_eq!(act(&ann, "resumePipeline", &id).await["state"], "RUNNING");
    assert_eq!(act(&ann, "resumePipeline", &id).await["state"], "RUNNING");
    assert_eq!(app.run_due_jobs().await, 1, "it runs at once");
    assert_eq!(upstream.requests().len(), 2);
}

#[tokio::test]
async fn resuming_a_pipeline_that_failed_begins_anew() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let upstream = Upstream::start(Reply::Raw(500, "text/plain", "".into())).await;
    let id = ann.new_polling("Feed", &upstream.url, "$").await;
    app.run_due_jobs().await;
    assert_eq!(ann.pipeline(&id).await["state"], "FAILING");
    act(&ann, "pausePipeline", &id).await;
    assert_eq!(act(&ann, "resumePipeline", &id).await["state"], "RUNNING");
}

#[tokio::test]
async fn only_what_polls_can_be_run() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, _) = ann.new_webhook("Orders").await;
    assert_eq!(
        ann.user_errors("runPipeline", json!({ "id": id })).await,
        ["id INVALID"]
    );
}

#[tokio::test]
async fn a_deleted_pipeline_is_gone() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, _) = ann.new_webhook("Orders").await;
    let deleted = ann
        .done("deletePipeline", "deletedId", json!({ "id": id }))
        .await;
    assert_eq!(deleted["deletedId"], id);
    let query = "query ($id: ID!) { pipeline(id: $id) { id } }";
    assert_eq!(
        ann.error_code(query, json!({ "id": id })).await,
        "NOT_FOUND"
    );
    let again =
        "mutation ($input: DeletePipelineInput!) { deletePipeline(input: $input) { deletedId } }";
    assert_eq!(
        ann.error_code(again, json!({ "input": { "id": id } }))
            .await,
        "NOT_FOUND"
    );
    for id in [
        "",
        "nonsense",
        "dsh_00000000000000000000000000",
        "pip_ü",
        "pip_\u{0}",
    ] {
        assert_eq!(
            ann.error_code(query, json!({ "id": id })).await,
            "NOT_FOUND",
            "{id}"
        );
        let found = ann
            .data(
                "query ($id: ID!) { node(id: $id) { id } }",
                json!({ "id": id }),
            )
            .await;
        assert_eq!(found["node"], Value::Null);
    }
}

#[tokio::test]
async fn mistakes_are_told_with_their_fields() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let check = async |input: Value, expected: &[&str]| {
        assert_eq!(
            ann.user_errors("createPipeline", input.clone()).await,
            expected,
            "{input}"
        );
    };
    let named = |name: &str| json!({ "name": name, "source": webhook() });
    check(named(" "), &["name REQUIRED"]).await;
    check(named(&"x".repeat(101)), &["name TOO_LONG"]).await;
    check(named("a\u{0}b"), &["name INVALID"]).await;
    let with_time = |field: &str| json!({ "name": "a", "source": webhook(), "timeField": field });
    check(with_time("a..b"), &["timeField INVALID"]).await;
    check(with_time("a\u{0}b"), &["timeField INVALID"]).await;

    let with_steps = |fields: Value| json!({ "name": "a", "source": webhook(), "steps": [{ "kind": "map", "fields": fields }] });
    check(with_steps(json!([])), &["steps.0.fields REQUIRED"]).await;
    check(
        with_steps(json!([{"from": "a..", "to": "a"}])),
        &["steps.0.fields.0.from INVALID"],
    )
    .await;
    let twice =
        json!([{"from": "a", "to": "x"}, {"from": "b", "to": "x"}, {"from": "c", "to": "y.z"}]);
    check(
        with_steps(twice),
        &["steps.0.fields.1.to INVALID", "steps.0.fields.2.to INVALID"],
    )
    .await;
    let many: Vec<_> = (0..201)
        .map(|n| json!({"from": "a", "to": format!("f{n}")}))
        .collect();
    check(with_steps(json!(many)), &["steps.0.fields TOO_LONG"]).await;
    let step = json!({ "kind": "map", "fields": [{"from": "a", "to": "a"}] });
    check(
        json!({ "name": "a", "source": webhook(), "steps": vec![step; 21] }),
        &["steps TOO_LONG"],
    )
    .await;

    let polls = |more: Value| json!({ "name": "a", "source": polling(more) });
    let at = |field: &str| format!("source.httpPolling.{field}");
    for url in [
        "",
        "api.example.com",
        "ftp://x.test",
        "https://",
        "https://u:p@x.test",
        "https://a b.test",
    ] {
        let code = if url.is_empty() {
            "REQUIRED"
        } else {
            "INVALID"
        };
        check(polls(json!({ "url": url })), &[&at(&format!("url {code}"))]).await;
    }
    check(
        polls(json!({ "intervalSeconds": 0 })),
        &[&at("intervalSeconds PLAN_REQUIRED")],
    )
    .await;
    check(
        polls(json!({ "intervalSeconds": -1 })),
        &[&at("intervalSeconds PLAN_REQUIRED")],
    )
    .await;
    check(
        polls(json!({ "intervalSeconds": 604_801 })),
        &[&at("intervalSeconds INVALID")],
    )
    .await;
    check(
        polls(json!({ "recordsPath": "items" })),
        &[&at("recordsPath INVALID")],
    )
    .await;
    check(
        polls(json!({ "recordsPath": "" })),
        &[&at("recordsPath INVALID")],
    )
    .await;
    let header =
        |name: &str, value: Value| polls(json!({ "headers": [{"name": name, "value": value}] }));
    check(
        header("X-Api-Key", Value::Null),
        &[&at("headers.0.value REQUIRED")],
    )
    .await;
    check(
        header("X-Api-Key", json!("a\r\nHost: b")),
        &[&at("headers.0.value INVALID")],
    )
    .await;
    check(
        header("X-Api-Key", json!("x".repeat(4_097))),
        &[&at("headers.0.value TOO_LONG")],
    )
    .await;
    check(header("Host", json!("b")), &[&at("headers.0.name INVALID")]).await;
    check(
        header("X Api", json!("b")),
        &[&at("headers.0.name INVALID")],
    )
    .await;
    let twice = json!([{"name": "X-A", "value": "1"}, {"name": "x-a", "value": "2"}]);
    check(
        polls(json!({ "headers": twice })),
        &[&at("headers.1.name INVALID")],
    )
    .await;
    let many: Vec<_> = (0..21)
        .map(|n| json!({"name": format!("x-{n}"), "value": ""}))
        .collect();
    check(
        polls(json!({ "headers": many })),
        &[&at("headers TOO_LONG")],
    )
    .await;
    let several = polls(json!({ "url": "x", "recordsPath": "x" }));
    check(several, &[&at("url INVALID"), &at("recordsPath INVALID")]).await;
}

#[tokio::test]
async fn a_refused_change_changes_nothing() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, _) = ann.new_webhook("Orders").await;
    let input = json!({ "id": id, "name": "Sales", "timeField": "a..b" });
    assert_eq!(
        ann.user_errors("updatePipeline", input).await,
        ["timeField INVALID"]
    );
    let input = json!({ "id": id, "source": polling(json!({})) });
    assert_eq!(
        ann.user_errors("updatePipeline", input).await,
        ["source INVALID"]
    );
    let found = ann.pipeline(&id).await;
    assert_eq!(
        (&found["name"], &found["version"]),
        (&json!("Orders"), &json!(1))
    );
}

#[tokio::test]
async fn the_plan_sets_the_shortest_interval() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    for (plan, shortest) in [
        ("free", 900),
        ("pro", 60),
        ("business", 10),
        ("enterprise", 1),
    ] {
        let plan = dash_shared::plans::Plan::parse(plan).unwrap();
        app.app
            .accounts
            .set_plan("ann@corp.test", plan)
            .await
            .unwrap();
        let every = |seconds: i32| json!({ "name": "a", "source": polling(json!({ "intervalSeconds": seconds })) });
        assert_eq!(
            ann.user_errors("createPipeline", every(shortest)).await,
            Vec::<String>::new()
        );
        let refused = ann.user_errors("createPipeline", every(shortest - 1)).await;
        assert_eq!(
            refused,
            ["source.httpPolling.intervalSeconds PLAN_REQUIRED"],
            "{plan:?}"
        );
    }
}

#[tokio::test]
async fn header_values_are_never_read_back() {
    const SECRET: &str = "Bearer swordfish-and-chips";
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let upstream = Upstream::start(Reply::Json(json!([{"n": 1}]))).await;
    let with = |headers: Value| polling(json!({ "url": upstream.url, "headers": headers }));
    let source = with(
        json!([{"name": "Authorization", "value": SECRET}, {"name": "X-Other", "value": "1"}]),
    );
    let (id, _) = ann
        .new_pipeline(json!({ "name": "Feed", "source": source }))
        .await;
    app.run_due_jobs().await;
    assert_eq!(upstream.requests()[0].headers["authorization"], SECRET);

    let shown = ann.pipeline(&id).await;
    assert_eq!(
        shown["source"]["headerNames"],
        json!(["Authorization", "X-Other"])
    );
    assert!(!shown.to_string().contains("swordfish"));
    let stored = app.everything_stored().await;
    let has = |bytes: &[u8]| stored.windows(bytes.len()).any(|found| found == bytes);
    assert!(
        has(b"Authorization"),
        "the definition is among what is searched"
    );
    assert!(!has(b"swordfish"));
    let hex: Vec<_> = "swordfish"
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(!has(hex.concat().as_bytes()));

    // A value that is left out is kept, one that is entered replaces it, a name that is left out
    // is removed.
    let source = with(json!([{"name": "authorization"}, {"name": "X-New", "value": "2"}]));
    ann.done(
        "updatePipeline",
        "pipeline { id }",
        json!({ "id": id, "source": source }),
    )
    .await;
    app.clock.advance_ms(1);
    ann.done("runPipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    app.run_due_jobs().await;
    let request = &upstream.requests()[1];
    assert_eq!(request.headers["authorization"], SECRET);
    assert_eq!(request.headers["x-new"], "2");
    assert!(!request.headers.contains_key("x-other"));
}
