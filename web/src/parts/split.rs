//! The split points: one function for each thing that can be fetched.

#![expect(
    clippy::unnecessary_wraps,
    reason = "a part cannot fail, but fetching it can: the splitter adds that to the result"
)]

use leptos::{prelude::*, wasm_split::wasm_split};
use serde_json::Value;

use super::Fetched;
use crate::{
    api::FormErrors,
    components::{
        frame::{EXTRAS, Extras},
        line_chart::{LineLook, LinePoints, Lines},
    },
    pages::{
        dashboard::{DashboardPage, toolbox::Tools, tools::TOOLS},
        dashboards::DashboardsPage,
        home::HomePage,
        log_in::LogInPage,
        new_pipeline::NewPipelinePage,
        pipeline::{
            PipelinePage,
            errors_tab::ErrorsTab,
            handover::Handover,
            impact::Impact,
            overview_tab::OverviewTab,
            polling_form::PollingDraft,
            polling_more::PollingMore,
            runs_tab::RunsTab,
            senders::Senders,
            settings_tab::SettingsTab,
            sinks::SinksTab,
            source_tab::SourceTab,
            source_test::TestState,
            test_cases::TestCases,
            transform::{BENCH, ENGINE, bench::Bench, engine::Engine},
            transform_tab::TransformTab,
            versions_tab::VersionsTab,
        },
        pipelines::PipelinesPage,
        settings::SettingsPage,
        sign_up::SignUpPage,
        styleguide::StyleguidePage,
    },
};

#[wasm_split(home, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn home() -> Fetched<AnyView> {
    Ok(view! { <HomePage/> }.into_any())
}

#[wasm_split(account, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn log_in() -> Fetched<AnyView> {
    Ok(view! { <LogInPage/> }.into_any())
}

#[wasm_split(account, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn sign_up() -> Fetched<AnyView> {
    Ok(view! { <SignUpPage/> }.into_any())
}

#[wasm_split(account, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn settings() -> Fetched<AnyView> {
    Ok(view! { <SettingsPage/> }.into_any())
}

#[wasm_split(dashboards, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn dashboards() -> Fetched<AnyView> {
    Ok(view! { <DashboardsPage/> }.into_any())
}

#[wasm_split(dashboard, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn dashboard() -> Fetched<AnyView> {
    Ok(view! { <DashboardPage/> }.into_any())
}

#[wasm_split(extras, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn extras() -> Fetched<Extras> {
    Ok(EXTRAS)
}

#[wasm_split(tools, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn tools() -> Fetched<Tools> {
    Ok(TOOLS)
}

#[wasm_split(bench, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn bench() -> Fetched<Bench> {
    Ok(BENCH)
}

#[wasm_split(engine, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn engine() -> Fetched<Engine> {
    Ok(ENGINE)
}

#[wasm_split(charts, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn line_chart(
    points: Signal<LinePoints>,
    look: Signal<LineLook>,
    title: Signal<String>,
) -> Fetched<AnyView> {
    Ok(view! { <Lines points look title/> }.into_any())
}

#[wasm_split(pipelines, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn pipelines() -> Fetched<AnyView> {
    Ok(view! { <PipelinesPage/> }.into_any())
}

#[wasm_split(pipeline, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn pipeline() -> Fetched<AnyView> {
    Ok(view! { <PipelinePage/> }.into_any())
}

#[wasm_split(activity, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn overview_tab() -> Fetched<AnyView> {
    Ok(view! { <OverviewTab/> }.into_any())
}

#[wasm_split(activity, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn runs_tab() -> Fetched<AnyView> {
    Ok(view! { <RunsTab/> }.into_any())
}

#[wasm_split(failures, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn errors_tab() -> Fetched<AnyView> {
    Ok(view! { <ErrorsTab/> }.into_any())
}

#[wasm_split(source, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn source_tab() -> Fetched<AnyView> {
    Ok(view! { <SourceTab/> }.into_any())
}

#[wasm_split(polling, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn polling_more(
    draft: PollingDraft,
    test: RwSignal<TestState>,
    errors: FormErrors,
) -> Fetched<AnyView> {
    Ok(view! { <PollingMore draft test errors/> }.into_any())
}

#[wasm_split(senders, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn senders(id: cynic::Id, url: String) -> Fetched<AnyView> {
    Ok(view! { <Senders id url/> }.into_any())
}

#[wasm_split(handover, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn handover(id: cynic::Id) -> Fetched<AnyView> {
    Ok(view! { <Handover id/> }.into_any())
}

#[wasm_split(transform, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn transform_tab() -> Fetched<AnyView> {
    Ok(view! { <TransformTab/> }.into_any())
}

#[wasm_split(sinks, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn sinks_tab() -> Fetched<AnyView> {
    Ok(view! { <SinksTab/> }.into_any())
}

#[wasm_split(configure, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn settings_tab() -> Fetched<AnyView> {
    Ok(view! { <SettingsTab/> }.into_any())
}

#[wasm_split(versions, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn versions_tab() -> Fetched<AnyView> {
    Ok(view! { <VersionsTab/> }.into_any())
}

#[wasm_split(trials, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn test_cases(
    pipeline_id: cynic::Id,
    draft_steps: Signal<Vec<Value>>,
    draft_time_field: Signal<Option<String>>,
) -> Fetched<AnyView> {
    Ok(view! { <TestCases pipeline_id draft_steps draft_time_field/> }.into_any())
}

#[wasm_split(trials, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn impact(
    pipeline_id: cynic::Id,
    draft_steps: Signal<Vec<Value>>,
    draft_time_field: Signal<Option<String>>,
) -> Fetched<AnyView> {
    Ok(view! { <Impact pipeline_id draft_steps draft_time_field/> }.into_any())
}

#[wasm_split(new_pipeline, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn new_pipeline() -> Fetched<AnyView> {
    Ok(view! { <NewPipelinePage/> }.into_any())
}

#[wasm_split(styleguide, wasm_split_path = ::leptos::wasm_split, fallible)]
pub fn styleguide() -> Fetched<AnyView> {
    Ok(view! { <StyleguidePage/> }.into_any())
}
