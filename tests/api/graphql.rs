//! What holds for the API as a whole: pages, limits, media types, origins, documentation, and what
//! independent clients say.

use std::path::Path;
use std::process::Stdio;

use dash_tests::client::Answer;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};
use tokio::process::Command;

#[tokio::test]
async fn every_list_can_be_paged_to_its_end() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("First").await;
    for n in 0..6 {
        ann.post(&url, &json!({ "n": n })).await;
        ann.new_webhook(&format!("Pipeline {n}")).await;
        ann.done(
            "createDashboard",
            "dashboard { id }",
            json!({ "name": format!("{n}") }),
        )
        .await;
    }
    let page = "totalCount edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage \
                startCursor endCursor }";
    let args = "first: $first, after: $after";
    for (path, query, total) in [
        ("/pipelines", format!("pipelines({args}) {{ {page} }}"), 7),
        ("/dashboards", format!("dashboards({args}) {{ {page} }}"), 6),
        (
            "/pipeline/records",
            format!("pipeline(id: \"{id}\") {{ records({args}) {{ {page} }} }}"),
            6,
        ),
        (
            "/pipeline/runs",
            format!("pipeline(id: \"{id}\") {{ runs({args}) {{ {page} }} }}"),
            6,
        ),
    ] {
        let query = format!("query ($first: Int, $after: String) {{ {query} }}");
        let whole = ann.data(&query, json!({})).await;
        let whole = whole.pointer(path).unwrap().clone();
        assert_eq!(whole["totalCount"], total, "{path}");
        let all = whole["nodes"].as_array().unwrap().clone();
        assert_eq!(all.len(), total);
        assert_eq!(whole["pageInfo"]["hasNextPage"], false);
        for first in [1, 2, 3, total - 1, total, 100] {
            let (mut found, mut after) = (Vec::new(), Value::Null);
            loop {
                let data = ann
                    .data(&query, json!({ "first": first, "after": after }))
                    .await;
                let part = data.pointer(path).unwrap();
                let edges = part["edges"].as_array().unwrap();
                assert!(!edges.is_empty() && edges.len() <= first);
                let nodes: Vec<_> = edges.iter().map(|edge| edge["node"].clone()).collect();
                assert_eq!(json!(nodes), part["nodes"]);
                let info = &part["pageInfo"];
                assert_eq!(info["hasPreviousPage"], !found.is_empty());
                assert_eq!(info["startCursor"], edges[0]["cursor"]);
                assert_eq!(info["endCursor"], edges[edges.len() - 1]["cursor"]);
                found.extend(nodes);
                if info["hasNextPage"] == false {
                    break;
                }
                after = info["endCursor"].clone();
            }
            assert_eq!(found, all, "{path} by {first}");
        }
        for first in [0, -1, 101] {
            let code = ann.error_code(&query, json!({ "first": first })).await;
            assert_eq!(code, "BAD_USER_INPUT", "{path} {first}");
        }
        for after in ["", "nonsense", "dsh_1", "\u{0}"] {
            let code = ann.error_code(&query, json!({ "after": after })).await;
            assert_eq!(code, "BAD_USER_INPUT", "{path} {after}");
        }
    }
}

#[tokio::test]
async fn an_empty_list_is_an_empty_page() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let query = "{ pipelines { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor \
                 endCursor } } }";
    let page = ann.data(query, json!({})).await["pipelines"].clone();
    let info = json!({ "hasNextPage": false, "hasPreviousPage": false, "startCursor": null, "endCursor": null });
    assert_eq!(
        page,
        json!({ "totalCount": 0, "nodes": [], "pageInfo": info })
    );
}

#[tokio::test]
async fn any_object_is_found_by_its_id() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (pipeline, url) = ann.new_webhook("Orders").await;
    ann.post(&url, &json!({})).await;
    let query =
        "query ($id: ID!) { node(id: $id) { __typename id ... on Pipeline { lastRun { id } } } }";
    let found = ann.data(query, json!({ "id": pipeline })).await["node"].clone();
    assert_eq!(
        (&found["__typename"], &found["id"]),
        (&json!("Pipeline"), &json!(pipeline))
    );
    let run = found["lastRun"]["id"].clone();
    assert_eq!(
        ann.data(query, json!({ "id": run })).await["node"]["__typename"],
        "Run"
    );
    let record = json!(format!("{pipeline}.1"));
    let found = ann.data(query, json!({ "id": record })).await["node"].clone();
    assert_eq!(found, json!({ "__typename": "Record", "id": record }));
    let another = json!({ "id": format!("{pipeline}.2") });
    assert_eq!(ann.data(query, another).await["node"], json!(null));
    let bob = app.owner("bob").await;
    assert_eq!(
        bob.data(query, json!({ "id": record })).await["node"],
        json!(null)
    );
}

#[tokio::test]
async fn requests_that_cost_too_much_are_refused() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let check = async |query: String, says: &str| {
        let answer = ann.send(&query, json!({})).await;
        let error = &answer.json["errors"][0];
        assert_eq!(
            error["extensions"]["code"], "BAD_USER_INPUT",
            "{}",
            answer.text
        );
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
    };
    let nested =
        "{ pipelines(first: 100) { nodes { records(first: 100) { nodes { id fields } } } } }";
    check(nested.to_owned(), "too complex").await;
    let many: Vec<_> = (0..300)
        .map(|n| format!("a{n}: pipelines(first: 100) {{ nodes {{ id }} }} "))
        .collect();
    check(format!("{{ {} }}", many.concat()), "too complex").await;
    let deep = format!(
        "{{ __schema {{ types {{ {} }} }} }}",
        (0..20).fold("name".to_owned(), |inner, _| format!(
            "ofType {{ {inner} }}"
        ))
    );
    check(deep, "nest").await;
    check(
        format!("{{ viewer {{ {} }} }}", "[".repeat(40)),
        "nested more than 32",
    )
    .await;
    check(
        format!("{{ __typename }} #{}", "x".repeat(65_536)),
        "longer than 65536 bytes",
    )
    .await;
    let doubled: Vec<_> = (0..20)
        .map(|n| format!("fragment f{n} on Query {{ ...f{0} ...f{0} }} ", n + 1))
        .collect();
    check(
        format!(
            "{{ ...f0 }} {} fragment f20 on Query {{ __typename }}",
            doubled.concat()
        ),
        "selects more than 5000",
    )
    .await;
    check(
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".to_owned(),
        "",
    )
    .await;
    let directives = " @include(if: true)".repeat(11);
    check(format!("{{ __typename{directives} }}"), "directives").await;
    assert_eq!(
        ann.data("{ __typename }", json!({})).await["__typename"],
        "Query"
    );
}

#[tokio::test]
async fn a_body_over_a_megabyte_is_refused() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let answer = ann
        .send("{ __typename }", json!({ "x": "x".repeat(1024 * 1024) }))
        .await;
    assert_eq!(answer.status, 413);
    assert_eq!(
        answer.json["errors"][0]["extensions"]["code"],
        "BAD_USER_INPUT"
    );
}

#[tokio::test]
async fn mistakes_in_a_request_have_a_code() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    for (query, variables) in [
        ("", json!({})),
        ("{", json!({})),
        ("{ nothing }", json!({})),
        ("{ pipelines { nodes } }", json!({})),
        ("query ($id: ID!) { pipeline(id: $id) { id } }", json!({})),
        (
            "query ($first: Int) { pipelines(first: $first) { totalCount } }",
            json!({ "first": "x" }),
        ),
        (
            "mutation { createPipeline(input: {name: \"a\", source: {}}) { pipeline { id } } }",
            json!({}),
        ),
        (
            "mutation { createPipeline(input: {name: \"a\", source: {webhook: {}, demo: {}}}) { pipeline { id } } }",
            json!({}),
        ),
        ("query a { __typename } query b { __typename }", json!({})),
        (
            "subscription { pipelineRuns(pipelineId: \"a\") { id } }",
            json!({}),
        ),
    ] {
        assert_eq!(
            ann.error_code(query, variables).await,
            "BAD_USER_INPUT",
            "{query}"
        );
    }
}

async fn answered(request: reqwest::RequestBuilder) -> Answer {
    Answer::read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn another_sites_page_can_send_nothing_with_a_session() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let url = format!("{}/graphql", app.url);
    let query = json!({ "query": "mutation { createDashboard(input: {name: \"Evil\"}) { userErrors { code } } }" });
    let post = || {
        ann.http()
            .post(&url)
            .header("cookie", ann.cookie().unwrap())
    };
    // What a form or a simple request can send without asking first.
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let request = post()
            .header("content-type", content_type)
            .body(query.to_string());
        assert_eq!(answered(request).await.status, 415, "{content_type}");
    }
    assert_eq!(answered(post().body(query.to_string())).await.status, 415);
    for origin in ["https://evil.test", "null", "http://127.0.0.1.evil.test"] {
        let answer = answered(post().header("origin", origin).json(&query)).await;
        assert_eq!(answer.status, 403, "{origin}");
        assert_eq!(answer.json["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
    let cross_site = post().header("sec-fetch-site", "cross-site").json(&query);
    assert_eq!(answered(cross_site).await.status, 403);
    let preflight = ann
        .http()
        .request("OPTIONS".parse().unwrap(), &url)
        .header("origin", "https://evil.test")
        .header("access-control-request-method", "POST");
    let preflight = answered(preflight).await;
    assert_eq!(preflight.header("access-control-allow-origin"), "");
    assert!(!preflight.status.is_success());
    let count = ann.data("{ dashboards { totalCount } }", json!({})).await;
    assert_eq!(count["dashboards"]["totalCount"], 0);
    assert_eq!(
        answered(post().header("origin", &app.url).json(&query))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_get_reads_and_never_changes() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let get = async |query: &str| {
        let mut url = reqwest::Url::parse(&format!("{}/graphql", app.url)).unwrap();
        url.query_pairs_mut().append_pair("query", query);
        answered(ann.http().get(url).header("cookie", ann.cookie().unwrap())).await
    };
    let read = get("{ viewer { user { email } } }").await;
    assert_eq!(
        read.json,
        json!({"data": {"viewer": {"user": {"email": "ann@corp.test"}}}})
    );
    assert_eq!(read.header("cache-control"), "no-store");
    let change =
        get("mutation { createDashboard(input: {name: \"a\"}) { userErrors { code } } }").await;
    assert_eq!(change.status, 405);
    let hidden = get("query a { __typename } mutation b { logOut { userErrors { code } } }").await;
    assert_eq!(hidden.json["data"], Value::Null);
    assert_ne!(
        ann.data("{ viewer { role } }", json!({})).await["viewer"],
        Value::Null
    );
}

#[tokio::test]
async fn without_an_explorer_a_browser_is_answered_like_a_program() {
    let app = TestApp::start().await;
    let client = app.anonymous();
    let request = client
        .http()
        .get(format!("{}/graphql", app.url))
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let answer = answered(request).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json["errors"][0]["extensions"]["code"],
        "BAD_USER_INPUT"
    );
}

#[test]
fn the_checked_in_schema_is_the_one_that_is_served() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema.graphql");
    let checked_in = std::fs::read_to_string(file).unwrap();
    let served = dash_api::graphql::sdl();
    for (number, (checked_in, served)) in (1..).zip(checked_in.lines().zip(served.lines())) {
        assert_eq!(
            checked_in, served,
            "line {number}: run `cargo xtask schema`"
        );
    }
    assert_eq!(checked_in, served, "run `cargo xtask schema`");
}

#[tokio::test]
async fn every_type_field_argument_and_value_is_documented() {
    let app = TestApp::start().await;
    let query = "{ __schema { types { name description fields(includeDeprecated: true) { name description args { name \
                 description } } inputFields { name description } enumValues(includeDeprecated: true) { name description } } } }";
    let schema = app.anonymous().data(query, json!({})).await;
    let mut undocumented = Vec::new();
    let mut check = |path: String, thing: &Value| {
        if thing["description"]
            .as_str()
            .is_none_or(|text| text.trim().len() < 5)
        {
            undocumented.push(path);
        }
    };
    let list = |thing: &Value, key: &str| thing[key].as_array().cloned().unwrap_or_default();
    let mut count = 0;
    for of in list(&schema["__schema"], "types") {
        let name = of["name"].as_str().unwrap().to_owned();
        let built_in = ["Boolean", "Float", "ID", "Int", "String"];
        if name.starts_with("__") || built_in.contains(&name.as_str()) {
            continue;
        }
        count += 1;
        check(name.clone(), &of);
        for key in ["fields", "inputFields", "enumValues"] {
            for field in list(&of, key) {
                let path = format!("{name}.{}", field["name"].as_str().unwrap());
                check(path.clone(), &field);
                for argument in list(&field, "args") {
                    check(
                        format!("{path}({})", argument["name"].as_str().unwrap()),
                        &argument,
                    );
                }
            }
        }
    }
    assert!(count > 80, "{count}");
    assert_eq!(undocumented, Vec::<String>::new());
}

/// Runs one of the scripts beside this file; returns what it printed.
pub async fn node(script: &str, arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("api")
        .join(script);
    let done = Command::new("node")
        .arg(script)
        .args(arguments)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    let done = done.await.expect("node is installed");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{errors}");
    String::from_utf8(done.stdout).unwrap()
}

#[tokio::test]
async fn the_audits_of_graphql_over_http_pass() {
    let app = TestApp::start().await;
    let printed = node("graphql-audit.mjs", &[&format!("{}/graphql", app.url)]).await;
    let audits: Vec<Value> = serde_json::from_str(&printed).unwrap();
    assert_eq!(audits.len(), 61);
    let failed: Vec<_> = audits
        .iter()
        .filter(|audit| audit["status"] != "ok")
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

async fn follow_with_npm(ann: &Client, pipeline: &str, count: usize) -> Vec<Value> {
    let url = format!("{}/graphql/ws", ann.url().replacen("http", "ws", 1));
    let arguments = [&url, &ann.cookie().unwrap(), pipeline, &count.to_string()];
    let printed = node("graphql-ws.mjs", &arguments).await;
    printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn the_websocket_client_that_everybody_uses_follows_records() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    ann.post(&url, &json!([{"n": 1}, {"n": 2}])).await;
    let post = async {
        for n in 3..=20 {
            ann.post(&url, &json!({ "n": n })).await;
        }
    };
    let (mut printed, ()) = tokio::join!(follow_with_npm(&ann, &id, 20), post);
    assert_eq!(
        printed.pop(),
        Some(json!({"viewer": {"user": {"email": "ann@corp.test"}}}))
    );
    let expected: Vec<_> = (1..=20).map(|n| json!({ "n": n })).collect();
    assert_eq!(printed, expected);
}
