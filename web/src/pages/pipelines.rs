//! The page at its address; see `app`.

use leptos::prelude::*;

use crate::components::PageHead;

/// The page.
#[component]
pub fn PipelinesPage() -> impl IntoView {
    view! {
        <PageHead title="Pipelines"/>
        <div class="page"></div>
    }
}
