//! The end of a pipeline's picture: where its records are sent on to, if they are.

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};

use super::flow::{FlowEdge, FlowNode};
use super::queries::{PipelineVariables, SinkOfFlow, SinkState, SinksOfFlow};
use super::use_store;
use crate::api::{self, pipelines::PipelineState};
use crate::components::Icon;
use crate::format::{count, plural};

/// The sinks together; nothing when there are none.
#[component]
pub fn FlowSinks() -> impl IntoView {
    let store = use_store();
    let id = store
        .pipeline
        .with_untracked(|pipeline| pipeline.id.clone());
    let href = format!("/pipelines/{}/sinks", id.inner());
    let sinks = RwSignal::new(Vec::<SinkOfFlow>::new());
    spawn_local(async move {
        // Without an answer the picture ends with the records.
        if let Ok(answer) = api::run(SinksOfFlow::build(PipelineVariables { id })).await {
            sinks.set(answer.pipeline.sinks);
        }
    });
    let has_sinks = Memo::new(move |_| !sinks.with(Vec::is_empty));
    move || {
        has_sinks.get().then(|| {
            view! {
                <FlowEdge
                    label=Signal::derive(move || sinks.with(|sinks| sent(sinks)))
                    state=Signal::derive(move || sinks.with(|sinks| state(sinks)))
                    test_id="edge-sent"
                />
                <FlowNode
                    icon=Icon::ArrowRight
                    title="Sinks"
                    href=href.clone()
                    detail=Signal::derive(move || sinks.with(|sinks| detail(sinks)))
                    foot=Signal::derive(move || sinks.with(|sinks| foot(sinks)))
                />
            }
        })
    }
}

/// What went out to all sinks during the last hour.
fn sent(sinks: &[SinkOfFlow]) -> (String, bool) {
    let hour = sinks
        .iter()
        .map(|sink| i64::from(sink.counts.delivered_last_hour));
    let hour: i64 = hour.sum();
    (format!("{} last hour", count(hour)), hour > 0)
}

/// How the sinks are together, in the words of a pipeline.
fn state(sinks: &[SinkOfFlow]) -> PipelineState {
    let has = |state: SinkState| sinks.iter().any(|sink| sink.state == state);
    if has(SinkState::Failing) {
        PipelineState::Failing
    } else if has(SinkState::Enabled) {
        PipelineState::Running
    } else {
        PipelineState::Paused
    }
}

fn detail(sinks: &[SinkOfFlow]) -> String {
    match sinks {
        [one] => one.name.clone(),
        all => plural(i64::try_from(all.len()).unwrap_or(0), "sink", "sinks"),
    }
}

fn foot(sinks: &[SinkOfFlow]) -> String {
    let failing = sinks.iter().filter(|sink| sink.state == SinkState::Failing);
    match failing.count() {
        0 => {
            let day = sinks
                .iter()
                .map(|sink| i64::from(sink.counts.delivered_last_day));
            format!(
                "{} in 24 hours",
                plural(day.sum(), "delivery", "deliveries")
            )
        }
        failing => format!("{failing} failing"),
    }
}
