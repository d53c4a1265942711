//! Home: three doors for a newcomer; for everybody else what is live, what fails, and the
//! dashboards changed last, with the doors below.

pub mod doors;
mod overview;

use leptos::prelude::*;

use crate::{
    components::{Icon, IconView, PageHead, Skeleton},
    session::use_session,
};

/// The first page.
#[component]
pub fn HomePage() -> impl IntoView {
    let session = use_session();
    session.refresh_directory();
    // Whether the team has any data; unknown until the directory is loaded.
    let started = Memo::new(move |_| {
        session
            .directory()
            .map(|directory| directory.pipelines.total_count > 0)
    });
    view! {
        <PageHead title="Home"/>
        <div class="page home">
            {move || match started.get() {
                None => view! { <Waiting/> }.into_any(),
                Some(false) => view! { <Welcome/> }.into_any(),
                Some(true) => view! { <overview::Overview/> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Waiting() -> impl IntoView {
    view! {
        <Skeleton width="320px" height="34px"/>
        <div class="doors">
            <Skeleton height="236px"/>
            <Skeleton height="236px"/>
            <Skeleton height="236px"/>
        </div>
    }
}

#[component]
fn Welcome() -> impl IntoView {
    view! {
        <header class="home-head">
            <h2 class="display">"Put your first number on the wall"</h2>
            <p class="muted lead">
                "Pick how data comes in. You will see it move in under a minute; everything can be changed later."
            </p>
        </header>
        <doors::Doors/>
        <Checklist/>
    }
}

/// What there is to do before Dash is of use; each step is checked against what there is.
#[component]
fn Checklist() -> impl IntoView {
    let session = use_session();
    let counts = move || {
        session.directory().map_or((0, 0), |directory| {
            (
                directory.pipelines.total_count,
                directory.dashboards.total_count,
            )
        })
    };
    let steps = move || {
        let (pipelines, dashboards) = counts();
        [
            ("Create your account", true, "", "done"),
            ("Bring in data", pipelines > 0, "/pipelines/new", "1 min"),
            ("Build a dashboard", dashboards > 0, "/dashboards", "2 min"),
        ]
    };
    let done = move || steps().iter().filter(|(_, done, ..)| *done).count();
    let rows = move || {
        steps()
            .map(|(label, done, href, takes)| {
                let words = if done {
                    view! { <s class="faint">{label}<span class="visually-hidden">", done"</span></s> }
                        .into_any()
                } else {
                    view! { <a class="step-link" href=href>{label}</a> }.into_any()
                };
                view! {
                    <li class="step">
                        <span class="step-mark" class:done=done>
                            {done.then(|| view! { <IconView icon=Icon::Check/> })}
                        </span>
                        {words}
                        <span class="grow"></span>
                        <span class="faint small" aria-hidden="true">{if done { "done" } else { takes }}</span>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <section class="card checklist" aria-labelledby="checklist-title" data-testid="checklist">
            <header class="card-head">
                <h2 id="checklist-title">"Getting started"</h2>
                <span class="faint small num">{move || format!("{} of 3", done())}</span>
            </header>
            <ol>{rows}</ol>
        </section>
    }
}
