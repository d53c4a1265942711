//! Calculate fields by formulas.

use leptos::prelude::*;
use serde_json::json;

use super::super::engine::Language;
use super::super::formula::source_input;
use super::super::inputs::{Place, Rows, field_box, rows};

pub fn form(place: Place) -> AnyView {
    rows(
        place,
        Rows {
            at: "fields",
            noun: "formula",
            heads: &["Field = formula"],
            blank: || json!({ "field": "", "formula": "" }),
            inputs: |place, at, number| {
                let label = format!("Formula {number}");
                view! {
                    <div class="work-formula">
                        {field_box(place, format!("{at}.field"), format!("Field {number}"))}
                        <span class="faint" aria-hidden="true">"="</span>
                        {source_input(place, format!("{at}.formula"), label, Language::Formula)}
                    </div>
                }
                .into_any()
            },
            told: &["field"],
            is_ordered: true,
        },
    )
}
