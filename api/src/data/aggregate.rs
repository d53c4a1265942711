//! The running state of a question that somebody follows: cells by group and bucket, counted once for
//! the whole range, then changed by every new record. The arithmetic is that of all answers
//! (`cells`), so a live result and a fresh one agree.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use chrono_tz::Tz;
use dash_shared::fields::FieldPath;
use dash_shared::ids::PipelineId;
use dash_shared::queries::{Aggregate, Filter, Measure, NO_GROUP};
use dash_shared::ranges::TimeRange;
use dash_shared::widgets::MAX_SERIES;

use super::buckets::{Frame, MAX_BUCKETS};
use super::cells::{Cell, Group, Part};
use super::count::{Buckets, Counted, MAX_GROUPS, Selection};
use super::{ReadError, StoredRecord};

/// How many buckets a figure's sparkline has, about.
const SPARKLINE_BUCKETS: i64 = 48;
/// How many buckets a line has, about.
const LINE_BUCKETS: i64 = 96;
/// How long the rate of records looks back.
pub(super) const RATE_MS: i64 = 60_000;

/// A question about a pipeline's records in a time range that moves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Query {
    /// Whose records.
    pub pipeline_id: PipelineId,
    /// Only those that meet all of these.
    pub filters: Vec<Filter>,
    /// What is asked of them.
    pub shape: Shape,
}

/// What a [`Query`] asks of the records.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One figure for the range, the one for the range before it, and its course.
    Figure(Measure),
    /// A figure for each bucket, in all or for each of the largest groups.
    Lines {
        /// The figure.
        measure: Measure,
        /// The field whose values make the groups.
        group_by: Option<FieldPath>,
    },
    /// The newest records.
    Latest {
        /// How many.
        limit: usize,
    },
}

impl Query {
    /// Whether a record is one of those that are asked for.
    pub(super) fn takes(&self, record: &StoredRecord) -> bool {
        self.filters
            .iter()
            .all(|filter| filter.matches(&record.fields))
    }

    const fn measure(&self) -> Option<&Measure> {
        match &self.shape {
            Shape::Figure(measure) | Shape::Lines { measure, .. } => Some(measure),
            Shape::Latest { .. } => None,
        }
    }

    fn group_by(&self) -> Option<&FieldPath> {
        match &self.shape {
            Shape::Lines { group_by, .. } => group_by.as_ref(),
            Shape::Figure(_) | Shape::Latest { .. } => None,
        }
    }

    /// What has to be counted to answer it; nothing for the newest records.
    pub(super) fn selection(&self) -> Option<Selection> {
        Some(Selection {
            pipeline_id: self.pipeline_id,
            filters: self.filters.clone(),
            group_by: self.group_by().cloned(),
            part: Part::of(self.measure()?),
        })
    }
}

/// A query, of which time, by whose clock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    /// The question.
    pub query: Query,
    /// Of which time.
    pub range: TimeRange,
    /// Whose days the buckets follow.
    pub zone: Tz,
}

impl Asked {
    pub(super) fn frame(&self, now_ms: i64) -> Frame {
        let buckets = match self.query.shape {
            Shape::Figure(_) => SPARKLINE_BUCKETS,
            Shape::Lines { .. } | Shape::Latest { .. } => LINE_BUCKETS,
        };
        Frame::of(&self.range, now_ms, buckets, self.zone)
    }

    /// The first millisecond of the records that the result depends on.
    fn needed_from_ms(&self, frame: &Frame) -> i64 {
        match self.query.shape {
            Shape::Figure(_) => frame.before().from_ms,
            Shape::Lines { .. } | Shape::Latest { .. } => frame.from_ms,
        }
    }

    /// The first millisecond after them. A little of the future is kept until it comes; a clock that
    /// is far off fills no memory.
    const fn needed_to_ms(&self, frame: &Frame) -> i64 {
        match self.range {
            TimeRange::Last { .. } => 2 * frame.to_ms - frame.from_ms,
            TimeRange::Between { .. } => frame.to_ms,
        }
    }

    /// The buckets that have to be counted.
    pub(super) fn buckets(&self, now_ms: i64) -> Buckets {
        let frame = self.frame(now_ms);
        let whole = Frame {
            from_ms: self.needed_from_ms(&frame),
            to_ms: self.needed_to_ms(&frame),
            ..frame
        };
        let starts = whole.starts();
        let end_ms = match starts.last() {
            Some(last) if starts.len() == MAX_BUCKETS => frame.grid.next(*last),
            _ => whole.to_ms,
        };
        Buckets { starts, end_ms }
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
    /// To [`Shape::Figure`].
    Figure {
        /// For the range.
        value: Option<f64>,
        /// For the range of the same length before it.
        previous: Option<f64>,
        /// For each bucket up to now.
        sparkline: Vec<Option<f64>>,
    },
    /// To [`Shape::Lines`].
    Lines {
        /// How wide a bucket is, about.
        bucket_ms: i64,
        /// Where each bucket begins, in milliseconds since 1970.
        times_ms: Vec<i64>,
        /// The lines, the largest first.
        series: Vec<Series>,
    },
    /// To [`Shape::Latest`].
    Latest {
        /// The records, the newest first.
        records: Vec<Arc<StoredRecord>>,
        /// How many came in during the last minute.
        records_per_minute: i64,
    },
}

/// The cells of a group.
#[derive(Debug, Default)]
struct GroupCells {
    buckets: BTreeMap<i64, Cell>,
    /// All that lie in the frame.
    total: Cell,
}

/// A question's running state: add records, move on with the time, read the result.
#[derive(Debug)]
pub(super) struct State {
    asked: Asked,
    part: Part,
    groups: HashMap<Group, GroupCells>,
    /// The frame that the groups' totals are of.
    frame: Frame,
    latest: BTreeMap<(i64, i64), Arc<StoredRecord>>,
    arrivals: VecDeque<(i64, i64)>,
}

impl State {
    pub(super) fn new(asked: Asked, now_ms: i64) -> Self {
        let part = Part::of(asked.query.measure().unwrap_or(&Measure::COUNT));
        Self {
            part,
            groups: HashMap::new(),
            frame: asked.frame(now_ms),
            latest: BTreeMap::new(),
            arrivals: VecDeque::new(),
            asked,
        }
    }

    /// Takes over what was counted.
    pub(super) fn take(&mut self, counted: &Counted) {
        for (start, groups) in &counted.buckets {
            for (group, cell) in groups {
                let cells = self.groups.entry(group.clone()).or_default();
                if self.frame.contains(*start) {
                    cells.total.merge(cell);
                }
                cells.buckets.insert(*start, cell.clone());
            }
        }
    }

    /// How long the result stays the same when no record comes.
    pub(super) fn stable_for_ms(&self, now_ms: i64) -> i64 {
        match (&self.asked.query.shape, self.asked.range) {
            (Shape::Latest { .. }, _) => 5_000,
            (_, TimeRange::Last { .. }) => {
                let grid = self.frame.grid;
                grid.next(grid.start_of(now_ms)) - now_ms
            }
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

    /// Adds a record that is one of those asked for; arrivals are counted by [`Self::arrive`].
    pub(super) fn add(&mut self, record: &StoredRecord) {
        let needed = self.asked.needed_from_ms(&self.frame)..self.asked.needed_to_ms(&self.frame);
        if !needed.contains(&record.time_ms) {
            return;
        }
        if let Shape::Latest { limit } = self.asked.query.shape {
            if self.frame.contains(record.time_ms) {
                self.latest
                    .insert((record.time_ms, record.seq), Arc::new(record.clone()));
                if self.latest.len() > limit {
                    self.latest.pop_first();
                }
            }
            return;
        }
        if self.groups.len() > MAX_GROUPS {
            return;
        }
        let group = Group::of(record, self.asked.query.group_by());
        let start = self.frame.grid.start_of(record.time_ms);
        let cells = self.groups.entry(group).or_default();
        if self.frame.contains(start) {
            cells.total.add(record, &self.part);
        }
        cells
            .buckets
            .entry(start)
            .or_default()
            .add(record, &self.part);
    }

    /// Moves on to `now_ms`, and forgets what the result no longer depends on.
    pub(super) fn move_on(&mut self, now_ms: i64) {
        while self
            .arrivals
            .front()
            .is_some_and(|(at_ms, _)| *at_ms <= now_ms - RATE_MS)
        {
            self.arrivals.pop_front();
        }
        let frame = self.asked.frame(now_ms);
        if frame == self.frame {
            return;
        }
        self.frame = frame;
        let needed_from_ms = self.asked.needed_from_ms(&frame);
        for cells in self.groups.values_mut() {
            cells.buckets = cells.buckets.split_off(&needed_from_ms);
            cells.total = total(&cells.buckets, &frame);
        }
        self.groups.retain(|_, cells| !cells.buckets.is_empty());
        self.latest = self.latest.split_off(&(frame.from_ms, 0));
    }

    /// The result at `now_ms`, to which the state was moved.
    pub(super) fn result(&self, now_ms: i64) -> Result<QueryResult, ReadError> {
        if self.groups.len() > MAX_GROUPS {
            return Err(ReadError::TooManyGroups(MAX_GROUPS));
        }
        Ok(match &self.asked.query.shape {
            Shape::Figure(measure) => {
                let nothing = GroupCells::default();
                let cells = self.groups.get(&Group::ALL).unwrap_or(&nothing);
                let before = total(&cells.buckets, &self.frame.before());
                let starts = self.starts_until(now_ms);
                QueryResult::Figure {
                    value: cells.total.value(measure.aggregate),
                    previous: before.value(measure.aggregate),
                    sparkline: values(&cells.buckets, &starts, measure.aggregate),
                }
            }
            Shape::Lines { measure, .. } => self.lines(measure.aggregate, now_ms),
            Shape::Latest { .. } => QueryResult::Latest {
                records: self.latest.values().rev().cloned().collect(),
                records_per_minute: self.arrivals.iter().map(|(_, count)| count).sum(),
            },
        })
    }

    fn starts_until(&self, now_ms: i64) -> Vec<i64> {
        let mut starts = self.frame.starts();
        starts.retain(|start| *start <= now_ms);
        starts
    }

    fn lines(&self, aggregate: Aggregate, now_ms: i64) -> QueryResult {
        let size = |cells: &GroupCells| cells.total.value(aggregate).map_or(0.0, f64::abs);
        let mut groups: Vec<_> = self
            .groups
            .iter()
            .filter(|(_, cells)| cells.total.records() > 0)
            .map(|(group, cells)| (size(cells), group, cells))
            .collect();
        groups.sort_unstable_by(|(a, a_group, _), (b, b_group, _)| {
            b.total_cmp(a).then_with(|| a_group.cmp(b_group))
        });
        groups.truncate(MAX_SERIES);
        let starts = self.starts_until(now_ms);
        let is_grouped = self.asked.query.group_by().is_some();
        QueryResult::Lines {
            bucket_ms: self.frame.grid.width.about_ms(),
            series: groups
                .into_iter()
                .map(|(_, group, cells)| Series {
                    name: name_of(group, is_grouped),
                    values: values(&cells.buckets, &starts, aggregate),
                })
                .collect(),
            times_ms: starts,
        }
    }
}

/// What people call a group.
pub(super) fn name_of(group: &Group, is_grouped: bool) -> String {
    match &group.0 {
        Some(text) => text.to_string(),
        None if is_grouped => NO_GROUP.to_owned(),
        None => String::new(),
    }
}

fn total(buckets: &BTreeMap<i64, Cell>, frame: &Frame) -> Cell {
    let mut total = Cell::default();
    for cell in buckets
        .range(frame.from_ms..frame.to_ms)
        .map(|(_, cell)| cell)
    {
        total.merge(cell);
    }
    total
}

fn values(buckets: &BTreeMap<i64, Cell>, starts: &[i64], aggregate: Aggregate) -> Vec<Option<f64>> {
    let nothing = Cell::default();
    starts
        .iter()
        .map(|start| buckets.get(start).unwrap_or(&nothing).value(aggregate))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

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

    fn asking(shape: Shape) -> State {
        let query = Query {
            pipeline_id: PipelineId::new(),
            filters: Vec::new(),
            shape,
        };
        let asked = Asked {
            query,
            range: HOUR,
            zone: Tz::UTC,
        };
        State::new(asked, NOW_MS)
    }

    fn figure(aggregate: Aggregate, records: &[StoredRecord]) -> (Option<f64>, Option<f64>) {
        let mut state = asking(Shape::Figure(Measure {
            aggregate,
            field: (aggregate != Aggregate::Count).then(|| "v".parse().unwrap()),
        }));
        for record in records {
            state.add(record);
        }
        match state.result(NOW_MS).unwrap() {
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
        let mut state = asking(Shape::Lines {
            measure: Measure::COUNT,
            group_by: Some("c".parse().unwrap()),
        });
        for (seq, group) in (1..).zip(["a", "b", "b"]) {
            state.add(&record(seq, 1_000, json!({"c": group})));
        }
        state.add(&record(9, 1_000, json!({})));
        let QueryResult::Lines {
            times_ms, series, ..
        } = state.result(NOW_MS).unwrap()
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
        let mut state = asking(Shape::Latest { limit: 2 });
        for seq in 1..=3 {
            let record = record(seq, 10_000 - seq, json!({}));
            state.add(&record);
            state.arrive(record.received_at_ms);
        }
        let shown = |state: &State, now_ms| match state.result(now_ms).unwrap() {
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
        state.move_on(later);
        assert_eq!(shown(&state, later), (vec![], 0));
    }
}
