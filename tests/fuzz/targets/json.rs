//! Bodies of webhooks as JSON: read or refused, never worse; what is read is written and read again
//! as the same.
#![no_main]

use dash_api::engine::records_of_body;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    if let Ok(records) = records_of_body(body) {
        let text = serde_json::to_vec(&records).expect("what was read can be written");
        let again: Vec<serde_json::Value> =
            serde_json::from_slice(&text).expect("what was written can be read");
        assert_eq!(records.len(), again.len());
    }
});
