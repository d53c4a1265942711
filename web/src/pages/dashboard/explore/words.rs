//! What one looks at, in words: the title of the drawer.

use dash_shared::{queries::words::records_behind, ranges::TimeRange};
use js_sys::{Array, Date, Intl, Object, Reflect};
use wasm_bindgen::JsValue;

use super::Explored;
use crate::components::time_range;

/// `Records behind “Average total”, last 24 hours, country is DE`.
pub fn title(explored: &Explored) -> String {
    let clauses: Vec<String> = explored
        .filters
        .iter()
        .map(|filter| filter.comparison.clause(&filter.field, filter.used_value()))
        .collect();
    records_behind(&explored.title, &range_words(explored.range), &clauses)
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
