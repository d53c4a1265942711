//! What differs: between two JSON values, place by place, and between two versions of a pipeline.
//! The server words versions and judges test cases with it, the client marks differences.

use serde_json::{Number, Value};

use super::definition::Step;
use crate::fields::FieldPath;

/// How many differences of two values are told.
pub const MAX_DIFFERENCES: usize = 50;

/// A place where two values differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where it is; empty for the whole.
    pub path: String,
    /// What is there in the first value.
    pub before: Option<Value>,
    /// What is there in the second value.
    pub after: Option<Value>,
}

/// The first places where two values differ, at most [`MAX_DIFFERENCES`]. Numbers are compared as
/// numbers, and the order of an object's fields does not matter.
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(before), Some(after), &mut found);
    found
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    if found.len() >= MAX_DIFFERENCES {
        return;
    }
    match (before, after) {
        (None, None) => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                let part = FieldPath::of_key(key).to_string();
                let dot = if path.is_empty() || part.starts_with('[') {
                    ""
                } else {
                    "."
                };
                let place = format!("{path}{dot}{part}");
                compare(&place, old.get(key), new.get(key), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                let place = format!("{path}[{index}]");
                compare(&place, old.get(index), new.get(index), found);
            }
        }
        (Some(Value::Number(old)), Some(Value::Number(new))) if same_number(old, new) => {}
        (Some(old), Some(new)) if old == new => {}
        (before, after) => found.push(Difference {
            path: path.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

fn same_number(a: &Number, b: &Number) -> bool {
    if a == b {
        return true;
    }
    let whole = |number: &Number| number.is_i64() || number.is_u64();
    // Two whole numbers that differ may be the same as floats.
    let one_is_float = !whole(a) || !whole(b);
    let order = a.as_f64().partial_cmp(&b.as_f64());
    one_is_float && order == Some(std::cmp::Ordering::Equal)
}

/// What became of a step from one version to another. Steps are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepChange {
    /// It is new.
    Added {
        /// Its place in the new version.
        to: usize,
    },
    /// It is gone.
    Removed {
        /// Its place in the old version.
        from: usize,
    },
    /// It is the same at another place.
    Moved {
        /// Its place in the old version.
        from: usize,
        /// Its place in the new version.
        to: usize,
    },
    /// It does something else of the same kind.
    Changed {
        /// Its place in the old version.
        from: usize,
        /// Its place in the new version.
        to: usize,
    },
}

/// What became of the steps from one version to another, in the order of the new one; what is gone
/// comes first. Steps may be in any form that can be compared and has a kind.
pub fn compare_steps<S: PartialEq>(
    before: &[S],
    after: &[S],
    kind: impl for<'s> Fn(&'s S) -> &'s str,
) -> Vec<StepChange> {
    let stayed = longest_common(before, after);
    let mut old: Vec<usize> = (0..before.len())
        .filter(|from| !stayed.iter().any(|(place, _)| place == from))
        .collect();
    let mut new: Vec<usize> = (0..after.len())
        .filter(|to| !stayed.iter().any(|(_, place)| place == to))
        .collect();
    let moved = pair(&mut old, &mut new, |from, to| {
        before.get(from) == after.get(to)
    });
    let changed = pair(&mut old, &mut new, |from, to| {
        before.get(from).map(&kind) == after.get(to).map(&kind)
    });
    let removed = old
        .into_iter()
        .map(|from| StepChange::Removed { from: from + 1 });
    let mut rest: Vec<(usize, StepChange)> = Vec::new();
    rest.extend(
        new.into_iter()
            .map(|to| (to, StepChange::Added { to: to + 1 })),
    );
    rest.extend(moved.into_iter().map(|(from, to)| {
        let (from, at) = (from + 1, to + 1);
        (to, StepChange::Moved { from, to: at })
    }));
    rest.extend(changed.into_iter().map(|(from, to)| {
        let (from, at) = (from + 1, to + 1);
        (to, StepChange::Changed { from, to: at })
    }));
    rest.sort_by_key(|(place, _)| *place);
    removed
        .chain(rest.into_iter().map(|(_, change)| change))
        .collect()
}

/// Takes the first pairs out of both lists that belong together.
fn pair(
    old: &mut Vec<usize>,
    new: &mut Vec<usize>,
    belong: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    old.retain(|from| {
        let Some(place) = new.iter().position(|to| belong(*from, *to)) else {
            return true;
        };
        pairs.push((*from, new.remove(place)));
        false
    });
    pairs
}

/// The places of the most steps that are the same in the same order. There are few steps: a table
/// of all pairs is small.
fn longest_common<S: PartialEq>(before: &[S], after: &[S]) -> Vec<(usize, usize)> {
    let mut best: Vec<Vec<Vec<(usize, usize)>>> =
        vec![vec![Vec::new(); after.len() + 1]; before.len() + 1];
    for (from, old) in before.iter().enumerate() {
        for (to, new) in after.iter().enumerate() {
            best[from + 1][to + 1] = if old == new {
                let mut with = best[from][to].clone();
                with.push((from, to));
                with
            } else if best[from][to + 1].len() >= best[from + 1][to].len() {
                best[from][to + 1].clone()
            } else {
                best[from + 1][to].clone()
            };
        }
    }
    best.pop().and_then(|mut row| row.pop()).unwrap_or_default()
}

/// What people see of a version of a pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'s> {
    /// The name.
    pub name: &'s str,
    /// The source without its secrets, as a document.
    pub source: &'s Value,
    /// The steps.
    pub steps: &'s [Step],
    /// The field that says when a record happened.
    pub time_field: Option<&'s str>,
}

/// What differs between two versions, in words; empty when nothing does.
pub fn summary(before: Snapshot<'_>, after: Snapshot<'_>) -> String {
    let mut parts = Vec::new();
    if before.name != after.name {
        parts.push(format!("renamed from “{}”", before.name));
    }
    let source: Vec<String> = differences(before.source, after.source)
        .into_iter()
        .map(|difference| difference.path.replace('_', " "))
        .collect();
    if !source.is_empty() {
        parts.push(format!("source changed: {}", source.join(", ")));
    }
    let changes = compare_steps(before.steps, after.steps, |step| step.action.kind());
    if !changes.is_empty() {
        let kind = |steps: &[Step], number: usize| {
            let step = steps.get(number.wrapping_sub(1));
            step.map_or("step", |step| step.action.kind())
                .replace('_', " ")
        };
        let words = changes.iter().map(|change| match *change {
            StepChange::Added { to } => format!("{} added", kind(after.steps, to)),
            StepChange::Removed { from } => format!("{} removed", kind(before.steps, from)),
            StepChange::Moved { to, .. } => format!("{} moved", kind(after.steps, to)),
            StepChange::Changed { to, .. } => format!("{} changed", kind(after.steps, to)),
        });
        let words: Vec<String> = words.collect();
        parts.push(format!("steps changed: {}", words.join(", ")));
    }
    if before.time_field != after.time_field {
        parts.push(match after.time_field {
            Some(field) => format!("time field changed to {field}"),
            None => "time field removed".to_owned(),
        });
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn steps(document: Value) -> Vec<Step> {
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn values_are_compared_place_by_place() {
        let check = |before: Value, after: Value, expected: &[&str]| {
            let found = differences(&before, &after);
            let text = |value: &Option<Value>| {
                value
                    .as_ref()
                    .map_or("nothing".to_owned(), Value::to_string)
            };
            let words: Vec<String> = found
                .iter()
                .map(|one| format!("{}: {} → {}", one.path, text(&one.before), text(&one.after)))
                .collect();
            assert_eq!(words, expected, "{before} {after}");
        };
        check(json!({"a": 1, "b": 2}), json!({"b": 2.0, "a": 1}), &[]);
        check(json!(1.5), json!("1.5"), &[": 1.5 → \"1.5\""]);
        check(
            json!({"a": {"b": [1, {"c.d": 2}]}}),
            json!({"a": {"b": [1, {"c.d": 3}, 4]}}),
            &["a.b[1][\"c.d\"]: 2 → 3", "a.b[2]: nothing → 4"],
        );
        check(json!({"a": null}), json!({}), &["a: null → nothing"]);
        check(
            json!(9_007_199_254_740_993_i64),
            json!(9_007_199_254_740_992_i64),
            &[": 9007199254740993 → 9007199254740992"],
        );
        let many = |n: usize| Value::from((0..n).collect::<Vec<_>>());
        let found = differences(&many(0), &many(1_000));
        assert_eq!(found.len(), MAX_DIFFERENCES);
    }

    #[test]
    fn steps_are_added_removed_moved_and_changed() {
        let drop = |field: &str| json!({ "kind": "drop", "fields": [field] });
        let filter = |formula: &str| json!({ "kind": "filter", "formula": formula });
        let check = |before: Value, after: Value, expected: &[StepChange]| {
            let documents = |steps: &Value| steps.as_array().unwrap().clone();
            let found = compare_steps(&steps(before.clone()), &steps(after.clone()), |step| {
                step.action.kind()
            });
            let (old, new) = (documents(&before), documents(&after));
            assert_eq!(
                compare_steps(&old, &new, |step| step["kind"].as_str().unwrap()),
                found
            );
            assert_eq!(found, expected, "{before} {after}");
        };
        check(json!([drop("a")]), json!([drop("a")]), &[]);
        check(
            json!([drop("a")]),
            json!([filter("a > 1"), drop("a")]),
            &[StepChange::Added { to: 1 }],
        );
        check(
            json!([filter("a > 1"), drop("a")]),
            json!([filter("a > 2")]),
            &[
                StepChange::Removed { from: 2 },
                StepChange::Changed { from: 1, to: 1 },
            ],
        );
        check(
            json!([drop("a"), drop("b"), filter("c")]),
            json!([drop("b"), filter("c"), drop("a")]),
            &[StepChange::Moved { from: 1, to: 3 }],
        );
        check(
            json!([]),
            json!([drop("a"), drop("a")]),
            &[StepChange::Added { to: 1 }, StepChange::Added { to: 2 }],
        );
    }

    #[test]
    fn a_summary_says_what_people_would_see() {
        let none = Vec::new();
        let some = steps(json!([{ "kind": "filter", "formula": "a" },
                                { "kind": "parse_date", "fields": ["at"] }]));
        let (old, new) = (
            json!({"kind": "http_polling", "url": "https://a.test", "interval_seconds": 60}),
            json!({"kind": "http_polling", "url": "https://b.test", "interval_seconds": 90}),
        );
        let before = Snapshot {
            name: "Orders",
            source: &old,
            steps: &none,
            time_field: None,
        };
        let after = Snapshot {
            name: "Sales",
            source: &new,
            steps: &some,
            time_field: Some("at"),
        };
        assert_eq!(summary(before, before), "");
        assert_eq!(
            summary(before, after),
            "renamed from “Orders”; source changed: url, interval seconds; \
             steps changed: filter added, parse date added; time field changed to at"
        );
        assert_eq!(
            summary(
                Snapshot {
                    name: "Sales",
                    source: &new,
                    ..after
                },
                Snapshot {
                    time_field: None,
                    ..after
                }
            ),
            "time field removed"
        );
    }
}
