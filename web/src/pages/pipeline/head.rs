//! The head of a pipeline's page: its name, its state, what it does; and the acts in the top bar.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::acts::{Act, act, suggest_dashboard};
use super::queries::{Pipeline, Source};
use super::{Store, use_store, words};
use crate::api::pipelines::PipelineState;
use crate::api::scalars::DateTime;
use crate::components::export::{ExportItems, Exported};
use crate::components::{
    Banner, Button, ButtonKind, Icon, Menu, MenuItem, RelativeTime, Tag, Tone, use_toasts,
};
use crate::format::use_clock;
use crate::session::use_session;

/// The state of a pipeline as a tag.
#[component]
pub fn StateTag(
    /// The state.
    #[prop(into)]
    state: Signal<PipelineState>,
) -> impl IntoView {
    move || {
        let (tone, icon, word) = match state.get() {
            PipelineState::Running => (Tone::Ok, Icon::Check, "running"),
            PipelineState::Paused => (Tone::Neutral, Icon::Pause, "paused"),
            PipelineState::Failing => (Tone::Bad, Icon::Alert, "failing"),
        };
        view! { <Tag tone icon test_id="pipeline-state">{word}</Tag> }
    }
}

/// Whether “run now” means anything: webhooks wait for others, and the demo sells by itself.
pub const fn can_run(source: &Source) -> bool {
    matches!(source, Source::HttpPollingSource(_))
}

/// Name, state and rate; and since when it fails.
#[component]
pub fn Head() -> impl IntoView {
    let Store { pipeline, feed } = use_store();
    let clock = use_clock();
    let state = Signal::derive(move || pipeline.with(|pipeline| pipeline.state));
    let summary = move || {
        let live = feed.rate.last_minute(clock.now_ms()).stored;
        pipeline.with(|pipeline| {
            let known = if feed.is_loaded.get() {
                0
            } else {
                pipeline.per_minute()
            };
            words::summary(pipeline, live.max(i64::from(known)))
        })
    };
    let failing = move || {
        let since = pipeline.with(|pipeline| pipeline.failing_since.as_ref().map(DateTime::ms));
        let message = feed.runs.with(|runs| {
            let error = runs.iter().find_map(|run| run.error.as_ref());
            error.map(|error| error.message.clone())
        });
        (state.get() == PipelineState::Failing).then(|| {
            view! {
                <Banner tone=Tone::Bad test_id="failing">
                    <p>
                        <b>"Its runs have been failing "</b>
                        {since.map(|since| view! { "(first " <RelativeTime at_ms=Some(since)/> "). " })}
                        {message}
                    </p>
                    <a class="link" href=format!("/pipelines/{}/errors", pipeline.with(|pipeline| pipeline.id.inner().to_owned()))>
                        "See the errors"
                    </a>
                </Banner>
            }
        })
    };
    let paused = move || {
        let reason = pipeline.with(|pipeline| pipeline.paused_reason.clone());
        reason.map(|reason| {
            view! { <Banner tone=Tone::Warn test_id="paused-reason"><p>{reason}</p></Banner> }
        })
    };
    view! {
        <header class="pipeline-head">
            <h2 class="headline">{move || pipeline.with(|pipeline| pipeline.name.clone())}</h2>
            <StateTag state/>
            <span class="muted small num" data-testid="pipeline-summary">{summary}</span>
        </header>
        {failing}
        {paused}
    }
}

/// Pause or resume, run now, make a dashboard, edit; on a phone the lesser ones are in a menu.
#[component]
pub fn TopActs(
    /// The page's store.
    store: Store,
) -> impl IntoView {
    let Store { pipeline, feed } = store;
    let busy = RwSignal::new(None::<Act>);
    let toasts = use_toasts();
    let id = move || pipeline.with_untracked(|pipeline| pipeline.id.clone());
    let run = move |wanted: Act| {
        busy.set(Some(wanted));
        spawn_local(async move {
            if let Some(changed) = act(wanted, id(), toasts).await {
                store.replace(changed);
                feed.reload();
            }
            busy.set(None);
        });
    };
    let make = make_dashboard();
    let make_dashboard = move || make(pipeline.get_untracked());
    let making = RwSignal::new(false);
    let make_dashboard = move || {
        making.set(true);
        make_dashboard();
        set_timeout(move || making.set(false), std::time::Duration::from_secs(2));
    };
    let make_in_menu = Callback::new({
        let make_dashboard = make_dashboard.clone();
        move |()| make_dashboard()
    });
    let is_paused =
        Memo::new(move |_| pipeline.with(|pipeline| pipeline.state == PipelineState::Paused));
    let runs = Memo::new(move |_| pipeline.with(|pipeline| can_run(&pipeline.source)));
    let exported = move || Exported {
        pipeline_id: id(),
        range: None,
        filters: Vec::new(),
    };
    let is_busy = move |wanted: Act| Signal::derive(move || busy.get() == Some(wanted));
    view! {
        <div class="row pipeline-acts">
            <Show when=move || runs.get() && !is_paused.get()>
                <span class="wide-only">
                    <Button icon=Icon::Refresh busy=is_busy(Act::Run) on_click=move || run(Act::Run) test_id="run-now">
                        "Run now"
                    </Button>
                </span>
            </Show>
            <Show
                when=move || is_paused.get()
                fallback=move || view! {
                    <span class="wide-only">
                        <Button icon=Icon::Pause busy=is_busy(Act::Pause) on_click=move || run(Act::Pause) test_id="pause">
                            "Pause"
                        </Button>
                    </span>
                }
            >
                <Button icon=Icon::Play busy=is_busy(Act::Resume) on_click=move || run(Act::Resume) test_id="resume">
                    "Resume"
                </Button>
            </Show>
            <span class="wide-only">
                <Button
                    kind=ButtonKind::Primary
                    icon=Icon::Dashboards
                    busy=making
                    on_click=make_dashboard
                    test_id="make-dashboard"
                >
                    "Make a dashboard"
                </Button>
            </span>
            <span class="wide-only">
                <Menu label="Export all records" icon=Icon::Download test_id="pipeline-export">
                    <ExportItems exported=move |()| exported()/>
                </Menu>
            </span>
            <span class="narrow-only">
                <Menu label="More" test_id="pipeline-menu">
                    <MenuItem icon=Icon::Dashboards on_click=make_in_menu>"Make a dashboard"</MenuItem>
                    <MenuItem icon=Icon::Refresh disabled=Signal::derive(move || !runs.get() || is_paused.get()) on_click=move || run(Act::Run)>
                        "Run now"
                    </MenuItem>
                    <MenuItem icon=Icon::Pause disabled=is_paused on_click=move || run(Act::Pause)>"Pause"</MenuItem>
                    <ExportItems exported=move |()| exported()/>
                </Menu>
            </span>
        </div>
    }
    .into_any()
}

/// An act that makes the dashboard that suits a pipeline, and goes there.
pub fn make_dashboard() -> impl Fn(Pipeline) + Clone + Send + Sync + 'static {
    let (navigate, toasts, session) = (use_navigate(), use_toasts(), use_session());
    move |pipeline: Pipeline| {
        let navigate = navigate.clone();
        spawn_local(async move {
            let made = suggest_dashboard(pipeline.id, &pipeline.name, toasts).await;
            if let Some(id) = made {
                session.refresh_directory();
                navigate(&format!("/dashboards/{id}"), NavigateOptions::default());
            }
        });
    }
}
