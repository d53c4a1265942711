//! `kill -9` while records come in, roll-ups are counted and old records are deleted: afterwards
//! every answer is that of the records themselves, and a rebuild changes none.

#![expect(clippy::cast_precision_loss, reason = "counts of a few thousand")]

use std::collections::BTreeMap;
use std::time::Duration;

use dash_tests::Client;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::crash::{Dash, Data, chance};

const CRASHES: usize = 8;
const BODY_RECORDS: usize = 500;
const DAY_MS: i64 = 86_400_000;

fn records(first: usize) -> Value {
    let record = |n: usize| json!({ "n": n, "group": n % 7, "value": (n % 1_000) as f64 / 10.0 });
    (first..first + BODY_RECORDS).map(record).collect()
}

async fn answer(ann: &Client, id: &str) -> Value {
    let query = "query ($id: ID!, $input: RecordQueryInput!) { pipeline(id: $id) { \
                 query(input: $input) { groups { name totals } } } }";
    let input = json!({
        "measures": [
            { "aggregate": "COUNT" },
            { "aggregate": "SUM", "field": "value" },
            { "aggregate": "LAST", "field": "n" },
            { "aggregate": "P95", "field": "value" },
        ],
        "range": { "lastSeconds": 7 * 86_400 },
        "groupBy": "group",
        "order": "BY_NAME",
        "first": 100,
    });
    let data = ann.data(query, json!({ "id": id, "input": input })).await;
    data["pipeline"]["query"]["groups"].clone()
}

/// Count and sum of each group, of the records themselves.
async fn counted(ann: &Client, id: &str) -> BTreeMap<String, (usize, f64)> {
    let mut groups: BTreeMap<String, (usize, f64)> = BTreeMap::new();
    for record in ann.all_records(id).await {
        let group = groups
            .entry(record["fields"]["group"].to_string())
            .or_default();
        group.0 += 1;
        group.1 += record["fields"]["value"].as_f64().unwrap();
    }
    groups
}

/// The answer and what was counted when nothing changed in between: retention may be at work.
async fn at_rest(ann: &Client, id: &str) -> (Value, BTreeMap<String, (usize, f64)>) {
    let mut rest = None;
    for _ in 0..20 {
        let before = counted(ann, id).await;
        let told = answer(ann, id).await;
        if before == counted(ann, id).await {
            rest = Some((told, before));
            break;
        }
    }
    rest.expect("records do not change all the time")
}

fn check(answer: &Value, counted: &BTreeMap<String, (usize, f64)>) {
    let groups = answer.as_array().unwrap();
    assert_eq!(groups.len(), counted.len(), "{answer:#}");
    for (group, (name, (count, sum))) in groups.iter().zip(counted) {
        assert_eq!(group["name"], name.as_str());
        assert_eq!(group["totals"][0], *count as f64, "{name}");
        let told = group["totals"][1].as_f64().unwrap();
        assert!((told - sum).abs() < 1e-6, "{name}: {told} is not {sum}");
    }
}

#[tokio::test]
async fn killed_at_any_moment_its_rollups_are_those_of_the_records() {
    let data = Data::new().await;
    let mut dash = Dash::start(&data).await;
    let mut ann = Client::new(&dash.url);
    ann.sign_up("Ann", "ann@corp.test", "correct horse battery")
        .await;
    let (id, url) = ann.new_webhook("Crash").await;
    let key = url.rsplit_once('/').unwrap().1.to_owned();
    let change = json!({ "id": id, "retentionDays": 2 });
    ann.done("updatePipeline", "pipeline { retentionDays }", change)
        .await;
    let mut sent = 0;
    for _ in 0..14 {
        let hook = format!("{}/hooks/{key}", dash.url);
        assert_eq!(ann.post(&hook, &records(sent)).await.status, 200);
        sent += BODY_RECORDS;
    }
    // Asked once, they are counted from now on.
    answer(&ann, &id).await;
    for crash in 0..CRASHES {
        let hook = format!("{}/hooks/{key}", dash.url);
        let first = Notify::new();
        let sender = async {
            loop {
                let body = records(sent).to_string();
                sent += BODY_RECORDS;
                match ann.http().post(&hook).body(body).send().await {
                    Ok(answer) => assert_eq!(answer.status(), 200),
                    Err(_) => return,
                }
                first.notify_one();
            }
        };
        let killed = async {
            first.notified().await;
            tokio::time::sleep(Duration::from_millis(chance(400))).await;
            dash.kill().await;
        };
        tokio::join!(sender, killed);
        // Some of the oldest records have come in long ago, and retention is due.
        let oldest = 900 * (crash + 1);
        data.execute(&format!(
            "UPDATE records SET received_at_ms = received_at_ms - {} WHERE seq <= {oldest} \
             AND received_at_ms > {DAY_MS}",
            3 * DAY_MS
        ))
        .await;
        data.execute("UPDATE jobs SET run_at_ms = 0, lease_until_ms = 0 WHERE kind = 'retention'")
            .await;
        dash = Dash::start(&data).await;
        ann = ann.at(&dash.url);
    }
    let (told, counted) = at_rest(&ann, &id).await;
    check(&told, &counted);
    let count: usize = counted.values().map(|(count, _)| count).sum();
    assert!(count < sent, "some were deleted");
    dash.kill().await;

    // What is left of deletions that were broken off is done now, and everything counted again.
    let before = {
        let dash = Dash::start(&data).await;
        let ann = ann.at(&dash.url);
        let (before, counted) = at_rest(&ann, &id).await;
        check(&before, &counted);
        dash.kill().await;
        before
    };
    let rebuilt = data.run(&["admin", "rebuild-rollups"]).await;
    assert!(rebuilt.starts_with("Rebuilt: "), "{rebuilt}");
    assert_ne!(rebuilt.trim(), "Rebuilt: 0.");
    let dash = Dash::start(&data).await;
    let ann = ann.at(&dash.url);
    assert_eq!(answer(&ann, &id).await, before);
    dash.kill().await;
}
