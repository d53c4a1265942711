//! Saving the changes of a dashboard, and not losing them by accident: two people at once, a
//! closed window, a link that leads away.

use cynic::MutationBuilder;
use leptos::{ev, prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use wasm_bindgen::{JsCast, closure::Closure};

use super::{
    board::Board,
    feed,
    operations::{UpdateDashboard, UpdateDashboardInput, UpdateDashboardVariables},
    tiles::Tile,
};
use crate::{
    api::{self, UserErrorCode},
    components::{
        Button, ButtonKind, ConfirmDialog, Dialog, DialogSize, toast::Toasts, use_toasts,
    },
};

/// Saving, and what it may ask.
#[derive(Clone, Copy)]
pub struct Saving {
    board: Board,
    toasts: Toasts,
    /// Whether it is under way.
    pub busy: RwSignal<bool>,
    /// Whether somebody else saved in between, and a decision is needed.
    pub in_conflict: RwSignal<bool>,
    /// Whether the changes are about to be given up; with the address to go to then.
    pub leaving: RwSignal<Option<Leaving>>,
}

/// What happens once the changes are given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// The dashboard is seen as it was.
    Stay,
    /// Another page is opened.
    To(String),
}

impl Saving {
    /// Saving for a board.
    pub fn new(board: Board) -> Self {
        Self {
            board,
            toasts: use_toasts(),
            busy: RwSignal::new(false),
            in_conflict: RwSignal::new(false),
            leaving: RwSignal::new(None),
        }
    }

    /// Saves the widgets. With `overwrite`, whatever somebody else saved is lost.
    pub fn save(self, overwrite: bool) {
        let board = self.board;
        if self.busy.get_untracked() {
            return;
        }
        if !untrack(|| board.is_dirty()) {
            board.stop_editing();
            return;
        }
        let toasts = self.toasts;
        let input = UpdateDashboardInput {
            id: cynic::Id::new(board.id.get_value()),
            version: (!overwrite).then(|| board.version.get_untracked()),
            name: None,
            range: None,
            widgets: Some(
                board
                    .tiles
                    .with_untracked(|tiles| tiles.iter().map(Tile::input).collect()),
            ),
        };
        self.busy.set(true);
        spawn_local(async move {
            let answer = api::run(UpdateDashboard::build(UpdateDashboardVariables { input })).await;
            if self.busy.try_set(false).is_some() {
                return;
            }
            let payload = match answer {
                Ok(answer) => answer.update_dashboard,
                Err(error) => return toasts.api_error(&error),
            };
            if let Some(error) = payload.user_errors.first() {
                if error.code == UserErrorCode::Conflict {
                    self.in_conflict.set(true);
                } else {
                    toasts.error(error.message.clone());
                }
                return;
            }
            if let Some(dashboard) = payload.dashboard {
                self.in_conflict.set(false);
                board.show_saved(&dashboard);
                board.stop_editing();
                board.announce("Dashboard saved");
            }
        });
    }

    /// Ends changing; asks first when something would be lost.
    pub fn cancel(self) {
        if untrack(|| self.board.is_dirty()) {
            self.leaving.set(Some(Leaving::Stay));
        } else {
            self.board.stop_editing();
        }
    }
}

/// The questions that saving and leaving may raise.
#[component]
pub fn SavingDialogs(saving: Saving) -> impl IntoView {
    let board = saving.board;
    guard_window(board);
    guard_links(saving);
    let navigate = use_navigate();
    let discard = move || {
        let leaving = saving.leaving.get_untracked();
        saving.leaving.set(None);
        board.stop_editing();
        if let Some(Leaving::To(href)) = leaving {
            navigate(&href, NavigateOptions::default());
        }
    };
    let load_theirs = move || {
        saving.in_conflict.set(false);
        board.stop_editing();
        spawn_local(feed::ask_once(board, Some(board.range.get_untracked())));
    };
    let footer = move || {
        view! {
            <Button on_click=load_theirs test_id="conflict-reload">"Load their version"</Button>
            <Button
                kind=ButtonKind::Danger
                busy=saving.busy
                on_click=move || saving.save(true)
                test_id="conflict-overwrite"
            >
                "Overwrite"
            </Button>
        }
    };
    view! {
        <ConfirmDialog
            open=Signal::derive(move || saving.leaving.with(Option::is_some))
            on_close=move || saving.leaving.set(None)
            title="Discard your changes?"
            message="The changes to this dashboard are not saved yet."
            confirm="Discard changes"
            on_confirm=discard
        />
        <Dialog
            open=saving.in_conflict
            on_close=move || saving.in_conflict.set(false)
            title="Somebody else changed this dashboard"
            size=DialogSize::Small
            footer
            test_id="conflict-dialog"
        >
            <p class="muted">
                "It was saved in another window while you were changing it here. Load that version \
                 and lose your changes, or overwrite it with yours."
            </p>
        </Dialog>
    }
}

/// The browser asks before a window with unsaved changes is closed or reloaded.
fn guard_window(board: Board) {
    let listener = window_event_listener(ev::beforeunload, move |event| {
        if untrack(|| board.is_dirty()) {
            event.prevent_default();
        }
    });
    on_cleanup(move || listener.remove());
}

/// A link that leads away from unsaved changes asks first.
fn guard_links(saving: Saving) {
    let guard = Closure::<dyn Fn(web_sys::MouseEvent)>::new(move |event: web_sys::MouseEvent| {
        let opens_elsewhere = event.ctrl_key() || event.meta_key() || event.shift_key();
        if opens_elsewhere || !untrack(|| saving.board.is_dirty()) {
            return;
        }
        let link = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .and_then(|element| element.closest("a[href]").ok().flatten());
        if let Some(href) = link.and_then(|link| link.get_attribute("href"))
            && href.starts_with('/')
        {
            event.prevent_default();
            event.stop_propagation();
            saving.leaving.set(Some(Leaving::To(href)));
        }
    });
    // In the capture phase: before the router sees the click.
    let body = document().body();
    if let Some(body) = &body {
        drop(body.add_event_listener_with_callback_and_bool(
            "click",
            guard.as_ref().unchecked_ref(),
            true,
        ));
    }
    let held = StoredValue::new_local(Some((body, guard)));
    on_cleanup(move || {
        let held = held.try_update_value(Option::take).flatten();
        if let Some((Some(body), guard)) = held {
            drop(body.remove_event_listener_with_callback_and_bool(
                "click",
                guard.as_ref().unchecked_ref(),
                true,
            ));
        }
    });
}
