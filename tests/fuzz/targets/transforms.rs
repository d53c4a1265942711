//! Definitions of transforms, and records that go through them: the first line is a list of steps,
//! each further one a record.
#![no_main]

use dash_shared::transform::{Definition, Preview, State, Transform};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let Some(Ok(definition)) = lines.next().map(serde_json::from_str::<Definition>) else {
        return;
    };
    let Ok(transform) = Transform::compile(&definition) else {
        return;
    };
    let written = serde_json::to_string(&definition).expect("a definition can be written");
    let again: Definition = serde_json::from_str(&written).expect("and read again");
    assert_eq!(again, definition);
    let (mut state, mut outcomes) = (State::default(), Vec::new());
    for line in lines.take(20) {
        if let Ok(record) = serde_json::from_str::<Value>(line) {
            outcomes.clear();
            transform.run(&record, &mut state, &Preview { now_ms: 0 }, &mut outcomes);
            assert!(!outcomes.is_empty());
        }
    }
    transform.tick(&mut state, &Preview { now_ms: 1 << 45 }, &mut outcomes);
});
