//! Ways to choose: on or off, and one of a few.

use leptos::prelude::*;

use super::{Icon, IconView, unique_id};

/// A switch with its label: takes effect at once.
#[component]
pub fn Switch(
    /// Whether it is on.
    #[prop(into)]
    checked: Signal<bool>,
    /// Called with the new state.
    on_change: Callback<bool>,
    /// What it switches.
    #[prop(into)]
    label: Signal<String>,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
) -> impl IntoView {
    view! {
        <label class="check switch">
            <input
                type="checkbox"
                role="switch"
                prop:checked=move || checked.get()
                data-testid=test_id
                on:change=move |event| on_change.run(event_target_checked(&event))
            />
            <span class="switch-track" aria-hidden="true"></span>
            <span>{move || label.get()}</span>
        </label>
    }
}

/// A box to tick, with its label: takes effect with the form.
#[component]
pub fn Checkbox(
    /// Whether it is ticked.
    #[prop(into)]
    checked: Signal<bool>,
    /// Called with the new state.
    on_change: Callback<bool>,
    /// What ticking it means.
    #[prop(into)]
    label: Signal<String>,
    /// Whether the label is only read out, as in a table.
    #[prop(optional)]
    hide_label: bool,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                prop:checked=move || checked.get()
                data-testid=test_id
                on:change=move |event| on_change.run(event_target_checked(&event))
            />
            <span class:visually-hidden=hide_label>{move || label.get()}</span>
        </label>
    }
}

/// One thing to choose among a few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is passed on.
    pub value: String,
    /// What is seen.
    pub label: String,
    /// A sentence about it; only cards show it.
    pub text: String,
    /// A picture; only cards show it.
    pub icon: Option<Icon>,
}

impl Choice {
    /// A choice by its name alone.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            label: label.into(),
            text: String::new(),
            icon: None,
        }
    }

    /// The same choice with a sentence about it.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// The same choice with a picture.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icon = Some(icon);
        self
    }
}

/// A few big choices, each with a sentence.
#[component]
pub fn RadioCards(
    /// What is being chosen.
    #[prop(into)]
    label: String,
    /// What there is.
    choices: Vec<Choice>,
    /// The value that is chosen.
    #[prop(into)]
    value: Signal<String>,
    /// Called with the value that was chosen.
    on_change: Callback<String>,
) -> impl IntoView {
    let group = unique_id("cards");
    let cards = choices
        .into_iter()
        .map(|choice| {
            let own = choice.value.clone();
            let sent = choice.value.clone();
            view! {
                <label class="radio-card">
                    <input
                        type="radio"
                        name=group.clone()
                        value=choice.value
                        prop:checked=move || value.with(|value| *value == own)
                        on:change=move |_| on_change.run(sent.clone())
                    />
                    {choice.icon.map(|icon| view! { <span class="door-icon"><IconView icon/></span> })}
                    <span class="radio-card-text">
                        <b>{choice.label}</b>
                        <span class="muted small">{choice.text}</span>
                    </span>
                </label>
            }
        })
        .collect_view();
    view! { <div class="radio-cards" role="radiogroup" aria-label=label>{cards}</div> }.into_any()
}

/// A few short choices side by side, such as `curl | JavaScript | Python`.
#[component]
pub fn Segmented(
    /// What is being chosen.
    #[prop(into)]
    label: String,
    /// What there is.
    choices: Vec<Choice>,
    /// The value that is chosen.
    #[prop(into)]
    value: Signal<String>,
    /// Called with the value that was chosen.
    on_change: Callback<String>,
) -> impl IntoView {
    let group = unique_id("segmented");
    let segments = choices
        .into_iter()
        .map(|choice| {
            let own = choice.value.clone();
            let sent = choice.value.clone();
            view! {
                <label class="segment">
                    <input
                        type="radio"
                        name=group.clone()
                        value=choice.value
                        prop:checked=move || value.with(|value| *value == own)
                        on:change=move |_| on_change.run(sent.clone())
                    />
                    <span>
                        {choice.icon.map(|icon| view! { <IconView icon/> })}
                        {choice.label}
                    </span>
                </label>
            }
        })
        .collect_view();
    view! { <div class="segmented" role="radiogroup" aria-label=label>{segments}</div> }.into_any()
}
