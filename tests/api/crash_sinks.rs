//! `kill -9` while records are sent on: the target gets every record, in order, and a repeated
//! message under the name that it had.

use std::time::Duration;

use dash_shared::plans::Plan;
use dash_tests::Client;
use dash_tests::upstream::{Reply, Upstream};
use serde_json::json;

use crate::crash::{Dash, Data, chance};

const CRASHES: usize = 8;
const RECORDS: usize = 30;

#[tokio::test]
async fn killed_at_any_moment_it_sends_everything_in_order_and_repeats_under_the_same_name() {
    let data = Data::new().await;
    let mut dash = Dash::start(&data).await;
    let mut ann = Client::new(&dash.url);
    ann.sign_up("Ann", "ann@corp.test", "correct horse battery")
        .await;
    let plan = Plan::Business.as_str();
    data.run(&["admin", "set-plan", "ann@corp.test", plan])
        .await;
    let answer = Reply::Late(Duration::from_millis(3), json!({}));
    let target = Upstream::start(answer).await;
    let (pipeline, url) = ann.new_webhook("Orders").await;
    let key = url.rsplit_once('/').unwrap().1.to_owned();
    let webhook = json!({ "url": target.url, "batch": { "records": 2 } });
    let input = json!({ "pipelineId": pipeline, "name": "On", "target": { "webhook": webhook } });
    ann.done("createSink", "sink { id }", input).await;
    let mut stored = 0;
    for _ in 0..CRASHES {
        let url = format!("{}/hooks/{key}", dash.url);
        for _ in 0..RECORDS {
            stored += 1;
            assert_eq!(ann.post(&url, &json!({ "n": stored })).await.status, 200);
        }
        target.asked(target.requests().len() + 1).await;
        tokio::time::sleep(Duration::from_millis(chance(80))).await;
        dash.kill().await;
        let end = "UPDATE jobs SET lease_until_ms = 0 WHERE kind = 'sink'";
        data.execute(end).await;
        dash = Dash::start(&data).await;
        ann = ann.at(&dash.url);
    }
    let last = json!(stored);
    loop {
        let requests = target.requests();
        let has_last = |data: &serde_json::Value| {
            let records = data["data"].as_array().unwrap();
            records.iter().any(|record| record["n"] == last)
        };
        if requests.iter().any(|request| has_last(&request.json())) {
            break;
        }
        target.asked(requests.len() + 1).await;
    }
    dash.kill().await;
    let mut arrived = Vec::new();
    let (mut before, mut repeats) = (None, 0);
    for request in target.requests() {
        let message = (
            request.header("webhook-id").to_owned(),
            request.json()["data"].clone(),
        );
        if before.as_ref() == Some(&message) {
            repeats += 1;
            continue;
        }
        arrived.extend(message.1.as_array().cloned().unwrap());
        before = Some(message);
    }
    let numbers: Vec<_> = arrived
        .iter()
        .filter_map(|record| record["n"].as_u64())
        .collect();
    let all: Vec<_> = (1..=stored).collect();
    assert_eq!(numbers, all, "in order, without a gap");
    assert!(
        repeats <= CRASHES,
        "at most one message was under way at each crash"
    );
}
