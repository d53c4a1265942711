//! Patterns of dates, as `strftime` has them: `%d.%m.%Y %H:%M`.

use super::{HOUR_MS, LAST_MS, MINUTE_MS, MONTHS, Read, SECOND_MS, Scan, WEEKDAYS, date_ms};

/// The longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 100;
/// The months as they are written out.
const LONG_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// The days of the week as they are written out.
const LONG_WEEKDAYS: [&str; 7] = [
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
];

/// A pattern, ready to read dates.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
    /// Whether a text has to be exactly like the pattern. If not, dots stand for any divider of
    /// dates, and seconds may be missing.
    is_strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Year,
    ShortYear,
    Month,
    MonthName,
    Day,
    WeekdayName,
    Hour,
    HourOfHalf,
    Minute,
    Second,
    Fraction,
    Half,
    Offset,
    Blank,
    Sign(char),
}

/// What was read so far.
#[derive(Default)]
struct Found {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    hour: i64,
    half: Option<i64>,
    ms: i64,
    offset_ms: Option<i64>,
}

impl Pattern {
    /// Reads a pattern.
    pub(crate) fn parse(pattern: &str, is_strict: bool) -> Result<Self, String> {
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(format!(
                "A pattern has at most {MAX_PATTERN_BYTES} characters."
            ));
        }
        let mut parts = Vec::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                parts.push(if c.is_whitespace() {
                    Part::Blank
                } else {
                    Part::Sign(c)
                });
                continue;
            }
            match chars.next() {
                Some('Y') => parts.push(Part::Year),
                Some('y') => parts.push(Part::ShortYear),
                Some('m') => parts.push(Part::Month),
                Some('b' | 'B' | 'h') => parts.push(Part::MonthName),
                Some('d' | 'e') => parts.push(Part::Day),
                Some('a' | 'A') => parts.push(Part::WeekdayName),
                Some('H' | 'k') => parts.push(Part::Hour),
                Some('I' | 'l') => parts.push(Part::HourOfHalf),
                Some('M') => parts.push(Part::Minute),
                Some('S') => parts.push(Part::Second),
                Some('f') => parts.push(Part::Fraction),
                Some('p' | 'P') => parts.push(Part::Half),
                Some('z') => parts.push(Part::Offset),
                Some('F') => parts.extend([
                    Part::Year,
                    Part::Sign('-'),
                    Part::Month,
                    Part::Sign('-'),
                    Part::Day,
                ]),
                Some('T') => parts.extend([
                    Part::Hour,
                    Part::Sign(':'),
                    Part::Minute,
                    Part::Sign(':'),
                    Part::Second,
                ]),
                Some('%') => parts.push(Part::Sign('%')),
                Some(other) => {
                    return Err(format!(
                        "“%{other}” is no part of a date. There are %Y %y %m %b %d %a %H %I %M %S %f %p %z."
                    ));
                }
                None => return Err("A pattern does not end with %; write %%.".to_owned()),
            }
        }
        let has = |wanted: &[Part]| parts.iter().any(|part| wanted.contains(part));
        if !has(&[Part::Year, Part::ShortYear])
            || !has(&[Part::Month, Part::MonthName])
            || !has(&[Part::Day])
        {
            return Err("A pattern has a year (%Y), a month (%m) and a day (%d).".to_owned());
        }
        Ok(Self { parts, is_strict })
    }

    /// Reads a date that is written like the pattern.
    pub(crate) fn read(&self, text: &str) -> Option<Read> {
        let mut scan = Scan(text);
        let mut found = Found::default();
        let mut parts = self.parts.iter().peekable();
        while let Some(part) = parts.next() {
            let seconds_next = parts.peek() == Some(&&Part::Second);
            if !self.is_strict
                && seconds_next
                && *part == Part::Sign(':')
                && !scan.0.starts_with(':')
            {
                parts.next();
                continue;
            }
            self.read_part(*part, &mut scan, &mut found)?;
        }
        scan.is_at_end().then(|| found.read())?
    }

    fn read_part(&self, part: Part, scan: &mut Scan<'_>, found: &mut Found) -> Option<()> {
        let within = |number: i64, most: i64| (number <= most).then_some(number);
        match part {
            Part::Year => found.year = Some(scan.first_digits(4, 4)?),
            Part::ShortYear => {
                let year = scan.first_digits(2, 2)?;
                // As most do: 69 is 1969, 68 is 2068.
                found.year = Some(if year < 69 { 2000 + year } else { 1900 + year });
            }
            Part::Month => found.month = Some(scan.first_digits(1, 2)?),
            Part::MonthName => {
                let month = scan.one_of(LONG_MONTHS).or_else(|| scan.one_of(MONTHS))?;
                found.month = Some(month + 1);
            }
            Part::Day => {
                scan.spaces();
                found.day = Some(scan.first_digits(1, 2)?);
            }
            Part::WeekdayName => {
                scan.one_of(LONG_WEEKDAYS)
                    .or_else(|| scan.one_of(WEEKDAYS))?;
            }
            Part::Hour => found.hour = within(scan.first_digits(1, 2)?, 23)?,
            Part::HourOfHalf => {
                found.hour = within(scan.first_digits(1, 2)?, 12)?;
                found.half.get_or_insert(0);
            }
            Part::Minute => found.ms += within(scan.first_digits(1, 2)?, 59)? * MINUTE_MS,
            Part::Second => found.ms += within(scan.first_digits(1, 2)?, 60)? * SECOND_MS,
            Part::Fraction => {
                #[expect(clippy::cast_possible_truncation, reason = "less than a thousand")]
                let milli = (scan.fraction()? * 1e3 + 1e-6) as i64;
                found.ms += milli;
            }
            Part::Half => found.half = Some(scan.one_of(["AM", "PM"])?),
            Part::Offset => {
                let is_utc = scan.take("Z") || scan.take("z");
                found.offset_ms = Some(if is_utc { 0 } else { scan.offset_ms()? });
            }
            Part::Blank => scan.spaces().then_some(())?,
            Part::Sign('.') if !self.is_strict => {
                let dividers = [".", "/", "-"];
                dividers
                    .iter()
                    .any(|divider| scan.take(divider))
                    .then_some(())?;
            }
            Part::Sign(sign) => scan.take(sign.encode_utf8(&mut [0; 4])).then_some(())?,
        }
        Some(())
    }
}

impl Found {
    fn read(self) -> Option<Read> {
        let date_ms = date_ms(self.year?, self.month?, self.day?)?;
        let hour = match self.half {
            Some(half) => self.hour % 12 + half * 12,
            None => self.hour,
        };
        let ms = date_ms + hour * HOUR_MS + self.ms;
        (-LAST_MS..=LAST_MS).contains(&ms).then_some(())?;
        Some(match self.offset_ms {
            Some(offset_ms) => Read::Moment(ms - offset_ms),
            None => Read::Local(ms),
        })
    }
}
