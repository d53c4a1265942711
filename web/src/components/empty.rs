//! What is shown in place of content: nothing yet, not yet, or not at all.

use leptos::prelude::*;

use super::{Button, Icon, IconView};
use crate::api::{ApiError, ErrorCode};

/// Explains in a sentence what would be here, and offers the next act.
#[component]
pub fn EmptyState(
    /// A picture of the thing.
    icon: Icon,
    /// What there is none of.
    #[prop(into)]
    title: String,
    /// What it is good for.
    #[prop(into)]
    text: String,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
    /// The next act.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <section class="empty" data-testid=test_id>
            <span class="door-icon"><IconView icon/></span>
            <h2>{title}</h2>
            <p class="muted">{text}</p>
            {children.map(|children| view! { <div class="row">{children()}</div> })}
        </section>
    }
}

/// Says what failed, why and what to do, with the request's id for support.
#[component]
pub fn ErrorPanel(
    /// The failure.
    error: ApiError,
    /// Tries again, where that may help.
    #[prop(optional, into)]
    on_retry: Option<Callback<()>>,
) -> impl IntoView {
    let title = match error.code {
        ErrorCode::NotFound => "Not found",
        ErrorCode::Offline => "No connection",
        ErrorCode::Forbidden => "Not allowed",
        ErrorCode::PlanRequired => "Not in your plan",
        _ => "This could not be loaded",
    };
    let id = error
        .request_id
        .map(|id| view! { <p class="faint tiny">"Request " <code>{id}</code></p> });
    view! {
        <section class="empty" role="alert" data-testid="error-panel">
            <span class="door-icon bad"><IconView icon=Icon::Alert/></span>
            <h2>{title}</h2>
            <p class="muted">{error.message}</p>
            {on_retry.map(|retry| view! {
                <div class="row">
                    <Button icon=Icon::Refresh on_click=move || retry.run(())>"Try again"</Button>
                </div>
            })}
            {id}
        </section>
    }
    .into_any()
}

/// A grey shape where content will be: as wide and high as that, so that nothing moves.
#[component]
pub fn Skeleton(
    /// CSS width.
    #[prop(default = "100%")]
    width: &'static str,
    /// CSS height.
    #[prop(default = "1em")]
    height: &'static str,
) -> impl IntoView {
    view! {
        <span class="skeleton" aria-hidden="true" style:width=width style:height=height></span>
    }
}
