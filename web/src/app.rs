//! The app: what every page shares, and which page is at which address.

use leptos::prelude::*;
use leptos_router::{
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::{
    components::{
        frame::Frame,
        toast::{ToastShelf, Toasts},
    },
    format::Clock,
    live,
    pages::{
        dashboard::DashboardPage, dashboards::DashboardsPage, home::HomePage, log_in::LogInPage,
        new_pipeline::NewPipelinePage, not_found::NotFoundPage, pipeline::PipelinePage,
        pipelines::PipelinesPage, settings::SettingsPage, sign_up::SignUpPage,
        styleguide::StyleguidePage,
    },
    session::Session,
    theme::Theme,
};

/// The whole client.
#[component]
pub fn App() -> impl IntoView {
    Theme::provide();
    Clock::provide();
    Toasts::provide();
    live::provide();
    Session::provide();
    view! {
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/login") view=|| view! { <LogInPage/> }.into_any()/>
                <Route path=path!("/signup") view=|| view! { <SignUpPage/> }.into_any()/>
                <Route path=path!("/styleguide") view=|| view! { <StyleguidePage/> }.into_any()/>
                <ParentRoute path=path!("") view=Frame>
                    <Route path=path!("") view=|| view! { <HomePage/> }.into_any()/>
                    <Route path=path!("dashboards") view=|| view! { <DashboardsPage/> }.into_any()/>
                    <Route path=path!("dashboards/:id") view=|| view! { <DashboardPage/> }.into_any()/>
                    <Route path=path!("pipelines") view=|| view! { <PipelinesPage/> }.into_any()/>
                    <Route path=path!("pipelines/new/:kind?") view=|| view! { <NewPipelinePage/> }.into_any()/>
                    <Route path=path!("pipelines/:id/:tab?") view=|| view! { <PipelinePage/> }.into_any()/>
                    <Route path=path!("settings") view=|| view! { <SettingsPage/> }.into_any()/>
                    <Route path=path!("*any") view=|| view! { <NotFoundPage/> }.into_any()/>
                </ParentRoute>
            </Routes>
        </Router>
        <ToastShelf/>
    }
}
