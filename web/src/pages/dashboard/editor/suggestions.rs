//! Widgets that suit the fields of the chosen pipeline, one click away.

use dash_shared::{
    fields::FieldType,
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

/// What suits the fields of a pipeline: the widgets of a first dashboard, and lines divided by the
/// first field that has words.
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
    let divider = DIVIDERS.iter().find_map(|name| {
        fields.iter().find(|field| {
            field.field_type == FieldType::Text && field.path.last_key().eq_ignore_ascii_case(name)
        })
    });
    if let Some(divider) = divider {
        definitions.push(Definition {
            title: format!("Records by {}", label(&divider.path)),
            aggregate: Aggregate::Count,
            group_by: Some(divider.path.to_string()),
            ..Definition::new(WidgetKind::Line, pipeline_id.to_owned())
        });
    }
    definitions
}
