//! Formulas and scripts that mean harm. Each has to end with an error, soon and in little memory:
//! what an evaluation may use up is counted, so that is the same on every machine. The time that a
//! test allows is ten times what an optimized build needs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;

/// For a build that is not optimized, on a machine that does other things, too.
const MOST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 4 } else { 0 })
    .saturating_add(Duration::from_millis(100));

/// The largest record that comes in, nearly: a text, a long list and a deep value.
fn large() -> Value {
    let mut deep = json!(1);
    for _ in 0..120 {
        deep = json!([deep]);
    }
    json!({
        "a": "x".repeat(100 * 1024),
        "s": "x".repeat(16 * 1024),
        "items": (0..10_000).map(|n| n.to_string()).collect::<Vec<_>>(),
        "deep": deep,
    })
}

#[track_caller]
fn formula_ends(source: &str) {
    let record = large();
    let start = Instant::now();
    let error = match Formula::compile(source) {
        Err(error) => error.message,
        Ok(formula) => match formula.value(record.as_object().unwrap(), 0, &Meter::for_record()) {
            Err(problem) => problem.to_string(),
            Ok(value) => panic!("{source:.60} is {:.60}", value.to_string()),
        },
    };
    assert!(
        start.elapsed() < MOST,
        "{source:.60}: {error} after {:?}",
        start.elapsed()
    );
}

#[track_caller]
fn script_ends(source: &str) {
    let record = large();
    let start = Instant::now();
    let error = match Script::compile(source) {
        Err(error) => error.message,
        Ok(script) => match script.run(record.as_object().unwrap(), 0, &Meter::for_record()) {
            Err(problem) => problem.to_string(),
            Ok(returned) => panic!("{source:.60} is {:.60}", format!("{returned:?}")),
        },
    };
    assert!(
        start.elapsed() < MOST,
        "{source:.60}: {error} after {:?}",
        start.elapsed()
    );
}

#[test]
fn deep_nesting_ends_in_an_error_and_not_in_a_full_stack() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a:", "}"),
        ("not ", ""),
        ("!", ""),
        ("-", ""),
        ("abs(", ")"),
        ("true?1:", ""),
        ("2^", ""),
        ("a[", "]"),
        ("map(items,", ")"),
    ] {
        let depth = 3900 / (open.len() + close.len());
        formula_ends(&format!("{}1{}", open.repeat(depth), close.repeat(depth)));
    }
    script_ends(&format!("{}{}", "if true {".repeat(1000), "}".repeat(1000)));
    script_ends(&format!("let x = 1 {}", "if x { x = 1 } else ".repeat(700)));
    script_ends("let x = [] for n in range(1, 9999) { x = [x] } return {x: x}");
    script_ends("for n in range(1, 9999) { record.b = record }");
    script_ends("for n in range(1, 9999) { record.b.b.b.b.b = {b: record.b} }");
    formula_ends("[deep]");
}

#[test]
fn long_chains_are_no_deep_trees() {
    let record = json!({});
    for (part, sign) in [("1", "+"), ("true", " and "), ("null", "??"), ("1", "*")] {
        let source = vec![part; 4000 / (part.len() + sign.len())].join(sign);
        let formula = Formula::compile(&source).unwrap();
        assert!(
            formula
                .value(record.as_object().unwrap(), 0, &Meter::for_record())
                .is_ok()
        );
    }
    let path = format!("a{}", ".b".repeat(2000));
    let formula = Formula::compile(&path).unwrap();
    assert_eq!(
        formula.value(record.as_object().unwrap(), 0, &Meter::for_record()),
        Ok(Value::Null)
    );
}

#[test]
fn memory_cannot_be_filled() {
    formula_ends(&vec!["a"; 2000].join("+"));
    formula_ends("map(items, # + a)");
    formula_ends("map(items, a)");
    formula_ends("map(items, items)");
    formula_ends("map(items, record)");
    formula_ends("flat(map(items, items))");
    formula_ends(&format!("[{}]", vec!["a"; 1000].join(",")));
    formula_ends(&format!(
        "len(split(a,'x')) + {}",
        vec!["len(split(a, 'x'))"; 100].join("+")
    ));
    formula_ends(
        "replace(replace(replace(s, 'x', 'xxxxxxxxxxxxxxxx'), 'x', 'xxxxxxxxxxxxxxxx'), 'x', 'xxxxxxxxxx')",
    );
    formula_ends("join(map(items, s), s)");
    formula_ends("range(1, 1e18)");
    formula_ends("range(-9e18, 9e18)");
    formula_ends(&format!("upper({})", vec!["a"; 150].join("+")));
    formula_ends("map(items, text(items))");
    formula_ends("merge(map(items, record))");
    script_ends("let x = 'x' for n in range(1, 100) { x = x + x } return {x: x}");
    script_ends("let x = [1] for n in range(1, 100) { x = x + x } return {x: x}");
    script_ends("let x = {} for n in items { for m in items { x[n + m] = a } } return x");
    script_ends("let x = [] for n in items { x[n] = items } return {x: x}");
    script_ends("for n in range(1, 9999) { record[n + a] = 1 }");
    script_ends("let x = [] for n in range(0, 9999) { x[999] = x }");
}

#[test]
fn time_cannot_be_wasted() {
    formula_ends("map(items, count(items, # in items))");
    formula_ends("map(items, contains(a, 'y'))");
    formula_ends("map(items, upper(s))");
    formula_ends("map(items, len(a))");
    formula_ends("map(items, slice(a, 50000, 50001))");
    formula_ends("map(items, left(a, 50000))");
    formula_ends("map(items, right(a, 50000))");
    formula_ends("map(items, a == a + '')");
    formula_ends("map(items, sum(map(items, number(#))))");
    formula_ends("map(items, len(sort(items)))");
    formula_ends("map(items, max(items))");
    formula_ends("map(items, items == items)");
    formula_ends("map(items, len(unique(items)))");
    formula_ends("map(items, 1.0000001 ^ 999 ^ 2)[0] / 0");
    script_ends("for n in items { for m in items { for o in items { record.x = 1 } } }");
    script_ends("for n in items { record.x = a }");
    script_ends("for n in items { let y = upper(s) }");
    script_ends("for n in items { let y = sort(items) }");
    script_ends("for n in range(1, 9999) { delete record.items[0] record.items = range(1, 9999) }");
    script_ends("while (true) {}");
    script_ends("loop {}");
    script_ends("fn f() { f() }");
}

#[test]
fn patterns_cannot_run_away() {
    for pattern in [
        "(x+x+)+y",
        "(x{50}){50}y",
        "(x*)*y",
        "(x|x)*y",
        "(x?){100}x{100}y",
        "((((x*)*)*)*)*y",
        "(.*)(.*)(.*)(.*)y",
        "x{1,1000}{1,1000}",
        "[^y]*y",
        "(?i)(xx|XX|xX)*y",
    ] {
        let record = large();
        let source = format!("[matches(s, '{pattern}'), extract(s, '{pattern}')]");
        let start = Instant::now();
        if let Ok(formula) = Formula::compile(&source) {
            let _either = formula.value(record.as_object().unwrap(), 0, &Meter::for_record());
        }
        assert!(start.elapsed() < MOST, "{pattern}: {:?}", start.elapsed());
        formula_ends(&format!("map(items, matches(s, '{pattern}'))"));
        formula_ends(&format!("matches(a, '{pattern}')"));
    }
    formula_ends(&format!("matches(s, '{}')", "(x".repeat(100)));
    formula_ends(&format!("matches(s, '{}')", "x".repeat(300)));
    let many = vec!["matches(s, 'x{60}{60}')"; 100].join(" or ");
    formula_ends(&many);
}

#[test]
fn nothing_reaches_out() {
    for source in [
        "eval('1')",
        "import('x')",
        "rand(1)",
        "print(1)",
        "record.constructor()",
        "env('HOME')",
        "open('x')",
    ] {
        formula_ends(source);
    }
}
