//! A small line without axes that shows which way a figure went, drawn as SVG.

use std::fmt::Write;

use leptos::prelude::*;

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 32.0;
/// Keeps the line and its last point inside the picture.
const MARGIN: f64 = 3.0;

/// The line of `values`, the oldest first; a missing value is a gap. It only pictures what the
/// figure beside it says, so screen readers skip it.
#[component]
pub fn Sparkline(
    /// The values, the oldest first.
    #[prop(into)]
    values: Signal<Vec<Option<f64>>>,
    /// The colour in the chart palette, from 1.
    #[prop(into)]
    color: Signal<i32>,
) -> impl IntoView {
    let paths = Memo::new(move |_| values.with(|values| paths(values)));
    view! {
        <svg
            class="sparkline"
            viewBox=format!("0 0 {WIDTH} {HEIGHT}")
            preserveAspectRatio="none"
            aria-hidden="true"
            style:color=move || format!("var(--c{})", color.get())
        >
            <path class="sparkline-area" d=move || paths.with(|paths| paths.area.clone())></path>
            <path class="sparkline-line" d=move || paths.with(|paths| paths.line.clone())></path>
            <path class="sparkline-end" d=move || paths.with(|paths| paths.end.clone())></path>
        </svg>
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Paths {
    line: String,
    area: String,
    /// A line without length: its round cap is a dot, however the picture is stretched.
    end: String,
}

fn paths(values: &[Option<f64>]) -> Paths {
    let known = || {
        values
            .iter()
            .flatten()
            .copied()
            .filter(|value| value.is_finite())
    };
    let (Some(low), Some(high)) = (known().reduce(f64::min), known().reduce(f64::max)) else {
        return Paths::default();
    };
    let spread = high - low;
    #[expect(clippy::cast_precision_loss, reason = "a few hundred points at most")]
    let step = (WIDTH - 2.0 * MARGIN) / values.len().saturating_sub(1).max(1) as f64;
    let mut result = Paths::default();
    let mut x = MARGIN;
    let mut run: Option<(f64, f64)> = None;
    let close = |run: &mut Option<(f64, f64)>, result: &mut Paths| {
        if let Some((first, last)) = run.take() {
            let _infallible = write!(result.area, "L{last:.1},{HEIGHT} L{first:.1},{HEIGHT} Z");
        }
    };
    for value in values {
        match value.filter(|value| value.is_finite()) {
            Some(value) => {
                let share = if spread > 0.0 {
                    (value - low) / spread
                } else {
                    0.5
                };
                let y = HEIGHT - MARGIN - share * (HEIGHT - 2.0 * MARGIN);
                let first = run.map(|(first, _)| first);
                let command = if first.is_none() { 'M' } else { 'L' };
                let point = format!("{command}{x:.1},{y:.1}");
                result.line += &point;
                result.area += &point;
                result.end = format!("M{x:.1},{y:.1}h0.01");
                run = Some((first.unwrap_or(x), x));
            }
            None => close(&mut run, &mut result),
        }
        x += step;
    }
    close(&mut run, &mut result);
    result
}
