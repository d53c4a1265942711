//! Steps that remember: deduplication and windows, and that a break changes nothing.

use super::*;

fn at(ms: i64) -> String {
    timestamps::format_ms(ms)
}

#[test]
fn what_was_there_before_is_left_out() {
    let transform = compiled(
        &json!([{"kind": "deduplicate", "keys": ["id", "n"], "within_seconds": 60, "remember": 2}]),
    );
    let mut state = State::default();
    let mut check = |record: Value, now_ms: i64, goes_on: bool| {
        let found = run(&transform, &record, &mut state, now_ms);
        assert_eq!(found[0].is_object(), goes_on, "{record} at {now_ms}");
    };
    check(json!({"id": "a"}), 0, true);
    check(json!({"id": "a", "other": 1}), 59_000, false);
    check(json!({"id": "a"}), 61_000, true);
    check(json!({"id": "a", "n": 1}), 61_000, true);
    check(json!({"id": "a"}), 61_000, false);
    check(json!({"id": "b"}), 61_000, true);
    // Two are remembered, and this is the third.
    check(json!({"id": "a"}), 61_000, true);
    assert_eq!(
        state
            .seen
            .values()
            .next()
            .map(|seen| Vec::from(seen.clone()).len()),
        Some(2)
    );
}

fn window(more: Value) -> Value {
    let mut step = json!({"kind": "window", "time_field": "t", "size_seconds": 60, "group_by": ["g"], "measures": [
        {"aggregate": "count", "to": "n"}, {"aggregate": "sum", "field": "v", "to": "sum"}, {"aggregate": "avg", "field": "v", "to": "avg"},
        {"aggregate": "min", "field": "v", "to": "min"}, {"aggregate": "max", "field": "v", "to": "max"},
        {"aggregate": "first", "field": "v", "to": "first"}, {"aggregate": "last", "field": "v", "to": "last"}]});
    step.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    json!([step, {"kind": "drop", "fields": ["window_end"]}])
}

#[test]
fn a_window_becomes_a_record_when_a_later_one_comes() {
    let transform = compiled(&window(json!({})));
    let mut state = State::default();
    let mut add = |g: &str, t: i64, v: Value| {
        run(
            &transform,
            &json!({"g": g, "t": at(t), "v": v}),
            &mut state,
            NOW_MS,
        )
    };
    let held = json!(["held by 1"]);
    assert_eq!(add("a", 10_000, json!(0.1)), held);
    assert_eq!(add("b", 20_000, json!(5)), held);
    assert_eq!(add("a", 5_000, json!("0.2")), held);
    assert_eq!(add("a", 30_000, json!(null)), held);
    assert_eq!(
        add("a", 40_000, json!([])),
        json!(["1 at v: “[]” is not a number ([])"])
    );
    let closed = add("a", 61_000, json!(1));
    assert_eq!(closed[0], held[0]);
    assert_eq!(
        closed[1],
        json!({"window_start": at(0), "g": "a", "n": 3, "sum": 0.3, "avg": 0.15, "min": 0.1, "max": 0.2, "first": "0.2", "last": 0.1})
    );
    assert_eq!(
        closed[2],
        json!({"window_start": at(0), "g": "b", "n": 1, "sum": 5, "avg": 5, "min": 5, "max": 5, "first": 5, "last": 5})
    );
    assert_eq!(closed.as_array().unwrap().len(), 3);
    let late = add("a", 59_999, json!(1));
    assert_eq!(
        late,
        json!([format!(
            "1 at t: this came too late: its windows are closed ({})",
            at(59_999)
        )])
    );
    let future = add("a", NOW_MS + 2 * 86_400_000, json!(1));
    assert!(
        future[0]
            .as_str()
            .unwrap()
            .contains("this time has not come yet")
    );
    assert_eq!(add("a", 62_000, json!(1)), held);
}

#[test]
fn lateness_keeps_a_window_open() {
    let transform = compiled(&window(json!({"allowed_lateness_seconds": 10})));
    let mut state = State::default();
    let mut add = |t: i64| {
        run(&transform, &json!({"t": at(t), "v": 1}), &mut state, NOW_MS)
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((add(1), add(69_000), add(59_000)), (1, 1, 1));
    // 70 seconds less 10 is where the first window ends.
    assert_eq!(add(70_000), 2);
}

#[test]
fn sliding_windows_overlap() {
    let transform = compiled(
        &json!([{"kind": "window", "size_seconds": 60, "every_seconds": 20, "time_field": "t",
        "measures": [{"aggregate": "count", "to": "n"}]}]),
    );
    let mut state = State::default();
    let mut add = |ms: i64| run(&transform, &json!({"t": at(ms)}), &mut state, NOW_MS);
    add(50_000);
    let closed = add(70_000);
    assert_eq!(
        closed[1],
        json!({"window_start": at(0), "window_end": at(60_000), "n": 1})
    );
    let closed = add(150_000);
    let counts: Vec<_> = closed
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
        .map(|window| window["n"].clone())
        .collect();
    assert_eq!(counts, [json!(2), json!(2), json!(1)]);
}

#[test]
fn time_closes_windows_when_no_record_does() {
    let transform = compiled(&window(json!({})));
    let mut state = State::default();
    run(
        &transform,
        &json!({"g": "a", "t": at(NOW_MS), "v": 1}),
        &mut state,
        NOW_MS,
    );
    let mut tick = |now_ms| {
        let mut outcomes = Vec::new();
        transform.tick(&mut state, &Surroundings { now_ms }, &mut outcomes);
        shown(outcomes)
    };
    assert_eq!(tick(NOW_MS), json!([]));
    assert_eq!(tick(NOW_MS + 60_000)[0]["n"], json!(1));
    assert_eq!(tick(NOW_MS + 60_000), json!([]));
    assert!(transform.has_windows() && transform.is_stateful());
}

#[test]
fn too_many_windows_are_refused_and_not_remembered() {
    let transform = compiled(&window(json!({})));
    let mut state = State::default();
    let mut failed = 0;
    for n in 0..MAX_OPEN_WINDOWS + 10 {
        let found = run(
            &transform,
            &json!({"g": n, "t": at(0), "v": 1}),
            &mut state,
            NOW_MS,
        );
        failed += usize::from(found[0] != json!("held by 1"));
    }
    assert_eq!(failed, 10);
}

#[test]
fn a_step_that_was_changed_begins_anew() {
    let dedup = |key: &str| {
        compiled(
            &json!([{"kind": "deduplicate", "keys": [key]}, {"kind": "deduplicate", "keys": ["z"], "on_error": "keep"}]),
        )
    };
    let mut state = State::default();
    run(&dedup("a"), &json!({"a": 1, "z": 1}), &mut state, NOW_MS);
    let mut same = dedup("a").adopt(state.clone());
    assert_eq!(
        run(&dedup("a"), &json!({"a": 1, "z": 1}), &mut same, NOW_MS),
        json!(["dropped by 1"])
    );
    let mut changed = dedup("b").adopt(state);
    assert_eq!(changed.seen.len(), 1);
    assert_eq!(
        run(&dedup("b"), &json!({"b": 1, "z": 1}), &mut changed, NOW_MS),
        json!(["dropped by 2"])
    );
}

#[test]
fn what_is_remembered_is_compact() {
    let transform = compiled(&json!([{"kind": "deduplicate", "keys": ["n"], "remember": 1000}]));
    let mut state = State::default();
    for n in 0..1000 {
        run(&transform, &json!({"n": n}), &mut state, NOW_MS);
    }
    let bytes = postcard::to_stdvec(&state).unwrap();
    assert!(bytes.len() < 1000 * 24, "{}", bytes.len());
    assert_eq!(postcard::from_bytes::<State>(&bytes).unwrap(), state);
}

#[test]
fn what_failed_can_be_forgotten_and_come_again() {
    let transform = compiled(&json!([
        {"kind": "deduplicate", "keys": ["id"]},
        {"kind": "cast", "fields": [{"field": "n", "type": "number"}]},
    ]));
    let mut state = State::default();
    let broken = json!({"id": 1, "n": "x"});
    let failed = run(&transform, &broken, &mut state, NOW_MS);
    assert!(failed[0].as_str().unwrap().contains("not a number"));
    state.forget_last();
    let mended = run(&transform, &json!({"id": 1, "n": "2"}), &mut state, NOW_MS);
    assert_eq!(mended, json!([{"id": 1, "n": 2}]));
    let again = run(&transform, &json!({"id": 1, "n": "2"}), &mut state, NOW_MS);
    assert_eq!(again, json!(["dropped by 1"]));
    // The one that was left out was seen by another record: that stays.
    state.forget_last();
    let again = run(&transform, &json!({"id": 1, "n": "2"}), &mut state, NOW_MS);
    assert_eq!(again, json!(["dropped by 1"]));
}
