//! The tab “Transform”: the steps beside what they make of the records that came in.

use leptos::{ev::KeyboardEvent, prelude::*};

use super::transform::bench::benches;
use super::transform::desk::Desk;
use super::transform::panels::Panels;
use super::transform::runner;
use super::transform::sample::Sample;
use super::transform::saving::{self, SaveChanges};
use super::transform::step_list::{StepList, on_key};
use super::use_store;
use crate::components::use_toasts;

/// The tab.
#[component]
pub fn TransformTab() -> impl IntoView {
    let store = use_store();
    let desk = Desk::new(use_toasts());
    saving::follow(desk, store);
    let sample = Sample::of(desk, store);
    runner::keep_fresh(desk);
    let bench = benches();
    // The forms are wanted by whoever comes here.
    bench.open(|_| ());
    view! {
        <div class="stack" on:keydown=move |event: KeyboardEvent| on_key(desk, &event)>
            <div class="work">
                <StepList desk bench/>
                <Panels desk bench sample/>
            </div>
            <SaveChanges desk store/>
        </div>
    }
    .into_any()
}
