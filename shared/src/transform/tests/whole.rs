//! What steps do together: errors, traces, previews, and bombs that do not go off.

use super::*;

#[test]
fn one_records_error_is_its_own() {
    let transform = compiled(
        &json!([{"kind": "explode", "field": "l"}, {"kind": "cast", "fields": [{"field": "l", "type": "number"}]}]),
    );
    let found = run(
        &transform,
        &json!({"l": ["1", "x", "3"]}),
        &mut State::default(),
        NOW_MS,
    );
    assert_eq!(
        found,
        json!([{"l": 1}, "2 at l: “x” is not a number (x)", {"l": 3}])
    );
    let found = run(&transform, &json!([1]), &mut State::default(), NOW_MS);
    assert_eq!(
        found,
        json!(["0 at : a record must be a JSON object ([1])"])
    );
}

#[test]
fn a_trace_tells_what_each_step_did() {
    let transform = compiled(&json!([
        {"kind": "cast", "fields": [{"field": "n", "type": "number"}], "on_error": "keep"},
        {"kind": "explode", "field": "l"},
        {"kind": "filter", "formula": "l > 1"},
    ]));
    let trace = transform.trace(
        &json!({"n": "x", "l": [1, 2]}),
        &mut State::default(),
        &HERE,
    );
    let steps: Vec<usize> = trace.steps.iter().map(|step| step.step).collect();
    assert_eq!(steps, [1, 2, 3, 3]);
    assert_eq!(trace.steps[0].kept[0].message, "“x” is not a number");
    assert_eq!(
        trace.steps[0].before,
        *json!({"n": "x", "l": [1, 2]}).as_object().unwrap()
    );
    assert!(matches!(&trace.steps[1].after, After::Records(records) if records.len() == 2));
    assert_eq!(trace.steps[2].after, After::Dropped);
    assert_eq!(
        shown(trace.outcomes),
        json!(["dropped by 3", {"n": null, "l": 2}])
    );
}

#[test]
fn a_preview_runs_what_needs_nothing_from_outside() {
    let transform = compiled(&json!([{"kind": "hash", "fields": ["v"]}]));
    let mut outcomes = Vec::new();
    transform.run(
        &json!({"v": "x"}),
        &mut State::default(),
        &Preview { now_ms: NOW_MS },
        &mut outcomes,
    );
    assert!(matches!(&outcomes[..], [Outcome::Stored(_)]));
    let join = json!([{"kind": "join", "pipeline": customers(), "field": "v", "matches": "id", "take": [{"from": "a", "to": "b"}]}]);
    let trace = compiled(&join).trace(
        &json!({"v": "x"}),
        &mut State::default(),
        &Preview { now_ms: NOW_MS },
    );
    assert_eq!(
        shown(trace.outcomes),
        json!(["1 at v: the other pipeline's records are only known on the server ()"])
    );
}

#[test]
fn a_record_cannot_be_blown_up() {
    let record = json!({"a": "x".repeat(200_000), "b": (0..1000).collect::<Vec<_>>()});
    let fields = |formula: &str, path: &dyn Fn(usize) -> String| {
        let all = (0..200).map(|n| json!({"field": path(n), "formula": formula}));
        json!([{"kind": "calculate", "fields": all.collect::<Vec<_>>()}])
    };
    let copies: Vec<Value> = (0..200)
        .map(|n| json!({"from": "a", "to": format!("f{n}")}))
        .collect();
    let deep = |n: usize| format!("f{n}{}", "[999]".repeat(15));
    let steps = [
        fields("a", &|n| format!("f{n}")),
        fields("record", &|n| format!("f{n}")),
        fields("1", &deep),
        json!([{"kind": "map", "fields": copies}]),
        json!([{"kind": "explode", "field": "b"}]),
        json!([{"kind": "script", "source": "return map(b, {n: a})"}]),
    ];
    for steps in steps {
        let found = run(&compiled(&steps), &record, &mut State::default(), NOW_MS);
        let error = found[0].as_str().unwrap_or_default().to_owned();
        assert!(error.contains("are too large"), "{error}");
    }
}

#[test]
fn a_record_cannot_be_nested_ever_deeper() {
    let deeper = (0..200).map(|_| json!({"field": "a.b.c.d.e", "formula": "record"}));
    let steps = json!([{"kind": "calculate", "fields": deeper.collect::<Vec<_>>()}]);
    let found = run(&compiled(&steps), &json!({}), &mut State::default(), NOW_MS);
    let expected = "1 at a.b.c.d.e: there are at most 64 levels of lists and objects ()";
    assert_eq!(found, json!([expected]));
}
