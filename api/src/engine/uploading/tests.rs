use std::io::Read;

use dash_shared::sources::MAX_UPLOAD_BYTES;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::chunks::{CHUNK_RECORDS, Chunk};
use super::reading::MAX_LINE_BYTES;
use super::{FileError, FileFormat, read_file};

/// Gives a file in pieces of some bytes.
struct Dripping<'a>(&'a [u8], usize);

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(buffer.len()).min(self.0.len());
        let (piece, rest) = self.0.split_at(count);
        buffer[..count].copy_from_slice(piece);
        self.0 = rest;
        Ok(count)
    }
}

fn chunks_of(
    file: &[u8],
    format: Option<FileFormat>,
    piece: usize,
) -> (Vec<Chunk>, Result<u64, FileError>) {
    let mut chunks = Vec::new();
    let read = read_file(Dripping(file, piece), format, &mut |chunk| {
        chunks.push(chunk);
        true
    });
    (chunks, read)
}

/// What a file holds: its records with their lines, and what could not be read, with its line.
fn found(file: &str, format: Option<FileFormat>) -> Result<Value, FileError> {
    let mut found = None;
    // However it arrives, it is the same.
    for piece in [1, 3, 100_000] {
        let (chunks, read) = chunks_of(file.as_bytes(), format, piece);
        read?;
        let records: Vec<Value> = chunks
            .iter()
            .flat_map(|chunk| chunk.lines.iter().zip(&chunk.records))
            .map(|(line, record)| json!([line, record]))
            .collect();
        let unreadable = chunks.iter().flat_map(|chunk| &chunk.unreadable);
        let lines: Vec<u64> = unreadable.map(|one| one.line).collect();
        let now = json!([records, lines]);
        assert!(found.is_none() || found.as_ref() == Some(&now), "{file}");
        found = Some(now);
    }
    Ok(found.unwrap())
}

fn check(file: &str, format: FileFormat, expected: Value) {
    assert_eq!(found(file, Some(format)), Ok(expected), "{file}");
}

fn check_unreadable(file: &str, format: FileFormat, line: u64, part: &str) {
    let error = found(file, Some(format)).unwrap_err();
    let FileError::Unreadable {
        line: told,
        message,
    } = &error
    else {
        panic!("{file}: {error:?}")
    };
    assert_eq!(*told, line, "{file}: {message}");
    assert!(message.contains(part), "{file}: {message}");
}

#[test]
fn the_lines_of_a_csv_are_records_and_a_ragged_one_fails_alone() {
    let csv = FileFormat::Csv;
    check(
        "a,b\n1,x\n2,y",
        csv,
        json!([[[2, {"a": 1, "b": "x"}], [3, {"a": 2, "b": "y"}]], []]),
    );
    check(
        "a;b\r\n\r\n1;2\r\n3\r\n4;5\r\n",
        csv,
        json!([[[3, {"a": 1, "b": 2}], [5, {"a": 4, "b": 5}]], [4]]),
    );
    check(
        "\u{feff}a\r1\r\r2",
        csv,
        json!([[[2, {"a": 1}], [4, {"a": 2}]], []]),
    );
    check(
        "a,b\n\"x\ny\",1\nz,2\n",
        csv,
        json!([[[2, {"a": "x\ny", "b": 1}], [4, {"a": "z", "b": 2}]], []]),
    );
    check("\n\na\n1\n", csv, json!([[[4, {"a": 1}]], []]));
    check(
        "a\tb,c\n1\t2",
        FileFormat::Tsv,
        json!([[[2, {"a": 1, "b,c": 2}]], []]),
    );
}

#[test]
fn a_csv_that_cannot_be_read_on_says_where() {
    let csv = FileFormat::Csv;
    check_unreadable(
        "a,b\n1,2\n3,\"x\n4,5\n",
        csv,
        3,
        "a quote that is never closed",
    );
    check_unreadable("\"a,b\n1,2", csv, 1, "a quote that is never closed");
    let long = format!("a\n1\n\"{}", "x".repeat(MAX_LINE_BYTES * 2));
    let (_, read) = chunks_of(long.as_bytes(), Some(csv), 10_000);
    let error = read.unwrap_err();
    assert!(
        matches!(error, FileError::Unreadable { line: 3, .. }),
        "{error:?}"
    );
    let wide = vec!["x"; 501].join(",");
    check_unreadable(&wide, csv, 1, "501 columns");
}

#[test]
fn bytes_that_are_not_utf_8_fail_their_line() {
    let (chunks, read) = chunks_of(b"a\nok\nZ\xfcrich\nok\n", Some(FileFormat::Csv), 7);
    assert!(read.is_ok());
    assert_eq!(chunks[0].lines, [2, 4]);
    assert_eq!(chunks[0].unreadable[0].line, 3);
    assert_eq!(chunks[0].unreadable[0].text, "Z\u{fffd}rich");
}

#[test]
fn every_line_of_ndjson_stands_for_itself() {
    let expected = json!([[[1, {"a": 1}], [4, {"a": 2}]], [3]]);
    check(
        "{\"a\":1}\r\n\n{\"a\":\n{\"a\":2}",
        FileFormat::Ndjson,
        expected,
    );
    let long = format!("{{}}\n\"{}\"\n{{}}\n", "x".repeat(MAX_LINE_BYTES + 10));
    let (chunks, read) = chunks_of(long.as_bytes(), Some(FileFormat::Ndjson), 10_000);
    assert!(read.is_ok());
    assert_eq!(chunks[0].lines, [1, 3]);
    assert_eq!(chunks[0].unreadable[0].line, 2);
}

#[test]
fn a_json_file_is_an_array_or_values_one_after_the_other() {
    let json = FileFormat::Json;
    check(
        "[\n {\"a\": [1, \"]\\\"\"]},\n {\"a\": 2}\n]\n",
        json,
        json!([[[2, {"a": [1, "]\""]}], [3, {"a": 2}]], []]),
    );
    check(
        "{\n\"a\": 1\n}\n{\"a\": 2}",
        json,
        json!([[[1, {"a": 1}], [4, {"a": 2}]], []]),
    );
    check(
        "[1, x, {\"a\" 1}, 2]",
        json,
        json!([[[1, 1], [1, 2]], [1, 1]]),
    );
    check("[{}\n{}]", json, json!([[], [1]]));
    check_unreadable("[{\"a\": 1},", json, 1, "not closed");
    check_unreadable("[1,\n{\"a\": 1", json, 2, "not closed");
    check_unreadable("[1]\n2", json, 2, "after the end");
    assert_eq!(found("[]", Some(json)), Err(FileError::Empty));
}

#[test]
fn a_file_says_itself_what_it_is() {
    let kind = |file: &str| found(file, None).unwrap()[0][0][1].clone();
    assert_eq!(kind("a,b\n1,2"), json!({"a": 1, "b": 2}));
    assert_eq!(kind("[{\"a\": 1}]"), json!({"a": 1}));
    assert_eq!(kind(" {\"a\": 1}\n{\"a\": 2}\n"), json!({"a": 1}));
    assert_eq!(kind("{\n\"a\": 1}"), json!({"a": 1}));
    // Called JSON, but every line stands for itself.
    let mixed = found("{\"a\": 1}\n{\n{\"a\": 3}\n", Some(FileFormat::Json));
    assert_eq!(mixed, Ok(json!([[[1, {"a": 1}], [3, {"a": 3}]], [2]])));
    for (name, content_type, expected) in [
        ("Orders.CSV", "", Some(FileFormat::Csv)),
        ("a.b.tsv", "", Some(FileFormat::Tsv)),
        ("a.jsonl", "text/csv", Some(FileFormat::Ndjson)),
        ("a.json", "", Some(FileFormat::Json)),
        ("a", "text/csv; charset=utf-8", Some(FileFormat::Csv)),
        ("a.txt", "application/octet-stream", None),
    ] {
        assert_eq!(FileFormat::named(name, content_type), expected, "{name}");
    }
}

#[test]
fn an_empty_file_has_no_records() {
    for file in ["", "\n\n", "\u{feff}", "a,b\n"] {
        assert_eq!(found(file, None), Err(FileError::Empty), "{file:?}");
    }
}

#[test]
fn chunks_are_the_same_however_a_file_arrives_and_differ_when_it_does() {
    let file = |changed: usize| {
        let lines = 0..CHUNK_RECORDS * 2 + 10;
        let lines = lines.map(|n| format!("{{\"n\":{}}}\n", n + usize::from(n == changed)));
        lines.collect::<String>()
    };
    let keys = |file: &str, piece| {
        let (chunks, _) = chunks_of(file.as_bytes(), Some(FileFormat::Ndjson), piece);
        chunks.iter().map(|chunk| chunk.key("")).collect::<Vec<_>>()
    };
    let one = keys(&file(usize::MAX), 10);
    assert_eq!(one.len(), 3);
    assert_eq!(one, keys(&file(usize::MAX), 4_097));
    let other = keys(&file(CHUNK_RECORDS), 10);
    assert_eq!((&one[0], &one[2]), (&other[0], &other[2]));
    assert_ne!(one[1], other[1]);
}

#[test]
fn whoever_wants_no_more_is_not_read_to() {
    let text = "{}\n".repeat(CHUNK_RECORDS * 5);
    let mut taken = 0;
    let read = read_file(text.as_bytes(), None, &mut |_| {
        taken += 1;
        taken < 2
    });
    assert_eq!((read, taken), (Err(FileError::Stopped), 2));
}

#[test]
fn a_file_that_breaks_off_hands_over_only_whole_chunks() {
    struct Breaking<'a>(&'a [u8]);
    impl Read for Breaking<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                return Err(FileError::TooLarge.into());
            }
            self.0.read(buffer)
        }
    }
    let text = "{}\n".repeat(CHUNK_RECORDS + 5);
    let mut taken = 0;
    let read = read_file(Breaking(text.as_bytes()), None, &mut |chunk| {
        taken += chunk.records.len();
        true
    });
    assert_eq!((read, taken), (Err(FileError::TooLarge), CHUNK_RECORDS));
    assert!(
        FileError::TooLarge
            .to_string()
            .contains(&(MAX_UPLOAD_BYTES / 1024 / 1024).to_string())
    );
}

proptest! {
    #[test]
    fn no_file_makes_a_reader_panic(
        bytes in prop::collection::vec(prop::sample::select(b"a1,;\"\\{}[]: \r\n\t\xff".to_vec()), 0..300),
        piece in 1..50_usize,
    ) {
        for format in [FileFormat::Csv, FileFormat::Tsv, FileFormat::Ndjson, FileFormat::Json] {
            let (chunks, read) = chunks_of(&bytes, Some(format), piece);
            let (others, again) = chunks_of(&bytes, Some(format), 1_000);
            prop_assert_eq!(&read, &again);
            let keys = |chunks: &[Chunk]| chunks.iter().map(|chunk| chunk.key("")).collect::<Vec<_>>();
            prop_assert_eq!(keys(&chunks), keys(&others));
        }
    }
}
