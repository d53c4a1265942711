//! Bodies of webhooks: JSON, NDJSON, forms, CSV and multipart, by the content type that the first
//! line names. Read or refused, never worse; what is read can be written.
#![no_main]

use bytes::Bytes;
use dash_api::engine::bodies::read_body;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (content_type, rest) = input.split_at(end);
    let body = Bytes::copy_from_slice(rest.strip_prefix(b"\n").unwrap_or(rest));
    let content_type = std::str::from_utf8(content_type).ok();
    if let Ok(read) = read_body(content_type, &body) {
        let text = serde_json::to_vec(&read.records).expect("what was read can be written");
        let again: Vec<serde_json::Value> =
            serde_json::from_slice(&text).expect("what was written can be read");
        assert_eq!(read.records.len(), again.len());
    }
});
