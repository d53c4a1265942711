//! Names, choices and switches.

use leptos::prelude::*;
use serde_json::Value;

use super::Place;
use crate::components::{
    Choice, Field, Icon, IconView, Input, Segmented, Select, SelectOption, Switch,
};

/// A label above something that names its inputs itself, with what is wrong or a hint below it.
pub fn group(
    label: &'static str,
    error: Signal<Option<String>>,
    hint: Option<&'static str>,
    optional: bool,
    content: AnyView,
) -> AnyView {
    let below = move || match (error.get(), hint) {
        (Some(message), _) => view! {
            <p class="field-error"><IconView icon=Icon::Alert/><span>{message}</span></p>
        }
        .into_any(),
        (None, Some(hint)) => view! { <p class="field-hint">{hint}</p> }.into_any(),
        (None, None) => ().into_any(),
    };
    view! {
        <div class="field">
            <span class="work-label">
                {label}
                {optional.then(|| view! { <span class="faint">"optional"</span> })}
            </span>
            {content}
            <div aria-live="polite">{below}</div>
        </div>
    }
    .into_any()
}

/// A name in a row, which is named for screen readers only.
pub fn name_input(place: Place, at: String, label: String, placeholder: &'static str) -> AnyView {
    let error = place.error(at.clone());
    let value = place.text(at.clone());
    let on_input = Callback::new(move |text: String| place.set_text(&at, text));
    view! {
        <div class="work-cell" class:is-wrong=move || error.with(Option::is_some)>
            <Input value on_input label placeholder test_id="name-box"/>
        </div>
    }
    .into_any()
}

/// A choice from a list with a label above it.
pub fn choice(
    place: Place,
    at: &'static str,
    label: &'static str,
    options: &'static [(&'static str, &'static str)],
) -> AnyView {
    let error = place.error(at);
    view! { <Field label error>{word_select(place, at.to_owned(), None, options)}</Field> }
        .into_any()
}

/// A choice from a list. The first is chosen when nothing is said; an empty word takes away what is
/// there.
pub fn word_select(
    place: Place,
    at: String,
    label: Option<String>,
    options: &'static [(&'static str, &'static str)],
) -> AnyView {
    let text = place.text(at.clone());
    let value = Signal::derive(move || {
        let text = text.get();
        let first = options.first().map_or("", |(word, _)| *word);
        if text.is_empty() {
            first.to_owned()
        } else {
            text
        }
    });
    let on_change = Callback::new(move |word: String| place.set_or_remove(&at, word));
    let options: Vec<SelectOption> = options
        .iter()
        .map(|(word, words)| SelectOption::new(*word, *words))
        .collect();
    match label {
        Some(label) => view! { <Select value on_change options label/> }.into_any(),
        None => view! { <Select value on_change options/> }.into_any(),
    }
}

/// A few words side by side; the first is chosen when nothing is said.
pub fn segments(
    place: Place,
    at: &'static str,
    label: &'static str,
    options: &'static [(&'static str, &'static str)],
) -> AnyView {
    let text = place.text(at);
    let value = Signal::derive(move || {
        let text = text.get();
        let first = options.first().map_or("", |(word, _)| *word);
        if text.is_empty() {
            first.to_owned()
        } else {
            text
        }
    });
    let choices = options
        .iter()
        .map(|(word, words)| Choice::new(*word, *words))
        .collect();
    let on_change = Callback::new(move |word: String| place.set_text(at, word));
    view! { <Segmented label choices value on_change/> }.into_any()
}

/// A switch.
pub fn switch(place: Place, at: &'static str, label: &'static str) -> AnyView {
    let checked = place.flag(at, false);
    let on_change = Callback::new(move |on: bool| place.set(at, Some(Value::Bool(on))));
    view! { <Switch checked on_change label/> }.into_any()
}
