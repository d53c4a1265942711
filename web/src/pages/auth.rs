//! What log-in and sign-up share: the card in the middle, and leaving once somebody is in.

use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

use crate::{
    components::{Icon, IconView, frame::set_window_title},
    session::{SessionState, use_session},
};

/// One card in the middle of an empty page, with the way to the other form below it.
#[component]
pub fn AuthCard(
    /// What the form is for.
    title: &'static str,
    /// A sentence below the title.
    text: &'static str,
    /// The question that leads to the other form.
    other: &'static str,
    /// Its address.
    other_href: &'static str,
    /// Its name.
    other_label: &'static str,
    /// The form.
    children: Children,
) -> impl IntoView {
    set_window_title(title);
    let query = use_query_map();
    // The way back is kept when one changes one's mind about which form it is.
    let href = move || {
        query.with(|query| query.get("next")).map_or_else(
            || other_href.to_owned(),
            |next| format!("{other_href}?next={}", js_sys::encode_uri_component(&next)),
        )
    };
    view! {
        <main class="auth">
            <div class="auth-column">
                <span class="wordmark">
                    <span class="mark"><IconView icon=Icon::Logo/></span>
                    "Dash"
                </span>
                <section class="card auth-card" aria-labelledby="auth-title">
                    <div class="auth-head">
                        <h1 id="auth-title">{title}</h1>
                        <p class="muted">{text}</p>
                    </div>
                    {children()}
                </section>
                <p class="muted">{other}" "<a class="link" href=href>{other_label}</a></p>
            </div>
        </main>
    }
}

/// Goes on to where one came from as soon as somebody is logged in.
#[component]
pub fn LeaveWhenIn() -> impl IntoView {
    let (session, navigate, query) = (use_session(), use_navigate(), use_query_map());
    Effect::new(move || {
        if !matches!(session.state(), SessionState::LoggedIn(_)) {
            return;
        }
        let next = query.with_untracked(|query| query.get("next"));
        let target = next
            .filter(|next| is_own_path(next))
            .unwrap_or_else(|| "/".to_owned());
        let options = NavigateOptions {
            replace: true,
            ..NavigateOptions::default()
        };
        navigate(&target, options);
    });
}

/// Whether an address stays inside the app: `//host` and `/\host` would leave it.
fn is_own_path(path: &str) -> bool {
    let mut letters = path.chars();
    letters.next() == Some('/') && !matches!(letters.next(), Some('/' | '\\'))
}
