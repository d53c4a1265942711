//! Moving and resizing widgets with the mouse, a pen or a finger. The widget follows the pointer;
//! the others make room as `dash_shared::layout` says; letting go makes one step to undo.

use dash_shared::{layout, widgets::GridPosition};
use leptos::{
    ev::{self, PointerEvent},
    html::Div,
    prelude::*,
};
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::canvas::{COLUMNS, GAP_PX, ROW_PITCH_PX};
use super::{
    board::{Board, positions},
    tiles::Tile,
};

/// So close to the window's edge, in pixels, the page scrolls along.
const SCROLL_ZONE_PX: f64 = 56.0;
/// How far it scrolls for each move of the pointer.
const SCROLL_STEP_PX: f64 = 14.0;

/// What is being done to a widget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is moved.
    Move,
    /// Its lower right corner is moved.
    Resize,
}

/// A gesture that is going on.
#[derive(Clone, Debug, PartialEq)]
pub struct Gesture {
    /// The widget.
    pub key: u32,
    /// What is done to it.
    pub act: Act,
    /// Where it stood at the start.
    pub origin: GridPosition,
    /// How far the pointer went since, in pixels.
    pub by_px: (f64, f64),
    start_px: (f64, f64),
    before: Vec<Tile>,
}

/// The gestures on a board.
#[derive(Clone, Copy)]
pub struct Gestures {
    /// The one that is going on.
    pub current: RwSignal<Option<Gesture>>,
    board: Board,
    canvas: NodeRef<Div>,
}

impl Gestures {
    /// Gestures on the widgets in `canvas`. Esc gives one up.
    pub fn new(board: Board, canvas: NodeRef<Div>) -> Self {
        let gestures = Self {
            current: RwSignal::new(None),
            board,
            canvas,
        };
        let listener = window_event_listener(ev::keydown, move |event| {
            if event.key() == "Escape" && gestures.current.with_untracked(Option::is_some) {
                event.prevent_default();
                gestures.give_up();
            }
        });
        on_cleanup(move || listener.remove());
        gestures
    }

    /// Begins a gesture with the main button.
    pub fn start(self, event: &PointerEvent, key: u32, act: Act) {
        let Some(start_px) = self.point(event) else {
            return;
        };
        let Some(tile) = untrack(|| self.board.tile(key)) else {
            return;
        };
        if event.button() != 0 {
            return;
        }
        event.stop_propagation();
        if let Some(handle) = element_of(event) {
            drop(handle.set_pointer_capture(event.pointer_id()));
        }
        self.current.set(Some(Gesture {
            key,
            act,
            origin: tile.position,
            by_px: (0.0, 0.0),
            start_px,
            before: self.board.tiles.get_untracked(),
        }));
    }

    /// Follows the pointer.
    pub fn follow(self, event: &PointerEvent) {
        let Some(mut gesture) = self.current.get_untracked() else {
            return;
        };
        scroll_at_edge(event);
        let (Some(point), Some(column_px)) = (self.point(event), self.column_pitch_px()) else {
            return;
        };
        gesture.by_px = (point.0 - gesture.start_px.0, point.1 - gesture.start_px.1);
        let columns = cells(gesture.by_px.0 / column_px);
        let rows = cells(gesture.by_px.1 / ROW_PITCH_PX);
        let before = positions(&gesture.before);
        let Some(index) = gesture
            .before
            .iter()
            .position(|tile| tile.key == gesture.key)
        else {
            return;
        };
        let from = gesture.origin;
        let to = match gesture.act {
            Act::Move => layout::fitted(
                GridPosition {
                    x: from.x + columns,
                    y: from.y + rows,
                    ..from
                },
                (1, 1),
            ),
            Act::Resize => {
                let smallest = layout::smallest_size(gesture.before[index].definition.kind);
                let wanted = GridPosition {
                    w: (from.w + columns).min(COLUMNS - from.x),
                    h: from.h + rows,
                    ..from
                };
                layout::fitted(wanted, smallest)
            }
        };
        let arranged = layout::place(&before, index, to);
        let is_new = self
            .board
            .tiles
            .with_untracked(|tiles| positions(tiles) != arranged);
        if is_new {
            self.board.preview(&arranged);
        }
        self.current.set(Some(gesture));
    }

    /// Ends the gesture: what it did can be undone in one step.
    pub fn finish(self) {
        if let Some(gesture) = self.current.get_untracked() {
            self.current.set(None);
            self.board.settle(gesture.before);
        }
    }

    /// Puts everything back.
    pub fn give_up(self) {
        if let Some(gesture) = self.current.get_untracked() {
            self.current.set(None);
            self.board.tiles.set(gesture.before);
        }
    }

    /// Where the pointer is on the canvas, however far the page is scrolled.
    fn point(self, event: &PointerEvent) -> Option<(f64, f64)> {
        let place = self.canvas.get_untracked()?.get_bounding_client_rect();
        Some((
            f64::from(event.client_x()) - place.left(),
            f64::from(event.client_y()) - place.top(),
        ))
    }

    fn column_pitch_px(self) -> Option<f64> {
        let width_px = self
            .canvas
            .get_untracked()?
            .get_bounding_client_rect()
            .width();
        Some((width_px + GAP_PX) / f64::from(COLUMNS))
    }
}

fn scroll_at_edge(event: &PointerEvent) {
    let y = f64::from(event.client_y());
    let height = window()
        .inner_height()
        .ok()
        .and_then(|height| height.as_f64())
        .unwrap_or(f64::INFINITY);
    if y > height - SCROLL_ZONE_PX {
        window().scroll_by_with_x_and_y(0.0, SCROLL_STEP_PX);
    } else if y < SCROLL_ZONE_PX {
        window().scroll_by_with_x_and_y(0.0, -SCROLL_STEP_PX);
    }
}

fn element_of(event: &PointerEvent) -> Option<Element> {
    event.current_target()?.dyn_into().ok()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a few hundred cells at most"
)]
fn cells(cells: f64) -> i32 {
    cells.round() as i32
}
