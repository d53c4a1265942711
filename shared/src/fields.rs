//! Paths into a record's JSON, the types of its fields, and what can be learnt of both by looking
//! at a sample.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{numbers, timestamps};

/// The longest text of a path, in bytes.
pub const MAX_PATH_BYTES: usize = 256;
/// How deep a path may reach.
pub const MAX_PATH_DEPTH: usize = 16;
/// How many fields a sample yields at most.
pub const MAX_SAMPLED_FIELDS: usize = 200;
/// The largest array index that [`FieldPath::put`] writes to.
pub const MAX_WRITTEN_INDEX: usize = 999;
/// How long an example value may be, in characters.
const MAX_EXAMPLE_CHARS: usize = 80;

/// The fields of a record: names to JSON values.
pub type Fields = Map<String, Value>;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Any text.
    Text,
    /// A decimal number.
    Number,
    /// True or false.
    Boolean,
    /// A point in time, written as RFC 3339 in UTC.
    Time,
}

impl FieldType {
    /// The word people see, with its article: `a number`.
    pub const fn with_article(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Time => "a time",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Segment {
    Key(String),
    Index(usize),
}

/// Where a value is in a record: `total`, `customer.country`, `items[0].price`. A key that has a
/// dot or a bracket in it is written `["a.b"]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldPath {
    text: String,
    segments: Vec<Segment>,
}

/// The text is not a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a path like customer.country or items[0].price")]
pub struct InvalidPath(pub String);

impl FieldPath {
    /// The path's text, as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The path of one key at the top level.
    pub fn of_key(key: &str) -> Self {
        let special = |c: char| matches!(c, '.' | '[' | ']' | '"') || c.is_control();
        let plain = !key.is_empty() && !key.contains(special) && key.trim() == key;
        let text = if plain {
            key.to_owned()
        } else {
            format!("[{}]", Value::String(key.to_owned()))
        };
        Self {
            text,
            segments: vec![Segment::Key(key.to_owned())],
        }
    }

    /// The value at the path, if the record has one.
    pub fn get<'a>(&self, fields: &'a Fields) -> Option<&'a Value> {
        let mut segments = self.segments.iter();
        let mut value = match segments.next()? {
            Segment::Key(key) => fields.get(key)?,
            Segment::Index(_) => return None,
        };
        for segment in segments {
            value = match segment {
                Segment::Key(key) => value.as_object()?.get(key)?,
                Segment::Index(index) => value.as_array()?.get(*index)?,
            };
        }
        Some(value)
    }

    /// Writes a value at the path and makes the objects and arrays on the way. What stands in the
    /// way is replaced; an index beyond [`MAX_WRITTEN_INDEX`] writes nothing.
    pub fn put(&self, fields: &mut Fields, value: Value) {
        let mut segments = self.segments.iter();
        let Some(Segment::Key(first)) = segments.next() else {
            return;
        };
        let mut place = fields.entry(first.clone()).or_insert(Value::Null);
        for segment in segments {
            place = match segment {
                Segment::Key(key) => {
                    if !place.is_object() {
                        *place = Value::Object(Fields::new());
                    }
                    let Some(object) = place.as_object_mut() else {
                        return;
                    };
                    object.entry(key.clone()).or_insert(Value::Null)
                }
                Segment::Index(index) => {
                    if *index > MAX_WRITTEN_INDEX {
                        return;
                    }
                    if !place.is_array() {
                        *place = Value::Array(Vec::new());
                    }
                    let Some(items) = place.as_array_mut() else {
                        return;
                    };
                    if items.len() <= *index {
                        items.resize(index + 1, Value::Null);
                    }
                    &mut items[*index]
                }
            };
        }
        *place = value;
    }

    /// The place of the value at the path, if the record has one.
    pub fn get_mut<'a>(&self, fields: &'a mut Fields) -> Option<&'a mut Value> {
        let mut segments = self.segments.iter();
        let mut value = match segments.next()? {
            Segment::Key(key) => fields.get_mut(key)?,
            Segment::Index(_) => return None,
        };
        for segment in segments {
            value = match segment {
                Segment::Key(key) => value.as_object_mut()?.get_mut(key)?,
                Segment::Index(index) => value.as_array_mut()?.get_mut(*index)?,
            };
        }
        Some(value)
    }

    /// Takes the value at the path out of the record, if it has one; what comes after it in an
    /// array moves up.
    pub fn remove(&self, fields: &mut Fields) -> Option<Value> {
        let (last, way) = self.segments.split_last()?;
        let Some((Segment::Key(first), way)) = way.split_first() else {
            return match last {
                Segment::Key(key) => fields.shift_remove(key),
                Segment::Index(_) => None,
            };
        };
        let mut place = fields.get_mut(first)?;
        for segment in way {
            place = match segment {
                Segment::Key(key) => place.as_object_mut()?.get_mut(key)?,
                Segment::Index(index) => place.as_array_mut()?.get_mut(*index)?,
            };
        }
        match (last, place) {
            (Segment::Key(key), Value::Object(fields)) => fields.shift_remove(key),
            (Segment::Index(index), Value::Array(items)) if *index < items.len() => {
                Some(items.remove(*index))
            }
            _ => None,
        }
    }

    /// Whether [`Self::put`] writes there.
    pub fn can_be_written(&self) -> bool {
        let fits = |segment: &Segment| match segment {
            Segment::Key(_) => true,
            Segment::Index(index) => *index <= MAX_WRITTEN_INDEX,
        };
        self.segments.iter().all(fits)
    }

    /// How many places of lists [`Self::put`] makes at most on its way.
    pub fn written_places(&self) -> usize {
        let places = |segment: &Segment| match segment {
            Segment::Key(_) => 0,
            Segment::Index(index) => index.saturating_add(1),
        };
        self.segments
            .iter()
            .map(places)
            .fold(0, usize::saturating_add)
    }

    /// The key, when the path is one key at the top level and nothing more.
    pub fn top_level_key(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [Segment::Key(key)] => Some(key),
            _ => None,
        }
    }

    /// The path as a formula names it: what is no word there stands in `record["…"]`.
    pub fn in_formula(&self) -> String {
        let mut text = String::new();
        for (place, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Key(key) if is_word(key) && place == 0 => text.push_str(key),
                Segment::Key(key) if is_word(key) => text.extend([".", key]),
                Segment::Key(key) => {
                    let base = if place == 0 { "record" } else { "" };
                    let quoted = Value::String(key.clone()).to_string();
                    text.extend([base, "[", &quoted, "]"]);
                }
                Segment::Index(index) => text.extend(["[", &index.to_string(), "]"]),
            }
        }
        text
    }

    /// The key at the top level that the path begins with.
    pub fn first_key(&self) -> &str {
        match self.segments.first() {
            Some(Segment::Key(key)) => key,
            _ => &self.text,
        }
    }

    /// The last key of the path, the natural name for what it leads to.
    pub fn last_key(&self) -> &str {
        self.segments
            .iter()
            .rev()
            .find_map(|segment| match segment {
                Segment::Key(key) => Some(key.as_str()),
                Segment::Index(_) => None,
            })
            .unwrap_or(&self.text)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for FieldPath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        let text = text.trim();
        let invalid = || InvalidPath(text.chars().take(MAX_EXAMPLE_CHARS).collect());
        if text.is_empty() || text.len() > MAX_PATH_BYTES || text.contains(char::is_control) {
            return Err(invalid());
        }
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(bracket) = rest.strip_prefix('[') {
                if let Ok((key, used)) = quoted(bracket) {
                    segments.push(Segment::Key(key));
                    rest = bracket.get(used..).ok_or_else(invalid)?;
                } else {
                    let (index, after) = bracket.split_once(']').ok_or_else(invalid)?;
                    segments.push(Segment::Index(index.parse().map_err(|_| invalid())?));
                    rest = after;
                }
                rest = rest.strip_prefix('.').unwrap_or(rest);
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (key, after) = rest.split_at(end);
                if key.is_empty() || key.contains([']', '"']) || after == "." {
                    return Err(invalid());
                }
                segments.push(Segment::Key(key.to_owned()));
                rest = after.strip_prefix('.').unwrap_or(after);
            }
        }
        if segments.len() > MAX_PATH_DEPTH || !matches!(segments[0], Segment::Key(_)) {
            return Err(invalid());
        }
        Ok(Self {
            text: text.to_owned(),
            segments,
        })
    }
}

/// Whether a formula can name a field like this, without quotes.
fn is_word(key: &str) -> bool {
    let mut chars = key.chars();
    let begins = |c: char| c.is_alphabetic() || c == '_' || c == '$';
    chars.next().is_some_and(begins)
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '$')
        && !crate::formula::WORDS.contains(&key)
}

/// Reads a JSON string and the bracket that closes it; returns the key and the bytes used.
fn quoted(text: &str) -> Result<(String, usize), ()> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let key = stream.next().ok_or(())?.map_err(|_| ())?;
    let used = stream.byte_offset();
    if text.as_bytes().get(used) == Some(&b']') {
        Ok((key, used + 1))
    } else {
        Err(())
    }
}

impl Serialize for FieldPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for FieldPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A field that was seen in a sample of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampledField {
    /// Where it is.
    pub path: FieldPath,
    /// The type that fits all values that were seen.
    pub field_type: FieldType,
    /// One of the values, shortened.
    pub example: Option<String>,
}

/// Learns the fields of records one by one. Nested objects are taken apart; arrays are one field of
/// type text, unless they are short arrays of numbers (coordinates), which are taken apart too.
#[derive(Debug, Default)]
pub struct FieldSampler {
    order: Vec<(String, FieldPath)>,
    seen: BTreeMap<String, Seen>,
}

impl FieldSampler {
    /// Looks at a record.
    pub fn add(&mut self, record: &Fields) {
        for (key, value) in record {
            let path = FieldPath::of_key(key);
            visit(path, value, &mut self.order, &mut self.seen);
        }
    }

    /// Whether it has seen so many fields that further ones are not noticed.
    pub fn is_full(&self) -> bool {
        self.order.len() >= MAX_SAMPLED_FIELDS
    }

    /// The fields in the order in which they were first seen, each with how many records had it.
    pub fn counted(mut self) -> Vec<(SampledField, usize)> {
        let order = self.order.into_iter();
        order
            .filter_map(|(text, path)| {
                let seen = self.seen.remove(&text)?;
                let field = SampledField {
                    path,
                    field_type: seen.field_type(),
                    example: seen.example,
                };
                Some((field, seen.records))
            })
            .collect()
    }
}

/// Looks at `records` and returns their fields, in the order in which they were first seen.
pub fn sample_fields<'a>(records: impl IntoIterator<Item = &'a Fields>) -> Vec<SampledField> {
    let mut sampler = FieldSampler::default();
    for record in records {
        sampler.add(record);
    }
    let counted = sampler.counted().into_iter();
    counted.map(|(field, _)| field).collect()
}

/// Visits the places of all values of a record that are no objects, in order. Objects within objects
/// are taken apart as far as a path reaches; arrays and empty objects are values.
pub fn visit_leaves(fields: &Fields, visit: &mut impl FnMut(FieldPath)) {
    for (key, value) in fields {
        visit_leaf(FieldPath::of_key(key), value, visit);
    }
}

fn visit_leaf(path: FieldPath, value: &Value, visit: &mut impl FnMut(FieldPath)) {
    match value {
        Value::Object(fields) if !fields.is_empty() && path.segments.len() < MAX_PATH_DEPTH => {
            for (key, value) in fields {
                visit_leaf(child(&path, Segment::Key(key.clone())), value, visit);
            }
        }
        _ => visit(path),
    }
}

#[derive(Debug, Default)]
struct Seen {
    records: usize,
    numbers: usize,
    booleans: usize,
    times: usize,
    texts: usize,
    numbers_in_text: usize,
    looks_like_time: usize,
    example: Option<String>,
}

impl Seen {
    fn add(&mut self, key: &str, value: &Value) {
        self.records += 1;
        match value {
            Value::Null => return,
            Value::Bool(_) => self.booleans += 1,
            Value::Number(_) => {
                self.numbers += 1;
                if names_a_time(key) && timestamps::parse_ms(value).is_some_and(is_recent) {
                    self.looks_like_time += 1;
                }
            }
            Value::String(text) => {
                let digits = numbers::approximate(text).is_some();
                if !digits && timestamps::parse_ms(value).is_some() {
                    self.times += 1;
                } else if digits && !text.starts_with('0') || text == "0" {
                    self.numbers_in_text += 1;
                } else {
                    self.texts += 1;
                }
            }
            Value::Array(_) | Value::Object(_) => self.texts += 1,
        }
        if self.example.is_none() {
            self.example = Some(shorten(value));
        }
    }

    fn field_type(&self) -> FieldType {
        let all = self.numbers + self.booleans + self.times + self.texts + self.numbers_in_text;
        if all == 0 {
            FieldType::Text
        } else if self.times + self.looks_like_time == all {
            FieldType::Time
        } else if self.numbers + self.numbers_in_text == all {
            FieldType::Number
        } else if self.booleans == all {
            FieldType::Boolean
        } else {
            FieldType::Text
        }
    }
}

/// Whether a key is one that usually holds a point in time.
fn names_a_time(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["time", "date", "timestamp", "created", "updated", "ts"].contains(&key.as_str())
        || ["_at", "time", "timestamp", "_date", "_ts"]
            .iter()
            .any(|end| key.ends_with(end))
}

/// Whether a time is between 1990 and 2100, where a number that is meant as a time lies.
fn is_recent(ms: i64) -> bool {
    (631_152_000_000..4_102_444_800_000).contains(&ms)
}

fn visit(
    path: FieldPath,
    value: &Value,
    order: &mut Vec<(String, FieldPath)>,
    seen: &mut BTreeMap<String, Seen>,
) {
    if path.segments.len() < MAX_PATH_DEPTH {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (key, value) in fields {
                    visit(child(&path, Segment::Key(key.clone())), value, order, seen);
                }
                return;
            }
            Value::Array(items)
                if (1..=4).contains(&items.len()) && items.iter().all(Value::is_number) =>
            {
                for (index, value) in items.iter().enumerate() {
                    visit(child(&path, Segment::Index(index)), value, order, seen);
                }
                return;
            }
            _ => {}
        }
    }
    if !seen.contains_key(&path.text) {
        if order.len() >= MAX_SAMPLED_FIELDS || path.text.len() > MAX_PATH_BYTES {
            return;
        }
        order.push((path.text.clone(), path.clone()));
    }
    seen.entry(path.text.clone())
        .or_default()
        .add(path.last_key(), value);
}

fn child(path: &FieldPath, segment: Segment) -> FieldPath {
    let text = match &segment {
        Segment::Index(index) => format!("{}[{index}]", path.text),
        Segment::Key(key) => {
            let key = FieldPath::of_key(key).text;
            if key.starts_with('[') {
                format!("{}{key}", path.text)
            } else {
                format!("{}.{key}", path.text)
            }
        }
    };
    let mut segments = path.segments.clone();
    segments.push(segment);
    FieldPath { text, segments }
}

/// A value as short text, for messages and examples.
pub fn shorten(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() <= MAX_EXAMPLE_CHARS {
        return text;
    }
    text.chars()
        .take(MAX_EXAMPLE_CHARS - 1)
        .chain(['…'])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: &Value) -> Fields {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn paths_lead_to_values() {
        let record = fields(&json!({"a": {"b": [1, {"c.d": 2}]}, "e f": 3}));
        let check = |path: &str, expected: Option<Value>| {
            let path: FieldPath = path.parse().unwrap();
            assert_eq!(path.get(&record).cloned(), expected, "{path}");
        };
        check("a.b[0]", Some(json!(1)));
        check("a.b[1][\"c.d\"]", Some(json!(2)));
        check("e f", Some(json!(3)));
        check("[\"e f\"]", Some(json!(3)));
        check("a.b[9]", None);
        check("a.x.y", None);
    }

    #[test]
    fn a_value_is_removed_where_it_is_read() {
        let check = |path: &str, removed: Option<Value>, left: Value| {
            let mut record = fields(&json!({"a": {"b": [1, {"c": 2}]}, "d": 3}));
            let path: FieldPath = path.parse().unwrap();
            let found = path.get_mut(&mut record).cloned();
            assert_eq!(found, removed, "{path}");
            assert_eq!(path.remove(&mut record), removed, "{path}");
            assert_eq!(Value::Object(record), left, "{path}");
        };
        check("d", Some(json!(3)), json!({"a": {"b": [1, {"c": 2}]}}));
        check(
            "a.b[0]",
            Some(json!(1)),
            json!({"a": {"b": [{"c": 2}]}, "d": 3}),
        );
        check(
            "a.b[1].c",
            Some(json!(2)),
            json!({"a": {"b": [1, {}]}, "d": 3}),
        );
        check("a.b[2]", None, json!({"a": {"b": [1, {"c": 2}]}, "d": 3}));
        check("d.x", None, json!({"a": {"b": [1, {"c": 2}]}, "d": 3}));
    }

    #[test]
    fn a_value_is_written_where_it_is_read() {
        for text in ["a", "a.b", "a[2].c", "a.b[0][1]", "[\"a.b\"].c"] {
            let path: FieldPath = text.parse().unwrap();
            let mut record = fields(&json!({"a": {"x": 1}, "z": 2}));
            path.put(&mut record, json!("new"));
            assert_eq!(path.get(&record), Some(&json!("new")), "{text}");
            assert_eq!(record["z"], json!(2));
        }
        let mut record = Fields::new();
        let far: FieldPath = "a[1000000000]".parse().unwrap();
        far.put(&mut record, json!(1));
        assert_eq!(far.get(&record), None);
    }

    #[test]
    fn a_path_reads_the_same_value_in_a_formula() {
        use crate::formula::{Formula, Meter};
        let record = fields(&json!({
            "total": 1, "in": 2, "order id": 3, "a": {"b c": [4, {"d": 5}], "not": 6}, "7x": 7,
        }));
        for text in [
            "total",
            "in",
            "order id",
            "a.b c[0]",
            "a.b c[1].d",
            "a.not",
            "7x",
        ] {
            let path: FieldPath = text.parse().unwrap();
            let formula = Formula::compile(&path.in_formula()).unwrap();
            let found = formula.value(&record, 0, &Meter::for_record()).unwrap();
            assert_eq!(Some(&found), path.get(&record), "{text}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "", ".", "a.", ".a", "a..b", "a[", "a[x]", "[0]", "a]", "a[-1]", "a\"b",
        ] {
            assert!(text.parse::<FieldPath>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_sample_shows_names_types_and_examples() {
        let quake = fields(&json!({
            "id": "ak18000001",
            "properties": {"mag": 1.4, "time": 1_517_977_070_820_i64, "felt": null, "sig": "12"},
            "geometry": {"coordinates": [-149.4, 63.2, 83.2]},
            "tags": ["a", "b"],
            "ok": true,
            "day": "2018-02-07",
        }));
        let found: Vec<_> = sample_fields([&quake])
            .into_iter()
            .map(|field| (field.path.to_string(), field.field_type))
            .collect();
        assert_eq!(
            found,
            [
                ("id".to_owned(), FieldType::Text),
                ("properties.mag".to_owned(), FieldType::Number),
                ("properties.time".to_owned(), FieldType::Time),
                ("properties.felt".to_owned(), FieldType::Text),
                ("properties.sig".to_owned(), FieldType::Number),
                ("geometry.coordinates[0]".to_owned(), FieldType::Number),
                ("geometry.coordinates[1]".to_owned(), FieldType::Number),
                ("geometry.coordinates[2]".to_owned(), FieldType::Number),
                ("tags".to_owned(), FieldType::Text),
                ("ok".to_owned(), FieldType::Boolean),
                ("day".to_owned(), FieldType::Time),
            ]
        );
    }

    #[test]
    fn every_sampled_path_reads_back() {
        let record = fields(&json!({"a.b": {"c[0]": 1, "\"": 2, "": 3}, "x": {"y": [1.0, 2.0]}}));
        for field in sample_fields([&record]) {
            let again: FieldPath = field.path.as_str().parse().unwrap();
            assert!(again.get(&record).is_some(), "{again}");
        }
    }
}
