//! The functions of lists and objects.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::functions::{Arguments, Function};
use super::meter::Meter;
use super::problem::Problem;
use super::texts::part;
use super::value::{Object, Val};
use crate::fields::Fields;

/// The longest list that a function makes.
const MAX_ITEMS: usize = 10_000;

/// Works out one of these functions.
pub fn call<'s>(
    function: Function,
    arguments: &mut Arguments<'s, '_>,
    meter: &Meter,
) -> Result<Val<'s>, Problem> {
    use Function as F;
    if function == F::Range {
        return range(arguments.whole()?, arguments.whole()?, meter);
    }
    let value = arguments.next()?;
    if matches!(value, Val::Null) {
        return Ok(match function {
            F::Contains => Val::Bool(false),
            _ => Val::Null,
        });
    }
    match (function, value) {
        (F::Len, Val::Text(text)) => {
            meter.work(text.len())?;
            Ok(Val::Number(text.chars().count().into()))
        }
        (F::Len, Val::List(items)) => Ok(Val::Number(items.len().into())),
        (F::Len, Val::Object(fields)) => Ok(Val::Number(fields.len().into())),
        (F::Contains, value) => is_in(&arguments.next()?, &value, meter).map(Val::Bool),
        (F::Slice, Val::Text(text)) => {
            meter.work(text.len())?;
            let count = text.chars().count();
            let (start, end) = bounds(arguments, count)?;
            let byte = |at: usize| {
                text.char_indices()
                    .nth(at)
                    .map_or(text.len(), |(byte, _)| byte)
            };
            let (start, end) = (byte(start), byte(end));
            part(text, start, end, meter)
        }
        (F::Slice, Val::List(items)) => {
            let (start, end) = bounds(arguments, items.len())?;
            match items {
                Cow::Borrowed(items) => Ok(Val::List(Cow::Borrowed(
                    items.get(start..end).unwrap_or_default(),
                ))),
                Cow::Owned(mut items) => {
                    items.truncate(end);
                    Ok(Val::list(items.split_off(start.min(items.len()))))
                }
            }
        }
        (F::First, Val::List(items)) => at(items, Some(0), meter),
        (F::Last, Val::List(items)) => {
            let last = items.len().checked_sub(1);
            at(items, last, meter)
        }
        (F::Sort, Val::List(items)) => sort(Val::List(items), meter),
        (F::Unique, Val::List(items)) => unique(&items, meter),
        (F::Reverse, Val::List(items)) => {
            let mut items = own(items, meter)?;
            items.reverse();
            Ok(Val::list(items))
        }
        (F::Flat, Val::List(items)) => {
            let mut flat = Vec::new();
            for item in own(items, meter)? {
                meter.step()?;
                match item {
                    Value::Array(inner) => flat.extend(inner),
                    other => flat.push(other),
                }
            }
            meter.take_values(flat.len())?;
            Ok(Val::list(flat))
        }
        (F::Keys, Val::Object(fields)) => {
            meter.take_values(fields.len())?;
            for key in fields.keys() {
                meter.take(key.len())?;
            }
            Ok(Val::list(
                fields.keys().map(|key| Value::from(key.as_str())).collect(),
            ))
        }
        (F::Values, Val::Object(fields)) => {
            meter.take_copy_of_fields(&fields)?;
            Ok(Val::list(fields.values().cloned().collect()))
        }
        (F::Len, other) => Err(other.is_no("a text, a list or an object")),
        (F::Keys | F::Values, other) => Err(other.is_no("an object")),
        (_, other) => Err(other.is_no("a list")),
    }
}

/// Whether a value is one of a list, a part of a text, or the name of an object's field.
pub fn is_in(wanted: &Val<'_>, all: &Val<'_>, meter: &Meter) -> Result<bool, Problem> {
    match (wanted, all) {
        (wanted, Val::List(items)) => {
            for item in items.iter() {
                meter.step()?;
                if wanted.equals(&Val::of(item), meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Val::Text(part), Val::Text(text)) => {
            meter.work(text.len())?;
            Ok(text.contains(&**part))
        }
        (Val::Text(key), Val::Object(fields)) => Ok(fields.contains_key(&**key)),
        (_, Val::Null) | (Val::Null, _) => Ok(false),
        (wanted, Val::Text(_) | Val::Object(_)) => Err(wanted.is_no("text")),
        (_, other) => Err(other.is_no("a list")),
    }
}

/// Objects as one; a field of a later one wins.
pub fn merge<'s>(objects: Vec<Val<'s>>, meter: &Meter) -> Result<Val<'s>, Problem> {
    let mut merged = Fields::new();
    for object in objects {
        match object {
            Val::Null => {}
            Val::Object(fields) => {
                if matches!(fields, Object::Borrowed(_)) {
                    meter.take_copy_of_fields(&fields)?;
                }
                meter.take_values(fields.len())?;
                merged.extend(fields.into_owned());
            }
            other => return Err(other.is_no("an object")),
        }
    }
    Ok(Val::object(merged))
}

/// The element at a place of a list.
pub fn at<'s>(
    items: Cow<'s, [Value]>,
    place: Option<usize>,
    meter: &Meter,
) -> Result<Val<'s>, Problem> {
    meter.step()?;
    Ok(match (items, place) {
        (Cow::Borrowed(items), Some(place)) => items.get(place).map_or(Val::Null, Val::of),
        (Cow::Owned(mut items), Some(place)) if place < items.len() => {
            Val::owned(items.swap_remove(place))
        }
        _ => Val::Null,
    })
}

/// The items, copied if they are only borrowed.
fn own(items: Cow<'_, [Value]>, meter: &Meter) -> Result<Vec<Value>, Problem> {
    if let Cow::Borrowed(items) = items {
        items.iter().try_for_each(|item| meter.take_copy_of(item))?;
    }
    Ok(items.into_owned())
}

/// A part's beginning and end, as people count: from 0; below it, from the end.
fn bounds(arguments: &mut Arguments<'_, '_>, count: usize) -> Result<(usize, usize), Problem> {
    let place = |at: i64| {
        let from_start = usize::try_from(at).ok();
        let from_end = || count.saturating_sub(usize::try_from(at.unsigned_abs()).unwrap_or(count));
        from_start.unwrap_or_else(from_end).min(count)
    };
    let start = place(arguments.whole()?);
    let end = match arguments.maybe()? {
        None | Some(Val::Null) => count,
        Some(Val::Number(number)) if number.to_i64().is_some() => {
            place(number.to_i64().unwrap_or_default())
        }
        Some(other) => return Err(other.is_no("a whole number")),
    };
    Ok((start, end.max(start)))
}

fn range<'s>(from: i64, to: i64, meter: &Meter) -> Result<Val<'s>, Problem> {
    let count = to.saturating_sub(from).saturating_add(1).max(0);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > MAX_ITEMS {
        let message = format!("a range has at most {MAX_ITEMS} numbers");
        return Err(Problem::new("", message));
    }
    meter.take_values(count)?;
    Ok(Val::list((from..=to).map(Value::from).collect()))
}

/// Numbers by size or texts by their characters; what is nothing comes last.
fn sort<'s>(list: Val<'s>, meter: &Meter) -> Result<Val<'s>, Problem> {
    let Val::List(items) = list else {
        return Ok(list);
    };
    let mut items = own(items, meter)?;
    let mut failed = None;
    items.sort_by(|a, b| {
        if failed.is_some() {
            return Ordering::Equal;
        }
        let (a, b) = (Val::of(a), Val::of(b));
        let order = meter.step().and_then(|()| match (&a, &b) {
            (Val::Null, Val::Null) => Ok(Ordering::Equal),
            (Val::Null, _) => Ok(Ordering::Greater),
            (_, Val::Null) => Ok(Ordering::Less),
            (a, b) => Ok(a.order(b, meter)?.unwrap_or(Ordering::Equal)),
        });
        order.unwrap_or_else(|problem| {
            failed = Some(problem);
            Ordering::Equal
        })
    });
    failed.map_or(Ok(Val::list(items)), Err)
}

fn unique<'s>(items: &[Value], meter: &Meter) -> Result<Val<'s>, Problem> {
    let mut seen = std::collections::HashSet::new();
    let mut unique = Vec::new();
    for item in items {
        meter.take_copy_of(item)?;
        // The text of JSON: the same value, the same text.
        let text = item.to_string();
        meter.take(text.len())?;
        if seen.insert(text) {
            unique.push(item.clone());
        }
    }
    Ok(Val::list(unique))
}
