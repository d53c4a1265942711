//! The lines of a chart: what is drawn of them and how it moves, and what is said of the picture.
//! All of this is fetched with the first chart.

use std::sync::Arc;

use dash_shared::figures;
use leptos::prelude::*;

use super::{LineLook, LinePoints, options, table::PointsTable};
use crate::components::{chart::Chart, motion, stat::digits};

/// When data comes quicker than this, in milliseconds, movements would never end.
const QUICK_MS: f64 = 700.0;

/// The drawing, and the same figures as a table.
#[component]
pub fn Lines(
    /// What is drawn.
    points: Signal<LinePoints>,
    /// What it looks like; whether it moves is decided here.
    look: Signal<LineLook>,
    /// What the chart is about, for screen readers.
    title: Signal<String>,
) -> impl IntoView {
    let width_px = RwSignal::new(0.0);
    let changed_at_ms = StoredValue::new(0.0);
    let points = in_steady_order(points);
    let options = Memo::new(move |_| {
        let mut look = look.get();
        let now_ms = motion::now_ms();
        look.animated &= now_ms - changed_at_ms.get_value() > QUICK_MS;
        changed_at_ms.set_value(now_ms);
        points.with(|points| options::options(points, &look, width_px.get()))
    });
    let label = Signal::derive(move || {
        points.with(|points| describe(&title.get(), points, &look.get_untracked()))
    });
    let number = Arc::new(move |value| {
        look.try_with_untracked(|look| {
            let figure = figures::short_number(value, look.decimals, digits);
            figures::with_unit(&figure, &look.unit)
        })
        .unwrap_or_default()
    });
    let first_color = Signal::derive(move || look.with(|look| look.color));
    view! {
        <Chart options label format=number first_color width_px />
        <PointsTable points look title />
    }
}

/// The same lines in the order in which they were first seen: a line keeps its colour, whichever
/// is the largest now.
fn in_steady_order(points: Signal<LinePoints>) -> Signal<LinePoints> {
    let known = StoredValue::new(Vec::<String>::new());
    Memo::new(move |_| {
        let mut points = points.get();
        known.update_value(|known| {
            known.retain(|name| points.series.iter().any(|(own, _)| own == name));
            for (name, _) in &points.series {
                if !known.contains(name) {
                    known.push(name.clone());
                }
            }
            points
                .series
                .sort_by_key(|(name, _)| known.iter().position(|other| other == name));
        });
        points
    })
    .into()
}

/// What a picture of these lines says, in a sentence.
fn describe(title: &str, points: &LinePoints, look: &LineLook) -> String {
    let written =
        |value| figures::with_unit(&figures::number(value, look.decimals, digits), &look.unit);
    let lines = points
        .series
        .iter()
        .filter_map(|(name, values)| {
            let known = || values.iter().flatten().copied();
            Some(format!(
                "{name}: from {} to {}, now {}",
                written(known().reduce(f64::min)?),
                written(known().reduce(f64::max)?),
                written(known().last()?),
            ))
        })
        .collect::<Vec<_>>()
        .join("; ");
    format!("Line chart {title}. {lines}.")
}
