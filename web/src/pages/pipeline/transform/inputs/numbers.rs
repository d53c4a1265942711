//! Numbers and spans of time. What is typed stays as it was typed; the document has the number, or
//! the text when it is none, which is then said to be wrong.

use leptos::prelude::*;
use serde_json::Value;

use super::{Place, group};
use crate::components::{Field, Input, Select, SelectOption};

/// The units of a span, the largest first.
const UNITS: [(u64, &str); 4] = [
    (86_400, "days"),
    (3_600, "hours"),
    (60, "minutes"),
    (1, "seconds"),
];

/// A whole number with a label above it; an optional one is taken away when it is empty.
pub fn amount(
    place: Place,
    at: &'static str,
    label: &'static str,
    hint: &'static str,
    otherwise: &'static str,
) -> AnyView {
    let typed = RwSignal::new(String::new());
    let value = place.value(at);
    Effect::new(move || {
        let now = value.get();
        let shown = untrack(|| read(&typed.get(), 1));
        if shown != now {
            typed.set(match now {
                Some(Value::String(text)) => text,
                Some(number) => number.to_string(),
                None => String::new(),
            });
        }
    });
    let on_input = Callback::new(move |text: String| {
        typed.set(text.clone());
        place.set(at, read(&text, 1));
    });
    view! {
        <Field label error=place.error(at) hint>
            <Input value=typed on_input placeholder=otherwise/>
        </Field>
    }
    .into_any()
}

/// A span of time: an amount and its unit. An optional one is taken away when it is empty.
pub fn duration(
    place: Place,
    at: &'static str,
    label: &'static str,
    hint: &'static str,
) -> AnyView {
    let (typed, unit) = (RwSignal::new(String::new()), RwSignal::new(60_u64));
    let value = place.value(at);
    Effect::new(move || {
        let now = value.get();
        let shown = untrack(|| read(&typed.get(), unit.get()));
        if shown != now {
            match now {
                Some(Value::String(text)) => typed.set(text),
                Some(number) => {
                    let seconds = number.as_u64().unwrap_or_default();
                    let fits = |size: u64| seconds > 0 && seconds.is_multiple_of(size);
                    let size = UNITS.into_iter().find(|(size, _)| fits(*size));
                    let size = size.map_or(1, |(size, _)| size);
                    unit.set(size);
                    typed.set((seconds / size).to_string());
                }
                None => typed.set(String::new()),
            }
        }
    });
    let on_input = Callback::new(move |text: String| {
        typed.set(text.clone());
        place.set(at, read(&text, unit.get_untracked()));
    });
    let on_change = Callback::new(move |size: String| {
        let size = size.parse().unwrap_or(1);
        unit.set(size);
        place.set(at, read(&typed.get_untracked(), size));
    });
    let options: Vec<SelectOption> = UNITS
        .into_iter()
        .map(|(size, name)| SelectOption::new(size.to_string(), name))
        .collect();
    let inputs = view! {
        <div class="work-duration">
            <Input value=typed on_input label/>
            <Select
                value=Signal::derive(move || unit.get().to_string())
                on_change
                options
                label=format!("{label}: unit")
            />
        </div>
    };
    group(label, place.error(at), Some(hint), false, inputs.into_any())
}

/// What is typed as a value: a number of that size, nothing, or the text.
fn read(text: &str, size: u64) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let number = text
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(size));
    Some(number.map_or_else(|| Value::String(text.to_owned()), Value::from))
}
