//! How figures are written for people: decimals, large numbers, units, the change from one figure
//! to another, and lengths of time. The client and pictures made on the server agree because both
//! ask here; only the digits themselves are written by the caller, as is usual where the reader is.

/// Keeps a figure and its unit on one line.
const NO_BREAK_SPACE: char = '\u{a0}';
/// From here on a figure is shortened: `1.28 M`.
const FIRST_SHORTENED: f64 = 1e6;
/// More decimals than a float can tell apart are never written.
const MAX_DECIMALS: u8 = 6;
/// Units that are written before their figure.
const LEADING_UNITS: [&str; 14] = [
    "€", "$", "£", "¥", "₹", "₩", "CHF", "EUR", "USD", "GBP", "JPY", "INR", "AUD", "CAD",
];

/// Writes a number with exactly so many decimals, its thousands grouped.
pub type Digits = fn(f64, u8) -> String;

/// Digits as English readers write them: `48,210.00`, `-3.5`.
pub fn english(value: f64, decimals: u8) -> String {
    let text = format!("{:.*}", usize::from(decimals), value.abs());
    let is_zero = text.chars().all(|digit| matches!(digit, '0' | '.'));
    let mut grouped = String::with_capacity(text.len() + text.len() / 3 + 1);
    if value < 0.0 && !is_zero {
        grouped.push('-');
    }
    let whole_len = text.find('.').unwrap_or(text.len());
    for (index, digit) in text.char_indices() {
        if index > 0 && index < whole_len && (whole_len - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// How many decimals are written: the wanted ones, or as many as make sense for a figure of this
/// size, without zeros at the end.
pub fn decimals_of(value: f64, wanted: Option<u8>) -> u8 {
    if let Some(wanted) = wanted {
        return wanted.min(MAX_DECIMALS);
    }
    let most = match value.abs() {
        size if size >= 1_000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.1 => 3,
        size if size >= 0.01 => 4,
        _ => MAX_DECIMALS,
    };
    let text = format!("{:.*}", usize::from(most), value.abs());
    let zeros = text.chars().rev().take_while(|digit| *digit == '0').count();
    most.saturating_sub(u8::try_from(zeros).unwrap_or(MAX_DECIMALS))
}

/// The whole figure: `48,210`, `0.034`, `-3.5`.
pub fn number(value: f64, decimals: Option<u8>, digits: Digits) -> String {
    if value.is_finite() {
        // Adding zero turns a negative zero into a plain one.
        digits(value + 0.0, decimals_of(value, decimals))
    } else {
        "–".to_owned()
    }
}

/// A figure for a small place: whole below a million, then `1.28 M`, `3.4 B`, `12 T`.
pub fn short_number(value: f64, decimals: Option<u8>, digits: Digits) -> String {
    let size = value.abs();
    let (divisor, suffix) = if size < FIRST_SHORTENED || !size.is_finite() {
        return number(value, decimals, digits);
    } else if size < 1e9 {
        (1e6, 'M')
    } else if size < 1e12 {
        (1e9, 'B')
    } else {
        (1e12, 'T')
    };
    let decimals = decimals.map(|decimals| decimals.max(2));
    let shortened = number(value / divisor, decimals, digits);
    format!("{shortened}{NO_BREAK_SPACE}{suffix}")
}

/// A figure that is already text, with its unit where people write it: `€ 12`, `12 ms`.
pub fn with_unit(figure: &str, unit: &str) -> String {
    let unit = unit.trim();
    if unit.is_empty() {
        figure.to_owned()
    } else if LEADING_UNITS.contains(&unit) {
        format!("{unit}{NO_BREAK_SPACE}{figure}")
    } else {
        format!("{figure}{NO_BREAK_SPACE}{unit}")
    }
}

/// Which way a figure went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// It rose.
    Up,
    /// It fell.
    Down,
    /// It is the same, as far as is shown.
    Flat,
}

/// How a figure differs from an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which way it went.
    pub trend: Trend,
    /// By how much, without a sign: `12.4 %`, `0.3 pt`, `61 ms`.
    pub text: String,
}

/// The change from `previous` to `value`: in per cent, in points when the unit itself is per
/// cent, and in the unit when there was nothing before to take a part of.
pub fn change(value: f64, previous: f64, unit: &str, digits: Digits) -> Change {
    let difference = value - previous;
    let (amount, decimals) = if unit.trim() == "%" {
        (difference, 1)
    } else if previous.abs() < f64::EPSILON {
        (difference, decimals_of(difference, None))
    } else {
        let percent = difference / previous.abs() * 100.0;
        (percent, u8::from(percent.abs() < 99.95))
    };
    let size = amount.abs().min(1e15);
    let text = if unit.trim() == "%" {
        format!("{}{NO_BREAK_SPACE}pt", digits(size, decimals))
    } else if previous.abs() < f64::EPSILON {
        with_unit(&short_number(size, None, digits), unit)
    } else {
        format!("{}{NO_BREAK_SPACE}%", digits(size, decimals))
    };
    let trend = if size < 0.5 / 10_f64.powi(i32::from(decimals)) {
        Trend::Flat
    } else if amount > 0.0 {
        Trend::Up
    } else {
        Trend::Down
    };
    Change { trend, text }
}

/// A length of time in its largest unit: `45 s`, `15 min`, `6 h`, `7 days`.
pub fn duration(seconds: i64) -> String {
    let (amount, unit) = match seconds {
        0..60 => (seconds, "s"),
        60..3_600 => (seconds / 60, "min"),
        3_600..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{amount}{NO_BREAK_SPACE}{unit}")
}

/// What one point of a chart stands for: `per minute`, `per 15 min`, `per day`.
pub fn per_bucket(seconds: i64) -> String {
    match seconds {
        1 => "per second".to_owned(),
        60 => "per minute".to_owned(),
        3_600 => "per hour".to_owned(),
        86_400 => "per day".to_owned(),
        _ => format!("per {}", duration(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        text.replace(NO_BREAK_SPACE, " ")
    }

    #[test]
    fn figures_are_grouped_and_cut_sensibly() {
        let check = |value: f64, decimals: Option<u8>, expected: &str| {
            assert_eq!(
                plain(&number(value, decimals, english)),
                expected,
                "{value}"
            );
        };
        check(0.0, None, "0");
        check(-0.0, None, "0");
        check(7.0, None, "7");
        check(999.0, None, "999");
        check(1_284.0, None, "1,284");
        check(1_284.6, None, "1,285");
        check(48_210.0, Some(2), "48,210.00");
        check(1_234_567.0, None, "1,234,567");
        check(123.456, None, "123.5");
        check(1.9, None, "1.9");
        check(0.034_56, None, "0.0346");
        check(0.000_001_2, None, "0.000001");
        check(-3.5, None, "-3.5");
        check(-0.4, Some(0), "0");
        check(2.5, Some(0), "2");
        check(f64::NAN, None, "–");
        check(f64::INFINITY, Some(2), "–");
        check(1.0 / 3.0, Some(200), "0.333333");
    }

    #[test]
    fn large_figures_become_short() {
        let check = |value: f64, decimals: Option<u8>, expected: &str| {
            assert_eq!(
                plain(&short_number(value, decimals, english)),
                expected,
                "{value}"
            );
        };
        check(999_999.0, None, "999,999");
        check(1_284_000.0, None, "1.28 M");
        check(12_000_000.0, None, "12 M");
        check(-3_400_000_000.0, None, "-3.4 B");
        check(5e12, None, "5 T");
        check(1_284_000.0, Some(0), "1.28 M");
        check(12.5, Some(2), "12.50");
    }

    #[test]
    fn units_stand_where_people_write_them() {
        let check =
            |unit: &str, expected: &str| assert_eq!(plain(&with_unit("12", unit)), expected);
        check("", "12");
        check(" ", "12");
        check("€", "€ 12");
        check("ms", "12 ms");
        check("%", "12 %");
    }

    #[test]
    fn changes_say_which_way_and_how_much() {
        let check = |value, previous, unit, trend, text: &str| {
            let change = change(value, previous, unit, english);
            assert_eq!(
                (change.trend, plain(&change.text)),
                (trend, text.to_owned())
            );
        };
        check(112.4, 100.0, "", Trend::Up, "12.4 %");
        check(50.0, 100.0, "€", Trend::Down, "50.0 %");
        check(100.0, 100.0, "", Trend::Flat, "0.0 %");
        check(100.001, 100.0, "", Trend::Flat, "0.0 %");
        check(1_000.0, 100.0, "", Trend::Up, "900 %");
        check(1.6, 1.9, "%", Trend::Down, "0.3 pt");
        check(1.92, 1.9, "%", Trend::Flat, "0.0 pt");
        check(61.0, 0.0, "ms", Trend::Up, "61 ms");
        check(0.0, 0.0, "", Trend::Flat, "0");
        check(5.0, -10.0, "", Trend::Up, "150 %");
    }

    #[test]
    fn lengths_of_time_have_one_unit() {
        let check = |seconds, expected: &str| assert_eq!(plain(&duration(seconds)), expected);
        check(45, "45 s");
        check(900, "15 min");
        check(21_600, "6 h");
        check(86_400, "24 h");
        check(7 * 86_400, "7 days");
        assert_eq!(plain(&per_bucket(900)), "per 15 min");
        assert_eq!(per_bucket(3_600), "per hour");
        assert_eq!(plain(&per_bucket(172_800)), "per 2 days");
    }
}
