//! Sinks: what is sent, in which order, how often, and what is known of it afterwards.

use dash_shared::plans::Plan;
use dash_tests::live::Live;
use dash_tests::upstream::{Reply, Request, Upstream};
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

use crate::graphql::node;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A Dash, somebody there, a pipeline that takes records, and a target that answers.
pub struct Setting {
    pub app: TestApp,
    pub ann: Client,
    pub target: Upstream,
    pub pipeline: String,
    hook: String,
}

impl Setting {
    pub async fn new(reply: Reply) -> Self {
        Self::on(TestApp::start().await, reply).await
    }

    async fn on(app: TestApp, reply: Reply) -> Self {
        let ann = app.owner("ann").await;
        let target = Upstream::start(reply).await;
        let (pipeline, hook) = ann.new_webhook("Orders").await;
        Self {
            app,
            ann,
            target,
            pipeline,
            hook,
        }
    }

    async fn ok() -> Self {
        Self::new(Reply::Json(json!({}))).await
    }

    /// Makes a sink; returns its id.
    pub async fn sink(&self, target: Value) -> String {
        self.sink_with(json!({ "target": target })).await
    }

    async fn sink_with(&self, more: Value) -> String {
        let created = self.create(more).await;
        created["sink"]["id"].as_str().unwrap().to_owned()
    }

    async fn create(&self, more: Value) -> Value {
        let input = self.input(more);
        let selection = "sink { id } signingSecret";
        self.ann.done("createSink", selection, input).await
    }

    fn input(&self, more: Value) -> Value {
        let mut input = json!({ "pipelineId": self.pipeline, "name": "Sink" });
        for (key, value) in more.as_object().unwrap() {
            input[key] = value.clone();
        }
        input
    }

    fn webhook(&self) -> Value {
        json!({ "webhook": { "url": self.target.url } })
    }

    /// Stores records, which are numbered on.
    pub async fn store(&self, records: Value) {
        assert_eq!(self.ann.post(&self.hook, &records).await.status, 200);
    }

    /// Stores records and sends on what is due.
    async fn store_and_send(&self, records: Value) {
        self.store(records).await;
        self.app.run_due_jobs().await;
    }

    /// What arrived in the order it did: the field `n` of each record.
    fn arrived(&self) -> Vec<Value> {
        let requests = self.target.requests();
        let numbers = requests
            .iter()
            .map(|request| request.json()["data"]["n"].clone());
        numbers.collect()
    }

    pub async fn show(&self, id: &str) -> Value {
        let query = "query ($id: ID!) { sink(id: $id) { name kind state disabledReason failingSince \
                     lastError nextAttemptAt version skippedRecords faultyRecords lastFault \
                     counts { deliveredLastHour deliveredLastDay deadLastDay pending lagRecords } } }";
        self.ann.data(query, json!({ "id": id })).await["sink"].clone()
    }

    /// The deliveries of a sink, the newest first.
    pub async fn log(&self, id: &str) -> Vec<Value> {
        let query = "query ($id: ID!) { sink(id: $id) { deliveries(first: 15) { nodes { id \
                     messageId state isTest isReplay recordCount attemptCount nextAttemptAt status \
                     error attempts { number request { method url headers { name value } body isCut } \
                     response { status body isCut headers { name value } } error } } } } }";
        let found = self.ann.data(query, json!({ "id": id })).await;
        let nodes = &found["sink"]["deliveries"]["nodes"];
        nodes.as_array().cloned().unwrap()
    }

    async fn states(&self, id: &str) -> Vec<String> {
        let log = self.log(id).await;
        let states = log.iter().map(|delivery| text(&delivery["state"]));
        states.collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(n: i64) -> Value {
    json!([{ "n": n }])
}

fn ids(requests: &[Request]) -> Vec<String> {
    let ids = requests
        .iter()
        .map(|request| request.header("webhook-id").to_owned());
    ids.collect()
}

#[tokio::test]
async fn a_webhook_gets_each_record_in_order_and_once() {
    let setting = Setting::ok().await;
    setting.store_and_send(number(0)).await;
    let created = setting.create(json!({ "target": setting.webhook() })).await;
    assert!(text(&created["signingSecret"]).starts_with("whsec_"));
    let id = text(&created["sink"]["id"]);
    setting
        .store_and_send(json!([{ "n": 1 }, { "n": 2 }]))
        .await;
    setting.store_and_send(number(3)).await;
    setting.app.run_due_jobs().await;
    assert_eq!(setting.arrived(), [1, 2, 3], "from when it was made");
    let requests = setting.target.requests();
    let first = requests[0].json();
    assert_eq!(first["type"], "record.created");
    assert_eq!(first["timestamp"], "2026-11-22T12:00:00.000Z");
    assert_eq!(requests[0].header("content-type"), "application/json");
    assert_eq!(requests[0].header("webhook-timestamp"), "1795348800");
    let mut distinct = ids(&requests);
    assert!(distinct.iter().all(|id| id.starts_with("msg_")));
    distinct.dedup();
    assert_eq!(distinct.len(), 3);
    let log = setting.log(&id).await;
    assert_eq!(log.len(), 3);
    assert_eq!(log[0]["messageId"], requests[2].header("webhook-id"));
    assert_eq!(log[0]["attempts"][0]["response"]["status"], 200);
    let shown = setting.show(&id).await;
    assert_eq!(
        (&shown["state"], &shown["counts"]),
        (
            &json!("ENABLED"),
            &json!({ "deliveredLastHour": 3, "deliveredLastDay": 3, "deadLastDay": 0, "pending": 0,
                     "lagRecords": 0.0 })
        )
    );
}

#[tokio::test]
async fn a_sink_can_begin_with_an_earlier_record() {
    let setting = Setting::ok().await;
    setting
        .store(json!([{ "n": 1 }, { "n": 2 }, { "n": 3 }]))
        .await;
    let more = json!({ "target": setting.webhook(), "fromRecord": "2" });
    setting.sink_with(more).await;
    setting.app.run_due_jobs().await;
    assert_eq!(setting.arrived(), [2, 3]);
}

#[tokio::test]
async fn what_fails_is_tried_again_with_growing_pauses_and_nothing_overtakes_it() {
    let setting = Setting::new(Reply::Bare(500, vec![])).await;
    let id = setting.sink(setting.webhook()).await;
    setting
        .store_and_send(json!([{ "n": 1 }, { "n": 2 }]))
        .await;
    let pauses = [
        5_000,
        5 * MINUTE_MS,
        30 * MINUTE_MS,
        2 * HOUR_MS,
        5 * HOUR_MS,
        10 * HOUR_MS,
        10 * HOUR_MS,
    ];
    for (tries, pause_ms) in (1..).zip(pauses) {
        assert_eq!(setting.target.requests().len(), tries, "{tries}");
        let shown = setting.show(&id).await;
        assert_eq!(
            (&shown["state"], &shown["counts"]["pending"]),
            (&json!("FAILING"), &json!(1))
        );
        assert_eq!(shown["lastError"], "The target answered 500.");
        assert_ne!(shown["nextAttemptAt"], Value::Null);
        // New records do not make it come earlier.
        setting.store(number(3)).await;
        setting.app.pass(pause_ms - 1).await;
        assert_eq!(
            setting.target.requests().len(),
            tries,
            "{tries}: not before its time"
        );
        setting.app.pass(pause_ms / 10 + 1).await;
    }
    assert_eq!(setting.arrived()[..8], vec![json!(1); 8]);
    let names = ids(&setting.target.requests()[..8]);
    assert!(
        names.iter().all(|name| *name == names[0]),
        "one name for all tries"
    );
    // It is given up, and the next one has its turn.
    assert_eq!(setting.arrived()[8..], [2]);
    assert_eq!(setting.states(&id).await, ["PENDING", "DEAD"]);
    setting.target.reply_with(Reply::Json(json!({})));
    setting.app.pass(6_000).await;
    let shown = setting.show(&id).await;
    assert_eq!(
        (&shown["state"], &shown["failingSince"]),
        (&json!("ENABLED"), &Value::Null)
    );
    assert_eq!(setting.arrived()[9..11], [2, 3]);
}

#[tokio::test]
async fn a_target_that_asks_for_time_gets_it() {
    let wait = vec![("retry-after", "120".to_owned())];
    let setting = Setting::new(Reply::Bare(503, wait)).await;
    setting.sink(setting.webhook()).await;
    setting.store_and_send(number(1)).await;
    setting.target.reply_with(Reply::Json(json!({})));
    setting.app.pass(119_000).await;
    assert_eq!(setting.target.requests().len(), 1);
    setting.app.pass(1_000).await;
    assert_eq!(setting.target.requests().len(), 2);
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let setting = Setting::ok().await;
    let elsewhere = Upstream::start(Reply::Json(json!({}))).await;
    setting
        .target
        .reply_with(Reply::Redirect(elsewhere.url.clone()));
    let id = setting.sink(setting.webhook()).await;
    setting.store_and_send(number(1)).await;
    assert_eq!(elsewhere.requests().len(), 0);
    let shown = setting.show(&id).await;
    assert!(
        text(&shown["lastError"]).starts_with("The target redirects (302)"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_target_that_is_gone_ends_its_sink_and_enabling_goes_on_where_it_stopped() {
    let setting = Setting::new(Reply::Bare(410, vec![])).await;
    let id = setting.sink(setting.webhook()).await;
    setting
        .store_and_send(json!([{ "n": 1 }, { "n": 2 }]))
        .await;
    setting.app.pass(DAY_MS).await;
    assert_eq!(setting.target.requests().len(), 1);
    let shown = setting.show(&id).await;
    assert_eq!(
        (&shown["state"], &shown["disabledReason"]),
        (&json!("DISABLED"), &json!("GONE"))
    );
    assert_eq!(shown["counts"]["lagRecords"], 1.0);
    setting.target.reply_with(Reply::Json(json!({})));
    setting
        .ann
        .done("enableSink", "sink { id }", json!({ "id": id }))
        .await;
    setting.app.run_due_jobs().await;
    assert_eq!(setting.arrived(), [1, 2]);
    assert_eq!(setting.show(&id).await["state"], "ENABLED");
}

#[tokio::test]
async fn a_sink_that_fails_for_five_days_is_disabled() {
    let setting = Setting::new(Reply::Bare(500, vec![])).await;
    let id = setting.sink(setting.webhook()).await;
    let records: Vec<_> = (0..10).map(|n| json!({ "n": n })).collect();
    setting.store(json!(records)).await;
    for _ in 0..14 * 12 {
        setting.app.pass(HOUR_MS).await;
        if setting.show(&id).await["state"] == "DISABLED" {
            break;
        }
        assert!(setting.app.clock.now_ms() < dash_tests::app::START_MS + 6 * DAY_MS);
    }
    let shown = setting.show(&id).await;
    assert_eq!(shown["disabledReason"], "FAILING");
    assert!(setting.app.clock.now_ms() >= dash_tests::app::START_MS + 5 * DAY_MS);
    let tried = setting.target.requests().len();
    setting.app.pass(DAY_MS).await;
    assert_eq!(setting.target.requests().len(), tried);
}

#[tokio::test]
async fn batches_are_full_or_late() {
    let setting = Setting::ok().await;
    let batch = json!({ "records": 3, "seconds": 60 });
    let target = json!({ "webhook": { "url": setting.target.url, "batch": batch } });
    setting.sink(target).await;
    let data = || -> Vec<Value> {
        let requests = setting.target.requests();
        requests
            .iter()
            .map(|request| request.json()["data"].clone())
            .collect()
    };
    setting
        .store_and_send(json!([{ "n": 1 }, { "n": 2 }]))
        .await;
    assert_eq!(data(), Vec::<Value>::new(), "it waits for others");
    setting.app.clock.advance_ms(30_000);
    setting
        .store_and_send(json!([{ "n": 3 }, { "n": 4 }]))
        .await;
    assert_eq!(data(), [json!([{ "n": 1 }, { "n": 2 }, { "n": 3 }])]);
    setting.app.pass(59_000).await;
    assert_eq!(data().len(), 1);
    setting.app.pass(1_000).await;
    assert_eq!(data()[1], json!([{ "n": 4 }]), "not for ever");
}

#[tokio::test]
async fn only_what_meets_the_filter_is_sent_and_one_bad_record_stops_nothing() {
    let setting = Setting::ok().await;
    let filter = json!({ "formula": "n > 2" });
    let id = setting
        .sink_with(json!({ "target": setting.webhook(), "filter": filter }))
        .await;
    let conditions =
        json!({ "conditions": [{ "field": "n", "comparison": "EQUAL", "value": "1" }] });
    setting
        .sink_with(json!({ "target": { "webhook": { "url": format!("{}/ones", setting.target.url) } }, "filter": conditions }))
        .await;
    setting
        .store_and_send(json!([{ "n": 1 }, { "n": 3 }, { "n": "x" }, { "n": 4 }, { "n": 2 }]))
        .await;
    let requests = setting.target.requests();
    let at = |path: &str| -> Vec<Value> {
        let there = requests.iter().filter(|request| request.uri == path);
        there
            .map(|request| request.json()["data"]["n"].clone())
            .collect()
    };
    assert_eq!(at("/"), [3, 4]);
    assert_eq!(at("/ones"), [1]);
    let shown = setting.show(&id).await;
    assert_eq!(shown["faultyRecords"], 1.0);
    assert!(text(&shown["lastFault"]).starts_with("Filter: "), "{shown}");
    assert_eq!(shown["counts"]["lagRecords"], 0.0);
}

#[tokio::test]
async fn records_that_were_deleted_before_they_were_sent_are_counted() {
    let setting = Setting::ok().await;
    let id = setting.sink(setting.webhook()).await;
    setting
        .store(json!([{ "n": 1 }, { "n": 2 }, { "n": 3 }, { "n": 4 }, { "n": 5 }]))
        .await;
    let gone = [1, 3, 5].map(|seq| format!("{}.{seq}", setting.pipeline));
    setting
        .ann
        .done("deleteRecords", "deletedIds", json!({ "ids": gone }))
        .await;
    setting.app.run_due_jobs().await;
    assert_eq!(setting.arrived(), [2, 4]);
    let shown = setting.show(&id).await;
    assert_eq!(
        (&shown["skippedRecords"], &shown["counts"]["lagRecords"]),
        (&json!(3.0), &json!(0.0))
    );
}

#[tokio::test]
async fn a_delivery_whose_records_are_deleted_while_it_fails_is_skipped() {
    let setting = Setting::new(Reply::Bare(500, vec![])).await;
    let id = setting.sink(setting.webhook()).await;
    setting
        .store_and_send(json!([{ "n": 1 }, { "n": 2 }]))
        .await;
    let gone = [format!("{}.1", setting.pipeline)];
    setting
        .ann
        .done("deleteRecords", "deletedIds", json!({ "ids": gone }))
        .await;
    setting.target.reply_with(Reply::Json(json!({})));
    setting.app.pass(6_000).await;
    assert_eq!(setting.arrived(), [1, 2]);
    assert_eq!(setting.states(&id).await, ["DELIVERED", "SKIPPED"]);
    assert_eq!(setting.show(&id).await["skippedRecords"], 1.0);
}

#[tokio::test]
async fn an_http_request_is_made_of_templates_and_keeps_its_secrets() {
    let setting = Setting::new(Reply::Echo).await;
    let http = json!({
        "url": format!("{}/orders/{{{{id}}}}?q={{{{name}}}}", setting.target.url),
        "method": "PUT",
        "headers": [{ "name": "Authorization", "value": "Bearer swordfish-1" }],
        "body": "{\"who\": \"{{name}}\", \"twice\": {{= total * 2 }}}",
    });
    let id = setting.sink(json!({ "http": http })).await;
    setting
        .store_and_send(json!([{ "id": 7, "name": "a \"b\"&", "total": 2.5 }]))
        .await;
    let [request] = &setting.target.requests()[..] else {
        panic!("one request")
    };
    assert_eq!(
        (request.method.as_str(), request.uri.as_str()),
        ("PUT", "/orders/7?q=a%20%22b%22%26")
    );
    assert_eq!(request.json()["who"], "a \"b\"&");
    assert_eq!(request.json()["twice"], 5);
    assert_eq!(request.header("authorization"), "Bearer swordfish-1");
    let log = setting.log(&id).await;
    assert_eq!(request.header("idempotency-key"), log[0]["messageId"]);
    let attempt = &log[0]["attempts"][0];
    assert!(!attempt.to_string().contains("swordfish"), "{attempt}");
    assert!(
        attempt["response"]["body"]
            .as_str()
            .unwrap()
            .contains("••••••")
    );
    let stored = setting.app.everything_stored().await;
    let found = stored.windows(9).any(|bytes| bytes == b"swordfish");
    assert!(!found, "a secret is in the database");
}

#[tokio::test]
async fn stored_values_stay_with_their_host() {
    let setting = Setting::ok().await;
    let http = |url: &str, value: Value| json!({ "http": { "url": url, "headers": [{ "name": "X-Key", "value": value }] } });
    let id = setting
        .sink(http(&setting.target.url, json!("swordfish-1")))
        .await;
    let other = Upstream::start(Reply::Json(json!({}))).await;
    let input = json!({ "id": id, "target": http(&other.url, Value::Null) });
    let errors = setting.ann.user_errors("updateSink", input).await;
    assert_eq!(errors, ["target.http.headers.0.value REQUIRED"]);
    let same = format!("{}/other", setting.target.url);
    let input = json!({ "id": id, "target": http(&same, Value::Null) });
    setting
        .ann
        .done("updateSink", "sink { version }", input)
        .await;
    setting.store_and_send(number(1)).await;
    let requests = setting.target.requests();
    assert_eq!(
        (requests[0].uri.as_str(), requests[0].header("x-key")),
        ("/other", "swordfish-1")
    );
}

#[tokio::test]
async fn slack_and_zapier_get_what_they_expect_at_a_secret_address() {
    let setting = Setting::ok().await;
    let secret = format!("{}/T000/swordfish", setting.target.url);
    let slack = json!({ "slack": { "url": secret, "message": "*New:* {{name}}" } });
    let slack = setting.sink(slack).await;
    setting
        .sink(json!({ "zapier": { "url": format!("{secret}/one") } }))
        .await;
    let batch = json!({ "records": 5 });
    setting
        .sink(json!({ "zapier": { "url": format!("{secret}/many"), "batch": batch } }))
        .await;
    setting
        .store_and_send(json!([{ "name": "<!channel> & co" }]))
        .await;
    let requests = setting.target.requests();
    let at = |path: &str| {
        let found = requests.iter().find(|request| request.uri.ends_with(path));
        found.unwrap().json()
    };
    assert_eq!(
        at("swordfish"),
        json!({ "text": "*New:* &lt;!channel&gt; &amp; co" })
    );
    assert_eq!(at("one"), json!({ "name": "<!channel> & co" }));
    assert_eq!(at("many"), json!([{ "name": "<!channel> & co" }]));
    let log = setting.log(&slack).await;
    assert!(!log[0].to_string().contains("swordfish"), "{}", log[0]);
}

#[tokio::test]
async fn a_plan_has_the_sinks_that_it_has_and_a_pipeline_ten() {
    let setting = Setting::ok().await;
    let slack = json!({ "slack": { "url": "https://hooks.slack.com/x", "message": "a" } });
    let errors = async |plan: Plan, target: Value| {
        let set = setting
            .app
            .app
            .accounts
            .set_plan("ann@corp.test", plan)
            .await;
        set.unwrap();
        let input = setting.input(json!({ "target": target }));
        setting.ann.user_errors("createSink", input).await
    };
    assert_eq!(
        errors(Plan::Free, setting.webhook()).await,
        ["target PLAN_REQUIRED"]
    );
    assert_eq!(
        errors(Plan::Pro, slack.clone()).await,
        ["target PLAN_REQUIRED"]
    );
    assert_eq!(
        errors(Plan::Business, slack.clone()).await,
        Vec::<String>::new()
    );
    for _ in 1..10 {
        assert_eq!(
            errors(Plan::Business, slack.clone()).await,
            Vec::<String>::new()
        );
    }
    assert_eq!(
        errors(Plan::Business, slack).await,
        ["pipelineId LIMIT_REACHED"]
    );
}

#[tokio::test]
async fn ten_sinks_made_at_once_are_ten() {
    let setting = Setting::ok().await;
    let all = (0..15).map(|_| {
        let input = setting.input(json!({ "target": setting.webhook() }));
        setting.ann.user_errors("createSink", input)
    });
    let made = futures_util::future::join_all(all).await;
    assert_eq!(made.iter().filter(|errors| errors.is_empty()).count(), 10);
}

#[tokio::test]
async fn a_preview_shows_a_real_record_and_sends_nothing() {
    let setting = Setting::ok().await;
    let query = "query ($input: SinkPreviewInput!) { sinkPreview(input: $input) { sample error notes \
                 request { method url headers { name value } body } record { fields } \
                 userErrors { field code } } }";
    let preview = async |more: Value| {
        let mut input = json!({ "pipelineId": setting.pipeline });
        for (key, value) in more.as_object().unwrap() {
            input[key] = value.clone();
        }
        setting.ann.data(query, json!({ "input": input })).await["sinkPreview"].clone()
    };
    let http = json!({ "http": {
        "url": setting.target.url, "body": "{{json}}{{nope}}", "contentType": "text/plain",
        "headers": [{ "name": "X-Key", "value": "swordfish" }],
    }});
    let invented = preview(json!({ "target": http })).await;
    assert_eq!(invented["sample"], "INVENTED");
    setting.store(json!([{ "n": 1 }, { "n": 2 }])).await;
    let filter = json!({ "formula": "n == 1" });
    let shown = preview(json!({ "target": http, "filter": filter })).await;
    assert_eq!(
        (&shown["sample"], &shown["record"]["fields"]),
        (&json!("MATCHING"), &json!({ "n": 1 }))
    );
    assert_eq!(shown["request"]["body"], "{\"n\":1}");
    assert_eq!(
        shown["notes"],
        json!(["The record has no field “nope”: it stays empty."])
    );
    assert!(!shown.to_string().contains("swordfish"), "{shown}");
    let bad = json!({ "slack": { "message": "{{" } });
    let wrong = preview(json!({ "target": bad })).await;
    assert_eq!(
        wrong["userErrors"],
        json!([{ "field": ["target", "slack", "message"], "code": "INVALID" }])
    );
    assert_eq!(setting.target.requests().len(), 0);
}

#[tokio::test]
async fn a_test_is_sent_once_and_says_what_came_of_it() {
    let setting = Setting::ok().await;
    let id = setting.sink(setting.webhook()).await;
    let test = async || {
        let selection = "delivery { state isTest status error attemptCount }";
        let sent = setting
            .ann
            .done("sendTestToSink", selection, json!({ "id": id }))
            .await;
        sent["delivery"].clone()
    };
    let delivery = test().await;
    assert_eq!(
        (&delivery["state"], &delivery["isTest"]),
        (&json!("DELIVERED"), &json!(true))
    );
    let requests = setting.target.requests();
    assert_eq!(requests[0].header("dash-test"), "true");
    assert_eq!(requests[0].json()["data"]["name"], "Example");
    setting.target.reply_with(Reply::Bare(404, vec![]));
    setting.store(number(1)).await;
    let delivery = test().await;
    assert_eq!(
        (&delivery["state"], &delivery["status"]),
        (&json!("FAILED"), &json!(404))
    );
    assert_eq!(
        setting.show(&id).await["state"],
        "ENABLED",
        "a test says nothing of the sink"
    );
    setting.target.reply_with(Reply::Json(json!({})));
    setting.app.run_due_jobs().await;
    assert_eq!(
        setting.target.requests().len(),
        3,
        "the record is sent as usual"
    );
}

#[tokio::test]
async fn what_was_sent_or_given_up_can_be_sent_again_under_its_name() {
    let setting = Setting::ok().await;
    let id = setting.sink(setting.webhook()).await;
    setting
        .store_and_send(json!([{ "n": 1 }, { "n": 2 }, { "n": 3 }]))
        .await;
    let log = setting.log(&id).await;
    let input = json!({ "id": log[1]["id"] });
    let replayed = setting
        .ann
        .done("replayDelivery", "delivery { state isReplay }", input)
        .await;
    assert_eq!(
        replayed["delivery"],
        json!({ "state": "PENDING", "isReplay": true })
    );
    setting.app.run_due_jobs().await;
    assert_eq!(setting.arrived(), [1, 2, 3, 2]);
    let names = ids(&setting.target.requests());
    assert_eq!(names[1], names[3]);
    let input = json!({ "sinkId": id, "filter": { "states": ["DELIVERED"] } });
    let all = setting
        .ann
        .done("replayDeliveries", "replayed", input.clone())
        .await;
    assert_eq!(all["replayed"], 3);
    let again = setting
        .ann
        .done("replayDeliveries", "replayed", input)
        .await;
    assert_eq!(again["replayed"], 0, "they wait already");
    setting.app.run_due_jobs().await;
    assert_eq!(setting.arrived()[4..], [1, 2, 3]);
    assert_eq!(setting.log(&id).await[1]["attemptCount"], 3);
}

#[tokio::test]
async fn a_replay_goes_beside_what_waits_for_a_target() {
    let setting = Setting::ok().await;
    let id = setting.sink(setting.webhook()).await;
    setting.store_and_send(number(1)).await;
    setting.target.reply_with(Reply::Bare(500, vec![]));
    setting.store_and_send(number(2)).await;
    setting.target.reply_with(Reply::Json(json!({})));
    let log = setting.log(&id).await;
    assert_eq!(log[1]["state"], "DELIVERED");
    setting
        .ann
        .done(
            "replayDelivery",
            "delivery { id }",
            json!({ "id": log[1]["id"] }),
        )
        .await;
    setting.app.run_due_jobs().await;
    assert_eq!(setting.arrived(), [1, 2, 1]);
    setting.app.pass(6_000).await;
    assert_eq!(setting.arrived(), [1, 2, 1, 2]);
}

#[tokio::test]
async fn a_rotated_key_signs_beside_the_old_one_for_a_day() {
    let setting = Setting::ok().await;
    let created = setting.create(json!({ "target": setting.webhook() })).await;
    let (id, old) = (
        text(&created["sink"]["id"]),
        text(&created["signingSecret"]),
    );
    let selection = "signingSecret oldSecretValidUntil";
    let rotated = setting
        .ann
        .done("rotateSinkSecret", selection, json!({ "id": id }))
        .await;
    assert_ne!(text(&rotated["signingSecret"]), old);
    setting.store_and_send(number(1)).await;
    setting.app.clock.advance_ms(DAY_MS);
    setting.store_and_send(number(2)).await;
    let signatures: Vec<_> = setting
        .target
        .requests()
        .iter()
        .map(|request| request.header("webhook-signature").split(' ').count())
        .collect();
    assert_eq!(signatures, [2, 1]);
    let stored = setting.app.everything_stored().await;
    assert!(
        !stored.windows(6).any(|bytes| bytes == b"whsec_"),
        "a key is in the database"
    );
}

#[tokio::test]
async fn the_libraries_that_everybody_uses_verify_what_is_signed() {
    let setting = Setting::ok().await;
    let created = setting.create(json!({ "target": setting.webhook() })).await;
    let (id, old) = (
        text(&created["sink"]["id"]),
        text(&created["signingSecret"]),
    );
    let rotated = setting
        .ann
        .done("rotateSinkSecret", "signingSecret", json!({ "id": id }))
        .await;
    let new = text(&rotated["signingSecret"]);
    setting
        .store_and_send(json!([{ "name": "Grüße “aus” Lyon\n", "n": 0.1 }]))
        .await;
    let [request] = &setting.target.requests()[..] else {
        panic!("one request")
    };
    let sent = json!({
        "secrets": [old, new],
        "now": setting.app.clock.now_ms(),
        "body": String::from_utf8(request.body.to_vec()).unwrap(),
        "headers": {
            "webhook-id": request.header("webhook-id"),
            "webhook-timestamp": request.header("webhook-timestamp"),
            "webhook-signature": request.header("webhook-signature"),
        },
    });
    let printed = node("webhook-signatures.mjs", &[&sent.to_string()]).await;
    let judged: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(judged["verified"], 4, "two libraries, two keys");
    assert_eq!(judged["forged"], json!([]));
    assert!(judged["tried"].as_u64() > Some(100), "{judged}");
}

#[tokio::test]
async fn a_worker_that_dies_between_sending_and_noting_sends_the_same_message_again() {
    let setting = Setting::new(Reply::Never).await;
    let batch = json!({ "records": 2 });
    let target = json!({ "webhook": { "url": setting.target.url, "batch": batch } });
    let id = setting.sink(target).await;
    setting.store(json!([{ "n": 1 }])).await;
    {
        let dying = setting.app.run_due_jobs();
        let asked = setting.target.asked(1);
        tokio::select! {
            _ = dying => panic!("it waits for the target"),
            () = asked => {}
        }
    }
    setting.target.reply_with(Reply::Json(json!({})));
    setting.store(json!([{ "n": 2 }])).await;
    assert_eq!(
        setting.app.run_due_jobs().await,
        0,
        "the dead one's lease holds"
    );
    setting.app.pass(31_000).await;
    let requests = setting.target.requests();
    let names = ids(&requests);
    assert_eq!(names[0], names[1], "the same name");
    assert_eq!(
        requests[0].json(),
        requests[1].json(),
        "and the same records, though there are more"
    );
    assert_eq!(requests[2].json()["data"], json!([{ "n": 2 }]));
    assert_eq!(setting.states(&id).await, ["DELIVERED", "DELIVERED"]);
}

#[tokio::test]
async fn a_change_takes_effect_on_what_waits() {
    let setting = Setting::new(Reply::Bare(500, vec![])).await;
    let id = setting.sink(setting.webhook()).await;
    setting.store_and_send(number(1)).await;
    let mended = Upstream::start(Reply::Json(json!({}))).await;
    let target = json!({ "webhook": { "url": mended.url } });
    setting
        .ann
        .done(
            "updateSink",
            "sink { id }",
            json!({ "id": id, "target": target }),
        )
        .await;
    setting.app.pass(6_000).await;
    assert_eq!(ids(&mended.requests()), ids(&setting.target.requests()));
}

#[tokio::test]
async fn a_disabled_sink_waits_and_a_deleted_one_leaves_nothing() {
    let setting = Setting::ok().await;
    let id = setting.sink(setting.webhook()).await;
    let act = async |field: &str| {
        let done = setting
            .ann
            .done(field, "sink { state disabledReason }", json!({ "id": id }))
            .await;
        done["sink"].clone()
    };
    let disabled = act("disableSink").await;
    assert_eq!(
        disabled,
        json!({ "state": "DISABLED", "disabledReason": "BY_HAND" })
    );
    setting.store_and_send(number(1)).await;
    assert_eq!(setting.target.requests().len(), 0);
    act("enableSink").await;
    setting.app.run_due_jobs().await;
    assert_eq!(setting.arrived(), [1]);
    setting
        .ann
        .done("deleteSink", "deletedId", json!({ "id": id }))
        .await;
    setting.store_and_send(number(2)).await;
    assert_eq!(setting.arrived(), [1]);
    assert_eq!(setting.app.execute("DELETE FROM deliveries").await, 0);
    assert_eq!(
        setting.app.execute("DELETE FROM delivery_attempts").await,
        0
    );
}

#[tokio::test]
async fn the_log_is_followed_live() {
    let setting = Setting::new(Reply::Bare(500, vec![])).await;
    let id = setting.sink(setting.webhook()).await;
    let mut live = Live::connect(&setting.ann).await;
    let query = "subscription ($id: ID!) { sinkDeliveries(sinkId: $id) { state attemptCount attempts \
                 { number error } } }";
    let subscription = live.subscribe(query, json!({ "id": id })).await;
    // The subscription stands when a second one is answered.
    let query = "query { viewer { user { id } } }";
    let probe = live.subscribe(query, json!({})).await;
    live.next(&probe).await;
    setting.store_and_send(number(1)).await;
    let told = live.next(&subscription).await["sinkDeliveries"].clone();
    assert_eq!(
        (&told["state"], &told["attemptCount"]),
        (&json!("PENDING"), &json!(1))
    );
    assert_eq!(told["attempts"][0]["error"], "The target answered 500.");
    setting.target.reply_with(Reply::Json(json!({})));
    setting.app.pass(6_000).await;
    let told = live.next(&subscription).await["sinkDeliveries"].clone();
    assert_eq!(
        (&told["state"], &told["attemptCount"]),
        (&json!("DELIVERED"), &json!(2))
    );
}

#[tokio::test]
async fn working_for_itself_it_sends_at_once_and_one_dead_target_holds_nobody_up() {
    let app = TestApp::builder().real_clock().workers().start().await;
    let setting = Setting::on(app, Reply::Json(json!({}))).await;
    let dead = Upstream::start(Reply::Never).await;
    let dead = json!({ "webhook": { "url": dead.url } });
    setting.sink(dead).await;
    for _ in 0..9 {
        setting.sink(setting.webhook()).await;
    }
    let started = std::time::Instant::now();
    for n in 0..3 {
        setting.store(number(n)).await;
    }
    setting.target.asked(27).await;
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[tokio::test]
async fn the_log_is_kept_for_thirty_days_and_a_plan_that_shrinks_stops_its_sinks() {
    let mut setting = Setting::ok().await;
    let id = setting.sink(setting.webhook()).await;
    setting.store_and_send(number(1)).await;
    setting.app.app.sinks.schedule_upkeep().await.unwrap();
    setting.app.pass(30 * DAY_MS).await;
    // The session has ended by then.
    setting.ann = setting
        .app
        .logged_in("ann@corp.test", "correct horse battery")
        .await;
    assert_eq!(setting.log(&id).await.len(), 1);
    setting
        .app
        .app
        .accounts
        .set_plan("ann@corp.test", Plan::Free)
        .await
        .unwrap();
    setting.app.pass(HOUR_MS + 1).await;
    assert_eq!(setting.log(&id).await.len(), 0);
    assert_eq!(
        setting.app.execute("DELETE FROM delivery_attempts").await,
        0
    );
    let shown = setting.show(&id).await;
    assert_eq!(
        (&shown["state"], &shown["disabledReason"]),
        (&json!("DISABLED"), &json!("PLAN"))
    );
    let errors = setting
        .ann
        .user_errors("enableSink", json!({ "id": id }))
        .await;
    assert_eq!(errors, ["id PLAN_REQUIRED"]);
}
