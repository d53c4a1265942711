//! The acts of a dashboard in the top bar: while it is seen, and while it is changed.

use dash_shared::ranges::TimeRange;
use leptos::{ev, prelude::*};

use super::{board::Board, dialogs::Named, saving::Saving};
use crate::components::{
    Button, ButtonKind, Icon, IconButton, LiveDot, Menu, MenuItem, MenuSeparator,
    time_range::TimeRangePicker,
};

/// What the acts in the top bar lead to.
#[derive(Clone, Copy)]
pub struct ToolbarActs {
    /// Looks at another range.
    pub choose_range: Callback<TimeRange>,
    /// Opens the editor for a new widget.
    pub add_widget: Callback<()>,
    /// Shows the dashboard alone on the whole screen.
    pub full_screen: Callback<()>,
    /// Shows the range that is looked at to everybody who opens the dashboard.
    pub keep_range: Callback<()>,
    /// Makes a copy of the dashboard.
    pub duplicate: Callback<()>,
    /// The dashboard whose name is being changed.
    pub renaming: RwSignal<Option<Named>>,
    /// The dashboard that is about to be deleted.
    pub deleting: RwSignal<Option<Named>>,
}

/// The acts.
#[component]
pub fn Toolbar(
    /// The dashboard.
    board: Board,
    /// How it is saved.
    saving: Saving,
    /// What the acts lead to.
    acts: ToolbarActs,
    /// Whether the viewer may change the dashboard.
    #[prop(into)]
    may_edit: Signal<bool>,
) -> impl IntoView {
    listen(board, saving);
    move || {
        if board.editing.get() {
            view! { <EditingActs board saving acts/> }.into_any()
        } else {
            view! { <ViewingActs board acts may_edit/> }.into_any()
        }
    }
}

#[component]
fn ViewingActs(board: Board, acts: ToolbarActs, may_edit: Signal<bool>) -> impl IntoView {
    let named = move || Named {
        id: board.id.get_value(),
        name: board.name.get_untracked(),
    };
    view! {
        <span class="board-live"><LiveDot last_at_ms=board.last_record_ms/></span>
        <TimeRangePicker range=board.range on_choose=acts.choose_range/>
        <Show when=move || may_edit.get()>
            <span class="board-wide-only">
                <IconButton
                    icon=Icon::Edit
                    label="Edit dashboard"
                    kind=ButtonKind::Secondary
                    on_click=move || board.start_editing()
                    test_id="edit-dashboard"
                />
            </span>
        </Show>
        <span class="board-wide-only">
            <IconButton
                icon=Icon::Fullscreen
                label="Full screen"
                kind=ButtonKind::Secondary
                on_click=acts.full_screen
                test_id="full-screen"
            />
        </span>
        <Show when=move || may_edit.get()>
            <Menu label="More" test_id="dashboard-menu">
                <div class="board-narrow-only">
                    // The menu has to be closed before it goes.
                    <MenuItem
                        icon=Icon::Edit
                        on_click=move || request_animation_frame(move || board.start_editing())
                        test_id="edit-dashboard-item"
                    >
                        "Edit"
                    </MenuItem>
                </div>
                <MenuItem
                    icon=Icon::Edit
                    on_click=move || acts.renaming.set(Some(named()))
                    test_id="rename-dashboard"
                >
                    "Rename"
                </MenuItem>
                <Show when=move || board.range.get() != board.own_range.get()>
                    <MenuItem icon=Icon::Clock on_click=acts.keep_range test_id="keep-range">
                        "Open with this time range"
                    </MenuItem>
                </Show>
                <MenuItem
                    icon=Icon::Copy
                    on_click=acts.duplicate
                    test_id="duplicate-dashboard"
                >
                    "Duplicate"
                </MenuItem>
                <MenuSeparator/>
                <MenuItem
                    icon=Icon::Trash
                    danger=true
                    on_click=move || acts.deleting.set(Some(named()))
                    test_id="delete-dashboard"
                >
                    "Delete"
                </MenuItem>
            </Menu>
        </Show>
    }
}

#[component]
fn EditingActs(board: Board, saving: Saving, acts: ToolbarActs) -> impl IntoView {
    view! {
        <span class="board-wide-only board-hint faint small">
            "Drag to move, pull the corner to resize"
        </span>
        <span class="board-wide-only">
            <IconButton
                icon=Icon::Undo
                label="Undo"
                disabled=Signal::derive(move || !board.can_undo())
                on_click=move || board.undo()
                test_id="undo"
            />
        </span>
        <span class="board-wide-only">
            <IconButton
                icon=Icon::Redo
                label="Redo"
                disabled=Signal::derive(move || !board.can_redo())
                on_click=move || board.redo()
                test_id="redo"
            />
        </span>
        <Button icon=Icon::Plus on_click=acts.add_widget test_id="add-widget">
            <span class="board-wide-only">"Add widget"</span>
            <span class="board-narrow-only">"Add"</span>
        </Button>
        <Button kind=ButtonKind::Ghost on_click=move || saving.cancel() test_id="cancel-editing">
            "Cancel"
        </Button>
        <Button
            kind=ButtonKind::Primary
            busy=saving.busy
            on_click=move || saving.save(false)
            test_id="save-dashboard"
        >
            "Save"
        </Button>
    }
}

/// Ctrl+Z and Ctrl+Shift+Z (or Ctrl+Y) undo and redo, Ctrl+S saves, while the dashboard is changed
/// and no field or dialog has the keyboard.
fn listen(board: Board, saving: Saving) {
    let listener = window_event_listener(ev::keydown, move |event| {
        let is_command = event.ctrl_key() || event.meta_key();
        if !is_command || !board.editing.get_untracked() || is_elsewhere() {
            return;
        }
        match (event.key().to_ascii_lowercase().as_str(), event.shift_key()) {
            ("z", false) => board.undo(),
            ("z", true) | ("y", false) => board.redo(),
            ("s", false) => saving.save(false),
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || listener.remove());
}

/// Whether the keyboard belongs to a field or a dialog.
fn is_elsewhere() -> bool {
    let in_field = document().active_element().is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
    });
    in_field || matches!(document().query_selector("dialog[open]"), Ok(Some(_)))
}
