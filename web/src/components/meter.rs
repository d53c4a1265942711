//! How much of a limit is used.

use leptos::prelude::*;

/// A bar from nothing to the limit; it never grows past it, and changes colour near it.
#[component]
pub fn Meter(
    /// How much is used.
    #[prop(into)]
    value: Signal<f64>,
    /// The limit.
    #[prop(into)]
    max: Signal<f64>,
    /// What is used.
    #[prop(into)]
    label: String,
    /// Whether nearing the limit is a warning; not so for the days of a trial.
    #[prop(default = true)]
    warns: bool,
) -> impl IntoView {
    let share = move || {
        let max = max.get();
        if max > 0.0 {
            (value.get() / max).clamp(0.0, 1.0)
        } else {
            0.0
        }
    };
    let class = move || match share() {
        share if warns && share >= 1.0 => "meter bad",
        share if warns && share >= 0.8 => "meter warn",
        _ => "meter",
    };
    view! {
        <div
            class=class
            role="meter"
            aria-label=label
            aria-valuemin="0"
            aria-valuemax=move || max.get().to_string()
            aria-valuenow=move || value.get().to_string()
        >
            <span style:width=move || format!("{:.1}%", share() * 100.0)></span>
        </div>
    }
}
