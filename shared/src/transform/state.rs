//! What a transform remembers between records: what deduplication saw, and the windows that are
//! open. Bounded, and serialisable in a compact form; a step that was changed begins anew.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::steps::deduplicate::{Key, Seen};
use super::steps::window::Windows;

/// What a transform remembers between records, by the fingerprints of its steps.
///
/// The host keeps it in the same transaction as the records: if those are not stored, what was
/// remembered before them counts, or their repetition would be left out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub(super) seen: BTreeMap<u64, Seen>,
    pub(super) windows: BTreeMap<u64, Windows>,
    /// What deduplication saw in the last received record, by step.
    #[serde(skip)]
    pub(super) last_seen: Vec<(u64, Key)>,
}

/// What is noted of the last record only is no part of what is remembered.
impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.seen == other.seen && self.windows == other.windows
    }
}

impl State {
    /// Whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty() && self.windows.is_empty()
    }

    /// Forgets that deduplication saw the last received record. It failed, and nothing of it was
    /// stored: when it is mended or sent again, it has not been there before.
    pub fn forget_last(&mut self) {
        for (step, key) in std::mem::take(&mut self.last_seen) {
            if let Some(seen) = self.seen.get_mut(&step) {
                seen.forget_key(&key);
            }
        }
    }

    /// Forgets what belongs to none of these steps.
    pub(super) fn retain(&mut self, fingerprints: &[u64]) {
        self.seen.retain(|step, _| fingerprints.contains(step));
        self.windows.retain(|step, _| fingerprints.contains(step));
    }
}
