//! What stands beside the steps: the preview, and whatever else says what they do. A panel is a line
//! in [`PANELS`]; the bar with their names is seen as soon as there are two.

use leptos::prelude::*;
use serde_json::Value;

use super::super::use_store;
use super::bench::Benches;
use super::desk::Desk;
use super::preview_view::PreviewView;
use super::sample::Sample;
use crate::components::{Choice, Segmented, Skeleton, bind};
use crate::parts;

/// A panel: what it is called, and what makes it.
struct Panel {
    name: &'static str,
    view: fn(Desk, Benches, Sample) -> AnyView,
}

/// The panels in their order.
const PANELS: &[Panel] = &[
    Panel {
        name: "Preview",
        view: |desk, bench, sample| view! { <PreviewView desk bench sample/> }.into_any(),
    },
    Panel {
        name: "Test cases",
        view: |desk, _, _| tried(desk, parts::test_cases),
    },
    Panel {
        name: "Impact",
        view: |desk, _, _| tried(desk, parts::impact),
    },
];

/// What tries the draft: which pipeline's it is, its steps, and its time field.
type Trial = fn(cynic::Id, Signal<Vec<Value>>, Signal<Option<String>>) -> parts::Fetching<AnyView>;

/// A panel that tries the draft on the server; a part of its own.
fn tried(desk: Desk, trial: Trial) -> AnyView {
    let id = use_store()
        .pipeline
        .with_untracked(|pipeline| pipeline.id.clone());
    let steps = Signal::derive(move || {
        let content = desk.content.get();
        let documents = content.steps.into_iter();
        documents
            .map(|step| (*step.document).clone())
            .collect::<Vec<Value>>()
    });
    let time_field =
        Signal::derive(move || desk.content.with(|content| content.time_field.clone()));
    let waiting = view! { <Skeleton height="180px"/> }.into_any();
    let failed = || view! { <p class="field-error">{parts::MISSING}</p> }.into_any();
    parts::later(trial(id, steps, time_field), waiting, failed)
}

/// The panels.
#[component]
pub fn Panels(
    /// What is edited.
    desk: Desk,
    /// What it is edited with.
    bench: Benches,
    /// The records that are looked at.
    sample: Sample,
) -> impl IntoView {
    let chosen = RwSignal::new(PANELS.first().map_or("", |panel| panel.name).to_owned());
    let bar = (PANELS.len() > 1).then(|| {
        let names = PANELS
            .iter()
            .map(|panel| Choice::new(panel.name, panel.name));
        let choices = names.collect();
        view! { <Segmented label="What the steps do" choices value=chosen on_change=bind(chosen)/> }
    });
    let content = move || {
        let name = chosen.get();
        let panel = PANELS.iter().find(|panel| panel.name == name);
        panel.map(|panel| (panel.view)(desk, bench, sample))
    };
    view! {
        <section class="card work-panels" aria-label="What the steps do">
            {bar}
            {content}
        </section>
    }
    .into_any()
}
