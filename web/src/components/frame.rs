//! The frame around every page of somebody who is logged in: sidebar, top bar, bottom navigation
//! on phones. Pages fill its title and acts through `PageHead`.

mod sidebar;
mod top_bar;

use leptos::{children::ChildrenFn, prelude::*};
use leptos_router::{
    NavigateOptions,
    components::Outlet,
    hooks::{use_location, use_navigate},
};

use super::{
    Banner, Crumb, ErrorPanel, Skeleton, Tone,
    palette::Palette,
    shortcuts::{ShortcutsDialog, listen},
};
use crate::{
    parts::{self, prefetch, set::PartSet},
    session::{SessionState, known_here, use_session},
    theme::storage,
};

const SIDEBAR_KEY: &str = "dash.sidebar";

/// What pages and the frame tell each other.
#[derive(Clone, Copy)]
pub struct FrameContext {
    title: RwSignal<String>,
    head: RwSignal<Option<Head>>,
    narrow: RwSignal<bool>,
    /// Whether the command palette is open.
    pub palette_open: RwSignal<bool>,
    /// Whether the list of keyboard shortcuts is open.
    pub shortcuts_open: RwSignal<bool>,
}

/// The part of the top bar that belongs to the page.
#[derive(Clone)]
struct Head {
    crumbs: Vec<Crumb>,
    actions: Option<ChildrenFn>,
    /// The page's owner: its acts live and end with it.
    owner: Owner,
}

/// The frame around the page.
pub fn use_frame() -> FrameContext {
    expect_context()
}

impl FrameContext {
    fn new() -> Self {
        let stored = storage().and_then(|storage| storage.get_item(SIDEBAR_KEY).ok().flatten());
        Self {
            title: RwSignal::new(String::new()),
            head: RwSignal::new(None),
            narrow: RwSignal::new(stored.as_deref() == Some("narrow")),
            palette_open: RwSignal::new(false),
            shortcuts_open: RwSignal::new(false),
        }
    }

    /// Shows a page's title, way and acts until its owner goes.
    pub fn show(self, title: Signal<String>, crumbs: Vec<Crumb>, actions: Option<ChildrenFn>) {
        let owner = Owner::current().unwrap_or_default();
        self.head.set(Some(Head {
            crumbs,
            actions,
            owner,
        }));
        Effect::new(move || {
            let title = title.get();
            set_window_title(&title);
            self.title.set(title);
        });
    }

    fn toggle_sidebar(self) {
        self.narrow.update(|narrow| *narrow = !*narrow);
        let word = if self.narrow.get_untracked() {
            "narrow"
        } else {
            "wide"
        };
        if let Some(storage) = storage() {
            drop(storage.set_item(SIDEBAR_KEY, word));
        }
    }
}

/// What of the frame is seen only when it is asked for; it is fetched after everything else.
#[derive(Clone, Copy)]
pub struct Extras {
    /// The command palette.
    pub palette: fn() -> AnyView,
    /// The list of keyboard shortcuts.
    pub shortcuts: fn() -> AnyView,
}

/// The views. Named by nothing but their split point.
pub const EXTRAS: Extras = Extras {
    palette: || view! { <Palette/> }.into_any(),
    shortcuts: || view! { <ShortcutsDialog/> }.into_any(),
};

/// Names the browser's window.
pub fn set_window_title(title: &str) {
    document().set_title(&if title.is_empty() {
        "Dash".to_owned()
    } else {
        format!("{title} · Dash")
    });
}

/// Shows its pages to somebody who is logged in, and the way to log in to anybody else.
#[component]
pub fn Frame() -> impl IntoView {
    let session = use_session();
    provide_context(FrameContext::new());
    // The view changes only with the kind of state, not when, say, a name in it changes.
    let kind = Memo::new(move |_| match session.state() {
        SessionState::LoggedIn(_) => None,
        other => Some(other),
    });
    move || match kind.get() {
        None => view! { <Shell/> }.into_any(),
        Some(SessionState::Failed(error)) => view! {
            <main class="centre">
                <ErrorPanel error on_retry=move || session.refresh()/>
            </main>
        }
        .into_any(),
        Some(SessionState::LoggedOut) => view! { <ToLogIn/> }.into_any(),
        Some(_) => view! { <Loading/> }.into_any(),
    }
}

/// Leads to the log-in, and back to here afterwards.
#[component]
fn ToLogIn() -> impl IntoView {
    let (location, navigate) = (use_location(), use_navigate());
    let path = location.pathname.get_untracked();
    let search = location.search.get_untracked();
    let target = match (path.as_str(), known_here()) {
        ("/", true) => "/login".to_owned(),
        ("/", false) => "/signup".to_owned(),
        _ => {
            let here = if search.is_empty() {
                path
            } else {
                format!("{path}?{search}")
            };
            format!("/login?next={}", js_sys::encode_uri_component(&here))
        }
    };
    Effect::new(move || {
        let options = NavigateOptions {
            replace: true,
            ..NavigateOptions::default()
        };
        navigate(&target, options);
    });
    view! { <Loading/> }
}

/// The frame in grey, while it is not known who is there; like the one in `index.html`.
#[component]
fn Loading() -> impl IntoView {
    view! {
        <div class="app" aria-busy="true" aria-label="Loading">
            <div class="side">
                <Skeleton width="70%" height="28px"/>
                <Skeleton width="50%" height="16px"/>
                <Skeleton width="60%" height="16px"/>
                <Skeleton width="55%" height="16px"/>
            </div>
            <div class="main"><div class="top"></div></div>
        </div>
    }
}

#[component]
fn Shell() -> impl IntoView {
    let frame = use_frame();
    listen(frame);
    let extras = PartSet::new(parts::extras);
    prefetch::extras_when_idle();
    view! {
        <a class="skip" href="#content" rel="external">"Skip to the content"</a>
        <div class="app" class:narrow=frame.narrow>
            <sidebar::Sidebar/>
            <div class="main">
                <top_bar::TopBar/>
                <OfflineBanner/>
                <main id="content" tabindex="-1">
                    <Outlet/>
                </main>
            </div>
            <sidebar::BottomBar/>
        </div>
        {extras.once(move || frame.palette_open.get(), |extras| (extras.palette)())}
        {extras.once(move || frame.shortcuts_open.get(), |extras| (extras.shortcuts)())}
    }
}

/// Says so when the browser has no network.
#[component]
fn OfflineBanner() -> impl IntoView {
    let online = RwSignal::new(window().navigator().on_line());
    let gone = window_event_listener(leptos::ev::offline, move |_| online.set(false));
    let back = window_event_listener(leptos::ev::online, move |_| online.set(true));
    on_cleanup(move || {
        gone.remove();
        back.remove();
    });
    view! {
        <Show when=move || !online.get()>
            <Banner tone=Tone::Warn test_id="offline">
                "You are offline. What you see may be out of date; it goes on by itself once you are back."
            </Banner>
        </Show>
    }
}
