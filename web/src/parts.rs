//! The parts of the client that are fetched when they are first shown: the pages of dashboards,
//! of pipelines, and the style guide. Everything else is in the first load.
//!
//! Each function below is a split point: after linking, what only it reaches becomes a file of
//! its own (`scripts/split.mjs`). Functions with the same part's name share one file.

#![expect(
    clippy::unnecessary_wraps,
    reason = "a part cannot fail, but fetching it can: the splitter adds that to the result"
)]

use futures_util::future::LocalBoxFuture;
use leptos::{
    prelude::*,
    reactive::spawn_local_scoped_with_cancellation,
    wasm_split::{SplitLoaderError, wasm_split},
};

use crate::{
    api::{ApiError, ErrorCode},
    components::{ErrorPanel, Skeleton},
    pages::{
        dashboard::DashboardPage, dashboards::DashboardsPage, new_pipeline::NewPipelinePage,
        pipeline::PipelinePage, pipelines::PipelinesPage, styleguide::StyleguidePage,
    },
};

type Fetched = Result<AnyView, SplitLoaderError>;

/// Fetches a part, unless it is there, and makes a page of it.
pub type Fetch = fn() -> LocalBoxFuture<'static, Fetched>;

#[wasm_split(dashboards, wasm_split_path = ::leptos::wasm_split, fallible)]
fn dashboards() -> Fetched {
    Ok(view! { <DashboardsPage/> }.into_any())
}

#[wasm_split(dashboards, wasm_split_path = ::leptos::wasm_split, fallible)]
fn dashboard() -> Fetched {
    Ok(view! { <DashboardPage/> }.into_any())
}

#[wasm_split(pipelines, wasm_split_path = ::leptos::wasm_split, fallible)]
fn pipelines() -> Fetched {
    Ok(view! { <PipelinesPage/> }.into_any())
}

#[wasm_split(pipelines, wasm_split_path = ::leptos::wasm_split, fallible)]
fn pipeline() -> Fetched {
    Ok(view! { <PipelinePage/> }.into_any())
}

#[wasm_split(pipelines, wasm_split_path = ::leptos::wasm_split, fallible)]
fn new_pipeline() -> Fetched {
    Ok(view! { <NewPipelinePage/> }.into_any())
}

#[wasm_split(styleguide, wasm_split_path = ::leptos::wasm_split, fallible)]
fn styleguide() -> Fetched {
    Ok(view! { <StyleguidePage/> }.into_any())
}

/// The page of all dashboards.
pub const DASHBOARDS: Fetch = || Box::pin(dashboards());
/// The page of one dashboard.
pub const DASHBOARD: Fetch = || Box::pin(dashboard());
/// The page of all pipelines.
pub const PIPELINES: Fetch = || Box::pin(pipelines());
/// The page of one pipeline.
pub const PIPELINE: Fetch = || Box::pin(pipeline());
/// The pages that make a pipeline.
pub const NEW_PIPELINE: Fetch = || Box::pin(new_pipeline());
/// The style guide.
pub const STYLEGUIDE: Fetch = || Box::pin(styleguide());

/// Fetches the part behind an address ahead of time; for links that are pointed at.
pub fn prefetch(path: &str) {
    let part: LocalBoxFuture<'static, Result<(), SplitLoaderError>> =
        if path.starts_with("/dashboards") {
            Box::pin(__wasm_split_preload_dashboards())
        } else if path.starts_with("/pipelines") {
            Box::pin(__wasm_split_preload_pipelines())
        } else {
            return;
        };
    leptos::task::spawn_local(async move {
        // When it fails, opening the page tries again and says so.
        drop(part.await);
    });
}

/// A page that may still have to be fetched: grey meanwhile, an explanation when that fails.
#[component]
pub fn Part(
    /// Which one.
    page: Fetch,
) -> impl IntoView {
    let (next, changed) = (StoredValue::new_local(Some(waiting())), Trigger::new());
    spawn_local_scoped_with_cancellation(async move {
        let view = page().await.unwrap_or_else(|_| failed());
        next.set_value(Some(view));
        changed.notify();
    });
    // The view is taken out, not cloned: each is shown once.
    move || {
        changed.track();
        next.try_update_value(Option::take).flatten()
    }
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

fn failed() -> AnyView {
    let error = ApiError {
        code: ErrorCode::Internal,
        message: "A part of Dash could not be fetched: the connection was lost, or Dash was \
                  updated while this page was open. Reload the page to go on."
            .to_owned(),
        request_id: None,
    };
    let reload = || drop(window().location().reload());
    view! { <ErrorPanel error on_retry=reload/> }.into_any()
}
