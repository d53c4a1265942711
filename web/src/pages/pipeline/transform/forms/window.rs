//! Aggregate the records of windows of time.

use leptos::prelude::*;
use serde_json::json;

use super::super::inputs::fields::FieldBox;
use super::super::inputs::{
    Place, Rows, duration, field_input, field_list, name_input, rows, word_select,
};

const AGGREGATES: &[(&str, &str)] = &[
    ("count", "How many"),
    ("sum", "Sum of"),
    ("avg", "Mean of"),
    ("min", "Smallest"),
    ("max", "Largest"),
    ("first", "Earliest"),
    ("last", "Latest"),
];

pub fn form(place: Place) -> AnyView {
    view! {
        <div class="work-pair">
            {duration(place, "size_seconds", "A window is", "At most 31 days.")}
            {duration(place, "every_seconds", "And begins every", "Without a time, one follows the other.")}
        </div>
        {field_input(place, "time_field", "Time of a record", Some("Without a field, when it was received."), true)}
        {field_list(place, "group_by", "A window for each value of")}
        {rows(place, Rows {
            at: "measures",
            noun: "figure",
            heads: &["Work out", "Of", "Call it"],
            blank: || json!({ "aggregate": "sum", "to": "" }),
            inputs: measure,
            told: &["field", "to"],
            is_ordered: false,
        })}
        {duration(place, "allowed_lateness_seconds", "Wait for late records", "Without a time, not at all.")}
        <p class="field-hint">
            "Records wait in their window. When it closes, one record for each group goes on; the \
             preview shows the windows that later records close."
        </p>
    }
    .into_any()
}

fn measure(place: Place, at: String, number: usize) -> AnyView {
    let field_at = format!("{at}.field");
    let value = place.text(field_at.clone());
    let error = place.error(field_at.clone());
    let is_wrong = Signal::derive(move || error.with(Option::is_some));
    // How many records there are needs no field.
    let on_input = Callback::new(move |path: String| place.set_or_remove(&field_at, path));
    view! {
        {word_select(place, format!("{at}.aggregate"), Some(format!("Figure {number}")), AGGREGATES)}
        <FieldBox value on_input fields=place.fields label=format!("Field of figure {number}") is_wrong/>
        {name_input(place, format!("{at}.to"), format!("Name of figure {number}"), "Name")}
    }
    .into_any()
}
