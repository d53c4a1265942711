//! Works a tree out for one record.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::functions::{call, too_large};
use super::lists;
use super::meter::Meter;
use super::number::Number;
use super::problem::Problem;
use super::texts;
use super::tree::{Accessor, Arithmetic, Base, Each, Expr, Relation};
use super::value::{Object, Val};
use crate::fields::Fields;

/// What a formula can see.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'s> {
    /// The record.
    pub record: &'s Fields,
    /// The variables of a script.
    pub locals: &'s [Val<'static>],
    /// The element of a list that is looked at.
    pub element: Option<&'s Value>,
    /// This moment.
    pub now_ms: i64,
    /// What may still be used up.
    pub meter: &'s Meter,
}

/// Works out what a tree is for a record. What it borrows is the record's or the tree's.
pub fn eval<'s>(expr: &'s Expr, scope: &Scope<'s>) -> Result<Val<'s>, Problem> {
    scope.meter.step()?;
    Ok(match expr {
        Expr::Null => Val::Null,
        Expr::Bool(value) => Val::Bool(*value),
        Expr::Number(number) => Val::Number(*number),
        Expr::Text(text) => Val::Text(Cow::Borrowed(text)),
        Expr::Path(base, accessors) => {
            let mut value = start(base, scope)?;
            for accessor in accessors {
                value = access(value, accessor, scope)?;
            }
            value
        }
        Expr::List(items) => list_of(items, scope)?,
        Expr::Object(entries) => object_of(entries, scope)?,
        Expr::Not(inner) => Val::Bool(!eval(inner, scope)?.truth()?),
        Expr::Negative(inner) => match eval(inner, scope)? {
            Val::Null => Val::Null,
            Val::Number(number) => Val::Number(number.negated()),
            other => return Err(other.is_no("a number")),
        },
        Expr::All(parts) => Val::Bool(!finds(parts, false, scope)?),
        Expr::Any(parts) => Val::Bool(finds(parts, true, scope)?),
        Expr::FirstOf(parts) => {
            let mut value = Val::Null;
            for part in parts {
                value = eval(part, scope)?;
                if !matches!(value, Val::Null) {
                    break;
                }
            }
            value
        }
        Expr::Arithmetic(first, rest) => {
            let mut value = eval(first, scope)?;
            for (operator, part) in rest {
                value = arithmetic(value, *operator, eval(part, scope)?, scope.meter)?;
            }
            value
        }
        Expr::Compare(left, relation, right) => {
            let (left, right) = (eval(left, scope)?, eval(right, scope)?);
            Val::Bool(compare(&left, *relation, &right, scope.meter)?)
        }
        Expr::In(wanted, all) => {
            let wanted = eval(wanted, scope)?;
            Val::Bool(lists::is_in(&wanted, &eval(all, scope)?, scope.meter)?)
        }
        Expr::If(parts) => {
            let [condition, yes, no] = parts.as_ref();
            let chosen = if eval(condition, scope)?.truth()? {
                yes
            } else {
                no
            };
            eval(chosen, scope)?
        }
        Expr::Call(function, arguments) => call(*function, arguments, scope)?,
        Expr::Each(each, list, body) => each_of(*each, eval(list, scope)?, body, scope)?,
        Expr::Pattern(usage, text, pattern) => {
            texts::search(*usage, pattern, eval(text, scope)?, scope.meter)?
        }
    })
}

// What is rare stays out of `eval` itself, which is entered for every part of a tree.
#[inline(never)]
fn list_of<'s>(items: &'s [Expr], scope: &Scope<'s>) -> Result<Val<'s>, Problem> {
    scope.meter.take_values(items.len())?;
    let part = |item| eval(item, scope)?.into_part(scope.meter);
    Ok(Val::list(items.iter().map(part).collect::<Result<_, _>>()?))
}

#[inline(never)]
fn object_of<'s>(entries: &'s [(String, Expr)], scope: &Scope<'s>) -> Result<Val<'s>, Problem> {
    scope.meter.take_values(entries.len())?;
    let mut fields = Fields::new();
    for (key, value) in entries {
        scope.meter.take(key.len())?;
        fields.insert(key.clone(), eval(value, scope)?.into_part(scope.meter)?);
    }
    Ok(Val::object(fields))
}

/// Whether one of the conditions is as wanted; those after it are not looked at.
fn finds<'s>(parts: &'s [Expr], wanted: bool, scope: &Scope<'s>) -> Result<bool, Problem> {
    for part in parts {
        if eval(part, scope)?.truth()? == wanted {
            return Ok(true);
        }
    }
    Ok(false)
}

fn start<'s>(base: &'s Base, scope: &Scope<'s>) -> Result<Val<'s>, Problem> {
    Ok(match base {
        Base::Field(key) => scope.record.get(key).map_or(Val::Null, Val::of),
        Base::Record => Val::Object(Object::Borrowed(scope.record)),
        Base::Element => scope.element.map_or(Val::Null, Val::of),
        Base::Local(place) => scope.locals.get(*place).map_or(Val::Null, Val::by_ref),
        Base::Value(expr) => eval(expr, scope)?,
    })
}

fn access<'s>(
    value: Val<'s>,
    accessor: &'s Accessor,
    scope: &Scope<'s>,
) -> Result<Val<'s>, Problem> {
    scope.meter.step()?;
    match accessor {
        Accessor::Key(key) => Ok(field(value, key)),
        Accessor::At(place) => match (value, eval(place, scope)?) {
            (Val::Null, _) | (_, Val::Null) => Ok(Val::Null),
            (value, Val::Text(key)) => Ok(field(value, &key)),
            (Val::List(items), Val::Number(number)) => {
                let place = number
                    .to_i64()
                    .and_then(|place| place_in(place, items.len()));
                lists::at(items, place, scope.meter)
            }
            (Val::Object(_), place) => Err(place.is_no("text")),
            (Val::List(_), place) => Err(place.is_no("a number")),
            _ => Ok(Val::Null),
        },
    }
}

/// The field of an object; nothing in what is no object.
fn field<'s>(value: Val<'s>, key: &str) -> Val<'s> {
    match value {
        Val::Object(Object::Borrowed(fields)) => fields.get(key).map_or(Val::Null, Val::of),
        Val::Object(Object::Owned(mut fields)) => {
            fields.swap_remove(key).map_or(Val::Null, Val::owned)
        }
        _ => Val::Null,
    }
}

/// The place of an element; below 0, counted from the end.
pub fn place_in(place: i64, count: usize) -> Option<usize> {
    match usize::try_from(place) {
        Ok(place) => Some(place),
        Err(_) => count.checked_sub(usize::try_from(place.unsigned_abs()).ok()?),
    }
}

fn arithmetic<'s>(
    left: Val<'s>,
    operator: Arithmetic,
    right: Val<'s>,
    meter: &Meter,
) -> Result<Val<'s>, Problem> {
    match (left, operator, right) {
        (Val::Number(left), operator, Val::Number(right)) => number(left, operator, right),
        (left @ Val::Text(_), Arithmetic::Plus, right)
        | (left, Arithmetic::Plus, right @ Val::Text(_)) => join(left, right, meter),
        (Val::List(left), Arithmetic::Plus, Val::List(right)) => {
            let mut items = Val::List(left).into_json(meter)?;
            let added = Val::List(right).into_json(meter)?;
            if let (Value::Array(items), Value::Array(added)) = (&mut items, added) {
                meter.take_values(items.len() + added.len())?;
                items.extend(added);
            }
            Ok(Val::owned(items))
        }
        // Nothing makes nothing: a missing value is not a wrong one.
        (Val::Null, _, Val::Null | Val::Number(_)) | (Val::Number(_), _, Val::Null) => {
            Ok(Val::Null)
        }
        (Val::Null | Val::Number(_), _, right) => Err(right.is_no("a number")),
        (left, _, _) => Err(left.is_no("a number")),
    }
}

fn number<'s>(left: Number, operator: Arithmetic, right: Number) -> Result<Val<'s>, Problem> {
    let result = match operator {
        Arithmetic::Plus => left.plus(right),
        Arithmetic::Minus => left.minus(right),
        Arithmetic::Times => left.times(right),
        Arithmetic::Power => left.to_the(right),
        Arithmetic::DividedBy | Arithmetic::Remainder if right.is_zero() => {
            return Err(Problem::new("0", "this divides by zero"));
        }
        Arithmetic::DividedBy => left.divided_by(right),
        Arithmetic::Remainder => left.remainder(right),
    };
    result.map(Val::Number).ok_or_else(too_large)
}

fn join<'s>(left: Val<'s>, right: Val<'s>, meter: &Meter) -> Result<Val<'s>, Problem> {
    let right = texts::as_text(right, meter)?;
    let left = texts::as_text(left, meter)?;
    // A text that was made on the way grows where it is.
    let copied = if matches!(left, Cow::Borrowed(_)) {
        left.len()
    } else {
        0
    };
    meter.take(copied.saturating_add(right.len()))?;
    let mut joined = left.into_owned();
    joined.push_str(&right);
    Ok(Val::text(joined))
}

fn compare(
    left: &Val<'_>,
    relation: Relation,
    right: &Val<'_>,
    meter: &Meter,
) -> Result<bool, Problem> {
    Ok(match relation {
        Relation::Equal => left.equals(right, meter)?,
        Relation::NotEqual => !left.equals(right, meter)?,
        Relation::Less => left.order(right, meter)? == Some(Ordering::Less),
        Relation::Greater => left.order(right, meter)? == Some(Ordering::Greater),
        Relation::AtMost => left.order(right, meter)?.is_some_and(Ordering::is_le),
        Relation::AtLeast => left.order(right, meter)?.is_some_and(Ordering::is_ge),
    })
}

#[inline(never)]
fn each_of<'s>(
    each: Each,
    list: Val<'s>,
    body: &'s Expr,
    scope: &Scope<'s>,
) -> Result<Val<'s>, Problem> {
    let items = match list {
        Val::Null => {
            return Ok(match each {
                Each::Any => Val::Bool(false),
                Each::All => Val::Bool(true),
                _ => Val::Null,
            });
        }
        Val::List(items) => items,
        other => return Err(other.is_no("a list")),
    };
    let meter = scope.meter;
    let mut kept = Vec::new();
    let mut count = 0_usize;
    for item in items.iter() {
        // The element may live shorter than the record: the result is taken out of its scope.
        let scope = Scope {
            element: Some(item),
            ..*scope
        };
        let value = eval(body, &scope)?;
        match each {
            Each::Map => {
                meter.take_values(1)?;
                kept.push(value.into_part(meter)?);
            }
            Each::Filter if value.truth()? => {
                meter.take_copy_of(item)?;
                kept.push(item.clone());
            }
            Each::Find if value.truth()? => {
                meter.take_copy_of(item)?;
                return Ok(Val::owned(item.clone()));
            }
            Each::Any if value.truth()? => return Ok(Val::Bool(true)),
            Each::All if !value.truth()? => return Ok(Val::Bool(false)),
            Each::Count if value.truth()? => count += 1,
            _ => {}
        }
    }
    Ok(match each {
        Each::Map | Each::Filter => Val::list(kept),
        Each::Find => Val::Null,
        Each::Any => Val::Bool(false),
        Each::All => Val::Bool(true),
        Each::Count => Val::Number(count.into()),
    })
}
