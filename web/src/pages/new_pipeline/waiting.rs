//! A new webhook waits for its first event, visibly: its URL, code that sends one, and the event
//! the moment it is stored, with what to do next.

use cynic::{QueryBuilder, SubscriptionBuilder};
use leptos::{prelude::*, task::spawn_local};

use crate::api::{self, ApiError};
use crate::components::json_view::JsonView;
use crate::components::snippets::{Snippets, example_event};
use crate::components::{
    Button, ButtonKind, ButtonLink, Card, ErrorPanel, Icon, IconView, Skeleton,
};
use crate::live;
use crate::pages::pipeline::head::make_dashboard;
use crate::pages::pipeline::queries::{
    LiveRecords, LiveRecordsVariables, Pipeline, PipelineQuery, PipelineVariables, Record, Source,
};
use crate::pages::pipeline::source_tab::UrlBox;
use crate::parts;
use dash_shared::fields::sample_fields;

/// The cursor before the first record of a pipeline.
const BEFORE_THE_FIRST: &str = "0";

/// The last step of a webhook.
#[component]
pub fn Waiting(
    /// The new pipeline.
    id: String,
) -> impl IntoView {
    let id = cynic::Id::new(id);
    let loaded = RwSignal::new(None::<Result<Pipeline, ApiError>>);
    let first = RwSignal::new(None::<Record>);
    follow(id.clone(), first);
    spawn_local(async move {
        let variables = PipelineVariables { id };
        let answer = api::run(PipelineQuery::build(variables)).await;
        loaded.set(Some(answer.map(|answer| answer.pipeline)));
    });
    move || match loaded.get() {
        None => view! { <div class="step-body"><Skeleton height="320px"/></div> }.into_any(),
        Some(Err(error)) => view! { <ErrorPanel error/> }.into_any(),
        Some(Ok(pipeline)) => view! { <WaitingBody pipeline first/> }.into_any(),
    }
}

/// Waits for the first record. It is followed from the beginning: it may have come before this page
/// was opened, or while the connection was lost.
fn follow(id: cynic::Id, first: RwSignal<Option<Record>>) {
    let following = live::subscribe(
        move |after| {
            LiveRecords::build(LiveRecordsVariables {
                pipeline_id: id.clone(),
                after: after.or_else(|| Some(BEFORE_THE_FIRST.to_owned())),
            })
        },
        |event: &LiveRecords| Some(event.pipeline_records.cursor.clone()),
        move |event| {
            if first.with_untracked(Option::is_none)
                && let Ok(event) = event
                && let Some(record) = event.pipeline_records.records.into_iter().next()
            {
                first.set(Some(record));
            }
        },
    );
    // The records after it are not shown here.
    Effect::new(move || {
        if first.with(Option::is_some) {
            following.cancel();
        }
    });
}

#[component]
fn WaitingBody(pipeline: Pipeline, first: RwSignal<Option<Record>>) -> impl IntoView {
    let url = match &pipeline.source {
        Source::WebhookSource(webhook) => webhook.url.clone(),
        _ => String::new(),
    };
    let name = pipeline.name.clone();
    let has_come = Memo::new(move |_| first.with(Option::is_some));
    let open = format!("/pipelines/{}", pipeline.id.inner());
    let senders = parts::shown(parts::senders(pipeline.id.clone(), url.clone()));
    view! {
        <div class="step-body wide">
            <header class="step-head">
                <h2 class="headline">{move || if has_come.get() { "It works".to_owned() } else { format!("Send the first event to “{name}”") }}</h2>
                <p class="muted">
                    {move || if has_come.get() {
                        "The first event is stored. Put it on a dashboard, or shape it first."
                    } else {
                        "Post JSON to this URL, from your shop, your code or a terminal. It is a secret: whoever knows it can send events."
                    }}
                </p>
            </header>
            <div class="first-event">
                {move || match first.get() {
                    None => view! { <StillWaiting open=open.clone()/> }.into_any(),
                    Some(record) => view! { <Arrived record pipeline=pipeline.clone()/> }.into_any(),
                }}
                <Card title="Send an event" test_id="send-event-card">
                    <UrlBox url=url.clone()/>
                    <Snippets url=url.clone() event=Signal::stored(example_event())/>
                </Card>
                {senders}
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn StillWaiting(open: String) -> impl IntoView {
    view! {
        <section class="card first-event-card" aria-live="polite" data-testid="waiting-for-event">
            <div class="waiting big">
                <span class="waiting-dot" aria-hidden="true"></span>
                <b>"Waiting for your first event…"</b>
                <p class="muted small">"It appears here the moment it is stored. You can leave this page; the URL works from now on."</p>
                <a class="link small" href=open>"Go to the pipeline"</a>
            </div>
        </section>
    }
}

#[component]
fn Arrived(record: Record, pipeline: Pipeline) -> impl IntoView {
    let fields = record.object();
    let names: Vec<String> = sample_fields([&fields])
        .into_iter()
        .map(|field| field.path.to_string())
        .collect();
    let found = match names.len() {
        1 => "1 field".to_owned(),
        count => format!("{count} fields"),
    };
    let base = format!("/pipelines/{}", pipeline.id.inner());
    let busy = RwSignal::new(false);
    let make = make_dashboard();
    let go = move || {
        busy.set(true);
        make(pipeline.clone());
        set_timeout(move || busy.set(false), std::time::Duration::from_secs(2));
    };
    view! {
        <section class="card first-event-card arrived" aria-live="polite" data-testid="first-event">
            <h2 class="row"><span class="arrived-mark"><IconView icon=Icon::Check/></span> "Your first event is here"</h2>
            <p class="small muted">{found}" found. It was stored at once."</p>
            <div class="json-box"><JsonView value=record.fields.0 label="The first event"/></div>
            <div class="row">
                <Button kind=ButtonKind::Primary icon=Icon::Dashboards busy on_click=go test_id="make-dashboard">
                    "Make a dashboard"
                </Button>
                <ButtonLink href=format!("{base}/transform") icon=Icon::Wand test_id="map-fields">"Map fields"</ButtonLink>
                <ButtonLink href=base kind=ButtonKind::Ghost test_id="open-pipeline">"Open the pipeline"</ButtonLink>
            </div>
        </section>
    }
    .into_any()
}
