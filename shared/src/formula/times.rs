//! The functions of times. A time is what [`timestamps::parse_ms`] reads; all of them are in UTC.

use super::functions::{Arguments, Function};
use super::number::Number;
use super::problem::Problem;
use super::value::Val;
use crate::timestamps::{self, DAY_MS, HOUR_MS, LAST_MS, MINUTE_MS, SECOND_MS};

/// Works out one of these functions.
pub fn call<'s>(
    function: Function,
    arguments: &mut Arguments<'s, '_>,
    now_ms: i64,
) -> Result<Val<'s>, Problem> {
    use Function as F;
    if function == F::Now {
        return Ok(time(now_ms));
    }
    let Some(ms) = needed(&arguments.next()?)? else {
        return Ok(Val::Null);
    };
    let (year, month, day) = timestamps::date_of(ms.div_euclid(DAY_MS));
    Ok(match function {
        F::Time => time(ms),
        F::Date => Val::text(format!("{year:04}-{month:02}-{day:02}")),
        F::Year => Val::Number(year.into()),
        F::Month => Val::Number(month.into()),
        F::Day => Val::Number(day.into()),
        F::Hour => Val::Number((ms.rem_euclid(DAY_MS) / HOUR_MS).into()),
        F::Minute => Val::Number((ms.rem_euclid(HOUR_MS) / MINUTE_MS).into()),
        // 1 January 1970 was a Thursday.
        F::Weekday => Val::Number(((ms.div_euclid(DAY_MS) + 3).rem_euclid(7) + 1).into()),
        F::Unix => Val::Number(
            Number::from(ms)
                .divided_by(SECOND_MS.into())
                .unwrap_or(Number::ZERO),
        ),
        F::AddTime => {
            let amount = arguments.next()?;
            let unit_ms = unit(&arguments.next()?)?;
            let Val::Number(number) = amount else {
                return match amount {
                    Val::Null => Ok(Val::Null),
                    other => Err(other.is_no("a number")),
                };
            };
            number
                .times(unit_ms.into())
                .and_then(|added| added.rounded(0).to_i64())
                .and_then(|added| ms.checked_add(added))
                .filter(|ms| (-LAST_MS..=LAST_MS).contains(ms))
                .map(time)
                .ok_or_else(|| Problem::new(&amount.shown(), "this time is too far away"))?
        }
        F::TimeBetween => {
            let Some(other_ms) = needed(&arguments.next()?)? else {
                return Ok(Val::Null);
            };
            let unit_ms = unit(&arguments.next()?)?;
            let between = Number::from(other_ms - ms).divided_by(unit_ms.into());
            Val::Number(between.unwrap_or(Number::ZERO))
        }
        _ => start_of(ms, &arguments.next()?)?,
    })
}

fn time<'s>(ms: i64) -> Val<'s> {
    Val::text(timestamps::format_ms(ms))
}

/// The time that a value is; none for nothing.
fn needed(value: &Val<'_>) -> Result<Option<i64>, Problem> {
    let ms = match value {
        Val::Null => return Ok(None),
        Val::Text(text) if text.len() <= 64 => timestamps::parse_text(text),
        Val::Number(number) => timestamps::from_unix(number.to_f64()),
        _ => None,
    };
    ms.map(Some).ok_or_else(|| value.is_no("a time"))
}

/// How long a unit is, in milliseconds.
fn unit(name: &Val<'_>) -> Result<i64, Problem> {
    let Val::Text(text) = name else {
        return Err(name.is_no("a unit of time"));
    };
    Ok(match text.trim_end_matches('s') {
        "second" => SECOND_MS,
        "minute" => MINUTE_MS,
        "hour" => HOUR_MS,
        "day" => DAY_MS,
        "week" => 7 * DAY_MS,
        _ => return Err(no_unit(name, "seconds, minutes, hours, days or weeks")),
    })
}

fn no_unit(name: &Val<'_>, known: &str) -> Problem {
    let shown = name.shown();
    Problem::new(
        &shown,
        format!("“{shown}” is no unit of time: there are {known}"),
    )
}

fn start_of<'s>(ms: i64, name: &Val<'_>) -> Result<Val<'s>, Problem> {
    let days = ms.div_euclid(DAY_MS);
    let (year, month, _) = timestamps::date_of(days);
    let start_ms = match name {
        Val::Text(text) => match text.as_ref() {
            "minute" => Some(ms - ms.rem_euclid(MINUTE_MS)),
            "hour" => Some(ms - ms.rem_euclid(HOUR_MS)),
            "day" => Some(days * DAY_MS),
            "week" => Some((days - (days + 3).rem_euclid(7)) * DAY_MS),
            "month" => timestamps::date_ms(year, month, 1),
            "year" => timestamps::date_ms(year, 1, 1),
            _ => None,
        },
        other => return Err(other.is_no("a unit of time")),
    };
    start_ms
        .map(time)
        .ok_or_else(|| no_unit(name, "minute, hour, day, week, month and year"))
}
