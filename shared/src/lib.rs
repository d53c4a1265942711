//! What the server and the web client both know: ids, plans and limits, the definitions of
//! sources, transforms, widgets and time ranges, and the rules for form input.
//!
//! Nothing here does I/O, and nothing here knows a database, a web framework or a browser, so
//! the same validation and the same transform run in both places.

pub mod accounts;
pub mod cast;
pub mod codes;
pub mod fields;
pub mod figures;
pub mod formula;
pub mod ids;
pub mod layout;
pub mod numbers;
pub mod plans;
pub mod queries;
pub mod ranges;
pub mod rate;
pub mod sinks;
pub mod sources;
pub mod template;
pub mod timestamps;
pub mod transform;
pub mod widgets;

/// One thing the caller can fix in an input, with where it is and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The path of the input field, from the input object down, e.g. `["source", "url"]`.
    pub field: Vec<String>,
    /// A sentence for people: what is wrong and what would be right.
    pub message: String,
    /// The machine-readable kind of the problem.
    pub code: InvalidCode,
}

/// The kinds of problems an input can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidCode {
    /// A value is needed and missing.
    Required,
    /// The value is not of the right form.
    Invalid,
    /// The value is longer, or the list has more items, than is allowed.
    TooLong,
    /// The value is shorter than is allowed.
    TooShort,
    /// The plan does not include it.
    PlanRequired,
}

impl Invalid {
    /// A problem at `field` (dots separate the levels).
    pub fn new(field: &str, code: InvalidCode, message: impl Into<String>) -> Self {
        Self {
            field: field.split('.').map(str::to_owned).collect(),
            message: message.into(),
            code,
        }
    }

    /// The same problem seen from an outer object: `prefix` comes first in the path.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        self.field
            .splice(0..0, prefix.split('.').map(str::to_owned));
        self
    }
}

/// Checks that a name a person typed is present, one line, and not longer than
/// [`MAX_NAME_CHARS`]; returns it trimmed.
pub fn check_name(field: &str, what: &str, name: &str) -> Result<String, Invalid> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Invalid::new(
            field,
            InvalidCode::Required,
            format!("Give the {what} a name."),
        ));
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(Invalid::new(
            field,
            InvalidCode::TooLong,
            format!("A name has at most {MAX_NAME_CHARS} characters."),
        ));
    }
    if name.chars().any(char::is_control) {
        return Err(Invalid::new(
            field,
            InvalidCode::Invalid,
            "A name is one line, without control characters.",
        ));
    }
    Ok(name.to_owned())
}

/// The longest name of anything, in characters.
pub const MAX_NAME_CHARS: usize = 100;
