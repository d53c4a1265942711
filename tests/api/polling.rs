//! Polling: what is asked and what is answered. Real feeds, sources that fail in every way, headers
//! and their secrets, and the test of a source before it is a pipeline.

use std::time::Duration;

use axum::body::Bytes;
use dash_api::db::Engine;
use dash_shared::timestamps::{format_ms, parse_ms};
use dash_tests::TestApp;
use dash_tests::client::time_ms;
use dash_tests::environment::vega_dataset;
use dash_tests::upstream::{Reply, Upstream};
use serde_json::{Value, json};

/// More than the longest pause between polls that fail.
const AFTER_ANY_BACKOFF_MS: i64 = 16 * 60_000;

fn vega(name: &str) -> Value {
    serde_json::from_str(&vega_dataset(name)).unwrap()
}

#[tokio::test]
async fn every_earthquake_of_a_week_is_stored_with_its_own_time() {
    let feed = vega("earthquakes.json");
    let quakes = feed["features"].as_array().unwrap().clone();
    assert!(quakes.len() > 1_700);
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let upstream = Upstream::start(Reply::Json(feed)).await;
    let polling = json!({
        "url": format!("{}/all_week.geojson", upstream.url),
        "intervalSeconds": 60, "recordsPath": "$.features",
    });
    let fields = json!([
        {"from": "properties.mag", "to": "mag", "cast": "number"},
        {"from": "properties.place", "to": "place", "cast": "text"},
        {"from": "properties.time", "to": "time", "cast": "time"},
        {"from": "geometry.coordinates[2]", "to": "depth_km"},
    ]);
    let source = json!({ "httpPolling": polling });
    let steps = json!([{ "kind": "map", "fields": fields }]);
    let input = json!({ "name": "Quakes", "source": source, "steps": steps, "timeField": "time" });
    let (id, _) = ann.new_pipeline(input).await;
    assert_eq!(app.run_due_jobs().await, 1);

    let records = ann.all_records(&id).await;
    assert_eq!(records.len(), quakes.len());
    for (record, quake) in records.iter().zip(&quakes) {
        let happened_ms = quake["properties"]["time"].as_i64().unwrap();
        assert_eq!(time_ms(record), happened_ms);
        let expected = json!({
            "mag": quake["properties"]["mag"],
            "place": quake["properties"]["place"],
            "time": format_ms(happened_ms),
            "depth_km": quake["geometry"]["coordinates"][2],
        });
        assert_eq!(record["fields"], expected);
    }
    let run = &ann.runs(&id).await[0];
    assert_eq!(
        (&run["trigger"], &run["state"]),
        (&json!("SCHEDULE"), &json!("SUCCEEDED"))
    );
    assert_eq!(
        (&run["received"], &run["stored"]),
        (&json!(1_707), &json!(1_707))
    );
}

#[tokio::test]
async fn a_plain_list_of_3201_films_is_stored_as_it_comes() {
    let films = vega("movies.json");
    let (app, ann, _upstream, id) = TestApp::polling(Reply::Json(films.clone()), "$").await;
    app.run_due_jobs().await;
    let found: Vec<_> = ann
        .all_records(&id)
        .await
        .iter()
        .map(|record| record["fields"].clone())
        .collect();
    assert_eq!(json!(found).to_string(), films.to_string());
}

#[tokio::test]
async fn a_series_of_prices_keeps_its_dates() {
    let days = vega("ohlc.json");
    let (app, ann, _upstream, id) =
        TestApp::polling(Reply::Json(json!({"data": days})), "$.data[*]").await;
    let change = json!({ "id": id, "timeField": "date" });
    ann.done("updatePipeline", "pipeline { timeField }", change)
        .await;
    app.run_due_jobs().await;
    let records = ann.all_records(&id).await;
    assert_eq!(records.len(), days.as_array().unwrap().len());
    for (record, day) in records.iter().zip(days.as_array().unwrap()) {
        assert_eq!(time_ms(record), parse_ms(&day["date"]).unwrap());
    }
}

#[tokio::test]
async fn whatever_a_source_answers_is_told_in_the_history_and_the_next_success_clears_it() {
    let good = || Reply::Json(json!({"rows": [{"n": 1}]}));
    let (app, ann, upstream, id) = TestApp::polling(good(), "$.rows").await;
    assert_eq!(app.run_due_jobs().await, 1);
    let raw = |status, content_type, body: &str| {
        Reply::Raw(status, content_type, Bytes::from(body.to_owned()))
    };
    let json_type = "application/json";
    let too_large = format!("{{\"rows\":\"{}\"}}", "x".repeat(10 * 1024 * 1024));
    let many: Vec<_> = (0..10_001).map(|n| json!({ "n": n })).collect();
    let cases = [
        (
            raw(500, json_type, "{}"),
            "BAD_STATUS",
            "status 500 Internal Server Error. The problem is on its side",
        ),
        (
            raw(401, json_type, "{}"),
            "BAD_STATUS",
            "status 401 Unauthorized. Check the token",
        ),
        (
            raw(404, json_type, "{}"),
            "BAD_STATUS",
            "status 404 Not Found. Check the address",
        ),
        (
            raw(429, json_type, "{}"),
            "BAD_STATUS",
            "choose a longer interval",
        ),
        (raw(304, json_type, ""), "BAD_STATUS", "status 304"),
        (
            raw(200, "text/html", "<!doctype html><p>Log in"),
            "NOT_JSON",
            "a web page (HTML)",
        ),
        (
            raw(200, json_type, "<html>"),
            "NOT_JSON",
            "a web page (HTML)",
        ),
        (raw(200, json_type, ""), "NOT_JSON", "an empty body"),
        (raw(204, json_type, ""), "NOT_JSON", "an empty body"),
        (
            raw(200, json_type, "{\"rows\": ["),
            "NOT_JSON",
            "EOF while parsing a list at line 1",
        ),
        (
            raw(200, "text/plain", "a,b\n1,2"),
            "NOT_JSON",
            "The answer is not JSON",
        ),
        (
            raw(200, "text/csv", "rows\n1\n2,3"),
            "INVALID_CSV",
            "Line 3 of the CSV has another number of cells (2) than its header line (1)",
        ),
        (
            raw(200, "text/csv", "n\n1"),
            "NO_RECORDS",
            "The lines of a CSV are under the path $",
        ),
        (
            raw(200, "text/csv", "<!doctype html><p>Log in"),
            "NOT_JSON",
            "a web page (HTML)",
        ),
        (
            raw(200, json_type, &too_large),
            "TOO_LARGE",
            "larger than 10 MB",
        ),
        (
            Reply::Json(json!({ "rows": many })),
            "TOO_LARGE",
            "10001 records",
        ),
        (
            Reply::Json(json!({"data": []})),
            "NO_RECORDS",
            "nothing under the records path",
        ),
        (
            Reply::BreakOff,
            "UNREACHABLE",
            "The answer of 127.0.0.1 broke off",
        ),
        (
            Reply::Redirect("/feed".to_owned()),
            "BAD_STATUS",
            "redirects more than 5 times",
        ),
        (
            Reply::Redirect("ftp://127.0.0.1/".to_owned()),
            "FORBIDDEN_TARGET",
            "does not ask ftp addresses",
        ),
        (
            Reply::Redirect("http://10.0.0.1/".to_owned()),
            "FORBIDDEN_TARGET",
            "10.0.0.1 is inside a private network",
        ),
    ];
    for (index, (reply, code, message)) in cases.into_iter().enumerate() {
        upstream.reply_with(reply);
        assert_eq!(app.pass(AFTER_ANY_BACKOFF_MS).await, 1, "{message}");
        let runs = ann.runs(&id).await;
        assert_eq!(runs.len(), 2 * index + 2, "{message}");
        let run = &runs[0];
        assert_eq!(
            (&run["state"], &run["stored"]),
            (&json!("FAILED"), &json!(0))
        );
        assert_eq!(run["error"]["code"], code, "{message}");
        let told = run["error"]["message"].as_str().unwrap();
        assert!(told.contains(message), "{told}");
        let pipeline = ann.pipeline(&id).await;
        assert_eq!(pipeline["state"], "FAILING");
        assert!(pipeline["failingSince"].is_string());

        upstream.reply_with(good());
        assert_eq!(app.pass(AFTER_ANY_BACKOFF_MS).await, 1);
        let pipeline = ann.pipeline(&id).await;
        assert_eq!(
            (&pipeline["state"], &pipeline["failingSince"]),
            (&json!("RUNNING"), &Value::Null)
        );
        #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
        let polls = index as f64 + 2.0;
        assert_eq!(pipeline["recordCount"], polls, "{message}");
    }
}

#[tokio::test]
async fn a_list_that_is_empty_is_no_failure() {
    let (app, ann, _upstream, id) =
        TestApp::polling(Reply::Json(json!({"rows": []})), "$.rows").await;
    app.run_due_jobs().await;
    let run = &ann.runs(&id).await[0];
    assert_eq!(
        (&run["state"], &run["received"]),
        (&json!("SUCCEEDED"), &json!(0))
    );
    assert_eq!(ann.pipeline(&id).await["state"], "RUNNING");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    for (url, host) in [
        (format!("http://{address}/"), "127.0.0.1"),
        (
            "http://no-such-host.invalid/".to_owned(),
            "no-such-host.invalid",
        ),
    ] {
        let id = ann.new_polling("Gone", &url, "$").await;
        assert_eq!(app.run_due_jobs().await, 1);
        let error = ann.runs(&id).await[0]["error"].clone();
        assert_eq!(error["code"], "UNREACHABLE");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!("{host} cannot be reached: ")),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let (app, ann, upstream, id) = TestApp::polling(Reply::Never, "$").await;
    app.run_due_jobs().await;
    let error = ann.runs(&id).await[0]["error"].clone();
    let message = "127.0.0.1 did not answer within 15 seconds.";
    assert_eq!(error, json!({ "code": "TIMEOUT", "message": message }));
    upstream.reply_with(Reply::Late(Duration::from_millis(300), json!([{"n": 1}])));
    app.pass(AFTER_ANY_BACKOFF_MS).await;
    assert_eq!(ann.pipeline(&id).await["recordCount"], 1.0);
}

#[tokio::test]
async fn redirects_are_followed_but_secret_headers_stay_with_their_origin() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let elsewhere = Upstream::start(Reply::Json(json!([{"n": 1}]))).await;
    let upstream = Upstream::start(Reply::Redirect(format!("{}/b", elsewhere.url))).await;
    upstream.reply_at("/start", Reply::Redirect("/next".to_owned()));
    let polling = json!({
        "url": format!("{}/start", upstream.url), "intervalSeconds": 60,
        "headers": [{"name": "X-Api-Key", "value": "swordfish"}],
    });
    let input = json!({ "name": "Moved", "source": { "httpPolling": polling } });
    let (id, _) = ann.new_pipeline(input).await;
    app.run_due_jobs().await;
    assert_eq!(ann.pipeline(&id).await["recordCount"], 1.0);
    let asked: Vec<_> = upstream
        .requests()
        .into_iter()
        .map(|request| (request.uri, request.headers["x-api-key"].clone()))
        .collect();
    assert_eq!(
        asked,
        [
            ("/start".to_owned(), "swordfish".parse().unwrap()),
            ("/next".to_owned(), "swordfish".parse().unwrap())
        ]
    );
    let [request] = &elsewhere.requests()[..] else {
        panic!("it is asked once")
    };
    assert_eq!(request.uri, "/b");
    assert!(
        !request.headers.contains_key("x-api-key"),
        "{:?}",
        request.headers
    );
    let accept = request.headers["accept"].to_str().unwrap();
    assert!(
        accept.starts_with("application/json, text/csv;"),
        "{accept}"
    );
}

const TEST: &str = "result { status recordsPath recordsPathCandidates recordCount records } error { \
                    code message }";

#[tokio::test]
async fn a_test_finds_the_records_and_stores_nothing() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let upstream = Upstream::start(Reply::Json(vega("earthquakes.json"))).await;
    let test = async |path: &str| {
        let source = json!({ "url": upstream.url, "intervalSeconds": 60, "recordsPath": path });
        let tested = ann
            .done("testSource", TEST, json!({ "source": source }))
            .await;
        assert_eq!(tested["error"], Value::Null);
        tested["result"].clone()
    };
    let found = test("").await;
    assert_eq!(
        (&found["status"], &found["recordCount"]),
        (&json!(200), &json!(1_707))
    );
    assert_eq!(found["recordsPath"], "$.features");
    assert_eq!(found["recordsPathCandidates"], json!(["$.features"]));
    assert_eq!(found["records"].as_array().unwrap().len(), 20);
    assert_eq!(found["records"][0]["id"], "ci37868143");
    let found = test("$.metadata").await;
    assert_eq!(
        (&found["recordCount"], &found["records"][0]["count"]),
        (&json!(1), &json!(1_707))
    );
    let stored = ann.data("{ pipelines { totalCount } }", json!({})).await;
    assert_eq!(stored["pipelines"]["totalCount"], 0);
}

#[tokio::test]
async fn a_test_that_finds_nothing_says_why() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let upstream = Upstream::start(Reply::Json(json!({"a": 1}))).await;
    let check = async |reply: Reply, path: &str, code: &str| {
        upstream.reply_with(reply);
        let source = json!({ "url": upstream.url, "intervalSeconds": 60, "recordsPath": path });
        let tested = ann
            .done("testSource", TEST, json!({ "source": source }))
            .await;
        assert_eq!(
            (&tested["result"], &tested["error"]["code"]),
            (&Value::Null, &json!(code))
        );
    };
    check(Reply::Json(json!({"a": 1})), "$.b", "NO_RECORDS").await;
    check(Reply::Json(json!({"a": 1})), "b", "INVALID_PATH").await;
    check(
        Reply::Raw(503, "text/plain", Bytes::new()),
        "$",
        "BAD_STATUS",
    )
    .await;
    check(
        Reply::Raw(200, "text/html", Bytes::from("<p>")),
        "",
        "NOT_JSON",
    )
    .await;
    let source = json!({ "url": "ftp://x", "intervalSeconds": 0, "headers": [{"name": "Host"}] });
    let errors = ann
        .user_errors("testSource", json!({ "source": source }))
        .await;
    let expected = [
        "source.url INVALID",
        "source.headers.0.name INVALID",
        "source.headers.0.value REQUIRED",
    ];
    assert_eq!(errors, expected);
}

#[tokio::test]
async fn a_test_sends_the_stored_header_values_of_its_pipeline() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let upstream = Upstream::start(Reply::Json(json!([{"n": 1}]))).await;
    let with =
        |headers: Value| json!({ "url": upstream.url, "intervalSeconds": 60, "headers": headers });
    let polling = with(json!([{"name": "X-Api-Key", "value": "swordfish"}]));
    let input = json!({ "name": "Feed", "source": { "httpPolling": polling } });
    let (id, _) = ann.new_pipeline(input).await;
    let source = with(json!([{"name": "x-api-key"}, {"name": "X-Other", "value": "new"}]));
    ann.done(
        "testSource",
        TEST,
        json!({ "source": source, "pipelineId": id }),
    )
    .await;
    let request = &upstream.requests()[0];
    assert_eq!(request.headers["x-api-key"], "swordfish");
    assert_eq!(request.headers["x-other"], "new");
    let errors = ann
        .user_errors("testSource", json!({ "source": source }))
        .await;
    assert_eq!(errors, ["source.headers.0.value REQUIRED"]);
}

#[tokio::test]
async fn stored_header_values_are_not_sent_to_a_host_they_were_not_entered_for() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let upstream = Upstream::start(Reply::Json(json!([{"n": 1}]))).await;
    let elsewhere = Upstream::start(Reply::Json(json!([{"n": 1}]))).await;
    let at = |url: &str, header: Value| json!({ "url": url, "intervalSeconds": 60, "headers": [header] });
    let secret = json!({"name": "X-Api-Key", "value": "swordfish"});
    let input = json!({
        "name": "Feed", "source": { "httpPolling": at(&upstream.url, secret.clone()) },
    });
    let (id, _) = ann.new_pipeline(input).await;
    let stored = json!({"name": "X-Api-Key"});
    let moved = at(&elsewhere.url, stored.clone());
    let errors = ann
        .user_errors("testSource", json!({ "source": moved, "pipelineId": id }))
        .await;
    assert_eq!(errors, ["source.headers.0.value REQUIRED"]);
    let change = json!({ "id": id, "source": { "httpPolling": moved } });
    let errors = ann.user_errors("updatePipeline", change).await;
    assert_eq!(errors, ["source.httpPolling.headers.0.value REQUIRED"]);

    // Elsewhere at the same host they go along; elsewhere with the value entered again, too.
    let path = format!("{}/v2", upstream.url);
    for source in [at(&path, stored), at(&elsewhere.url, secret)] {
        let change = json!({ "id": id, "source": { "httpPolling": source } });
        ann.done("updatePipeline", "pipeline { id }", change).await;
        app.clock.advance_ms(1);
        app.run_due_jobs().await;
    }
    assert_eq!(upstream.requests()[0].headers["x-api-key"], "swordfish");
    assert_eq!(elsewhere.requests()[0].headers["x-api-key"], "swordfish");
}

#[tokio::test]
async fn headers_that_a_new_key_cannot_open_are_told_and_can_be_entered_again() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let upstream = Upstream::start(Reply::Json(json!([{"n": 1}]))).await;
    let secret = json!({"name": "X-Api-Key", "value": "swordfish"});
    let polling = json!({ "url": upstream.url, "intervalSeconds": 60, "headers": [secret] });
    let input = json!({ "name": "Feed", "source": { "httpPolling": polling } });
    let (id, _) = ann.new_pipeline(input).await;
    let bytes = match app.app.db.engine() {
        Engine::Sqlite => "x'00'",
        Engine::Postgres => "'\\x00'",
    };
    app.execute(&format!("UPDATE pipelines SET sealed_headers = {bytes}"))
        .await;
    app.run_due_jobs().await;
    assert_eq!(ann.runs(&id).await[0]["error"]["code"], "SECRETS_LOST");
    assert_eq!(ann.pipeline(&id).await["state"], "FAILING");
    let change = json!({ "id": id, "source": { "httpPolling": polling } });
    ann.done("updatePipeline", "pipeline { id }", change).await;
    app.pass(AFTER_ANY_BACKOFF_MS).await;
    assert_eq!(ann.pipeline(&id).await["state"], "RUNNING");
}

#[tokio::test]
async fn private_addresses_are_not_asked_unless_they_are_allowed() {
    let app = TestApp::builder().no_private_targets().start().await;
    let ann = app.owner("ann").await;
    let upstream = Upstream::start(Reply::Json(json!([{"n": 1}]))).await;
    let port = upstream.url.rsplit_once(':').unwrap().1;
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
        "192.168.0.1",
    ] {
        let source = json!({ "url": format!("http://{host}:{port}/"), "intervalSeconds": 60 });
        let tested = ann
            .done("testSource", TEST, json!({ "source": source }))
            .await;
        assert_eq!(
            tested["error"]["code"], "FORBIDDEN_TARGET",
            "{host}: {tested}"
        );
    }
    let id = ann.new_polling("Feed", &upstream.url, "$").await;
    app.run_due_jobs().await;
    assert_eq!(ann.runs(&id).await[0]["error"]["code"], "FORBIDDEN_TARGET");
    assert_eq!(upstream.requests().len(), 0);
}
