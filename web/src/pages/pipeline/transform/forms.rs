//! The forms of steps, a few lines for each kind: what it needs, in the words of people who do not
//! program, and what happens to a record that does not fit.

mod calculate;
mod dates;
mod deduplicate;
mod fields;
mod filter;
mod join;
mod lookup;
pub mod map;
mod privacy;
mod script;
mod shape;
mod value;
mod window;

use leptos::prelude::*;

use super::catalog::kind_of;
use super::desk::Desk;
use super::inputs::{Place, choice};
use crate::components::{Icon, IconView};

/// What happens to a record that a step cannot handle.
const POLICIES: &[(&str, &str)] = &[
    ("fail", "List it as an error, and do not store it"),
    ("drop", "Leave it out without a word"),
    ("keep", "Keep going, with an empty value"),
];

/// The form of a step.
#[component]
pub fn StepForm(desk: Desk, step: u32) -> impl IntoView {
    let place = Place::new(desk, step);
    // The form of another kind takes its place when the step is replaced, not while it is edited.
    let kind = Memo::new(move |_| desk.document(step).map(|document| kind_of(&document).word));
    let inputs = move || {
        match kind.get().unwrap_or_default() {
        "map" => map::form(place),
        "rename" => fields::rename(place),
        "select" => fields::select(place),
        "drop" => fields::drop(place),
        "cast" => fields::cast(place),
        "set" => value::form(place),
        "calculate" => calculate::form(place),
        "filter" => filter::form(place),
        "explode" => shape::explode(place),
        "flatten" => shape::flatten(place),
        "parse_date" => dates::form(place),
        "deduplicate" => deduplicate::form(place),
        "mask" => privacy::mask(place),
        "hash" => privacy::hash(place),
        "script" => script::form(place),
        "window" => window::form(place),
        "lookup" => lookup::form(place),
        "join" => join::form(place),
        _ => view! {
            <p class="small muted">"This kind of step is new. Reload the page to change it here, or edit it as JSON."</p>
        }
        .into_any(),
    }
    };
    let others = move || {
        let errors = place.other_errors();
        errors
            .into_iter()
            .map(|message| {
                view! { <p class="field-error"><IconView icon=Icon::Alert/><span>{message}</span></p> }
            })
            .collect_view()
    };
    view! {
        <div class="work-inputs" data-testid="step-form">
            {inputs}
            {others}
            {choice(place, "on_error", "If a record does not fit", POLICIES)}
        </div>
    }
    .into_any()
}
