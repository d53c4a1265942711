//! What a sink would send for a real record, while its form is filled in.

use std::time::Duration;

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};

use super::changes::{
    SampleKind, SinkPreview, SinkPreviewInput, SinkPreviewQuery, SinkPreviewVariables,
};
use super::delivery::RequestView;
use super::draft::Draft;
use crate::api;
use crate::components::Skeleton;

/// How long it waits for the next letter.
const TYPING: Duration = Duration::from_millis(350);

/// The preview of a draft.
#[component]
pub fn PreviewPane(
    /// What is filled in.
    draft: Draft,
    /// Whose record is shown.
    pipeline_id: cynic::Id,
    /// The sink that is changed.
    sink_id: Signal<Option<cynic::Id>>,
) -> impl IntoView {
    let shown = RwSignal::new(None::<Result<SinkPreview, String>>);
    let input = Memo::new(move |_| SinkPreviewInput {
        pipeline_id: pipeline_id.clone(),
        target: draft.target(),
        filter: draft.filter(),
        sink_id: sink_id.get(),
    });
    Effect::new(move |_| {
        let asked = input.get();
        let ask = move || {
            spawn_local(async move {
                // Something else may have been typed meanwhile, or the form closed.
                let is_current = |asked: &SinkPreviewInput| {
                    input.try_with_untracked(|now| now == asked) == Some(true)
                };
                if !is_current(&asked) {
                    return;
                }
                let variables = SinkPreviewVariables {
                    input: asked.clone(),
                };
                let answer = api::run(SinkPreviewQuery::build(variables)).await;
                if is_current(&asked) {
                    let answer = answer.map(|answer| answer.sink_preview);
                    shown.set(Some(answer.map_err(|error| error.message)));
                }
            });
        };
        set_timeout(ask, TYPING);
    });
    let content = move || match shown.get() {
        None => view! { <Skeleton height="160px"/> }.into_any(),
        Some(Err(message)) => view! { <p class="muted small">{message}</p> }.into_any(),
        Some(Ok(preview)) => view! { <Shown preview/> }.into_any(),
    };
    view! {
        <aside class="sink-preview stack" aria-label="Preview" aria-live="polite" data-testid="sink-preview">
            <h3 class="small">"What is sent"</h3>
            {content}
        </aside>
    }
    .into_any()
}

#[component]
fn Shown(preview: SinkPreview) -> impl IntoView {
    let of = match preview.sample {
        Some(SampleKind::Matching) => "For the newest record that is sent.",
        Some(SampleKind::Newest) => {
            "For the newest record. None of the last 100 meets the condition, so none of them is sent."
        }
        Some(SampleKind::Invented) => "For an invented record: the pipeline has none yet.",
        None => "",
    };
    let problems = preview.user_errors.into_iter().map(|error| error.message);
    let problems = problems.chain(preview.error).chain(preview.notes);
    let problems = problems
        .map(|text| view! { <li>{text}</li> })
        .collect_view();
    view! {
        <p class="faint tiny">{of}</p>
        {preview.request.map(|request| view! { <RequestView request/> })}
        <ul class="sink-notes small muted">{problems}</ul>
    }
    .into_any()
}
