//! Choosing fields: one, with suggestions while typing its path; or several, with a tick for each.

use dash_shared::fields::{FieldType, SampledField};
use leptos::prelude::*;
use serde_json::Value;

use super::combo::{Suggestion, SuggestionList, Suggestions};
use super::{Place, group};
use crate::components::{Button, ButtonSize, Icon, IconView};

/// How many fields are suggested at once.
const MAX_SUGGESTED: usize = 50;

/// A field with a label above it. One that may be left out is taken away when it is empty.
pub fn field_input(
    place: Place,
    at: &'static str,
    label: &'static str,
    hint: Option<&'static str>,
    optional: bool,
) -> AnyView {
    let error = place.error(at);
    let on_input = Callback::new(move |path: String| {
        if optional {
            place.set_or_remove(at, path);
        } else {
            place.set_text(at, path);
        }
    });
    let value = place.text(at);
    let is_wrong = Signal::derive(move || error.with(Option::is_some));
    let input = view! { <FieldBox value on_input fields=place.fields label is_wrong/> };
    group(label, error, hint, optional, input.into_any())
}

/// A field in a row, which is named for screen readers only.
pub fn field_box(place: Place, at: String, label: String) -> AnyView {
    let error = place.error(at.clone());
    let value = place.text(at.clone());
    let on_input = Callback::new(move |path: String| place.set_text(&at, path));
    let is_wrong = Signal::derive(move || error.with(Option::is_some));
    view! { <FieldBox value on_input fields=place.fields label is_wrong/> }.into_any()
}

/// An input for the path of a field.
#[component]
pub fn FieldBox(
    /// The path.
    #[prop(into)]
    value: Signal<String>,
    /// Called with every change.
    on_input: Callback<String>,
    /// The fields that are suggested.
    #[prop(into)]
    fields: Signal<Vec<SampledField>>,
    /// What it is.
    #[prop(into)]
    label: String,
    /// Whether it is wrong.
    #[prop(into)]
    is_wrong: Signal<bool>,
    /// What stands there while it is empty.
    #[prop(default = "Field")]
    placeholder: &'static str,
) -> impl IntoView {
    let suggestions = Suggestions::new();
    let suggest = move |typed: &str| {
        suggestions.open(fields.with_untracked(|fields| matching(fields, typed)));
    };
    let take = Callback::new(move |taken: Suggestion| on_input.run(taken.value));
    // Whoever comes back to a field that is chosen sees what else there is.
    let show_all = move || {
        let typed = value.get_untracked();
        let is_known =
            fields.with_untracked(|fields| fields.iter().any(|field| field.path.as_str() == typed));
        suggest(if is_known { "" } else { &typed });
    };
    view! {
        <div class="combo">
            <input
                class="input mono"
                type="text"
                role="combobox"
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                placeholder=placeholder
                aria-label=label
                aria-autocomplete="list"
                aria-expanded=move || suggestions.is_open().to_string()
                aria-controls=suggestions.id()
                aria-activedescendant=move || suggestions.active_id()
                aria-invalid=move || is_wrong.get().then_some("true")
                data-testid="field-box"
                prop:value=move || value.get()
                on:input=move |event| {
                    let typed = event_target_value(&event);
                    suggest(&typed);
                    on_input.run(typed);
                }
                on:click=move |_| show_all()
                on:keydown=move |event| {
                    if event.key() == "ArrowDown" && !suggestions.list.with_untracked(|list| !list.is_empty()) && !event.alt_key() {
                        event.prevent_default();
                        show_all();
                    } else if let Some(taken) = suggestions.on_key(&event) {
                        take.run(taken);
                    }
                }
                on:blur=move |_| suggestions.close()
            />
            <SuggestionList suggestions on_take=take/>
        </div>
    }
    .into_any()
}

/// The fields whose path has what was typed in it; those that begin with it first.
fn matching(fields: &[SampledField], typed: &str) -> Vec<Suggestion> {
    let typed = crate::format::lowercase(typed.trim());
    let lower = |field: &SampledField| crate::format::lowercase(field.path.as_str());
    let (mut first, mut then) = (Vec::new(), Vec::new());
    for field in fields {
        let path = lower(field);
        if path == typed {
            continue;
        }
        let suggestion = || Suggestion {
            value: field.path.to_string(),
            label: field.path.to_string(),
            detail: detail(field),
        };
        if path.starts_with(&typed) {
            first.push(suggestion());
        } else if path.contains(&typed) {
            then.push(suggestion());
        }
    }
    first.extend(then);
    first.truncate(MAX_SUGGESTED);
    first
}

/// “Number · 184.2”.
pub fn detail(field: &SampledField) -> String {
    let name = match field.field_type {
        FieldType::Text => "Text",
        FieldType::Number => "Number",
        FieldType::Boolean => "True / false",
        FieldType::Time => "Time",
    };
    match &field.example {
        Some(example) => format!("{name} · {example}"),
        None => name.to_owned(),
    }
}

/// The texts of a list.
fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    let texts = items.filter_map(Value::as_str).map(str::to_owned);
    texts.collect()
}

/// Several fields: a tick for each that arrives, and for each that is chosen and does not.
pub fn field_list(place: Place, at: &'static str, legend: &'static str) -> AnyView {
    let error = place.error(at);
    let value = place.value(at);
    let chosen = Memo::new(move |_| value.with(|value| texts(value.as_ref())));
    let other = RwSignal::new(String::new());
    let lines = Memo::new(move |_| {
        let mut lines: Vec<(String, String, bool)> = place.fields.with(|fields| {
            let line = |field: &SampledField| (field.path.to_string(), detail(field), true);
            fields.iter().map(line).collect()
        });
        for path in chosen.get() {
            if lines.iter().all(|(known, ..)| *known != path) {
                lines.push((path, "not in these records".to_owned(), false));
            }
        }
        lines
    });
    let toggle = move |path: &str| {
        let path = path.to_owned();
        place.change_list(at, |list| {
            let place = list.iter().position(|known| known.as_str() == Some(&path));
            match place {
                Some(place) => drop(list.remove(place)),
                None => list.push(Value::String(path)),
            }
        });
    };
    let add = move || {
        let path = other.get_untracked().trim().to_owned();
        let is_new = chosen.with_untracked(|chosen| !chosen.contains(&path));
        if !path.is_empty() && is_new {
            toggle(&path);
        }
        other.set(String::new());
    };
    view! {
        <fieldset class="work-ticks">
            <legend>{legend}</legend>
            <div class="work-ticks-list">
                <For
                    each=move || lines.get()
                    key=|line| line.clone()
                    children=move |(path, words, _)| {
                        let (own, sent) = (path.clone(), path.clone());
                        let is_on = Memo::new(move |_| chosen.with(|chosen| chosen.contains(&own)));
                        // What is wrong with a path is said at its place in the list.
                        let own = path.clone();
                        let wrong = move || {
                            let index = chosen.with(|chosen| chosen.iter().position(|known| *known == own))?;
                            place.error(format!("{at}.{index}")).get()
                        };
                        view! {
                            <label class="check work-tick">
                                <input
                                    type="checkbox"
                                    prop:checked=is_on
                                    data-testid="field-tick"
                                    on:change=move |_| toggle(&sent)
                                />
                                <span class="mono">{path}</span>
                                <span class="tiny faint">{words}</span>
                                {move || wrong().map(|message| view! { <span class="tiny wrong-text">{message}</span> })}
                            </label>
                        }
                    }
                />
            </div>
            <div
                class="work-tick-add"
                on:keydown=move |event| {
                    if event.key() == "Enter" {
                        event.prevent_default();
                        add();
                    }
                }
            >
                <FieldBox
                    value=other
                    on_input=Callback::new(move |path| other.set(path))
                    fields=Signal::derive(Vec::new)
                    label="Another field, by its path"
                    placeholder="Another field, by its path"
                    is_wrong=Signal::derive(|| false)
                />
                <Button size=ButtonSize::Small icon=Icon::Plus on_click=add test_id="tick-add">"Add"</Button>
            </div>
            {move || error.get().map(|message| view! {
                <p class="field-error"><IconView icon=Icon::Alert/><span>{message}</span></p>
            })}
        </fieldset>
    }
    .into_any()
}
