//! How a widget is moved while the dashboard is being changed: handles for the pointer, keys, and
//! the entries of its menu.

use dash_shared::layout::{self, Direction};
use leptos::{
    ev::{KeyboardEvent, PointerEvent},
    prelude::*,
};

use super::{
    board::Board,
    gesture::{Act, Gestures},
};
use crate::components::{Icon, MenuItem, MenuSeparator};

/// What the pointer takes hold of; it lies over the widget, so that a chart does not react.
#[component]
pub fn Handles(
    /// The gestures that they begin.
    gestures: Gestures,
    /// The widget.
    key_: u32,
) -> impl IntoView {
    let follow = move |event: PointerEvent| gestures.follow(&event);
    view! {
        <div
            class="tile-grab"
            aria-hidden="true"
            on:pointerdown=move |event| gestures.start(&event, key_, Act::Move)
            on:pointermove=follow
            on:pointerup=move |_| gestures.finish()
            on:pointercancel=move |_| gestures.give_up()
        ></div>
        <div
            class="tile-corner"
            aria-hidden="true"
            data-testid="tile-corner"
            on:pointerdown=move |event| gestures.start(&event, key_, Act::Resize)
            on:pointermove=follow
            on:pointerup=move |_| gestures.finish()
            on:pointercancel=move |_| gestures.give_up()
        ></div>
    }
}

/// What the menu of a widget has more.
#[component]
pub fn MenuActs(
    /// The dashboard.
    board: Board,
    /// The widget.
    key_: u32,
) -> impl IntoView {
    let reorder = move |direction: Direction| {
        board.rearrange(key_, |places, index| {
            layout::reorder(places, index, direction)
        });
    };
    view! {
        <MenuItem
            icon=Icon::Copy
            on_click=move || board.duplicate(key_)
            test_id="widget-duplicate"
        >
            "Duplicate"
        </MenuItem>
        <MenuItem icon=Icon::ArrowUp on_click=move || reorder(Direction::Up)>
            "Move up"
        </MenuItem>
        <MenuItem icon=Icon::ArrowDown on_click=move || reorder(Direction::Down)>
            "Move down"
        </MenuItem>
        <MenuSeparator/>
        <MenuItem
            icon=Icon::Trash
            danger=true
            on_click=move || board.remove(key_)
            test_id="widget-remove"
        >
            "Remove"
        </MenuItem>
    }
}

/// What the keyboard does to the widget that has it.
pub fn on_key(board: Board, key: u32, event: &KeyboardEvent, edit: Callback<u32>) {
    let direction = match event.key().as_str() {
        "ArrowUp" => Direction::Up,
        "ArrowDown" => Direction::Down,
        "ArrowLeft" => Direction::Left,
        "ArrowRight" => Direction::Right,
        "Delete" | "Backspace" => {
            event.prevent_default();
            board.remove(key);
            return;
        }
        "Enter" => {
            event.prevent_default();
            edit.run(key);
            return;
        }
        _ => return,
    };
    event.prevent_default();
    let Some(tile) = untrack(|| board.tile(key)) else {
        return;
    };
    let (kind, heading) = (tile.definition.kind, tile.definition.title);
    let resizes = event.shift_key();
    let moved = board.rearrange(key, |places, index| {
        if resizes {
            layout::stretch(places, index, direction, layout::smallest_size(kind))
        } else {
            layout::nudge(places, index, direction)
        }
    });
    let said = match moved {
        Some(place) if resizes => {
            format!("{heading}: {} columns wide, {} rows high", place.w, place.h)
        }
        Some(place) => format!("{heading}: column {}, row {}", place.x + 1, place.y + 1),
        None => format!("{heading} cannot go further"),
    };
    board.announce(&said);
}
