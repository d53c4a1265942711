//! The page at its address; see `app`.

use leptos::prelude::*;

use crate::components::PageHead;

/// The page.
#[component]
pub fn DashboardPage() -> impl IntoView {
    view! {
        <PageHead title="Dashboard"/>
        <div class="page"></div>
    }
}
