//! The tab “Source”: the webhook's URL, or the polled address with a test, or what the demo is.

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};

use super::acts::{Change, update};
use super::mutations::{SourceInput, WebhookSourceInput};
use super::overview_tab::SendEvent;
use super::polling_form::{PollingDraft, PollingFields, is_shown};
use super::polling_source::{AnySource, SavedSource, SourceQuery, SourceVariables};
use super::queries::Source;
use super::save_bar::SaveBar;
use super::source_test::{TestResult, TestState, test_source};
use super::{Store, use_store};
use crate::api::{self, FormErrors};
use crate::components::{
    Banner, Button, ButtonSize, Card, ConfirmDialog, CopyButton, Icon, Skeleton, Tone, use_toasts,
};
use crate::parts;
use crate::session::use_session;
use dash_shared::plans::Plan;

/// The tab.
#[component]
pub fn SourceTab() -> impl IntoView {
    let Store { pipeline, .. } = use_store();
    // A changed source is shown by its own card; only another kind makes another card.
    match pipeline.get_untracked().source {
        Source::WebhookSource(_) => view! { <WebhookCard/> }.into_any(),
        Source::HttpPollingSource(_) => view! { <PollingLoader/> }.into_any(),
        Source::PipelineSource(source) => {
            let href = format!("/pipelines/{}", source.pipeline_id.inner());
            view! {
                <Card title="Another pipeline" class="narrow-page">
                    <p class="muted">
                        "Every record that "
                        <a class="link" href=href>"the other pipeline"</a>
                        " stores comes in here as soon as it is stored, each exactly once."
                    </p>
                </Card>
            }
            .into_any()
        }
        Source::FileUploadSource(_) => {
            let id = pipeline.with_untracked(|pipeline| pipeline.id.clone());
            view! { <div class="narrow-page">{parts::shown(parts::handover(id))}</div> }.into_any()
        }
        Source::DemoSource(_) | Source::Other => view! {
            <Card title="Demo data" class="narrow-page">
                <p class="muted">
                    "An invented web shop sells all day: orders with a customer, a country, a channel and a total. They count like real records, so pause the pipeline when you no longer need it."
                </p>
            </Card>
        }
        .into_any(),
    }
}

#[component]
fn WebhookCard() -> impl IntoView {
    let store = use_store();
    let url = Memo::new(move |_| {
        store.pipeline.with(|pipeline| match &pipeline.source {
            Source::WebhookSource(webhook) => webhook.url.clone(),
            _ => String::new(),
        })
    });
    let (open, busy) = (RwSignal::new(false), RwSignal::new(false));
    let toasts = use_toasts();
    let regenerate = move || {
        let errors = FormErrors::new();
        let source = SourceInput::Webhook(WebhookSourceInput {
            regenerate_url: true,
        });
        busy.set(true);
        spawn_local(async move {
            let pipeline = store.pipeline.get_untracked();
            match update(&pipeline, Change::Source(source), errors).await {
                Some(changed) => {
                    store.replace(changed);
                    toasts.success(
                        "The pipeline has a new URL. Give it to everybody who sends events.",
                    );
                }
                None => toasts.error("The URL could not be replaced. Try again."),
            }
            busy.set(false);
            open.set(false);
        });
    };
    view! {
        <div class="source-columns">
            <Card title="Webhook URL">
                <p class="muted small">
                    "Whoever knows it can send events, so treat it like a password."
                </p>
                <UrlBox url/>
                <ul class="facts small muted">
                    <li>"POST JSON, NDJSON, CSV or a form: up to 10,000 records, 10 MB at most."</li>
                    <li>"It answers 2xx once the records are on disk: what was answered is never lost."</li>
                    <li>"What cannot be read is refused with a reason; nothing else is lost with it."</li>
                </ul>
                <div class="row">
                    <Button size=ButtonSize::Small icon=Icon::Refresh on_click=move || open.set(true) test_id="regenerate">
                        "Regenerate URL"
                    </Button>
                </div>
            </Card>
            {move || view! { <SendEvent url=url.get()/> }}
            {move || {
                let id = store.pipeline.with_untracked(|pipeline| pipeline.id.clone());
                parts::shown(parts::senders(id, url.get()))
            }}
        </div>
        <ConfirmDialog
            open
            on_close=move || open.set(false)
            title="Regenerate the URL?"
            message="The old URL stops working at once. Every sender needs the new one."
            confirm="Regenerate"
            busy
            on_confirm=Callback::new(move |()| regenerate())
        />
    }
    .into_any()
}

/// A secret URL with a button that copies it.
#[component]
pub fn UrlBox(
    /// The URL.
    #[prop(into)]
    url: Signal<String>,
) -> impl IntoView {
    view! {
        <div class="url-box">
            <code data-testid="webhook-url" tabindex="0">{move || url.get()}</code>
            <CopyButton text=url label="Copy URL" test_id="copy-url"/>
        </div>
    }
}

/// The whole source of the pipeline; a sentence when it cannot be had.
async fn whole_source(id: cynic::Id) -> Result<SavedSource, String> {
    let variables = SourceVariables { id };
    let answer = api::run(SourceQuery::build(variables)).await;
    match answer.map_err(|error| error.message)?.pipeline.source {
        AnySource::Polled(source) => Ok(*source),
        AnySource::Other => Err("This pipeline is not polled.".to_owned()),
    }
}

/// Fetches the whole source, then shows its form.
#[component]
fn PollingLoader() -> impl IntoView {
    let store = use_store();
    let source = RwSignal::new(None::<Result<SavedSource, String>>);
    spawn_local(async move {
        let id = store
            .pipeline
            .with_untracked(|pipeline| pipeline.id.clone());
        let found = whole_source(id).await;
        source.try_set(Some(found));
    });
    move || match source.get() {
        None => view! { <Card title="API polling"><Skeleton height="240px"/></Card> }.into_any(),
        Some(Ok(source)) => view! { <PollingCard source/> }.into_any(),
        Some(Err(message)) => view! {
            <Card title="API polling"><Banner tone=Tone::Bad>{message}</Banner></Card>
        }
        .into_any(),
    }
}

#[component]
fn PollingCard(source: SavedSource) -> impl IntoView {
    let store = use_store();
    let session = use_session();
    let plan =
        untrack(|| session.viewer()).map_or(Plan::Free, |viewer| viewer.organization.plan.shared());
    let draft = PollingDraft::new(plan);
    draft.load(&source);
    let as_entered = RwSignal::new(untrack(|| draft.input()));
    let saved = RwSignal::new(source);
    let errors = FormErrors::new();
    let test = RwSignal::new(TestState::Idle);
    let busy = RwSignal::new(false);
    let toasts = use_toasts();
    let run_test = Callback::new(move |()| {
        if draft.check(plan, errors) {
            let id = store
                .pipeline
                .with_untracked(|pipeline| pipeline.id.clone());
            test_source(draft, Some(id), test, errors);
        }
    });
    let save = move || {
        if !draft.check(plan, errors) {
            return;
        }
        let input = untrack(|| draft.input());
        busy.set(true);
        spawn_local(async move {
            let pipeline = store.pipeline.get_untracked();
            let change = Change::Source(SourceInput::HttpPolling(Box::new(input)));
            if let Some(changed) = update(&pipeline, change, errors).await {
                if let Ok(source) = whole_source(changed.id.clone()).await {
                    draft.load(&source);
                    as_entered.set(untrack(|| draft.input()));
                    saved.set(source);
                }
                store.replace(changed);
                toasts.success("The source is saved. The next poll uses it.");
            }
            busy.set(false);
        });
    };
    let is_testing = Signal::derive(move || test.with(|test| *test == TestState::Running));
    view! {
        <form
            class="source-columns"
            on:submit=move |event| {
                event.prevent_default();
                save();
            }
        >
            <Card title="API polling">
                <div class="stack">
                    <PollingFields draft plan test errors/>
                    <div class="row">
                        <Button icon=Icon::Play busy=is_testing on_click=run_test test_id="test-source">"Test"</Button>
                    </div>
                    <SaveBar
                        is_dirty=Signal::derive(move || as_entered.with(|entered| *entered != draft.input()))
                        busy
                        error=errors.other_than(is_shown)
                        on_discard=Callback::new(move |()| {
                            errors.clear();
                            draft.load(&saved.get_untracked());
                        })
                    />
                </div>
            </Card>
            <Card title="What it answers">
                <Show when=move || test.with(|test| *test == TestState::Idle)>
                    <p class="muted small">
                        "“Test” asks the API once and shows its first records. Nothing is stored."
                    </p>
                </Show>
                <TestResult state=test draft on_again=run_test/>
            </Card>
        </form>
    }
    .into_any()
}
