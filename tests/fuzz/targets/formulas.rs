//! Formulas and scripts: refused, or run to an end within their limits.
#![no_main]

use dash_shared::transform::{Definition, Preview, State, Transform};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

fuzz_target!(|source: &str| {
    let steps = [
        json!([{ "kind": "calculate", "fields": [{ "field": "x", "formula": source }] }]),
        json!([{ "kind": "filter", "formula": source }]),
        json!([{ "kind": "script", "source": source }]),
    ];
    let record = json!({
        "a": 1.5, "b": "text", "c": [1, 2, { "d": null }], "at": "2026-11-22T10:00:00Z",
        "items": [{ "price": 9.99, "count": 2 }], "empty": {},
    });
    for steps in steps {
        let Ok(definition) = serde_json::from_value::<Definition>(steps) else {
            continue;
        };
        if let Ok(transform) = Transform::compile(&definition) {
            let environment = Preview { now_ms: 0 };
            let mut outcomes = Vec::new();
            transform.run(&record, &mut State::default(), &environment, &mut outcomes);
            assert!(!outcomes.is_empty());
        }
    }
});
