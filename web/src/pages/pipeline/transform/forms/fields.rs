//! Rename, keep, remove and convert fields.

use leptos::prelude::*;
use serde_json::json;

use super::super::inputs::{Place, Rows, field_box, field_list, name_input, rows, word_select};
use super::map::from_box;

const TYPES: &[(&str, &str)] = &[
    ("number", "Number"),
    ("text", "Text"),
    ("boolean", "True / false"),
    ("time", "Time"),
];

pub fn rename(place: Place) -> AnyView {
    rows(
        place,
        Rows {
            at: "fields",
            noun: "field",
            heads: &["Field", "New name"],
            blank: || json!({ "from": "", "to": "" }),
            inputs: |place, at, number| {
                let name = format!("New name of field {number}");
                view! {
                    {from_box(place, &at, number)}
                    {name_input(place, format!("{at}.to"), name, "New name")}
                }
                .into_any()
            },
            told: &["from", "to"],
            is_ordered: false,
        },
    )
}

pub fn select(place: Place) -> AnyView {
    field_list(place, "fields", "Keep these fields; all others go")
}

pub fn drop(place: Place) -> AnyView {
    field_list(place, "fields", "Take these fields away")
}

pub fn cast(place: Place) -> AnyView {
    rows(
        place,
        Rows {
            at: "fields",
            noun: "field",
            heads: &["Field", "Becomes"],
            blank: || json!({ "field": "", "type": "number" }),
            inputs: |place, at, number| {
                let label = format!("Type of field {number}");
                view! {
                    {field_box(place, format!("{at}.field"), format!("Field {number}"))}
                    {word_select(place, format!("{at}.type"), Some(label), TYPES)}
                }
                .into_any()
            },
            told: &["field", "type"],
            is_ordered: false,
        },
    )
}
