//! Saving the changes of a dashboard, and not losing them by accident: two people at once, a
//! closed window, a link that leads away.

use cynic::MutationBuilder;
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::{
    board::Board,
    feed,
    operations::{UpdateDashboard, UpdateDashboardInput, UpdateDashboardVariables},
    tiles::Tile,
};
use crate::{
    api::{self, UserErrorCode},
    components::{
        Button, ButtonKind, ConfirmDialog, Dialog, DialogSize, leaving::guard_leaving,
        toast::Toasts, use_toasts,
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
    let is_dirty = Signal::derive(move || board.is_dirty());
    let ask = move |href| saving.leaving.set(Some(Leaving::To(href)));
    guard_leaving(is_dirty, Callback::new(ask));
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
