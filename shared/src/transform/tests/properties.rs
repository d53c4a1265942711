//! What holds for every transform and every record.

use proptest::prelude::*;

use super::documents::one_of_each;
use super::*;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        (0..200_000_i64).prop_map(|ms| timestamps::format_ms(ms).into()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-d.\\[\"]{0,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_record() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("a"),
        Just("b"),
        Just("c"),
        Just("n"),
        Just("t"),
        Just("id")
    ];
    prop::collection::hash_map(key.prop_map(str::to_owned), any_json(), 0..6)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// A few steps of any kinds, in any order, with any policy.
fn any_definition() -> impl Strategy<Value = Definition> {
    let policy = prop_oneof![
        Just(OnError::Fail),
        Just(OnError::Drop),
        Just(OnError::Keep)
    ];
    let step = (0..19_usize, policy).prop_map(|(place, on_error)| Step {
        on_error,
        ..definition(&json!([one_of_each()[place]])).steps.remove(0)
    });
    prop::collection::vec(step, 0..6).prop_map(Definition::from)
}

proptest! {
    #[test]
    fn a_transform_is_total_and_gives_the_same_again(definition in any_definition(), records in prop::collection::vec(any_record(), 1..4)) {
        let transform = Transform::compile(&definition).unwrap();
        let all = |state: &mut State| {
            let mut outcomes = Vec::new();
            for record in &records {
                let before = outcomes.len();
                transform.run(record, state, &HERE, &mut outcomes);
                prop_assert!(outcomes.len() > before);
            }
            Ok(outcomes)
        };
        let mut state = State::default();
        let first = all(&mut state)?;
        prop_assert_eq!(&first, &all(&mut State::default())?);
        let mut traced = Vec::new();
        let mut state = State::default();
        for record in &records {
            traced.extend(transform.trace(record, &mut state, &HERE).outcomes);
        }
        prop_assert_eq!(first, traced);
    }

    #[test]
    fn a_definition_is_read_as_it_was_written(definition in any_definition()) {
        let json = serde_json::to_string(&definition).unwrap();
        prop_assert_eq!(serde_json::from_str::<Definition>(&json).unwrap(), definition);
    }

    #[test]
    fn a_break_changes_nothing(records in prop::collection::vec((0..4_i64, 0..300_i64, any_json()), 1..30), at in 0..30_usize, as_json: bool) {
        let transform = compiled(&json!([
            {"kind": "deduplicate", "keys": ["id"], "remember": 5},
            {"kind": "window", "time_field": "t", "size_seconds": 60, "every_seconds": 20, "allowed_lateness_seconds": 30, "measures": [
                {"aggregate": "count", "to": "n"}, {"aggregate": "sum", "field": "id", "to": "sum"}, {"aggregate": "avg", "field": "id", "to": "avg"},
                {"aggregate": "last", "field": "v", "to": "last"}, {"aggregate": "max", "field": "id", "to": "max"}]},
        ]));
        let (mut whole, mut broken) = (State::default(), State::default());
        for (place, (id, seconds, value)) in records.iter().enumerate() {
            if place == at {
                broken = if as_json {
                    serde_json::from_str(&serde_json::to_string(&broken).unwrap()).unwrap()
                } else {
                    postcard::from_bytes(&postcard::to_stdvec(&broken).unwrap()).unwrap()
                };
            }
            let record = json!({"id": id * 1000 + seconds, "t": timestamps::format_ms(seconds * 1000), "v": value});
            let expected = run(&transform, &record, &mut whole, NOW_MS);
            prop_assert_eq!(run(&transform, &record, &mut broken, NOW_MS), expected);
        }
        prop_assert_eq!(whole, broken);
    }

    #[test]
    fn no_date_and_no_pattern_is_too_odd(pattern in "(%[a-zA-Z%]|[.:/ -]){0,10}", text in "[0-9APM.:/ -]{0,24}") {
        let step = json!([{"kind": "parse_date", "fields": ["a"], "format": {"pattern": format!("%Y%m%d{pattern}")}}]);
        for step in [step, json!([{"kind": "parse_date", "fields": ["a"], "format": "day_first"}])] {
            if let Ok(transform) = Transform::compile(&definition(&step)) {
                run(&transform, &json!({"a": text}), &mut State::default(), NOW_MS);
            }
        }
    }
}
