//! Steps that remember nothing, case by case: a record in, what became of it out.

use super::*;

#[test]
fn map_selects_renames_and_casts() {
    let step = json!([{"kind": "map", "fields": [{"from": "total", "to": "eur", "cast": "number"}, {"from": "c.country", "to": "country"}]}]);
    check(
        step,
        json!({"total": "184.20", "c": {"country": "DE"}}),
        json!([{"eur": 184.2, "country": "DE"}]),
    );
}

#[test]
fn rename_leaves_fields_where_they_are() {
    let rename = |fields: Value| json!([{"kind": "rename", "fields": fields}]);
    check(
        rename(json!([{"from": "a", "to": "x"}])),
        json!({"a": 1, "b": 2}),
        json!([{"x": 1, "b": 2}]),
    );
    check(
        rename(json!([{"from": "a", "to": "b"}, {"from": "b", "to": "a"}])),
        json!({"a": 1, "b": 2}),
        json!([{"b": 1, "a": 2}]),
    );
    check(
        rename(json!([{"from": "a", "to": "b"}])),
        json!({"b": 2, "a": 1}),
        json!([{"b": 1}]),
    );
    check(
        rename(json!([{"from": "c.d[0]", "to": "d"}])),
        json!({"c": {"d": [1, 2]}}),
        json!([{"c": {"d": [2]}, "d": 1}]),
    );
    check(
        rename(json!([{"from": "none", "to": "b"}])),
        json!({"b": 2}),
        json!([{"b": 2}]),
    );
}

#[test]
fn select_and_drop_take_nested_fields() {
    check(
        json!([{"kind": "select", "fields": ["b", "c.d", "none"]}]),
        json!({"a": 1, "b": 2, "c": {"d": 3, "e": 4}}),
        json!([{"b": 2, "c": {"d": 3}}]),
    );
    check(
        json!([{"kind": "drop", "fields": ["b", "c.d", "none"]}]),
        json!({"a": 1, "b": 2, "c": {"d": 3, "e": 4}}),
        json!([{"a": 1, "c": {"e": 4}}]),
    );
}

#[test]
fn cast_converts_in_place() {
    let cast = |on_error: &str| json!([{"kind": "cast", "fields": [{"field": "n", "type": "number"}, {"field": "d.t", "type": "time"}], "on_error": on_error}]);
    check(
        cast("fail"),
        json!({"n": "1.50", "d": {"t": 0}}),
        json!([{"n": 1.5, "d": {"t": "1970-01-01T00:00:00.000Z"}}]),
    );
    check(
        cast("fail"),
        json!({"d": {"t": "x"}}),
        json!(["1 at d.t: “x” is not a time (x)"]),
    );
    check(
        cast("keep"),
        json!({"n": "1.50", "d": {"t": "x"}}),
        json!([{"n": 1.5, "d": {"t": null}}]),
    );
    check(cast("drop"), json!({"n": "x"}), json!(["dropped by 1"]));
}

#[test]
fn set_writes_constants() {
    let step = json!([{"kind": "set", "fields": [{"field": "source", "value": "web"}, {"field": "meta.tags[1]", "value": {"x": 1}}]}]);
    check(
        step,
        json!({"source": 1}),
        json!([{"source": "web", "meta": {"tags": [null, {"x": 1}]}}]),
    );
}

#[test]
fn calculated_fields_see_those_before_them() {
    let calculate = |on_error: &str| json!([{"kind": "calculate", "fields": [{"field": "net", "formula": "round(total / 1.19, 2)"}, {"field": "tax", "formula": "total - net"}], "on_error": on_error}]);
    check(
        calculate("fail"),
        json!({"total": 119}),
        json!([{"total": 119, "net": 100, "tax": 19}]),
    );
    check(
        calculate("fail"),
        json!({}),
        json!([{"net": null, "tax": null}]),
    );
    check(
        calculate("fail"),
        json!({"total": "x"}),
        json!(["1 at net: “x” is not a number; number(…) makes one of a text (x)"]),
    );
    check(
        calculate("keep"),
        json!({"total": "x"}),
        json!([{"total": "x", "net": null, "tax": null}]),
    );
}

#[test]
fn filters_keep_or_drop_what_matches() {
    let conditions = |combine: &str, matching: &str| {
        json!([{"kind": "filter", "combine": combine, "matching": matching, "conditions": [
        {"field": "n", "comparison": "greater", "value": "10"}, {"field": "c", "comparison": "equal", "value": "DE"}]}])
    };
    check(
        conditions("all", "keep"),
        json!({"n": 11, "c": "DE"}),
        json!([{"n": 11, "c": "DE"}]),
    );
    check(
        conditions("all", "keep"),
        json!({"n": 11, "c": "FR"}),
        json!(["dropped by 1"]),
    );
    check(
        conditions("any", "keep"),
        json!({"n": 11, "c": "FR"}),
        json!([{"n": 11, "c": "FR"}]),
    );
    check(
        conditions("any", "drop"),
        json!({"n": 11, "c": "FR"}),
        json!(["dropped by 1"]),
    );
    let formula = |on_error: &str| json!([{"kind": "filter", "formula": "n > 10 and c == 'DE'", "on_error": on_error}]);
    check(
        formula("fail"),
        json!({"n": 11, "c": "DE"}),
        json!([{"n": 11, "c": "DE"}]),
    );
    check(formula("fail"), json!({}), json!(["dropped by 1"]));
    check(
        formula("fail"),
        json!({"n": "x"}),
        json!(["1 at : “x” is not a number; number(…) makes one of a text (x)"]),
    );
    check(formula("keep"), json!({"n": "x"}), json!([{"n": "x"}]));
}

#[test]
fn explode_makes_one_record_of_each_element() {
    let explode = |more: Value| {
        let mut step = json!({"kind": "explode", "field": "items"});
        step.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!([step])
    };
    let order = json!({"id": 1, "items": [{"sku": "x", "id": 7}, "y", null]});
    check(
        explode(json!({})),
        order.clone(),
        json!([{"id": 7, "sku": "x"}, {"id": 1, "items": "y"}, {"id": 1, "items": null}]),
    );
    check(
        explode(json!({"to": "item"})),
        order,
        json!([{"id": 1, "item": {"sku": "x", "id": 7}}, {"id": 1, "item": "y"}, {"id": 1, "item": null}]),
    );
    check(
        explode(json!({})),
        json!({"id": 1, "items": []}),
        json!(["dropped by 1"]),
    );
    check(
        explode(json!({"keep_empty": true})),
        json!({"id": 1}),
        json!([{"id": 1}]),
    );
    check(
        explode(json!({})),
        json!({"items": 5}),
        json!(["1 at items: this is not a list (5)"]),
    );
    check(
        explode(json!({"on_error": "keep"})),
        json!({"items": 5}),
        json!([{"items": 5}]),
    );
    let many: Vec<i32> = (0..1001).collect();
    let found = run(
        &compiled(&explode(json!({}))),
        &json!({"items": many}),
        &mut State::default(),
        NOW_MS,
    );
    assert_eq!(
        found,
        json!(["1 at items: 1001 records are too many: at most 1000 are made of one ()"])
    );
}

#[test]
fn an_exploded_list_cannot_be_a_bomb() {
    let twice = json!([{"kind": "explode", "field": "a", "to": "x"}, {"kind": "explode", "field": "b", "to": "y"}]);
    let list: Vec<i32> = (0..200).collect();
    let found = run(
        &compiled(&twice),
        &json!({"a": list, "b": list}),
        &mut State::default(),
        NOW_MS,
    );
    let stored = found
        .as_array()
        .unwrap()
        .iter()
        .filter(|outcome| outcome.is_object())
        .count();
    assert_eq!(stored, 800);
    let list: Vec<i32> = (0..1000).collect();
    let large = json!({"a": list, "text": "x".repeat(200_000)});
    let found = run(
        &compiled(&json!([{"kind": "explode", "field": "a"}])),
        &large,
        &mut State::default(),
        NOW_MS,
    );
    assert_eq!(
        found,
        json!(["1 at a: the values that come out on the way are too large ()"])
    );
}

#[test]
fn flatten_names_what_was_nested() {
    let nested = json!({"a": 1, "c": {"d": 2, "e": {"f": 3, "g": []}}, "h": {}});
    check(
        json!([{"kind": "flatten"}]),
        nested.clone(),
        json!([{"a": 1, "c_d": 2, "c_e_f": 3, "c_e_g": [], "h": {}}]),
    );
    check(
        json!([{"kind": "flatten", "separator": "dot", "depth": 1}]),
        nested.clone(),
        json!([{"a": 1, "c.d": 2, "c.e": {"f": 3, "g": []}, "h": {}}]),
    );
    check(
        json!([{"kind": "flatten", "field": "c.e"}]),
        nested.clone(),
        json!([{"a": 1, "c": {"d": 2}, "h": {}, "e_f": 3, "e_g": []}]),
    );
    check(
        json!([{"kind": "flatten", "field": "c", "depth": 1}]),
        nested,
        json!([{"a": 1, "c_d": 2, "c_e": {"f": 3, "g": []}, "h": {}}]),
    );
    check(
        json!([{"kind": "flatten", "field": "a"}]),
        json!({"a": 1}),
        json!(["1 at a: this is not an object (1)"]),
    );
    check(
        json!([{"kind": "flatten"}]),
        json!({"x".repeat(200): {"y".repeat(200): 1}}),
        json!(["1 at : a name that comes out has more than 256 characters ()"]),
    );
}

#[track_caller]
fn date(format: Value, zone: &str, value: Value, expected: Value) {
    let step = json!([{"kind": "parse_date", "fields": ["at"], "format": format, "zone": zone}]);
    let expected = match expected {
        Value::String(time) if time.ends_with('Z') => json!([{"at": time}]),
        Value::String(error) => json!([format!("1 at at: {error}")]),
        _ => json!([{"at": null}]),
    };
    check(step, json!({"at": value}), expected);
}

fn no_date(value: &str) -> Value {
    json!(format!(
        "this is not a date in the format of the step ({value})"
    ))
}

#[test]
fn dates_are_read_as_they_are_written() {
    date(
        json!("auto"),
        "UTC",
        json!("2026-11-22 14:30"),
        json!("2026-11-22T14:30:00.000Z"),
    );
    date(
        json!("auto"),
        "+02:00",
        json!("2026-11-22 14:30"),
        json!("2026-11-22T12:30:00.000Z"),
    );
    date(
        json!("auto"),
        "+02:00",
        json!("2026-11-22T14:30:00Z"),
        json!("2026-11-22T14:30:00.000Z"),
    );
    date(
        json!("auto"),
        "Europe/Berlin",
        json!("2026-11-22"),
        json!("2026-11-21T23:00:00.000Z"),
    );
    date(
        json!("auto"),
        "Mars/Base",
        json!("2026-11-22"),
        json!("the time zone Mars/Base is not known here (2026-11-22)"),
    );
    date(
        json!("day_first"),
        "UTC",
        json!("5.11.2026"),
        json!("2026-11-05T00:00:00.000Z"),
    );
    date(
        json!("day_first"),
        "UTC",
        json!("05/11/2026 14:30"),
        json!("2026-11-05T14:30:00.000Z"),
    );
    date(
        json!("day_first"),
        "UTC",
        json!("05-11-2026 2:30:15 pm"),
        json!("2026-11-05T14:30:15.000Z"),
    );
    date(
        json!("month_first"),
        "UTC",
        json!("11/05/2026 12:00 AM"),
        json!("2026-11-05T00:00:00.000Z"),
    );
    date(
        json!("month_first"),
        "UTC",
        json!("31/12/2026"),
        no_date("31/12/2026"),
    );
}

#[test]
fn unix_times_and_patterns_are_read() {
    date(
        json!("unix_seconds"),
        "UTC",
        json!("1517977070.5"),
        json!("2018-02-07T04:17:50.500Z"),
    );
    date(
        json!("unix_milliseconds"),
        "UTC",
        json!(1000),
        json!("1970-01-01T00:00:01.000Z"),
    );
    date(
        json!("unix_seconds"),
        "UTC",
        json!(1e300),
        no_date("1e+300"),
    );
    date(
        json!({"pattern": "%a, %d %b %Y at %I.%M %p"}),
        "UTC",
        json!("Sunday, 22 November 2026 at 02.36 AM"),
        json!("2026-11-22T02:36:00.000Z"),
    );
    date(
        json!({"pattern": "%Y%m%d"}),
        "UTC",
        json!("20261122"),
        json!("2026-11-22T00:00:00.000Z"),
    );
    date(
        json!({"pattern": "%y-%m-%d %T.%f%z"}),
        "UTC",
        json!("26-11-22 02:36:01.25+0100"),
        json!("2026-11-22T01:36:01.250Z"),
    );
    date(
        json!({"pattern": "%d.%m.%Y"}),
        "UTC",
        json!("30.02.2026"),
        no_date("30.02.2026"),
    );
    date(
        json!({"pattern": "%d.%m.%Y"}),
        "UTC",
        json!(5),
        no_date("5"),
    );
    date(json!("auto"), "UTC", json!(null), json!(null));
}

#[test]
fn what_is_private_is_hidden_and_never_goes_on() {
    let mask = |style: Value, on_error: &str| json!([{"kind": "mask", "fields": ["v"], "style": style, "on_error": on_error}]);
    check(
        mask(json!("full"), "fail"),
        json!({"v": "secret"}),
        json!([{"v": "•••"}]),
    );
    check(
        mask(json!({"keep_last": 4}), "fail"),
        json!({"v": "4111111111111111"}),
        json!([{"v": "•••1111"}]),
    );
    check(
        mask(json!({"keep_last": 4}), "fail"),
        json!({"v": 1234}),
        json!([{"v": "•••34"}]),
    );
    check(
        mask(json!("email"), "fail"),
        json!({"v": "ann.lee@example.com"}),
        json!([{"v": "a•••@example.com"}]),
    );
    check(
        mask(json!("email"), "fail"),
        json!({"v": "no address"}),
        json!([{"v": "•••"}]),
    );
    check(
        mask(json!("full"), "fail"),
        json!({"v": null, "w": 1}),
        json!([{"v": null, "w": 1}]),
    );
    check(
        mask(json!("full"), "fail"),
        json!({"v": {"pin": 1}}),
        json!(["1 at v: a list or an object cannot be hidden as a whole (•••)"]),
    );
    check(
        mask(json!("full"), "keep"),
        json!({"v": {"pin": 1}}),
        json!([{"v": null}]),
    );
    // By any other tool: printf ann | openssl dgst -sha256 -hmac pepper
    let hash = json!([{"kind": "hash", "fields": ["v", "none"]}]);
    check(
        hash.clone(),
        json!({"v": "ann"}),
        json!([{"v": "62ac51ded8a2e8b977c55c069a6e4940c70b294e885a396e11132b0d1235a390"}]),
    );
    check(hash, json!({"v": null}), json!([{"v": null}]));
}
