//! What a transform remembers between records: what deduplication saw, and the windows that are
//! open. Bounded, and serialisable in a compact form; a step that was changed begins anew.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::steps::deduplicate::Seen;
use super::steps::window::Windows;

/// What a transform remembers between records, by the fingerprints of its steps.
///
/// The host keeps it in the same transaction as the records: if those are not stored, what was
/// remembered before them counts, or their repetition would be left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub(super) seen: BTreeMap<u64, Seen>,
    pub(super) windows: BTreeMap<u64, Windows>,
}

impl State {
    /// Whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty() && self.windows.is_empty()
    }

    /// Forgets what belongs to none of these steps.
    pub(super) fn retain(&mut self, fingerprints: &[u64]) {
        self.seen.retain(|step, _| fingerprints.contains(step));
        self.windows.retain(|step, _| fingerprints.contains(step));
    }
}
