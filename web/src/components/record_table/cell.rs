//! How one value of a record is written in a table.

use dash_shared::{
    fields::{self, FieldType},
    figures, timestamps,
};
use leptos::prelude::*;
use serde_json::Value;

use super::Column;
use crate::{components::stat::digits, format};

/// Fields whose words are shown as coloured tags.
const STATE_FIELDS: [&str; 8] = [
    "state",
    "status",
    "level",
    "severity",
    "result",
    "outcome",
    "conclusion",
    "priority",
];
const GOOD_WORDS: [&str; 14] = [
    "ok",
    "paid",
    "success",
    "succeeded",
    "active",
    "done",
    "completed",
    "shipped",
    "delivered",
    "healthy",
    "up",
    "running",
    "passed",
    "resolved",
];
const WARNING_WORDS: [&str; 10] = [
    "pending",
    "warning",
    "warn",
    "open",
    "queued",
    "processing",
    "waiting",
    "degraded",
    "medium",
    "delayed",
];
const BAD_WORDS: [&str; 13] = [
    "failed",
    "failure",
    "error",
    "refunded",
    "cancelled",
    "canceled",
    "critical",
    "down",
    "declined",
    "rejected",
    "fatal",
    "high",
    "overdue",
];

/// The class of a column's cells.
pub fn class_of(column: &Column) -> &'static str {
    match column.field_type {
        FieldType::Number if !is_identifier(column) => "is-number",
        FieldType::Time => "is-end",
        FieldType::Text if is_identifier(column) => "is-code",
        _ => "is-text",
    }
}

/// How many decimals the figures of a column need, at most three: more are not read in a table.
pub fn decimals_of<'a>(values: impl Iterator<Item = &'a Value>) -> u8 {
    values
        .filter_map(Value::as_f64)
        .map(|value| figures::decimals_of(value, None))
        .max()
        .map_or(0, |decimals| decimals.min(3))
}

/// A value as its column's type wants it, a figure with so many decimals.
pub fn view_of(column: &Column, decimals: u8, value: &Value) -> AnyView {
    match (column.field_type, value) {
        (_, Value::Null) => view! { <span class="faint">"–"</span> }.into_any(),
        (_, Value::Bool(yes)) => {
            let (tone, word) = if *yes { ("ok", "yes") } else { ("", "no") };
            tag(tone, word.to_owned())
        }
        (FieldType::Time, value) => match timestamps::parse_ms(value) {
            Some(ms) => age(ms).into_any(),
            None => text(value),
        },
        (FieldType::Number, Value::Number(number)) if !is_identifier(column) => {
            match number.as_f64() {
                Some(number) => figures::number(number, Some(decimals), digits).into_any(),
                None => text(value),
            }
        }
        (FieldType::Text, Value::String(word)) if is_state(column) => {
            tag(tone_of(word), fields::shorten(value))
        }
        _ => text(value),
    }
}

/// How long ago something was; the exact time when pointed at.
pub fn age(ms: i64) -> impl IntoView {
    let clock = format::use_clock();
    view! {
        <time class="faint" datetime=timestamps::format_ms(ms) title=format::date_time(ms)>
            {move || format::relative(ms, clock.now_ms())}
        </time>
    }
}

fn text(value: &Value) -> AnyView {
    let short = fields::shorten(value);
    let whole = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    view! { <span title=whole>{short}</span> }.into_any()
}

fn tag(tone: &'static str, word: String) -> AnyView {
    view! { <span class=format!("tag {tone}")>{word}</span> }.into_any()
}

fn is_state(column: &Column) -> bool {
    let key = last_key(column);
    STATE_FIELDS
        .iter()
        .any(|name| key.eq_ignore_ascii_case(name))
}

fn tone_of(word: &str) -> &'static str {
    let is_in = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
    if is_in(&GOOD_WORDS) {
        "ok"
    } else if is_in(&WARNING_WORDS) {
        "warn"
    } else if is_in(&BAD_WORDS) {
        "bad"
    } else {
        ""
    }
}

fn is_identifier(column: &Column) -> bool {
    let key = last_key(column);
    key.eq_ignore_ascii_case("id") || key.ends_with("_id") || key.ends_with("Id")
}

fn last_key(column: &Column) -> &str {
    column.field.rsplit('.').next().unwrap_or(&column.field)
}
