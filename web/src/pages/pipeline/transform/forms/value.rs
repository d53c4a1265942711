//! Set a value: the same for every record.

use leptos::prelude::*;
use serde_json::{Value, json};

use super::super::inputs::{Place, Rows, field_box, rows};
use crate::components::{Input, Select, SelectOption};

/// What a value can be.
const KINDS: [(&str, &str); 5] = [
    ("text", "Text"),
    ("number", "Number"),
    ("boolean", "True / false"),
    ("null", "Nothing"),
    ("json", "JSON"),
];

pub fn form(place: Place) -> AnyView {
    rows(
        place,
        Rows {
            at: "fields",
            noun: "value",
            heads: &["Field", "Is a", "Value"],
            blank: || json!({ "field": "", "value": "" }),
            inputs: |place, at, number| {
                view! {
                    {field_box(place, format!("{at}.field"), format!("Field {number}"))}
                    {value_inputs(place, format!("{at}.value"), number)}
                }
                .into_any()
            },
            told: &["field", "value"],
            is_ordered: false,
        },
    )
}

/// What kind of value it is, and the value. What is typed stays as it was typed; it is a text as
/// long as it is nothing else.
fn value_inputs(place: Place, at: String, number: usize) -> AnyView {
    let (kind, typed) = (RwSignal::new("text"), RwSignal::new(String::new()));
    let value = place.value(at.clone());
    Effect::new(move || {
        let now = value.get().unwrap_or_default();
        if untrack(|| read(kind.get(), &typed.get())) != now {
            kind.set(kind_of(&now));
            typed.set(match now {
                Value::String(text) => text,
                Value::Null => String::new(),
                other => other.to_string(),
            });
        }
    });
    let own = at.clone();
    let on_input = Callback::new(move |text: String| {
        place.set(&own, Some(read(kind.get_untracked(), &text)));
        typed.set(text);
    });
    let on_change = Callback::new(move |word: String| {
        let chosen = KINDS.into_iter().find(|(known, _)| *known == word);
        let chosen = chosen.map_or("text", |(known, _)| known);
        if chosen == "boolean" {
            typed.set("true".to_owned());
        }
        kind.set(chosen);
        place.set(&at, Some(read(chosen, &typed.get_untracked())));
    });
    let is_text_instead = move || {
        let kind = kind.get();
        kind != "text" && kind_of(&read(kind, &typed.get())) == "text"
    };
    let options: Vec<SelectOption> = KINDS
        .into_iter()
        .map(|(word, words)| SelectOption::new(word, words))
        .collect();
    let input = move || {
        match kind.get() {
        "null" => view! { <span class="small faint">"null"</span> }.into_any(),
        "boolean" => {
            let words = ["true", "false"].map(|word| SelectOption::new(word, word));
            view! {
                <Select value=typed on_change=on_input options=words.to_vec() label=format!("Value {number}")/>
            }
            .into_any()
        }
        _ => view! {
            <div class="work-cell" class:is-wrong=is_text_instead title=move || is_text_instead().then_some("Not of this type, so it is a text")>
                <Input value=typed on_input label=format!("Value {number}") placeholder="Value" test_id="value-box"/>
            </div>
        }
        .into_any(),
    }
    };
    view! {
        <Select
            value=Signal::derive(move || kind.get().to_owned())
            on_change
            options
            label=format!("Type of value {number}")
        />
        {input}
    }
    .into_any()
}

fn read(kind: &str, typed: &str) -> Value {
    let text = || Value::String(typed.to_owned());
    let json = || serde_json::from_str::<Value>(typed.trim()).ok();
    match kind {
        "number" => json().filter(Value::is_number).unwrap_or_else(text),
        "boolean" => Value::Bool(typed.trim() == "true"),
        "null" => Value::Null,
        "json" => json().unwrap_or_else(text),
        _ => text(),
    }
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Bool(_) => "boolean",
        Value::Null => "null",
        Value::Array(_) | Value::Object(_) => "json",
    }
}
