//! The tab “Runs”: the history of polls and batches, the newest first, live.

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};

use super::queries::{RUNS_PAGE, Run, RunsQuery, RunsVariables, Source};
use super::run_details::{RunDetails, RunTag, figure};
use super::{Store, use_store, words};
use crate::api;
use crate::components::{
    Column, EmptyState, ErrorPanel, Icon, IconView, LoadMore, RelativeTime, Skeleton, Table,
    use_toasts,
};
use crate::format::duration;

/// The tab.
#[component]
pub fn RunsTab() -> impl IntoView {
    let Store { pipeline, feed } = use_store();
    let busy = RwSignal::new(false);
    let toasts = use_toasts();
    let more = move || {
        let variables = RunsVariables {
            id: pipeline.with_untracked(|pipeline| pipeline.id.clone()),
            first: RUNS_PAGE,
            after: feed.runs_end.get_untracked(),
        };
        busy.set(true);
        spawn_local(async move {
            match api::run(RunsQuery::build(variables)).await {
                Ok(answer) => {
                    let page = answer.pipeline.runs;
                    let end = page
                        .page_info
                        .end_cursor
                        .filter(|_| page.page_info.has_next_page);
                    feed.append_runs(page.nodes, end);
                }
                Err(error) => toasts.api_error(&error),
            }
            busy.set(false);
        });
    };
    let columns = vec![
        Column::text("When"),
        Column::text("Trigger"),
        Column::text("State"),
        Column::number("Received"),
        Column::number("Stored"),
        Column::number("Dropped"),
        Column::number("Errors"),
        Column::number("Took"),
        Column::text(""),
    ];
    let shown = Signal::derive(move || i64::try_from(feed.runs.with(Vec::len)).unwrap_or(i64::MAX));
    view! {
        <Show when=move || !feed.runs.with(Vec::is_empty) fallback=move || view! { <NoRuns/> }>
            <section class="card runs" data-testid="runs">
                <Table label="Runs" columns=columns.clone() test_id="run-table">
                    <For
                        each=move || feed.runs.get()
                        key=|run| run.id.inner().to_owned()
                        children=|run| view! { <RunRow run/> }
                    />
                </Table>
                <LoadMore
                    shown
                    total=Signal::derive(move || feed.run_count.get().max(shown.get()))
                    has_more=Signal::derive(move || feed.runs_end.with(Option::is_some))
                    busy
                    on_more=Callback::new(move |()| more())
                />
            </section>
        </Show>
    }
}

#[component]
fn RunRow(run: Run) -> impl IntoView {
    let open = RwSignal::new(false);
    let has_more = run.error.is_some() || run.failed > 0;
    let message = run.error.as_ref().map(|error| error.message.clone());
    let took = match run.duration_ms {
        0 => "< 1 ms".to_owned(),
        ms => duration(ms.into()),
    };
    let details = {
        let run = run.clone();
        move || {
            open.get().then(|| {
                view! {
                    <tr class="row-details"><td colspan="9"><RunDetails run=run.clone()/></td></tr>
                }
            })
        }
    };
    view! {
        <tr
            class="run"
            class:opens=has_more
            data-testid="run"
            on:click=move |_| {
                if has_more {
                    open.update(|open| *open = !*open);
                }
            }
        >
            <td data-label="When"><RelativeTime at_ms=Some(run.finished_at.ms())/></td>
            <td data-label="Trigger">{words::trigger_name(run.trigger)}</td>
            <td data-label="State">
                <RunTag state=run.state/>
                {message.map(|message| view! { <span class="run-message small" title=message.clone()>{message.clone()}</span> })}
            </td>
            <td class="r num" data-label="Received">{figure(run.received)}</td>
            <td class="r num" data-label="Stored">{figure(run.stored)}</td>
            <td class="r num" data-label="Dropped">{figure(run.dropped)}</td>
            <td class="r num" class:bad-text=(run.failed > 0) data-label="Errors">{figure(run.failed)}</td>
            <td class="r num" data-label="Took">{took}</td>
            <td class="r">
                {has_more.then(|| view! {
                    <button
                        type="button"
                        class="row-toggle"
                        class:open=open
                        aria-expanded=move || open.get().to_string()
                        aria-label="Show what went wrong"
                    >
                        <IconView icon=Icon::ChevronRight/>
                    </button>
                })}
            </td>
        </tr>
        {details}
    }
    .into_any()
}

#[component]
fn NoRuns() -> impl IntoView {
    let Store { pipeline, feed } = use_store();
    move || {
        if let Some(error) = feed.failure.get() {
            return view! { <ErrorPanel error on_retry=Callback::new(move |()| feed.reload())/> }
                .into_any();
        }
        if !feed.is_loaded.get() {
            return view! { <Skeleton height="220px"/> }.into_any();
        }
        let text = pipeline.with(|pipeline| match pipeline.source {
            Source::WebhookSource(_) => {
                "Every batch of events that is posted to the URL becomes a run, with its counts and errors."
            }
            _ => "Every time the source is asked, a run is listed here with its counts and errors.",
        });
        view! { <EmptyState icon=Icon::Clock title="No runs yet" text test_id="no-runs"/> }
            .into_any()
    }
}
