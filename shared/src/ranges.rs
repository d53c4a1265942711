//! Time ranges of dashboards, and the buckets that a range is divided into.

use serde::{Deserialize, Serialize};

use crate::{Invalid, InvalidCode};

/// The longest range, in seconds: 400 days.
pub const MAX_RANGE_SECONDS: i64 = 400 * 86_400;
/// The shortest range, in seconds.
pub const MIN_RANGE_SECONDS: i64 = 60;
/// How many buckets a line has at most.
pub const MAX_BUCKETS: i64 = 400;

/// The ranges that are offered, in seconds, with the words for them.
pub const PRESETS: [(i64, &str); 7] = [
    (15 * 60, "Last 15 minutes"),
    (3_600, "Last hour"),
    (6 * 3_600, "Last 6 hours"),
    (24 * 3_600, "Last 24 hours"),
    (7 * 86_400, "Last 7 days"),
    (30 * 86_400, "Last 30 days"),
    (90 * 86_400, "Last 90 days"),
];

/// The bucket widths that are used, in seconds: each divides an hour or a day evenly, so that
/// bucket edges fall on round times.
const BUCKETS: [i64; 15] = [
    1, 5, 10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400,
];

/// A dashboard's time range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TimeRange {
    /// Up to now; moves with the time.
    Last {
        /// How far back it reaches.
        seconds: i64,
    },
    /// From one time to another; stays.
    Between {
        /// The first millisecond in it, since 1970.
        from_ms: i64,
        /// The first millisecond after it, since 1970.
        to_ms: i64,
    },
}

/// A range at one moment, cut at bucket edges. Times are in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first millisecond in it, at the edge of a bucket.
    pub from_ms: i64,
    /// The first millisecond after it, at the edge of a bucket.
    pub to_ms: i64,
    /// How wide a bucket is.
    pub bucket_ms: i64,
}

impl Window {
    /// The start of the bucket that a time falls into.
    pub const fn bucket_of(&self, time_ms: i64) -> i64 {
        time_ms.div_euclid(self.bucket_ms) * self.bucket_ms
    }

    /// The starts of all buckets in the window.
    pub fn bucket_starts(&self) -> impl Iterator<Item = i64> + use<> {
        let (from_ms, bucket_ms) = (self.from_ms, self.bucket_ms);
        (0..(self.to_ms - self.from_ms) / bucket_ms).map(move |index| from_ms + index * bucket_ms)
    }

    /// The window of the same length that ends where this one begins.
    #[must_use]
    pub const fn before(&self) -> Self {
        let length_ms = self.to_ms - self.from_ms;
        Self {
            from_ms: self.from_ms - length_ms,
            to_ms: self.from_ms,
            bucket_ms: self.bucket_ms,
        }
    }

    /// Whether a time lies in the window.
    pub const fn contains(&self, time_ms: i64) -> bool {
        self.from_ms <= time_ms && time_ms < self.to_ms
    }
}

impl TimeRange {
    /// The range of a new dashboard.
    pub const DEFAULT: Self = Self::Last {
        seconds: 24 * 3_600,
    };

    /// How long it is, in seconds.
    pub const fn seconds(&self) -> i64 {
        match self {
            Self::Last { seconds } => *seconds,
            Self::Between { from_ms, to_ms } => (*to_ms - *from_ms) / 1_000,
        }
    }

    /// Checks what a person entered.
    pub fn check(&self) -> Result<(), Invalid> {
        let seconds = self.seconds();
        if seconds < MIN_RANGE_SECONDS {
            return Err(Invalid::new(
                "range",
                InvalidCode::TooShort,
                "A time range is at least a minute long, and ends after it begins.",
            ));
        }
        if seconds > MAX_RANGE_SECONDS {
            return Err(Invalid::new(
                "range",
                InvalidCode::TooLong,
                "A time range is at most 400 days long.",
            ));
        }
        Ok(())
    }

    /// The range at the moment `now_ms`, divided into at most `buckets` buckets.
    ///
    /// A range up to now ends with the bucket that now is in, and begins so that it is made of
    /// whole buckets and not shorter than asked for: a value only changes when a record comes or
    /// a bucket leaves, never by a bucket that is cut a little differently each time.
    pub fn window(&self, now_ms: i64, buckets: i64) -> Window {
        let wanted = (self.seconds() / buckets.clamp(1, MAX_BUCKETS)).max(1);
        let bucket_seconds = BUCKETS
            .into_iter()
            .find(|seconds| *seconds >= wanted)
            .unwrap_or_else(|| (wanted + 86_399) / 86_400 * 86_400);
        let bucket_ms = bucket_seconds * 1_000;
        let (from_ms, to_ms) = match self {
            Self::Last { seconds } => {
                let to_ms = now_ms.div_euclid(bucket_ms) * bucket_ms + bucket_ms;
                (
                    to_ms - (seconds * 1_000 + bucket_ms - 1) / bucket_ms * bucket_ms,
                    to_ms,
                )
            }
            Self::Between { from_ms, to_ms } => (
                from_ms.div_euclid(bucket_ms) * bucket_ms,
                (to_ms + bucket_ms - 1).div_euclid(bucket_ms) * bucket_ms,
            ),
        };
        Window {
            from_ms,
            to_ms,
            bucket_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_made_of_whole_buckets_and_contains_now() {
        for (seconds, _) in PRESETS {
            for now_ms in [0, 1, 1_763_779_000_123, 1_763_779_199_999] {
                let window = TimeRange::Last { seconds }.window(now_ms, 96);
                assert!(window.contains(now_ms));
                assert_eq!(window.from_ms % window.bucket_ms, 0);
                assert!(window.to_ms - window.from_ms >= seconds * 1_000);
                assert!(window.bucket_starts().count() <= 97, "{seconds}");
                assert!(window.bucket_starts().count() >= 15, "{seconds}");
            }
        }
    }

    #[test]
    fn a_day_is_shown_by_quarter_hours() {
        let window = TimeRange::DEFAULT.window(1_763_779_000_123, 96);
        assert_eq!(window.bucket_ms, 900_000);
        assert_eq!(window.bucket_starts().count(), 96);
    }

    #[test]
    fn ranges_that_make_no_sense_are_refused() {
        let check = |range: TimeRange, ok| assert_eq!(range.check().is_ok(), ok, "{range:?}");
        check(TimeRange::Last { seconds: 3_600 }, true);
        check(TimeRange::Last { seconds: 0 }, false);
        check(TimeRange::Last { seconds: -5 }, false);
        check(
            TimeRange::Last {
                seconds: MAX_RANGE_SECONDS + 1,
            },
            false,
        );
        check(
            TimeRange::Between {
                from_ms: 100_000,
                to_ms: 0,
            },
            false,
        );
        check(
            TimeRange::Between {
                from_ms: 0,
                to_ms: 86_400_000,
            },
            true,
        );
    }
}
