//! Draws charts one after the other: when many get new data at once, each frame draws as many as
//! fit into a part of it, so that the page stays smooth. A chart that waits is drawn once, with
//! the newest options.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use leptos::prelude::request_animation_frame;

use crate::components::motion;

/// The part of a frame that is spent on charts, in milliseconds.
const BUDGET_MS: f64 = 5.0;

thread_local! {
    static WAITING: RefCell<VecDeque<Rc<Turn>>> = const { RefCell::new(VecDeque::new()) };
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// A chart's place in the queue.
pub struct Turn {
    is_waiting: Cell<bool>,
    draw: Box<dyn Fn()>,
}

impl Turn {
    /// A place for a chart that is drawn by `draw`.
    pub fn new(draw: impl Fn() + 'static) -> Rc<Self> {
        Rc::new(Self {
            is_waiting: Cell::new(false),
            draw: Box::new(draw),
        })
    }

    /// Asks to be drawn in one of the next frames.
    pub fn ask(self: &Rc<Self>) {
        if self.is_waiting.replace(true) {
            return;
        }
        WAITING.with_borrow_mut(|waiting| waiting.push_back(Rc::clone(self)));
        if !IS_RUNNING.replace(true) {
            request_animation_frame(frame);
        }
    }
}

fn frame() {
    let started_ms = motion::now_ms();
    while let Some(turn) = WAITING.with_borrow_mut(VecDeque::pop_front) {
        turn.is_waiting.set(false);
        (turn.draw)();
        if motion::now_ms() - started_ms > BUDGET_MS {
            break;
        }
    }
    if WAITING.with_borrow(VecDeque::is_empty) {
        IS_RUNNING.set(false);
    } else {
        request_animation_frame(frame);
    }
}
