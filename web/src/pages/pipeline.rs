//! The page at its address; see `app`.

use leptos::prelude::*;

use crate::components::PageHead;

/// The page.
#[component]
pub fn PipelinePage() -> impl IntoView {
    view! {
        <PageHead title="Pipeline"/>
        <div class="page"></div>
    }
}
