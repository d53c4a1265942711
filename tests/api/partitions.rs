//! PostgreSQL keeps records by weeks, in partitions or in TimescaleDB's chunks: whatever happens to
//! those, the records stay the same.

use dash_api::config::Config;
use dash_api::db::Db;
use dash_migrations::{Migrator, MigratorTrait as _};
use dash_shared::ids::PipelineId;
use dash_tests::{Client, TestApp, app, environment};
use serde_json::json;
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Executor as _};

const DAY_MS: i64 = 24 * 3_600_000;
const WEEK_MS: i64 = 7 * DAY_MS;

fn pool(app: &TestApp) -> &PgPool {
    app.app.db.orm().get_postgres_connection_pool()
}

/// A Dash on PostgreSQL with somebody whose plan keeps records for ever; none on SQLite.
async fn start() -> Option<(TestApp, Client)> {
    environment::postgres_url()?;
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    Some((app, ann))
}

async fn ensure(app: &TestApp) {
    let now_ms = app.clock.now_ms();
    app.app.store.ensure_partitions(now_ms).await.unwrap();
}

async fn texts(pool: &PgPool, sql: &str) -> Vec<String> {
    let found = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(pool);
    found.await.unwrap()
}

/// The tables that hold the records, in the order of their numbers.
async fn places(pool: &PgPool) -> Vec<String> {
    texts(
        pool,
        "SELECT tableoid::regclass::text FROM records ORDER BY seq",
    )
    .await
}

async fn partitions(pool: &PgPool) -> Vec<String> {
    let sql = "SELECT inhrelid::regclass::text FROM pg_inherits \
               WHERE inhparent = 'records'::regclass ORDER BY 1";
    texts(pool, sql).await
}

async fn numbers(ann: &Client, id: &str) -> Vec<i64> {
    let records = ann.all_records(id).await;
    let number = |record: &serde_json::Value| record["fields"]["n"].as_i64();
    records.iter().filter_map(number).collect()
}

async fn back(app: &TestApp) -> Client {
    app.logged_in("ann@corp.test", "correct horse battery")
        .await
}

#[tokio::test]
async fn records_are_in_the_partition_of_their_week_and_an_empty_one_is_dropped() {
    let Some((app, ann)) = start().await else {
        return;
    };
    if environment::is_timescale() {
        return;
    }
    // Whichever weeks there were when the database was made, they are made anew.
    for partition in partitions(pool(&app)).await {
        if partition != "records_default" {
            app.execute(&format!("DROP TABLE {partition}")).await;
        }
    }
    let (id, url) = ann.new_webhook("Orders").await;
    ann.post(&url, &json!({ "n": 1 })).await;
    assert_eq!(places(pool(&app)).await, ["records_default"]);
    for _ in 0..2 {
        ensure(&app).await;
        let expected = [
            "records_default",
            "records_p202647",
            "records_p202648",
            "records_p202649",
            "records_p202650",
            "records_p202651",
        ];
        assert_eq!(partitions(pool(&app)).await, expected);
        assert_eq!(places(pool(&app)).await, ["records_p202647"]);
    }
    app.clock.advance_ms(DAY_MS);
    ann.post(&url, &json!({ "n": 2 })).await;
    // Nobody has seen to it for a while.
    app.clock.advance_ms(6 * WEEK_MS);
    let ann = back(&app).await;
    ann.post(&url, &json!({ "n": 3 })).await;
    let expected = ["records_p202647", "records_p202648", "records_default"];
    assert_eq!(places(pool(&app)).await, expected);
    ensure(&app).await;
    let expected = ["records_p202647", "records_p202648", "records_p202701"];
    assert_eq!(places(pool(&app)).await, expected);
    assert_eq!(numbers(&ann, &id).await, [1, 2, 3]);

    let pipeline: PipelineId = id.parse().unwrap();
    let before_ms = app.clock.now_ms() - 6 * WEEK_MS;
    assert_eq!(app.app.store.trim(pipeline, before_ms).await.unwrap(), 1);
    ensure(&app).await;
    let left = partitions(pool(&app)).await;
    // That of the week before this one may still be written to.
    for (partition, there) in [
        ("records_default", true),
        ("records_p202647", false),
        ("records_p202648", true),
        ("records_p202649", false),
        ("records_p202651", false),
        ("records_p202701", true),
        ("records_p202705", true),
    ] {
        assert_eq!(
            left.iter().any(|name| name == partition),
            there,
            "{partition}: {left:?}"
        );
    }
    assert_eq!(numbers(&ann, &id).await, [2, 3]);
}

#[tokio::test]
async fn whoever_reads_is_not_cut_off_by_a_partition_that_is_to_be_dropped() {
    let Some((app, ann)) = start().await else {
        return;
    };
    if environment::is_timescale() {
        return;
    }
    let (id, url) = ann.new_webhook("Orders").await;
    ensure(&app).await;
    app.clock.advance_ms(10 * WEEK_MS);
    let mut reading = pool(&app).begin().await.unwrap();
    reading
        .execute("SELECT COUNT(*) FROM records")
        .await
        .unwrap();
    ensure(&app).await;
    assert!(
        partitions(pool(&app))
            .await
            .contains(&"records_p202647".to_owned())
    );
    reading.commit().await.unwrap();
    ensure(&app).await;
    assert!(
        !partitions(pool(&app))
            .await
            .contains(&"records_p202647".to_owned())
    );
    let ann = back(&app).await;
    ann.post(&url, &json!({ "n": 1 })).await;
    assert_eq!(numbers(&ann, &id).await, [1]);
}

#[tokio::test]
async fn the_hourly_retention_makes_partitions() {
    let Some((app, _)) = start().await else {
        return;
    };
    if environment::is_timescale() {
        return;
    }
    app.app.pipelines.schedule_retention().await.unwrap();
    app.clock.advance_ms(20 * WEEK_MS);
    app.run_due_jobs().await;
    assert!(
        partitions(pool(&app))
            .await
            .contains(&"records_p202715".to_owned())
    );
}

#[tokio::test]
async fn records_from_before_are_moved_as_they_are() {
    let Some(server) = environment::postgres_url() else {
        return;
    };
    let url = app::new_bare_postgres_database(&server).await;
    let config = Config::for_tests(&url, std::path::Path::new("."));
    let db: Db = dash_api::app::connect(&config).await.unwrap();
    let migrations = Migrator::migrations();
    let before = migrations
        .iter()
        .position(|migration| migration.name() == "m20261125_000010_partitions")
        .unwrap();
    Migrator::up(db.orm(), Some(u32::try_from(before).unwrap()))
        .await
        .unwrap();
    let pool = db.orm().get_postgres_connection_pool();
    // The oldest are from the first minutes of 1970, and the newest from the year 2100.
    let insert = "INSERT INTO records (pipeline_id, seq, time_ms, received_at_ms, fields) \
                  SELECT md5((n % 3)::text)::uuid, n, n * 86400000 - 5, \
                  CASE n WHEN 1 THEN 5 WHEN 2 THEN 4102444800000 ELSE \
                  (EXTRACT(EPOCH FROM now()) * 1000)::bigint - n * 21600000 END, \
                  '{\"n\":' || n || '}' FROM generate_series(1::bigint, 1000) AS n";
    pool.execute(insert).await.unwrap();
    let all = "SELECT r::text FROM (SELECT pipeline_id, seq, time_ms, received_at_ms, fields \
               FROM records ORDER BY pipeline_id, seq) AS r";
    let earlier = texts(pool, all).await;
    Migrator::up(db.orm(), None).await.unwrap();
    assert_eq!(texts(pool, all).await, earlier);
    assert_eq!(earlier.len(), 1_000);
    let tables = "SELECT DISTINCT tableoid::regclass::text FROM records";
    // 250 days are 36 weeks or 37, and there are those two.
    assert!((37..=39).contains(&texts(pool, tables).await.len()));
    if !environment::is_timescale() {
        let others = "SELECT seq::text FROM records_default ORDER BY seq";
        assert_eq!(texts(pool, others).await, ["1", "2"]);
        let again = "SELECT relname::text FROM pg_class WHERE relname IN ('records_before', \
                     'records_pkey', 'records_pipeline_id_time_ms_seq_idx') ORDER BY 1";
        let expected = ["records_pipeline_id_time_ms_seq_idx", "records_pkey"];
        assert_eq!(texts(pool, again).await, expected);
    }
    let twice = pool
        .execute("INSERT INTO records SELECT * FROM records LIMIT 1")
        .await;
    assert!(twice.is_err(), "a number is given once");
}

#[tokio::test]
async fn old_chunks_of_timescaledb_are_compressed_and_empty_ones_dropped() {
    let Some((app, ann)) = start().await else {
        return;
    };
    if !environment::is_timescale() {
        return;
    }
    let pool = pool(&app);
    let policies = "SELECT proc_name::text FROM timescaledb_information.jobs \
                    WHERE hypertable_name = 'records' ORDER BY 1";
    assert_eq!(texts(pool, policies).await, ["policy_compression"]);
    let (id, url) = ann.new_webhook("Orders").await;
    let many: Vec<_> = (0..3_000).map(|n| json!({ "n": n })).collect();
    ann.post(&url, &json!(many)).await;
    app.clock.advance_ms(2 * WEEK_MS);
    let ann = back(&app).await;
    ann.post(&url, &json!({ "n": 3_000 })).await;
    let chunks = "SELECT show_chunks('records')::text ORDER BY 1";
    let first = texts(pool, chunks).await;
    assert_eq!(first.len(), 2);
    let compress =
        "SELECT compress_chunk(c)::text FROM show_chunks('records') AS c ORDER BY c LIMIT 1";
    assert_eq!(texts(pool, compress).await.len(), 1);
    assert!(numbers(&ann, &id).await.into_iter().eq(0..=3_000));

    // What is compressed can be deleted as everything else.
    let pipeline: PipelineId = id.parse().unwrap();
    let before_ms = app.clock.now_ms() - 1;
    assert_eq!(
        app.app.store.trim(pipeline, before_ms).await.unwrap(),
        3_000
    );
    assert_eq!(numbers(&ann, &id).await, [3_000]);
    ensure(&app).await;
    assert_eq!(texts(pool, chunks).await.len(), 1);
    assert_eq!(numbers(&ann, &id).await, [3_000]);
}
