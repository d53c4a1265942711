//! Run a script.

use leptos::prelude::*;

use super::super::engine::Language;
use super::super::formula::source_input;
use super::super::inputs::Place;
use crate::components::Field;

pub fn form(place: Place) -> AnyView {
    let hint = "record.name = … changes a field, delete record.name takes it away, drop leaves the record out.";
    view! {
        <Field label="Script" hint>
            {source_input(place, "source".to_owned(), "Script".to_owned(), Language::Script)}
        </Field>
    }
    .into_any()
}
