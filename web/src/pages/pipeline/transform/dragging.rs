//! Moving a step with the mouse, a pen or a finger: the card follows the pointer, a line shows where
//! it would come, and letting go moves it. Esc gives it up.

use leptos::{
    ev::{self, PointerEvent},
    html::Ol,
    prelude::*,
};
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::desk::Desk;

/// So close to the window's edge, in pixels, the page scrolls along.
const SCROLL_ZONE_PX: f64 = 64.0;
/// How far it scrolls for each move of the pointer.
const SCROLL_STEP_PX: f64 = 12.0;

/// A card that is being moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drag {
    /// The step.
    pub key: u32,
    /// How far the pointer went, in pixels.
    pub by_px: f64,
    /// Before which card it would come, counted with it; the count of all is behind the last.
    pub before: usize,
    start_px: f64,
}

/// The moves of cards in a list.
#[derive(Clone, Copy)]
pub struct Dragging {
    /// The one that is going on.
    pub current: RwSignal<Option<Drag>>,
    desk: Desk,
    list: NodeRef<Ol>,
}

impl Dragging {
    /// Moves of the cards in `list`.
    pub fn new(desk: Desk, list: NodeRef<Ol>) -> Self {
        let dragging = Self {
            current: RwSignal::new(None),
            desk,
            list,
        };
        let listener = window_event_listener(ev::keydown, move |event| {
            if event.key() == "Escape" && dragging.current.with_untracked(Option::is_some) {
                event.prevent_default();
                dragging.give_up();
            }
        });
        on_cleanup(move || listener.remove());
        dragging
    }

    /// Begins with the main button.
    pub fn start(self, event: &PointerEvent, key: u32) {
        if event.button() != 0 {
            return;
        }
        event.prevent_default();
        let target = event
            .current_target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        if let Some(handle) = target {
            drop(handle.set_pointer_capture(event.pointer_id()));
        }
        let Some(index) = untrack(|| self.desk.index_of(key)) else {
            return;
        };
        self.current.set(Some(Drag {
            key,
            by_px: 0.0,
            before: index,
            start_px: self.pointer_px(event),
        }));
    }

    /// Follows the pointer.
    pub fn follow(self, event: &PointerEvent) {
        let Some(mut drag) = self.current.get_untracked() else {
            return;
        };
        scroll_at_edge(event);
        drag.by_px = self.pointer_px(event) - drag.start_px;
        let y = f64::from(event.client_y());
        let own = untrack(|| self.desk.index_of(drag.key)).unwrap_or_default();
        let is_above = |card: &Element| {
            let place = card.get_bounding_client_rect();
            place.top() + place.height() / 2.0 < y
        };
        // The card itself is under the pointer: the others say where it is.
        let cards = self.cards();
        let others = cards.iter().enumerate().filter(|(index, _)| *index != own);
        let above = others.filter(|(_, card)| is_above(card)).count();
        drag.before = above + usize::from(above > own);
        self.current.set(Some(drag));
    }

    /// Moves the step to where it was let go.
    pub fn finish(self) {
        let Some(drag) = self.current.get_untracked() else {
            return;
        };
        self.current.set(None);
        let Some(index) = untrack(|| self.desk.index_of(drag.key)) else {
            return;
        };
        let place = if drag.before > index {
            drag.before - 1
        } else {
            drag.before
        };
        if place != index {
            self.desk.move_to(drag.key, place);
        }
    }

    /// Leaves everything where it is.
    pub fn give_up(self) {
        self.current.set(None);
    }

    /// Whether the line is seen before this card, or behind the last with its count; tracked.
    pub fn marks(self, place: usize, index_of_dragged: Option<usize>) -> bool {
        self.current.with(|drag| {
            drag.is_some_and(|drag| {
                let stays = index_of_dragged
                    .is_some_and(|own| drag.before == own || drag.before == own + 1);
                drag.before == place && !stays
            })
        })
    }

    /// Where the pointer is in the list, however far that was scrolled.
    fn pointer_px(self, event: &PointerEvent) -> f64 {
        let top = self
            .list
            .get_untracked()
            .map_or(0.0, |list| list.get_bounding_client_rect().top());
        f64::from(event.client_y()) - top
    }

    fn cards(self) -> Vec<Element> {
        let Some(list) = self.list.get_untracked() else {
            return Vec::new();
        };
        let children = list.children();
        let card = |at| children.item(at);
        (0..children.length()).filter_map(card).collect()
    }
}

fn scroll_at_edge(event: &PointerEvent) {
    let height = window().inner_height().ok().and_then(|px| px.as_f64());
    let y = f64::from(event.client_y());
    let by = if y < SCROLL_ZONE_PX {
        -SCROLL_STEP_PX
    } else if height.is_some_and(|height| y > height - SCROLL_ZONE_PX) {
        SCROLL_STEP_PX
    } else {
        return;
    };
    window().scroll_by_with_x_and_y(0.0, by);
}
