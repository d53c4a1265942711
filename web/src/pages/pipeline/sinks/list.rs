//! The tab itself: the sinks as cards, and what opens from there.

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};

use super::details::Details;
use super::editor::{Editor, Opened};
use super::operations::{Sink, SinksQuery, SinksVariables};
use super::words;
use crate::api::{self, ApiError};
use crate::components::{
    Button, ButtonKind, EmptyState, ErrorPanel, Icon, IconView, Skeleton, Tag,
};
use crate::format::{count, plural};
use crate::pages::pipeline::use_store;

/// The tab.
#[component]
pub fn SinksTab() -> impl IntoView {
    let store = use_store();
    let sinks = RwSignal::new(None::<Result<Vec<Sink>, ApiError>>);
    let editing = RwSignal::new(None::<Opened>);
    let opened = RwSignal::new(None::<Sink>);
    let load = move || {
        let id = store
            .pipeline
            .with_untracked(|pipeline| pipeline.id.clone());
        spawn_local(async move {
            let answer = api::run(SinksQuery::build(SinksVariables { id })).await;
            sinks.set(Some(answer.map(|answer| answer.pipeline.sinks)));
        });
    };
    load();
    let put = Callback::new(move |sink: Sink| {
        sinks.update(|all| {
            if let Some(Ok(all)) = all {
                match all.iter_mut().find(|other| other.id == sink.id) {
                    Some(other) => *other = sink.clone(),
                    None => all.push(sink.clone()),
                }
            }
        });
        opened.update(|open| {
            if let Some(open) = open
                && open.id == sink.id
            {
                *open = sink;
            }
        });
    });
    let remove = Callback::new(move |id: cynic::Id| {
        sinks.update(|all| {
            if let Some(Ok(all)) = all {
                all.retain(|sink| sink.id != id);
            }
        });
    });
    // What was delivered meanwhile is counted anew when the drawer closes.
    Effect::new(move |was: Option<bool>| {
        let is_open = opened.with(Option::is_some);
        if was == Some(true) && !is_open {
            load();
        }
        is_open
    });
    let add = move || editing.set(Some(Opened::New));
    let content = move || {
        match sinks.get() {
        None => view! { <Skeleton height="180px"/> }.into_any(),
        Some(Err(error)) => {
            view! { <ErrorPanel error on_retry=Callback::new(move |()| load())/> }.into_any()
        }
        Some(Ok(all)) if all.is_empty() => view! { <Nothing on_add=Callback::new(move |()| add())/> }.into_any(),
        Some(Ok(all)) => view! {
            <div class="row spread">
                <p class="muted small">{plural(i64::try_from(all.len()).unwrap_or(0), "sink gets", "sinks get")} " every record, in order."</p>
                <Button icon=Icon::Plus on_click=add test_id="add-sink">"Add a sink"</Button>
            </div>
            <div class="sink-list">
                {all.into_iter().map(|sink| view! { <SinkCard sink opened/> }).collect_view()}
            </div>
        }
        .into_any(),
    }
    };
    view! {
        <div class="stack" data-testid="sinks">{content}</div>
        <Editor opened=editing on_saved=put/>
        <Details
            opened
            on_change=put
            on_deleted=remove
            on_edit=Callback::new(move |sink| {
                opened.set(None);
                editing.set(Some(Opened::Change(Box::new(sink))));
            })
        />
    }
    .into_any()
}

#[component]
fn Nothing(on_add: Callback<()>) -> impl IntoView {
    view! {
        <EmptyState
            icon=Icon::ArrowRight
            title="No sinks yet"
            text="A sink sends every record on as it is stored: to your server as a signed webhook, to any API, to an inbox, to Slack or to a Zap. Failures are tried again for a day, and nothing is sent out of order."
            test_id="no-sinks"
        >
            <Button kind=ButtonKind::Primary icon=Icon::Plus on_click=on_add test_id="add-sink">"Add a sink"</Button>
        </EmptyState>
    }
}

#[component]
fn SinkCard(sink: Sink, opened: RwSignal<Option<Sink>>) -> impl IntoView {
    let (tone, word) = words::state(&sink);
    let lag = words::lag(&sink);
    let delivered = format!(
        "{} in the last 24 hours",
        count(sink.counts.delivered_last_day.into())
    );
    let dead = sink.counts.dead_last_day;
    let (name, target, icon) = (sink.name.clone(), words::target(&sink), sink.kind.icon());
    view! {
        <button type="button" class="card sink-card" data-testid="sink" on:click=move |_| opened.set(Some(sink.clone()))>
            <span class="flow-icon"><IconView icon/></span>
            <span class="sink-card-words">
                <b>{name}</b>
                <span class="tiny faint mono">{target}</span>
            </span>
            <span class="sink-card-counts small num">
                <span>{delivered}</span>
                {lag.map(|lag| view! { <span class="muted">{lag}</span> })}
                {(dead > 0).then(|| view! { <span class="bad-text">{count(dead.into())} " given up"</span> })}
            </span>
            <Tag tone test_id="sink-state">{word}</Tag>
        </button>
    }
    .into_any()
}
