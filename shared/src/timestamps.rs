//! Reading points in time as they come in from outside, and writing them in one form.
//!
//! The calendar is here and not a library's: the client fetches this code with its pages, and what
//! a library brings for every format that there might be is ten times as large.

use serde_json::Value;

use crate::numbers;

mod pattern;

pub(crate) use pattern::Pattern;

/// Numbers from here on are milliseconds since 1970, smaller ones are seconds: as seconds this
/// is the year 5138, as milliseconds March 1973.
const FIRST_MILLIS: f64 = 1e11;

/// The last time that is accepted: the end of the year 9999, in milliseconds since 1970.
pub(crate) const LAST_MS: i64 = 253_402_300_799_999;

pub(crate) const SECOND_MS: i64 = 1_000;
pub(crate) const MINUTE_MS: i64 = 60 * SECOND_MS;
pub(crate) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

/// Days from the first day of the year 1 to the first day of 1970.
const DAYS_BEFORE_1970: i64 = 719_162;
/// Days in 400 years, after which the calendar repeats itself.
const DAYS_PER_400_YEARS: i64 = 146_097;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
/// The days of the week as mail writes them, from the one that 1 January 1970 was.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
/// The time zones that mail writes as words, and how many hours they are ahead of UTC.
const ZONES: [(&str, i64); 12] = [
    ("GMT", 0),
    ("UTC", 0),
    ("UT", 0),
    ("Z", 0),
    ("EDT", -4),
    ("EST", -5),
    ("CDT", -5),
    ("CST", -6),
    ("MDT", -6),
    ("MST", -7),
    ("PDT", -7),
    ("PST", -8),
];

/// Writes a time, in milliseconds since 1970, as RFC 3339 in UTC with milliseconds.
pub fn format_ms(ms: i64) -> String {
    let (year, month, day) = date_of(ms.div_euclid(DAY_MS));
    let rest = ms.rem_euclid(DAY_MS);
    let (hour, minute) = (rest / HOUR_MS, rest / MINUTE_MS % 60);
    let (second, milli) = (rest / SECOND_MS % 60, rest % SECOND_MS);
    // The sign of years before the first counts as a digit.
    let width = if year < 0 { 5 } else { 4 };
    format!("{year:0width$}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

/// Reads a time from a JSON value, in milliseconds since 1970.
///
/// Taken are RFC 3339, `YYYY-MM-DD HH:MM[:SS[.fff]]` and `YYYY-MM-DD` (both as UTC), RFC 2822,
/// and numbers or digits of Unix seconds or milliseconds.
pub fn parse_ms(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => from_unix(number.as_f64()?),
        Value::String(text) => parse_text(text),
        _ => None,
    }
}

/// A time as a text says it, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// A point in time.
    Moment(i64),
    /// What a clock shows, in a zone that the text does not name.
    Local(i64),
}

/// Reads a time from a text, as [`parse_ms`] does.
pub(crate) fn parse_text(text: &str) -> Option<i64> {
    match read_text(text)? {
        Read::Moment(ms) | Read::Local(ms) => Some(ms),
    }
}

/// Reads a time from a text, and says whether that names a zone.
pub(crate) fn read_text(text: &str) -> Option<Read> {
    let text = text.trim();
    let moment = || mail(text).or_else(|| digits(text)).map(Read::Moment);
    iso(text).or_else(moment)
}

/// Reads how far a zone is ahead of UTC: `+02:00` or `-0530`, in milliseconds.
pub(crate) fn parse_offset_ms(text: &str) -> Option<i64> {
    let mut scan = Scan(text);
    let offset_ms = scan.offset_ms()?;
    scan.is_at_end().then_some(offset_ms)
}

/// Reads a time from a number of Unix seconds or milliseconds.
pub(crate) fn from_unix(number: f64) -> Option<i64> {
    let ms = if number.abs() >= FIRST_MILLIS {
        number
    } else {
        number * 1_000.0
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked against the bounds first"
    )]
    (ms.is_finite() && ms.abs() <= 1e15)
        .then_some(ms.round() as i64)
        .filter(|ms| (-LAST_MS..=LAST_MS).contains(ms))
}

/// Digits alone are a Unix time only when there are enough of them to be a plausible one: "2024"
/// is not half an hour after midnight in 1970.
fn digits(text: &str) -> Option<i64> {
    let number = (text.len() >= 9).then(|| numbers::approximate(text))??;
    from_unix(number)
}

/// RFC 3339 and what is like it: the time of day, its seconds and the zone may be missing, and the
/// parts of the date may be divided by slashes.
fn iso(text: &str) -> Option<Read> {
    let mut scan = Scan(text);
    let year = scan.number(4, 4)?;
    let divider = if scan.take("/") { "/" } else { "-" };
    if divider == "-" && !scan.take("-") {
        return None;
    }
    let month = scan.number(1, 2)?;
    if !scan.take(divider) {
        return None;
    }
    let date_ms = date_ms(year, month, scan.number(1, 2)?)?;
    if scan.is_at_end() {
        return Some(Read::Local(date_ms));
    }
    if !scan.take("T") && !scan.take("t") && !scan.spaces() {
        return None;
    }
    let mut ms = date_ms + scan.time_of_day()?;
    if scan.take(".") {
        #[expect(clippy::cast_possible_truncation, reason = "less than a thousand")]
        let milli = (scan.fraction()? * 1e3 + 1e-6) as i64;
        ms += milli;
    }
    if scan.is_at_end() {
        return Some(Read::Local(ms));
    }
    if !scan.take("Z") && !scan.take("z") {
        ms -= scan.offset_ms()?;
    }
    scan.is_at_end().then_some(Read::Moment(ms))
}

/// The date of RFC 2822, which mail and HTTP write: `Sun, 22 Nov 2026 02:36:00 GMT`.
fn mail(text: &str) -> Option<i64> {
    let mut scan = Scan(text);
    let weekday = scan.one_of(WEEKDAYS);
    if weekday.is_some() && !scan.take(",") {
        return None;
    }
    scan.spaces();
    let day = scan.number(1, 2)?;
    scan.spaces();
    let month = scan.one_of(MONTHS)?;
    scan.spaces();
    let date_ms = date_ms(scan.number(4, 4)?, month + 1, day)?;
    if weekday.is_some_and(|weekday| weekday != (date_ms / DAY_MS).rem_euclid(7)) {
        return None;
    }
    scan.spaces();
    let ms = date_ms + scan.time_of_day()?;
    scan.spaces();
    let zone = scan.one_of(ZONES.map(|(word, _)| word));
    let offset_ms = match zone.and_then(|zone| ZONES.get(usize::try_from(zone).ok()?)) {
        Some((_, hours)) => hours * HOUR_MS,
        None => scan.offset_ms()?,
    };
    scan.is_at_end().then_some(ms - offset_ms)
}

/// What of a text is still to be read.
struct Scan<'a>(&'a str);

impl Scan<'_> {
    const fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads this, if it comes next.
    fn take(&mut self, what: &str) -> bool {
        let rest = self.0.strip_prefix(what);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// Reads white space, if some comes next.
    fn spaces(&mut self) -> bool {
        let rest = self.0.trim_start();
        let some = rest.len() < self.0.len();
        self.0 = rest;
        some
    }

    /// Reads one of these words, whatever the case, and says which.
    fn one_of<const N: usize>(&mut self, words: [&str; N]) -> Option<i64> {
        let (index, word) = (0..).zip(words).find(|(_, word)| {
            let start = self.0.get(..word.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(word))
        })?;
        self.0 = self.0.get(word.len()..)?;
        Some(index)
    }

    /// Reads the digits that come next, of which there must be so many.
    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let end = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        (least..=most).contains(&end).then(|| digits.parse().ok())?
    }

    /// Reads at most so many of the digits that come next.
    fn first_digits(&mut self, least: usize, most: usize) -> Option<i64> {
        let all = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(all.min(most))?;
        self.0 = rest;
        (digits.len() >= least).then(|| digits.parse().ok())?
    }

    /// Reads the digits after a decimal point.
    fn fraction(&mut self) -> Option<f64> {
        let end = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        let mut unit = 1.0;
        let value = |digit: u8| {
            unit /= 10.0;
            f64::from(digit - b'0') * unit
        };
        (end > 0).then(|| digits.bytes().map(value).sum())
    }

    /// Reads `HH:MM[:SS]`, in milliseconds. A leap second is the beginning of the next minute.
    fn time_of_day(&mut self) -> Option<i64> {
        let hour = self.number(1, 2)?;
        if !self.take(":") {
            return None;
        }
        let minute = self.number(1, 2)?;
        let second = if self.take(":") {
            self.number(1, 2)?
        } else {
            0
        };
        (hour < 24 && minute < 60 && second <= 60)
            .then_some(hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS)
    }

    /// Reads how far a zone is ahead of UTC: `+HH:MM` or `+HHMM`, in milliseconds.
    fn offset_ms(&mut self) -> Option<i64> {
        let sign = if self.take("-") {
            -1
        } else if self.take("+") {
            1
        } else {
            return None;
        };
        let (hours, minutes) = if self.0.contains(':') {
            let hours = self.number(2, 2)?;
            if !self.take(":") {
                return None;
            }
            (hours, self.number(2, 2)?)
        } else {
            let both = self.number(4, 4)?;
            (both / 100, both % 100)
        };
        (hours < 24 && minutes < 60).then_some(sign * (hours * HOUR_MS + minutes * MINUTE_MS))
    }
}

/// The beginning of a day, in milliseconds since 1970; none when there is no such day.
pub(crate) fn date_ms(year: i64, month: i64, day: i64) -> Option<i64> {
    let month_days = days_of_month(year, month)?;
    let before: i64 = (1..month)
        .filter_map(|month| days_of_month(year, month))
        .sum();
    let days = days_before_year(year) + before + day - 1 - DAYS_BEFORE_1970;
    (1..=month_days).contains(&day).then_some(days * DAY_MS)
}

/// The date so many days after 1 January 1970.
pub(crate) fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_BEFORE_1970;
    // Right, or a year off.
    let mut year = (days * 400).div_euclid(DAYS_PER_400_YEARS) + 1;
    if days_before_year(year) > days {
        year -= 1;
    } else if days_before_year(year + 1) <= days {
        year += 1;
    }
    let mut day = days - days_before_year(year);
    let mut month = 1;
    while let Some(length) = days_of_month(year, month).filter(|length| day >= *length) {
        day -= length;
        month += 1;
    }
    (year, month, day + 1)
}

/// Days from the first day of the year 1 to the first day of this one.
const fn days_before_year(year: i64) -> i64 {
    let past = year - 1;
    past * 365 + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400)
}

fn days_of_month(year: i64, month: i64) -> Option<i64> {
    let is_leap_year = days_before_year(year + 1) - days_before_year(year) == 366;
    match month {
        2 => Some(if is_leap_year { 29 } else { 28 }),
        4 | 6 | 9 | 11 => Some(30),
        1..=12 => Some(31),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Between the years 1 and 9999, in milliseconds since 1970.
    fn any_ms() -> impl Strategy<Value = i64> {
        -62_135_596_800_000..=LAST_MS
    }

    fn utc(ms: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(ms).unwrap()
    }

    proptest! {
        #[test]
        fn a_time_is_written_like_a_calendar_library_does(ms in -LAST_MS..=LAST_MS) {
            let expected = utc(ms).to_rfc3339_opts(SecondsFormat::Millis, true);
            prop_assert_eq!(format_ms(ms), expected);
        }

        #[test]
        fn what_a_calendar_library_writes_is_read(ms in any_ms(), minutes in -1_439..1_440_i32) {
            let zone = FixedOffset::east_opt(minutes * 60).unwrap();
            let local = utc(ms).with_timezone(&zone);
            prop_assume!((1..=9999).contains(&chrono::Datelike::year(&local)));
            let read = |text: String| parse_ms(&Value::from(text));
            prop_assert_eq!(read(local.to_rfc3339()), Some(ms));
            prop_assert_eq!(read(local.format("%Y-%m-%d %H:%M:%S%.6f%:z").to_string()), Some(ms));
            let second = ms - ms.rem_euclid(SECOND_MS);
            prop_assert_eq!(read(local.to_rfc2822()), Some(second));
            prop_assert_eq!(read(utc(ms).format("%a, %d %b %Y %T GMT").to_string()), Some(second));
            prop_assert_eq!(read(utc(ms).format("%Y/%m/%d %H:%M:%S").to_string()), Some(second));
            let day = ms - ms.rem_euclid(DAY_MS);
            prop_assert_eq!(read(utc(ms).format("%Y-%m-%d").to_string()), Some(day));
        }

        #[test]
        fn no_text_is_too_odd(text in "\\PC*") {
            parse_ms(&Value::from(text));
        }

        #[test]
        fn nor_one_that_is_nearly_a_time(text in "[0-9TZ:/+., -]{0,30}") {
            parse_ms(&Value::from(text));
        }
    }

    #[test]
    fn the_usual_forms_are_read() {
        let check = |value: Value, expected: Option<&str>| {
            assert_eq!(
                parse_ms(&value).map(format_ms).as_deref(),
                expected,
                "{value}"
            );
        };
        check(
            json!("2026-11-22T02:36:00Z"),
            Some("2026-11-22T02:36:00.000Z"),
        );
        check(
            json!("2026-11-22T02:36:00.5+02:00"),
            Some("2026-11-22T00:36:00.500Z"),
        );
        check(json!("2026-11-22 02:36"), Some("2026-11-22T02:36:00.000Z"));
        check(json!("2026-11-22"), Some("2026-11-22T00:00:00.000Z"));
        check(
            json!("Sun, 22 Nov 2026 02:36:00 GMT"),
            Some("2026-11-22T02:36:00.000Z"),
        );
        check(
            json!("22 Nov 2026 02:36 -0500"),
            Some("2026-11-22T07:36:00.000Z"),
        );
        check(json!("2026-11-22T02:36Z"), Some("2026-11-22T02:36:00.000Z"));
        check(
            json!("2026-12-31T23:59:60Z"),
            Some("2027-01-01T00:00:00.000Z"),
        );
        check(
            json!("2024-02-29T00:00:00.123456789Z"),
            Some("2024-02-29T00:00:00.123Z"),
        );
        check(json!(1_517_977_070), Some("2018-02-07T04:17:50.000Z"));
        check(
            json!(1_517_977_070_820_i64),
            Some("2018-02-07T04:17:50.820Z"),
        );
        check(json!("1517977070"), Some("2018-02-07T04:17:50.000Z"));
        check(json!("2024"), None);
        check(json!("soon"), None);
        check(json!(""), None);
        check(json!(true), None);
        check(json!(1e300), None);
        check(json!("1517977070.82"), Some("2018-02-07T04:17:50.820Z"));
        check(json!("2026-02-30"), None);
        check(json!("2025-02-29"), None);
        check(json!("2026-11-22T24:00:00Z"), None);
        check(json!("2026-11-22T02:36:00+25:00"), None);
        check(json!("2026-11-22T02:36:00.Z"), None);
        check(json!("Mon, 22 Nov 2026 02:36:00 GMT"), None);
        check(json!("22 Nov 2026"), None);
        check(json!("2026-11/22"), None);
    }
}
