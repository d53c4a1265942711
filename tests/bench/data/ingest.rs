//! How fast records go through the engine into the database, against the bare database storing the
//! same rows with the same durability.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use dash_tests::{TestApp, app, environment};
use sqlx::{Connection as _, PgConnection};

use super::rows::{self, BODY_RECORDS, per_second, record};
use crate::report::{Goal, Measurement};

/// How many records are stored.
const RECORDS: usize = 400_000;
/// How many rows a transaction of the baseline has.
const BARE_ROWS: usize = 1_000;

/// Measures.
pub async fn measure() -> Vec<Measurement> {
    let server = environment::bench_postgres_url();
    let sqlite = through_the_engine(TestApp::builder().on_sqlite()).await;
    let bare_sqlite = tokio::task::spawn_blocking(bare_sqlite)
        .await
        .expect("the baseline runs");
    let postgres = through_the_engine(TestApp::builder().on_postgres(&server)).await;
    let bare_postgres = bare_postgres(&server).await;
    let measurement = |name: &str, value, baseline, goal| Measurement {
        name: name.to_owned(),
        value,
        unit: "records/s",
        baseline,
        goal: Goal::RatioAtLeast(goal),
    };
    vec![
        measurement(
            "ingest, SQLite, against bare inserts",
            sqlite,
            bare_sqlite,
            0.5,
        ),
        measurement(
            "ingest, PostgreSQL, against bare COPY",
            postgres,
            bare_postgres,
            0.4,
        ),
    ]
}

async fn through_the_engine(builder: app::Builder) -> f64 {
    let app = builder.real_clock().start().await;
    let owner = app.owner("ann").await;
    let (pipeline, url) = owner.new_webhook("Ingest").await;
    let key = url.rsplit('/').next().expect("a URL has a key").to_owned();
    let bodies = RECORDS / BODY_RECORDS;
    let ready: Vec<bytes::Bytes> = (0..bodies).map(|n| rows::body(n * BODY_RECORDS)).collect();
    let rate = rows::send(&app, &key, bodies, move |n| ready[n].clone()).await;
    let stored = owner.pipeline(&pipeline).await["recordCount"].as_f64();
    #[expect(clippy::cast_precision_loss, reason = "less than 2^53")]
    let all = RECORDS as f64;
    assert_eq!(stored, Some(all), "every record is there once");
    app.stop().await;
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

/// One COPY for each 1,000 of the same rows into the same table.
async fn bare_postgres(server: &str) -> f64 {
    let url = app::new_postgres_database(server).await;
    let mut connection = PgConnection::connect(&url)
        .await
        .expect("the database can be connected");
    let texts: Vec<String> = (0..RECORDS)
        .map(|n| record(n).to_string().replace('\\', "\\\\"))
        .collect();
    let pipeline = uuid::Uuid::now_v7();
    let began = Instant::now();
    let mut seq: i64 = 0;
    for rows in texts.chunks(BARE_ROWS) {
        let mut lines = String::with_capacity(rows.len() * 420);
        for text in rows {
            seq += 1;
            let time = 1_795_348_800_000 + seq;
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "{pipeline}\t{seq}\t{time}\t{time}\t{text}");
        }
        let mut copy = connection
            .copy_in_raw(
                "COPY records (pipeline_id, seq, time_ms, received_at_ms, fields) FROM STDIN",
            )
            .await
            .expect("COPY begins");
        copy.send(lines.into_bytes()).await.expect("rows are sent");
        copy.finish().await.expect("COPY ends");
    }
    per_second(RECORDS, began)
}
