//! Mask and hash: values that nobody should see.

use leptos::prelude::*;
use serde_json::{Value, json};

use super::super::inputs::{Place, amount, field_list};
use crate::components::{Field, Select, SelectOption};

const STYLES: [(&str, &str); 3] = [
    ("full", "Hide everything: •••"),
    ("keep_last", "Keep the last characters: •••1111"),
    ("email", "E-mail address: a•••@example.com"),
];

pub fn mask(place: Place) -> AnyView {
    let style = place.value("style");
    let word = Memo::new(move |_| {
        style.with(|style| match style {
            Some(Value::String(word)) => word.clone(),
            Some(Value::Object(_)) => "keep_last".to_owned(),
            _ => "full".to_owned(),
        })
    });
    let on_change = Callback::new(move |word: String| {
        place.set(
            "style",
            Some(match word.as_str() {
                "keep_last" => json!({ "keep_last": 4 }),
                _ => word.into(),
            }),
        );
    });
    let options: Vec<SelectOption> = STYLES
        .into_iter()
        .map(|(word, words)| SelectOption::new(word, words))
        .collect();
    let keeps = Memo::new(move |_| word.with(|word| word == "keep_last"));
    let hint = "At most 255, and never more than half of the value.";
    view! {
        {field_list(place, "fields", "Hide most of these fields")}
        <Field label="What can still be seen" error=place.error("style")>
            <Select value=word on_change options test_id="mask-style"/>
        </Field>
        <Show when=move || keeps.get()>
            {amount(place, "style.keep_last", "Characters at the end", hint, "4")}
        </Show>
    }
    .into_any()
}

pub fn hash(place: Place) -> AnyView {
    view! {
        {field_list(place, "fields", "Replace these fields by a hash")}
        <p class="field-hint">
            "The same value has the same hash, so it can still be counted and joined. The key is your \
             team’s own; the preview has another one."
        </p>
    }
    .into_any()
}
