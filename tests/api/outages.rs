//! Outages of the database: senders are told to come back, and when it is there again everything goes
//! on by itself. What was acknowledged is there.

use std::time::{Duration, Instant};

use dash_api::db::Engine;
use dash_tests::client::Answer;
use dash_tests::live::Live;
use dash_tests::postgres::Postgres;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};
use sqlx::{Connection, Executor as _};

const RECORDS: &str = "subscription ($id: ID!) { pipelineRecords(pipelineId: $id, after: \"0\") { \
                       records { cursor fields } } }";
/// The longest that a sender waits for an answer.
const ANSWERED: Duration = Duration::from_secs(12);

async fn refused(ann: &Client, url: &str) {
    let began = Instant::now();
    let answer = ann.post(url, &json!({ "n": "refused" })).await;
    assert!(began.elapsed() < ANSWERED, "after {:?}", began.elapsed());
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(answer.json["error"]["code"], "UNAVAILABLE");
    let pause: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&pause));
}

/// Many senders at once wait no longer than one.
async fn all_refused(ann: &Client, url: &str) {
    futures_util::future::join_all((0..20).map(|_| refused(ann, url))).await;
}

async fn taken(ann: &Client, url: &str, n: i64) {
    let answer = ann.post(url, &json!({ "n": n })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

async fn numbers(ann: &Client, id: &str) -> Vec<Value> {
    let records = ann.all_records(id).await;
    let cursors = records.iter().map(|record| record["cursor"].clone());
    assert!(cursors.eq((1..=records.len()).map(|seq| json!(seq.to_string()))));
    let count = ann.pipeline(id).await["recordCount"].to_string();
    assert_eq!(count, format!("{}.0", records.len()));
    let numbers = records.iter().map(|record| record["fields"]["n"].clone());
    numbers.collect()
}

/// Delivers numbered records under names, each until it is acknowledged, until told to stop; returns
/// how many there are.
async fn deliver(ann: &Client, url: &str, stop: &tokio::sync::watch::Receiver<bool>) -> i64 {
    let mut next = 0;
    while !*stop.borrow() {
        let body = json!({ "n": next }).to_string();
        let request = ann
            .http()
            .post(url)
            .header("webhook-id", format!("msg-{next}"));
        let answer = Answer::read(request.body(body).send().await.unwrap()).await;
        match answer.status.as_u16() {
            200 => next += 1,
            status => {
                assert_eq!(status, 503, "{}", answer.text);
                assert!(!answer.header("retry-after").is_empty());
            }
        }
    }
    next
}

#[tokio::test]
async fn postgresql_that_is_stopped_and_started_again_is_an_interruption() {
    let Some(mut server) = Postgres::start().await else {
        return;
    };
    let app = TestApp::builder().database(&server.url()).start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    let (named, named_url) = ann.new_webhook("Named").await;
    let mut live = Live::connect(&ann).await;
    let followed = live.subscribe(RECORDS, json!({ "id": id })).await;
    taken(&ann, &url, 1).await;
    assert_eq!(ann.get("/readyz").await.status, 200);

    let (stop, stopped) = tokio::sync::watch::channel(false);
    let outage = async {
        server.stop();
        assert_eq!(ann.get("/readyz").await.status, 503);
        assert_eq!(ann.get("/healthz").await.status, 200);
        all_refused(&ann, &url).await;
        server.start_again().await;
        while ann.get("/readyz").await.status != 200 {}
        taken(&ann, &url, 2).await;
        // In the middle of whatever is under way.
        for n in 3..6 {
            server.stop();
            server.start_again().await;
            while ann.post(&url, &json!({ "n": n })).await.status != 200 {}
        }
        stop.send(true).unwrap();
    };
    let (delivered, ()) = tokio::join!(deliver(&ann, &named_url, &stopped), outage);

    let found = numbers(&ann, &id).await;
    // One that was not acknowledged may be there, had its commit come through.
    let mut distinct = found.clone();
    distinct.dedup();
    assert_eq!(distinct, [1, 2, 3, 4, 5].map(|n| json!(n)));
    let expected: Vec<_> = (0..delivered).map(|n| json!(n)).collect();
    assert_eq!(
        numbers(&ann, &named).await,
        expected,
        "each delivery is stored once"
    );
    // Whoever followed goes on without subscribing again.
    let mut seen = Vec::new();
    while seen.len() < found.len() {
        let batch = live.next(&followed).await["pipelineRecords"]["records"].clone();
        let batch = batch.as_array().unwrap().iter();
        seen.extend(batch.map(|record| record["fields"]["n"].clone()));
    }
    assert_eq!(seen, found);
}

#[tokio::test]
async fn postgresql_that_hangs_is_an_interruption() {
    let Some(server) = Postgres::start().await else {
        return;
    };
    let gate = server.gate().await;
    let url = server.url_at(gate.port());
    let app = TestApp::builder().database(&url).start().await;
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    let (named, named_url) = ann.new_webhook("Named").await;
    let mut live = Live::connect(&ann).await;
    let followed = live.subscribe(RECORDS, json!({ "id": id })).await;
    taken(&ann, &url, 1).await;
    let first = live.next(&followed).await["pipelineRecords"]["records"].clone();
    let mut seen = vec![first[0]["fields"]["n"].clone()];

    let (stop, stopped) = tokio::sync::watch::channel(false);
    let outage = async {
        gate.block();
        all_refused(&ann, &url).await;
        // It takes no longer when the connections that were there are used up.
        all_refused(&ann, &url).await;
        assert_eq!(ann.get("/readyz").await.status, 503);
        assert_eq!(ann.get("/healthz").await.status, 200);
        gate.open();
        while ann.get("/readyz").await.status != 200 {}
        while ann.post(&url, &json!({ "n": 2 })).await.status != 200 {}
        stop.send(true).unwrap();
    };
    let (delivered, ()) = tokio::join!(deliver(&ann, &named_url, &stopped), outage);

    let found = numbers(&ann, &id).await;
    // Of those that were refused, some may have been stored when the database went on.
    let told = found.iter().filter(|n| **n != json!("refused"));
    assert!(told.eq(&[json!(1), json!(2)]), "{found:?}");
    let expected: Vec<_> = (0..delivered).map(|n| json!(n)).collect();
    assert_eq!(
        numbers(&ann, &named).await,
        expected,
        "each delivery is stored once"
    );
    while seen.len() < found.len() {
        let message = live.next(&followed).await;
        let batch = message["pipelineRecords"]["records"].as_array();
        let batch = batch.unwrap_or_else(|| panic!("{message}")).iter();
        seen.extend(batch.map(|record| record["fields"]["n"].clone()));
    }
    assert_eq!(seen, found);
}

#[tokio::test]
async fn sqlite_that_another_program_has_locked_is_an_interruption() {
    let app = TestApp::start().await;
    if app.app.db.engine() != Engine::Sqlite {
        return;
    }
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    taken(&ann, &url, 1).await;
    let mut other = sqlx::SqliteConnection::connect(app.database_url())
        .await
        .unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    all_refused(&ann, &url).await;
    refused(&ann, &url).await;
    // It can still be read, by connections that are opened now, too.
    let reads = (0..20).map(|_| ann.pipeline(&id));
    for read in futures_util::future::join_all(reads).await {
        assert_eq!(read["recordCount"], 1.0);
    }
    assert_eq!(numbers(&ann, &id).await, [json!(1)]);
    other.execute("COMMIT").await.unwrap();
    taken(&ann, &url, 2).await;
    // One that is short is not even noticed.
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let unlock = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        other.execute("COMMIT").await.unwrap();
    };
    tokio::join!(taken(&ann, &url, 3), unlock);
    assert_eq!(numbers(&ann, &id).await, [1, 2, 3].map(|n| json!(n)));
}

#[tokio::test]
async fn a_full_disk_is_an_interruption() {
    let app = TestApp::start().await;
    if app.app.db.engine() != Engine::Sqlite {
        return;
    }
    let ann = app.owner("ann").await;
    let (id, url) = ann.new_webhook("Orders").await;
    taken(&ann, &url, 1).await;
    let limit = async |pages: &'static str| {
        let writing = app.app.db.writing().get_sqlite_connection_pool();
        let mut connection = writing.acquire().await.unwrap();
        connection.execute(pages).await.unwrap();
    };
    let large = "x".repeat(200_000);
    for _ in 0..20 {
        // Less than there is counts as what there is. A connection that a full disk has left in the
        // middle of a transaction is replaced, and the new one knows no limit.
        limit("PRAGMA max_page_count = 1").await;
        let answer = ann
            .post(&url, &json!([{ "n": large }, { "n": large }]))
            .await;
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(!answer.header("retry-after").is_empty());
    }
    assert_eq!(numbers(&ann, &id).await, [json!(1)]);
    assert_eq!(ann.get("/readyz").await.status, 200);
    limit("PRAGMA max_page_count = 1000000").await;
    for n in 2..12 {
        taken(&ann, &url, n).await;
    }
    let expected: Vec<_> = (1..12).map(|n| json!(n)).collect();
    assert_eq!(numbers(&ann, &id).await, expected);
}
