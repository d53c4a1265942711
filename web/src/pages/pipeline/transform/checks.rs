//! What can be said of a step's document without the engine: whether its fields are chosen and its
//! numbers are numbers. Places inside a document are written as paths with dots.

use dash_shared::fields::{FieldPath, SampledField, sample_fields};
use serde_json::{Map, Value};

use super::desk::Problem;

/// What stands at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// The path of a field.
    Field,
    /// The path of a field, or nothing.
    MaybeField,
    /// A whole number.
    Number,
    /// A whole number, or nothing.
    MaybeNumber,
    /// A choice that has to be made.
    Choice,
    /// A formula or a script, or nothing.
    MaybeSource,
}

/// The places of a kind of step; a star is every item of a list.
fn places(kind: &str) -> &'static [(&'static str, Holds)] {
    use Holds::{Choice, Field, MaybeField, MaybeNumber, MaybeSource, Number};
    match kind {
        "map" | "rename" => &[("fields.*.from", Field)],
        "select" | "drop" | "hash" | "parse_date" => &[("fields.*", Field)],
        "mask" => &[("fields.*", Field), ("style.keep_last", Number)],
        "cast" | "set" => &[("fields.*.field", Field)],
        "calculate" => &[("fields.*.field", Field), ("fields.*.formula", MaybeSource)],
        "filter" => &[("conditions.*.field", Field), ("formula", MaybeSource)],
        "script" => &[("source", MaybeSource)],
        "explode" | "lookup" => &[("field", Field)],
        "flatten" => &[("field", MaybeField), ("depth", MaybeNumber)],
        "deduplicate" => &[
            ("keys.*", Field),
            ("within_seconds", MaybeNumber),
            ("remember", MaybeNumber),
        ],
        "window" => &[
            ("time_field", MaybeField),
            ("size_seconds", Number),
            ("every_seconds", MaybeNumber),
            ("group_by.*", Field),
            ("measures.*.field", MaybeField),
            ("allowed_lateness_seconds", MaybeNumber),
        ],
        "join" => &[
            ("pipeline", Choice),
            ("field", Field),
            ("matches", Field),
            ("take.*.from", Field),
        ],
        _ => &[],
    }
}

/// What is wrong with the step at this index.
pub fn check(index: usize, document: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let kind = document.get("kind").and_then(Value::as_str);
    for (pattern, holds) in places(kind.unwrap_or_default()) {
        visit(document, pattern, &mut |at, value| {
            if let Some((message, is_missing)) = wrong(*holds, value) {
                problems.push(Problem {
                    at: format!("steps.{index}.{at}"),
                    message,
                    is_missing,
                });
            }
        });
    }
    problems
}

fn wrong(holds: Holds, value: Option<&Value>) -> Option<(String, bool)> {
    let told = |message: &str| Some((message.to_owned(), false));
    match (holds, value) {
        (Holds::MaybeField | Holds::MaybeNumber | Holds::MaybeSource, None) => None,
        (Holds::MaybeSource, Some(source)) => {
            let is_empty = source
                .as_str()
                .is_some_and(|source| source.trim().is_empty());
            is_empty.then(|| ("Write a formula.".to_owned(), true))
        }
        (Holds::Field | Holds::MaybeField, value) => match value.and_then(Value::as_str) {
            None | Some("") => Some(("Choose a field.".to_owned(), true)),
            Some(path) => {
                let error = path.parse::<FieldPath>().err()?;
                Some((format!("{error}."), false))
            }
        },
        (Holds::Choice, value) => match value.and_then(Value::as_str) {
            None | Some("") => Some(("Choose one.".to_owned(), true)),
            Some(_) => None,
        },
        (Holds::Number | Holds::MaybeNumber, value) => {
            if value.is_some_and(Value::is_u64) {
                None
            } else {
                told("Write a whole number.")
            }
        }
    }
}

/// Calls a function for each place that a pattern names, whether something stands there or not.
fn visit(document: &Value, pattern: &str, each: &mut dyn FnMut(String, Option<&Value>)) {
    let Some((list, rest)) = pattern.split_once(".*") else {
        // Below what is no object there is no such place: `style` may be a word.
        let parent = pattern.rsplit_once('.').map(|(parent, _)| parent);
        let fits =
            parent.is_none_or(|parent| value_at(document, parent).is_some_and(Value::is_object));
        if fits {
            each(pattern.to_owned(), value_at(document, pattern));
        }
        return;
    };
    let items = value_at(document, list).and_then(Value::as_array);
    for (place, item) in items.into_iter().flatten().enumerate() {
        let value = match rest.strip_prefix('.') {
            Some(name) => item.get(name),
            None => Some(item),
        };
        each(format!("{list}.{place}{rest}"), value);
    }
}

/// The step that a place is in: 2 for `steps.2.fields`.
pub fn step_of(at: &str) -> Option<usize> {
    let rest = at.strip_prefix("steps.")?;
    rest.split('.').next()?.parse().ok()
}

/// What stands at a place in a document.
pub fn value_at<'v>(document: &'v Value, at: &str) -> Option<&'v Value> {
    at.split('.').try_fold(document, |value, name| match value {
        Value::Object(fields) => fields.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Puts a value at a place in a document, or takes away what is there. Objects on the way are made.
pub fn put(document: &mut Value, at: &str, value: Option<Value>) {
    let (way, last) = at.rsplit_once('.').unwrap_or(("", at));
    let mut place = document;
    for name in way.split('.').filter(|name| !name.is_empty()) {
        let next = match place {
            Value::Array(items) => name.parse().ok().and_then(|at: usize| items.get_mut(at)),
            Value::Object(fields) => Some(fields.entry(name).or_insert(Value::Object(Map::new()))),
            _ => None,
        };
        let Some(next) = next else {
            return;
        };
        // A word where an object is needed, as in `"style": "full"`, gives way to it.
        if !next.is_object() && !next.is_array() {
            *next = Value::Object(Map::new());
        }
        place = next;
    }
    match (place, value) {
        (Value::Object(fields), Some(value)) => {
            fields.insert(last.to_owned(), value);
        }
        (Value::Object(fields), None) => {
            fields.shift_remove(last);
        }
        (Value::Array(items), value) => {
            let Some(at) = last.parse().ok().filter(|at| *at < items.len()) else {
                return;
            };
            match value {
                Some(value) => items[at] = value,
                None => drop(items.remove(at)),
            }
        }
        _ => {}
    }
}

/// The fields of some records.
pub fn fields_of<'v>(records: impl Iterator<Item = &'v Value>) -> Vec<SampledField> {
    sample_fields(records.filter_map(Value::as_object))
}
