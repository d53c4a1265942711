//! Time ranges of dashboards, and how wide the buckets are that a range is divided into.

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
        self.check_not_too_long()
    }

    /// Checks the time of a question, which may be as short as one bucket of a line.
    pub fn check_span(&self) -> Result<(), Invalid> {
        let is_empty = match self {
            Self::Last { seconds } => *seconds < 1,
            Self::Between { from_ms, to_ms } => to_ms <= from_ms,
        };
        if is_empty {
            return Err(Invalid::new(
                "range",
                InvalidCode::TooShort,
                "A time range ends after it begins.",
            ));
        }
        self.check_not_too_long()
    }

    fn check_not_too_long(&self) -> Result<(), Invalid> {
        if self.seconds() > MAX_RANGE_SECONDS {
            return Err(Invalid::new(
                "range",
                InvalidCode::TooLong,
                "A time range is at most 400 days long.",
            ));
        }
        Ok(())
    }

    /// How wide its buckets are when it is divided into about `buckets`, in seconds.
    pub fn bucket_seconds(&self, buckets: i64) -> i64 {
        let wanted = (self.seconds() / buckets.clamp(1, MAX_BUCKETS)).max(1);
        BUCKETS
            .into_iter()
            .find(|seconds| *seconds >= wanted)
            .unwrap_or_else(|| (wanted + 86_399) / 86_400 * 86_400)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_round_and_neither_too_few_nor_too_many() {
        for (seconds, _) in PRESETS {
            let width = TimeRange::Last { seconds }.bucket_seconds(96);
            assert!(BUCKETS.contains(&width));
            assert!((15..=97).contains(&(seconds / width)), "{seconds}");
        }
        assert_eq!(TimeRange::DEFAULT.bucket_seconds(96), 900);
        let longest = TimeRange::Last {
            seconds: MAX_RANGE_SECONDS,
        };
        assert_eq!(longest.bucket_seconds(96), 5 * 86_400);
    }

    #[test]
    fn a_question_may_be_about_one_bucket() {
        let check = |range: TimeRange, ok| assert_eq!(range.check_span().is_ok(), ok, "{range:?}");
        let between = |from_ms, to_ms| TimeRange::Between { from_ms, to_ms };
        check(between(0, 1_000), true);
        check(between(0, 1), true);
        check(between(0, 0), false);
        check(between(1_000, 0), false);
        check(between(0, (MAX_RANGE_SECONDS + 1) * 1_000), false);
        check(TimeRange::Last { seconds: 1 }, true);
        check(TimeRange::Last { seconds: 0 }, false);
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
