//! What the engine in the browser can do, as the editor knows it: functions that are fetched when
//! there is time. What they are is named nowhere else, or they would be fetched with the page.

use std::sync::Arc;

use serde_json::Value;

use super::desk::Problem;
use super::preview::PreviewedRecord;

/// The functions.
#[derive(Clone, Copy)]
pub struct Engine {
    /// What steps, given by their documents, do with records at this moment.
    pub run: fn(&[Arc<Value>], &[Value], i64) -> Answer,
    /// What is wrong with a formula, or with a script.
    pub check: fn(&str, Language) -> Option<Mistake>,
}

/// What steps do with records.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What became of each record.
    pub records: Vec<PreviewedRecord>,
    /// What is wrong with the steps.
    pub problems: Vec<Problem>,
    /// How many steps were run: those before the first one that is wrong.
    pub complete: usize,
    /// Whether only the server knows what these steps need.
    pub needs_server: bool,
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// One formula.
    Formula,
    /// Statements.
    Script,
}

/// Why a source cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub character: usize,
    /// What is wrong there.
    pub message: String,
}
