//! What one record may use up: work and memory. Everything that takes longer or grows with its
//! input pays here first, so that no formula can stall or fill a server, whatever it says.

use std::cell::Cell;

use serde_json::Value;

use super::problem::Problem;
use crate::fields::Fields;

/// The steps that all formulas and scripts of one record may take.
const RECORD_STEPS: u32 = 300_000;
/// What all steps may make for one record, in bytes.
const RECORD_BYTES: usize = 16 * 1024 * 1024;
/// How many records' worth all windows have that close at once.
const RECORDS_OF_WINDOWS: u8 = 4;
/// How many bytes are gone through in one step.
const BYTES_PER_STEP: usize = 64;
/// What a value takes beside its text, in bytes: its place, and an entry's share of its map.
const VALUE_BYTES: usize = 96;

/// The rest of what may be used up.
#[derive(Debug)]
pub struct Meter {
    steps: Cell<u32>,
    bytes: Cell<usize>,
}

impl Meter {
    /// For one received record, and everything that becomes of it.
    pub const fn for_record() -> Self {
        Self {
            steps: Cell::new(RECORD_STEPS),
            bytes: Cell::new(RECORD_BYTES),
        }
    }

    /// For all windows that close at once, and everything that becomes of them.
    pub const fn for_windows() -> Self {
        Self {
            steps: Cell::new(RECORD_STEPS * RECORDS_OF_WINDOWS as u32),
            bytes: Cell::new(RECORD_BYTES * RECORDS_OF_WINDOWS as usize),
        }
    }

    /// Pays for one step.
    pub fn step(&self) -> Result<(), Problem> {
        self.steps(1)
    }

    /// Pays for going through so many bytes.
    pub fn work(&self, bytes: usize) -> Result<(), Problem> {
        self.steps(u32::try_from(bytes / BYTES_PER_STEP).unwrap_or(u32::MAX))
    }

    /// Pays for so many steps.
    pub fn steps(&self, steps: u32) -> Result<(), Problem> {
        let left = self.steps.get().checked_sub(steps).ok_or_else(|| {
            self.steps.set(0);
            Problem::new(
                "",
                "this takes too long: there is too much to do for one record",
            )
        })?;
        self.steps.set(left);
        Ok(())
    }

    /// Pays for making so many bytes, and for the work it is.
    pub fn take(&self, bytes: usize) -> Result<(), Problem> {
        let left =
            self.bytes.get().checked_sub(bytes).ok_or_else(|| {
                Problem::new("", "the values that come out on the way are too large")
            })?;
        self.bytes.set(left);
        self.work(bytes)
    }

    /// Pays for so many values in a list.
    pub fn take_values(&self, count: usize) -> Result<(), Problem> {
        self.take(count.saturating_mul(VALUE_BYTES))
    }

    /// Pays for a copy of a value.
    pub fn take_copy_of(&self, value: &Value) -> Result<(), Problem> {
        self.take(VALUE_BYTES)?;
        match value {
            Value::String(text) => self.take(text.len()),
            Value::Array(items) => items.iter().try_for_each(|item| self.take_copy_of(item)),
            Value::Object(fields) => self.take_copy_of_fields(fields),
            _ => Ok(()),
        }
    }

    /// Pays for a copy of an object.
    pub fn take_copy_of_fields(&self, fields: &Fields) -> Result<(), Problem> {
        fields.iter().try_for_each(|(key, value)| {
            self.take(key.len())?;
            self.take_copy_of(value)
        })
    }
}
