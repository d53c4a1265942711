//! What a test of a polling source shows: the first records, and what could be done with them.

use std::collections::HashSet;

use dash_shared::fields::{FieldPath, FieldType, Fields, SampledField, sample_fields};
use dash_shared::transform::mapping::FieldMapping;
use dash_shared::transform::suggest::{suggest_mapping, suggest_time_field};
use serde_json::Value;

use crate::outbound::Answer;

/// How many records a test shows.
const SHOWN_RECORDS: usize = 20;
/// How many records fields are learnt from.
const SAMPLED_RECORDS: usize = 200;
/// How many fields are offered for each purpose.
const MAX_OFFERED: usize = 5;

/// What a test of a polling source shows.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceTest {
    /// The status of the answer.
    pub status: u16,
    /// How long the answer took.
    pub duration_ms: i64,
    /// The path that was used: the one given, or the most promising one.
    pub records_path: String,
    /// The paths under which there are lists of objects, the longest list first.
    pub candidates: Vec<String>,
    /// How many records there are.
    pub record_count: usize,
    /// The first of them.
    pub records: Vec<Value>,
    /// Whether there is another page.
    pub has_more: bool,
    /// The fields of the records, with the types that fit.
    pub fields: Vec<SampledField>,
    /// What the transform could begin with.
    pub mapping: Vec<FieldMapping>,
    /// The mapped field that probably says when a record happened.
    pub time_field: Option<String>,
    /// The fields that could name a record.
    pub key_fields: Vec<FieldPath>,
    /// The fields that could be the cursor.
    pub cursor_fields: Vec<FieldPath>,
}

impl SourceTest {
    pub(super) fn new(
        answer: &Answer,
        records_path: String,
        candidates: Vec<String>,
        mut records: Vec<Value>,
        has_more: bool,
    ) -> Self {
        let record_count = records.len();
        records.truncate(SAMPLED_RECORDS);
        let objects: Vec<&Fields> = records.iter().filter_map(Value::as_object).collect();
        let fields = sample_fields(objects.iter().copied());
        let mapping = suggest_mapping(&fields);
        let time_field = suggest_time_field(&mapping).map(str::to_owned);
        let key_fields = key_fields(&fields, &objects);
        let cursor_fields = cursor_fields(&fields);
        records.truncate(SHOWN_RECORDS);
        Self {
            status: answer.status.as_u16(),
            duration_ms: answer.duration_ms,
            records_path,
            candidates,
            record_count,
            records,
            has_more,
            fields,
            mapping,
            time_field,
            key_fields,
            cursor_fields,
        }
    }
}

/// Fields that every record has, with another value each, and that are called like a name.
fn key_fields(fields: &[SampledField], records: &[&Fields]) -> Vec<FieldPath> {
    let is_distinct = |path: &FieldPath| {
        let mut seen = HashSet::new();
        records.iter().all(|record| match path.get(record) {
            Some(value @ (Value::String(_) | Value::Number(_))) => seen.insert(value.to_string()),
            _ => false,
        })
    };
    let rank = |field: &SampledField| {
        let name = field.path.last_key().to_ascii_lowercase();
        match name.as_str() {
            "id" | "_id" | "uuid" | "guid" | "key" => Some(0),
            name if name.ends_with("id") => Some(1),
            "code" | "number" | "slug" | "sku" | "hash" | "sha" => Some(2),
            _ => None,
        }
    };
    offered(fields, |field| {
        rank(field).filter(|_| is_distinct(&field.path))
    })
}

/// Times and numbers that are called like something that grows.
fn cursor_fields(fields: &[SampledField]) -> Vec<FieldPath> {
    offered(fields, |field| {
        let name = field.path.last_key().to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        match field.field_type {
            FieldType::Time if has(&["updat", "modif", "chang"]) => Some(0),
            FieldType::Time => Some(1),
            FieldType::Number if has(&["updat", "modif", "timestamp"]) => Some(1),
            FieldType::Number if name == "id" || has(&["seq", "offset", "version"]) => Some(2),
            _ => None,
        }
    })
}

fn offered(fields: &[SampledField], rank: impl Fn(&SampledField) -> Option<u8>) -> Vec<FieldPath> {
    let mut ranked: Vec<_> = fields
        .iter()
        .filter_map(|field| Some((rank(field)?, field.path.clone())))
        .collect();
    // The sort is stable: among equals the first one comes first.
    ranked.sort_by_key(|(rank, _)| *rank);
    let paths = ranked.into_iter().map(|(_, path)| path);
    paths.take(MAX_OFFERED).collect()
}
