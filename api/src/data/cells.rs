//! What is known of a set of records' values: counts, the exact sum, extremes, the first and the
//! last, and sketches where they are asked for. Cells of parts merge into the cell of the whole, in
//! any order, which is what roll-ups and live results rest on.

use std::collections::HashMap;
use std::fmt;

use dash_shared::fields::FieldPath;
use dash_shared::queries::{Aggregate, MAX_GROUP_BYTES, Measure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sketches_ddsketch::DDSketch;

use super::StoredRecord;
use super::distinct::Distinct;
use super::exact_sum::ExactSum;

/// What is kept beside counts, sum and extremes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sketch {
    /// Nothing.
    #[default]
    None,
    /// What percentiles are read from, within 1 % of the value.
    Quantiles,
    /// What the number of different values is read from.
    Distinct,
}

/// What has to be known to answer a measure: of which field, with which sketch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Part {
    /// The field; none for counting records.
    pub(super) field: Option<FieldPath>,
    /// The sketch.
    #[serde(default)]
    pub(super) sketch: Sketch,
}

impl Part {
    /// What a measure is read from.
    pub(super) fn of(measure: &Measure) -> Self {
        Self {
            field: measure.field.clone(),
            sketch: match measure.aggregate {
                Aggregate::P50 | Aggregate::P95 | Aggregate::P99 => Sketch::Quantiles,
                Aggregate::Distinct => Sketch::Distinct,
                _ => Sketch::None,
            },
        }
    }
}

/// The value of the field that records are grouped by; none for records without one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Group(pub(super) Option<Box<str>>);

impl Group {
    /// The group of all records when nothing is grouped.
    pub(super) const ALL: Self = Self(None);

    /// The group that a record belongs to.
    pub(super) fn of(record: &StoredRecord, group_by: Option<&FieldPath>) -> Self {
        let Some(path) = group_by else {
            return Self::ALL;
        };
        match path.get(&record.fields) {
            None | Some(Value::Null) => Self(None),
            Some(Value::String(text)) => Self(Some(Self::clip(text))),
            Some(other) => Self(Some(Self::clip(&other.to_string()))),
        }
    }

    /// As much of a text as tells groups apart.
    pub(super) fn clip(text: &str) -> Box<str> {
        let end = text.floor_char_boundary(MAX_GROUP_BYTES);
        text.get(..end).unwrap_or(text).into()
    }
}

/// The cells of all groups.
pub(super) type Groups = HashMap<Group, Cell>;

/// A value with the time and number of its record: the order of records is that of both.
type Stamped = (i64, i64, f64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Numbers {
    count: u64,
    sum: ExactSum,
    min: f64,
    max: f64,
    first: Stamped,
    last: Stamped,
}

#[derive(Clone, Serialize, Deserialize)]
struct Quantiles(DDSketch);

impl fmt::Debug for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quantiles({} values)", self.0.count())
    }
}

/// What is known of a set of records.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Cell {
    records: u64,
    numbers: Option<Box<Numbers>>,
    quantiles: Option<Box<Quantiles>>,
    distinct: Option<Box<Distinct>>,
}

impl Cell {
    /// Adds a record. With a field, records without a value for it do not count.
    pub(super) fn add(&mut self, record: &StoredRecord, part: &Part) {
        let Some(field) = &part.field else {
            self.records += 1;
            return;
        };
        let value = match field.get(&record.fields) {
            None | Some(Value::Null) => return,
            Some(value) => value,
        };
        self.records += 1;
        if part.sketch == Sketch::Distinct {
            self.distinct.get_or_insert_default().add(value);
        }
        let Some(number) = value.as_f64() else {
            return;
        };
        if part.sketch == Sketch::Quantiles {
            let sketch = self.quantiles.get_or_insert_with(Quantiles::boxed);
            sketch.0.add(number);
        }
        let stamped = (record.time_ms, record.seq, number);
        match &mut self.numbers {
            Some(numbers) => numbers.add(stamped),
            None => self.numbers = Some(Box::new(Numbers::of(stamped))),
        }
    }

    /// Adds all that another cell has seen.
    pub(super) fn merge(&mut self, other: &Self) {
        self.records += other.records;
        match (&mut self.numbers, &other.numbers) {
            (Some(mine), Some(theirs)) => mine.merge(theirs),
            (None, Some(theirs)) => self.numbers = Some(theirs.clone()),
            (_, None) => {}
        }
        match (&mut self.quantiles, &other.quantiles) {
            // All sketches have the same configuration.
            (Some(mine), Some(theirs)) => drop(mine.0.merge(&theirs.0)),
            (None, Some(theirs)) => self.quantiles = Some(theirs.clone()),
            (_, None) => {}
        }
        match (&mut self.distinct, &other.distinct) {
            (Some(mine), Some(theirs)) => mine.merge(theirs),
            (None, Some(theirs)) => self.distinct = Some(theirs.clone()),
            (_, None) => {}
        }
    }

    /// How many records there are; with a field, how many have a value for it.
    pub(super) const fn records(&self) -> u64 {
        self.records
    }

    /// The figure that people ask for. None where there is nothing to tell.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub(super) fn value(&self, aggregate: Aggregate) -> Option<f64> {
        let numbers = self.numbers.as_deref();
        match aggregate {
            Aggregate::Count => Some(self.records as f64),
            Aggregate::Sum => numbers.map_or(Some(0.0), |numbers| numbers.sum.value()),
            Aggregate::Avg => {
                let numbers = numbers?;
                Some(numbers.sum.value()? / numbers.count as f64)
            }
            Aggregate::Min => numbers.map(|numbers| numbers.min),
            Aggregate::Max => numbers.map(|numbers| numbers.max),
            Aggregate::First => numbers.map(|numbers| numbers.first.2),
            Aggregate::Last => numbers.map(|numbers| numbers.last.2),
            Aggregate::P50 => self.quantile(0.5),
            Aggregate::P95 => self.quantile(0.95),
            Aggregate::P99 => self.quantile(0.99),
            Aggregate::Distinct => Some(self.distinct.as_ref().map_or(0.0, |set| set.count())),
        }
    }

    fn quantile(&self, quantile: f64) -> Option<f64> {
        let (sketch, numbers) = (self.quantiles.as_ref()?, self.numbers.as_deref()?);
        let value = sketch.0.quantile(quantile).ok().flatten()?;
        Some(value.clamp(numbers.min, numbers.max))
    }
}

impl Quantiles {
    fn boxed() -> Box<Self> {
        Box::new(Self(DDSketch::default()))
    }
}

impl Numbers {
    fn of(stamped: Stamped) -> Self {
        let mut sum = ExactSum::default();
        sum.add(stamped.2);
        Self {
            count: 1,
            sum,
            min: stamped.2,
            max: stamped.2,
            first: stamped,
            last: stamped,
        }
    }

    fn add(&mut self, stamped: Stamped) {
        self.count += 1;
        self.sum.add(stamped.2);
        self.widen(stamped.2, stamped.2, &stamped, &stamped);
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum.merge(&other.sum);
        self.widen(other.min, other.max, &other.first, &other.last);
    }

    fn widen(&mut self, min: f64, max: f64, first: &Stamped, last: &Stamped) {
        self.min = self.min.min(min);
        self.max = self.max.max(max);
        if (first.0, first.1) < (self.first.0, self.first.1) {
            self.first = *first;
        }
        if (last.0, last.1) > (self.last.0, self.last.1) {
            self.last = *last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::Arc;

    fn record(seq: i64, time_ms: i64, fields: Value) -> StoredRecord {
        StoredRecord {
            seq,
            time_ms,
            received_at_ms: time_ms,
            fields: Arc::new(fields.as_object().unwrap().clone()),
        }
    }

    fn part(aggregate: Aggregate) -> Part {
        Part::of(&Measure {
            aggregate,
            field: Some("v".parse().unwrap()),
        })
    }

    fn records() -> Vec<StoredRecord> {
        vec![
            record(1, 30, json!({"v": 3})),
            record(2, 10, json!({"v": -1.5})),
            record(3, 20, json!({"v": "x"})),
            record(4, 40, json!({"v": null})),
            record(5, 40, json!({})),
            record(6, 10, json!({"v": 3})),
        ]
    }

    #[test]
    fn a_cell_tells_every_figure() {
        let check = |aggregate, expected| {
            let part = part(aggregate);
            let (mut whole, mut merged, mut other) =
                (Cell::default(), Cell::default(), Cell::default());
            for record in records() {
                whole.add(&record, &part);
                let half = if record.seq % 2 == 0 {
                    &mut merged
                } else {
                    &mut other
                };
                half.add(&record, &part);
            }
            merged.merge(&other);
            assert_eq!(whole.value(aggregate), expected, "{aggregate:?}");
            assert_eq!(merged.value(aggregate), expected, "merged {aggregate:?}");
        };
        check(Aggregate::Count, Some(4.0));
        check(Aggregate::Sum, Some(4.5));
        check(Aggregate::Avg, Some(1.5));
        check(Aggregate::Min, Some(-1.5));
        check(Aggregate::Max, Some(3.0));
        check(Aggregate::First, Some(-1.5));
        check(Aggregate::Last, Some(3.0));
        check(Aggregate::Distinct, Some(3.0));
    }

    #[test]
    fn an_empty_cell_tells_nothing_but_zeros() {
        for aggregate in Aggregate::ALL.map(|(aggregate, _)| aggregate) {
            let zero = matches!(
                aggregate,
                Aggregate::Count | Aggregate::Sum | Aggregate::Distinct
            );
            let expected = zero.then_some(0.0);
            assert_eq!(Cell::default().value(aggregate), expected, "{aggregate:?}");
        }
    }

    #[test]
    fn percentiles_are_within_one_percent() {
        let part = part(Aggregate::P95);
        let mut cell = Cell::default();
        for n in 1..=1_000 {
            cell.add(&record(n, n, json!({ "v": n })), &part);
        }
        for (aggregate, expected) in [
            (Aggregate::P50, 500.0),
            (Aggregate::P95, 950.0),
            (Aggregate::P99, 990.0),
        ] {
            let value = cell.value(aggregate).unwrap();
            assert!((value / expected - 1.0).abs() < 0.011, "{value}");
        }
    }

    #[test]
    fn long_values_are_one_group_by_their_beginning() {
        let long = "é".repeat(150);
        let group = Group::of(
            &record(1, 1, json!({ "v": long })),
            Some(&"v".parse().unwrap()),
        );
        assert_eq!(group.0.as_deref(), Some("é".repeat(100).as_str()));
    }
}
