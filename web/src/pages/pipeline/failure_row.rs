//! One failed record in the list: where, why, what came in, and what can be done about it.

use leptos::prelude::*;

use super::errors_tab::place_words;
use super::failure_desk::{FailureDesk, Which};
use super::failure_operations::{Failure, FailureState};
use super::{feed, use_store};
use crate::components::json_view::JsonView;
use crate::components::{Button, ButtonKind, ButtonSize, Icon, RelativeTime};

/// The row.
#[component]
pub fn FailureRow(
    /// The tab's state.
    desk: FailureDesk,
    /// The failed record.
    failure: Failure,
) -> impl IntoView {
    let pipeline = use_store().pipeline;
    let place = {
        let (step, path) = (failure.step, failure.path.clone());
        move || pipeline.with(|pipeline| place_words(pipeline, step, &path))
    };
    let received = feed::received(&failure.received);
    let shown = StoredValue::new(failure.clone());
    let acts = move || match desk.state.get() {
        FailureState::Open => view! { <OpenActs desk shown/> }.into_any(),
        FailureState::Dismissed => view! {
            <Button
                size=ButtonSize::Small
                icon=Icon::Undo
                on_click=move || desk.reopen(Which::One(shown.with_value(|one| one.id.clone())))
            >
                "Open again"
            </Button>
        }
        .into_any(),
        FailureState::Replayed => ().into_any(),
    };
    view! {
        <details class="record-error failure" data-testid="failure">
            <summary>
                <span class="event-error">{failure.message}</span>
                <span class="small muted">{place} " · " <RelativeTime at_ms=Some(failure.failed_at.ms())/></span>
                <span class="event-received mono">{failure.received}</span>
            </summary>
            <div class="row wrap failure-acts">{acts}</div>
            <dl class="record-error-facts small">
                {(!failure.path.is_empty()).then(|| view! {
                    <dt>"Field"</dt><dd class="mono">{failure.path}</dd>
                })}
                {(!failure.value.is_empty()).then(|| view! {
                    <dt>"Value"</dt><dd class="mono">{failure.value}</dd>
                })}
            </dl>
            <p class="tiny faint">"Received"</p>
            <JsonView value=received label="The record as it was received"/>
        </details>
    }
    .into_any()
}

#[component]
fn OpenActs(desk: FailureDesk, shown: StoredValue<Failure>) -> impl IntoView {
    let which = move || Which::One(shown.with_value(|one| one.id.clone()));
    view! {
        <Button
            size=ButtonSize::Small
            icon=Icon::Edit
            on_click=move || desk.fixing.set(Some(shown.get_value()))
            test_id="fix"
        >
            "Fix and put in again"
        </Button>
        <Button
            size=ButtonSize::Small
            icon=Icon::Refresh
            busy=desk.busy
            on_click=move || desk.replay(which())
            test_id="replay"
        >
            "Put in again"
        </Button>
        <Button
            size=ButtonSize::Small
            kind=ButtonKind::Ghost
            disabled=desk.busy
            on_click=move || desk.dismiss(which())
            test_id="dismiss"
        >
            "Dismiss"
        </Button>
    }
    .into_any()
}
