//! A figure that runs to its new value instead of jumping, unless the reader wants no motion.

use std::time::Duration;

use leptos::prelude::*;

use super::motion;

/// How long the figure runs, in milliseconds.
const RUN_MS: f64 = 420.0;

/// How a figure is written, while it runs and when it has arrived.
pub type Writing = fn(value: f64, target: f64, style: &FigureStyle) -> String;

/// What a figure is written with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FigureStyle {
    /// Its unit.
    pub unit: String,
    /// The digits after the decimal point; as many as make sense if none.
    pub decimals: Option<u8>,
}

/// Shows `value` as text; a dash without one.
#[component]
pub fn RollingNumber(
    /// The figure.
    #[prop(into)]
    value: Signal<Option<f64>>,
    /// What it is written with.
    #[prop(into)]
    style: Signal<FigureStyle>,
    /// Writes it.
    write: Writing,
) -> impl IntoView {
    let shown = RwSignal::new(value.get_untracked());
    // Counts the runs, so that a newer one ends the one before.
    let run = StoredValue::new(0_u32);
    Effect::new(move |before: Option<Option<f64>>| {
        let target = value.get();
        run.update_value(|run| *run = run.wrapping_add(1));
        match (shown.get_untracked(), target) {
            (Some(from), Some(to))
                if before.is_some() && (from - to).abs() > f64::EPSILON && motion::is_wanted() =>
            {
                step(shown, run, run.get_value(), from, to, motion::now_ms());
            }
            _ => shown.set(target),
        }
        target
    });
    let text = Memo::new(move |_| {
        style.with(|style| match (shown.get(), value.get()) {
            (Some(shown), Some(target)) => write(shown, target, style),
            _ => "–".to_owned(),
        })
    });
    view! { <span class="rolling-number">{text}</span> }
}

/// Moves the figure a little in every frame until it arrives. A page that is not seen draws no
/// frames: there the figure arrives by a timer.
fn step(
    shown: RwSignal<Option<f64>>,
    run: StoredValue<u32>,
    own_run: u32,
    from: f64,
    to: f64,
    started_ms: f64,
) {
    if document().hidden() {
        let arrive = move || {
            let _gone = shown.try_set(Some(to));
        };
        set_timeout(arrive, Duration::ZERO);
        return;
    }
    request_animation_frame(move || {
        if run.try_get_value() != Some(own_run) {
            return;
        }
        let share = ((motion::now_ms() - started_ms) / RUN_MS).clamp(0.0, 1.0);
        if share >= 1.0 {
            shown.try_set(Some(to));
            return;
        }
        let eased = 1.0 - (1.0 - share).powi(3);
        shown.try_set(Some(from + (to - from) * eased));
        step(shown, run, own_run, from, to, started_ms);
    });
}
