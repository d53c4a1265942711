//! One pipeline at `/pipelines/:id/:tab?`: its head with the acts, and the tabs. Loads the
//! pipeline, follows it, and gives both to the tabs as a [`Store`]. The tabs are parts of
//! their own, which are fetched when they are opened.

pub mod acts;
mod backfill;
mod failure_desk;
mod failure_operations;
mod failure_row;
pub mod feed;
mod fix_dialog;
pub mod head;
pub mod map_draft;
pub mod map_section;
pub mod mapping_table;
pub mod mutations;
pub mod outcome;
pub mod outcome_table;
pub mod polling_form;
pub mod polling_more;
pub mod polling_source;
pub mod queries;
pub mod rate;
pub mod source_test;
pub mod transform;
pub mod words;

pub mod errors_tab;
mod event_table;
pub mod flow;
mod flow_sinks;
pub mod handover;
pub mod impact;
pub mod overview_tab;
mod run_details;
pub mod runs_tab;
mod save_bar;
pub mod senders;
pub mod settings_tab;
pub mod sinks;
pub mod source_tab;
mod test_case_dialog;
pub mod test_cases;
pub mod transform_tab;
mod trial_operations;
mod version_comparison;
mod version_operations;
pub mod versions_tab;

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_params_map;

use crate::api::{self, ApiError, pipelines::PipelineState};
use crate::components::{Crumb, ErrorPanel, PageHead, Skeleton, Tab, Tabs};
use crate::parts::{self, Part, prefetch};
use feed::Feed;
use head::{Head, TopActs};
use queries::{Pipeline, PipelineQuery, PipelineVariables, Run, RunState, Source};

/// What the tabs share: the pipeline and what happens in it.
#[derive(Clone, Copy, Debug)]
pub struct Store {
    /// The pipeline as it was loaded or changed last.
    pub pipeline: RwSignal<Pipeline>,
    /// Its records and runs.
    pub feed: Feed,
}

/// The store of the page.
pub fn use_store() -> Store {
    expect_context()
}

impl Store {
    fn new(pipeline: Pipeline) -> Self {
        let shown = RwSignal::new(pipeline.clone());
        let feed = Feed::follow(&pipeline, move |run| {
            if is_news(&shown.get_untracked(), run) {
                reload(shown);
            }
        });
        Self {
            pipeline: shown,
            feed,
        }
    }

    /// Takes over a changed pipeline.
    pub fn replace(self, pipeline: Pipeline) {
        self.pipeline.set(pipeline);
    }

    /// Records that are stored now and their bytes, as far as this page knows; tracked.
    pub fn stored(self) -> (i64, f64) {
        self.feed.stored.get()
    }
}

/// Whether a run changes more of its pipeline than the counts: its state or its next run.
fn is_news(pipeline: &Pipeline, run: &Run) -> bool {
    matches!(pipeline.source, Source::HttpPollingSource(_))
        || run.state == RunState::Failed
        || pipeline.state == PipelineState::Failing
}

fn reload(pipeline: RwSignal<Pipeline>) {
    let id = pipeline.with_untracked(|pipeline| pipeline.id.clone());
    spawn_local(async move {
        let answer = api::run(PipelineQuery::build(PipelineVariables { id })).await;
        if let Ok(answer) = answer {
            pipeline.set(answer.pipeline);
        }
    });
}

/// The page of one pipeline.
#[component]
pub fn PipelinePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let tab = Memo::new(move |_| {
        params
            .with(|params| params.get("tab").filter(|tab| !tab.is_empty()))
            .unwrap_or_else(|| "overview".to_owned())
    });
    prefetch::tab(&tab.get_untracked());
    move || view! { <Loader id=id.get() tab/> }
}

#[component]
fn Loader(id: String, tab: Memo<String>) -> impl IntoView {
    let loaded = RwSignal::new(None::<Result<Pipeline, ApiError>>);
    let load = move || {
        let variables = PipelineVariables {
            id: cynic::Id::new(id.clone()),
        };
        spawn_local(async move {
            let answer = api::run(PipelineQuery::build(variables)).await;
            loaded.set(Some(answer.map(|answer| answer.pipeline)));
        });
    };
    load();
    move || match loaded.get() {
        None => view! { <PageHead title="Pipeline" crumbs=crumbs()/> <Loading/> }.into_any(),
        Some(Ok(pipeline)) => view! { <Body pipeline tab/> }.into_any(),
        Some(Err(error)) => {
            let load = load.clone();
            let retry = move || {
                loaded.set(None);
                load();
            };
            view! {
                <PageHead title="Pipeline" crumbs=crumbs()/>
                <div class="page"><ErrorPanel error on_retry=Callback::new(move |()| retry())/></div>
            }
            .into_any()
        }
    }
}

fn crumbs() -> Vec<Crumb> {
    vec![Crumb::new("Pipelines", "/pipelines")]
}

#[component]
fn Body(pipeline: Pipeline, tab: Memo<String>) -> impl IntoView {
    let base = format!("/pipelines/{}", pipeline.id.inner());
    let store = Store::new(pipeline);
    provide_context(store);
    prefetch::tabs_when_idle();
    let title = Signal::derive(move || store.pipeline.with(|pipeline| pipeline.name.clone()));
    let troubles = Signal::derive(move || {
        let failed = |run: &Run| i64::from(run.failed) + i64::from(run.error.is_some());
        store.feed.runs.with(|runs| runs.iter().map(failed).sum())
    });
    let tabs = vec![
        Tab::new("overview", "Overview", base.clone()),
        Tab::new("source", "Source", format!("{base}/source")),
        Tab::new("transform", "Transform", format!("{base}/transform")),
        Tab::new("sinks", "Sinks", format!("{base}/sinks")),
        Tab::new("runs", "Runs", format!("{base}/runs")),
        Tab::new("errors", "Errors", format!("{base}/errors")).alerts(troubles),
        Tab::new("versions", "Versions", format!("{base}/versions")),
        Tab::new("settings", "Settings", format!("{base}/settings")),
    ];
    let content = move || match tab.get().as_str() {
        "source" => view! { <Part view=parts::SOURCE_TAB waiting/> }.into_any(),
        "transform" => view! { <Part view=parts::TRANSFORM_TAB waiting/> }.into_any(),
        "sinks" => view! { <Part view=parts::SINKS_TAB waiting/> }.into_any(),
        "runs" => view! { <Part view=parts::RUNS_TAB waiting/> }.into_any(),
        "errors" => view! { <Part view=parts::ERRORS_TAB waiting/> }.into_any(),
        "versions" => view! { <Part view=parts::VERSIONS_TAB waiting/> }.into_any(),
        "settings" => view! { <Part view=parts::SETTINGS_TAB waiting/> }.into_any(),
        _ => view! { <Part view=parts::OVERVIEW_TAB waiting/> }.into_any(),
    };
    view! {
        <PageHead title crumbs=crumbs()><TopActs store/></PageHead>
        <div class="page pipeline" data-testid="pipeline-page">
            <Head/>
            <Tabs label="Parts of this pipeline" tabs current=tab/>
            {content}
        </div>
    }
}

/// A tab in grey, while it is being fetched.
fn waiting() -> AnyView {
    view! {
        <div class="stack" aria-busy="true" aria-label="Loading">
            <Skeleton width="100%" height="280px"/>
        </div>
    }
    .into_any()
}

#[component]
fn Loading() -> impl IntoView {
    view! {
        <div class="page pipeline" aria-busy="true" aria-label="Loading">
            <Skeleton width="260px" height="28px"/>
            <Skeleton width="100%" height="38px"/>
            <Skeleton width="100%" height="104px"/>
            <Skeleton width="100%" height="280px"/>
        </div>
    }
}
