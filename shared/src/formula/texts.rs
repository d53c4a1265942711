//! The functions of texts, and of turning values into each other.

use std::borrow::Cow;

use regex_lite::Captures;
use serde_json::Value;

use super::functions::{Arguments, Function};
use super::meter::Meter;
use super::number::Number;
use super::problem::Problem;
use super::tree::{Pattern, PatternUse};
use super::value::Val;

/// The longest text a regular expression is looked for in, in bytes.
const MAX_SEARCHED_BYTES: usize = 16 * 1024;

/// Works out one of these functions.
pub fn call<'s>(
    function: Function,
    arguments: &mut Arguments<'s, '_>,
    meter: &Meter,
) -> Result<Val<'s>, Problem> {
    use Function as F;
    let first = arguments.next()?;
    match function {
        F::Text => return Ok(Val::Text(as_text(first, meter)?)),
        F::Number => return as_number(&first),
        F::Boolean => return as_boolean(&first),
        F::Join => return join(&first, arguments.maybe()?, meter),
        _ => {}
    }
    let text = match first {
        Val::Null => return Ok(Val::Null),
        Val::Text(text) => text,
        other => return Err(other.is_no("text")),
    };
    meter.work(text.len())?;
    Ok(match function {
        F::Lower => changed(text, meter, char::is_ascii_lowercase, str::to_lowercase)?,
        F::Upper => changed(text, meter, char::is_ascii_uppercase, str::to_uppercase)?,
        F::Trim => match text {
            Cow::Borrowed(text) => Val::Text(Cow::Borrowed(text.trim())),
            Cow::Owned(text) => Val::text(text.trim().to_owned()),
        },
        F::StartsWith => Val::Bool(text.starts_with(&*needed(arguments)?)),
        F::EndsWith => Val::Bool(text.ends_with(&*needed(arguments)?)),
        F::Replace => replace(&text, &needed(arguments)?, &needed(arguments)?, meter)?,
        F::Split => split(&text, &needed(arguments)?, meter)?,
        F::Left => {
            let count = usize::try_from(arguments.whole()?).unwrap_or(0);
            let end = text
                .char_indices()
                .nth(count)
                .map_or(text.len(), |(at, _)| at);
            part(text, 0, end, meter)?
        }
        _ => {
            let count = usize::try_from(arguments.whole()?).unwrap_or(0);
            let start = match count.checked_sub(1) {
                None => text.len(),
                Some(back) => text.char_indices().nth_back(back).map_or(0, |(at, _)| at),
            };
            let end = text.len();
            part(text, start, end, meter)?
        }
    })
}

/// The next value, which is a text.
fn needed<'s>(arguments: &mut Arguments<'s, '_>) -> Result<Cow<'s, str>, Problem> {
    match arguments.next()? {
        Val::Text(text) => Ok(text),
        other => Err(other.is_no("text")),
    }
}

fn changed<'s>(
    text: Cow<'s, str>,
    meter: &Meter,
    is_right: fn(&char) -> bool,
    change: fn(&str) -> String,
) -> Result<Val<'s>, Problem> {
    if text.chars().all(|c| is_right(&c)) {
        return Ok(Val::Text(text));
    }
    // A letter can become three, and each letter is looked up in a table.
    meter.take(text.len().saturating_mul(3))?;
    Ok(Val::text(change(&text)))
}

fn replace<'s>(text: &str, from: &str, to: &str, meter: &Meter) -> Result<Val<'s>, Problem> {
    if from.is_empty() {
        return Err(Problem::new(
            "",
            "replace needs a text that is to be replaced",
        ));
    }
    let found = text.matches(from).count();
    meter.steps(u32::try_from(found).unwrap_or(u32::MAX))?;
    meter.take(text.len().saturating_add(found.saturating_mul(to.len())))?;
    Ok(Val::text(text.replace(from, to)))
}

fn split<'s>(text: &str, divider: &str, meter: &Meter) -> Result<Val<'s>, Problem> {
    if divider.is_empty() {
        return Err(Problem::new("", "split needs a text to split at"));
    }
    meter.take_values(text.matches(divider).count() + 1)?;
    meter.take(text.len())?;
    Ok(Val::list(text.split(divider).map(Value::from).collect()))
}

fn join<'s>(list: &Val<'_>, divider: Option<Val<'_>>, meter: &Meter) -> Result<Val<'s>, Problem> {
    let items = match list {
        Val::Null => return Ok(Val::Null),
        Val::List(items) => items,
        other => return Err(other.is_no("a list")),
    };
    let divider = match &divider {
        None => "",
        Some(Val::Text(text)) => text,
        Some(other) => return Err(other.is_no("text")),
    };
    let mut joined = String::new();
    for (index, item) in items.iter().enumerate() {
        meter.step()?;
        if index > 0 {
            meter.take(divider.len())?;
            joined.push_str(divider);
        }
        let text = as_text(Val::of(item), meter)?;
        meter.take(text.len())?;
        joined.push_str(&text);
    }
    Ok(Val::text(joined))
}

/// The bytes of a text from one place to another, both of which begin a character.
pub fn part<'s>(
    text: Cow<'s, str>,
    start: usize,
    end: usize,
    meter: &Meter,
) -> Result<Val<'s>, Problem> {
    Ok(match text {
        Cow::Borrowed(text) => Val::Text(Cow::Borrowed(text.get(start..end).unwrap_or_default())),
        Cow::Owned(text) => {
            meter.take(end.saturating_sub(start))?;
            Val::text(text.get(start..end).unwrap_or_default().to_owned())
        }
    })
}

/// Any value as text; nothing is an empty text.
pub fn as_text<'s>(value: Val<'s>, meter: &Meter) -> Result<Cow<'s, str>, Problem> {
    Ok(match value {
        Val::Null => Cow::Borrowed(""),
        Val::Text(text) => text,
        Val::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
        Val::Number(number) => {
            meter.take(32)?;
            Cow::Owned(number.to_string())
        }
        other => {
            let json = other.into_json(meter)?.to_string();
            // In JSON a character can take six.
            meter.take(json.len())?;
            Cow::Owned(json)
        }
    })
}

fn as_number<'s>(value: &Val<'_>) -> Result<Val<'s>, Problem> {
    match value {
        Val::Null => Ok(Val::Null),
        Val::Number(number) => Ok(Val::Number(*number)),
        Val::Bool(value) => Ok(Val::Number(i64::from(*value).into())),
        Val::Text(text) if text.trim().is_empty() => Ok(Val::Null),
        Val::Text(text) if text.len() <= 400 => {
            Number::parse(text).map(Val::Number).ok_or_else(|| {
                Problem::new(
                    &value.shown(),
                    format!("“{}” is not a number", value.shown()),
                )
            })
        }
        other => Err(other.is_no("a number")),
    }
}

fn as_boolean<'s>(value: &Val<'_>) -> Result<Val<'s>, Problem> {
    let read = match value {
        Val::Null => return Ok(Val::Null),
        Val::Bool(value) => Some(*value),
        Val::Number(number) => match number.to_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Val::Text(text) if text.len() <= 10 => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    };
    read.map(Val::Bool)
        .ok_or_else(|| value.is_no("true or false"))
}

/// Looks for a regular expression.
pub fn search<'s>(
    usage: PatternUse,
    pattern: &Pattern,
    text: Val<'s>,
    meter: &Meter,
) -> Result<Val<'s>, Problem> {
    let text = match text {
        Val::Null => {
            return Ok(match usage {
                PatternUse::Matches => Val::Bool(false),
                PatternUse::Extract => Val::Null,
            });
        }
        Val::Text(text) => text,
        other => return Err(other.is_no("text")),
    };
    if text.len() > MAX_SEARCHED_BYTES {
        let message =
            format!("a pattern is looked for in texts of at most {MAX_SEARCHED_BYTES} bytes");
        return Err(Problem::new("", message));
    }
    // At each character, each part of the pattern can be where the search stands.
    meter.work(text.len().saturating_mul(pattern.weight))?;
    if usage == PatternUse::Matches {
        return Ok(Val::Bool(pattern.regex.is_match(&text)));
    }
    let found = |groups: Captures<'_>| {
        let group = groups.get(1).or_else(|| groups.get(0))?;
        Some((group.start(), group.end()))
    };
    match pattern.regex.captures(&text).and_then(found) {
        Some((start, end)) => part(text, start, end, meter),
        None => Ok(Val::Null),
    }
}
