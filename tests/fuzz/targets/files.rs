//! Files that are handed over, in each format and in the one that is found out: read to an end or
//! refused, however they are cut into pieces.
#![no_main]

use dash_api::engine::{FileFormat, read_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let formats = [
        None,
        Some(FileFormat::Csv),
        Some(FileFormat::Tsv),
        Some(FileFormat::Ndjson),
        Some(FileFormat::Json),
    ];
    for format in formats {
        let mut records = 0;
        let read = read_file(file, format, &mut |chunk| {
            assert_eq!(chunk.records.len(), chunk.lines.len());
            records += chunk.records.len();
            true
        });
        if let Ok(bytes) = read {
            assert!(bytes <= file.len() as u64 && records <= file.len());
        }
    }
});
