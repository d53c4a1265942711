//! What a polled source is asked with, and what of its answers is taken in: methods, who asks, pages,
//! formats, cursors, what has not changed, and servers that want to be left alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dash_shared::timestamps::parse_ms;
use dash_tests::app::START_MS;
use dash_tests::upstream::{Reply, Request, Upstream};
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

const MINUTE_MS: i64 = 60_000;

/// A Dash, somebody there, and a pipeline that polls `upstream` with more than an address.
async fn polled(upstream: &Upstream, more: Value) -> (TestApp, Client, String) {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let id = new_polled(&ann, upstream, more).await;
    (app, ann, id)
}

fn source(upstream: &Upstream, more: Value) -> Value {
    let mut source = json!({ "url": format!("{}/feed", upstream.url), "intervalSeconds": 60 });
    for (name, value) in more.as_object().unwrap() {
        source[name] = value.clone();
    }
    source
}

async fn new_polled(ann: &Client, upstream: &Upstream, more: Value) -> String {
    let source = json!({ "httpPolling": source(upstream, more) });
    ann.new_pipeline(json!({ "name": "Feed", "source": source }))
        .await
        .0
}

/// The numbers `n` of all stored records.
async fn numbers(ann: &Client, id: &str) -> Vec<i64> {
    let records = ann.all_records(id).await;
    records
        .iter()
        .map(|record| record["fields"]["n"].as_i64().unwrap())
        .collect()
}

fn rows(from: usize, to: usize) -> Vec<Value> {
    (from..to).map(|n| json!({ "n": n })).collect()
}

async fn last_error(ann: &Client, id: &str) -> (String, String) {
    let error = ann.runs(id).await[0]["error"].clone();
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("message"))
}

#[tokio::test]
async fn whoever_asks_is_known_by_what_was_entered() {
    let upstream = Upstream::start(Reply::Json(json!([{"n": 1}]))).await;
    let (app, ann, _) = polled(&upstream, json!({})).await;
    let check = async |auth: Value, expected: fn(&Request) -> bool| {
        new_polled(&ann, &upstream, json!({ "auth": auth })).await;
        app.run_due_jobs().await;
        let requests = upstream.requests();
        let request = requests.last().unwrap();
        assert!(expected(request), "{request:?}");
    };
    check(
        json!({ "kind": "BASIC", "userName": "ann", "secret": "sword:fish" }),
        |r| r.header("authorization") == "Basic YW5uOnN3b3JkOmZpc2g=",
    )
    .await;
    check(json!({ "kind": "BEARER", "secret": "swordfish" }), |r| {
        r.header("authorization") == "Bearer swordfish"
    })
    .await;
    check(
        json!({ "kind": "API_KEY", "name": "X-Key", "secret": "swordfish" }),
        |r| r.header("x-key") == "swordfish",
    )
    .await;
    check(
        json!({ "kind": "API_KEY", "place": "QUERY", "name": "key", "secret": "sword fish" }),
        |r| r.query("key") == "sword fish",
    )
    .await;
    let stored = app.everything_stored().await;
    let secret = b"swordfish";
    let found = stored.windows(secret.len()).any(|bytes| bytes == secret);
    assert!(!found, "a secret is stored as it is");
}

#[tokio::test]
async fn a_secret_is_kept_for_its_host_and_kind_alone() {
    let upstream = Upstream::start(Reply::Json(json!([{"n": 1}]))).await;
    let elsewhere = Upstream::start(Reply::Json(json!([{"n": 1}]))).await;
    let auth = json!({ "kind": "BEARER", "secret": "swordfish" });
    let (app, ann, id) = polled(&upstream, json!({ "auth": auth })).await;
    let change = async |source: Value| {
        let change = json!({ "id": id, "source": { "httpPolling": source } });
        ann.mutate("updatePipeline", "pipeline { id }", change)
            .await["userErrors"]
            .clone()
    };
    let kept = json!({ "auth": { "kind": "BEARER" } });
    assert_eq!(change(source(&upstream, kept.clone())).await, json!([]));
    app.clock.advance_ms(1);
    app.run_due_jobs().await;
    assert_eq!(
        upstream.requests()[0].header("authorization"),
        "Bearer swordfish"
    );
    for source in [
        source(&elsewhere, kept),
        source(
            &upstream,
            json!({ "auth": { "kind": "API_KEY", "name": "X-Key" } }),
        ),
        source(
            &upstream,
            json!({ "auth": { "kind": "OAUTH2", "clientId": "a", "tokenUrl": elsewhere.url } }),
        ),
    ] {
        let errors = change(source).await;
        let field = json!(["source", "httpPolling", "auth", "secret"]);
        assert_eq!(
            (&errors[0]["field"], &errors[0]["code"]),
            (&field, &json!("REQUIRED"))
        );
    }
    let query = "query ($id: ID!) { pipeline(id: $id) { source { ... on HttpPollingSource { auth { \
                 kind userName } } } } }";
    let shown = ann.data(query, json!({ "id": id })).await;
    let expected = json!({ "kind": "BEARER", "userName": null });
    assert_eq!(shown["pipeline"]["source"]["auth"], expected);
}

#[tokio::test]
async fn a_client_gets_itself_a_token_and_a_new_one_when_that_is_refused() {
    let upstream = Upstream::start(Reply::status(404)).await;
    let given = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&given);
    upstream.reply_at(
        "/token",
        Reply::to(move |request| {
            assert_eq!(request.method, "POST");
            assert_eq!(
                request.header("authorization"),
                "Basic ZGFzaDpzd29yZGZpc2g="
            );
            assert_eq!(
                request.body,
                "grant_type=client_credentials&scope=read+all&audience=shop"
            );
            let number = counter.fetch_add(1, Ordering::Relaxed) + 1;
            let token = json!({ "access_token": format!("t{number}"), "expires_in": 3_600 });
            Reply::Json(token)
        }),
    );
    let valid = |token: &'static str| {
        Reply::to(move |request| {
            if request.header("authorization") == token {
                Reply::Json(json!([{"n": 1}]))
            } else {
                Reply::status(401)
            }
        })
    };
    upstream.reply_at("/feed", valid("Bearer t1"));
    let auth = json!({
        "kind": "OAUTH2", "tokenUrl": format!("{}/token", upstream.url), "clientId": "dash",
        "secret": "swordfish", "scope": "read all", "audience": "shop",
    });
    let (app, ann, id) = polled(&upstream, json!({ "auth": auth })).await;
    app.run_due_jobs().await;
    app.pass(MINUTE_MS).await;
    assert_eq!(given.load(Ordering::Relaxed), 1, "the token is used again");
    // A minute before it expires it is used no more.
    upstream.reply_at("/feed", valid("Bearer t2"));
    app.pass(3_540_000).await;
    assert_eq!(given.load(Ordering::Relaxed), 2);
    // One that is refused is replaced once.
    upstream.reply_at("/feed", valid("Bearer t3"));
    app.pass(MINUTE_MS).await;
    assert_eq!(given.load(Ordering::Relaxed), 3);
    assert_eq!(ann.pipeline(&id).await["recordCount"], 4.0);
    upstream.reply_at("/feed", Reply::status(401));
    app.pass(MINUTE_MS).await;
    assert_eq!(given.load(Ordering::Relaxed), 4);
    assert_eq!(last_error(&ann, &id).await.0, "BAD_STATUS");

    let refused = json!({ "error": "invalid_client" }).to_string();
    upstream.reply_at("/token", Reply::With(401, Vec::new(), refused));
    app.pass(20 * MINUTE_MS).await;
    let (code, message) = last_error(&ann, &id).await;
    assert_eq!(code, "NO_TOKEN");
    assert!(
        message.contains("(invalid_client). Check the client's id"),
        "{message}"
    );
    assert!(!message.contains("swordfish"));
}

#[tokio::test]
async fn a_post_sends_its_body_and_a_query_is_added() {
    let upstream = Upstream::start(Reply::Json(json!([{"n": 1}]))).await;
    let more = json!({
        "method": "POST",
        "body": { "contentType": "application/json", "text": "{\"since\": \"{{cursor}}\"}" },
        "query": [{ "name": "q", "value": "a b&c" }, { "name": "q", "value": "d" }],
        "cursor": { "path": "n", "initial": "a\"b" },
    });
    let (app, _ann, _id) = polled(&upstream, more).await;
    app.run_due_jobs().await;
    app.pass(MINUTE_MS).await;
    let requests = upstream.requests();
    assert_eq!(
        (requests[0].method.as_str(), requests[0].uri.as_str()),
        ("POST", "/feed?q=a+b%26c&q=d")
    );
    assert_eq!(requests[0].header("content-type"), "application/json");
    assert_eq!(requests[0].body, "{\"since\": \"a\\\"b\"}");
    assert_eq!(requests[1].body, "{\"since\": \"1\"}");
}

/// Five pages of two records, and half a one.
fn page(number: usize) -> Vec<Value> {
    rows((number * 2).min(11), (number * 2 + 2).min(11))
}

#[tokio::test]
async fn all_pages_are_read_however_they_are_found() {
    let check = async |pagination: Value, path: &str, reply: Reply, requests: usize| {
        let upstream = Upstream::start(reply).await;
        let more = json!({ "pagination": pagination, "recordsPath": path });
        let (app, ann, id) = polled(&upstream, more).await;
        app.run_due_jobs().await;
        let runs = ann.runs(&id).await;
        assert_eq!(runs[0]["error"], Value::Null, "{pagination}");
        assert_eq!(
            numbers(&ann, &id).await,
            (0..11).collect::<Vec<_>>(),
            "{pagination}"
        );
        assert_eq!(
            (runs.len(), upstream.requests().len()),
            (1, requests),
            "{pagination}"
        );
    };
    let number = |request: &Request, name: &str| request.query(name).parse::<usize>().unwrap();
    let by_number =
        || Reply::to(move |r| Reply::Json(json!({ "rows": page(number(r, "page") - 1) })));
    let counted = json!({ "kind": "PAGE", "parameter": "page" });
    check(counted.clone(), "$.rows", by_number(), 7).await;
    let mut sized = counted.clone();
    (sized["size"], sized["sizeParameter"]) = (json!(2), json!("per_page"));
    check(sized, "$.rows", by_number(), 6).await;
    // Some servers say that there is no such page.
    let ending = Reply::to(move |r| match page(number(r, "page") - 1) {
        none if none.is_empty() => Reply::status(404),
        some => Reply::Json(json!(some)),
    });
    check(counted, "$", ending, 7).await;
    let offset = json!({ "kind": "OFFSET", "parameter": "skip", "size": 2 });
    let by_offset = Reply::to(move |r| Reply::Json(json!(page(number(r, "skip") / 2))));
    check(offset, "$", by_offset, 6).await;
    let cursor = json!({ "kind": "CURSOR", "parameter": "after", "path": "$.meta.next" });
    let by_cursor = Reply::to(move |r| {
        let at: usize = r
            .query("after")
            .trim_start_matches('c')
            .parse()
            .unwrap_or(0);
        let next = (at < 5).then(|| format!("c{}", at + 1));
        Reply::Json(json!({ "rows": page(at), "meta": { "next": next } }))
    });
    check(cursor, "$.rows", by_cursor, 6).await;
    let by_link = Reply::to(move |r| {
        let at: usize = r.query("p").parse().unwrap_or(0);
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if at < 5 {
            let link = format!(
                "</feed?p=0>; rel=\"first\", </feed?p={}>; rel=\"next\"",
                at + 1
            );
            headers.push(("link", link));
        }
        Reply::With(200, headers, json!(page(at)).to_string())
    });
    check(json!({ "kind": "LINK" }), "$", by_link, 6).await;
    let next_url = json!({ "kind": "NEXT_URL", "path": "$.next" });
    let by_url = Reply::to(move |r| {
        let at: usize = r.query("p").parse().unwrap_or(0);
        let next = (at < 5).then(|| format!("/feed?p={}", at + 1));
        Reply::Json(json!({ "rows": page(at), "next": next }))
    });
    check(next_url, "$.rows", by_url, 6).await;
}

#[tokio::test]
async fn pages_that_never_end_are_ended() {
    let check = async |pagination: Value, reply: Reply, stored: f64, requests: usize| {
        let upstream = Upstream::start(reply).await;
        let more = json!({ "pagination": pagination, "recordsPath": "$.rows", "maxPages": 7 });
        let (app, ann, id) = polled(&upstream, more).await;
        app.run_due_jobs().await;
        assert_eq!(
            ann.pipeline(&id).await["recordCount"],
            stored,
            "{pagination}"
        );
        assert_eq!(upstream.requests().len(), requests, "{pagination}");
    };
    let same = |next: &str| Reply::Json(json!({ "rows": rows(0, 2), "next": next }));
    let counted = json!({ "kind": "PAGE", "parameter": "page" });
    let cursor = json!({ "kind": "CURSOR", "parameter": "after", "path": "$.next" });
    let next_url = json!({ "kind": "NEXT_URL", "path": "$.next" });
    // A server that does not look at the number answers the same again.
    check(counted.clone(), same(""), 2.0, 2).await;
    check(cursor, same("c"), 4.0, 2).await;
    check(next_url, same("/feed"), 2.0, 1).await;
    let endless = Reply::to(|r| {
        let n: usize = r.query("page").parse().unwrap();
        Reply::Json(json!({ "rows": rows(n, n + 1) }))
    });
    check(counted, endless, 7.0, 7).await;
}

#[tokio::test]
async fn secrets_do_not_follow_a_page_to_another_host_nor_inside() {
    let elsewhere = Upstream::start(Reply::Json(json!({ "rows": rows(1, 2) }))).await;
    let upstream = Upstream::start(Reply::Json(Value::Null)).await;
    let lead_to = |next: &str| {
        upstream.reply_with(Reply::Json(json!({ "rows": rows(0, 1), "next": next })));
    };
    lead_to(&format!("{}/more", elsewhere.url));
    let more = json!({
        "pagination": { "kind": "NEXT_URL", "path": "$.next" }, "recordsPath": "$.rows",
        "headers": [{ "name": "X-Key", "value": "swordfish" }],
        "auth": { "kind": "BEARER", "secret": "swordfish" },
    });
    let (app, ann, id) = polled(&upstream, more).await;
    app.run_due_jobs().await;
    assert_eq!(numbers(&ann, &id).await, [0, 1]);
    let request = &elsewhere.requests()[0];
    assert_eq!(
        (request.header("x-key"), request.header("authorization")),
        ("", "")
    );
    lead_to("http://169.254.169.254/latest/meta-data");
    app.pass(MINUTE_MS).await;
    assert_eq!(last_error(&ann, &id).await.0, "FORBIDDEN_TARGET");
    assert_eq!(numbers(&ann, &id).await, [0, 1], "half a run is not stored");
}

#[tokio::test]
async fn lines_of_json_and_formats_that_are_chosen_are_read() {
    let check =
        async |format: &str, content_type: &str, body: &str, expected: Result<&[i64], &str>| {
            let headers = vec![("content-type", content_type.to_owned())];
            let upstream = Upstream::start(Reply::With(200, headers, body.to_owned())).await;
            let (app, ann, id) = polled(&upstream, json!({ "format": format })).await;
            app.run_due_jobs().await;
            match expected {
                Ok(expected) => assert_eq!(numbers(&ann, &id).await, expected, "{format} {body}"),
                Err(code) => assert_eq!(last_error(&ann, &id).await.0, code, "{format} {body}"),
            }
        };
    let lines = "{\"n\": 1}\n{\"n\": 2}\n";
    check("AUTO", "application/x-ndjson", lines, Ok(&[1, 2])).await;
    check("NDJSON", "text/html", lines, Ok(&[1, 2])).await;
    check("NDJSON", "text/plain", "{\"n\": 1}\nnot", Err("NOT_JSON")).await;
    check("CSV", "application/json", "n;m\n1;2\n3;4", Ok(&[1, 3])).await;
    check("JSON", "text/csv", "[{\"n\": 5}]", Ok(&[5])).await;
    check("JSON", "text/csv", "n\n5", Err("NOT_JSON")).await;
}

/// A feed of ten records that answers what comes after `since`.
fn growing() -> Reply {
    Reply::to(|request| {
        let since: usize = request.query("since").parse().unwrap_or(0);
        Reply::Json(json!(rows(since + 1, (since + 4).min(11))))
    })
}

#[tokio::test]
async fn a_run_goes_on_where_the_one_before_ended() {
    let upstream = Upstream::start(growing()).await;
    let more = json!({
        "query": [{ "name": "since", "value": "{{cursor}}" }], "cursor": { "path": "n" },
    });
    let (app, ann, id) = polled(&upstream, more).await;
    app.run_due_jobs().await;
    for _ in 0..4 {
        app.pass(MINUTE_MS).await;
    }
    assert_eq!(numbers(&ann, &id).await, (1..=10).collect::<Vec<_>>());
    let asked: Vec<_> = upstream
        .requests()
        .into_iter()
        .map(|request| request.uri)
        .collect();
    let expected = [
        "/feed",
        "/feed?since=3",
        "/feed?since=6",
        "/feed?since=9",
        "/feed?since=10",
    ];
    assert_eq!(asked, expected);
    assert_eq!(ann.pipeline(&id).await["cursor"], "10");

    // It is begun anew, at a value or at the beginning.
    for (cursor, uri) in [(json!("7"), "/feed?since=7"), (Value::Null, "/feed")] {
        let input = json!({ "id": id, "cursor": cursor });
        let reset = ann
            .done("resetPollCursor", "pipeline { cursor }", input)
            .await;
        assert_eq!(reset["pipeline"]["cursor"], cursor);
        app.pass(MINUTE_MS).await;
        assert_eq!(upstream.requests().last().unwrap().uri, uri);
    }
    let errors = ann
        .user_errors("resetPollCursor", json!({ "id": id, "cursor": "a\nb" }))
        .await;
    assert_eq!(errors, ["cursor INVALID"]);
    let (webhook, _) = ann.new_webhook("Orders").await;
    let errors = ann
        .user_errors("resetPollCursor", json!({ "id": webhook }))
        .await;
    assert_eq!(errors, ["id INVALID"]);
}

#[tokio::test]
async fn a_cursor_is_never_ahead_of_the_records() {
    let upstream = Upstream::start(growing()).await;
    let more = json!({
        "query": [{ "name": "since", "value": "{{cursor}}" }], "cursor": { "path": "n" },
    });
    let (app, ann, id) = polled(&upstream, more).await;
    // It polls and stores, and dies before it can say so: the heir asks for what comes next, under
    // the name of a run that is there, and takes nothing in.
    let [dead] = &app.app.jobs.claim(10).await.unwrap()[..] else {
        panic!("one job is due")
    };
    app.app.pipelines.run_job(dead).await;
    app.clock.advance_ms(dash_api::jobs::LEASE_MS + 1);
    assert_eq!(app.run_due_jobs().await, 1);
    assert_eq!(numbers(&ann, &id).await, [1, 2, 3]);
    assert_eq!(ann.pipeline(&id).await["cursor"], "3");
    app.pass(MINUTE_MS).await;
    assert_eq!(numbers(&ann, &id).await, [1, 2, 3, 4, 5, 6]);
    // What cannot be stored moves nothing.
    let broken = json!([{ "n": 99 }, { "n": 98 }]);
    upstream.reply_with(Reply::Json(json!({ "rows": broken })));
    let change = source(
        &upstream,
        json!({
            "query": [{ "name": "since", "value": "{{cursor}}" }],
            "cursor": { "path": "none" }, "recordsPath": "$.rows",
        }),
    );
    let change = json!({ "id": id, "source": { "httpPolling": change } });
    ann.done("updatePipeline", "pipeline { id }", change).await;
    app.clock.advance_ms(1);
    app.run_due_jobs().await;
    let (code, message) = last_error(&ann, &id).await;
    assert_eq!(code, "NO_CURSOR");
    assert!(message.contains("“none”"), "{message}");
    assert_eq!(ann.pipeline(&id).await["cursor"], Value::Null);
}

#[tokio::test]
async fn a_reset_is_not_undone_by_a_poll_that_was_under_way() {
    let upstream = Upstream::start(growing()).await;
    let more = json!({
        "query": [{ "name": "since", "value": "{{cursor}}" }], "cursor": { "path": "n" },
    });
    let (app, ann, id) = polled(&upstream, more).await;
    app.run_due_jobs().await;
    let input = json!({ "id": id, "cursor": "1" });
    let reset = ann.done("resetPollCursor", "pipeline { id }", input.clone());
    upstream.reply_with(Reply::Late(
        std::time::Duration::from_millis(300),
        json!(rows(7, 9)),
    ));
    app.clock.advance_ms(MINUTE_MS);
    let polled = async {
        upstream.asked(2).await;
        reset.await;
    };
    tokio::join!(app.run_due_jobs(), polled);
    assert_eq!(ann.pipeline(&id).await["cursor"], "1");
    assert_eq!(ann.pipeline(&id).await["recordCount"], 5.0);
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let upstream = Upstream::start(Reply::to(|request| {
        let same = request.header("if-none-match") == "\"v1\""
            && request.header("if-modified-since") == "Sun, 22 Nov 2026 11:00:00 GMT";
        let headers = vec![
            ("etag", "\"v1\"".to_owned()),
            ("last-modified", "Sun, 22 Nov 2026 11:00:00 GMT".to_owned()),
            ("content-type", "application/json".to_owned()),
        ];
        if same {
            Reply::With(304, headers, String::new())
        } else {
            Reply::With(200, headers, json!(rows(0, 2)).to_string())
        }
    }))
    .await;
    let (app, ann, id) = polled(&upstream, json!({})).await;
    app.run_due_jobs().await;
    app.pass(MINUTE_MS).await;
    app.pass(MINUTE_MS).await;
    let pipeline = ann.pipeline(&id).await;
    assert_eq!(
        (&pipeline["recordCount"], &pipeline["state"]),
        (&json!(2.0), &json!("RUNNING"))
    );
    assert_eq!(ann.runs(&id).await.len(), 1, "nothing new is no run");
    let next_ms = parse_ms(&pipeline["nextRunAt"]).unwrap();
    assert_eq!(next_ms, START_MS + 3 * MINUTE_MS);
    // Who asks for a run sees one.
    ann.done("runPipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    app.pass(1).await;
    let run = &ann.runs(&id).await[0];
    assert_eq!(
        (&run["trigger"], &run["received"]),
        (&json!("MANUAL"), &json!(0))
    );
    // After a change everything is taken in again, as the new steps want it.
    let change = json!({ "id": id, "name": "Renamed" });
    ann.done("updatePipeline", "pipeline { id }", change).await;
    app.pass(MINUTE_MS).await;
    assert_eq!(ann.pipeline(&id).await["recordCount"], 4.0);
    assert_eq!(upstream.requests().len(), 5);
}

#[tokio::test]
async fn a_record_whose_key_is_stored_is_left_out() {
    let rows = |ids: &[Value]| {
        let rows = ids.iter().enumerate();
        Reply::Json(
            rows.map(|(n, id)| json!({ "n": n, "who": { "id": id } }))
                .collect(),
        )
    };
    let upstream = Upstream::start(rows(&[json!(1), json!("1"), json!(2), json!(1)])).await;
    let (app, ann, id) = polled(&upstream, json!({ "keyField": "who.id" })).await;
    app.run_due_jobs().await;
    assert_eq!(numbers(&ann, &id).await, [0, 1, 2]);
    // What has no key is always stored.
    upstream.reply_with(rows(&[json!(2), json!(3), Value::Null, Value::Null]));
    app.pass(MINUTE_MS).await;
    assert_eq!(numbers(&ann, &id).await, [0, 1, 2, 1, 2, 3]);
    let run = &ann.runs(&id).await[0];
    let counts = ["received", "stored", "duplicates"].map(|name| run[name].as_i64().unwrap());
    assert_eq!(counts, [4, 3, 1]);
}

#[tokio::test]
async fn what_may_pass_is_tried_again_within_the_run() {
    let upstream = Upstream::start(Reply::status(404)).await;
    let (app, ann, id) = polled(&upstream, json!({})).await;
    let check = async |failures: Vec<Reply>, asked: usize, state: &str| {
        let asked_before = upstream.requests().len();
        let turn = AtomicUsize::new(0);
        upstream.reply_with(Reply::to(move |_| {
            let turn = turn.fetch_add(1, Ordering::Relaxed);
            failures
                .get(turn)
                .cloned()
                .unwrap_or(Reply::Json(json!([{ "n": 1 }])))
        }));
        app.pass(20 * MINUTE_MS).await;
        assert_eq!(upstream.requests().len() - asked_before, asked, "{state}");
        assert_eq!(ann.runs(&id).await[0]["state"], state);
    };
    let limited =
        |after: &str| Reply::With(429, vec![("retry-after", after.to_owned())], String::new());
    check(
        vec![Reply::status(503), Reply::BreakOff, Reply::status(500)],
        4,
        "SUCCEEDED",
    )
    .await;
    check(vec![Reply::status(502); 4], 4, "FAILED").await;
    check(vec![limited("2")], 2, "SUCCEEDED").await;
    check(vec![limited("6")], 1, "FAILED").await;
    check(vec![Reply::status(501)], 1, "FAILED").await;
    check(vec![Reply::status(400)], 1, "FAILED").await;
}

#[tokio::test]
async fn a_server_that_wants_to_be_left_alone_is() {
    let upstream = Upstream::start(Reply::Json(json!([]))).await;
    let (app, ann, id) = polled(&upstream, json!({})).await;
    let check = async |status, after: &str, seconds: i64| {
        let headers = vec![("retry-after", after.to_owned())];
        upstream.reply_with(Reply::With(status, headers, String::new()));
        app.pass(86_400_000).await;
        let next_ms = parse_ms(&ann.pipeline(&id).await["nextRunAt"]).unwrap();
        assert_eq!(next_ms - app.clock.now_ms(), seconds * 1_000, "{after}");
        upstream.reply_with(Reply::Json(json!([])));
        app.pass(86_400_000).await;
    };
    check(429, "3600", 3_600).await;
    check(503, "7200", 7_200).await;
    // Not shorter than the pause after a failure, and not longer than a day.
    check(429, "30", 120).await;
    check(429, "999999999", 86_400).await;
    check(500, "3600", 120).await;
}

#[tokio::test]
async fn what_fails_for_too_long_is_paused_and_says_why() {
    let upstream = Upstream::start(Reply::status(410)).await;
    let (app, ann, id) = polled(&upstream, json!({})).await;
    app.run_due_jobs().await;
    for _ in 0..9 {
        assert_eq!(ann.pipeline(&id).await["state"], "FAILING");
        app.pass(16 * MINUTE_MS).await;
    }
    let pipeline = ann.pipeline(&id).await;
    assert_eq!(
        (&pipeline["state"], &pipeline["nextRunAt"]),
        (&json!("PAUSED"), &Value::Null)
    );
    let reason = pipeline["pausedReason"].as_str().unwrap();
    assert!(
        reason.contains("after 10 polls in a row had failed"),
        "{reason}"
    );
    assert!(
        reason.contains("status 410 Gone. Check the address."),
        "{reason}"
    );
    assert_eq!(app.pass(16 * MINUTE_MS).await, 0);

    // Resumed, it begins to count again; what may mend itself gets more time.
    upstream.reply_with(Reply::status(500));
    ann.done("resumePipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    assert_eq!(ann.pipeline(&id).await["pausedReason"], Value::Null);
    app.run_due_jobs().await;
    for _ in 0..18 {
        app.pass(16 * MINUTE_MS).await;
    }
    assert_eq!(ann.pipeline(&id).await["state"], "FAILING");
    app.pass(16 * MINUTE_MS).await;
    let pipeline = ann.pipeline(&id).await;
    assert_eq!(pipeline["state"], "PAUSED");
    assert!(
        pipeline["pausedReason"]
            .as_str()
            .unwrap()
            .contains("after 20 polls")
    );
    // Whoever pauses it needs no reason.
    upstream.reply_with(Reply::Json(json!([])));
    ann.done("resumePipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    ann.done("pausePipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    assert_eq!(ann.pipeline(&id).await["pausedReason"], Value::Null);
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_told_by_its_name() {
    let upstream = Upstream::start(Reply::Json(json!([]))).await;
    let headers = json!([{ "name": "X-Key", "value": "{{secrets.shop_key}}" }]);
    let (app, ann, id) = polled(&upstream, json!({ "headers": headers })).await;
    app.run_due_jobs().await;
    let (code, message) = last_error(&ann, &id).await;
    assert_eq!(code, "NO_SECRET");
    assert!(message.contains("“shop_key”"), "{message}");
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test]
async fn a_source_is_polled_at_the_times_of_a_cron_expression() {
    let upstream = Upstream::start(Reply::Json(json!([{ "n": 1 }]))).await;
    let cron = json!({ "expression": "0 9 * * 1-5", "timeZone": "Europe/Berlin" });
    let more = json!({ "intervalSeconds": null, "cron": cron });
    let (app, ann, id) = polled(&upstream, more).await;
    assert_eq!(
        app.run_due_jobs().await,
        1,
        "the first poll is made at once"
    );
    // It is a Sunday; at nine on Monday it is eight in UTC, and each pipeline is a little later.
    let monday_ms = START_MS + 20 * 3_600_000;
    for day in [0, 1, 2, 3, 4, 7] {
        let next_ms = parse_ms(&ann.pipeline(&id).await["nextRunAt"]).unwrap();
        let late_ms = next_ms - monday_ms - day * 86_400_000;
        assert!((0..20_000).contains(&late_ms), "{day}: {late_ms}");
        app.clock.advance_ms(next_ms - app.clock.now_ms());
        assert_eq!(app.run_due_jobs().await, 1);
    }
    let query = "query ($expression: String!) { cronTimes(expression: $expression, timeZone: \
                 \"Europe/Berlin\") { times problem } }";
    let times = async |expression: &str| {
        ann.data(query, json!({ "expression": expression })).await["cronTimes"].clone()
    };
    assert_eq!(
        times("0 9 * * 1-5").await["times"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let wrong = times("61 * * * *").await;
    assert!(
        wrong["problem"]
            .as_str()
            .unwrap()
            .starts_with("This is not a cron expression")
    );

    let check = async |cron: Value, expected: &[&str]| {
        let more = json!({ "intervalSeconds": null, "cron": cron });
        let source = json!({ "httpPolling": source(&upstream, more) });
        let input = json!({ "name": "Feed", "source": source });
        assert_eq!(ann.user_errors("createPipeline", input).await, expected);
    };
    let at = |field: &str| format!("source.httpPolling.cron.{field} INVALID");
    check(json!({ "expression": "0 0 31 2 *" }), &[&at("expression")]).await;
    check(json!({ "expression": "soon" }), &[&at("expression")]).await;
    let nowhere = json!({ "expression": "0 9 * * *", "timeZone": "Nowhere" });
    check(nowhere, &[&at("timeZone")]).await;
}

#[tokio::test]
async fn a_test_suggests_what_could_be_done_with_the_records() {
    let orders: Vec<_> = (1..=30)
        .map(|n| {
            json!({
                "id": n, "total": "19.90", "customer": { "country": "DE" },
                "updated_at": format!("2026-11-22T10:{n:02}:00Z"),
            })
        })
        .collect();
    let upstream = Upstream::start(Reply::to(move |request| {
        assert_eq!(request.query("page"), "1");
        Reply::Json(json!({ "orders": orders }))
    }))
    .await;
    let (_app, ann, _) = polled(&upstream, json!({})).await;
    let more = json!({
        "recordsPath": "", "pagination": { "kind": "PAGE", "parameter": "page" },
    });
    let selection = "result { recordsPath recordCount hasMorePages fields { path type } \
                     suggestedFields { from to cast } suggestedTimeField keyFieldCandidates \
                     cursorCandidates } error { message }";
    let input = json!({ "source": source(&upstream, more) });
    let tested = ann.done("testSource", selection, input).await;
    assert_eq!(
        tested["result"],
        json!({
            "recordsPath": "$.orders", "recordCount": 30, "hasMorePages": true,
            "fields": [
                { "path": "id", "type": "NUMBER" }, { "path": "total", "type": "NUMBER" },
                { "path": "customer.country", "type": "TEXT" },
                { "path": "updated_at", "type": "TIME" },
            ],
            "suggestedFields": [
                { "from": "id", "to": "id", "cast": "NUMBER" },
                { "from": "total", "to": "total", "cast": "NUMBER" },
                { "from": "customer.country", "to": "country", "cast": null },
                { "from": "updated_at", "to": "updated_at", "cast": "TIME" },
            ],
            "suggestedTimeField": "updated_at", "keyFieldCandidates": ["id"],
            "cursorCandidates": ["updated_at", "id"],
        })
    );
}

#[tokio::test]
async fn a_stored_source_is_tested_with_all_that_belongs_to_it() {
    let upstream = Upstream::start(Reply::Json(json!([{ "n": 1 }]))).await;
    let auth = json!({ "kind": "BEARER", "secret": "swordfish" });
    let (_app, ann, id) = polled(&upstream, json!({ "auth": auth })).await;
    let selection = "result { recordCount } error { code }";
    let tested = ann
        .done("testSource", selection, json!({ "pipelineId": id }))
        .await;
    assert_eq!(tested["result"]["recordCount"], 1);
    let sent = upstream.requests()[0].header("authorization").to_owned();
    assert_eq!(sent, "Bearer swordfish");
    let errors = ann.user_errors("testSource", json!({})).await;
    assert_eq!(errors, ["source REQUIRED"]);
    let (webhook, _) = ann.new_webhook("Orders").await;
    let errors = ann
        .user_errors("testSource", json!({ "pipelineId": webhook }))
        .await;
    assert_eq!(errors, ["id INVALID"]);
}

#[tokio::test]
async fn what_was_entered_is_shown_as_it_was_entered() {
    let upstream = Upstream::start(Reply::Json(json!([]))).await;
    let more = json!({
        "method": "POST", "body": { "contentType": "text/plain", "text": "since {{cursor}}" },
        "query": [{ "name": "a", "value": "b" }], "format": "NDJSON", "maxPages": 5,
        "auth": {
            "kind": "OAUTH2", "tokenUrl": "https://a.test/token", "clientId": "c",
            "secret": "s", "clientPlace": "BODY",
        },
        "pagination": { "kind": "CURSOR", "parameter": "after", "path": "$.next" },
        "cursor": { "place": "ANSWER", "path": "$.since", "pick": "LAST", "initial": "0" },
        "keyField": "id",
    });
    let (_app, ann, id) = polled(&upstream, more).await;
    let query = "query ($id: ID!) { pipeline(id: $id) { source { ... on HttpPollingSource { method \
                 body { contentType text } query { name value } format maxPages auth { kind tokenUrl \
                 clientId scope clientPlace } pagination { kind parameter path size } cursor { place \
                 path pick initial } keyField intervalSeconds cron { expression } } } } }";
    let shown = ann.data(query, json!({ "id": id })).await["pipeline"]["source"].clone();
    assert_eq!(
        shown,
        json!({
            "method": "POST", "body": { "contentType": "text/plain", "text": "since {{cursor}}" },
            "query": [{ "name": "a", "value": "b" }], "format": "NDJSON", "maxPages": 5,
            "auth": {
                "kind": "OAUTH2", "tokenUrl": "https://a.test/token", "clientId": "c",
                "scope": null, "clientPlace": "BODY",
            },
            "pagination": { "kind": "CURSOR", "parameter": "after", "path": "$.next", "size": null },
            "cursor": { "place": "ANSWER", "path": "$.since", "pick": "LAST", "initial": "0" },
            "keyField": "id", "intervalSeconds": 60, "cron": null,
        })
    );
}
