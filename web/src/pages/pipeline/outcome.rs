//! The before → after of a transform on sample records, cell by cell, computed in the browser
//! with the code the server runs.

use dash_shared::cast::cast;
use dash_shared::fields::Fields;
use dash_shared::transform::mapping::{MapStep, apply};
use dash_shared::transform::{Action, OnError, Outcome, Step};
use serde_json::Value;

/// How many columns a preview shows.
pub const MAX_COLUMNS: usize = 12;

/// What a transform makes of a sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// The names of the fields that come out.
    pub columns: Vec<String>,
    /// How many more fields come out than there are columns.
    pub hidden_columns: usize,
    /// One line for each record of the sample.
    pub lines: Vec<Line>,
}

/// What became of one record.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The record as it came in.
    pub received: Value,
    /// Its fate.
    pub fate: Fate,
    /// Its values under the columns.
    pub cells: Vec<Cell>,
}

/// Whether a record is stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Yes.
    Stored,
    /// No, and nobody hears of it.
    Dropped,
    /// No, and it is listed with this message.
    Failed(String),
}

/// One value of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// The record has no such field.
    Missing,
    /// The value is what it was.
    Same(Value),
    /// The value was converted.
    Changed {
        /// What came in.
        before: Value,
        /// What comes out.
        after: Value,
    },
    /// The value cannot be converted.
    Wrong {
        /// What came in.
        before: Value,
        /// Why it does not fit.
        message: String,
    },
}

impl Preview {
    /// Runs `steps` over `sample`.
    pub fn of(steps: &[Step], sample: &[Value]) -> Self {
        let step = steps.first().and_then(|step| match &step.action {
            Action::Map(map) => Some(map),
            _ => None,
        });
        let mut columns: Vec<String> = step.map_or_else(Vec::new, |step| {
            step.fields.iter().map(|field| field.to.clone()).collect()
        });
        if step.is_none_or(|step| step.keep_rest) {
            for value in sample {
                let Outcome::Stored(fields) = apply(steps, value) else {
                    continue;
                };
                for key in fields.keys() {
                    if !columns.contains(key) {
                        columns.push(key.clone());
                    }
                }
            }
        }
        let hidden_columns = columns.len().saturating_sub(MAX_COLUMNS);
        columns.truncate(MAX_COLUMNS);
        let lines = sample
            .iter()
            .map(|received| line(steps, step, received, &columns))
            .collect();
        Self {
            columns,
            hidden_columns,
            lines,
        }
    }

    /// How many of the sample's records are stored.
    pub fn stored(&self) -> usize {
        let stored = |line: &&Line| line.fate == Fate::Stored;
        self.lines.iter().filter(stored).count()
    }
}

fn line(steps: &[Step], step: Option<&MapStep>, received: &Value, columns: &[String]) -> Line {
    let (fate, stored) = match apply(steps, received) {
        Outcome::Stored(fields) => (Fate::Stored, fields),
        Outcome::Dropped { .. } | Outcome::Held { .. } => (Fate::Dropped, Fields::new()),
        Outcome::Failed(error) => (Fate::Failed(error.message), Fields::new()),
    };
    let cells = columns
        .iter()
        .map(|column| {
            let mapping = step.and_then(|step| step.fields.iter().find(|map| &map.to == column));
            match (mapping, received.as_object()) {
                (Some(mapping), Some(fields)) => mapping
                    .from
                    .get(fields)
                    .map_or(Cell::Missing, |before| cell(before, mapping.cast)),
                _ => stored
                    .get(column)
                    .map_or(Cell::Missing, |value| Cell::Same(value.clone())),
            }
        })
        .collect();
    Line {
        received: received.clone(),
        fate,
        cells,
    }
}

/// What a value becomes when it is converted.
pub fn cell(before: &Value, wanted: Option<dash_shared::fields::FieldType>) -> Cell {
    let Some(wanted) = wanted else {
        return Cell::Same(before.clone());
    };
    match cast(before, wanted) {
        Ok(after) if after == *before => Cell::Same(after),
        Ok(after) => Cell::Changed {
            before: before.clone(),
            after,
        },
        Err(error) => Cell::Wrong {
            before: before.clone(),
            message: error.to_string(),
        },
    }
}

/// What happens to a record with a value that does not fit, as people say it.
pub const fn policy_words(policy: OnError) -> &'static str {
    match policy {
        OnError::Fail => "The record is not stored. It is listed under Errors.",
        OnError::Drop => "The record is left out without a word.",
        OnError::Keep => "The record is stored; the value that does not fit becomes empty.",
    }
}
