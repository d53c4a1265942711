//! What stands before a webhook in this process: how fast deliveries may come, and how often it is
//! told that some were refused. Both are a few atomic numbers, since every delivery passes here.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use dash_shared::ids::PipelineId;
use dash_shared::plans::WebhookRate;
use moka::future::Cache;

use crate::engine::{REFUSAL_PERIOD_MS, SignatureFault};

/// How many gates there are at once. One that is forgotten is a full one again.
const KEPT_GATES: u64 = 100_000;
/// How long a gate is kept that nothing passes. Every one is full again by then.
const IDLE: Duration = Duration::from_mins(2);

/// The gates of the pipelines. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Gates(Cache<PipelineId, Arc<Gate>>);

impl Gates {
    pub(super) fn new() -> Self {
        let cache = Cache::builder().max_capacity(KEPT_GATES).time_to_idle(IDLE);
        Self(cache.build())
    }

    pub(super) async fn of(&self, id: PipelineId) -> Arc<Gate> {
        self.0.get_with(id, async { Arc::default() }).await
    }
}

/// One pipeline's gate.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// When all that has passed would have come one after the other at the steady rate, in
    /// microseconds since 1970: the further ahead of now, the less room is left.
    due_us: AtomicI64,
    /// The minute in which each kind of refusal was told last.
    told: [AtomicI64; SignatureFault::ALL.len()],
}

impl Gate {
    /// Lets one delivery pass; the error is in how many microseconds the next one may.
    pub(super) fn pass(&self, rate: WebhookRate, at_ms: i64) -> Result<(), i64> {
        let now_us = at_ms.saturating_mul(1_000);
        let each_us = 1_000_000 / i64::from(rate.per_second.max(1));
        let room_us = each_us * i64::from(rate.burst.max(1));
        let mut due_us = self.due_us.load(Ordering::Relaxed);
        loop {
            let next_us = due_us.max(now_us) + each_us;
            let wait_us = next_us - now_us - room_us;
            if wait_us > 0 {
                return Err(wait_us);
            }
            let passed = self.due_us.compare_exchange_weak(
                due_us,
                next_us,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match passed {
                Ok(_) => return Ok(()),
                Err(other) => due_us = other,
            }
        }
    }

    /// Whether a refusal of this kind is the first one of its minute here.
    pub(super) fn is_news(&self, fault: SignatureFault, now_ms: i64) -> bool {
        let minute = now_ms.div_euclid(REFUSAL_PERIOD_MS);
        let place = SignatureFault::ALL.iter().position(|one| *one == fault);
        let told = place.and_then(|place| self.told.get(place));
        told.is_some_and(|told| told.swap(minute, Ordering::Relaxed) != minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_348_800_000;
    const RATE: WebhookRate = WebhookRate {
        per_second: 5,
        burst: 50,
    };

    fn passing(gate: &Gate, tries: usize, now_ms: i64) -> usize {
        (0..tries)
            .filter(|_| gate.pass(RATE, now_ms).is_ok())
            .count()
    }

    #[test]
    fn as_many_pass_as_the_rate_says() {
        let gate = Gate::default();
        assert_eq!(passing(&gate, 100, NOW_MS), 50);
        assert_eq!(gate.pass(RATE, NOW_MS), Err(200_000));
        assert_eq!(passing(&gate, 100, NOW_MS + 199), 0);
        assert_eq!(passing(&gate, 100, NOW_MS + 200), 1);
        assert_eq!(passing(&gate, 100, NOW_MS + 1_200), 5);
        assert_eq!(passing(&gate, 100, NOW_MS + 60_000), 50);
        // A clock that is set back refuses nobody for long.
        assert!(gate.pass(RATE, NOW_MS + 60_000).unwrap_err() <= 200_000);
    }

    #[test]
    fn many_at_once_share_one_rate() {
        let gate = Gate::default();
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| passing(&gate, 1_000, NOW_MS)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(passed, 50);
    }

    #[test]
    fn a_refusal_is_news_once_a_minute() {
        let gate = Gate::default();
        let kinds = [SignatureFault::Missing, SignatureFault::TooOld];
        for kind in kinds {
            assert!(gate.is_news(kind, NOW_MS));
            assert!(!gate.is_news(kind, NOW_MS + 59_999));
            assert!(gate.is_news(kind, NOW_MS + 60_000));
        }
    }
}
