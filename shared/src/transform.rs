//! The transform: an ordered list of steps that turn what was received into the fields that are
//! stored. Total: whatever comes in, a record is stored, dropped, held in a window, or fails with
//! the step, the path and the value. The server and the client's preview run this same code.
//!
//! A [`Definition`] is data; [`Transform::compile`] checks it and makes it ready. What a transform
//! remembers is a [`State`], what it needs from outside an [`Environment`]: it does no I/O.

mod check;
pub mod compare;
mod compiled;
pub mod definition;
mod environment;
pub mod mapping;
mod outcome;
mod run;
mod state;
mod steps;
pub mod suggest;

#[cfg(test)]
mod tests;

pub use compiled::Transform;
pub use definition::{Action, Definition, OnError, Step};
pub use environment::{Environment, Preview, Unavailable};
pub use outcome::{Outcome, StepError};
pub use run::{After, StepTrace, Trace};
pub use state::State;
pub use steps::key_text;

/// The most steps a pipeline has.
pub const MAX_STEPS: usize = 20;
/// The most fields one step is about.
pub const MAX_STEP_FIELDS: usize = 200;
/// The longest that all formulas and scripts of a transform are together, in bytes.
pub const MAX_SOURCE_BYTES: usize = 64 * 1024;
/// The most records that are made of one received record.
pub const MAX_EXPLODED: usize = 1_000;
/// The largest constant value, as JSON, in bytes.
pub const MAX_CONSTANT_BYTES: usize = 2_000;
/// The most levels of objects that are made flat.
pub const MAX_FLATTEN_DEPTH: u8 = 16;
/// The most fields that come out of making a record flat.
pub const MAX_FLATTENED_FIELDS: usize = 2_000;
/// The most fields that make a record the same as another.
pub const MAX_KEYS: usize = 10;
/// The most records that deduplication remembers.
pub const MAX_REMEMBERED: u32 = 100_000;
/// The longest that it remembers them: 30 days.
pub const MAX_REMEMBERED_SECONDS: u32 = 30 * 86_400;
/// The longest window: 31 days.
pub const MAX_WINDOW_SECONDS: u32 = 31 * 86_400;
/// The most windows that one record is in.
pub const MAX_WINDOWS_AT_ONCE: u32 = 100;
/// The most windows, times groups, that are open at once.
pub const MAX_OPEN_WINDOWS: usize = 10_000;
/// The most fields that windows are grouped by.
pub const MAX_GROUPS: usize = 5;
/// The most measures of a window.
pub const MAX_MEASURES: usize = 10;
/// The most rows of a table.
pub const MAX_TABLE_ROWS: usize = 10_000;
/// The most columns of a table.
pub const MAX_TABLE_COLUMNS: usize = 50;
/// The largest table, as JSON, in bytes.
pub const MAX_TABLE_BYTES: usize = 1024 * 1024;
