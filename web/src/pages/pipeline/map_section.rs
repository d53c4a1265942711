//! The mapping of a source that is being connected, beside what it makes of the records that were
//! found. (The transform of a pipeline has an editor of its own: `transform`.)

use leptos::prelude::*;
use serde_json::Value;

use super::map_draft::MapDraft;
use super::mapping_table::MappingTable;
use super::outcome::Preview;
use super::outcome_table::OutcomeTable;
use crate::api::FormErrors;
use crate::components::{Card, Icon, IconButton};
use crate::format::plural;

/// How many records are previewed.
pub const MAX_SAMPLE: usize = 8;

/// The table with the record its examples come from, and a way to look at another one.
#[component]
pub fn MapSection(
    /// What is being edited.
    draft: MapDraft,
    /// The records to look at.
    #[prop(into)]
    sample: Signal<Vec<Value>>,
    /// What is wrong.
    errors: FormErrors,
) -> impl IntoView {
    let at = RwSignal::new(0_usize);
    let count = Signal::derive(move || sample.with(Vec::len));
    let place = Signal::derive(move || at.get().min(count.get().saturating_sub(1)));
    let example = Signal::derive(move || sample.with(|sample| sample.get(place.get()).cloned()));
    view! {
        <Show when=move || 1 < count.get()>
            <div class="row mapping-sample">
                <span class="small muted num">
                    {move || format!("Values of record {} of {}", place.get() + 1, count.get())}
                </span>
                <IconButton
                    icon=Icon::ChevronLeft
                    label="The record before"
                    disabled=Signal::derive(move || place.get() == 0)
                    on_click=move || at.set(place.get_untracked().saturating_sub(1))
                />
                <IconButton
                    icon=Icon::ChevronRight
                    label="The next record"
                    disabled=Signal::derive(move || place.get() + 1 >= count.get())
                    on_click=move || at.set(place.get_untracked() + 1)
                />
            </div>
        </Show>
        <MappingTable draft example errors/>
    }
}

/// The card with what becomes of the sample.
#[component]
pub fn PreviewCard(
    /// What becomes of it.
    #[prop(into)]
    preview: Signal<Preview>,
    /// The sample.
    #[prop(into)]
    sample: Signal<Vec<Value>>,
) -> impl IntoView {
    let summary = move || {
        preview.with(|preview| {
            let (stored, all) = (preview.stored(), preview.lines.len());
            let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
            if stored == all {
                format!(
                    "All {} would be stored",
                    plural(count(all), "record", "records")
                )
            } else {
                format!(
                    "{} of {} would be stored",
                    stored,
                    plural(count(all), "record", "records")
                )
            }
        })
    };
    view! {
        <Show when=move || !sample.with(Vec::is_empty)>
            <Card title="What is stored" test_id="preview" actions=move || view! {
                <span class="small muted num" data-testid="preview-summary">{summary}</span>
            }>
                <OutcomeTable preview/>
                <p class="tiny faint">
                    <span class="legend changed"></span> "changed by the type"
                    <span class="legend wrong"></span> "does not fit the type"
                </p>
            </Card>
        </Show>
    }
}
