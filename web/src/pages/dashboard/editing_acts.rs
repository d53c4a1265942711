//! The acts of a dashboard in the top bar, while it is changed.

use leptos::{ev, prelude::*};

use super::{board::Board, saving::Saving};
use crate::components::{Button, ButtonKind, Icon, IconButton};

/// The acts.
#[component]
pub fn EditingActs(
    /// The dashboard.
    board: Board,
    /// How it is saved.
    saving: Saving,
    /// Opens the editor for a new widget.
    add_widget: Callback<()>,
) -> impl IntoView {
    listen(board, saving);
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
        <Button icon=Icon::Plus on_click=add_widget test_id="add-widget">
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

/// Ctrl+Z and Ctrl+Shift+Z (or Ctrl+Y) undo and redo, Ctrl+S saves, for as long as these acts are
/// there and no field or dialog has the keyboard.
fn listen(board: Board, saving: Saving) {
    let listener = window_event_listener(ev::keydown, move |event| {
        let is_command = event.ctrl_key() || event.meta_key();
        if !is_command || is_elsewhere() {
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
