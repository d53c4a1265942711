//! How time is divided: buckets of a width in a time zone, and the frame of buckets that a range
//! covers at one moment. Days are days of the zone, also where clocks are put forward or back.

use chrono::{
    DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc,
};
use chrono_tz::Tz;
use dash_shared::ranges::TimeRange;

const SECOND_MS: i64 = 1_000;
const DAY_SECONDS: i64 = 86_400;
/// Widths up to this one divide every offset from UTC that is in use: their buckets are the same in
/// every zone.
const SAME_EVERYWHERE_MS: i64 = 15 * 60 * SECOND_MS;
/// The most buckets that a question may have.
pub(super) const MAX_BUCKETS: usize = 2_000;

/// How wide a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Width {
    /// So many seconds, at most 12 hours; the first bucket of a day begins with the day.
    Seconds(u32),
    /// So many days of the zone.
    Days(u32),
    /// From Monday to Sunday.
    Week,
    /// A month of the calendar.
    Month,
}

impl Width {
    /// Of so many seconds: whole days are days of the zone.
    pub fn of_seconds(seconds: i64) -> Self {
        let small = |number: i64| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
        if seconds >= DAY_SECONDS {
            Self::Days(small(seconds / DAY_SECONDS))
        } else {
            Self::Seconds(small(seconds))
        }
    }

    /// How long a bucket is, about, in milliseconds.
    pub fn about_ms(self) -> i64 {
        SECOND_MS
            * match self {
                Self::Seconds(seconds) => i64::from(seconds),
                Self::Days(days) => i64::from(days) * DAY_SECONDS,
                Self::Week => 7 * DAY_SECONDS,
                Self::Month => 30 * DAY_SECONDS,
            }
    }
}

/// A division of all time into buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grid {
    /// How wide a bucket is.
    pub width: Width,
    /// Whose days they are.
    pub zone: Tz,
}

impl Grid {
    /// The start of the bucket that a time falls into, in milliseconds since 1970.
    pub fn start_of(&self, time_ms: i64) -> i64 {
        match self.width {
            Width::Seconds(_) => {
                let width_ms = self.width.about_ms();
                let from_ms = if self.zone == Tz::UTC || SAME_EVERYWHERE_MS % width_ms == 0 {
                    0
                } else {
                    self.midnight(self.date(time_ms))
                };
                from_ms + (time_ms - from_ms).div_euclid(width_ms) * width_ms
            }
            _ => self.midnight(self.first_date(self.date(time_ms))),
        }
    }

    /// The start of the bucket after the one that starts at `start_ms`.
    pub fn next(&self, start_ms: i64) -> i64 {
        let date = || self.date(start_ms);
        let days = |count: u64| date().checked_add_days(Days::new(count));
        let next = match self.width {
            Width::Seconds(_) => {
                let next = start_ms + self.width.about_ms();
                if self.zone == Tz::UTC || SAME_EVERYWHERE_MS % self.width.about_ms() == 0 {
                    return next;
                }
                // The last bucket of a day ends with the day, however long that is.
                return days(1).map_or(next, |day| next.min(self.midnight(day)));
            }
            Width::Days(count) => days(u64::from(count)),
            Width::Week => days(7),
            Width::Month => date().checked_add_months(Months::new(1)),
        };
        next.map_or(i64::MAX, |date| self.midnight(date))
    }

    fn date(&self, time_ms: i64) -> NaiveDate {
        let far = if time_ms < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        };
        let time = DateTime::from_timestamp_millis(time_ms).unwrap_or(far);
        time.with_timezone(&self.zone).date_naive()
    }

    /// The first day of the bucket that a day belongs to.
    fn first_date(&self, date: NaiveDate) -> NaiveDate {
        let back = match self.width {
            Width::Seconds(_) => 0,
            Width::Days(count) => {
                let since = date.signed_duration_since(NaiveDate::default()).num_days();
                since.rem_euclid(i64::from(count.max(1)))
            }
            Width::Week => i64::from(date.weekday().num_days_from_monday()),
            Width::Month => i64::from(date.day0()),
        };
        date.checked_sub_days(Days::new(back.unsigned_abs()))
            .unwrap_or(date)
    }

    /// When a day begins. Where clocks skip midnight, at the first moment that there is.
    fn midnight(&self, date: NaiveDate) -> i64 {
        let local = NaiveDateTime::new(date, NaiveTime::MIN);
        (0..=4)
            .find_map(|half_hours| {
                let local = local + chrono::TimeDelta::minutes(30 * half_hours);
                self.zone.from_local_datetime(&local).earliest()
            })
            .map_or_else(
                || local.and_utc().timestamp_millis(),
                |time| time.timestamp_millis(),
            )
    }
}

/// A range at one moment, cut at bucket edges. Times are in milliseconds since 1970.
///
/// A range up to now ends with the bucket that now is in, and begins so that it is made of whole
/// buckets and not shorter than asked for: a value only changes when a record comes or a bucket
/// leaves, never by a bucket that is cut a little differently each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Frame {
    /// The first millisecond in it.
    pub(super) from_ms: i64,
    /// The first millisecond after it.
    pub(super) to_ms: i64,
    /// Its buckets.
    pub(super) grid: Grid,
}

impl Frame {
    /// The frame of a range at `now_ms`, in about so many buckets.
    pub(super) fn of(range: &TimeRange, now_ms: i64, buckets: i64, zone: Tz) -> Self {
        let width = Width::of_seconds(range.bucket_seconds(buckets));
        let grid = Grid { width, zone };
        let (from_ms, to_ms) = match range {
            TimeRange::Last { seconds } => {
                let to_ms = grid.next(grid.start_of(now_ms));
                (to_ms - seconds * SECOND_MS, to_ms)
            }
            TimeRange::Between { from_ms, to_ms } => {
                (*from_ms, grid.next(grid.start_of(to_ms - 1)))
            }
        };
        Self {
            from_ms: grid.start_of(from_ms),
            to_ms,
            grid,
        }
    }

    /// The frame of about the same length that ends where this one begins.
    pub(super) fn before(&self) -> Self {
        let length_ms = self.to_ms - self.from_ms;
        Self {
            from_ms: self.grid.start_of(self.from_ms - length_ms),
            to_ms: self.from_ms,
            grid: self.grid,
        }
    }

    /// The starts of its buckets.
    pub(super) fn starts(&self) -> Vec<i64> {
        let mut starts = Vec::new();
        let mut start = self.from_ms;
        while start < self.to_ms && starts.len() < MAX_BUCKETS {
            starts.push(start);
            start = self.grid.next(start);
        }
        starts
    }

    /// Whether a time lies in it.
    pub(super) const fn contains(&self, time_ms: i64) -> bool {
        self.from_ms <= time_ms && time_ms < self.to_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dash_shared::ranges::PRESETS;

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text)
            .unwrap()
            .timestamp_millis()
    }

    fn grid(width: Width, zone: &str) -> Grid {
        Grid {
            width,
            zone: zone.parse().unwrap(),
        }
    }

    #[test]
    fn a_bucket_begins_where_people_expect_it() {
        let check = |width, zone, time, expected| {
            assert_eq!(grid(width, zone).start_of(at(time)), at(expected), "{time}");
        };
        let day = Width::Days(1);
        check(day, "UTC", "2026-03-29T12:00:00Z", "2026-03-29T00:00:00Z");
        check(
            day,
            "Europe/Berlin",
            "2026-03-29T12:00:00Z",
            "2026-03-29T00:00:00+01:00",
        );
        check(
            day,
            "Europe/Berlin",
            "2026-03-29T23:00:00Z",
            "2026-03-30T00:00:00+02:00",
        );
        check(
            day,
            "Asia/Kolkata",
            "2026-03-29T19:00:00Z",
            "2026-03-30T00:00:00+05:30",
        );
        // Clocks skip midnight here: the day begins at one.
        check(
            day,
            "America/Santiago",
            "2026-09-06T12:00:00Z",
            "2026-09-06T01:00:00-03:00",
        );
        check(
            Width::Week,
            "UTC",
            "2026-11-25T12:00:00Z",
            "2026-11-23T00:00:00Z",
        );
        check(
            Width::Month,
            "Asia/Tokyo",
            "2026-10-31T16:00:00Z",
            "2026-11-01T00:00:00+09:00",
        );
        check(
            Width::Seconds(3_600),
            "Asia/Kolkata",
            "2026-03-29T12:45:00Z",
            "2026-03-29T12:30:00Z",
        );
        check(
            Width::Seconds(900),
            "Asia/Kolkata",
            "2026-03-29T12:50:00Z",
            "2026-03-29T12:45:00Z",
        );
        check(
            Width::Seconds(60),
            "UTC",
            "1969-12-31T23:59:30Z",
            "1969-12-31T23:59:00Z",
        );
    }

    #[test]
    fn buckets_follow_each_other_without_gap_through_changes_of_clocks() {
        for zone in [
            "UTC",
            "Europe/Berlin",
            "America/Santiago",
            "Australia/Lord_Howe",
        ] {
            for width in [
                Width::Seconds(900),
                Width::Seconds(1_800),
                Width::Seconds(3_600),
                Width::Seconds(21_600),
                Width::Seconds(43_200),
                Width::Days(1),
                Width::Days(3),
                Width::Week,
                Width::Month,
            ] {
                let grid = grid(width, zone);
                let mut start = grid.start_of(at("2026-03-01T00:00:00Z"));
                while start < at("2026-11-15T00:00:00Z") {
                    let next = grid.next(start);
                    assert!(next > start);
                    for time in [start, start + 1, next - 1] {
                        assert_eq!(grid.start_of(time), start, "{zone} {width:?} {time}");
                    }
                    assert_eq!(grid.start_of(next), next, "{zone} {width:?}");
                    start = next;
                }
            }
        }
    }

    #[test]
    fn a_day_on_which_clocks_change_has_23_or_25_hours() {
        let hours = |day: &str| {
            let day = grid(Width::Days(1), "Europe/Berlin").start_of(at(day));
            (grid(Width::Days(1), "Europe/Berlin").next(day) - day) / 3_600_000
        };
        assert_eq!(hours("2026-03-29T12:00:00Z"), 23);
        assert_eq!(hours("2026-10-25T12:00:00Z"), 25);
        assert_eq!(hours("2026-06-01T12:00:00Z"), 24);
    }

    #[test]
    fn a_frame_is_made_of_whole_buckets_and_contains_now() {
        for (seconds, _) in PRESETS {
            for now_ms in [0, 1, 1_763_779_000_123, 1_763_779_199_999] {
                for zone in [Tz::UTC, Tz::Europe__Berlin, Tz::Asia__Kolkata] {
                    let frame = Frame::of(&TimeRange::Last { seconds }, now_ms, 96, zone);
                    assert!(frame.contains(now_ms));
                    assert_eq!(frame.grid.start_of(frame.from_ms), frame.from_ms);
                    assert!(frame.to_ms - frame.from_ms >= seconds * 1_000);
                    assert!((15..=98).contains(&frame.starts().len()), "{seconds}");
                }
            }
        }
    }
}
