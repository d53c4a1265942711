//! Figures over time as lines, with the same figures as a table for those who cannot see them.

mod options;

use std::sync::Arc;

use dash_shared::figures;
use leptos::prelude::*;

use super::{chart::Chart, motion, stat::digits};
use crate::format;

pub use options::LineLook;

/// When data comes quicker than this, in milliseconds, movements would never end.
const QUICK_MS: f64 = 700.0;
/// How often the table for screen readers follows, in milliseconds: it is not read while it moves.
const TABLE_PAUSE_MS: f64 = 10_000.0;

/// Lines over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinePoints {
    /// What one point stands for.
    pub bucket_seconds: i32,
    /// When the points' time begins, in milliseconds since 1970.
    pub times_ms: Vec<i64>,
    /// Each line's name and its values, one for each time.
    pub series: Vec<(String, Vec<Option<f64>>)>,
}

impl LinePoints {
    /// Whether there is nothing to see. Where records are counted, zeros are nothing.
    pub fn is_empty(&self, counts: bool) -> bool {
        !self
            .series
            .iter()
            .flat_map(|(_, values)| values)
            .flatten()
            .any(|value| !counts || value.abs() > 0.0)
    }
}

/// Draws the lines.
#[component]
pub fn LineChart(
    /// What is drawn.
    #[prop(into)]
    points: Signal<LinePoints>,
    /// What it looks like; whether it moves is decided here.
    #[prop(into)]
    look: Signal<LineLook>,
    /// What the chart is about, for screen readers.
    #[prop(into)]
    title: Signal<String>,
) -> impl IntoView {
    let width_px = RwSignal::new(0.0);
    let changed_at_ms = StoredValue::new(0.0);
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

/// The figures of the chart as a table that only screen readers see.
#[component]
fn PointsTable(
    points: Signal<LinePoints>,
    look: Signal<LineLook>,
    title: Signal<String>,
) -> impl IntoView {
    let followed_at_ms = StoredValue::new(f64::NEG_INFINITY);
    let calm = Memo::new(move |before: Option<&LinePoints>| {
        let now_ms = motion::now_ms();
        points.track();
        match before {
            Some(before) if now_ms - followed_at_ms.get_value() < TABLE_PAUSE_MS => before.clone(),
            _ => {
                followed_at_ms.set_value(now_ms);
                points.get_untracked()
            }
        }
    });
    let head = move || {
        calm.with(|points| {
            let names = points.series.iter().map(|(name, _)| name.clone());
            names
                .map(|name| view! { <th scope="col">{name}</th> })
                .collect_view()
        })
    };
    let body = move || {
        let look = look.get();
        let cell = |value: Option<f64>| {
            value.map_or_else(String::new, |value| {
                figures::with_unit(&figures::number(value, look.decimals, digits), &look.unit)
            })
        };
        calm.with(|points| {
            let rows = points.times_ms.iter().enumerate().map(|(index, time_ms)| {
                let values = points.series.iter();
                let cells = values
                    .map(|(_, values)| cell(values.get(index).copied().flatten()))
                    .map(|text| view! { <td>{text}</td> })
                    .collect_view();
                view! {
                    <tr>
                        <th scope="row">{format::date_time(*time_ms)}</th>
                        {cells}
                    </tr>
                }
            });
            rows.collect_view()
        })
    };
    view! {
        // A table does not keep to one pixel itself, what is around it does.
        <div class="visually-hidden">
        <table>
            <caption>{title}</caption>
            <thead>
                <tr>
                    <th scope="col">"Time"</th>
                    {head}
                </tr>
            </thead>
            <tbody>{body}</tbody>
        </table>
        </div>
    }
}
