//! Questions about records: whatever is stored, deleted, counted ahead or counted again, on either
//! database, the answers are those of a naive count of the records themselves.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a few thousand, and sums of thousandths"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate};
use chrono_tz::Tz;
use dash_api::data::{
    Amendment, Answer, Append, Grid, NewRecord, NewRun, Order, Question, RecordStore, RunTrigger,
    Width,
};
use dash_shared::fields::{FieldPath, Fields};
use dash_shared::ids::{PipelineId, TeamId};
use dash_shared::queries::{Aggregate, Comparison, Filter, Measure};
use dash_tests::TestApp;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Midnight in Berlin, nine days before clocks are put back there.
const BEGIN: i64 = 1_792_101_600_000;
/// So few records make it worth to use roll-ups.
const ENOUGH: usize = 5_000;

#[derive(Clone, Debug)]
struct Row {
    seq: i64,
    time_ms: i64,
    received_at_ms: i64,
    fields: Fields,
}

/// The same as the store should have, in memory.
#[derive(Default)]
struct Model {
    rows: Vec<Row>,
    last_seq: i64,
}

struct World {
    app: TestApp,
    model: Model,
    pipeline: PipelineId,
    received_at_ms: i64,
}

impl World {
    async fn new() -> Self {
        Self {
            app: TestApp::start().await,
            model: Model::default(),
            pipeline: PipelineId::new(),
            received_at_ms: BEGIN,
        }
    }

    fn store(&self) -> &RecordStore {
        &self.app.app.store
    }

    async fn append(&mut self, rows: Vec<(i64, Fields)>) {
        self.received_at_ms += MINUTE;
        let received_at_ms = self.received_at_ms;
        let records = rows.into_iter().map(|(time_ms, fields)| {
            self.model.last_seq += 1;
            self.model.rows.push(Row {
                seq: self.model.last_seq,
                time_ms,
                received_at_ms,
                fields: fields.clone(),
            });
            new_record(time_ms, received_at_ms, fields)
        });
        let records: Vec<_> = records.collect();
        let run = new_run(self.pipeline, records.len(), received_at_ms);
        self.store()
            .append(Append::new(run, records))
            .await
            .unwrap();
    }

    /// Deletes what came in before a time.
    async fn trim(&mut self, before_ms: i64) {
        self.store().trim(self.pipeline, before_ms).await.unwrap();
        self.model
            .rows
            .retain(|row| row.received_at_ms >= before_ms);
    }

    /// Changes some records and deletes others.
    async fn amend(&mut self, changes: Vec<(usize, Option<(i64, Fields)>)>) {
        let mut amendments = BTreeMap::new();
        for (place, change) in changes {
            let row = &mut self.model.rows[place];
            let amendment = match &change {
                None => Amendment::Delete,
                Some((time_ms, fields)) => {
                    (row.time_ms, row.fields) = (*time_ms, fields.clone());
                    Amendment::Replace {
                        time_ms: *time_ms,
                        fields: Arc::new(fields.clone()),
                        json: serde_json::to_string(fields).unwrap(),
                    }
                }
            };
            amendments.insert(row.seq, amendment);
        }
        let count = amendments.len();
        let gone: Vec<i64> = amendments
            .iter()
            .filter(|(_, amendment)| matches!(amendment, Amendment::Delete))
            .map(|(seq, _)| *seq)
            .collect();
        let before = self.store().amend(self.pipeline, amendments).await.unwrap();
        assert_eq!(before.len(), count);
        self.model.rows.retain(|row| !gone.contains(&row.seq));
    }

    async fn check(&self, question: &Question) {
        let answer = self.store().answer(question).await.unwrap();
        let expected = self.model.answer(question);
        assert_close(&answer, &expected, question);
    }
}

fn new_record(time_ms: i64, received_at_ms: i64, fields: Fields) -> NewRecord {
    NewRecord {
        key: None,
        json: serde_json::to_string(&fields).unwrap(),
        time_ms,
        received_at_ms,
        fields: Arc::new(fields),
    }
}

fn new_run(pipeline_id: PipelineId, count: usize, at_ms: i64) -> NewRun {
    NewRun {
        team_id: TeamId::new(),
        pipeline_id,
        batch_key: None,
        trigger: RunTrigger::Webhook,
        started_at_ms: at_ms,
        finished_at_ms: at_ms,
        received: i64::try_from(count).unwrap(),
        dropped: 0,
        held: 0,
        failed: 0,
        record_errors: Vec::new(),
        error: None,
    }
}

impl Model {
    fn answer(&self, question: &Question) -> Answer {
        let rows: Vec<&Row> = self
            .rows
            .iter()
            .filter(|row| (question.span.0..question.span.1).contains(&row.time_ms))
            .filter(|row| {
                question
                    .filters
                    .iter()
                    .all(|filter| filter.matches(&row.fields))
            })
            .collect();
        let times_ms = times(question);
        let place = |row: &Row| {
            times_ms
                .iter()
                .rposition(|start| *start <= row.time_ms)
                .unwrap()
        };
        let mut groups: BTreeMap<Option<String>, Vec<&Row>> = BTreeMap::new();
        if question.group_by.is_none() {
            groups.insert(None, Vec::new());
        }
        for row in &rows {
            let name = question.group_by.as_ref().and_then(|path| text(row, path));
            groups.entry(name).or_default().push(row);
        }
        let mut told: Vec<_> = groups
            .into_iter()
            .map(|(name, rows)| {
                let totals = question
                    .measures
                    .iter()
                    .map(|measure| value(&rows, measure));
                let mut buckets: Vec<Vec<&Row>> = vec![Vec::new(); times_ms.len()];
                for row in &rows {
                    buckets[place(row)].push(row);
                }
                let values = question
                    .measures
                    .iter()
                    .map(|measure| buckets.iter().map(|rows| value(rows, measure)).collect());
                let name = match (name, &question.group_by) {
                    (Some(name), _) => name,
                    (None, Some(_)) => "(none)".to_owned(),
                    (None, None) => String::new(),
                };
                dash_api::data::AnswerGroup {
                    name,
                    totals: totals.collect(),
                    values: values.collect(),
                }
            })
            .collect();
        let group_count = told.len();
        if question.order == Order::LargestFirst {
            let size =
                |group: &dash_api::data::AnswerGroup| group.totals[0].unwrap_or(f64::NEG_INFINITY);
            told.sort_by(|a, b| size(b).total_cmp(&size(a)));
        }
        let groups = told
            .into_iter()
            .skip(question.skip)
            .take(question.first)
            .collect();
        Answer {
            times_ms,
            groups,
            group_count,
            record_count: 0,
            last_seq: self.last_seq,
        }
    }
}

/// Where buckets begin, told by the calendar in the plainest way: by looking at every quarter hour.
fn times(question: &Question) -> Vec<i64> {
    let (from_ms, to_ms) = question.span;
    let Some(grid) = question.grid else {
        return vec![from_ms];
    };
    let name = |ms: i64| -> (NaiveDate, i64) {
        let local = DateTime::from_timestamp_millis(ms)
            .unwrap()
            .with_timezone(&grid.zone);
        let date = local.date_naive();
        match grid.width {
            Width::Seconds(seconds) => {
                let width_ms = i64::from(seconds) * 1_000;
                let midnight = (0..=100)
                    .map(|quarter| ms - ms.rem_euclid(15 * MINUTE) - quarter * 15 * MINUTE)
                    .take_while(|ms| {
                        let time = DateTime::from_timestamp_millis(*ms).unwrap();
                        time.with_timezone(&grid.zone).date_naive() == date
                    })
                    .last()
                    .unwrap();
                (date, (ms - midnight) / width_ms)
            }
            Width::Days(_) => (date, 0),
            Width::Week => (
                date - chrono::Days::new(date.weekday().num_days_from_monday().into()),
                0,
            ),
            Width::Month => (date.with_day(1).unwrap(), 0),
        }
    };
    let step = match grid.width {
        Width::Seconds(seconds) if seconds < 900 => i64::from(seconds) * 1_000,
        _ => 15 * MINUTE,
    };
    let mut starts = vec![from_ms];
    let mut at = from_ms - from_ms.rem_euclid(step) + step;
    let mut last = name(from_ms);
    while at < to_ms {
        let now = name(at);
        if now != last {
            starts.push(at);
            last = now;
        }
        at += step;
    }
    starts
}

fn text(row: &Row, path: &FieldPath) -> Option<String> {
    match path.get(&row.fields)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn value(rows: &[&Row], measure: &Measure) -> Option<f64> {
    let Some(path) = &measure.field else {
        return Some(rows.len() as f64);
    };
    let mut numbers: Vec<(i64, i64, f64)> = rows
        .iter()
        .filter_map(|row| Some((row.time_ms, row.seq, path.get(&row.fields)?.as_f64()?)))
        .collect();
    numbers.sort_by_key(|(time, seq, _)| (*time, *seq));
    let mut values: Vec<f64> = numbers.iter().map(|(_, _, value)| *value).collect();
    // Values are thousandths: their sum is exact in whole numbers.
    let sum = values
        .iter()
        .map(|value| (value * 1_000.0).round() as i64)
        .sum::<i64>() as f64
        / 1_000.0;
    values.sort_by(f64::total_cmp);
    let quantile = |q: f64| {
        let rank = (q * (values.len() as f64 - 1.0)) as usize;
        values.get(rank).copied()
    };
    match measure.aggregate {
        Aggregate::Count => {
            Some(rows.iter().filter(|row| text(row, path).is_some()).count() as f64)
        }
        Aggregate::Sum => Some(sum),
        Aggregate::Avg => (!values.is_empty()).then(|| sum / values.len() as f64),
        Aggregate::Min => values.first().copied(),
        Aggregate::Max => values.last().copied(),
        Aggregate::First => numbers.first().map(|(_, _, value)| *value),
        Aggregate::Last => numbers.last().map(|(_, _, value)| *value),
        Aggregate::P50 => quantile(0.5),
        Aggregate::P95 => quantile(0.95),
        Aggregate::P99 => quantile(0.99),
        Aggregate::Distinct => {
            let mut seen: Vec<String> = rows
                .iter()
                .filter_map(|row| Some(path.get(&row.fields)?.to_string()))
                .filter(|text| text != "null")
                .collect();
            seen.sort();
            seen.dedup();
            Some(seen.len() as f64)
        }
    }
}

fn assert_close(answer: &Answer, expected: &Answer, question: &Question) {
    assert_eq!(answer.times_ms, expected.times_ms, "{question:?}");
    assert_eq!(answer.group_count, expected.group_count, "{question:?}");
    let is_sketch = |measure: &Measure| {
        matches!(
            measure.aggregate,
            Aggregate::P50 | Aggregate::P95 | Aggregate::P99
        )
    };
    let is_estimate =
        |measure: &Measure, value: f64| measure.aggregate == Aggregate::Distinct && value > 256.0;
    let same = |measure: usize, a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) if is_sketch(&question.measures[measure]) => {
            (a - b).abs() <= 0.011 * b.abs() + 1e-6
        }
        (Some(a), Some(b)) if is_estimate(&question.measures[measure], b) => {
            (a - b).abs() <= 0.06 * b
        }
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs(),
        (a, b) => a == b,
    };
    assert_eq!(answer.groups.len(), expected.groups.len(), "{question:?}");
    for (group, wanted) in answer.groups.iter().zip(&expected.groups) {
        // Groups of the same size may come in any order; those of a page were compared as a whole.
        if !is_sketch(&question.measures[0]) {
            assert_eq!(group.name, wanted.name, "{question:?}");
        }
        for (measure, (a, b)) in group.totals.iter().zip(&wanted.totals).enumerate() {
            assert!(
                same(measure, *a, *b),
                "{a:?} is not {b:?}: {} {question:?}",
                group.name
            );
        }
        for (measure, (a, b)) in group.values.iter().zip(&wanted.values).enumerate() {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                assert!(
                    same(measure, *a, *b),
                    "{a:?} is not {b:?}: {} bucket {at} {question:?}",
                    group.name
                );
            }
        }
    }
}

fn draw<T: std::fmt::Debug>(runner: &mut TestRunner, strategy: impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).unwrap().current()
}

/// A runner that draws the same for the same seed.
fn runner(seed: u8) -> TestRunner {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    TestRunner::new_with_rng(Config::default(), rng)
}

fn fields() -> impl Strategy<Value = Fields> {
    let number = (-50_000i64..50_000).prop_map(|n| json!(n as f64 / 1_000.0));
    let value = prop_oneof![
        6 => number,
        1 => Just(json!("text")),
        1 => Just(Value::Null),
        1 => (0i64..5).prop_map(|n| json!(n)),
    ];
    let place = prop_oneof![
        8 => prop::sample::select(vec!["Lyon", "Oslo", "Bari", "7", "7.0"]).prop_map(|t| json!(t)),
        1 => Just(json!(7)),
        1 => Just(Value::Null),
    ];
    (value, place, prop::option::of(0i64..40)).prop_map(|(v, city, n)| {
        let mut fields = Fields::new();
        fields.insert("v".to_owned(), v);
        fields.insert("place".to_owned(), json!({ "city": city }));
        if let Some(n) = n {
            fields.insert("n".to_owned(), json!(n));
        }
        fields
    })
}

/// Times that are mostly near each other, as they come, and sometimes late or ahead.
fn time(now_ms: i64) -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => (0..10 * MINUTE).prop_map(move |back| now_ms - back),
        1 => (0..20 * DAY).prop_map(move |back| now_ms - back),
        1 => (0..3 * DAY).prop_map(move |ahead| now_ms + ahead),
    ]
}

fn question(pipeline_id: PipelineId, now_ms: i64) -> impl Strategy<Value = Question> {
    let round = prop::sample::select(vec![1, MINUTE, 15 * MINUTE, HOUR, DAY]);
    let measure = prop::sample::select(Aggregate::ALL.to_vec()).prop_flat_map(|(aggregate, _)| {
        let field = prop::sample::select(vec!["v", "n", "place.city", "nowhere"]);
        field.prop_map(move |field| match field {
            "nowhere" if aggregate == Aggregate::Count => Measure::COUNT,
            field => Measure {
                aggregate,
                field: Some(field.parse().unwrap()),
            },
        })
    });
    let width = prop::sample::select(vec![
        None,
        Some(Width::Seconds(900)),
        Some(Width::Seconds(3_600)),
        Some(Width::Seconds(21_600)),
        Some(Width::Days(1)),
        Some(Width::Week),
        Some(Width::Month),
    ]);
    let zone = prop::sample::select(vec![Tz::UTC, Tz::Europe__Berlin, Tz::Asia__Kolkata]);
    let filter = prop_oneof![
        3 => Just(None),
        1 => prop::sample::select(vec!["Lyon", "7", "Nowhere"]).prop_map(|value| Some(Filter {
            field: "place.city".parse().unwrap(),
            comparison: Comparison::Equal,
            value: value.to_owned(),
        })),
        1 => (-50i64..50).prop_map(|value| Some(Filter {
            field: "v".parse().unwrap(),
            comparison: Comparison::Greater,
            value: value.to_string(),
        })),
    ];
    let group = prop::sample::select(vec![None, Some("place.city"), Some("n")]);
    (
        (0..20 * DAY, 1..12 * DAY, round),
        prop::collection::vec(measure, 1..3),
        (width, zone),
        filter,
        group,
        prop::sample::select(vec![Order::ByName, Order::LargestFirst]),
        (0usize..3, 1usize..30),
    )
        .prop_map(
            move |((back, length, round), measures, (width, zone), filter, group, order, page)| {
                let from_ms = (now_ms - back).div_euclid(round) * round;
                Question {
                    pipeline_id,
                    span: (from_ms, from_ms + (length.div_euclid(round) + 1) * round),
                    grid: width.map(|width| Grid { width, zone }),
                    measures,
                    filters: filter.into_iter().collect(),
                    group_by: group.map(|group| group.parse().unwrap()),
                    // Sizes that are estimated may tie where the true ones do not.
                    order,
                    skip: page.0,
                    first: page.1,
                }
            },
        )
        .prop_map(|mut question| {
            let estimated = matches!(
                question.measures[0].aggregate,
                Aggregate::P50 | Aggregate::P95 | Aggregate::P99
            );
            if estimated {
                question.order = Order::ByName;
            }
            question
        })
}

async fn live_through(seed: u8) {
    let mut world = World::new().await;
    let mut runner = runner(seed);
    let mut now_ms = BEGIN;
    // Enough for roll-ups to be used, over some days.
    while world.model.rows.len() < ENOUGH + 500 {
        now_ms += draw(&mut runner, HOUR..8 * HOUR);
        let rows = prop::collection::vec((time(now_ms), fields()), 100..400);
        let rows = draw(&mut runner, rows);
        world.append(rows).await;
    }
    for round in 0..6 {
        for _ in 0..12 {
            let question = draw(&mut runner, question(world.pipeline, now_ms));
            // The first time a view is made; then it is behind, then it has caught up.
            world.check(&question).await;
            if draw(&mut runner, any::<bool>()) {
                world
                    .store()
                    .catch_up_rollups(world.pipeline)
                    .await
                    .unwrap();
                world.check(&question).await;
            }
        }
        now_ms += draw(&mut runner, MINUTE..DAY);
        let rows = prop::collection::vec((time(now_ms), fields()), 1..900);
        let rows = draw(&mut runner, rows);
        world.append(rows).await;
        let changed = prop::collection::btree_map(
            0..world.model.rows.len(),
            prop::option::of((time(now_ms), fields())),
            1..40,
        );
        let changed = draw(&mut runner, changed);
        world.amend(changed.into_iter().collect()).await;
        if round % 2 == 1 {
            let oldest = world.model.rows[0].received_at_ms;
            world
                .trim(oldest + draw(&mut runner, MINUTE..3 * MINUTE))
                .await;
        }
    }
    let questions: Vec<_> = (0..20)
        .map(|_| draw(&mut runner, question(world.pipeline, now_ms)))
        .collect();
    world
        .store()
        .catch_up_rollups(world.pipeline)
        .await
        .unwrap();
    let mut before = Vec::new();
    for question in &questions {
        before.push(world.store().answer(question).await.unwrap());
    }
    assert!(world.store().rebuild_rollups().await.unwrap() > 0);
    // What was answered before is not remembered: a revision has passed.
    let rows = vec![(now_ms + 30 * DAY, Fields::new())];
    world.append(rows).await;
    for (question, before) in questions.iter().zip(before) {
        let mut rebuilt = world.store().answer(question).await.unwrap();
        rebuilt.last_seq = before.last_seq;
        assert_eq!(
            rebuilt, before,
            "incremental and rebuilt agree: {question:?}"
        );
        world.check(question).await;
    }
}

#[tokio::test]
async fn answers_are_those_of_a_naive_count_whatever_happened_1() {
    live_through(1).await;
}

#[tokio::test]
async fn answers_are_those_of_a_naive_count_whatever_happened_2() {
    live_through(2).await;
}

#[tokio::test]
async fn answers_are_those_of_a_naive_count_whatever_happened_3() {
    live_through(3).await;
}
