//! When a delivery that failed is tried again.

use rand::RngExt;

/// The pauses before each try, in milliseconds: 0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h.
const PAUSES_MS: [i64; 8] = [
    0,
    5_000,
    5 * 60_000,
    30 * 60_000,
    2 * 3_600_000,
    5 * 3_600_000,
    10 * 3_600_000,
    10 * 3_600_000,
];
/// How many tries a replay has: whoever asked for it looks on.
const REPLAY_TRIES: usize = 3;
/// The most that a pause is longer by chance, as a part of it: targets that failed together are not
/// asked together again.
const JITTER: f64 = 0.1;
/// The longest that a target can ask for.
const MAX_RETRY_AFTER_MS: i64 = 24 * 3_600_000;
/// After how long a sink that fails is disabled.
pub(super) const GIVE_UP_MS: i64 = 5 * 24 * 3_600_000;

/// When the next try is, after so many; none after the last one. A target may ask for a longer
/// pause, not for a shorter one.
pub(super) fn next_try_at(
    tries: i32,
    is_replay: bool,
    retry_after_ms: Option<i64>,
    now_ms: i64,
) -> Option<i64> {
    let tries = usize::try_from(tries).unwrap_or(usize::MAX);
    if is_replay && tries >= REPLAY_TRIES {
        return None;
    }
    let pause_ms = *PAUSES_MS.get(tries)?;
    let asked_ms = retry_after_ms.unwrap_or(0).clamp(0, MAX_RETRY_AFTER_MS);
    Some(now_ms + with_jitter(pause_ms).max(asked_ms))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "pauses are far below 2^53"
)]
fn with_jitter(pause_ms: i64) -> i64 {
    pause_ms + (pause_ms as f64 * JITTER * rand::rng().random::<f64>()) as i64
}

/// What a `Retry-After` asks for, in milliseconds: seconds, or a date.
pub(super) fn retry_after_ms(header: &str, now_ms: i64) -> Option<i64> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<i64>() {
        return Some(seconds.saturating_mul(1_000).max(0));
    }
    let date = chrono::DateTime::parse_from_rfc2822(header).ok()?;
    Some((date.timestamp_millis() - now_ms).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        for (tries, pause_ms) in (0..).zip(PAUSES_MS) {
            let at = next_try_at(tries, false, None, 1_000).unwrap() - 1_000;
            let most = pause_ms + pause_ms / 10;
            assert!((pause_ms..=most).contains(&at), "{tries}: {at}");
        }
        assert_eq!(next_try_at(8, false, None, 0), None);
        assert_eq!(next_try_at(3, true, None, 0), None);
    }

    #[test]
    fn a_target_can_ask_for_more_time_within_a_day() {
        assert_eq!(next_try_at(1, false, Some(60_000), 0), Some(60_000));
        assert!(next_try_at(2, false, Some(1), 0) >= Some(300_000));
        let most = Some(MAX_RETRY_AFTER_MS);
        assert_eq!(next_try_at(1, false, Some(i64::MAX), 0), most);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let check = |header, expected| assert_eq!(retry_after_ms(header, 1_000), expected);
        check("120", Some(120_000));
        check(" 0 ", Some(0));
        check("-5", Some(0));
        check("99999999999999999999", None);
        check("Thu, 01 Jan 1970 00:01:00 GMT", Some(59_000));
        check("soon", None);
    }
}
