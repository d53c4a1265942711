//! Home once there is data: what fails, what is live, and the dashboards changed last.

use leptos::prelude::*;

use super::{Checklist, doors::SmallDoors};
use crate::{
    api::{
        DateTime,
        dashboards::{DashboardSummary, DirectoryQuery},
        pipelines::{PipelineState, PipelineSummary},
    },
    components::{Banner, Icon, IconView, RelativeTime, Tag, Tone},
    format::count,
    session::use_session,
};

const MOST_ROWS: usize = 6;

/// What a team sees that has data.
#[component]
pub fn Overview() -> impl IntoView {
    let session = use_session();
    let directory = move || session.directory();
    let greeting = move || {
        let name = session
            .viewer()
            .map(|viewer| viewer.user.name)
            .unwrap_or_default();
        let first = name.split_whitespace().next().unwrap_or_default();
        format!("Hello, {first}")
    };
    let failing = move || {
        directory()
            .map(|all| all.pipelines.nodes)
            .unwrap_or_default()
            .into_iter()
            .filter(|pipeline| pipeline.state == PipelineState::Failing)
            .map(|pipeline| view! { <FailingBanner pipeline/> })
            .collect_view()
    };
    let no_dashboard =
        Memo::new(move |_| directory().is_some_and(|all| all.dashboards.total_count == 0));
    view! {
        <header class="home-head">
            <h2 class="display">{greeting}</h2>
            <p class="muted lead">{move || directory().map(|all| summary(&all))}</p>
        </header>
        <div class="stack">{failing}</div>
        <Show when=move || no_dashboard.get()>
            <Checklist/>
        </Show>
        <div class="home-columns">
            {move || directory().map(|all| view! { <Dashboards all=all.dashboards.nodes/> })}
            {move || directory().map(|all| view! { <Pipelines all=all.pipelines.nodes/> })}
        </div>
        <section class="stack" aria-labelledby="doors-title">
            <h2 id="doors-title">"Bring in more"</h2>
            <SmallDoors/>
        </section>
    }
}

/// One sentence about everything.
fn summary(all: &DirectoryQuery) -> String {
    let in_state = |state| {
        let pipelines = &all.pipelines.nodes;
        pipelines
            .iter()
            .filter(|pipeline| pipeline.state == state)
            .count()
    };
    let running = in_state(PipelineState::Running);
    let mut parts = vec![format!(
        "{running} of {} running",
        crate::format::plural(
            i64::from(all.pipelines.total_count),
            "pipeline",
            "pipelines"
        )
    )];
    for (state, word) in [
        (PipelineState::Failing, "failing"),
        (PipelineState::Paused, "paused"),
    ] {
        let number = in_state(state);
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    format!("{}.", parts.join(", "))
}

#[component]
fn FailingBanner(pipeline: PipelineSummary) -> impl IntoView {
    let since = pipeline.failing_since.as_ref().map(DateTime::ms);
    view! {
        <Banner tone=Tone::Bad>
            <span>
                <b>{pipeline.name}</b>" started failing "
                <RelativeTime at_ms=since otherwise="a while ago"/>
            </span>
            <a class="link" href=format!("/pipelines/{}/runs", pipeline.id.inner())>"See its runs"</a>
        </Banner>
    }
}

#[component]
fn Dashboards(all: Vec<DashboardSummary>) -> impl IntoView {
    let mut all = all;
    all.sort_by(|a, b| b.updated_at.0.cmp(&a.updated_at.0));
    let empty = all.is_empty();
    let rows = all
        .into_iter()
        .take(MOST_ROWS)
        .map(|dashboard| {
            let href = format!("/dashboards/{}", dashboard.id.inner());
            view! {
                <li>
                    <a class="row-link" href=href>
                        <IconView icon=Icon::Dashboards/>
                        <span class="row-name">{dashboard.name}</span>
                        <span class="faint small">
                            <RelativeTime at_ms=Some(dashboard.updated_at.ms())/>
                        </span>
                    </a>
                </li>
            }
        })
        .collect_view();
    let hint = empty.then(|| {
        view! {
            <p class="muted list-hint">
                "No dashboard yet. "<a class="link" href="/dashboards">"Build the first one"</a>
            </p>
        }
    });
    view! {
        <section class="card list-card" aria-label="Recent dashboards" data-testid="recent-dashboards">
            <header class="card-head">
                <h2>"Recent dashboards"</h2>
                <a class="link small" href="/dashboards">"All"</a>
            </header>
            <ul class="row-list">{rows}</ul>
            {hint}
        </section>
    }
}

#[component]
fn Pipelines(all: Vec<PipelineSummary>) -> impl IntoView {
    let rows = all
        .into_iter()
        .take(MOST_ROWS)
        .map(|pipeline| {
            let href = format!("/pipelines/{}", pipeline.id.inner());
            let last = pipeline.last_record_at.as_ref().map(DateTime::ms);
            let (tone, word) = match pipeline.state {
                PipelineState::Running => (Tone::Ok, "running"),
                PipelineState::Paused => (Tone::Neutral, "paused"),
                PipelineState::Failing => (Tone::Bad, "failing"),
            };
            let records = count(crate::format::whole(pipeline.record_count));
            view! {
                <li>
                    <a class="row-link" href=href>
                        <IconView icon=Icon::Pipelines/>
                        <span class="row-name">{pipeline.name}</span>
                        <Tag tone=tone>{word}</Tag>
                        <span class="faint small num row-count hide-phone">{records}" records"</span>
                        <span class="faint small row-when">
                            <RelativeTime at_ms=last otherwise="no data yet"/>
                        </span>
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card list-card" aria-label="Pipelines" data-testid="home-pipelines">
            <header class="card-head">
                <h2>"Pipelines"</h2>
                <a class="link small" href="/pipelines">"All"</a>
            </header>
            <ul class="row-list">{rows}</ul>
        </section>
    }
}
