//! Dates as they are written elsewhere.

use serde_json::Value;

use super::Context;
use crate::fields::{FieldPath, Fields};
use crate::timestamps::{self, HOUR_MS, LAST_MS, Pattern, Read};
use crate::transform::check::Checker;
use crate::transform::definition::{DateFormat, ParseDateStep};
use crate::transform::outcome::Fault;
use crate::{InvalidCode, numbers};

/// A format and a zone, ready to read dates.
#[derive(Debug)]
pub struct ParseDate {
    fields: Vec<FieldPath>,
    format: Format,
    zone: Zone,
}

#[derive(Debug)]
enum Format {
    Auto,
    /// How many units a second has.
    Unix {
        units: f64,
    },
    /// The first one that fits.
    Patterns(Vec<Pattern>),
}

/// The time zone of dates that do not name one.
#[derive(Debug, PartialEq)]
pub enum Zone {
    /// So many milliseconds ahead of UTC.
    Fixed(i64),
    /// By the rules of a place, which the environment knows.
    Named(String),
}

impl Zone {
    /// Reads `UTC`, `+02:00` or `Europe/Berlin`. Whether a place is known is seen when it is used.
    pub fn parse(text: &str) -> Option<Self> {
        if matches!(text, "UTC" | "GMT" | "Z") {
            return Some(Self::Fixed(0));
        }
        if text.starts_with(['+', '-']) {
            return timestamps::parse_offset_ms(text).map(Self::Fixed);
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+');
        let is_name = text.len() <= 40
            && text.contains('/')
            && text
                .split('/')
                .all(|part| !part.is_empty() && part.chars().all(plain));
        is_name.then(|| Self::Named(text.to_owned()))
    }
}

impl ParseDate {
    pub fn compile(step: &ParseDateStep, checker: &mut Checker) -> Option<Self> {
        let zone = Zone::parse(&step.zone);
        if zone.is_none() {
            checker.report(
                "zone",
                InvalidCode::Invalid,
                "A time zone is UTC, an offset like +02:00, or a place like Europe/Berlin.",
            );
        }
        let patterns = match &step.format {
            DateFormat::Auto => &[][..],
            DateFormat::UnixSeconds | DateFormat::UnixMilliseconds => &[],
            DateFormat::DayFirst => &["%d.%m.%Y", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %I:%M:%S %p"],
            DateFormat::MonthFirst => &["%m.%d.%Y", "%m.%d.%Y %H:%M:%S", "%m.%d.%Y %I:%M:%S %p"],
            DateFormat::Pattern(pattern) => &[pattern.as_str()],
        };
        let mut ready = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            let is_own = matches!(step.format, DateFormat::Pattern(_));
            match Pattern::parse(pattern, is_own) {
                Ok(pattern) => ready.push(pattern),
                Err(message) => checker.report("format.pattern", InvalidCode::Invalid, message),
            }
        }
        let format = match step.format {
            DateFormat::Auto => Format::Auto,
            DateFormat::UnixSeconds => Format::Unix { units: 1.0 },
            DateFormat::UnixMilliseconds => Format::Unix { units: 1e3 },
            _ => Format::Patterns(ready),
        };
        Some(Self {
            fields: step.fields.clone(),
            format,
            zone: zone?,
        })
    }

    /// The name of the zone, if it is one by name.
    pub fn zone_name(&self) -> Option<&str> {
        match &self.zone {
            Zone::Named(name) => Some(name),
            Zone::Fixed(_) => None,
        }
    }

    pub fn run(&self, fields: &mut Fields, context: &mut Context<'_>) -> Result<(), Fault> {
        for path in &self.fields {
            let Some(value) = path.get_mut(fields).filter(|value| !value.is_null()) else {
                continue;
            };
            *value = match self.read(value, context) {
                Ok(ms) => timestamps::format_ms(ms).into(),
                Err(message) => {
                    context.keep(Fault::new(path, value, message))?;
                    Value::Null
                }
            };
        }
        Ok(())
    }

    /// The time that a value means, in milliseconds since 1970.
    fn read(&self, value: &Value, context: &Context<'_>) -> Result<i64, String> {
        let read = match (&self.format, value) {
            (Format::Auto, Value::String(text)) => timestamps::read_text(text),
            (Format::Auto, value) => timestamps::parse_ms(value).map(Read::Moment),
            (Format::Unix { units }, value) => {
                let number = match value {
                    Value::Number(number) => number.as_f64(),
                    Value::String(text) => numbers::exact(text.trim()),
                    _ => None,
                };
                number
                    .and_then(|number| from_unix(number / units))
                    .map(Read::Moment)
            }
            (Format::Patterns(patterns), Value::String(text)) => {
                let text = text.trim();
                patterns.iter().find_map(|pattern| pattern.read(text))
            }
            (Format::Patterns(_), _) => None,
        };
        let not_a_date = || "this is not a date in the format of the step".to_owned();
        let local_ms = match read.ok_or_else(not_a_date)? {
            Read::Moment(ms) => return Ok(ms),
            Read::Local(ms) => ms,
        };
        let ms = match &self.zone {
            Zone::Fixed(offset_ms) => local_ms - offset_ms,
            Zone::Named(name) => {
                let offset_ms = context
                    .environment
                    .zone_offset_ms(name, local_ms)
                    .filter(|offset_ms| offset_ms.abs() <= 24 * HOUR_MS)
                    .ok_or_else(|| format!("the time zone {name} is not known here"))?;
                local_ms - offset_ms
            }
        };
        (-LAST_MS..=LAST_MS)
            .contains(&ms)
            .then_some(ms)
            .ok_or_else(not_a_date)
    }
}

fn from_unix(seconds: f64) -> Option<i64> {
    let ms = (seconds * 1e3).round();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "far smaller than the largest"
    )]
    (ms.abs() <= 1e15)
        .then_some(ms as i64)
        .filter(|ms| (-LAST_MS..=LAST_MS).contains(ms))
}
