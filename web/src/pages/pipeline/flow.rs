//! The picture of a pipeline: source → transform → store, each a link to its tab, with what flows
//! between them. The dashes move while records do.

use dash_shared::rate::Passed;
use dash_shared::transform::Action;
use leptos::prelude::*;

use super::flow_sinks::FlowSinks;
use super::queries::{Run, Source};
use super::{Store, use_store, words};
use crate::api::pipelines::PipelineState;
use crate::api::scalars::DateTime;
use crate::components::{Icon, IconView};
use crate::format::{count, plural, relative, use_clock};
use crate::session::use_session;

/// The picture.
#[component]
pub fn Flow() -> impl IntoView {
    let store = use_store();
    let Store { pipeline, feed } = store;
    let (clock, session) = (use_clock(), use_session());
    let base = pipeline.with_untracked(|pipeline| format!("/pipelines/{}", pipeline.id.inner()));
    let source = pipeline.with_untracked(|pipeline| pipeline.source.clone());
    let polls = matches!(source, Source::HttpPollingSource(_));
    let source_detail = move || pipeline.with(|pipeline| words::source_detail(&pipeline.source));
    let source_foot = move || {
        let now = clock.now_ms();
        let next = pipeline.with(|pipeline| pipeline.next_run_at.as_ref().map(DateTime::ms));
        match next {
            Some(next) if polls && next > now => format!("next poll {}", relative(next, now)),
            Some(_) if polls => "polling now".to_owned(),
            _ => feed.last_at_ms.get().map_or_else(
                || "nothing received yet".to_owned(),
                |at| format!("last event {}", relative(at, now)),
            ),
        }
    };
    let transform_detail = move || {
        pipeline.with(|pipeline| {
            let mapped = pipeline.shared_steps();
            match (
                pipeline.steps.len(),
                mapped.first().map(|step| &step.action),
            ) {
                (0, _) => "Records stay as they are".to_owned(),
                (1, Some(Action::Map(map))) => {
                    let fields = i64::try_from(map.fields.len()).unwrap_or(i64::MAX);
                    let rest = if map.keep_rest { ", the rest kept" } else { "" };
                    format!("{} mapped{rest}", plural(fields, "field", "fields"))
                }
                (steps, _) => {
                    let steps = i64::try_from(steps).unwrap_or(i64::MAX);
                    plural(steps, "step", "steps")
                }
            }
        })
    };
    let transform_foot = move || {
        feed.runs.with(|runs| {
            let sum = |of: fn(&Run) -> i32| runs.iter().map(|run| i64::from(of(run))).sum::<i64>();
            let (failed, dropped) = (sum(|run| run.failed), sum(|run| run.dropped));
            match (failed, dropped) {
                (0, 0) => "no errors".to_owned(),
                (failed, 0) => plural(failed, "error", "errors"),
                (failed, dropped) => {
                    format!(
                        "{} dropped · {}",
                        count(dropped),
                        plural(failed, "error", "errors")
                    )
                }
            }
        })
    };
    let store_detail = move || {
        let days = session
            .viewer()
            .and_then(|viewer| viewer.organization.limits.retention_days);
        let own = pipeline.with(|pipeline| pipeline.retention_days);
        words::retention(match (days, own) {
            (Some(days), Some(own)) => Some(days.min(own)),
            (days, own) => days.or(own),
        })
    };
    let store_foot = move || {
        let (records, bytes) = store.stored();
        words::store_size(records, bytes)
    };
    let state = Signal::derive(move || pipeline.with(|pipeline| pipeline.state));
    let received = edge(store, polls, |passed| passed.received, |run| run.received);
    let stored = edge(store, polls, |passed| passed.stored, |run| run.stored);
    view! {
        <section class="flow" aria-label="How data flows through this pipeline" data-testid="flow">
            <FlowNode icon=source_icon(&source) title=words::source_name(&source) href=format!("{base}/source")
                detail=Signal::derive(source_detail) foot=Signal::derive(source_foot)/>
            <FlowEdge label=received state test_id="edge-received"/>
            <FlowNode icon=Icon::Wand title="Transform" href=format!("{base}/transform")
                detail=Signal::derive(transform_detail) foot=Signal::derive(transform_foot)/>
            <FlowEdge label=stored state test_id="edge-stored"/>
            <FlowNode icon=Icon::Database title="Records" href=format!("{base}/runs")
                detail=Signal::derive(store_detail) foot=Signal::derive(store_foot)/>
            <FlowSinks/>
        </section>
    }
    .into_any()
}

/// The picture of a source's kind.
pub const fn source_icon(source: &Source) -> Icon {
    match source {
        Source::WebhookSource(_) => Icon::Webhook,
        Source::HttpPollingSource(_) => Icon::Globe,
        Source::PipelineSource(_) => Icon::Pipelines,
        Source::FileUploadSource(_) => Icon::Table,
        Source::DemoSource(_) | Source::Other => Icon::Spark,
    }
}

/// What flows along an edge: a rate for what streams, the last run's count for what is polled.
fn edge(
    store: Store,
    polls: bool,
    rate: fn(Passed) -> i64,
    last: fn(&Run) -> i32,
) -> Signal<(String, bool)> {
    let (clock, feed) = (use_clock(), store.feed);
    Memo::new(move |_| {
        let per_minute = rate(feed.rate.last_minute(clock.now_ms()));
        if polls {
            let last = feed.runs.with(|runs| runs.first().map(last));
            let text = last.map_or_else(
                || "no run yet".to_owned(),
                |last| format!("{} last run", count(i64::from(last))),
            );
            (text, per_minute > 0)
        } else {
            (format!("{} / min", count(per_minute)), per_minute > 0)
        }
    })
    .into()
}

/// A part of the pipeline, with a link to its tab.
#[component]
pub fn FlowNode(
    /// Its picture.
    icon: Icon,
    /// What it is.
    title: &'static str,
    /// Its tab.
    href: String,
    /// What it does.
    detail: Signal<String>,
    /// What happens in it.
    foot: Signal<String>,
) -> impl IntoView {
    view! {
        <a class="card flow-node" href=href>
            <span class="flow-node-head">
                <span class="flow-icon"><IconView icon/></span>
                <span class="flow-node-words">
                    <b>{title}</b>
                    <span class="tiny faint">{move || detail.get()}</span>
                </span>
            </span>
            <span class="tiny muted num">{move || foot.get()}</span>
        </a>
    }
}

/// What flows from one part to the next.
#[component]
pub fn FlowEdge(
    /// How much, and whether it moves.
    label: Signal<(String, bool)>,
    /// Whether it flows at all.
    state: Signal<PipelineState>,
    /// Names it for tests.
    test_id: &'static str,
) -> impl IntoView {
    let class = move || match state.get() {
        PipelineState::Paused => "flow-edge paused",
        PipelineState::Failing => "flow-edge failing",
        PipelineState::Running if label.with(|(_, moves)| *moves) => "flow-edge moving",
        PipelineState::Running => "flow-edge",
    };
    let text = move || match state.get() {
        PipelineState::Paused => "paused".to_owned(),
        _ => label.with(|(text, _)| text.clone()),
    };
    view! {
        <div class=class data-testid=test_id>
            <span class="tiny num muted">{text}</span>
            <span class="flow-line" aria-hidden="true"><span></span></span>
        </div>
    }
}
