//! What stands beside the steps: the preview, and whatever else says what they do.

use leptos::prelude::*;

use super::bench::Benches;
use super::desk::Desk;
use super::preview_view::PreviewView;
use super::sample::Sample;

/// The panels.
#[component]
pub fn Panels(
    /// What is edited.
    desk: Desk,
    /// What it is edited with.
    bench: Benches,
    /// The records that are looked at.
    sample: Sample,
) -> impl IntoView {
    view! {
        <section class="card work-panels" aria-label="Preview">
            <PreviewView desk bench sample/>
        </section>
    }
}
