//! The language of calculated fields, conditions and scripts.
//!
//! It always ends: there are no loops but those over lists, no functions but those given, and each
//! evaluation pays for its work and memory from a [`Meter`] that runs out. Formulas are read
//! once, are `Send` and `Sync`, and borrow from the record while they run. The server and the
//! client's preview run this same code (docs/decisions/0009-a-language-of-our-own.md).

mod eval;
mod functions;
pub mod help;
mod lexer;
mod lists;
mod meter;
mod number;
mod parser;
mod problem;
mod script;
mod texts;
mod times;
mod tree;
mod value;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::fields::Fields;
use tree::Expr;

pub use functions::FUNCTION_NAMES;
pub use meter::Meter;
pub use number::Number;
pub use parser::WORDS;
pub use problem::{Problem, SyntaxError};
pub use script::{Returned, Script};

/// The longest formula, in bytes.
pub const MAX_FORMULA_BYTES: usize = 4 * 1024;
/// The longest script, in bytes.
pub const MAX_SCRIPT_BYTES: usize = 16 * 1024;

/// A formula, ready to be worked out.
#[derive(Clone, Debug)]
pub struct Formula {
    tree: Expr,
}

impl Formula {
    /// Reads a formula.
    pub fn compile(source: &str) -> Result<Self, SyntaxError> {
        check_length(source, MAX_FORMULA_BYTES)?;
        Ok(Self {
            tree: parser::formula(source)?,
        })
    }

    /// What the formula is for a record. It becomes a part of one, so it must not be too deep.
    pub fn value(&self, record: &Fields, now_ms: i64, meter: &Meter) -> Result<Value, Problem> {
        eval::eval(&self.tree, &scope(record, now_ms, meter))?.into_part(meter)
    }

    /// Whether a record meets the formula as a condition. Nothing is as good as no.
    pub fn is_met(&self, record: &Fields, now_ms: i64, meter: &Meter) -> Result<bool, Problem> {
        eval::eval(&self.tree, &scope(record, now_ms, meter))?.truth()
    }
}

const fn scope<'s>(record: &'s Fields, now_ms: i64, meter: &'s Meter) -> eval::Scope<'s> {
    eval::Scope {
        record,
        locals: &[],
        element: None,
        now_ms,
        meter,
    }
}

fn check_length(source: &str, most: usize) -> Result<(), SyntaxError> {
    if source.len() > most {
        return Err(SyntaxError::at(
            source,
            0,
            format!("this is longer than {most} characters"),
        ));
    }
    Ok(())
}
