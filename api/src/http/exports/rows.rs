//! Records as lines of a file: CSV, which spreadsheets open, and NDJSON, which loses nothing.

use std::borrow::Cow;
use std::collections::HashSet;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use dash_shared::fields::{FieldPath, Fields, visit_leaves};
use dash_shared::ids::PipelineId;
use serde::Serialize;
use serde_json::Value;

use crate::pipelines::StoredRecord;

/// How many columns a CSV has besides a record's id and times.
pub(super) const MAX_COLUMNS: usize = 1_000;

/// The columns that come first.
const OWN_COLUMNS: [&str; 3] = ["_id", "_time", "_received_at"];

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Comma-separated values (RFC 4180), with a line of names.
    Csv,
    /// A JSON object on each line.
    Ndjson,
}

impl Format {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }
}

/// The fields that become columns, each once.
#[derive(Debug, Default)]
pub(super) struct Columns {
    paths: Vec<FieldPath>,
    known: HashSet<String>,
}

impl Columns {
    pub(super) const fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Adds a column, unless it is there; false when there would be too many.
    pub(super) fn add(&mut self, path: FieldPath) -> bool {
        if self.known.contains(path.as_str()) {
            return true;
        }
        if self.paths.len() >= MAX_COLUMNS {
            return false;
        }
        self.known.insert(path.as_str().to_owned());
        self.paths.push(path);
        true
    }

    /// Adds what a record has, nested objects taken apart; false when there would be too many.
    pub(super) fn add_fields_of(&mut self, fields: &Fields) -> bool {
        let mut fits = true;
        visit_leaves(fields, &mut |path| fits = fits && self.add(path));
        fits
    }
}

/// Writes records.
#[derive(Debug)]
pub(super) struct Rows {
    format: Format,
    pipeline_id: PipelineId,
    columns: Columns,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    id: String,
    time: String,
    received_at: String,
    fields: &'a Fields,
}

impl Rows {
    pub(super) const fn new(format: Format, pipeline_id: PipelineId, columns: Columns) -> Self {
        Self {
            format,
            pipeline_id,
            columns,
        }
    }

    /// What comes before the first record.
    pub(super) fn head(&mut self) -> Bytes {
        match self.format {
            Format::Ndjson => Bytes::new(),
            Format::Csv => {
                let names = self.columns.paths.iter().map(FieldPath::as_str);
                let names: Vec<_> = OWN_COLUMNS.into_iter().chain(names).collect();
                written(|csv| {
                    csv.write_record(names.iter().map(|name| harmless(name).into_owned()))
                })
            }
        }
    }

    /// The lines of these records.
    pub(super) fn write(&mut self, records: &[StoredRecord]) -> Bytes {
        match self.format {
            Format::Ndjson => self.ndjson(records),
            Format::Csv => written(|csv| {
                records
                    .iter()
                    .try_for_each(|record| csv.write_record(self.cells(record)))
            }),
        }
    }

    fn ndjson(&self, records: &[StoredRecord]) -> Bytes {
        let mut lines = Vec::new();
        for record in records {
            let line = Line {
                id: self.id(record),
                time: time(record.time_ms),
                received_at: time(record.received_at_ms),
                fields: &record.fields,
            };
            // Writing JSON to memory cannot fail.
            let _ = serde_json::to_writer(&mut lines, &line);
            lines.push(b'\n');
        }
        lines.into()
    }

    fn cells(&self, record: &StoredRecord) -> Vec<String> {
        let own = [
            self.id(record),
            time(record.time_ms),
            time(record.received_at_ms),
        ];
        let paths = self.columns.paths.iter();
        let cells = paths.map(|path| path.get(&record.fields).map_or_else(String::new, cell));
        own.into_iter().chain(cells).collect()
    }

    fn id(&self, record: &StoredRecord) -> String {
        format!("{}.{}", self.pipeline_id, record.seq)
    }
}

fn written(write: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> csv::Result<()>) -> Bytes {
    let mut csv = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    // Writing to memory cannot fail, and all lines have the same number of cells.
    let _ = write(&mut csv);
    csv.into_inner().unwrap_or_default().into()
}

fn time(ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => harmless(text).into_owned(),
        other => other.to_string(),
    }
}

/// A text that no spreadsheet takes for a formula: anybody may send records, and a formula can send
/// what is beside it elsewhere. What is a number stays one.
fn harmless(text: &str) -> Cow<'_, str> {
    let looks_like_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if looks_like_formula && text.parse::<f64>().is_err() {
        return format!("'{text}").into();
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn record(seq: i64, fields: Value) -> StoredRecord {
        let Value::Object(fields) = fields else {
            panic!("a record is an object")
        };
        StoredRecord {
            seq,
            time_ms: 0,
            received_at_ms: 1,
            fields: Arc::new(fields),
        }
    }

    fn csv(records: &[StoredRecord]) -> String {
        let mut columns = Columns::default();
        for record in records {
            assert!(columns.add_fields_of(&record.fields));
        }
        let mut rows = Rows::new(Format::Csv, PipelineId::new(), columns);
        let text = [rows.head(), rows.write(records)].concat();
        let text = String::from_utf8(text).unwrap();
        text.replace(&rows.pipeline_id.to_string(), "pip")
    }

    #[test]
    fn nested_fields_become_columns_and_what_is_missing_is_empty() {
        let records = [
            record(
                1,
                json!({ "a": 1, "b": { "c": "x,\"y\"" }, "d.e": [1, { "f": null }] }),
            ),
            record(2, json!({ "b": { "g": true }, "a": null })),
        ];
        assert_eq!(
            csv(&records),
            "_id,_time,_received_at,a,b.c,\"[\"\"d.e\"\"]\",b.g\r\n\
             pip.1,1970-01-01T00:00:00.000Z,1970-01-01T00:00:00.001Z,1,\"x,\"\"y\"\"\",\
             \"[1,{\"\"f\"\":null}]\",\r\n\
             pip.2,1970-01-01T00:00:00.000Z,1970-01-01T00:00:00.001Z,,,,true\r\n"
        );
    }

    #[test]
    fn texts_are_no_formulas() {
        for (text, expected) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2+3", "'-2+3"),
            ("-2.5", "-2.5"),
            ("+491234", "+491234"),
            ("a=b", "a=b"),
        ] {
            assert_eq!(harmless(text), expected);
        }
    }

    #[test]
    fn a_line_of_ndjson_is_a_whole_record() {
        let mut rows = Rows::new(Format::Ndjson, PipelineId::new(), Columns::default());
        let records = [record(7, json!({ "z": 1, "a": "=1+1" }))];
        let line: Value = serde_json::from_slice(&rows.write(&records)).unwrap();
        assert_eq!(line["fields"], json!({ "z": 1, "a": "=1+1" }));
        assert_eq!(line["time"], "1970-01-01T00:00:00.000Z");
        assert!(line["id"].as_str().unwrap().ends_with(".7"));
    }

    #[test]
    fn columns_have_a_limit() {
        let mut columns = Columns::default();
        let fields: Fields = (0..=MAX_COLUMNS)
            .map(|index| (format!("f{index}"), json!(1)))
            .collect();
        assert!(!columns.add_fields_of(&fields));
    }
}
