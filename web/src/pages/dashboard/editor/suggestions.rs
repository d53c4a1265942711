//! Widgets that suit the fields of the chosen pipeline, one click away.

use dash_shared::{
    fields::{FieldType, SampledField},
    widgets::{Aggregate, WidgetKind, label, suggest_widgets},
};
use leptos::prelude::*;

use super::{super::tiles::Definition, sources::Sources};
use crate::components::{Icon, IconView};

const ALL_TYPES: [FieldType; 4] = [
    FieldType::Text,
    FieldType::Number,
    FieldType::Boolean,
    FieldType::Time,
];

/// Names of fields that usually hold a few words again and again, the most telling first.
const DIVIDERS: [&str; 14] = [
    "channel", "status", "state", "type", "category", "kind", "level", "severity", "country",
    "region", "source", "plan", "method", "city",
];

/// Words in the names of fields that hold how long something took; the mean hides the slow ones.
const DURATIONS: [&str; 4] = ["duration", "latency", "elapsed", "response_time"];

/// Names of fields that say who it was, the most telling first.
const PEOPLE: [&str; 8] = [
    "customer",
    "customer_id",
    "user",
    "user_id",
    "email",
    "visitor",
    "session",
    "device",
];

/// Chips that fill in the form.
#[component]
pub fn Suggestions(draft: RwSignal<Definition>, sources: Sources) -> impl IntoView {
    let pipeline_id = Memo::new(move |_| draft.with(|draft| draft.pipeline_id.clone()));
    let suggested = Memo::new(move |_| suggest(sources, &pipeline_id.get()));
    let chips = move || {
        suggested
            .get()
            .into_iter()
            .map(|definition| {
                let icon = match definition.kind {
                    WidgetKind::Stat => Icon::Stat,
                    WidgetKind::Line => Icon::Line,
                    WidgetKind::Table => Icon::Table,
                };
                let title = definition.title.clone();
                view! {
                    <button
                        type="button"
                        class="chip"
                        on:click=move |_| draft.set(definition.clone())
                    >
                        <IconView icon/>
                        {title}
                    </button>
                }
            })
            .collect_view()
    };
    view! {
        <Show when=move || suggested.with(|suggested| suggested.len() > 1)>
            <div class="editor-suggestions" role="group" aria-label="Suggestions">
                <span class="editor-label">"Suggestions"</span>
                <div class="chips">{chips}</div>
            </div>
        </Show>
    }
}

/// The first field of a type whose name is one of these, the most telling name first.
fn named<'a>(
    fields: &'a [SampledField],
    names: &[&str],
    is_of: impl Fn(FieldType) -> bool,
) -> Option<&'a SampledField> {
    names.iter().find_map(|name| {
        fields.iter().find(|field| {
            let is_named = field.path.last_key().eq_ignore_ascii_case(name);
            is_named && is_of(field.field_type)
        })
    })
}

/// The first number that is a time that something took, by its name.
fn duration(fields: &[SampledField]) -> Option<&SampledField> {
    let is_duration = |field: &&SampledField| {
        let name = field.path.last_key().to_ascii_lowercase();
        let is_named = DURATIONS.iter().any(|word| name.contains(word)) || name.ends_with("_ms");
        field.field_type == FieldType::Number && is_named
    };
    fields.iter().find(is_duration)
}

/// A figure with its natural title.
fn figure(aggregate: Aggregate, field: &SampledField, pipeline_id: &str) -> Definition {
    let mut definition = Definition {
        aggregate,
        field: Some(field.path.to_string()),
        ..Definition::new(WidgetKind::Stat, pipeline_id.to_owned())
    };
    definition.title = definition.natural_title();
    definition
}

/// What suits the fields of a pipeline: the widgets of a first dashboard, lines divided by the first
/// field that has words, the slow end of a duration, and how many different people there were.
fn suggest(sources: Sources, pipeline_id: &str) -> Vec<Definition> {
    let fields = sources.fields(pipeline_id, &ALL_TYPES);
    let mut definitions: Vec<Definition> = suggest_widgets(&fields)
        .into_iter()
        .map(|suggested| Definition {
            title: suggested.title,
            aggregate: suggested.aggregate,
            field: suggested.field.map(|path| path.to_string()),
            group_by: suggested.group_by.map(|path| path.to_string()),
            columns: suggested.columns.iter().map(ToString::to_string).collect(),
            color: suggested.color,
            ..Definition::new(suggested.kind, pipeline_id.to_owned())
        })
        .collect();
    if let Some(divider) = named(&fields, &DIVIDERS, |of| of == FieldType::Text) {
        definitions.push(Definition {
            title: format!("Records by {}", label(&divider.path)),
            aggregate: Aggregate::Count,
            group_by: Some(divider.path.to_string()),
            ..Definition::new(WidgetKind::Line, pipeline_id.to_owned())
        });
    }
    if let Some(field) = duration(&fields) {
        definitions.push(figure(Aggregate::P95, field, pipeline_id));
    }
    let is_name = |of| matches!(of, FieldType::Text | FieldType::Number);
    if let Some(field) = named(&fields, &PEOPLE, is_name) {
        definitions.push(figure(Aggregate::Distinct, field, pipeline_id));
    }
    definitions
}
