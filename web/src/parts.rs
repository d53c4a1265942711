//! The parts of the client that are fetched when they are first shown: every page, and what a page
//! can do without at first. The first load has the rest: the frame, the session, the building
//! blocks.
//!
//! Each function of `split` is a split point: after linking, what only it reaches becomes a file of
//! its own (`scripts/split.mjs`). Functions with the same part's name share one file. Which page
//! loads which is also known to the build, for its budgets (`scripts/routes.mjs`).

pub mod prefetch;
pub mod set;
mod split;

use futures_util::future::LocalBoxFuture;
use leptos::{
    prelude::*, reactive::spawn_local_scoped_with_cancellation, wasm_split::SplitLoaderError,
};

use crate::{
    api::{ApiError, ErrorCode, FormErrors},
    components::{
        ErrorPanel, Skeleton,
        frame::Extras,
        line_chart::{LineLook, LinePoints},
    },
    pages::{
        dashboard::toolbox::Tools,
        pipeline::{
            polling_form::PollingDraft,
            source_test::TestState,
            transform::{bench::Bench, engine::Engine},
        },
    },
};

/// What becomes of fetching something.
pub type Fetched<T> = Result<T, SplitLoaderError>;

/// Something that is on its way.
pub type Fetching<T> = LocalBoxFuture<'static, Fetched<T>>;

/// Fetches a part, unless it is there, and makes a view of it.
pub type Fetch = fn() -> Fetching<AnyView>;

/// The page that shows what there is and what to do next.
pub const HOME: Fetch = || Box::pin(split::home());
/// The page to log in.
pub const LOG_IN: Fetch = || Box::pin(split::log_in());
/// The page to sign up.
pub const SIGN_UP: Fetch = || Box::pin(split::sign_up());
/// The page of the organization, its plan and its members.
pub const SETTINGS: Fetch = || Box::pin(split::settings());
/// The page of all dashboards.
pub const DASHBOARDS: Fetch = || Box::pin(split::dashboards());
/// The page of one dashboard.
pub const DASHBOARD: Fetch = || Box::pin(split::dashboard());
/// The page of all pipelines.
pub const PIPELINES: Fetch = || Box::pin(split::pipelines());
/// The page of one pipeline.
pub const PIPELINE: Fetch = || Box::pin(split::pipeline());
/// A pipeline's tab “Overview”.
pub const OVERVIEW_TAB: Fetch = || Box::pin(split::overview_tab());
/// A pipeline's tab “Runs”.
pub const RUNS_TAB: Fetch = || Box::pin(split::runs_tab());
/// A pipeline's tab “Errors”.
pub const ERRORS_TAB: Fetch = || Box::pin(split::errors_tab());
/// A pipeline's tab “Source”.
pub const SOURCE_TAB: Fetch = || Box::pin(split::source_tab());
/// A pipeline's tab “Transform”.
pub const TRANSFORM_TAB: Fetch = || Box::pin(split::transform_tab());
/// A pipeline's tab “Sinks”.
pub const SINKS_TAB: Fetch = || Box::pin(split::sinks_tab());
/// A pipeline's tab “Versions”.
pub const VERSIONS_TAB: Fetch = || Box::pin(split::versions_tab());
/// A pipeline's tab “Settings”.
pub const SETTINGS_TAB: Fetch = || Box::pin(split::settings_tab());
/// The pages that make a pipeline.
pub const NEW_PIPELINE: Fetch = || Box::pin(split::new_pipeline());
/// The style guide.
pub const STYLEGUIDE: Fetch = || Box::pin(split::styleguide());

/// What of the frame is seen only when it is asked for.
pub fn extras() -> Fetching<Extras> {
    Box::pin(split::extras())
}

/// What a dashboard is changed with.
pub fn tools() -> Fetching<Tools> {
    Box::pin(split::tools())
}

/// What a transform is changed with.
pub fn bench() -> Fetching<Bench> {
    Box::pin(split::bench())
}

/// The engine that runs transforms in the browser.
pub fn engine() -> Fetching<Engine> {
    Box::pin(split::engine())
}

/// Lines over time: the code that knows `ECharts`.
pub fn line_chart(
    points: Signal<LinePoints>,
    look: Signal<LineLook>,
    title: Signal<String>,
) -> Fetching<AnyView> {
    Box::pin(split::line_chart(points, look, title))
}

/// What few polled sources need.
pub fn polling_more(
    draft: PollingDraft,
    test: RwSignal<TestState>,
    errors: FormErrors,
) -> Fetching<AnyView> {
    Box::pin(split::polling_more(draft, test, errors))
}

/// The test cases of a pipeline, run with a draft of its transform.
pub fn test_cases(
    pipeline_id: cynic::Id,
    draft_steps: Signal<Vec<serde_json::Value>>,
    draft_time_field: Signal<Option<String>>,
) -> Fetching<AnyView> {
    Box::pin(split::test_cases(
        pipeline_id,
        draft_steps,
        draft_time_field,
    ))
}

/// What a draft of a pipeline's transform would change.
pub fn impact(
    pipeline_id: cynic::Id,
    draft_steps: Signal<Vec<serde_json::Value>>,
    draft_time_field: Signal<Option<String>>,
) -> Fetching<AnyView> {
    Box::pin(split::impact(pipeline_id, draft_steps, draft_time_field))
}

/// Who may send to a webhook: its id and its address.
pub fn senders(id: cynic::Id, url: String) -> Fetching<AnyView> {
    Box::pin(split::senders(id, url))
}

/// Handing files over to a pipeline.
pub fn handover(id: cynic::Id) -> Fetching<AnyView> {
    Box::pin(split::handover(id))
}

/// Shows what is fetched: grey until then, an explanation when that fails.
pub fn shown(view: Fetching<AnyView>) -> AnyView {
    let grey = view! { <Skeleton height="160px"/> };
    later(view, grey.into_any(), failed)
}

/// A page, or a part of one, that may still have to be fetched: grey meanwhile, an explanation when
/// that fails.
#[component]
pub fn Part(
    /// Which one.
    view: Fetch,
    /// What is seen until it is there.
    #[prop(default = waiting)]
    waiting: fn() -> AnyView,
) -> impl IntoView {
    later(view(), waiting(), failed)
}

/// Shows what is fetched once it is there: one view until then, another one when it fails.
pub fn later(
    view: Fetching<AnyView>,
    waiting: AnyView,
    failed: impl FnOnce() -> AnyView + 'static,
) -> AnyView {
    let (next, changed) = (StoredValue::new_local(Some(waiting)), Trigger::new());
    spawn_local_scoped_with_cancellation(async move {
        let view = view.await.unwrap_or_else(|_| failed());
        next.set_value(Some(view));
        changed.notify();
    });
    // The view is taken out, not cloned: each is shown once.
    let shown = move || {
        changed.track();
        next.try_update_value(Option::take).flatten()
    };
    shown.into_any()
}

fn waiting() -> AnyView {
    view! {
        <div class="page" aria-busy="true">
            <Skeleton width="240px" height="28px"/>
            <Skeleton height="160px"/>
        </div>
    }
    .into_any()
}

/// What is said when a part could not be fetched.
pub const MISSING: &str = "A part of Dash could not be fetched: the connection was lost, or Dash \
                           was updated while this page was open. Reload the page to go on.";

fn failed() -> AnyView {
    let error = ApiError {
        code: ErrorCode::Internal,
        message: MISSING.to_owned(),
        request_id: None,
    };
    let reload = || drop(window().location().reload());
    view! { <ErrorPanel error on_retry=reload/> }.into_any()
}
