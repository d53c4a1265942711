//! What can be wrong with a formula: when it is read, and when it is worked out.

/// Why a formula has no result for a record. Small, because every result could be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.message)]
pub struct Problem(Box<Facts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Facts {
    value: String,
    message: String,
}

impl Problem {
    pub(super) fn new(value: &str, message: impl Into<String>) -> Self {
        Self(Box::new(Facts {
            value: value.to_owned(),
            message: message.into(),
        }))
    }

    /// The value that does not fit, shortened; empty when it is none in particular.
    pub fn value(&self) -> &str {
        &self.0.value
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

/// Why a text is not a formula.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, character {character}: {message}")]
pub struct SyntaxError {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub character: usize,
    /// What is wrong there.
    pub message: String,
}

impl SyntaxError {
    /// An error at a byte of the source.
    pub(super) fn at(source: &str, byte: usize, message: impl Into<String>) -> Self {
        let before = source.get(..byte).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            character: before
                .get(line_start..)
                .map_or(0, |text| text.chars().count())
                + 1,
            message: message.into(),
        }
    }
}
