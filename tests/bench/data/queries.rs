//! Questions about ten million records of thirty days, against the same about a hundred thousand,
//! and against the database reading the records themselves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use dash_api::data::{Append, Grid, NewRecord, NewRun, Order, Question, RunTrigger, Width};
use dash_shared::ids::{PipelineId, TeamId};
use dash_shared::queries::{Aggregate, Measure};
use dash_tests::TestApp;
use serde_json::Value;

use super::rows::record;
use crate::report::{Goal, Measurement};

const MANY: usize = 10_000_000;
const FEW: usize = 100_000;
const COMMIT: usize = 10_000;
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
const END_MS: i64 = 1_795_348_800_000;
const TIMES: i64 = 21;

/// Measures.
pub async fn measure() -> Vec<Measurement> {
    let app = TestApp::builder().on_sqlite().start().await;
    let few = fill(&app, FEW).await;
    let many = fill(&app, MANY).await;
    let baseline = median(&app, &lines(few)).await;
    let value = median(&app, &lines(many)).await;
    let grouped = median(&app, &top_customers(many)).await;
    let scan = full_scan(&app, many);
    app.stop().await;
    vec![
        Measurement {
            name: "line, 30 days by hour, 10 million records".to_owned(),
            value,
            unit: "ms",
            baseline,
            goal: Goal::RatioAtMost(2.0),
        },
        Measurement {
            name: "the same, in milliseconds".to_owned(),
            value,
            unit: "ms",
            baseline,
            goal: Goal::AtMost(20.0),
        },
        Measurement {
            name: "top 10 of 1,000 groups, 7 days, 10 million records".to_owned(),
            value: grouped,
            unit: "ms",
            baseline: scan,
            goal: Goal::RatioAtMost(0.02),
        },
    ]
}

/// Stores so many records, spread over thirty days.
async fn fill(app: &TestApp, count: usize) -> PipelineId {
    let pipeline_id = PipelineId::new();
    let team_id = TeamId::new();
    let step = 30 * DAY_MS / i64::try_from(count).expect("a count");
    for first in (0..count).step_by(COMMIT) {
        let records = (first..first + COMMIT)
            .map(|number| {
                let Value::Object(fields) = record(number) else {
                    unreachable!("a record is an object")
                };
                let time_ms =
                    END_MS - 30 * DAY_MS + i64::try_from(number).expect("a number") * step;
                NewRecord {
                    key: None,
                    time_ms,
                    received_at_ms: time_ms,
                    json: serde_json::to_string(&fields).expect("it is JSON"),
                    fields: Arc::new(fields),
                }
            })
            .collect();
        let run = NewRun {
            team_id,
            pipeline_id,
            batch_key: None,
            trigger: RunTrigger::Webhook,
            started_at_ms: END_MS,
            finished_at_ms: END_MS,
            received: i64::try_from(COMMIT).expect("a count"),
            dropped: 0,
            held: 0,
            failed: 0,
            record_errors: Vec::new(),
            error: None,
        };
        let append = Append::new(run, records);
        app.app.store.append(append).await.expect("it is stored");
    }
    pipeline_id
}

fn lines(pipeline_id: PipelineId) -> Question {
    Question {
        pipeline_id,
        span: (END_MS - 30 * DAY_MS, END_MS),
        grid: Some(Grid {
            width: Width::Seconds(3_600),
            zone: Tz::UTC,
        }),
        measures: vec![Measure {
            aggregate: Aggregate::Sum,
            field: Some("total_eur".parse().expect("a path")),
        }],
        filters: Vec::new(),
        group_by: None,
        order: Order::LargestFirst,
        skip: 0,
        first: 10,
    }
}

fn top_customers(pipeline_id: PipelineId) -> Question {
    Question {
        span: (END_MS - 7 * DAY_MS, END_MS),
        grid: None,
        group_by: Some("customer".parse().expect("a path")),
        ..lines(pipeline_id)
    }
}

/// The median time of an answer, in milliseconds. Each time the question is a little different, so
/// that no answer is remembered.
async fn median(app: &TestApp, question: &Question) -> f64 {
    let store = &app.app.store;
    // The first question makes the roll-ups; the next ones find them.
    while store.answer(question).await.is_err() {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    store
        .catch_up_rollups(question.pipeline_id)
        .await
        .expect("the roll-ups are made");
    let mut times = Vec::new();
    for hours in 1..=TIMES {
        let question = Question {
            span: (question.span.0 + hours * HOUR_MS, question.span.1),
            ..question.clone()
        };
        let began = Instant::now();
        store.answer(&question).await.expect("there is an answer");
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// How long the database takes to read the records of the same question, in milliseconds.
fn full_scan(app: &TestApp, pipeline_id: PipelineId) -> f64 {
    let database = rusqlite::Connection::open(app.sqlite_file()).expect("the file can be opened");
    let began = Instant::now();
    let mut statement = database
        .prepare(
            "SELECT json_extract(fields, '$.customer') AS customer, \
             SUM(json_extract(fields, '$.total_eur')) AS total FROM records \
             WHERE pipeline_id = ?1 AND time_ms >= ?2 AND time_ms < ?3 \
             GROUP BY customer ORDER BY total DESC LIMIT 10",
        )
        .expect("the statement is right");
    let names = statement
        .query_map(
            (pipeline_id.uuid().as_bytes(), END_MS - 7 * DAY_MS, END_MS),
            |row| row.get::<_, String>(0),
        )
        .expect("the records are read");
    assert_eq!(names.count(), 10);
    began.elapsed().as_secs_f64() * 1_000.0
}
