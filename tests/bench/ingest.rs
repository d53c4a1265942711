//! How fast records of about 300 bytes and 8 fields go through the engine into the database, against
//! the bare database storing the same rows with the same durability.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use dash_tests::TestApp;
use serde_json::{Value, json};

use crate::report::{Goal, Measurement};

/// How many records are stored.
const RECORDS: usize = 400_000;
/// How many of them one body has.
const BODY_RECORDS: usize = 100;
/// How many bodies are on their way at once.
const SENDERS: usize = 32;
/// How many rows a transaction of the baseline has.
const BARE_ROWS: usize = 1_000;

/// Measures.
pub async fn measure() -> Vec<Measurement> {
    let value = through_the_engine().await;
    let baseline = tokio::task::spawn_blocking(bare_sqlite)
        .await
        .expect("the baseline runs");
    vec![Measurement {
        name: "ingest, SQLite".to_owned(),
        value,
        unit: "records/s",
        baseline,
        goal: Goal::RatioAtLeast(0.5),
    }]
}

fn record(number: usize) -> Value {
    let city = ["Berlin", "Lyon", "Osaka", "Bergen"][number % 4];
    #[expect(clippy::cast_precision_loss, reason = "a sum of money")]
    let total = (number % 100_000) as f64 / 100.0;
    json!({
        "order": format!("ord_{number:012}"),
        "customer": format!("Customer {}", number % 5_000),
        "city": city,
        "product": format!("Product {} in the colour of the sea", number % 300),
        "total_eur": total,
        "items": number % 7 + 1,
        "paid": !number.is_multiple_of(3),
        "note": "delivered to the neighbour on the second floor, who was kind enough to \
                 sign for it and to keep it until the evening of the same day, as always",
    })
}

async fn through_the_engine() -> f64 {
    let app = TestApp::builder().real_clock().start().await;
    let owner = app.owner("ann").await;
    let (pipeline, url) = owner.new_webhook("Ingest").await;
    let key: Arc<str> = url.rsplit('/').next().expect("a URL has a key").into();
    let bodies: Vec<bytes::Bytes> = (0..RECORDS / BODY_RECORDS)
        .map(|body| {
            let first = body * BODY_RECORDS;
            let records: Vec<_> = (first..first + BODY_RECORDS).map(record).collect();
            Value::from(records).to_string().into()
        })
        .collect();
    let bodies = Arc::new(bodies);
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let (pipelines, key) = (app.app.pipelines.clone(), Arc::clone(&key));
            let (bodies, next) = (Arc::clone(&bodies), Arc::clone(&next));
            tokio::spawn(async move {
                while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let hook = pipelines.open_hook(&key).await.expect("there is a hook");
                    let received = pipelines.receive(&hook, body.clone(), None).await;
                    received.expect("a body is stored");
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.expect("a sender ends");
    }
    let rate = per_second(RECORDS, began);
    let stored = owner.pipeline(&pipeline).await["recordCount"].as_f64();
    #[expect(clippy::cast_precision_loss, reason = "less than 2^53")]
    let all = RECORDS as f64;
    assert_eq!(stored, Some(all), "every record is there once");
    rate
}

/// Prepared inserts of the same rows into the same table.
fn bare_sqlite() -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut database = open_bare(&folder.path().join("bare.db"));
    let texts: Vec<String> = (0..RECORDS).map(|n| record(n).to_string()).collect();
    let pipeline = uuid::Uuid::now_v7();
    let began = Instant::now();
    let mut seq: i64 = 0;
    for rows in texts.chunks(BARE_ROWS) {
        let transaction = database.transaction().expect("a transaction begins");
        {
            let mut insert = transaction
                .prepare_cached(
                    "INSERT INTO records (pipeline_id, seq, time_ms, received_at_ms, fields) \
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )
                .expect("the statement is right");
            for text in rows {
                seq += 1;
                let time = 1_795_348_800_000 + seq;
                insert
                    .execute((pipeline.as_bytes(), seq, time, time, text))
                    .expect("a row is stored");
            }
        }
        transaction.commit().expect("a transaction is committed");
    }
    per_second(RECORDS, began)
}

fn open_bare(path: &Path) -> rusqlite::Connection {
    let database = rusqlite::Connection::open(path).expect("a database can be made");
    database
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000;
             CREATE TABLE records (pipeline_id BLOB NOT NULL, seq BIGINT NOT NULL, \
             time_ms BIGINT NOT NULL, received_at_ms BIGINT NOT NULL, fields TEXT NOT NULL, \
             PRIMARY KEY (pipeline_id, seq)) WITHOUT ROWID;
             CREATE INDEX records_idx ON records (pipeline_id, time_ms);",
        )
        .expect("the table can be made");
    database
}

#[expect(clippy::cast_precision_loss, reason = "less than 2^53")]
fn per_second(count: usize, began: Instant) -> f64 {
    count as f64 / began.elapsed().as_secs_f64()
}
