//! The usage ledger: what was stored is counted once, and stays counted.

use dash_tests::upstream::{Reply, Upstream};
use dash_tests::{Client, TestApp};
use serde_json::{Value, json};

const DAY_MS: i64 = 24 * 3_600_000;

async fn used(client: &Client) -> Value {
    let query = "{ viewer { organization { dataPointsThisMonth } } }";
    let found = client.data(query, json!({})).await;
    found["viewer"]["organization"]["dataPointsThisMonth"].clone()
}

#[tokio::test]
async fn what_is_stored_is_counted_and_nothing_else() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.owner("ann").await, app.owner("bob").await);
    assert_eq!(used(&ann).await, 0.0);
    let (id, url) = ann.new_webhook("Orders").await;
    ann.post(&url, &json!([{"n": 1}, {"n": 2}, "no record"]))
        .await;
    ann.post(&url, &json!([])).await;
    assert_eq!(used(&ann).await, 2.0);
    assert_eq!(used(&bob).await, 0.0);
    // What is deleted was used all the same.
    ann.done("deletePipeline", "deletedId", json!({ "id": id }))
        .await;
    app.pass(DAY_MS).await;
    assert_eq!(used(&ann).await, 2.0);
    // A month later it is another month's. The month of the tests' clock ends within 9 days.
    let (_, url) = ann.new_webhook("Later").await;
    app.pass(9 * DAY_MS).await;
    assert_eq!(used(&ann).await, 0.0);
    ann.post(&url, &json!({"n": 3})).await;
    assert_eq!(used(&ann).await, 1.0);
}

#[tokio::test]
async fn a_poll_that_is_taken_over_after_it_stored_is_counted_once() {
    let app = TestApp::start().await;
    let ann = app.owner("ann").await;
    let upstream = Upstream::start(Reply::Json(json!([{"n": 1}, {"n": 2}]))).await;
    ann.new_polling("Feed", &upstream.url, "$").await;
    for _ in 0..2 {
        let claimed = app.app.jobs.claim(10).await.unwrap();
        app.app.pipelines.run_job(&claimed[0]).await;
        // It dies before it can say that it is done.
        app.clock.advance_ms(dash_api::jobs::LEASE_MS + 1);
    }
    assert_eq!(upstream.requests().len(), 2);
    assert_eq!(used(&ann).await, 2.0);
}

#[tokio::test]
async fn an_organization_knows_how_much_its_records_take() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.owner("ann").await, app.owner("bob").await);
    let stored = async |client: &Client| {
        let query = "{ viewer { organization { storedBytes } } }";
        client.data(query, json!({})).await["viewer"]["organization"]["storedBytes"].clone()
    };
    assert_eq!(stored(&ann).await, 0.0);
    let (_, orders) = ann.new_webhook("Orders").await;
    let (other, other_url) = ann.new_webhook("Other").await;
    ann.post(&orders, &json!([{"n": 1}, {"n": 22}])).await;
    ann.post(&other_url, &json!({"n": 333})).await;
    assert_eq!(stored(&ann).await, 7.0 + 8.0 + 9.0);
    assert_eq!(stored(&bob).await, 0.0);
    ann.done("deletePipeline", "deletedId", json!({ "id": other }))
        .await;
    app.pass(DAY_MS).await;
    assert_eq!(stored(&ann).await, 7.0 + 8.0);
}
