//! The tab “Overview”: the flow, the live events, and for webhooks the code that sends one.

use leptos::prelude::*;
use serde_json::Value;

use dash_shared::transform::mapping;

use super::event_table::LiveEvents;
use super::feed::What;
use super::flow::Flow;
use super::queries::{Record, Source};
use super::{Store, use_store};
use crate::components::Card;
use crate::components::snippets::{Snippets, showable};

/// The tab.
#[component]
pub fn OverviewTab() -> impl IntoView {
    let Store { pipeline, .. } = use_store();
    let url = Memo::new(move |_| {
        pipeline.with(|pipeline| match &pipeline.source {
            Source::WebhookSource(webhook) => Some(webhook.url.clone()),
            _ => None,
        })
    });
    view! {
        <Flow/>
        <div class="overview" class:with-aside=move || url.with(Option::is_some)>
            <LiveEvents/>
            {move || url.get().map(|url| view! { <SendEvent url/> })}
        </div>
    }
}

/// Code that sends an event like those that came before.
#[component]
pub fn SendEvent(
    /// The webhook's address.
    url: String,
) -> impl IntoView {
    let store = use_store();
    let event = Memo::new(move |before: Option<&Option<Value>>| {
        before.cloned().flatten().or_else(|| last_received(store))
    });
    view! {
        <Card class="send-event" title="Send an event" test_id="send-event-card">
            <Snippets url event=Signal::derive(move || showable(event.get()))/>
            <p class="tiny muted">
                "One JSON object, or an array of them. It answers 2xx once the records are on disk."
            </p>
        </Card>
    }
}

/// The newest stored record as it most likely came in.
fn last_received(store: Store) -> Option<Value> {
    let record = store.feed.events.with(|events| {
        events.iter().find_map(|event| match &event.what {
            What::Stored(record) => Some(record.clone()),
            _ => None,
        })
    })?;
    let steps = store.pipeline.with(super::queries::Pipeline::shared_steps);
    Some(Value::Object(mapping::undo(
        &steps,
        &Record::object(&record),
    )))
}
