//! What formulas and scripts are worth, case by case.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const NOW_MS: i64 = 1_795_314_960_000; // 2026-11-22T02:36:00Z

fn record() -> Value {
    json!({
        "total": 184.2, "qty": 3, "name": "Ann", "vip": true, "note": null, "email": "Ann@Example.com",
        "big": 9_007_199_254_740_993_i64, "in": "word", "first name": "Ann B.",
        "customer": {"country": "DE", "tags": ["a", "b"]},
        "items": [{"sku": "x", "price": 9.99, "n": 2}, {"sku": "y", "price": 0.01, "n": 1}],
        "at": "2026-02-28T23:30:00Z", "numbers": [3, 1, null, 2], "text number": "12.5",
    })
}

#[track_caller]
fn check(source: &str, expected: Value) {
    let record = record();
    let formula = Formula::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let found = formula.value(record.as_object().unwrap(), NOW_MS, &Meter::for_record());
    assert_eq!(found.as_ref(), Ok(&expected), "{source}");
}

#[track_caller]
fn fails(source: &str, expected: &str) {
    let record = record();
    let formula = Formula::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let found = formula.value(record.as_object().unwrap(), NOW_MS, &Meter::for_record());
    assert_eq!(
        found.map_err(|problem| problem.to_string()),
        Err(expected.to_owned()),
        "{source}"
    );
}

#[track_caller]
fn is_no_formula(source: &str, expected: &str) {
    let error = Formula::compile(source).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), expected, "{source}");
}

#[test]
fn numbers_are_reckoned_with_as_on_paper() {
    check("0.1 + 0.2", json!(0.3));
    check("3 / 2", json!(1.5));
    check("1 + 2 * 3 - 4", json!(3));
    check("(1 + 2) * 3", json!(9));
    check("10 - 2 - 3", json!(5));
    check("7 % 3", json!(1));
    check("-2 ^ 2", json!(-4));
    check("2 ^ 3 ^ 2", json!(512));
    check("total * qty", json!(552.6));
    check("total * 1.19", json!(219.198));
    check("big + 1", json!(9_007_199_254_740_994_i64));
    check("1e3 + 1", json!(1001));
    check("round(total / qty, 1)", json!(61.4));
    check("round(2.5)", json!(3));
    check("floor(-1.5) + ceil(-1.5)", json!(-3));
    check("abs(-3) + sqrt(16)", json!(7));
    check("min(3, 1, 2) + max(numbers)", json!(4));
    fails("1 / 0", "this divides by zero");
    fails("1 % (qty - 3)", "this divides by zero");
    fails("10 ^ 400", "the result is too large for a number");
    fails("sqrt(-1)", "the result is no number");
    fails(
        "total * name",
        "“Ann” is not a number; number(…) makes one of a text",
    );
}

#[test]
fn what_is_missing_is_nothing_and_hurts_nobody() {
    check("missing", json!(null));
    check("customer.address.street", json!(null));
    check("items[9].price", json!(null));
    check("note + 1", json!(null));
    check("note ?? 'none'", json!("none"));
    check("note ?? missing ?? 3", json!(3));
    check("missing > 3", json!(false));
    check("missing == null", json!(true));
    check("not missing", json!(true));
    check("lower(missing)", json!(null));
    check("len(missing)", json!(null));
    check("sum(missing)", json!(null));
    check("sum(numbers)", json!(6));
    check("avg(numbers)", json!(2));
    check("name + ' ' + missing", json!("Ann "));
}

#[test]
fn conditions_are_words() {
    check("vip and total > 100", json!(true));
    check("vip && total > 1000 || name == 'Ann'", json!(true));
    check("not vip or false", json!(false));
    check("!vip", json!(false));
    check("qty in [1, 2, 3]", json!(true));
    check("qty not in [1, 2, 3]", json!(false));
    check("'a' in customer.tags", json!(true));
    check("'nn' in name", json!(true));
    check("'country' in customer", json!(true));
    check("total >= 184.2 ? 'large' : 'small'", json!("large"));
    check("if(vip, 1, 1 / 0)", json!(1));
    check("false and 1 / 0 == 1", json!(false));
    check("qty == '3'", json!(false));
    check("name < 'Bob'", json!(true));
    check("[1, {a: 2}] == [1, {'a': 2.0}]", json!(true));
    fails("total and vip", "“184.2” is not true or false");
    fails(
        "name > 3",
        "“Ann” is not a number; number(…) makes one of a text",
    );
}

#[test]
fn texts_are_worked_with() {
    check("upper(name) + lower('ÄB')", json!("ANNäb"));
    check("trim('  x ') + '!'", json!("x!"));
    check(
        "contains(email, '@') and starts_with(name, 'A') and ends_with(name, 'n')",
        json!(true),
    );
    check("replace('a-b-c', '-', '+')", json!("a+b+c"));
    check("split('a,b', ',')", json!(["a", "b"]));
    check("join(['a', 1, true], '; ')", json!("a; 1; true"));
    check("slice('Grüße', 2, 4)", json!("üß"));
    check("slice('Grüße', -2)", json!("ße"));
    check(
        "left('Grüße', 3) + right('Grüße', 2) + right('x', 0) + left('x', 9)",
        json!("Grüßex"),
    );
    check("len('Grüße')", json!(5));
    check("'Order ' + qty", json!("Order 3"));
    check(
        "text(customer)",
        json!("{\"country\":\"DE\",\"tags\":[\"a\",\"b\"]}"),
    );
    check("number(' 12.50 ') + number(true)", json!(13.5));
    check("boolean('yes') and not boolean(0)", json!(true));
    check("matches(email, '(?i)@example\\.com$')", json!(true));
    check("extract('order #4711!', '#(\\d+)')", json!("4711"));
    check("extract('abc', '\\d')", json!(null));
    check("\"it's\" + ' \\'q\\' \\\\ \\n'", json!("it's 'q' \\ \n"));
    fails("number('12 EUR')", "“12 EUR” is not a number");
    fails("upper(qty)", "“3” is not text; text(…) makes one");
}

#[test]
fn lists_are_worked_with() {
    check("sum(map(items, #.price * #.n))", json!(19.99));
    check("filter(items, #.price > 1)[0].sku", json!("x"));
    check("find(items, #.sku == 'y').price", json!(0.01));
    check("any(items, #.n > 1) and all(items, #.n > 0)", json!(true));
    check("count(items, #.n == 1)", json!(1));
    check(
        "map(items, {sku: #.sku, of: name})[1]",
        json!({"sku": "y", "of": "Ann"}),
    );
    check("map([[1, 2], [3]], sum(map(#, # * 2)))", json!([6, 6]));
    check("items[-1].sku", json!("y"));
    check("items['0']", json!(null));
    check(
        "customer['country'] + record['first name']",
        json!("DEAnn B."),
    );
    check("record.customer.tags[qty - 2]", json!("b"));
    check("first([1, 2]) + last([1, 2])", json!(3));
    check("sort(numbers)", json!([1, 2, 3, null]));
    check("sort(['b', 'a'])", json!(["a", "b"]));
    check("unique([1, 'a', 1, 'a'])", json!([1, "a"]));
    check("reverse([1, 2]) + [3]", json!([2, 1, 3]));
    check("flat([[1], 2, [3]])", json!([1, 2, 3]));
    check("range(1, 3)", json!([1, 2, 3]));
    check("range(3, 1)", json!([]));
    check("keys(customer)", json!(["country", "tags"]));
    check("values({a: 1})", json!([1]));
    check("merge(customer, {country: 'FR'}).country", json!("FR"));
    check("slice([1, 2, 3], 1)", json!([2, 3]));
    check("type([]) + type({}) + type(1)", json!("listobjectnumber"));
    fails(
        "sum(['a'])",
        "“a” is not a number; number(…) makes one of a text",
    );
    fails(
        "sort([1, 'a'])",
        "“a” is not a number; number(…) makes one of a text",
    );
    fails("map(name, #)", "“Ann” is not a list");
}

#[test]
fn times_are_worked_with() {
    check("now()", json!("2026-11-22T02:36:00.000Z"));
    check("date(at)", json!("2026-02-28"));
    check(
        "[year(at), month(at), day(at), hour(at), minute(at), weekday(at)]",
        json!([2026, 2, 28, 23, 30, 6]),
    );
    check("add_time(at, 1, 'hour')", json!("2026-03-01T00:30:00.000Z"));
    check(
        "add_time(at, -0.5, 'days')",
        json!("2026-02-28T11:30:00.000Z"),
    );
    check(
        "time_between('2026-01-01', '2026-01-02T12:00:00Z', 'days')",
        json!(1.5),
    );
    check("start_of(at, 'month')", json!("2026-02-01T00:00:00.000Z"));
    check("start_of(at, 'week')", json!("2026-02-23T00:00:00.000Z"));
    check("unix('1970-01-01T00:00:01.500Z')", json!(1.5));
    check("time(0)", json!("1970-01-01T00:00:00.000Z"));
    check("year(missing)", json!(null));
    fails("year('soon')", "“soon” is not a time");
    fails(
        "add_time(at, 99999999999, 'weeks')",
        "this time is too far away",
    );
    fails(
        "add_time(at, 1, 'moons')",
        "“moons” is no unit of time: there are seconds, minutes, hours, days or weeks",
    );
}

#[test]
fn what_is_no_formula_says_where_and_why() {
    is_no_formula("", "line 1, character 1: something is missing at the end");
    is_no_formula(
        "1 +",
        "line 1, character 4: something is missing at the end",
    );
    is_no_formula(
        "total = 3",
        "line 1, character 7: one = sets nothing here; == compares",
    );
    is_no_formula(
        "total 3",
        "line 1, character 7: an operator is missing here, or this is too much",
    );
    is_no_formula("a\n  + §", "line 2, character 5: “§” means nothing here");
    is_no_formula(
        "nope(1)",
        "line 1, character 1: there is no function “nope”",
    );
    is_no_formula(
        "round(1, 2, 3)",
        "line 1, character 1: round takes 1 to 2 values",
    );
    is_no_formula(
        "'abc",
        "line 1, character 1: this text has no closing quote",
    );
    is_no_formula("(1", "line 1, character 3: “)” is missing here");
    is_no_formula(
        "# + 1",
        "line 1, character 1: # is an element of a list: it only means something inside map, filter and the like",
    );
    is_no_formula(
        "matches(name, name)",
        "line 1, character 1: the pattern of matches is a text in quotes",
    );
    is_no_formula(
        "1st",
        "line 1, character 2: a name does not begin with a digit; write record[\"…\"] for such a field",
    );
    is_no_formula("1e999", "line 1, character 1: this number is too large");
    assert!(Formula::compile("matches(name, '(')").is_err());
    assert!(Formula::compile(&" ".repeat(5000)).is_err());
}

#[track_caller]
fn runs(source: &str, expected: Value) {
    let record = json!({"total": 184.2, "note": "x", "items": [{"n": 1}, {"n": 2}]});
    let script = Script::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let found = match script.run(record.as_object().unwrap(), NOW_MS, &Meter::for_record()) {
        Ok(Returned::One(fields)) => Value::Object(fields),
        Ok(Returned::Many(records)) => records.into_iter().map(Value::Object).collect(),
        Ok(Returned::Nothing) => Value::Null,
        Err(problem) => Value::String(problem.to_string()),
    };
    assert_eq!(found, expected, "{source}");
}

#[test]
fn scripts_change_replace_multiply_and_drop_records() {
    let items = json!([{"n": 1}, {"n": 2}]);
    runs("", json!({"total": 184.2, "note": "x", "items": items}));
    runs(
        "delete record.note delete record.items[0] record.net = total / 2",
        json!({"total": 184.2, "items": [{"n": 2}], "net": 92.1}),
    );
    runs(
        "let sum = 0 for item in items { sum = sum + item.n } return {sum: sum}",
        json!({"sum": 3}),
    );
    runs(
        "let tier = 'low'
         if total > 1000 { tier = 'high' } else if total > 100 { tier = 'middle' } else { drop }
         return {tier: tier} // a comment",
        json!({"tier": "middle"}),
    );
    runs("if total > 100 { drop }", json!(null));
    runs("return null", json!(null));
    runs(
        "return map(items, merge(#, {total: total}))",
        json!([{"n": 1, "total": 184.2}, {"n": 2, "total": 184.2}]),
    );
    runs(
        "let list = [] for n in range(1, 3) { list[n - 1] = {n: n} } return list",
        json!([{"n": 1}, {"n": 2}, {"n": 3}]),
    );
    runs(
        "let o = {a: {}} o.a.b[1] = 2; delete o.x.y; return o",
        json!({"a": {"b": [null, 2]}}),
    );
    runs(
        "record = {drop: 1, if: 2} record.drop = record.if record.k = drop",
        json!({"drop": 2, "if": 2, "k": 2}),
    );
    runs("for item in missing { drop } return {}", json!({}));
    runs(
        "return 5",
        json!("“5” is not a record, a list of records or null"),
    );
    runs("return [1]", json!("“1” is not a record"));
    runs("record.total.x = 1", json!("“184.2” is not an object"));
    runs("record = 5", json!("“5” is not a record"));
    runs(
        "record.items[1000] = 1",
        json!("lists are written up to place 999"),
    );
    runs("return {a: 3 / 2}", json!({"a": 1.5}));
}

#[test]
fn what_is_no_script_says_where_and_why() {
    let check = |source: &str, expected: &str| {
        let error = Script::compile(source).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{source}");
    };
    check(
        "total = 3",
        "line 1, character 1: there is no variable “total”: make one with let total = …, or set the field with record.total = …",
    );
    check(
        "let x = 1\nif x { let y = 2 }\ny = 3",
        "line 3, character 1: there is no variable “y”: make one with let y = …, or set the field with record.y = …",
    );
    check(
        "for x items {}",
        "line 1, character 7: “in” is missing here: for item in items { … }",
    );
    check(
        "if total > 1 drop",
        "line 1, character 14: “{” is missing here",
    );
    check(
        "1 + 1",
        "line 1, character 1: a statement begins with a word: let, if, for, return, delete, drop, or what gets a value",
    );
    check(
        "if true {",
        "line 1, character 10: a statement begins with a word: let, if, for, return, delete, drop, or what gets a value",
    );
    check(
        "while true {}",
        "line 1, character 1: there is no variable “while”: make one with let while = …, or set the field with record.while = …",
    );
    assert!(Script::compile(&"let a = 1\n".repeat(101)).is_err());
}

#[test]
fn formulas_are_shared_between_threads() {
    const fn is_shared<T: Send + Sync + Clone>() {}
    is_shared::<Formula>();
    is_shared::<Script>();
}

/// Source that is nearly a formula.
fn any_source() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("total"),
        Just("items"),
        Just("name"),
        Just("record"),
        Just("customer.country"),
        Just("missing"),
        Just("#"),
        Just("1"),
        Just("0.1"),
        Just("'a'"),
        Just("null"),
        Just("true"),
        Just("+"),
        Just("-"),
        Just("*"),
        Just("/"),
        Just("^"),
        Just("=="),
        Just("<"),
        Just("and"),
        Just("or"),
        Just("not"),
        Just("in"),
        Just("??"),
        Just("?"),
        Just(":"),
        Just("("),
        Just(")"),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just(","),
        Just("map("),
        Just("filter("),
        Just("sum("),
        Just("len("),
        Just("text("),
        Just("number("),
        Just("let x ="),
        Just("x"),
        Just("for x in"),
        Just("if"),
        Just("else"),
        Just("return"),
        Just("record.a ="),
    ];
    prop::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn no_source_and_no_record_is_too_odd(source in any_source(), text in "\\PC{0,40}") {
        let record = record();
        for source in [source, text] {
            if let Ok(formula) = Formula::compile(&source) {
                let first = formula.value(record.as_object().unwrap(), NOW_MS, &Meter::for_record());
                prop_assert_eq!(first, formula.value(record.as_object().unwrap(), NOW_MS, &Meter::for_record()));
            }
            if let Ok(script) = Script::compile(&source) {
                let first = script.run(record.as_object().unwrap(), NOW_MS, &Meter::for_record());
                prop_assert_eq!(first, script.run(record.as_object().unwrap(), NOW_MS, &Meter::for_record()));
            }
        }
    }
}
