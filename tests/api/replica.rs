//! Reading from a replica: a real standby that streams from a real primary. What was acknowledged is
//! there, whatever the replica does.

use std::time::Duration;

use dash_api::data::Reading;
use dash_shared::ids::PipelineId;
use dash_tests::postgres::Postgres;
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection};

const DATA: &str =
    "query ($id: ID!) { dashboardData(id: $id) { data { ... on StatData { value } } } }";

async fn run(url: &str, sql: &'static str) {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn last_seq(url: &str, id: PipelineId) -> Option<i64> {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let sql = format!(
        "SELECT last_seq FROM series WHERE pipeline_id = '{}'",
        id.uuid()
    );
    let found = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_optional(&mut connection);
    let found = found.await.unwrap();
    connection.close().await.unwrap();
    found
}

/// Waits until the replica is used again for this pipeline.
async fn caught_up(app: &TestApp, id: PipelineId) {
    while !reading(app, id).await.from_replica {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn reading(app: &TestApp, id: PipelineId) -> Reading {
    app.app.store.reading(id).await.unwrap()
}

/// The one figure of a dashboard on the pipeline, counted anew: nobody holds its feed.
async fn figure(ann: &Client, board: &Value) -> Value {
    let data = ann.data(DATA, json!({ "id": board })).await;
    data["dashboardData"]["data"][0]["value"].clone()
}

#[tokio::test]
async fn a_pipeline_is_read_from_the_replica_while_that_shows_everything() {
    let Some(primary) = Postgres::start().await else {
        return;
    };
    let mut standby = primary.standby().await;
    let (url, replica_url) = (primary.url(), standby.url());
    let app = TestApp::builder()
        .database(&url)
        .replica(&replica_url)
        .start()
        .await;
    let ann = app.owner("ann").await;
    let (id, hook) = ann.new_webhook("Orders").await;
    let (other, other_hook) = ann.new_webhook("Other").await;
    let made = json!({ "name": "Orders", "pipelineId": id });
    ann.post(&hook, &json!({ "n": 1 })).await;
    ann.post(&other_hook, &json!({ "n": 1 })).await;
    let made = ann.done("createDashboard", "dashboard { id }", made).await;
    let board = made["dashboard"]["id"].clone();
    let (id, other): (PipelineId, PipelineId) = (id.parse().unwrap(), other.parse().unwrap());

    caught_up(&app, id).await;
    caught_up(&app, other).await;
    assert_eq!(last_seq(&replica_url, id).await, Some(1));
    let read = reading(&app, id).await;
    assert_eq!((read.totals.last_seq, read.totals.record_count), (1, 1));
    assert_eq!(
        read.store
            .list_records(id, None, 10)
            .await
            .unwrap()
            .records
            .len(),
        1
    );
    assert_eq!(figure(&ann, &board).await, 1.0);

    // It falls behind, as far as what is stored meanwhile is concerned.
    run(&replica_url, "SELECT pg_wal_replay_pause()").await;
    ann.post(&hook, &json!({ "n": 2 })).await;
    let read = reading(&app, id).await;
    assert!(!read.from_replica && read.totals.last_seq == 2);
    assert_eq!(last_seq(&replica_url, id).await, Some(1));
    assert_eq!(figure(&ann, &board).await, 2.0);
    assert!(
        reading(&app, other).await.from_replica,
        "of this it has everything"
    );

    // What is deleted is gone, too.
    app.clock.advance_ms(1);
    let now_ms = app.clock.now_ms();
    assert_eq!(app.app.store.trim(other, now_ms).await.unwrap(), 1);
    assert!(!reading(&app, other).await.from_replica);
    run(&replica_url, "SELECT pg_wal_replay_resume()").await;
    caught_up(&app, id).await;
    caught_up(&app, other).await;
    assert_eq!(figure(&ann, &board).await, 2.0);

    // It goes away and comes back.
    standby.stop();
    for n in 3..6 {
        ann.post(&hook, &json!({ "n": n })).await;
        assert!(!reading(&app, id).await.from_replica);
        assert_eq!(figure(&ann, &board).await.to_string(), format!("{n}.0"));
    }
    standby.start_again().await;
    caught_up(&app, id).await;
    assert_eq!(reading(&app, id).await.totals.last_seq, 5);
    assert_eq!(figure(&ann, &board).await, 5.0);
}

#[tokio::test]
async fn without_a_replica_that_can_be_reached_everything_works() {
    let Some(primary) = Postgres::start().await else {
        return;
    };
    let nowhere = "postgres://postgres@127.0.0.1:1/postgres";
    let app = TestApp::builder()
        .database(&primary.url())
        .replica(nowhere)
        .start()
        .await;
    let ann = app.owner("ann").await;
    let (id, hook) = ann.new_webhook("Orders").await;
    ann.post(&hook, &json!({ "n": 1 })).await;
    let made = json!({ "name": "Orders", "pipelineId": id });
    let made = ann.done("createDashboard", "dashboard { id }", made).await;
    assert_eq!(figure(&ann, &made["dashboard"]["id"]).await, 1.0);
}
