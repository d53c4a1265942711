//! Windows of time, and what is aggregated in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Context, Flow, key_text};
use crate::cast::cast;
use crate::fields::{FieldPath, FieldType, Fields};
use crate::formula::Number;
use crate::timestamps::{self, DAY_MS, SECOND_MS};
use crate::transform::MAX_OPEN_WINDOWS;
use crate::transform::definition::{WindowAggregate, WindowMeasure, WindowStep};
use crate::transform::outcome::Fault;
use crate::transform::suggest::tidy;

/// How much later than now a record may say it happened; later ones would close all windows.
const MAX_AHEAD_MS: i64 = DAY_MS;
/// The longest text of a group's values, and of a first or last value, in bytes.
const MAX_KEPT_BYTES: usize = 200;

/// The windows that are open.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Windows {
    /// Windows that end here or before are closed.
    closed_until_ms: Option<i64>,
    /// By the beginning of the window, and the JSON of the group's values.
    cells: BTreeMap<(i64, String), Vec<Cell>>,
}

/// How windows are serialised.
#[derive(Serialize, Deserialize)]
struct Stored {
    closed_until_ms: Option<i64>,
    cells: Vec<(i64, String, Vec<Cell>)>,
}

/// What is known of one measure in one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Cell {
    Count(u64),
    Sum(Option<Number>),
    Avg(Number, u64),
    Extreme(Option<Number>),
    /// When it was, and its JSON.
    Edge(Option<(i64, String)>),
}

/// What a record adds to a measure.
enum Part {
    Nothing,
    One,
    Number(Number),
    Json(String),
}

impl From<Stored> for Windows {
    fn from(stored: Stored) -> Self {
        let cell = |(start_ms, group, cells)| ((start_ms, group), cells);
        Self {
            closed_until_ms: stored.closed_until_ms,
            cells: stored.cells.into_iter().map(cell).collect(),
        }
    }
}

impl From<Windows> for Stored {
    fn from(windows: Windows) -> Self {
        let cell = |((start_ms, group), cells)| (start_ms, group, cells);
        Self {
            closed_until_ms: windows.closed_until_ms,
            cells: windows.cells.into_iter().map(cell).collect(),
        }
    }
}

pub fn run(
    step: &WindowStep,
    fingerprint: u64,
    fields: &Fields,
    context: &mut Context<'_>,
) -> Result<Flow, Fault> {
    let now_ms = context.now_ms;
    let time_ms = time_of(step, fields, now_ms)?;
    let group = group_of(step, fields)?;
    let mut parts = Vec::with_capacity(step.measures.len());
    for measure in &step.measures {
        parts.push(part_of(measure, fields)?);
    }
    let windows = context.state.windows.entry(fingerprint).or_default();
    windows.add(step, time_ms, &group, &parts)?;
    let until_ms = time_ms.saturating_sub(i64::from(step.allowed_lateness_seconds) * SECOND_MS);
    Ok(Flow::Held(windows.close(step, until_ms)))
}

/// Closes the windows that have ended by now, whether or not a later record came.
pub fn tick(step: &WindowStep, windows: &mut Windows, now_ms: i64) -> Vec<Fields> {
    let lateness_ms = i64::from(step.allowed_lateness_seconds) * SECOND_MS;
    windows.close(step, now_ms.saturating_sub(lateness_ms))
}

fn time_of(step: &WindowStep, fields: &Fields, now_ms: i64) -> Result<i64, Fault> {
    let Some(path) = &step.time_field else {
        return Ok(now_ms);
    };
    let value = path.get(fields).unwrap_or(&Value::Null);
    let time_ms =
        timestamps::parse_ms(value).ok_or_else(|| Fault::new(path, value, "this is not a time"))?;
    if time_ms > now_ms.saturating_add(MAX_AHEAD_MS) {
        let message = "this time has not come yet: it would close all windows";
        return Err(Fault::new(path, value, message));
    }
    Ok(time_ms)
}

fn group_of(step: &WindowStep, fields: &Fields) -> Result<String, Fault> {
    let mut group = Vec::with_capacity(step.group_by.len());
    let mut bytes = 0;
    for path in &step.group_by {
        let value = path.get(fields).unwrap_or(&Value::Null);
        bytes += key_text(value).map_or(0, |text| text.len());
        if bytes > MAX_KEPT_BYTES || value.is_array() || value.is_object() {
            return Err(Fault::new(
                path,
                value,
                "records are grouped by short values",
            ));
        }
        group.push(value.clone());
    }
    Ok(Value::Array(group).to_string())
}

fn part_of(measure: &WindowMeasure, fields: &Fields) -> Result<Part, Fault> {
    let Some(path) = &measure.field else {
        return Ok(Part::One);
    };
    let value = match path.get(fields) {
        None | Some(Value::Null) => return Ok(Part::Nothing),
        Some(value) => value,
    };
    match measure.aggregate {
        WindowAggregate::Count => Ok(Part::One),
        WindowAggregate::First | WindowAggregate::Last => {
            let json = value.to_string();
            if json.len() > MAX_KEPT_BYTES {
                return Err(Fault::new(path, value, "this value is too long to be kept"));
            }
            Ok(Part::Json(json))
        }
        _ => {
            let number = cast(value, FieldType::Number).map_err(|e| Fault::of_cast(path, e))?;
            match &number {
                Value::Number(number) => Ok(Part::Number(Number::from_json(number))),
                _ => Ok(Part::Nothing),
            }
        }
    }
}

impl Windows {
    /// Adds a record to the windows that its time is in.
    fn add(
        &mut self,
        step: &WindowStep,
        time_ms: i64,
        group: &str,
        parts: &[Part],
    ) -> Result<(), Fault> {
        let size_ms = i64::from(step.size_seconds) * SECOND_MS;
        let every_ms = step
            .every_seconds
            .map_or(size_ms, |every| i64::from(every) * SECOND_MS);
        let closed_until_ms = self.closed_until_ms.unwrap_or(i64::MIN);
        let mut starts = Vec::new();
        let mut start_ms = time_ms - time_ms.rem_euclid(every_ms);
        while start_ms + size_ms > time_ms {
            if start_ms + size_ms > closed_until_ms {
                starts.push(start_ms);
            }
            start_ms -= every_ms;
        }
        let late = |message: &str| Fault {
            path: step
                .time_field
                .as_ref()
                .map(FieldPath::to_string)
                .unwrap_or_default(),
            value: timestamps::format_ms(time_ms),
            message: message.to_owned(),
        };
        if starts.is_empty() {
            return Err(late("this came too late: its windows are closed"));
        }
        if self.cells.len() + starts.len() > MAX_OPEN_WINDOWS {
            return Err(late("too many windows and groups are open"));
        }
        for start_ms in starts {
            let cells = self
                .cells
                .entry((start_ms, group.to_owned()))
                .or_insert_with(|| step.measures.iter().map(Cell::of).collect());
            for ((cell, part), measure) in cells.iter_mut().zip(parts).zip(&step.measures) {
                cell.add(part, measure.aggregate, time_ms);
            }
        }
        Ok(())
    }

    /// Closes the windows that end by then; the earliest comes first.
    fn close(&mut self, step: &WindowStep, until_ms: i64) -> Vec<Fields> {
        let until_ms = self
            .closed_until_ms
            .map_or(until_ms, |before| before.max(until_ms));
        self.closed_until_ms = Some(until_ms);
        let size_ms = i64::from(step.size_seconds) * SECOND_MS;
        let mut closed = Vec::new();
        while let Some(first) = self.cells.first_entry() {
            let end_ms = first.key().0 + size_ms;
            if end_ms > until_ms {
                break;
            }
            let ((start_ms, group), cells) = first.remove_entry();
            closed.push(record_of(step, start_ms, end_ms, &group, cells));
        }
        closed
    }
}

/// The field that a value that records are grouped by becomes: `customer_country`.
pub fn group_name(path: &FieldPath) -> String {
    path.top_level_key()
        .map_or_else(|| tidy(path.as_str()), str::to_owned)
}

fn record_of(
    step: &WindowStep,
    start_ms: i64,
    end_ms: i64,
    group: &str,
    cells: Vec<Cell>,
) -> Fields {
    let mut record = Fields::new();
    record.insert(
        "window_start".to_owned(),
        timestamps::format_ms(start_ms).into(),
    );
    record.insert(
        "window_end".to_owned(),
        timestamps::format_ms(end_ms).into(),
    );
    let values: Vec<Value> = serde_json::from_str(group).unwrap_or_default();
    for (path, value) in step.group_by.iter().zip(values) {
        record.insert(group_name(path), value);
    }
    for (measure, cell) in step.measures.iter().zip(cells) {
        record.insert(measure.to.clone(), cell.value());
    }
    record
}

impl Cell {
    fn of(measure: &WindowMeasure) -> Self {
        match measure.aggregate {
            WindowAggregate::Count => Self::Count(0),
            WindowAggregate::Sum => Self::Sum(None),
            WindowAggregate::Avg => Self::Avg(Number::ZERO, 0),
            WindowAggregate::Min | WindowAggregate::Max => Self::Extreme(None),
            WindowAggregate::First | WindowAggregate::Last => Self::Edge(None),
        }
    }

    fn add(&mut self, part: &Part, aggregate: WindowAggregate, time_ms: i64) {
        match (self, part) {
            (Self::Count(count), Part::One) => *count += 1,
            (Self::Sum(sum), Part::Number(number)) => {
                *sum = sum.map_or(Some(*number), |sum| sum.plus(*number));
            }
            (Self::Avg(sum, count), Part::Number(number)) => {
                // A sum that is larger than any number stays where it was.
                if let Some(larger) = sum.plus(*number) {
                    (*sum, *count) = (larger, *count + 1);
                }
            }
            (Self::Extreme(best), Part::Number(number)) => {
                let is_better = best.is_none_or(|best| match aggregate {
                    WindowAggregate::Min => *number < best,
                    _ => *number > best,
                });
                if is_better {
                    *best = Some(*number);
                }
            }
            (Self::Edge(edge), Part::Json(json)) => {
                let is_better = edge.as_ref().is_none_or(|(at_ms, _)| match aggregate {
                    WindowAggregate::First => time_ms < *at_ms,
                    // Of two at the same time, the one that came in last.
                    _ => time_ms >= *at_ms,
                });
                if is_better {
                    *edge = Some((time_ms, json.clone()));
                }
            }
            _ => {}
        }
    }

    fn value(self) -> Value {
        let number = |number: Number| number.to_json().map_or(Value::Null, Value::Number);
        match self {
            Self::Count(count) => count.into(),
            Self::Sum(sum) => sum.map_or(Value::Null, number),
            Self::Avg(sum, count) => {
                let count = Number::from(usize::try_from(count).unwrap_or(usize::MAX));
                sum.divided_by(count).map_or(Value::Null, number)
            }
            Self::Extreme(best) => best.map_or(Value::Null, number),
            Self::Edge(edge) => edge
                .and_then(|(_, json)| serde_json::from_str(&json).ok())
                .unwrap_or(Value::Null),
        }
    }
}
