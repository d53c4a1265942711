//! The JSON form of transforms, and what is refused before they are saved.

use super::*;

#[test]
fn documents_and_bare_lists_are_read_and_documents_are_written() {
    let steps = json!([{"kind": "map", "fields": [{"from": "a", "to": "b", "cast": "time"}], "keep_rest": true, "on_error": "drop"}]);
    let bare = definition(&steps);
    assert_eq!(bare, definition(&json!({"version": 1, "steps": steps})));
    assert_eq!(
        serde_json::to_value(&bare).unwrap(),
        json!({"version": 1, "steps": steps})
    );
    let oldest = definition(&json!([{"kind": "map", "fields": []}]));
    assert_eq!(oldest.steps[0].on_error, OnError::Fail);
    let refused = |document: Value| {
        serde_json::from_value::<Definition>(document)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(json!({"version": 2, "steps": []})),
        "this is version 2 of a transform, and only 1 is known"
    );
    assert!(refused(json!([{"kind": "teleport"}])).starts_with("unknown variant `teleport`"));
    assert!(refused(json!(5)).contains("a transform: {\"version\": 1, \"steps\": […]}"));
}

/// One of each kind, with everything that it can have.
pub(super) fn one_of_each() -> Value {
    json!([
        {"kind": "map", "fields": [{"from": "a", "to": "b"}], "keep_rest": true},
        {"kind": "rename", "fields": [{"from": "a", "to": "b"}]},
        {"kind": "select", "fields": ["a"]},
        {"kind": "drop", "fields": ["b"]},
        {"kind": "cast", "fields": [{"field": "a", "type": "number"}]},
        {"kind": "set", "fields": [{"field": "a", "value": [1, null]}]},
        {"kind": "calculate", "fields": [{"field": "a", "formula": "b + 1"}]},
        {"kind": "filter", "formula": "a > 1", "matching": "drop"},
        {"kind": "filter", "combine": "any", "conditions": [{"field": "a", "comparison": "exists", "value": ""}]},
        {"kind": "explode", "field": "a", "to": "b", "keep_empty": true},
        {"kind": "flatten", "field": "a", "separator": "dot", "depth": 3},
        {"kind": "parse_date", "fields": ["a"], "format": {"pattern": "%F"}, "zone": "Europe/Berlin"},
        {"kind": "deduplicate", "keys": ["a"], "within_seconds": 60, "remember": 10},
        {"kind": "mask", "fields": ["a"], "style": {"keep_last": 2}},
        {"kind": "hash", "fields": ["a"]},
        {"kind": "script", "source": "record.x = 1"},
        {"kind": "window", "time_field": "t", "size_seconds": 60, "every_seconds": 30, "group_by": ["a"],
            "measures": [{"aggregate": "sum", "field": "n", "to": "sum"}], "allowed_lateness_seconds": 5},
        {"kind": "lookup", "field": "a", "columns": ["k", "v"], "rows": [["x", 1]], "ignore_case": true, "required": true},
        {"kind": "join", "pipeline": customers(), "field": "a", "matches": "b", "take": [{"from": "c", "to": "d", "cast": "text"}], "required": true},
    ])
}

#[test]
fn every_kind_is_written_as_it_is_read() {
    for step in one_of_each().as_array().unwrap() {
        let read = definition(&json!([step]));
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!(read.steps[0].action.kind(), step["kind"]);
        let fields = written["steps"][0].as_object().unwrap();
        for (key, value) in step.as_object().unwrap() {
            assert_eq!(fields.get(key), Some(value), "{key} of {step}");
        }
        assert_eq!(definition(&written), read);
        assert!(Transform::compile(&read).is_ok(), "{step}");
    }
    let advanced: Vec<_> = definition(&one_of_each())
        .steps
        .iter()
        .filter(|step| step.action.is_advanced())
        .map(|step| step.action.kind())
        .collect();
    assert_eq!(advanced, ["script", "window", "lookup", "join"]);
}

#[test]
fn a_host_is_told_what_it_has_to_know() {
    let transform = compiled(&json!([
        one_of_each()[11],
        one_of_each()[18],
        one_of_each()[12]
    ]));
    assert_eq!(transform.zones().collect::<Vec<_>>(), ["Europe/Berlin"]);
    let joined: Vec<_> = transform.joins().map(|join| join.pipeline).collect();
    assert_eq!(joined, [customers()]);
    assert!(transform.is_stateful() && !transform.has_windows() && transform.len() == 3);
}

#[track_caller]
fn is_refused(step: Value, expected: &[(&str, &str)]) {
    let problems = Transform::compile(&definition(&json!([step])))
        .map(|_| ())
        .unwrap_err();
    let found: Vec<(String, String)> = problems
        .into_iter()
        .map(|problem| (problem.field.join("."), problem.message))
        .collect();
    let expected: Vec<(String, String)> = expected
        .iter()
        .map(|(at, message)| (format!("steps.0.{at}"), (*message).to_owned()))
        .collect();
    assert_eq!(found, expected, "{step}");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    is_refused(
        json!({"kind": "rename", "fields": [{"from": "a", "to": "x.y"}, {"from": "b", "to": "c"}, {"from": "d", "to": "c"}]}),
        &[
            (
                "fields.0.to",
                "A field name has at most 100 characters, and no dots, brackets or quotes.",
            ),
            (
                "fields.2.to",
                "Two fields are called “c”. Give one another name.",
            ),
        ],
    );
    is_refused(
        json!({"kind": "select", "fields": []}),
        &[("fields", "There are no fields yet. Add one.")],
    );
    is_refused(
        json!({"kind": "set", "fields": [{"field": "a[5000]", "value": "x".repeat(3000)}]}),
        &[
            (
                "fields.0.field",
                "“a[5000]” is too far into a list to be written.",
            ),
            ("fields.0.value", "A value has at most 2000 bytes."),
        ],
    );
    is_refused(
        json!({"kind": "calculate", "fields": [{"field": "a", "formula": "1"}, {"field": "b", "formula": "1 +"}]}),
        &[(
            "fields.1.formula",
            "Line 1, character 4: something is missing at the end.",
        )],
    );
    is_refused(
        json!({"kind": "filter", "formula": "nope()"}),
        &[(
            "formula",
            "Line 1, character 1: there is no function “nope”.",
        )],
    );
    is_refused(
        json!({"kind": "filter", "conditions": []}),
        &[("conditions", "There are no conditions yet. Add one.")],
    );
    is_refused(
        json!({"kind": "filter", "conditions": [{"field": "a", "comparison": "equal", "value": "x".repeat(2000)}]}),
        &[(
            "conditions.0.value",
            "A filter's value has at most 1000 bytes.",
        )],
    );
    is_refused(
        json!({"kind": "explode", "field": "a", "to": ""}),
        &[("to", "Give the field a name.")],
    );
    is_refused(
        json!({"kind": "flatten", "depth": 0}),
        &[("depth", "The number of levels is between 1 and 16.")],
    );
    is_refused(
        json!({"kind": "parse_date", "fields": ["a"], "format": {"pattern": "%d.%m"}, "zone": "here"}),
        &[
            (
                "zone",
                "A time zone is UTC, an offset like +02:00, or a place like Europe/Berlin.",
            ),
            (
                "format.pattern",
                "A pattern has a year (%Y), a month (%m) and a day (%d).",
            ),
        ],
    );
    is_refused(
        json!({"kind": "deduplicate", "keys": ["a"], "remember": 100_001}),
        &[("remember", "The number of records is between 1 and 100000.")],
    );
}

#[test]
fn what_is_wrong_with_advanced_steps_is_told_too() {
    is_refused(
        json!({"kind": "script", "source": "x = 1"}),
        &[(
            "source",
            "Line 1, character 1: there is no variable “x”: make one with let x = …, or set the field with record.x = ….",
        )],
    );
    is_refused(
        json!({"kind": "window", "size_seconds": 3600, "every_seconds": 1, "measures": [{"aggregate": "sum", "to": "window_end"}]}),
        &[
            (
                "every_seconds",
                "A record is in at most 100 windows at once.",
            ),
            (
                "measures.0.to",
                "Two fields are called “window_end”. Give one another name.",
            ),
            (
                "measures.0.field",
                "Choose the field whose values are aggregated.",
            ),
        ],
    );
    is_refused(
        json!({"kind": "lookup", "field": "a", "columns": ["k", "v"], "rows": [["x", 1], ["y"]]}),
        &[("rows.1", "This row has not 2 values, as there are columns.")],
    );
    is_refused(
        json!({"kind": "lookup", "field": "a", "columns": ["k", "v"], "rows": [["x", "y".repeat(1024 * 1024)]]}),
        &[("rows", "A table has at most 1048576 bytes.")],
    );
    is_refused(
        json!({"kind": "join", "pipeline": customers(), "field": "a", "matches": "b", "take": []}),
        &[("take", "There are no fields yet. Add one.")],
    );
    let long = "1 +".repeat(1300) + "1";
    let formulas: Vec<Value> = (0..20)
        .map(|n| json!({"field": format!("f{n}"), "formula": long}))
        .collect();
    let problems = Transform::compile(&definition(
        &json!([{"kind": "calculate", "fields": formulas}]),
    ))
    .unwrap_err();
    assert_eq!(
        problems[0].message,
        "All formulas together have at most 65536 bytes."
    );
    let many: Vec<Value> = (0..21).map(|_| json!({"kind": "flatten"})).collect();
    assert_eq!(
        Transform::compile(&definition(&json!(many))).unwrap_err()[0].field,
        ["steps"]
    );
}

/// The documentation's examples: its JSON is read and compiled, and so are its scripts.
#[test]
fn the_documentation_is_right() {
    let text = include_str!("../../../../docs/transforms.md");
    let mut examples = 0;
    for block in text.split("```").skip(1).step_by(2) {
        let Some(json) = block.strip_prefix("json\n") else {
            let script = crate::formula::Script::compile(block);
            assert!(script.is_ok(), "{block}: {:?}", script.err());
            continue;
        };
        for step in serde_json::Deserializer::from_str(json).into_iter::<Value>() {
            let step = step.unwrap();
            let steps = if step["steps"].is_array() {
                step
            } else {
                json!([step])
            };
            compiled(&steps);
            examples += 1;
        }
    }
    assert!(examples >= 19, "{examples}");
    for name in crate::formula::FUNCTION_NAMES {
        assert!(
            text.contains(&format!("`{name}")),
            "{name} is not documented"
        );
    }
}
