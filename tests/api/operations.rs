//! What whoever runs Dash relies on: health, metrics, request ids, and a stop that loses nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dash_api::app::App;
use dash_api::config::Config;
use dash_tests::client::Answer;
use dash_tests::live::Live;
use dash_tests::{Client, TestApp, environment};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Command;

/// Another Dash on the database of `app`, with a changed configuration.
async fn reconfigured(app: &TestApp, change: impl FnOnce(&mut Config)) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut config = app.app.config.clone();
    config.http.listen = address;
    config.http.public_url = format!("http://{address}");
    change(&mut config);
    let client = Client::new(&config.http.public_url);
    let app = App::build(config, app.clock.clone()).await.unwrap();
    tokio::spawn(dash_api::http::serve(app, listener));
    client
}

/// The answer to a `GET` with headers.
async fn get(client: &Client, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = client.http().get(format!("{}{path}", client.url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn health_is_told() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let alive = client.get("/healthz").await;
    assert_eq!(
        (alive.status.as_u16(), alive.json),
        (200, json!({"status": "alive"}))
    );
    let ready = client.get("/readyz").await;
    assert_eq!(
        (ready.status.as_u16(), ready.json),
        (200, json!({"status": "ready"}))
    );
}

#[tokio::test]
async fn a_dash_whose_database_waits_for_a_migration_is_alive_but_not_ready() {
    let app = TestApp::start().await;
    assert_eq!(
        app.execute("DELETE FROM seaql_migrations WHERE version LIKE '%dashboards'")
            .await,
        1
    );
    let client = app.anonymous();
    assert_eq!(client.get("/healthz").await.status, 200);
    let ready = client.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json["problem"], "the database waits for a migration");
}

#[tokio::test]
async fn of_several_processes_that_begin_at_once_one_brings_the_tables_up_to_date() {
    let app = TestApp::start().await;
    app.execute("DROP TABLE dashboards").await;
    app.execute("DELETE FROM seaql_migrations WHERE version LIKE '%dashboards'")
        .await;
    let begin = async || {
        let db = dash_api::app::connect(&app.app.config).await.unwrap();
        dash_api::app::migrate(&db).await
    };
    let results = futures_util::future::join_all((0..4).map(|_| begin())).await;
    for result in results {
        result.unwrap();
    }
    app.execute("DELETE FROM dashboards").await;
}

#[tokio::test]
async fn metrics_count_what_happens() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    ann.post(&url, &json!([{"n": 1}, 2])).await;
    let mut live = Live::connect(&ann).await;
    let query =
        "subscription ($id: ID!) { pipelineRecords(pipelineId: $id, after: \"0\") { cursor } }";
    let subscription = live.subscribe(query, json!({ "id": id })).await;
    live.next(&subscription).await;
    let metrics = ann.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(
        metrics
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    for name in [
        "dash_build_info{version=",
        "dash_http_requests_total{",
        "dash_http_request_duration_seconds_bucket{",
        "dash_http_connections",
        "dash_websocket_connections",
        "dash_subscriptions",
        "dash_subscription_executions",
        "dash_subscription_messages_encoded_total",
        "dash_subscription_messages_sent_total",
        "dash_database_statements_total",
        "dash_records_received_total",
        "dash_records_stored_total",
        "dash_records_failed_total",
        "dash_commit_records",
    ] {
        assert!(
            metrics.text.contains(&format!("\n{name}")),
            "{name}: {}",
            metrics.text
        );
    }
    assert!(metrics.text.contains("route=\"/hooks/{key}\""));
    let key = url.rsplit_once('/').unwrap().1;
    assert!(!metrics.text.contains(key), "a webhook's URL is a secret");
}

#[tokio::test]
async fn a_request_keeps_the_id_that_its_sender_gave_it() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let get = async |id: &str| {
        let request = client.http().get(format!("{}/nothing", app.url));
        let request = request.header("x-request-id", id);
        Answer::read(request.send().await.unwrap()).await
    };
    let answer = get("order-17.a_b").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("x-request-id"), "order-17.a_b");
    assert_eq!(answer.json["requestId"], "order-17.a_b");
    let replaced = get("<script>").await;
    assert_eq!(replaced.header("x-request-id").len(), 32);
    assert_ne!(
        client.get("/healthz").await.header("x-request-id"),
        replaced.header("x-request-id")
    );
}

#[tokio::test]
async fn answers_tell_browsers_to_be_careful() {
    let app = TestApp::start().await;
    for path in ["/", "/healthz", "/graphql?query={__typename}", "/nothing"] {
        let answer = app.anonymous().get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(!answer.header("referrer-policy").is_empty(), "{path}");
    }
}

#[tokio::test]
async fn without_the_web_client_dash_says_what_it_is() {
    let app = TestApp::start().await;
    let root = app.anonymous().get("/").await;
    assert_eq!(
        (root.status.as_u16(), &root.json["links"]["graphql"]),
        (200, &json!("/graphql"))
    );
}

/// The files of a built client, the smallest there is.
fn built_client() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("explorer")).unwrap();
    for (name, content) in [
        ("index.html", "<script>alert('Hello, world.');</script>"),
        ("explorer/index.html", "the explorer"),
        ("favicon.svg", "<svg/>"),
        ("dash-web-0123456789abcdef.js", "run()"),
        ("dash-web-0123456789abcdef.js.br", "run() in brotli"),
    ] {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[tokio::test]
async fn files_of_the_web_client_are_cached_compressed_and_guarded() {
    let app = TestApp::start().await;
    let folder = built_client();
    let client = reconfigured(&app, |config| {
        config.http.web_dir = Some(folder.path().to_owned());
    })
    .await;
    let script = "/dash-web-0123456789abcdef.js";
    let for_ever = "public, max-age=31536000, immutable";
    for (path, encoding, text, cached) in [
        (script, "gzip, br", "run() in brotli", for_ever),
        (script, "gzip", "run()", for_ever),
        (script, "identity", "run()", for_ever),
        ("/favicon.svg", "br", "<svg/>", "no-cache"),
        ("/explorer/", "br", "the explorer", "no-cache"),
    ] {
        let answer = get(&client, path, &[("accept-encoding", encoding)]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text.as_str()),
            (200, text),
            "{path}"
        );
        let compressed = answer.header("content-encoding");
        assert_eq!(compressed == "br", text.ends_with("brotli"), "{path}");
        assert_eq!(answer.header("cache-control"), cached, "{path}");
        assert_eq!(answer.header("vary"), "accept-encoding", "{path}");
        let again = [("if-modified-since", answer.header("last-modified"))];
        let again = get(&client, path, &again).await;
        assert_eq!(again.status, 304, "{path}");
        assert_eq!(again.header("vary"), "accept-encoding", "{path}");
    }
    // The app finds its way from any path that looks like a page.
    for path in ["/", "/index.html", "/dashboards/dsh_1"] {
        let page = get(&client, path, &[("accept", "text/html,*/*")]).await;
        assert!(page.text.contains("Hello, world."), "{path}");
        assert_eq!(page.header("cache-control"), "no-cache", "{path}");
        assert_eq!(page.header("vary"), "accept-encoding", "{path}");
        let policy = page.header("content-security-policy");
        let hash = "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='";
        let scripts = format!("script-src 'self' 'wasm-unsafe-eval' {hash};");
        assert!(policy.contains(&scripts), "{path}: {policy}");
    }
    for path in ["/dash-web-fedcba9876543210.js", "/dashboards/dsh_1"] {
        assert_eq!(get(&client, path, &[]).await.status, 404, "{path}");
    }
    // Whoever opens the address of the API in a browser is led to the explorer.
    let explorer = get(&client, "/graphql", &[("accept", "text/html,*/*")]).await;
    assert_eq!(explorer.text, "the explorer");
}

#[tokio::test]
async fn every_mistake_of_the_configuration_is_told_before_anything_is_started() {
    let folder = TempDir::new().unwrap();
    let started = Command::new(environment::dash_program())
        .args(["serve", "--port", "0"])
        .current_dir(folder.path())
        .env("DASH_DATA_DIR", folder.path())
        // Nobody is there to be connected to.
        .env("DATABASE_URL", "postgres://127.0.0.1:1/dash")
        .env("DATABASE_MAX_CONNECTIONS", "0")
        .env("DASH_CLIENT_IP_HEADER", "x forwarded for")
        .env("DASH_ALLOW_TARGETS", "erp.internal,10.0.0.0/33")
        .env("DASH_LOG", "dash_api=loud")
        .kill_on_drop(true)
        .output();
    let started = started.await.unwrap();
    let told = String::from_utf8(started.stderr).unwrap();
    assert!(!started.status.success() && started.stdout.is_empty());
    for wrong in [
        "DATABASE_MAX_CONNECTIONS: \"0\"",
        "DASH_CLIENT_IP_HEADER: \"x forwarded for\"",
        "DASH_ALLOW_TARGETS: “10.0.0.0/33”",
        "DASH_LOG: \"dash_api=loud\"",
    ] {
        assert!(told.contains(wrong), "{wrong}: {told}");
    }
    assert_eq!(told.lines().count(), 5, "{told}");
}

#[tokio::test]
async fn behind_a_proxy_a_client_is_known_by_the_address_that_the_proxy_names() {
    let app = TestApp::start().await;
    app.owner("ann").await;
    let client = reconfigured(&app, |config| {
        config.http.client_ip_header = Some("fly-client-ip".parse().unwrap());
    })
    .await;
    let query = "mutation ($input: LogInInput!) { logIn(input: $input) { userErrors { code } } }";
    let input = json!({ "email": "ann@corp.test", "password": "correct horse battery" });
    let request = client
        .http()
        .post(format!("{}/graphql", client.url()))
        .header("x-forwarded-for", "192.0.2.7, 198.51.100.1")
        .header("fly-client-ip", "192.0.2.7")
        .json(&json!({ "query": query, "variables": { "input": input } }));
    let answer = Answer::read(request.send().await.unwrap()).await;
    assert_eq!(answer.json["data"]["logIn"]["userErrors"], json!([]));
    let sessions = "DELETE FROM sessions WHERE ip = '192.0.2.7'";
    assert_eq!(app.execute(sessions).await, 1);
}

#[tokio::test]
async fn what_was_acknowledged_before_a_stop_is_there_after_it() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    let stopping = AtomicBool::new(false);
    let sender = |sender: u32| {
        let (ann, url, stopping) = (&ann, &url, &stopping);
        async move {
            let mut acknowledged = Vec::new();
            for n in 0.. {
                let key = format!("{sender}-{n}");
                let request = ann.http().post(url).body(json!({ "key": key }).to_string());
                match request.send().await {
                    Ok(answer) if answer.status() == 200 => acknowledged.push(key),
                    refused => {
                        assert!(stopping.load(Ordering::SeqCst), "{refused:?}");
                        break;
                    }
                }
            }
            acknowledged
        }
    };
    let stop = async {
        // Some records first; the stop comes in the middle of others.
        while ann.pipeline(&id).await["recordCount"].as_f64().unwrap() < 40.0 {}
        stopping.store(true, Ordering::SeqCst);
        let restarted = tokio::time::timeout(Duration::from_secs(20), app.restart()).await;
        restarted.expect("it stops in time")
    };
    let senders = futures_util::future::join_all((0..4).map(sender));
    let (acknowledged, app) = tokio::join!(senders, stop);
    let mut stored: Vec<_> = ann
        .at(&app.url)
        .all_records(&id)
        .await
        .iter()
        .map(|record| record["fields"]["key"].as_str().unwrap().to_owned())
        .collect();
    stored.sort();
    let count = stored.len();
    stored.dedup();
    assert_eq!(stored.len(), count, "nothing is there twice");
    for key in acknowledged.concat() {
        assert!(
            stored.binary_search(&key).is_ok(),
            "{key} was acknowledged and is lost"
        );
    }
}

#[tokio::test]
async fn a_stop_ends_open_websockets() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, _) = ann.new_webhook("Orders").await;
    let mut live = Live::connect(&ann).await;
    let query = "subscription ($id: ID!) { pipelineRecords(pipelineId: $id) { cursor } }";
    live.subscribe(query, json!({ "id": id })).await;
    let stop = tokio::time::timeout(Duration::from_secs(10), app.stop());
    let (stopped, code) = tokio::join!(stop, live.closed());
    assert!(stopped.is_ok());
    assert_eq!(code, Some(1001));
}
