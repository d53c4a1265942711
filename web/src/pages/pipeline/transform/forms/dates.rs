//! Read dates as they are written elsewhere.

use leptos::prelude::*;
use serde_json::{Value, json};

use super::super::inputs::{Place, field_list};
use crate::components::{Field, Input, Select, SelectOption};

const FORMATS: [(&str, &str); 6] = [
    (
        "auto",
        "Find out: 2026-11-22, 2026-11-22 14:30, Unix time …",
    ),
    ("day_first", "The day first: 22.11.2026 14:30"),
    ("month_first", "The month first: 11/22/2026 2:30 PM"),
    ("unix_seconds", "Seconds since 1970"),
    ("unix_milliseconds", "Milliseconds since 1970"),
    ("pattern", "A pattern of your own"),
];

pub fn form(place: Place) -> AnyView {
    let format = place.value("format");
    let word = Memo::new(move |_| {
        format.with(|format| match format {
            Some(Value::String(word)) => word.clone(),
            Some(Value::Object(_)) => "pattern".to_owned(),
            _ => "auto".to_owned(),
        })
    });
    let on_change = Callback::new(move |word: String| {
        place.set(
            "format",
            Some(match word.as_str() {
                "pattern" => json!({ "pattern": "%d.%m.%Y %H:%M" }),
                _ => word.into(),
            }),
        );
    });
    let options: Vec<SelectOption> = FORMATS
        .into_iter()
        .map(|(word, words)| SelectOption::new(word, words))
        .collect();
    let pattern = place.text("format.pattern");
    let on_pattern = Callback::new(move |text: String| place.set_text("format.pattern", text));
    let zone = place.text("zone");
    let on_zone =
        Callback::new(move |zone: String| place.set_or_remove("zone", zone.trim().to_owned()));
    let is_pattern = Memo::new(move |_| word.with(|word| word == "pattern"));
    view! {
        {field_list(place, "fields", "Fields with dates")}
        <Field label="How they are written" error=place.error("format")>
            <Select value=word on_change options/>
        </Field>
        <Show when=move || is_pattern.get()>
            <Field
                label="Pattern"
                error=place.error("format.pattern")
                hint="%d day, %m month, %b its name, %Y year, %H hour, %I with %p, %M minute, %S second, %z zone"
            >
                <Input value=pattern on_input=on_pattern mono=true/>
            </Field>
        </Show>
        <Field
            label="Time zone of dates that name none"
            error=place.error("zone")
            hint="UTC, an offset such as +02:00, or a place such as Europe/Berlin."
        >
            <Input value=zone on_input=on_zone placeholder="UTC"/>
        </Field>
    }
    .into_any()
}
