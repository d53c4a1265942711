//! What became of a record, and what can be wrong with one.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cast::CastError;
use crate::fields::{FieldPath, Fields, shorten};
use crate::formula::Problem;

/// Why a record failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepError {
    /// The step, counted from 1; 0 is before the first one.
    pub step: usize,
    /// The path of the value.
    pub path: String,
    /// The value, shortened.
    pub value: String,
    /// What is wrong with it.
    pub message: String,
}

impl StepError {
    /// What is received has to be an object.
    pub fn no_record(received: &Value) -> Self {
        Self {
            step: 0,
            path: String::new(),
            value: shorten(received),
            message: "a record must be a JSON object".to_owned(),
        }
    }
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is stored, with these fields.
    Stored(Fields),
    /// A step left it out.
    Dropped {
        /// Which step, counted from 1.
        step: usize,
    },
    /// It is a part of a window now, which becomes a record when it closes.
    Held {
        /// Which step, counted from 1.
        step: usize,
    },
    /// A step could not handle it.
    Failed(StepError),
}

/// An error of a step that does not know its own number.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub path: String,
    pub value: String,
    pub message: String,
}

impl Fault {
    pub fn new(path: &FieldPath, value: &Value, message: impl Into<String>) -> Self {
        Self {
            path: path.to_string(),
            value: shorten(value),
            message: message.into(),
        }
    }

    /// An error that is about no value in particular.
    pub fn of_record(message: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            value: String::new(),
            message: message.into(),
        }
    }

    pub fn of_cast(path: &FieldPath, error: CastError) -> Self {
        Self {
            path: path.to_string(),
            message: error.to_string(),
            value: error.value,
        }
    }

    /// The same error of a field.
    pub fn under(mut self, path: &FieldPath) -> Self {
        self.path = path.to_string();
        self
    }

    pub fn at(self, step: usize) -> StepError {
        StepError {
            step,
            path: self.path,
            value: self.value,
            message: self.message,
        }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self {
            path: String::new(),
            value: problem.value().to_owned(),
            message: problem.message().to_owned(),
        }
    }
}
