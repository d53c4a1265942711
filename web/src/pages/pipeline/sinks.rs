//! The tab “Sinks”: where the pipeline's records are sent on to, the form that makes and changes a
//! sink, and the log of each.

mod changes;
mod delivery;
mod details;
mod draft;
mod editor;
mod fields;
mod kinds;
mod list;
mod operations;
mod preview;
mod saving;
pub mod words;

pub use list::SinksTab;
