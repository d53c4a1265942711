//! A record as a line of names and values, where there is no room for all of it.

use dash_shared::{
    fields::{FieldType, SampledField, sample_fields},
    timestamps,
};
use leptos::prelude::*;
use serde_json::Value;

use crate::format::date_time;

/// How many fields of a record its line tells.
const TOLD_FIELDS: usize = 6;

/// The first fields of a record; empty ones are not told.
pub fn record_line(fields: &Value) -> impl IntoView + use<> {
    let fields: Vec<SampledField> = sample_fields(fields.as_object())
        .into_iter()
        .filter(|field| field.example.is_some())
        .collect();
    let more = fields.len().saturating_sub(TOLD_FIELDS);
    let told = fields
        .into_iter()
        .take(TOLD_FIELDS)
        .map(|field| {
            let value = field.example.unwrap_or_default();
            let value = match timestamps::parse_ms(&Value::from(&*value)) {
                Some(ms) if field.field_type == FieldType::Time => date_time(ms),
                _ => value,
            };
            view! {
                <span class="told">
                    <span class="faint">{field.path.to_string()}</span>
                    " "
                    <span class="num">{value}</span>
                </span>
            }
        })
        .collect_view();
    let more = (more > 0).then(|| view! { <span class="faint">{format!("+{more}")}</span> });
    view! { {told} {more} }
}
