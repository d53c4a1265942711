//! Before → after as a table: what each record was, what became of it, and which values are new,
//! gone, changed or wrong. For one step, or for all of them together.

use dash_shared::fields::{FieldPath, Fields};
use serde_json::Value;

use super::preview::{PreviewedRecord, RecordFate, StepProblem};

/// How many columns are shown.
const MAX_COLUMNS: usize = 16;

/// The table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// The names of the fields: those that come out, then those that are gone.
    pub columns: Vec<String>,
    /// How many more fields there are.
    pub hidden_columns: usize,
    /// The newest record first.
    pub rows: Vec<Row>,
}

/// What became of one record, or of one of those that were made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What became of it.
    pub fate: RecordFate,
    /// The step that decided it, from 1.
    pub step: Option<i32>,
    /// What is wrong with it.
    pub errors: Vec<String>,
    /// Its values, one for each column.
    pub cells: Vec<Cell>,
    /// The record as it came in.
    pub received: Value,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// There is none.
    Missing,
    /// It is what it was.
    Same(Value),
    /// It was not there before.
    Added(Value),
    /// It was another one before.
    Changed(Value, Value),
    /// It is not there any more.
    Removed(Value),
    /// It does not fit, and why.
    Wrong(Value, String),
}

/// How many records had which fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Stored, or gone on.
    pub stored: i64,
    /// Left out.
    pub dropped: i64,
    /// In a window.
    pub held: i64,
    /// With an error.
    pub failed: i64,
}

impl Counts {
    fn add(&mut self, fate: RecordFate) {
        match fate {
            RecordFate::Stored => self.stored += 1,
            RecordFate::Dropped => self.dropped += 1,
            RecordFate::Held => self.held += 1,
            RecordFate::Failed => self.failed += 1,
        }
    }

    /// The fates in the end.
    pub fn of_results(records: &[PreviewedRecord]) -> Self {
        let mut counts = Self::default();
        let results = records.iter().flat_map(|record| &record.results);
        results.for_each(|result| counts.add(result.fate));
        counts
    }

    /// The fates at one step; a record that went on in spite of an error counts as failed.
    pub fn of_step(records: &[PreviewedRecord], number: i32) -> Self {
        let mut counts = Self::default();
        for record in records {
            for trace in record.steps.iter().filter(|trace| trace.step == number) {
                let fate = if trace.errors.is_empty() {
                    trace.fate
                } else {
                    RecordFate::Failed
                };
                counts.add(fate);
            }
        }
        counts
    }
}

/// A record before and after.
struct Pair<'p> {
    before: Option<&'p Fields>,
    after: Option<&'p Fields>,
    fate: RecordFate,
    step: Option<i32>,
    errors: Vec<&'p StepProblem>,
    received: &'p Value,
}

impl Changes {
    /// What all steps together did.
    pub fn whole(records: &[PreviewedRecord]) -> Self {
        let pairs = records.iter().rev().flat_map(|record| {
            record.results.iter().map(|result| Pair {
                before: record.received.0.as_object(),
                after: result.record.as_ref().and_then(|json| json.0.as_object()),
                fate: result.fate,
                step: result.step,
                errors: result.error.iter().collect(),
                received: &record.received.0,
            })
        });
        Self::of(&pairs.collect::<Vec<_>>())
    }

    /// What one step did.
    pub fn of_step(records: &[PreviewedRecord], number: i32) -> Self {
        let mut pairs = Vec::new();
        for record in records.iter().rev() {
            for trace in record.steps.iter().filter(|trace| trace.step == number) {
                let pair = |after| Pair {
                    before: trace.before.0.as_object(),
                    after,
                    fate: trace.fate,
                    step: (trace.fate != RecordFate::Stored).then_some(number),
                    errors: trace.errors.iter().collect(),
                    received: &record.received.0,
                };
                if trace.fate == RecordFate::Stored {
                    let after = trace.after.iter().map(|json| json.0.as_object());
                    pairs.extend(after.map(pair));
                } else {
                    pairs.push(pair(None));
                    // Windows that closed go on as records of their own.
                    pairs.extend(trace.after.iter().map(|json| Pair {
                        before: None,
                        fate: RecordFate::Stored,
                        step: None,
                        ..pair(json.0.as_object())
                    }));
                }
            }
        }
        Self::of(&pairs)
    }

    fn of(pairs: &[Pair<'_>]) -> Self {
        let mut columns: Vec<&str> = Vec::new();
        let after = pairs.iter().filter_map(|pair| pair.after);
        let before = pairs.iter().filter_map(|pair| pair.before);
        for fields in after.chain(before) {
            for key in fields.keys() {
                if !columns.contains(&key.as_str()) {
                    columns.push(key);
                }
            }
        }
        let hidden_columns = columns.len().saturating_sub(MAX_COLUMNS);
        columns.truncate(MAX_COLUMNS);
        let rows = pairs.iter().map(|pair| Row {
            fate: pair.fate,
            step: pair.step,
            errors: pair.errors.iter().map(|error| told(error)).collect(),
            cells: columns.iter().map(|column| pair.cell(column)).collect(),
            received: pair.received.clone(),
        });
        Self {
            rows: rows.collect(),
            columns: columns.into_iter().map(str::to_owned).collect(),
            hidden_columns,
        }
    }
}

impl Pair<'_> {
    fn cell(&self, column: &str) -> Cell {
        let of = |fields: Option<&Fields>| fields.and_then(|fields| fields.get(column)).cloned();
        let (before, after) = (of(self.before), of(self.after));
        let error = self.errors.iter().find(|error| is_about(error, column));
        if let Some(error) = error {
            let value = after.filter(|value| !value.is_null()).or(before);
            return Cell::Wrong(value.unwrap_or(Value::Null), error.message.clone());
        }
        match (before, after) {
            (None, None) => Cell::Missing,
            (Some(before), Some(after)) if before == after => Cell::Same(after),
            (Some(before), Some(after)) => Cell::Changed(before, after),
            (None, Some(after)) => Cell::Added(after),
            // What did not go on was not taken away from.
            (Some(before), None) if self.after.is_none() => Cell::Same(before),
            (Some(before), None) => Cell::Removed(before),
        }
    }
}

/// Whether an error is about the field at the top level.
fn is_about(error: &StepProblem, column: &str) -> bool {
    let path: Option<FieldPath> = error.path.parse().ok();
    path.is_some_and(|path| path.first_key() == column)
}

fn told(error: &StepProblem) -> String {
    if error.path.is_empty() {
        error.message.clone()
    } else {
        format!("{}: {}", error.path, error.message)
    }
}
