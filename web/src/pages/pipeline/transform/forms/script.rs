//! Run a script.

use leptos::prelude::*;

use super::super::engine::Language;
use super::super::formula::source_input;
use super::super::inputs::{Place, group};

pub fn form(place: Place) -> AnyView {
    let hint = "record.name = … changes a field, delete record.name takes it away, drop leaves the record out.";
    let input = source_input(
        place,
        "source".to_owned(),
        "Script".to_owned(),
        Language::Script,
    );
    // What is wrong is said by the input.
    group("Script", Signal::derive(|| None), Some(hint), false, input)
}
