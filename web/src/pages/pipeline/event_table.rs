//! Live events: what was stored or refused, the newest first, following until it is paused. A
//! line opens to the whole record.

use leptos::prelude::*;

use super::feed::{Event, Feed, What};
use super::queries::Source;
use super::{Store, use_store, words};
use crate::api::pipelines::PipelineState;
use crate::components::json_view::JsonView;
use crate::components::record_line::record_line;
use crate::components::{
    Card, Column, Icon, IconButton, IconView, LiveDot, RelativeTime, Skeleton, Table, Tag, Tone,
};
use crate::format::plural;

/// The card with the live events.
#[component]
pub fn LiveEvents() -> impl IntoView {
    let Store { feed, .. } = use_store();
    let actions = move || view! { <FollowControls feed/> };
    let columns = vec![
        Column::text("Age"),
        Column::text("Became"),
        Column::text("State"),
    ];
    view! {
        <Card class="live-events" title="Live events" actions test_id="live-events">
            <Show when=move || !feed.events.with(Vec::is_empty) fallback=move || view! { <Nothing/> }>
                <Table label="Live events" columns=columns.clone() test_id="event-table">
                    <For
                        each=move || feed.events.get()
                        key=|event| event.key.clone()
                        children=|event| view! { <Line event/> }
                    />
                </Table>
            </Show>
        </Card>
    }
}

#[component]
fn FollowControls(feed: Feed) -> impl IntoView {
    let waiting = move || i64::try_from(feed.waiting.with(Vec::len)).unwrap_or(i64::MAX);
    let toggle = move || {
        if feed.is_paused.get_untracked() {
            feed.resume();
        } else {
            feed.is_paused.set(true);
        }
    };
    let icon = Signal::derive(move || {
        if feed.is_paused.get() {
            Icon::Play
        } else {
            Icon::Pause
        }
    });
    let label = Signal::derive(move || {
        let word = if feed.is_paused.get() {
            "Follow"
        } else {
            "Hold still"
        };
        word.to_owned()
    });
    view! {
        <Show
            when=move || feed.is_paused.get()
            fallback=|| view! { <LiveDot word="following"/> }
        >
            <span class="small muted num" data-testid="waiting">
                {move || match waiting() {
                    0 => "held still".to_owned(),
                    count => format!("{} waiting", plural(count, "event", "events")),
                }}
            </span>
        </Show>
        <IconButton icon label on_click=toggle test_id="follow"/>
    }
}

#[component]
fn Line(event: Event) -> impl IntoView {
    let open = RwSignal::new(false);
    let at_ms = event.at_ms;
    let (told, tag, whole) = match event.what {
        What::Stored(record) => (
            record_line(&record.fields.0).into_any(),
            (Tone::Ok, "stored"),
            Some(record.fields.0),
        ),
        What::Refused {
            step,
            path,
            message,
            received,
        } => (
            view! {
                <span class="event-error">{step_words(step, &path)} {message}</span>
                <span class="event-received mono">{received.to_string()}</span>
            }
            .into_any(),
            (Tone::Bad, "error"),
            Some(received),
        ),
        What::RunFailed { code, message } => (
            view! {
                <span class="event-error">{words::error_words(code).0}": " {message}</span>
            }
            .into_any(),
            (Tone::Bad, "run failed"),
            None,
        ),
    };
    let has_more = whole.is_some();
    let toggle = move |_| {
        if has_more {
            open.update(|open| *open = !*open);
        }
    };
    let button = has_more.then(|| {
        view! {
            <button
                type="button"
                class="row-toggle"
                class:open=open
                aria-expanded=move || open.get().to_string()
                aria-label="Show the whole record"
            >
                <IconView icon=Icon::ChevronRight/>
            </button>
        }
    });
    let details = move || {
        whole.clone().filter(|_| open.get()).map(|whole| {
            view! {
                <tr class="row-details"><td colspan="3"><JsonView value=whole label="The whole record"/></td></tr>
            }
        })
    };
    view! {
        <tr class="event" class:opens=has_more data-testid="event" on:click=toggle>
            <td class="faint event-age" data-label="Age"><RelativeTime at_ms=Some(at_ms)/></td>
            <td data-label="Became"><div class="event-told">{told}</div></td>
            <td class="event-state" data-label="State">
                <Tag tone=tag.0 test_id="event-state">{tag.1}</Tag>
                {button}
            </td>
        </tr>
        {details}
    }
    .into_any()
}

/// Where an error happened: the step and the path.
pub fn step_words(step: i32, path: &str) -> String {
    match (step, path) {
        (0, _) => String::new(),
        (step, "") => format!("step {step}: "),
        (step, path) => format!("step {step}, {path}: "),
    }
}

/// What stands where the events will be.
#[component]
fn Nothing() -> impl IntoView {
    let Store { pipeline, feed } = use_store();
    move || {
        if !feed.is_loaded.get() && feed.failure.with(Option::is_none) {
            return view! {
                <div class="stack" aria-busy="true">
                    <Skeleton height="36px"/>
                    <Skeleton height="36px"/>
                    <Skeleton height="36px"/>
                </div>
            }
            .into_any();
        }
        if let Some(failure) = feed.failure.get() {
            return view! {
                <p class="muted small" role="alert">
                    {failure.message}
                    " "
                    <button type="button" class="link" on:click=move |_| feed.reload()>"Try again"</button>
                </p>
            }
            .into_any();
        }
        let (state, source) = pipeline.with(|pipeline| (pipeline.state, pipeline.source.clone()));
        let (title, text) = match (state, source) {
            (PipelineState::Paused, _) => (
                "Paused",
                "Nothing comes in while the pipeline is paused. Resume it to go on.",
            ),
            (_, Source::WebhookSource(_)) => (
                "Waiting for the first event…",
                "Post JSON to the pipeline's URL. It appears here the moment it is stored.",
            ),
            (_, Source::HttpPollingSource(_)) => (
                "Waiting for the first poll…",
                "Its records appear here as soon as the API has answered. “Run now” asks at once.",
            ),
            _ => (
                "Waiting for the first records…",
                "They appear here in a moment.",
            ),
        };
        view! {
            <div class="waiting" data-testid="no-events">
                <span class="waiting-dot" class:still=state == PipelineState::Paused aria-hidden="true"></span>
                <b>{title}</b>
                <p class="muted small">{text}</p>
            </div>
        }
        .into_any()
    }
}
