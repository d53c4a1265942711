//! The transform editor: the steps as cards beside what they make of the records that came in.
//!
//! Three parts: the tab itself, with the list and the table (`transform_tab`); the forms and dialogs
//! with which steps are changed ([`bench`]), fetched when the tab is open; and the engine that
//! previews in the browser ([`engine`]), fetched when there is time. Steps are edited as the JSON
//! documents that they are ([`desk`]), so that nothing is lost that a form does not know.

pub mod bench;
pub mod catalog;
pub mod changes;
pub mod checks;
pub mod desk;
pub mod dragging;
pub mod engine;
pub mod history;
pub mod panels;
pub mod preview;
pub mod preview_table;
pub mod preview_view;
pub mod runner;
pub mod sample;
pub mod saving;
pub mod step_card;
pub mod step_list;
pub mod summary;

mod bench_tools;
mod browser_engine;
mod forms;
mod formula;
mod inputs;
mod json_dialog;
mod paste_dialog;
mod picker;

pub use bench_tools::BENCH;
pub use browser_engine::ENGINE;
