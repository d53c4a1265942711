//! Leaves out records that were there before.

use std::collections::{HashSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Context, Flow};
use crate::fields::Fields;
use crate::transform::definition::DeduplicateStep;

/// What is remembered of a record: half of a SHA-256 of its keys, which nobody can hit by chance.
pub type Key = [u8; 16];

/// The records that were seen, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(i64, Key)>", into = "Vec<(i64, Key)>")]
pub struct Seen {
    order: VecDeque<(i64, Key)>,
    keys: HashSet<Key>,
}

impl From<Vec<(i64, Key)>> for Seen {
    fn from(order: Vec<(i64, Key)>) -> Self {
        Self {
            keys: order.iter().map(|(_, key)| *key).collect(),
            order: order.into(),
        }
    }
}

impl From<Seen> for Vec<(i64, Key)> {
    fn from(seen: Seen) -> Self {
        seen.order.into()
    }
}

impl Seen {
    /// Forgets what is older than this, and the oldest of more than so many.
    fn forget(&mut self, before_ms: i64, most: usize) {
        while let Some((seen_ms, key)) = self.order.front().copied() {
            if seen_ms >= before_ms && self.order.len() <= most {
                return;
            }
            self.order.pop_front();
            self.keys.remove(&key);
        }
    }

    /// Forgets a record that was seen lately.
    pub fn forget_key(&mut self, key: &Key) {
        if self.keys.remove(key)
            && let Some(place) = self.order.iter().rposition(|(_, other)| other == key)
        {
            self.order.remove(place);
        }
    }
}

pub fn run(
    step: &DeduplicateStep,
    fingerprint: u64,
    fields: &Fields,
    context: &mut Context<'_>,
) -> Flow {
    let now_ms = context.now_ms;
    let before_ms = now_ms.saturating_sub(i64::from(step.within_seconds) * 1_000);
    let most = usize::try_from(step.remember).unwrap_or(usize::MAX);
    let key = key_of(step, fields);
    let seen = context.state.seen.entry(fingerprint).or_default();
    seen.forget(before_ms, most);
    if !seen.keys.insert(key) {
        return Flow::Dropped;
    }
    seen.order.push_back((now_ms, key));
    seen.forget(before_ms, most);
    context.state.last_seen.push((fingerprint, key));
    Flow::Next
}

fn key_of(step: &DeduplicateStep, fields: &Fields) -> Key {
    let mut hash = Sha256::new();
    for path in &step.keys {
        let value = path.get(fields).unwrap_or(&Value::Null);
        // JSON has no zero bytes: two keys never run into each other.
        hash.update(value.to_string().as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    std::array::from_fn(|place| digest.get(place).copied().unwrap_or_default())
}
