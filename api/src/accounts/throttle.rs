//! Counts tries per key in fixed windows of time, in memory and bounded.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keys remembered at most. When it is reached, windows that are over are dropped; if that frees
/// nothing, unknown keys are refused until some end.
const MAX_KEYS: usize = 100_000;

#[derive(Debug)]
pub(super) struct Throttle {
    limit: u32,
    window_ms: i64,
    windows: Mutex<HashMap<String, Window>>,
}

#[derive(Debug)]
struct Window {
    ends_at_ms: i64,
    tries: u32,
}

impl Throttle {
    /// Lets `limit` tries per key through in each window.
    pub(super) fn new(limit: u32, window_ms: i64) -> Self {
        Self {
            limit,
            window_ms,
            windows: Mutex::default(),
        }
    }

    /// Counts a try; when there were too many, says in how many seconds to try again.
    pub(super) fn take(&self, key: &str, now_ms: i64) -> Result<(), u32> {
        let mut windows = self.lock();
        if windows.len() >= MAX_KEYS && !windows.contains_key(key) {
            windows.retain(|_, window| window.ends_at_ms > now_ms);
            if windows.len() >= MAX_KEYS {
                return Err(seconds(self.window_ms));
            }
        }
        let fresh = Window {
            ends_at_ms: now_ms + self.window_ms,
            tries: 0,
        };
        let window = windows.entry(key.to_owned()).or_insert(fresh);
        if window.ends_at_ms <= now_ms {
            *window = Window {
                ends_at_ms: now_ms + self.window_ms,
                tries: 0,
            };
        }
        if window.tries >= self.limit {
            return Err(seconds(window.ends_at_ms - now_ms));
        }
        window.tries += 1;
        Ok(())
    }

    /// Takes one counted try back.
    pub(super) fn give_back(&self, key: &str) {
        if let Some(window) = self.lock().get_mut(key) {
            window.tries = window.tries.saturating_sub(1);
        }
    }

    /// Takes all counted tries back.
    pub(super) fn forget(&self, key: &str) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Window>> {
        // Counts are never half changed: what a panicking thread left is usable.
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rounded up, and at least one: an earlier try is never let through.
fn seconds(ms: i64) -> u32 {
    u32::try_from((ms + 999) / 1_000).unwrap_or(u32::MAX).max(1)
}

/// What counts as one place: an IPv4 address, or the /64 network that an IPv6 customer gets.
pub(super) fn ip_key(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_tries_wait_for_the_window_to_end() {
        let throttle = Throttle::new(2, 10_000);
        assert_eq!(throttle.take("a", 0), Ok(()));
        assert_eq!(throttle.take("a", 500), Ok(()));
        assert_eq!(throttle.take("a", 500), Err(10));
        assert_eq!(throttle.take("b", 500), Ok(()));
        assert_eq!(throttle.take("a", 9_999), Err(1));
        assert_eq!(throttle.take("a", 10_000), Ok(()));
    }

    #[test]
    fn tries_can_be_taken_back() {
        let throttle = Throttle::new(1, 10_000);
        assert_eq!(throttle.take("a", 0), Ok(()));
        throttle.give_back("a");
        assert_eq!(throttle.take("a", 0), Ok(()));
        throttle.forget("a");
        assert_eq!(throttle.take("a", 0), Ok(()));
        assert!(throttle.take("a", 0).is_err());
    }

    #[test]
    fn memory_is_bounded_and_a_flood_frees_no_one() {
        let throttle = Throttle::new(1, 10_000);
        for n in 0..MAX_KEYS {
            assert_eq!(throttle.take(&n.to_string(), 0), Ok(()));
        }
        assert!(throttle.take("one more", 1).is_err());
        assert!(throttle.take("7", 1).is_err());
        assert_eq!(throttle.take("one more", 10_000), Ok(()));
        assert_eq!(throttle.lock().len(), 1);
    }

    #[test]
    fn neighbours_in_one_v6_network_count_together() {
        let key = |text: &str| ip_key(text.parse().unwrap());
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
