//! The page at its address; see `app`.

use leptos::prelude::*;

use crate::components::PageHead;

/// The page.
#[component]
pub fn NewPipelinePage() -> impl IntoView {
    view! {
        <PageHead title="New pipeline"/>
        <div class="page"></div>
    }
}
