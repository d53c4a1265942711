//! What `docs/component-spec.md` asks of every step, as one helper that each kind goes through with
//! a record that it handles and, if it can fail at all, one that it does not.

use super::documents::one_of_each;
use super::*;

/// Values that a step has to survive anywhere.
fn hostile() -> Vec<Value> {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([{ "a": deep }]);
    }
    vec![
        json!(null),
        json!(""),
        json!("\u{0}\u{feff}\u{202e}"),
        json!("é".repeat(10_000)),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(-0.0),
        json!([]),
        json!({}),
        json!({"": {"": ""}}),
        json!((0..2_000).collect::<Vec<_>>()),
        deep,
    ]
}

/// Checks a step against the specification. `fails` is a record that it cannot handle.
#[track_caller]
fn complies(step: &Value, handled: &Value, fails: Option<&Value>) {
    let kind = step["kind"].as_str().unwrap();
    let with = |on_error: &str| {
        let mut step = step.clone();
        step["on_error"] = json!(on_error);
        compiled(&json!([step]))
    };
    let fresh = || State::default();
    let failing = with("fail");

    // The same record has the same result, and a record that failed before it changes nothing.
    let result = run(&failing, handled, &mut fresh(), NOW_MS);
    assert_eq!(
        run(&failing, handled, &mut fresh(), NOW_MS),
        result,
        "{kind} is deterministic"
    );
    assert!(
        !result.to_string().contains(" at "),
        "{kind} handles {handled}: {result}"
    );

    if let Some(fails) = fails {
        let mut state = fresh();
        let mut outcomes = Vec::new();
        failing.run(fails, &mut state, &HERE, &mut outcomes);
        let Some(Outcome::Failed(error)) = outcomes.first() else {
            panic!("{kind} fails on {fails}: {outcomes:?}");
        };
        assert_eq!(
            (outcomes.len(), error.step),
            (1, 1),
            "{kind} says which step it is"
        );
        assert!(!error.message.is_empty(), "{kind} says what is wrong");
        assert!(
            error.value.chars().count() < 200,
            "{kind} shortens the value"
        );
        assert_eq!(
            run(&failing, handled, &mut state, NOW_MS),
            result,
            "{kind}: a record that failed leaves the next one alone"
        );
        let dropped = run(&with("drop"), fails, &mut fresh(), NOW_MS);
        assert_eq!(
            dropped,
            json!(["dropped by 1"]),
            "{kind} drops when it is told to"
        );
        let kept = run(&with("keep"), fails, &mut fresh(), NOW_MS);
        assert!(
            kept[0].is_object(),
            "{kind} goes on when it is told to: {kept}"
        );
    }

    // Whatever stands in any field, there is a result, and no more records than are allowed.
    for value in hostile() {
        for record in [
            json!({"a": value, "b": value, "t": value, "n": value}),
            json!({"a": "x", "b": value}),
            value.clone(),
        ] {
            for on_error in ["fail", "drop", "keep"] {
                let mut outcomes = Vec::new();
                let mut state = fresh();
                with(on_error).run(&record, &mut state, &HERE, &mut outcomes);
                assert!(
                    !outcomes.is_empty() && outcomes.len() <= MAX_EXPLODED,
                    "{kind}"
                );
                // What it remembers can be stored and read back.
                let stored = serde_json::to_string(&state).unwrap();
                assert_eq!(
                    serde_json::from_str::<State>(&stored).unwrap(),
                    state,
                    "{kind}"
                );
            }
        }
    }
}

#[test]
fn every_kind_of_step_does_what_the_specification_asks() {
    let at = "2026-11-22";
    let cases = [
        (json!({"a": 1}), None),
        (json!({"a": 1}), None),
        (json!({"a": 1}), None),
        (json!({"a": 1}), None),
        (json!({"a": "1"}), Some(json!({"a": "n/a"}))),
        (json!({"a": 1}), None),
        (json!({"b": 1}), Some(json!({"b": []}))),
        (json!({"a": 1}), Some(json!({"a": "x"}))),
        (json!({"a": 1}), None),
        (json!({"a": [1]}), Some(json!({"a": {"b": 1}}))),
        (json!({"a": {"b": 1}}), None),
        (json!({"a": at}), Some(json!({"a": "yesterday"}))),
        (json!({"a": 1}), None),
        (json!({"a": "1234"}), None),
        (json!({"a": "x"}), None),
        (json!({"a": 1}), None),
        (
            json!({"a": "x", "n": 1, "t": timestamps::format_ms(NOW_MS)}),
            Some(json!({"a": "x", "n": "x", "t": timestamps::format_ms(NOW_MS)})),
        ),
        (json!({"a": "X"}), Some(json!({"a": "z"}))),
        (json!({"a": null}), Some(json!({"a": 1}))),
    ];
    let steps = one_of_each();
    let steps = steps.as_array().unwrap();
    assert_eq!(steps.len(), cases.len());
    for (step, (handled, fails)) in steps.iter().zip(cases) {
        complies(step, &handled, fails.as_ref());
    }
}
