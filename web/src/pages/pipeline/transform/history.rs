//! What was before each change, to undo and redo.

use super::desk::Content;
use crate::format::now_ms;

/// How many changes can be undone.
const MAX_KEPT: usize = 100;
/// Changes of the same thing are one, as long as no more than this lies between them.
const PAUSE_MS: i64 = 1_500;

/// The contents before and after the one that is seen. Documents are shared between them.
#[derive(Clone, Debug, Default)]
pub struct History {
    past: Vec<Content>,
    future: Vec<Content>,
    last: Option<(String, i64)>,
}

impl History {
    /// Keeps what is there before a change. A label says what is changed; without one, each change
    /// is one to undo.
    pub fn keep(&mut self, before: Content, label: String) {
        let now_ms = now_ms();
        let goes_on = self.last.as_ref().is_some_and(|(last, at_ms)| {
            !label.is_empty() && *last == label && now_ms - at_ms < PAUSE_MS
        });
        if !goes_on {
            self.past.push(before);
            if self.past.len() > MAX_KEPT {
                self.past.remove(0);
            }
        }
        self.future.clear();
        self.last = Some((label, now_ms));
    }

    /// Whether there is something to undo, and something to redo.
    pub fn can_go(&self) -> (bool, bool) {
        (!self.past.is_empty(), !self.future.is_empty())
    }

    /// Takes what was before the last change, or after the one that was undone.
    pub fn go(&mut self, now: Content, back: bool) -> Option<Content> {
        let (from, to) = if back {
            (&mut self.past, &mut self.future)
        } else {
            (&mut self.future, &mut self.past)
        };
        let there = from.pop()?;
        to.push(now);
        self.last = None;
        Some(there)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
