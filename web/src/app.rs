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
        home::HomePage, log_in::LogInPage, not_found::NotFoundPage, settings::SettingsPage,
        sign_up::SignUpPage,
    },
    parts::{self, Part},
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
                <Route path=path!("/styleguide") view=|| view! { <Part page=parts::STYLEGUIDE/> }.into_any()/>
                <ParentRoute path=path!("") view=Frame>
                    <Route path=path!("") view=|| view! { <HomePage/> }.into_any()/>
                    <Route path=path!("dashboards") view=|| view! { <Part page=parts::DASHBOARDS/> }.into_any()/>
                    <Route path=path!("dashboards/:id") view=|| view! { <Part page=parts::DASHBOARD/> }.into_any()/>
                    <Route path=path!("pipelines") view=|| view! { <Part page=parts::PIPELINES/> }.into_any()/>
                    <Route path=path!("pipelines/new/:kind?") view=|| view! { <Part page=parts::NEW_PIPELINE/> }.into_any()/>
                    <Route path=path!("pipelines/:id/:tab?") view=|| view! { <Part page=parts::PIPELINE/> }.into_any()/>
                    <Route path=path!("settings") view=|| view! { <SettingsPage/> }.into_any()/>
                    <Route path=path!("*any") view=|| view! { <NotFoundPage/> }.into_any()/>
                </ParentRoute>
            </Routes>
        </Router>
        <ToastShelf/>
    }
}
