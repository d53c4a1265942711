//! The arithmetic of queries: cells that records are added to one by one, by bucket and group. The
//! same code counts a whole range once and every new record after that, so a live result and a
//! fresh one agree.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use dash_shared::fields::FieldPath;
use dash_shared::ids::PipelineId;
use dash_shared::ranges::{TimeRange, Window};
use dash_shared::widgets::{Aggregate, MAX_SERIES};
use serde_json::Value;

use super::StoredRecord;

/// How many buckets a figure's sparkline has, about.
const SPARKLINE_BUCKETS: i64 = 48;
/// How many buckets a line has, about.
const LINE_BUCKETS: i64 = 96;
/// How many groups are counted; records of further groups are left out.
const MAX_GROUPS: usize = 1_000;
/// What a record without a value for the grouping field counts as.
const NO_GROUP: &str = "(none)";
/// How long the rate of records looks back.
pub(super) const RATE_MS: i64 = 60_000;

/// A question about a pipeline's records in a time range.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// One figure for the range, the one for the range before it, and its course.
    Figure {
        /// Whose records.
        pipeline_id: PipelineId,
        /// How values become one.
        aggregate: Aggregate,
        /// Of which field.
        field: Option<FieldPath>,
    },
    /// A figure for each bucket, in all or for each of the largest groups.
    Lines {
        /// Whose records.
        pipeline_id: PipelineId,
        /// How values become one.
        aggregate: Aggregate,
        /// Of which field.
        field: Option<FieldPath>,
        /// The field whose values make the groups.
        group_by: Option<FieldPath>,
    },
    /// The newest records.
    Latest {
        /// Whose records.
        pipeline_id: PipelineId,
        /// How many.
        limit: usize,
    },
}

impl Query {
    /// Whose records it is about.
    pub const fn pipeline_id(&self) -> PipelineId {
        match self {
            Self::Figure { pipeline_id, .. }
            | Self::Lines { pipeline_id, .. }
            | Self::Latest { pipeline_id, .. } => *pipeline_id,
        }
    }

    pub(super) fn window(&self, range: &TimeRange, now_ms: i64) -> Window {
        match self {
            Self::Figure { .. } => range.window(now_ms, SPARKLINE_BUCKETS),
            Self::Lines { .. } | Self::Latest { .. } => range.window(now_ms, LINE_BUCKETS),
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The group's value; empty when nothing is grouped.
    pub name: String,
    /// One value for each bucket.
    pub values: Vec<Option<f64>>,
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, PartialEq)]
pub enum QueryResult {
    /// To [`Query::Figure`].
    Figure {
        /// For the range.
        value: Option<f64>,
        /// For the range of the same length before it.
        previous: Option<f64>,
        /// For each bucket up to now.
        sparkline: Vec<Option<f64>>,
    },
    /// To [`Query::Lines`].
    Lines {
        /// How wide a bucket is.
        bucket_ms: i64,
        /// Where each bucket begins, in milliseconds since 1970.
        times_ms: Vec<i64>,
        /// The lines, the largest first.
        series: Vec<Series>,
    },
    /// To [`Query::Latest`].
    Latest {
        /// The records, the newest first.
        records: Vec<Arc<StoredRecord>>,
        /// How many came in during the last minute.
        records_per_minute: i64,
    },
}

/// What is known of the records of one bucket and group.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    records: u64,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    /// The newest value, with the time and number of its record.
    last: Option<(i64, i64, f64)>,
}

impl Cell {
    fn add(&mut self, record: &StoredRecord, field: Option<&FieldPath>) {
        let value = match field {
            None => {
                self.records += 1;
                return;
            }
            Some(field) => field.get(&record.fields),
        };
        match value {
            None | Some(Value::Null) => return,
            Some(_) => self.records += 1,
        }
        let Some(number) = value.and_then(Value::as_f64) else {
            return;
        };
        self.merge(&Self {
            records: 0,
            count: 1,
            sum: number,
            min: number,
            max: number,
            last: Some((record.time_ms, record.seq, number)),
        });
    }

    fn merge(&mut self, other: &Self) {
        self.records += other.records;
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            (self.min, self.max) = (other.min, other.max);
        }
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        let order = |last: &Option<(i64, i64, f64)>| last.map(|(time, seq, _)| (time, seq));
        if order(&other.last) > order(&self.last) {
            self.last = other.last;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    fn value(&self, aggregate: Aggregate) -> Option<f64> {
        let some = self.count > 0;
        match aggregate {
            Aggregate::Count => Some(self.records as f64),
            Aggregate::Sum => Some(self.sum),
            Aggregate::Avg => some.then(|| self.sum / self.count as f64),
            Aggregate::Min => some.then_some(self.min),
            Aggregate::Max => some.then_some(self.max),
            Aggregate::Last => self.last.map(|(_, _, value)| value),
        }
    }
}

/// A query's running state: add records, move on with the time, read the result.
#[derive(Debug)]
pub(super) struct State {
    query: Query,
    range: TimeRange,
    groups: HashMap<String, BTreeMap<i64, Cell>>,
    latest: BTreeMap<(i64, i64), Arc<StoredRecord>>,
    arrivals: VecDeque<(i64, i64)>,
}

impl State {
    pub(super) fn new(query: Query, range: TimeRange) -> Self {
        Self {
            query,
            range,
            groups: HashMap::new(),
            latest: BTreeMap::new(),
            arrivals: VecDeque::new(),
        }
    }

    /// The first millisecond of the records that the result depends on.
    pub(super) fn needed_from_ms(&self, now_ms: i64) -> i64 {
        let window = self.query.window(&self.range, now_ms);
        match self.query {
            Query::Figure { .. } => window.before().from_ms,
            Query::Lines { .. } | Query::Latest { .. } => window.from_ms,
        }
    }

    /// How long the result stays the same when no record comes.
    pub(super) fn stable_for_ms(&self, now_ms: i64) -> i64 {
        let window = self.query.window(&self.range, now_ms);
        match (&self.query, self.range) {
            (Query::Latest { .. }, _) => 5_000,
            (_, TimeRange::Last { .. }) => window.bucket_of(now_ms) + window.bucket_ms - now_ms,
            (_, TimeRange::Between { .. }) => i64::from(u32::MAX),
        }
    }

    /// Counts a record that came in, whenever it happened. The order is that of their coming in.
    pub(super) fn arrive(&mut self, received_at_ms: i64) {
        match self.arrivals.back_mut() {
            Some((at_ms, count)) if *at_ms == received_at_ms => *count += 1,
            _ => self.arrivals.push_back((received_at_ms, 1)),
        }
    }

    /// Adds a record to the result; arrivals are counted by [`Self::arrive`].
    pub(super) fn add(&mut self, record: &StoredRecord, now_ms: i64) {
        let window = self.query.window(&self.range, now_ms);
        // A little of the future is kept until it comes; a clock that is far off fills no memory.
        let needed_to_ms = match self.range {
            TimeRange::Last { .. } => 2 * window.to_ms - window.from_ms,
            TimeRange::Between { .. } => window.to_ms,
        };
        if !(self.needed_from_ms(now_ms)..needed_to_ms).contains(&record.time_ms) {
            return;
        }
        match &self.query {
            Query::Latest { limit, .. } => {
                if window.contains(record.time_ms) {
                    self.latest
                        .insert((record.time_ms, record.seq), Arc::new(record.clone()));
                    if self.latest.len() > *limit {
                        self.latest.pop_first();
                    }
                }
            }
            Query::Figure { field, .. } => {
                let field = field.clone();
                self.cell(
                    String::new(),
                    window.bucket_of(record.time_ms),
                    record,
                    field.as_ref(),
                );
            }
            Query::Lines {
                field, group_by, ..
            } => {
                let name = group_by.as_ref().map_or_else(String::new, |path| {
                    match path.get(&record.fields) {
                        None | Some(Value::Null) => NO_GROUP.to_owned(),
                        Some(Value::String(text)) => text.clone(),
                        Some(other) => other.to_string(),
                    }
                });
                let field = field.clone();
                self.cell(
                    name,
                    window.bucket_of(record.time_ms),
                    record,
                    field.as_ref(),
                );
            }
        }
    }

    fn cell(
        &mut self,
        name: String,
        bucket: i64,
        record: &StoredRecord,
        field: Option<&FieldPath>,
    ) {
        if self.groups.len() >= MAX_GROUPS && !self.groups.contains_key(&name) {
            return;
        }
        self.groups
            .entry(name)
            .or_default()
            .entry(bucket)
            .or_default()
            .add(record, field);
    }

    /// Forgets what the result no longer depends on.
    pub(super) fn forget(&mut self, now_ms: i64) {
        let needed_from_ms = self.needed_from_ms(now_ms);
        for buckets in self.groups.values_mut() {
            *buckets = buckets.split_off(&needed_from_ms);
        }
        self.groups.retain(|_, buckets| !buckets.is_empty());
        self.latest = self.latest.split_off(&(needed_from_ms, 0));
        while self
            .arrivals
            .front()
            .is_some_and(|(at_ms, _)| *at_ms <= now_ms - RATE_MS)
        {
            self.arrivals.pop_front();
        }
    }

    pub(super) fn result(&self, now_ms: i64) -> QueryResult {
        let window = self.query.window(&self.range, now_ms);
        match &self.query {
            Query::Figure { aggregate, .. } => {
                let empty = BTreeMap::new();
                let buckets = self.groups.get("").unwrap_or(&empty);
                QueryResult::Figure {
                    value: total(buckets, &window).value(*aggregate),
                    previous: total(buckets, &window.before()).value(*aggregate),
                    sparkline: values(buckets, &window, now_ms, *aggregate),
                }
            }
            Query::Lines { aggregate, .. } => self.lines(*aggregate, &window, now_ms),
            Query::Latest { .. } => QueryResult::Latest {
                records: self.latest.values().rev().cloned().collect(),
                records_per_minute: self
                    .arrivals
                    .iter()
                    .filter(|(at_ms, _)| *at_ms > now_ms - RATE_MS)
                    .map(|(_, count)| count)
                    .sum(),
            },
        }
    }

    fn lines(&self, aggregate: Aggregate, window: &Window, now_ms: i64) -> QueryResult {
        let mut groups: Vec<_> = self
            .groups
            .iter()
            .map(|(name, buckets)| (name, buckets, total(buckets, window)))
            .filter(|(_, _, total)| total.records > 0)
            .collect();
        groups.sort_by(|(a_name, _, a), (b_name, _, b)| {
            let size = |cell: &Cell| cell.value(aggregate).map_or(0.0, f64::abs);
            size(b).total_cmp(&size(a)).then_with(|| a_name.cmp(b_name))
        });
        QueryResult::Lines {
            bucket_ms: window.bucket_ms,
            times_ms: window
                .bucket_starts()
                .take_while(|start| *start <= now_ms)
                .collect(),
            series: groups
                .into_iter()
                .take(MAX_SERIES)
                .map(|(name, buckets, _)| Series {
                    name: name.clone(),
                    values: values(buckets, window, now_ms, aggregate),
                })
                .collect(),
        }
    }
}

fn total(buckets: &BTreeMap<i64, Cell>, window: &Window) -> Cell {
    let mut total = Cell::default();
    for cell in buckets
        .range(window.from_ms..window.to_ms)
        .map(|(_, cell)| cell)
    {
        total.merge(cell);
    }
    total
}

fn values(
    buckets: &BTreeMap<i64, Cell>,
    window: &Window,
    now_ms: i64,
    aggregate: Aggregate,
) -> Vec<Option<f64>> {
    window
        .bucket_starts()
        .take_while(|start| *start <= now_ms)
        .map(|start| {
            buckets
                .get(&start)
                .unwrap_or(&Cell::default())
                .value(aggregate)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW_MS: i64 = 1_763_779_000_000;
    const HOUR: TimeRange = TimeRange::Last { seconds: 3_600 };

    fn record(seq: i64, age_ms: i64, fields: Value) -> StoredRecord {
        StoredRecord {
            seq,
            time_ms: NOW_MS - age_ms,
            received_at_ms: NOW_MS - age_ms,
            fields: Arc::new(fields.as_object().unwrap().clone()),
        }
    }

    fn figure(aggregate: Aggregate, records: &[StoredRecord]) -> (Option<f64>, Option<f64>) {
        let query = Query::Figure {
            pipeline_id: PipelineId::new(),
            aggregate,
            field: (aggregate != Aggregate::Count).then(|| "v".parse().unwrap()),
        };
        let mut state = State::new(query, HOUR);
        for record in records {
            state.add(record, NOW_MS);
        }
        match state.result(NOW_MS) {
            QueryResult::Figure {
                value,
                previous,
                sparkline,
            } => {
                assert!(sparkline.len() >= 30, "{}", sparkline.len());
                (value, previous)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn figures_are_right_for_the_range_and_the_one_before() {
        let minute = 60_000;
        let records = [
            record(1, 90 * minute, json!({"v": 100})),
            record(2, 30 * minute, json!({"v": 1})),
            record(4, minute, json!({"v": 4})),
            record(3, 2 * minute, json!({"v": -2})),
            record(5, minute, json!({"v": "text"})),
            record(6, minute, json!({"v": null})),
            record(7, 500 * minute, json!({"v": 9})),
        ];
        assert_eq!(figure(Aggregate::Count, &records), (Some(5.0), Some(1.0)));
        assert_eq!(figure(Aggregate::Sum, &records), (Some(3.0), Some(100.0)));
        assert_eq!(figure(Aggregate::Avg, &records), (Some(1.0), Some(100.0)));
        assert_eq!(figure(Aggregate::Min, &records), (Some(-2.0), Some(100.0)));
        assert_eq!(figure(Aggregate::Max, &records), (Some(4.0), Some(100.0)));
        assert_eq!(figure(Aggregate::Last, &records), (Some(4.0), Some(100.0)));
        assert_eq!(figure(Aggregate::Avg, &[]), (None, None));
        assert_eq!(figure(Aggregate::Count, &[]), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn lines_are_one_for_each_group_the_largest_first() {
        let query = Query::Lines {
            pipeline_id: PipelineId::new(),
            aggregate: Aggregate::Count,
            field: None,
            group_by: Some("c".parse().unwrap()),
        };
        let mut state = State::new(query, HOUR);
        for (seq, group) in (1..).zip(["a", "b", "b"]) {
            state.add(&record(seq, 1_000, json!({"c": group})), NOW_MS);
        }
        state.add(&record(9, 1_000, json!({})), NOW_MS);
        let QueryResult::Lines {
            times_ms, series, ..
        } = state.result(NOW_MS)
        else {
            panic!()
        };
        let names: Vec<_> = series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["b", "(none)", "a"]);
        assert!(
            series
                .iter()
                .all(|series| series.values.len() == times_ms.len())
        );
        let sum: f64 = series[0].values.iter().flatten().sum();
        assert_eq!(Some(sum), Some(2.0));
    }

    #[test]
    fn what_has_left_the_range_is_forgotten() {
        let query = Query::Latest {
            pipeline_id: PipelineId::new(),
            limit: 2,
        };
        let mut state = State::new(query, HOUR);
        for seq in 1..=3 {
            let record = record(seq, 10_000 - seq, json!({}));
            state.add(&record, NOW_MS);
            state.arrive(record.received_at_ms);
        }
        let shown = |state: &State, now_ms| match state.result(now_ms) {
            QueryResult::Latest {
                records,
                records_per_minute,
            } => (
                records.iter().map(|record| record.seq).collect::<Vec<_>>(),
                records_per_minute,
            ),
            other => panic!("{other:?}"),
        };
        assert_eq!(shown(&state, NOW_MS), (vec![3, 2], 3));
        let later = NOW_MS + 2 * 3_600_000;
        state.forget(later);
        assert_eq!(shown(&state, later), (vec![], 0));
    }
}
