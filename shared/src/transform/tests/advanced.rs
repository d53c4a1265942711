//! Scripts, tables and joins, case by case.

use super::*;

#[test]
fn scripts_decide_about_the_record() {
    let script = |source: &str, on_error: &str| json!([{"kind": "script", "source": source, "on_error": on_error}]);
    check(
        script("record.b = record.a * 2", "fail"),
        json!({"a": 2}),
        json!([{"a": 2, "b": 4}]),
    );
    check(
        script("return map(l, {n: #})", "fail"),
        json!({"l": [1, 2]}),
        json!([{"n": 1}, {"n": 2}]),
    );
    check(
        script("return []", "fail"),
        json!({}),
        json!(["dropped by 1"]),
    );
    check(script("drop", "fail"), json!({}), json!(["dropped by 1"]));
    check(
        script("record.b = 1 record.c = a + 1", "fail"),
        json!({"a": []}),
        json!(["1 at : “a list of 0” is not a number (a list of 0)"]),
    );
    check(
        script("record.b = 1 record.c = a + 1", "keep"),
        json!({"a": []}),
        json!([{"a": []}]),
    );
    check(
        script("return map(range(1, 1001), {n: #})", "fail"),
        json!({}),
        json!(["1 at : 1001 records are too many: at most 1000 are made of one ()"]),
    );
}

#[test]
fn tables_add_what_they_say() {
    let lookup = |required: bool, on_error: &str| {
        json!([{"kind": "lookup", "field": "c", "columns": ["code", "name", "eu"], "ignore_case": true,
        "required": required, "on_error": on_error, "rows": [["DE", "Germany", true], [1, "One", false], ["de", "late", null]]}])
    };
    check(
        lookup(false, "fail"),
        json!({"c": "de"}),
        json!([{"c": "de", "name": "Germany", "eu": true}]),
    );
    check(
        lookup(false, "fail"),
        json!({"c": 1.0}),
        json!([{"c": 1.0, "name": "One", "eu": false}]),
    );
    check(
        lookup(false, "fail"),
        json!({"c": "FR"}),
        json!([{"c": "FR", "name": null, "eu": null}]),
    );
    check(
        lookup(true, "fail"),
        json!({"c": "FR"}),
        json!(["1 at c: this is not in the table (FR)"]),
    );
    check(
        lookup(true, "keep"),
        json!({"c": "FR"}),
        json!([{"c": "FR", "name": null, "eu": null}]),
    );
    check(
        lookup(true, "fail"),
        json!({}),
        json!([{"name": null, "eu": null}]),
    );
}

#[test]
fn another_pipelines_latest_record_is_joined() {
    let join = |pipeline: PipelineId, required: bool, on_error: &str| {
        json!([{"kind": "join", "pipeline": pipeline, "field": "customer", "matches": "id",
        "take": [{"from": "name", "to": "customer_name"}, {"from": "since", "to": "since", "cast": "number"}], "required": required, "on_error": on_error}])
    };
    check(
        join(customers(), true, "fail"),
        json!({"customer": 7}),
        json!([{"customer": 7, "customer_name": "Ann", "since": 2020}]),
    );
    check(
        join(customers(), false, "fail"),
        json!({"customer": 9}),
        json!([{"customer": 9, "customer_name": null, "since": null}]),
    );
    check(
        join(customers(), true, "fail"),
        json!({"customer": 9}),
        json!(["1 at customer: the other pipeline has no record with this value (9)"]),
    );
    check(
        join(customers(), true, "fail"),
        json!({"customer": 8}),
        json!(["1 at since: “long ago” is not a number (long ago)"]),
    );
    check(
        join(customers(), true, "keep"),
        json!({"customer": 8}),
        json!([{"customer": 8, "customer_name": "Bob", "since": null}]),
    );
    let elsewhere: PipelineId = "pip_00000000000000000000000002".parse().unwrap();
    check(
        join(elsewhere, false, "fail"),
        json!({"customer": 7}),
        json!(["1 at customer: there is no such pipeline ()"]),
    );
}
