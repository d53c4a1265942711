//! The functions that `bench` describes. All that only they reach is fetched with them.

use leptos::prelude::*;

use super::bench::Bench;
use super::forms::StepForm;
use super::forms::map::suggest;
use super::json_dialog::JsonDialog;
use super::paste_dialog::PasteDialog;
use super::picker::Picker;

/// The functions.
pub const BENCH: Bench = Bench {
    form: |desk, key| view! { <StepForm desk step=key/> }.into_any(),
    picker: |desk, open| view! { <Picker desk open/> }.into_any(),
    json: |desk, open| view! { <JsonDialog desk open/> }.into_any(),
    paste: |sample, open| view! { <PasteDialog sample open/> }.into_any(),
    suggest,
};
