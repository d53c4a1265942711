//! The page at its address; see `app`.

use leptos::prelude::*;

use crate::components::PageHead;

/// The page.
#[component]
pub fn DashboardsPage() -> impl IntoView {
    view! {
        <PageHead title="Dashboards"/>
        <div class="page"></div>
    }
}
