//! Files that are handed over to a pipeline: what becomes of them, and that nothing is stored twice.

use dash_tests::client::Answer;
use dash_tests::{Client, TestApp};
use futures_util::stream;
use reqwest::header::{COOKIE, ORIGIN};
use serde_json::{Value, json};
use tokio::sync::mpsc;

const UPLOADS: &str = "query ($id: ID!) { pipeline(id: $id) { uploads { totalCount nodes { id name \
                       state bytesRead totalBytes received stored dropped failed duplicates errors \
                       { line message } error { message line } } } } }";

pub async fn new_upload_pipeline(client: &Client, options: Value) -> String {
    let input = json!({ "name": "Files", "source": { "fileUpload": options } });
    client.new_pipeline(input).await.0
}

/// A Dash, somebody there, and a pipeline that takes files.
async fn start() -> (TestApp, Client, String) {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let id = new_upload_pipeline(&ann, json!({})).await;
    (app, ann, id)
}

fn request(client: &Client, id: &str, query: &str) -> reqwest::RequestBuilder {
    let url = format!("{}/v1/pipelines/{id}/uploads?{query}", client.url());
    let request = client.http().post(url);
    match client.cookie() {
        Some(cookie) => request.header(COOKIE, cookie),
        None => request,
    }
}

pub async fn upload(client: &Client, id: &str, query: &str, file: impl Into<Vec<u8>>) -> Answer {
    let sent = request(client, id, query).body(file.into()).send().await;
    Answer::read(sent.unwrap()).await
}

async fn uploads(client: &Client, id: &str) -> Vec<Value> {
    let data = client.data(UPLOADS, json!({ "id": id })).await;
    let found = &data["pipeline"]["uploads"];
    found["nodes"].as_array().unwrap().clone()
}

fn counts(answer: &Answer) -> Value {
    let names = ["received", "stored", "failed", "duplicates"];
    json!(names.map(|name| answer.json[name].clone()))
}

fn csv(count: usize) -> String {
    let rows = (0..count).map(|n| format!("{n},row {n}\n"));
    format!("n,text\n{}", rows.collect::<String>())
}

#[tokio::test]
async fn a_file_becomes_records_and_is_remembered() {
    let (_app, ann, id) = start().await;
    let answer = upload(&ann, &id, "name=orders.csv", csv(2_500)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(counts(&answer), json!([2_500, 2_500, 0, 0]));
    let records = ann.all_records(&id).await;
    assert_eq!(records.len(), 2_500);
    assert_eq!(
        records[2_499]["fields"],
        json!({"n": 2_499, "text": "row 2499"})
    );
    let runs = ann.runs(&id).await;
    assert_eq!(runs.len(), 3, "one for each chunk");
    assert!(runs.iter().all(|run| run["trigger"] == "UPLOAD"));
    let [remembered] = &uploads(&ann, &id).await[..] else {
        panic!("one upload")
    };
    let bytes = json!(f64::from(u32::try_from(csv(2_500).len()).unwrap()));
    let expected = json!({
        "id": answer.json["uploadId"], "name": "orders.csv", "state": "DONE", "bytesRead": bytes,
        "totalBytes": bytes, "received": 2_500, "stored": 2_500, "dropped": 0, "failed": 0,
        "duplicates": 0, "errors": [], "error": null,
    });
    assert_eq!(remembered, &expected);
    let query = "query ($id: ID!) { node(id: $id) { ... on Upload { name } } }";
    let node = ann
        .data(query, json!({ "id": answer.json["uploadId"] }))
        .await;
    assert_eq!(node["node"]["name"], "orders.csv");
}

#[tokio::test]
async fn every_format_is_read() {
    let (_app, ann, _) = start().await;
    for (name, file) in [
        ("a.csv", "n,t\n1,x\n2,y\n"),
        ("a.tsv", "n\tt\n1\tx\n2\ty\n"),
        ("a.ndjson", "{\"n\":1,\"t\":\"x\"}\n{\"n\":2,\"t\":\"y\"}\n"),
        ("a.json", "[{\"n\":1,\"t\":\"x\"},\n{\"n\":2,\"t\":\"y\"}]"),
        ("unknown", "n;t\n1;x\n2;y\n"),
    ] {
        let id = new_upload_pipeline(&ann, json!({})).await;
        let answer = upload(&ann, &id, &format!("name={name}"), file).await;
        assert_eq!(
            counts(&answer),
            json!([2, 2, 0, 0]),
            "{name}: {}",
            answer.text
        );
        let records = ann.all_records(&id).await;
        assert_eq!(records[0]["fields"], json!({"n": 1, "t": "x"}), "{name}");
    }
}

#[tokio::test]
async fn the_same_file_is_stored_once_unless_that_is_asked_for() {
    let (_app, ann, id) = start().await;
    upload(&ann, &id, "name=a.csv", csv(1_500)).await;
    let again = upload(&ann, &id, "name=renamed.csv", csv(1_500)).await;
    assert_eq!(counts(&again), json!([1_500, 0, 0, 1_500]));
    assert_eq!(again.json["duplicate"], true);
    // One that goes on where the other ended has whole chunks in common with it.
    let longer = upload(&ann, &id, "name=a.csv", csv(2_000)).await;
    assert_eq!(counts(&longer), json!([2_000, 1_000, 0, 1_000]));
    assert_eq!(ann.pipeline(&id).await["recordCount"], 2_500.0);
    let wanted = upload(&ann, &id, "name=a.csv&again=true", csv(10)).await;
    assert_eq!(counts(&wanted), json!([10, 10, 0, 0]));
    let wanted = upload(&ann, &id, "name=a.csv&again=true", csv(10)).await;
    assert_eq!(counts(&wanted), json!([10, 10, 0, 0]));
}

#[tokio::test]
async fn a_record_that_has_a_name_is_stored_once_whatever_file_it_is_in() {
    let (_app, ann, _) = start().await;
    let id = new_upload_pipeline(&ann, json!({ "keyPath": "$.n" })).await;
    upload(&ann, &id, "name=a.csv", csv(1_500)).await;
    let longer = upload(&ann, &id, "name=a.csv", csv(1_700)).await;
    assert_eq!(counts(&longer), json!([1_700, 200, 0, 1_500]));
    let query = "query ($id: ID!) { pipeline(id: $id) { source { ... on FileUploadSource { keyPath \
                 url maxBytes } } } }";
    let source = ann.data(query, json!({ "id": id })).await["pipeline"]["source"].clone();
    let url = format!("{}/v1/pipelines/{id}/uploads", ann.url());
    let expected = json!({"keyPath": "$.n", "url": url, "maxBytes": 104_857_600.0});
    assert_eq!(source, expected);
    let input = json!({ "name": "x", "source": { "fileUpload": { "keyPath": "n[" } } });
    let errors = ann.user_errors("createPipeline", input).await;
    assert_eq!(errors, ["source.fileUpload.keyPath INVALID"]);
}

#[tokio::test]
async fn a_broken_line_fails_alone_and_is_told_with_its_line() {
    let (_app, ann, _) = start().await;
    let fields = json!([{ "from": "n", "to": "n", "cast": "number" }]);
    let steps = json!([{ "kind": "map", "fields": fields }]);
    let source = json!({ "fileUpload": {} });
    let input = json!({ "name": "Files", "source": source, "steps": steps });
    let (id, _) = ann.new_pipeline(input).await;
    let file = "n,text\n1,a\n2\nx,c\n4,d\n";
    let answer = upload(&ann, &id, "name=a.csv", file).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(counts(&answer), json!([4, 2, 2, 0]));
    let told = json!([
        {"line": 3, "message": "it has 1 cells, and the header line has 2"},
        {"line": 4, "message": "“x” is not a number"},
    ]);
    assert_eq!(answer.json["errors"], told);
    assert_eq!(uploads(&ann, &id).await[0]["errors"], told);
    let run = &ann.runs(&id).await[0];
    assert_eq!(
        (&run["state"], &run["failed"]),
        (&json!("PARTIAL"), &json!(2))
    );
    let messages: Vec<_> = run["recordErrors"].as_array().unwrap().iter().collect();
    assert_eq!(messages.len(), 2, "{run}");
    // A file of which nothing could be stored may be sent again when the steps are mended.
    let bad = upload(&ann, &id, "name=b.csv", "n\nx\n").await;
    assert_eq!(counts(&bad), json!([1, 0, 1, 0]));
    let steps = json!({ "id": id, "steps": [] });
    ann.done("updatePipeline", "pipeline { id }", steps).await;
    let mended = upload(&ann, &id, "name=b.csv", "n\nx\n").await;
    assert_eq!(counts(&mended), json!([1, 1, 0, 0]));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_on_says_where_and_keeps_what_is_stored() {
    let (_app, ann, id) = start().await;
    let broken = format!("{}\"never closed\n", csv(1_200));
    let answer = upload(&ann, &id, "name=a.csv", broken).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert_eq!(answer.json["error"]["line"], 1_202);
    let remembered = &uploads(&ann, &id).await[0];
    assert_eq!(
        (&remembered["state"], &remembered["stored"]),
        (&json!("FAILED"), &json!(1_000))
    );
    assert_eq!(remembered["error"]["line"], 1_202);
    let mended = upload(&ann, &id, "name=a.csv", csv(1_200)).await;
    assert_eq!(counts(&mended), json!([1_200, 200, 0, 1_000]));
    for (file, part) in [
        ("", "no records"),
        ("a,b\n", "no records"),
        ("[{},", "not closed"),
    ] {
        let answer = upload(&ann, &id, "", file).await;
        assert_eq!(answer.status, 422, "{file}");
        let message = answer.json["error"]["message"].as_str().unwrap();
        assert!(message.contains(part), "{file}: {message}");
    }
}

#[tokio::test]
async fn what_may_not_be_sent_is_refused() {
    let (app, ann, id) = start().await;
    let bob = app.owner("bob").await;
    let check = |answer: Answer, status: u16, code: &str| {
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.json["error"]["code"], code);
    };
    check(
        upload(&bob, &id, "name=a.csv", "a\n1").await,
        404,
        "NOT_FOUND",
    );
    check(
        upload(&ann, "pip_1", "name=a.csv", "a\n1").await,
        404,
        "NOT_FOUND",
    );
    check(
        upload(&app.anonymous(), &id, "", "a\n1").await,
        401,
        "UNAUTHENTICATED",
    );
    check(
        upload(&ann, &id, "limit=1", "a\n1").await,
        400,
        "BAD_USER_INPUT",
    );
    let foreign = request(&ann, &id, "").header(ORIGIN, "https://evil.example");
    let foreign = Answer::read(foreign.body("a\n1").send().await.unwrap()).await;
    check(foreign, 403, "FORBIDDEN");
    let form = request(&ann, &id, "").header("content-type", "multipart/form-data; boundary=x");
    let form = Answer::read(form.body("--x--").send().await.unwrap()).await;
    check(form, 415, "NOT_A_FILE");
    let (webhook, _) = ann.new_webhook("Hook").await;
    check(
        upload(&ann, &webhook, "", "a\n1").await,
        409,
        "NOT_FOR_FILES",
    );
    ann.done("pausePipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    check(upload(&ann, &id, "", "a\n1").await, 409, "PAUSED");
    ann.done("resumePipeline", "pipeline { id }", json!({ "id": id }))
        .await;
    app.execute("UPDATE memberships SET role = 'viewer'").await;
    check(upload(&ann, &id, "", "a\n1").await, 403, "FORBIDDEN");
    assert_eq!(ann.pipeline(&id).await["recordCount"], 0.0);
    assert_eq!(uploads(&ann, &id).await, Vec::<Value>::new());
}

/// A file that is sent piece by piece.
struct Slow {
    pieces: mpsc::Sender<Result<String, std::io::Error>>,
    answer: tokio::task::JoinHandle<Option<Answer>>,
}

fn begin_slowly(client: &Client, id: &str) -> Slow {
    let (pieces, receiver) = mpsc::channel(8);
    let body = stream::unfold(receiver, |mut receiver| async {
        let piece = receiver.recv().await?;
        Some((piece, receiver))
    });
    let request = request(client, id, "name=slow.ndjson").body(reqwest::Body::wrap_stream(body));
    let answer = tokio::spawn(async move {
        match request.send().await {
            Ok(answer) => Some(Answer::read(answer).await),
            Err(_) => None,
        }
    });
    Slow { pieces, answer }
}

/// Waits until the newest upload is as it should be.
async fn wait_for(client: &Client, id: &str, is_there: impl Fn(&Value) -> bool) -> Value {
    loop {
        if let Some(newest) = uploads(client, id).await.into_iter().next()
            && is_there(&newest)
        {
            return newest;
        }
        tokio::task::yield_now().await;
    }
}

/// A line of NDJSON for each number.
fn numbered(numbers: std::ops::Range<usize>) -> String {
    let lines: Vec<_> = numbers.map(|n| format!("{{\"n\":{n}}}\n")).collect();
    lines.concat()
}

#[tokio::test]
async fn progress_is_seen_while_a_file_arrives_and_another_one_has_to_wait() {
    let (_app, ann, id) = start().await;
    let slow = begin_slowly(&ann, &id);
    let lines = |count: usize, from: usize| numbered(from..from + count);
    slow.pieces.send(Ok(lines(1_000, 0))).await.unwrap();
    // A reader holds back what may not be a whole line of a chunk.
    slow.pieces.send(Ok(lines(9_000, 1_000))).await.unwrap();
    let seen = wait_for(&ann, &id, |upload| upload["stored"].as_i64() > Some(0)).await;
    assert_eq!(
        (&seen["state"], &seen["totalBytes"]),
        (&json!("RECEIVING"), &Value::Null)
    );
    let busy = upload(&ann, &id, "name=b.csv", "a\n1").await;
    assert_eq!(busy.status, 429, "{}", busy.text);
    assert_eq!(busy.json["error"]["code"], "RATE_LIMITED");
    assert_eq!(busy.header("retry-after"), "5");
    drop(slow.pieces);
    let answer = slow.answer.await.unwrap().unwrap();
    assert_eq!(counts(&answer), json!([10_000, 10_000, 0, 0]));
    assert_eq!(upload(&ann, &id, "name=b.csv", "a\n1").await.status, 200);
}

#[tokio::test]
async fn a_connection_that_is_closed_cancels_and_the_file_can_be_sent_again() {
    let (_app, ann, id) = start().await;
    let slow = begin_slowly(&ann, &id);
    let file = numbered(0..2_500);
    slow.pieces.send(Ok(file.clone())).await.unwrap();
    wait_for(&ann, &id, |upload| upload["state"] == "RECEIVING").await;
    let gone = std::io::Error::other("gone");
    slow.pieces.send(Err(gone)).await.unwrap();
    assert!(slow.answer.await.unwrap().is_none());
    let seen = wait_for(&ann, &id, |upload| upload["state"] != "RECEIVING").await;
    assert_eq!(seen["state"], "CANCELLED", "{seen}");
    let stored = seen["stored"].as_i64().unwrap();
    let again = upload(&ann, &id, "name=slow.ndjson", file).await;
    assert_eq!(counts(&again), json!([2_500, 2_500 - stored, 0, stored]));
    assert_eq!(ann.pipeline(&id).await["recordCount"], 2_500.0);
}

#[tokio::test]
async fn an_upload_whose_process_is_gone_is_not_shown_as_arriving_for_ever() {
    let (app, ann, id) = start().await;
    upload(&ann, &id, "name=a.csv", "a\n1").await;
    app.execute("UPDATE uploads SET state = 'receiving'").await;
    assert_eq!(uploads(&ann, &id).await[0]["state"], "RECEIVING");
    app.clock.advance_ms(4 * 60_000);
    assert_eq!(uploads(&ann, &id).await[0]["state"], "CANCELLED");
    ann.done("deletePipeline", "deletedId", json!({ "id": id }))
        .await;
    assert_eq!(app.execute("DELETE FROM uploads").await, 0);
}

#[tokio::test]
async fn an_upload_of_somebody_else_does_not_exist() {
    let (app, ann, id) = start().await;
    let answer = upload(&ann, &id, "name=a.csv", "a\n1").await;
    let bob = app.owner("bob").await;
    let query = "query ($id: ID!) { node(id: $id) { id } }";
    for unknown in [answer.json["uploadId"].clone(), json!("upl_1")] {
        let node = bob.data(query, json!({ "id": unknown })).await;
        assert_eq!(node["node"], Value::Null);
    }
    let code = bob.error_code(UPLOADS, json!({ "id": id })).await;
    assert_eq!(code, "NOT_FOUND");
}
