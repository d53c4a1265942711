//! The tab “Errors”: what went wrong in the runs that are loaded, one by one, the newest first.

use leptos::prelude::*;

use super::queries::Run;
use super::run_details::RunDetails;
use super::{Store, use_store};
use crate::components::{Card, EmptyState, ErrorPanel, Icon, RelativeTime, Skeleton};
use crate::format::plural;

/// The tab.
#[component]
pub fn ErrorsTab() -> impl IntoView {
    let Store { pipeline, feed } = use_store();
    let troubled = Memo::new(move |_| {
        let is_troubled = |run: &&Run| run.error.is_some() || run.failed > 0;
        feed.runs.with(|runs| {
            runs.iter()
                .filter(is_troubled)
                .cloned()
                .collect::<Vec<Run>>()
        })
    });
    let transform = move || {
        format!(
            "/pipelines/{}/transform",
            pipeline.with(|pipeline| pipeline.id.inner().to_owned())
        )
    };
    let nothing = move || {
        if let Some(error) = feed.failure.get() {
            return view! { <ErrorPanel error on_retry=Callback::new(move |()| feed.reload())/> }
                .into_any();
        }
        if !feed.is_loaded.get() {
            return view! { <Skeleton height="220px"/> }.into_any();
        }
        view! {
            <EmptyState
                icon=Icon::Check
                title="No errors"
                text="Records that cannot be stored and runs that fail are listed here, with the reason and what came in."
                test_id="no-errors"
            />
        }
        .into_any()
    };
    view! {
        <Show when=move || !troubled.with(Vec::is_empty) fallback=nothing>
            <Card class="errors" test_id="errors">
                <p class="muted small">
                    "Records with an error were not stored. If a type does not fit the data, change it in the "
                    <a class="link" href=transform>"transform"</a> "."
                </p>
                <For each=move || troubled.get() key=|run| run.id.inner().to_owned() let:run>
                    <section class="errors-run">
                        <h3 class="small">
                            <RelativeTime at_ms=Some(run.finished_at.ms())/>
                            <span class="faint">{summary(&run)}</span>
                        </h3>
                        <RunDetails run/>
                    </section>
                </For>
            </Card>
        </Show>
    }
}

fn summary(run: &Run) -> String {
    if run.error.is_some() {
        "the run failed".to_owned()
    } else {
        format!(
            "{} of {} not stored",
            run.failed,
            plural(run.received.into(), "record", "records")
        )
    }
}
