//! Leave out records that were there before.

use leptos::prelude::*;

use super::super::inputs::{Place, amount, duration, field_list};

pub fn form(place: Place) -> AnyView {
    view! {
        {field_list(place, "keys", "Two records are the same when these fields are")}
        <div class="work-pair">
            {duration(place, "within_seconds", "Remember a record for", "At most 30 days. Without a time, a day.")}
            {amount(place, "remember", "And at most so many", "Up to 100,000.", "10000")}
        </div>
        <p class="field-hint">"The preview has seen nothing before the first of these records."</p>
    }
    .into_any()
}
