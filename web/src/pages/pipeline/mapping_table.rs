//! The editor of the field-mapping step: which fields are kept, what they are called, what type
//! they get, and beside each what a real value becomes.

use dash_shared::fields::{FieldPath, FieldType, shorten};
use dash_shared::transform::OnError;
use leptos::prelude::*;
use serde_json::Value;

use super::map_draft::{MapDraft, Row};
use super::outcome::{Cell, cell, policy_words};
use super::{queries, words};
use crate::api::FormErrors;
use crate::components::{
    Button, ButtonSize, Checkbox, Field, Icon, IconButton, IconView, Input, Select, SelectOption,
    Switch, bind,
};

const TYPES: [FieldType; 4] = [
    FieldType::Text,
    FieldType::Number,
    FieldType::Boolean,
    FieldType::Time,
];

/// The editor.
#[component]
pub fn MappingTable(
    /// What is being edited.
    draft: MapDraft,
    /// The record whose values are shown.
    #[prop(into)]
    example: Signal<Option<Value>>,
    /// What is wrong; looked up at `steps.0.fields.INDEX.to` and `.from`.
    errors: FormErrors,
) -> impl IntoView {
    let is_empty = move || draft.rows.with(Vec::is_empty);
    let general = errors.field("steps.0.fields");
    let everything = Callback::new(move |on: bool| {
        for row in draft.rows.get_untracked() {
            row.on.set(on);
        }
    });
    let all_on = Signal::derive(move || draft.rows.get().iter().all(|row| row.on.get()));
    view! {
        <div class="mapping" data-testid="mapping">
            <Show when=move || !is_empty()>
                <div class="mapping-row mapping-head" aria-hidden="true">
                    <Checkbox checked=all_on on_change=everything label="Map all fields" hide_label=true/>
                    <span>"Received"</span>
                    <span>"Example"</span>
                    <span>"Name"</span>
                    <span>"Type"</span>
                    <span>"Becomes"</span>
                    <span></span>
                </div>
            </Show>
            <div role="list" aria-label="Fields">
                <For
                    each=move || draft.rows.get()
                    key=|row| row.key
                    children=move |row| view! { <MappingRow row draft example errors/> }
                />
            </div>
            <Show when=is_empty>
                <p class="muted small mapping-none">
                    "No fields are known yet. As soon as a record has come in, its fields are listed here."
                </p>
            </Show>
            {move || general.get().map(|message| view! {
                <p class="field-error"><IconView icon=Icon::Alert/><span>{message}</span></p>
            })}
            <div class="row">
                <Button size=ButtonSize::Small icon=Icon::Plus on_click=move || draft.add_row() test_id="add-field">
                    "Add a field by its path"
                </Button>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn MappingRow(
    row: Row,
    draft: MapDraft,
    example: Signal<Option<Value>>,
    errors: FormErrors,
) -> impl IntoView {
    let before = Memo::new(move |_| {
        let path: FieldPath = row.from.get().parse().ok()?;
        example.with(|example| path.get(example.as_ref()?.as_object()?).cloned())
    });
    let error = move || {
        if !errors.any() {
            return None;
        }
        let on = draft.on_rows();
        let index = on.iter().position(|other| other.key == row.key)?;
        let at = |end: &str| errors.field(format!("steps.0.fields.{index}.{end}")).get();
        at("to").or_else(|| at("from"))
    };
    let becomes = move || {
        if !row.on.get() {
            let word = if draft.keep_rest.get() {
                "kept as it is"
            } else {
                "left out"
            };
            return view! { <span class="faint">{word}</span> }.into_any();
        }
        match before.get().map(|value| cell(&value, row.cast.get())) {
            None => view! { <span class="faint">"–"</span> }.into_any(),
            Some(Cell::Wrong { message, .. }) => {
                view! { <span class="wrong-text" title=message.clone()>{message.clone()}</span> }
                    .into_any()
            }
            Some(Cell::Changed { after, .. }) => {
                view! { <span class="changed-text num">{shorten(&after)}</span> }.into_any()
            }
            Some(Cell::Same(value)) => {
                view! { <span class="num">{shorten(&value)}</span> }.into_any()
            }
            Some(Cell::Missing) => ().into_any(),
        }
    };
    let label = Signal::derive(move || format!("Map {}", row.from.get()));
    let from = if row.by_hand {
        view! {
            <Input value=row.from on_input=bind(row.from) label="Path" placeholder="customer.country" mono=true test_id="map-from"/>
        }
        .into_any()
    } else {
        view! { <span class="mono mapping-path" title=move || row.from.get()>{move || row.from.get()}</span> }.into_any()
    };
    let options: Vec<SelectOption> = std::iter::once(SelectOption::new("", "As it is"))
        .chain(TYPES.map(|of| {
            SelectOption::new(type_key(of), words::type_name(queries::FieldType::of(of)))
        }))
        .collect();
    let chosen = Signal::derive(move || row.cast.get().map_or("", type_key).to_owned());
    let choose = Callback::new(move |key: String| {
        row.cast
            .set(TYPES.into_iter().find(|of| type_key(*of) == key));
    });
    let rename = Callback::new(move |name: String| {
        errors.clear();
        row.to.set(name);
        row.on.set(true);
    });
    let end = view! {
        <IconButton size=ButtonSize::Small icon=Icon::ArrowUp label="Move up" on_click=move || draft.shift(row.key, false)/>
        {if row.by_hand {
            view! {
                <IconButton size=ButtonSize::Small icon=Icon::Close label="Remove this field" on_click=move || draft.remove(row.key)/>
            }
            .into_any()
        } else {
            view! {
                <IconButton size=ButtonSize::Small icon=Icon::ArrowDown label="Move down" on_click=move || draft.shift(row.key, true)/>
            }
            .into_any()
        }}
    };
    view! {
        <div class="mapping-row" class:off=move || !row.on.get() role="listitem" data-testid="map-row">
            <Checkbox checked=row.on on_change=bind(row.on) label hide_label=true test_id="map-on"/>
            <div class="mapping-from">{from}</div>
            <span class="mapping-example small faint">
                {move || before.get().map(|value| shorten(&value))}
            </span>
            <Input value=row.to on_input=rename label="Name" test_id="map-to"/>
            <Select value=chosen on_change=choose options label="Type" test_id="map-type"/>
            <span class="mapping-becomes small" data-testid="map-becomes">{becomes}</span>
            <span class="mapping-end">{end}</span>
            {move || error().map(|message| view! {
                <p class="field-error"><IconView icon=Icon::Alert/><span>{message}</span></p>
            })}
        </div>
    }
    .into_any()
}

const fn type_key(of: FieldType) -> &'static str {
    match of {
        FieldType::Text => "text",
        FieldType::Number => "number",
        FieldType::Boolean => "boolean",
        FieldType::Time => "time",
    }
}

/// What else there is to decide: the rest, values that do not fit, and the time of a record.
#[component]
pub fn MappingRules(
    /// What is being edited.
    draft: MapDraft,
    /// What is wrong.
    errors: FormErrors,
) -> impl IntoView {
    let policies = vec![
        SelectOption::new("fail", "List it as an error"),
        SelectOption::new("keep", "Store it without the value"),
        SelectOption::new("drop", "Leave the record out"),
    ];
    let policy_key = |policy| match policy {
        OnError::Fail => "fail",
        OnError::Keep => "keep",
        OnError::Drop => "drop",
    };
    let choose_policy = Callback::new(move |key: String| {
        draft.on_error.set(match key.as_str() {
            "keep" => OnError::Keep,
            "drop" => OnError::Drop,
            _ => OnError::Fail,
        });
    });
    let times = Signal::derive(move || {
        let mut options = vec![SelectOption::new("", "When it was received")];
        let mut names: Vec<String> = draft
            .on_rows()
            .iter()
            .filter(|row| row.cast.get() == Some(FieldType::Time))
            .map(|row| row.to.get())
            .collect();
        let chosen = draft.time_field.get();
        names.extend(chosen.filter(|chosen| !names.contains(chosen)));
        options.extend(
            names
                .into_iter()
                .map(|name| SelectOption::new(name.clone(), name)),
        );
        options
    });
    let choose_time = Callback::new(move |name: String| {
        errors.clear_field("timeField");
        draft.time_field.set((!name.is_empty()).then_some(name));
    });
    view! {
        <div class="mapping-rules">
            <Field
                label="When a value does not fit its type"
                hint=Signal::derive(move || policy_words(draft.on_error.get()).to_owned())
            >
                <Select
                    value=Signal::derive(move || policy_key(draft.on_error.get()).to_owned())
                    on_change=choose_policy
                    options=policies
                    test_id="on-error"
                />
            </Field>
            <Field
                label="A record's time"
                error=errors.field("timeField")
                hint="Dashboards place records at this time. Fields of type Time can be chosen."
            >
                <Select
                    value=Signal::derive(move || draft.time_field.get().unwrap_or_default())
                    on_change=choose_time
                    options=times
                    test_id="time-field"
                />
            </Field>
            <div class="mapping-rest">
                <Switch
                    checked=draft.keep_rest
                    on_change=bind(draft.keep_rest)
                    label="Keep fields that are not mapped"
                    test_id="keep-rest"
                />
            </div>
        </div>
    }
    .into_any()
}
