//! Texts with placeholders, as sinks send them: `{{customer.name}}`, `{{json}}`, `{{= total * 2 }}`.
//!
//! A template is read once for the place that it is written into, and every value is escaped for
//! that place: no record can break out of a JSON text, an address or a chat message. Nothing but the
//! size of what comes out can fail: a value that is not there is empty, with a note for whoever
//! writes the template.

mod escape;

use std::fmt::Write as _;

use serde_json::Value;

use crate::fields::{FieldPath, Fields};
use crate::formula::{Formula, Meter};
use crate::timestamps::format_ms;

pub use escape::Place;

/// The longest template, in bytes.
pub const MAX_TEMPLATE_BYTES: usize = 16 * 1024;
/// The most placeholders of a template.
pub const MAX_PLACEHOLDERS: usize = 200;
/// How many notes one record leaves.
const MAX_NOTES: usize = 20;

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// A template, ready to be filled in.
#[derive(Clone, Debug)]
pub struct Template {
    place: Place,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Placeholder {
        what: Placeholder,
        /// Whether it stands inside a JSON text.
        quoted: bool,
    },
}

#[derive(Clone, Debug)]
enum Placeholder {
    Field(FieldPath),
    Json,
    RecordId,
    RecordTime,
    PipelineName,
    Formula {
        formula: Box<Formula>,
        source: String,
    },
}

/// What a template is filled in with.
#[derive(Clone, Copy, Debug)]
pub struct Filling<'a> {
    /// The record.
    pub fields: &'a Fields,
    /// Its id.
    pub id: &'a str,
    /// When it happened, in milliseconds since 1970.
    pub time_ms: i64,
    /// The name of its pipeline.
    pub pipeline_name: &'a str,
    /// What `now()` is in formulas, in milliseconds since 1970.
    pub now_ms: i64,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// The text.
    pub text: String,
    /// What stayed empty, and why.
    pub notes: Vec<String>,
}

/// Why a text is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(pub String);

/// The text that comes out is larger than is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text has more than {0} bytes")]
pub struct TooLarge(pub usize);

impl Template {
    /// Reads a template for a place.
    pub fn compile(source: &str, place: Place) -> Result<Self, TemplateError> {
        if source.len() > MAX_TEMPLATE_BYTES {
            return Err(TemplateError(format!(
                "A template has at most {MAX_TEMPLATE_BYTES} bytes."
            )));
        }
        let (mut parts, mut rest, mut quoted, mut placeholders) = (Vec::new(), source, false, 0);
        while let Some((before, after)) = rest.split_once(OPEN) {
            if !before.is_empty() {
                quoted = escape::ends_quoted(before, quoted);
                parts.push(Part::Text(before.to_owned()));
            }
            let end = end_of(after).ok_or_else(|| {
                TemplateError(format!(
                    "A placeholder is not closed: {OPEN}{}",
                    start(after)
                ))
            })?;
            let (inside, close_and_rest) = after.split_at(end);
            parts.push(Part::Placeholder {
                what: Placeholder::read(inside)?,
                quoted,
            });
            placeholders += 1;
            if placeholders > MAX_PLACEHOLDERS {
                return Err(TemplateError(format!(
                    "A template has at most {MAX_PLACEHOLDERS} placeholders."
                )));
            }
            rest = close_and_rest.strip_prefix(CLOSE).unwrap_or_default();
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { place, parts })
    }

    /// Whether it says the same for every record.
    pub fn is_constant(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// The text for a record, of at most `most` bytes.
    pub fn fill(&self, filling: &Filling<'_>, most: usize) -> Result<Filled, TooLarge> {
        let meter = Meter::for_record();
        let mut filled = Filled::default();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.text.push_str(text),
                Part::Placeholder { what, quoted } => {
                    let value = what.value(filling, &meter, &mut filled.notes);
                    self.place.write(&mut filled.text, &value, *quoted);
                }
            }
            if filled.text.len() > most {
                return Err(TooLarge(most));
            }
        }
        Ok(filled)
    }
}

/// Where the placeholder ends that `text` is inside of. Braces in the texts of a formula do not
/// count.
fn end_of(text: &str) -> Option<usize> {
    if !text.trim_start().starts_with('=') {
        return text.find(CLOSE);
    }
    let (mut quote, mut escaped) = (None, false);
    for (at, letter) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if letter == '\\' => escaped = true,
            Some(open) if letter == open => quote = None,
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None if text.get(at..).is_some_and(|rest| rest.starts_with(CLOSE)) => return Some(at),
            _ => {}
        }
    }
    None
}

/// The beginning of a text, to be shown.
fn start(text: &str) -> String {
    text.chars().take(40).collect()
}

impl Placeholder {
    fn read(inside: &str) -> Result<Self, TemplateError> {
        let inside = inside.trim();
        if let Some(source) = inside.strip_prefix('=') {
            let formula = Formula::compile(source).map_err(|error| {
                TemplateError(format!("{OPEN}{}{CLOSE}: {error}.", start(inside)))
            })?;
            return Ok(Self::Formula {
                formula: Box::new(formula),
                source: start(inside),
            });
        }
        match inside {
            "json" | "record.json" => Ok(Self::Json),
            "record.id" => Ok(Self::RecordId),
            "record.time" => Ok(Self::RecordTime),
            "pipeline.name" => Ok(Self::PipelineName),
            _ => inside.parse().map(Self::Field).map_err(|_| {
                TemplateError(format!(
                    "{OPEN}{}{CLOSE} is no placeholder. Write the path of a field, like \
                     {OPEN}customer.name{CLOSE}, or {OPEN}json{CLOSE}, {OPEN}record.id{CLOSE}, \
                     {OPEN}record.time{CLOSE}, {OPEN}pipeline.name{CLOSE}.",
                    start(inside)
                ))
            }),
        }
    }

    fn value(&self, filling: &Filling<'_>, meter: &Meter, notes: &mut Vec<String>) -> Value {
        let mut note = |text: String| {
            if notes.len() < MAX_NOTES && !notes.contains(&text) {
                notes.push(text);
            }
        };
        match self {
            Self::Field(path) => path.get(filling.fields).cloned().unwrap_or_else(|| {
                note(format!("The record has no field “{path}”: it stays empty."));
                Value::Null
            }),
            Self::Json => Value::Object(filling.fields.clone()),
            Self::RecordId => filling.id.into(),
            Self::RecordTime => format_ms(filling.time_ms).into(),
            Self::PipelineName => filling.pipeline_name.into(),
            Self::Formula { formula, source } => formula
                .value(filling.fields, filling.now_ms, meter)
                .unwrap_or_else(|problem| {
                    let mut text = format!("{OPEN}{source}{CLOSE} stays empty");
                    // Writing to a String cannot fail.
                    let _ = write!(text, ": {}.", problem.message());
                    note(text);
                    Value::Null
                }),
        }
    }
}

#[cfg(test)]
mod tests;
