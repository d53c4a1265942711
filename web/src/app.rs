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
    pages::not_found::NotFoundPage,
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
                <Route path=path!("/login") view=|| view! { <Part view=parts::LOG_IN/> }.into_any()/>
                <Route path=path!("/signup") view=|| view! { <Part view=parts::SIGN_UP/> }.into_any()/>
                <Route path=path!("/styleguide") view=|| view! { <Part view=parts::STYLEGUIDE/> }.into_any()/>
                <ParentRoute path=path!("") view=Frame>
                    <Route path=path!("") view=|| view! { <Part view=parts::HOME/> }.into_any()/>
                    <Route path=path!("dashboards") view=|| view! { <Part view=parts::DASHBOARDS/> }.into_any()/>
                    <Route path=path!("dashboards/:id") view=|| view! { <Part view=parts::DASHBOARD/> }.into_any()/>
                    <Route path=path!("pipelines") view=|| view! { <Part view=parts::PIPELINES/> }.into_any()/>
                    <Route path=path!("pipelines/new/:kind?") view=|| view! { <Part view=parts::NEW_PIPELINE/> }.into_any()/>
                    <Route path=path!("pipelines/:id/:tab?") view=|| view! { <Part view=parts::PIPELINE/> }.into_any()/>
                    <Route path=path!("settings") view=|| view! { <Part view=parts::SETTINGS/> }.into_any()/>
                    <Route path=path!("*any") view=|| view! { <NotFoundPage/> }.into_any()/>
                </ParentRoute>
            </Routes>
        </Router>
        <ToastShelf/>
    }
}
