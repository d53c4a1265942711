//! Choosing what kind of sink to add. What the plan does not have is shown, with the plan that has it.

use dash_shared::plans::Plan;
use leptos::prelude::*;

use super::operations::SinkKind;
use crate::components::{IconView, Tag, Tone};
use crate::session::use_session;

/// The kinds as cards.
#[component]
pub fn Kinds(
    /// What is chosen.
    on_choose: Callback<SinkKind>,
) -> impl IntoView {
    let session = use_session();
    let plan = move || {
        let viewer = session.viewer();
        viewer.map_or(Plan::Free, |viewer| viewer.organization.plan.shared())
    };
    let cards = move || {
        let plan = plan();
        SinkKind::ALL
            .into_iter()
            .map(|kind| view! { <KindCard kind needs=kind.needs(plan) on_choose/> })
            .collect_view()
    };
    view! { <div class="sink-kinds">{cards}</div> }
}

#[component]
fn KindCard(kind: SinkKind, needs: Option<Plan>, on_choose: Callback<SinkKind>) -> impl IntoView {
    let lock = needs.map(|plan| {
        view! { <Tag tone=Tone::Accent test_id="sink-lock">{plan.name()}</Tag> }
    });
    view! {
        <button
            type="button"
            class="sink-kind"
            disabled=needs.is_some()
            data-testid=format!("sink-kind-{}", kind.word())
            on:click=move |_| on_choose.run(kind)
        >
            <span class="door-icon"><IconView icon=kind.icon()/></span>
            <span class="radio-card-text">
                <b>{kind.name()} " " {lock}</b>
                <span class="muted small">{kind.text()}</span>
            </span>
        </button>
    }
    .into_any()
}
