//! Looking behind a widget: which records its figures are made of. This module knows what is looked
//! at; `drawer` shows it.

pub mod drawer;

use dash_shared::{
    queries::{MAX_FILTERS, draft::FilterDraft, words::records_behind},
    ranges::TimeRange,
    widgets::WidgetKind,
};
use js_sys::{Array, Date, Intl, Object, Reflect};
use wasm_bindgen::JsValue;

use super::{content::Content, tiles::Definition};
use crate::components::{line_chart::pick::PickedPoint, time_range};

/// The records that are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explored {
    /// The heading of the widget.
    pub title: String,
    /// The global id of the pipeline.
    pub pipeline_id: String,
    /// Of which time.
    pub range: TimeRange,
    /// What they meet.
    pub filters: Vec<FilterDraft>,
}

impl Explored {
    /// All records of a widget.
    pub fn of(definition: &Definition, range: TimeRange) -> Self {
        Self {
            title: definition.title.clone(),
            pipeline_id: definition.pipeline_id.clone(),
            range,
            filters: definition.filters.clone(),
        }
    }

    /// The records of one point of a line: those of its bucket and, where there are several lines,
    /// of its group. None when the chart has moved on and the point is gone.
    pub fn at_point(
        definition: &Definition,
        content: &Content,
        point: &PickedPoint,
    ) -> Option<Self> {
        let Content::Line(points) = content else {
            return None;
        };
        let from_ms = point.time_ms;
        let index = points.times_ms.iter().position(|time| *time == from_ms)?;
        let width_ms = i64::from(points.bucket_seconds) * 1_000;
        // Days are not all of the same length; only the last bucket has no next one.
        let next_ms = points.times_ms.get(index + 1).copied();
        let range = TimeRange::Between {
            from_ms,
            to_ms: next_ms.unwrap_or(from_ms + width_ms),
        };
        let mut explored = Self::of(definition, range);
        let group = definition
            .group_by
            .as_deref()
            .filter(|_| definition.kind == WidgetKind::Line)
            .zip(point.series.as_deref());
        if let Some((field, name)) = group
            && explored.filters.len() < MAX_FILTERS
        {
            explored.filters.push(FilterDraft::of_group(field, name));
        }
        Some(explored)
    }

    /// What one looks at, in words.
    pub fn words(&self) -> String {
        let clauses: Vec<String> = self
            .filters
            .iter()
            .map(|filter| filter.comparison.clause(&filter.field, filter.used_value()))
            .collect();
        records_behind(&self.title, &range_words(self.range), &clauses)
    }
}

/// A range in the middle of a sentence: `last 24 hours`, `22 Nov, 14:00 – 14:15`.
fn range_words(range: TimeRange) -> String {
    match range {
        TimeRange::Last { .. } => {
            let label = time_range::label(range);
            label
                .strip_prefix("Last")
                .map_or_else(|| label.clone(), |rest| format!("last{rest}"))
        }
        TimeRange::Between { from_ms, to_ms } => {
            between(from_ms, to_ms).unwrap_or_else(|| time_range::label(range))
        }
    }
}

/// From one time to another as the browser's language writes it, what both share only once.
fn between(from_ms: i64, to_ms: i64) -> Option<String> {
    let options = Object::new();
    let set = |name: &str, value: &str| {
        drop(Reflect::set(&options, &name.into(), &value.into()));
    };
    set("day", "numeric");
    set("month", "short");
    set("hour", "2-digit");
    set("minute", "2-digit");
    if from_ms % 60_000 != 0 || to_ms % 60_000 != 0 {
        set("second", "2-digit");
    }
    let format = Intl::DateTimeFormat::new(&Array::new(), &options);
    let words = format.format_range(&date(from_ms), &date(to_ms)).ok()?;
    words.as_string()
}

fn date(ms: i64) -> Date {
    #[expect(clippy::cast_precision_loss, reason = "a date in ms is far below 2^53")]
    let value = JsValue::from_f64(ms as f64);
    Date::new(&value)
}
