//! When digests are due: at the borders of minutes, hours and days of a time zone.

use chrono::{DateTime, Days, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use dash_shared::sinks::Every;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The first time after `now_ms` at which a digest is due.
pub(super) fn next_due(every: Every, zone: Tz, now_ms: i64) -> i64 {
    match every {
        // In zones that are off by half an hour, hours begin at half past; minutes divide that.
        Every::Minutes { minutes } => {
            next_border(i64::from(minutes).max(1) * MINUTE_MS, zone, now_ms)
        }
        Every::Hour => next_border(HOUR_MS, zone, now_ms),
        Every::Day { at_hour } => next_day(at_hour, zone, now_ms),
    }
}

fn next_border(width_ms: i64, zone: Tz, now_ms: i64) -> i64 {
    let offset_ms = DateTime::from_timestamp_millis(now_ms).map_or(0, |now| {
        use chrono::Offset as _;
        let offset = zone.offset_from_utc_datetime(&now.naive_utc()).fix();
        i64::from(offset.local_minus_utc()) * 1_000
    });
    let local_ms = now_ms + offset_ms;
    now_ms - local_ms.rem_euclid(width_ms) + width_ms
}

fn next_day(at_hour: u32, zone: Tz, now_ms: i64) -> i64 {
    let now = DateTime::from_timestamp_millis(now_ms).unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
    let today = now.with_timezone(&zone).date_naive();
    let time = NaiveTime::from_hms_opt(at_hour, 0, 0).unwrap_or_default();
    // Two days on there is one in any case; an hour that is left out in spring is the next one.
    let days = (0..3).filter_map(|days| today.checked_add_days(Days::new(days)));
    let times = days.filter_map(|day| {
        let local = day.and_time(time);
        let hour = chrono::TimeDelta::hours(1);
        let found = zone.from_local_datetime(&local).earliest();
        found.or_else(|| zone.from_local_datetime(&(local + hour)).earliest())
    });
    let mut due = times.map(|time| time.timestamp_millis());
    due.find(|due_ms| *due_ms > now_ms)
        .unwrap_or(now_ms + 24 * HOUR_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(every: Every, zone: &str, now: &str, expected: &str) {
        let ms = |text: &str| {
            DateTime::parse_from_rfc3339(text)
                .unwrap()
                .timestamp_millis()
        };
        let due = next_due(every, zone.parse().unwrap(), ms(now));
        let due = DateTime::from_timestamp_millis(due).unwrap();
        assert_eq!(
            due,
            DateTime::parse_from_rfc3339(expected).unwrap(),
            "{zone} {now}"
        );
    }

    #[test]
    fn digests_are_due_at_the_borders_of_a_zones_clock() {
        let quarter = Every::Minutes { minutes: 15 };
        check(
            quarter,
            "UTC",
            "2026-11-25T08:44:59Z",
            "2026-11-25T08:45:00Z",
        );
        check(
            quarter,
            "UTC",
            "2026-11-25T08:45:00Z",
            "2026-11-25T09:00:00Z",
        );
        check(
            Every::Hour,
            "Asia/Kolkata",
            "2026-11-25T08:00:00Z",
            "2026-11-25T08:30:00Z",
        );
        let nine = Every::Day { at_hour: 9 };
        check(
            nine,
            "Europe/Berlin",
            "2026-11-25T07:59:00Z",
            "2026-11-25T08:00:00Z",
        );
        check(
            nine,
            "Europe/Berlin",
            "2026-11-25T08:00:00Z",
            "2026-11-26T08:00:00Z",
        );
        check(
            nine,
            "America/New_York",
            "2026-11-25T01:00:00Z",
            "2026-11-25T14:00:00Z",
        );
    }

    #[test]
    fn an_hour_that_a_day_does_not_have_is_the_next_one() {
        let two = Every::Day { at_hour: 2 };
        // Clocks go from 2 to 3 in the night to 28 March 2027.
        check(
            two,
            "Europe/Berlin",
            "2027-03-27T12:00:00Z",
            "2027-03-28T01:00:00Z",
        );
        check(
            two,
            "Europe/Berlin",
            "2027-03-28T01:00:00Z",
            "2027-03-29T00:00:00Z",
        );
    }
}
