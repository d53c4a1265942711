//! Reading points in time as they come in from outside, and writing them in one form.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde_json::Value;

/// Numbers from here on are milliseconds since 1970, smaller ones are seconds: as seconds this
/// is the year 5138, as milliseconds March 1973.
const FIRST_MILLIS: f64 = 1e11;

/// The last time that is accepted: the end of the year 9999, in milliseconds since 1970.
const LAST_MS: i64 = 253_402_300_799_999;

/// Writes a time, in milliseconds since 1970, as RFC 3339 in UTC with milliseconds.
pub fn format_ms(ms: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(ms)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Reads a time from a JSON value, in milliseconds since 1970.
///
/// Taken are RFC 3339, `YYYY-MM-DD HH:MM[:SS[.fff]]` and `YYYY-MM-DD` (both as UTC), RFC 2822,
/// and numbers or digits of Unix seconds or milliseconds.
pub fn parse_ms(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => from_unix(number.as_f64()?),
        Value::String(text) => parse_text_ms(text.trim()),
        _ => None,
    }
}

fn from_unix(number: f64) -> Option<i64> {
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

fn parse_text_ms(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    for format in [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y/%m/%d %H:%M:%S",
    ] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Some(time.and_utc().timestamp_millis());
        }
    }
    for format in ["%Y-%m-%d", "%Y/%m/%d"] {
        if let Ok(date) = NaiveDate::parse_from_str(text, format) {
            return Some(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis());
        }
    }
    if let Ok(time) = DateTime::parse_from_rfc2822(text) {
        return Some(time.timestamp_millis());
    }
    // Digits alone are a Unix time only when there are enough of them to be a plausible one:
    // "2024" is not half an hour after midnight in 1970.
    (text.len() >= 9)
        .then(|| text.parse().ok())
        .flatten()
        .and_then(from_unix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
        check(json!("2026-02-30"), None);
    }
}
