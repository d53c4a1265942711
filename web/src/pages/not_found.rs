//! The page for an address where nothing is.

use leptos::prelude::*;

use crate::components::{
    ButtonKind, ButtonLink, EmptyState, Icon,
    frame::{FrameContext, set_window_title},
};

/// Says that there is nothing here, and leads on.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    let title = "Page not found";
    match use_context::<FrameContext>() {
        Some(frame) => frame.show(title.into(), Vec::new(), None),
        None => set_window_title(title),
    }
    view! {
        <div class="page centre">
            <EmptyState
                icon=Icon::Search
                title=title
                text="Nothing is at this address. It may have been deleted, or the link is incomplete."
                test_id="not-found"
            >
                <ButtonLink href="/" kind=ButtonKind::Primary icon=Icon::Home>"Go to Home"</ButtonLink>
            </EmptyState>
        </div>
    }
}
