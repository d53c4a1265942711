//! Where one can go: the sidebar, and the bottom bar that takes its place on phones.

use dash_shared::plans::TRIAL_DAYS;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::use_frame;
use crate::{
    api::DateTime,
    components::{Icon, IconButton, IconView, Meter},
    format::{plural, use_clock},
    parts::prefetch,
    session::use_session,
};

const DAY_MS: i64 = 86_400_000;

/// A page one can go to from everywhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Home,
    Dashboards,
    Pipelines,
    Settings,
}

impl Place {
    const ALL: [Self; 4] = [
        Self::Home,
        Self::Dashboards,
        Self::Pipelines,
        Self::Settings,
    ];

    const fn href(self) -> &'static str {
        match self {
            Self::Home => "/",
            Self::Dashboards => "/dashboards",
            Self::Pipelines => "/pipelines",
            Self::Settings => "/settings",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Home => "Home",
            Self::Dashboards => "Dashboards",
            Self::Pipelines => "Pipelines",
            Self::Settings => "Settings",
        }
    }

    const fn icon(self) -> Icon {
        match self {
            Self::Home => Icon::Home,
            Self::Dashboards => Icon::Dashboards,
            Self::Pipelines => Icon::Pipelines,
            Self::Settings => Icon::Settings,
        }
    }

    fn is_at(self, path: &str) -> bool {
        match self {
            Self::Home => path == "/",
            _ => path
                .strip_prefix(self.href())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
}

/// The sidebar of wide windows; it can be made narrow, and stays so.
#[component]
pub fn Sidebar() -> impl IntoView {
    let (frame, session) = (use_frame(), use_session());
    let organization = move || session.viewer().map(|viewer| viewer.organization.name);
    let team = move || session.viewer().map(|viewer| viewer.team.name);
    let mark = move || {
        organization()
            .and_then(|name| name.chars().next())
            .unwrap_or('D')
    };
    let toggle_label = Signal::derive(move || {
        let word = if frame.narrow.get() {
            "Widen"
        } else {
            "Narrow"
        };
        format!("{word} the sidebar")
    });
    let links = Place::ALL
        .map(|place| view! { <NavLink place/> })
        .collect_view();
    view! {
        <aside class="side" aria-label="Sidebar">
            <div class="org">
                <span class="mark" aria-hidden="true">{move || mark().to_string()}</span>
                <span class="org-names side-text">
                    <b data-testid="organization-name">{organization}</b>
                    <small>{team}</small>
                </span>
            </div>
            <nav class="side-nav" aria-label="Main">{links}</nav>
            <div class="foot">
                <TrialNotice/>
                <IconButton
                    icon=Icon::Sidebar
                    label=toggle_label
                    on_click=move || frame.toggle_sidebar()
                    test_id="toggle-sidebar"
                />
            </div>
        </aside>
    }
}

#[component]
fn NavLink(place: Place) -> impl IntoView {
    let (path, session) = (use_location().pathname, use_session());
    let on = move || path.with(|path| place.is_at(path)).then_some("page");
    let count = move || {
        let directory = session.directory()?;
        match place {
            Place::Dashboards => Some(directory.dashboards.total_count),
            Place::Pipelines => Some(directory.pipelines.total_count),
            Place::Home | Place::Settings => None,
        }
    };
    let counter = move || {
        count().filter(|count| *count > 0).map(|count| {
            view! { <span class="nav-count num side-text">{count}</span> }
        })
    };
    view! {
        <a
            class="nav"
            href=place.href()
            aria-current=on
            title=place.label()
            on:pointerenter=move |_| prefetch::page(place.href())
            on:focus=move |_| prefetch::page(place.href())
        >
            <IconView icon=place.icon()/>
            <span class="side-text">{place.label()}</span>
            {counter}
        </a>
    }
}

/// How much of the trial is left; nothing once it is over.
#[component]
fn TrialNotice() -> impl IntoView {
    let (session, clock) = (use_session(), use_clock());
    let left = Memo::new(move |_| {
        let ends_at = session.viewer()?.organization.trial_ends_at?;
        days_left(&ends_at, clock.now_ms())
    });
    let used = move || {
        let directory = session.directory()?;
        let limit = session.viewer()?.organization.limits.pipelines?;
        Some(format!(
            "{} of {limit} pipelines used",
            directory.pipelines.total_count
        ))
    };
    move || {
        left.get().map(|days| {
            let gone = i64::from(TRIAL_DAYS).saturating_sub(days).max(0);
            view! {
                <section class="trial side-text" aria-label="Trial" data-testid="trial">
                    <div class="trial-head">
                        <b>"Pro trial"</b>
                        <span class="faint tiny">{plural(days, "day left", "days left")}</span>
                    </div>
                    <Meter
                        label="Days of the trial that are over"
                        value=to_f64(gone)
                        max=f64::from(TRIAL_DAYS)
                        warns=false
                    />
                    <span class="tiny muted">{used}</span>
                </section>
            }
        })
    }
}

fn days_left(ends_at: &DateTime, now_ms: i64) -> Option<i64> {
    let left_ms = ends_at.ms() - now_ms;
    (left_ms > 0).then(|| (left_ms + DAY_MS - 1) / DAY_MS)
}

#[expect(clippy::cast_precision_loss, reason = "a number of days")]
fn to_f64(days: i64) -> f64 {
    days as f64
}

/// The navigation of phones.
#[component]
pub fn BottomBar() -> impl IntoView {
    let path = use_location().pathname;
    let links = Place::ALL
        .map(|place| {
            let on = move || path.with(|path| place.is_at(path)).then_some("page");
            view! {
                <a href=place.href() aria-current=on>
                    <IconView icon=place.icon()/>
                    {place.label()}
                </a>
            }
        })
        .collect_view();
    view! { <nav class="bottom" aria-label="Main, at the bottom">{links}</nav> }
}
