//! Map fields: select, rename and convert in one go; and the mapping that suits the records.

use dash_shared::fields::{FieldPath, FieldType, SampledField};
use dash_shared::transform::suggest::{suggest_mapping, suggest_time_field};
use leptos::prelude::*;
use serde_json::{Value, json};

use super::super::catalog::kind_of;
use super::super::checks::{fields_of, put, value_at};
use super::super::desk::Desk;
use super::super::inputs::fields::FieldBox;
use super::super::inputs::{Place, Rows, name_input, rows, switch, word_select};
use crate::components::{Button, ButtonSize, Icon};

/// The types that a value can be converted to.
pub const TYPES: &[(&str, &str)] = &[
    ("", "As it is"),
    ("text", "Text"),
    ("number", "Number"),
    ("boolean", "True / false"),
    ("time", "Time"),
];

pub fn form(place: Place) -> AnyView {
    let fill = move || {
        let suggested = place.fields.with_untracked(|fields| suggestion(fields));
        place.change_list("fields", |list| *list = suggested);
    };
    view! {
        {rows(place, Rows {
            at: "fields",
            noun: "field",
            heads: &["Take", "Call it", "Type"],
            blank: || json!({ "from": "", "to": "" }),
            inputs: mapping,
            told: &["from", "to", "cast"],
            is_ordered: true,
        })}
        <div class="row">
            <Button size=ButtonSize::Small icon=Icon::Wand on_click=fill test_id="map-suggest">
                "Suggest from the records"
            </Button>
        </div>
        {switch(place, "keep_rest", "Keep the other fields too")}
    }
    .into_any()
}

/// A field that is taken, the name it gets, and its type.
pub fn mapping(place: Place, at: String, number: usize) -> AnyView {
    view! {
        {from_box(place, &at, number)}
        {name_input(place, format!("{at}.to"), format!("Name of field {number}"), "Name")}
        {word_select(place, format!("{at}.cast"), Some(format!("Type of field {number}")), TYPES)}
    }
    .into_any()
}

/// A field that gets a name: until a person gives one, it follows the field.
pub fn from_box(place: Place, at: &str, number: usize) -> AnyView {
    let (from, to) = (format!("{at}.from"), format!("{at}.to"));
    let error = place.error(from.clone());
    let value = place.text(from.clone());
    let on_input = Callback::new(move |path: String| {
        place.desk.edit(place.key, &from, |document| {
            let text = |at: &str| {
                let value = value_at(document, at).and_then(Value::as_str);
                value.unwrap_or_default().to_owned()
            };
            let name = text(&to);
            let follows = name.is_empty() || name == natural_name(&text(&from));
            if follows {
                put(document, &to, Some(natural_name(&path).into()));
            }
            put(document, &from, Some(path.into()));
        });
    });
    let is_wrong = Signal::derive(move || error.with(Option::is_some));
    view! { <FieldBox value on_input fields=place.fields label=format!("Field {number}") is_wrong/> }
        .into_any()
}

/// The last name of a path, without what a name may not have.
fn natural_name(path: &str) -> String {
    let path: Option<FieldPath> = path.parse().ok();
    path.map_or_else(String::new, |path| {
        path.last_key().replace(['.', '[', ']', '"'], "_")
    })
}

/// The suggested mapping, as it stands in a document.
fn suggestion(fields: &[SampledField]) -> Vec<Value> {
    let mapping = |mapping: &dash_shared::transform::mapping::FieldMapping| {
        let mut row = json!({ "from": mapping.from.as_str(), "to": mapping.to });
        if let Some(cast) = mapping.cast {
            row["cast"] = type_word(cast).into();
        }
        row
    };
    suggest_mapping(fields).iter().map(mapping).collect()
}

const fn type_word(of: FieldType) -> &'static str {
    match of {
        FieldType::Text => "text",
        FieldType::Number => "number",
        FieldType::Boolean => "boolean",
        FieldType::Time => "time",
    }
}

/// Begins with the mapping that suits the records; a mapping that is first already is replaced.
pub fn suggest(desk: Desk) {
    let fields = desk
        .sample
        .with_untracked(|sample| fields_of(sample.iter()));
    let rows = suggestion(&fields);
    let suggested = suggest_mapping(&fields);
    let time_field = suggest_time_field(&suggested).map(str::to_owned);
    let document = json!({ "kind": "map", "fields": rows, "keep_rest": rows.is_empty() });
    desk.begin_with(document, |first| kind_of(first).word == "map", time_field);
}
