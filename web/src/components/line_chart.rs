//! Figures over time as lines, with the same figures as a table for those who cannot see them.

mod options;
pub mod pick;

use std::sync::Arc;

use dash_shared::figures;
use leptos::prelude::*;

use super::{chart::Chart, motion, stat::digits};
use crate::format;

pub use options::LineLook;

/// When data comes quicker than this, in milliseconds, movements would never end.
const QUICK_MS: f64 = 700.0;
/// How often the table follows the chart, in milliseconds.
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

/// The figures of the chart as a table. It is made when it is opened, by the keyboard or by a
/// screen reader, and follows the chart slowly: a table that moves cannot be read.
#[component]
fn PointsTable(
    points: Signal<LinePoints>,
    look: Signal<LineLook>,
    title: Signal<String>,
) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let toggled = move |event: leptos::ev::Event| {
        let details = event_target::<web_sys::HtmlElement>(&event);
        is_open.set(details.has_attribute("open"));
    };
    view! {
        <details class="chart-data" on:toggle=toggled>
            <summary>"Show as a table"</summary>
            <Show when=move || is_open.get()>
                <OpenTable points look title/>
            </Show>
        </details>
    }
}

#[component]
fn OpenTable(
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
        calm.with(|points| {
            let newest_first = points.times_ms.iter().enumerate().rev();
            newest_first
                .map(|(index, time_ms)| table_row(points, index, *time_ms, &look))
                .collect_view()
        })
    };
    view! {
        <table class="records-table">
            <caption class="visually-hidden">{title}</caption>
            <thead>
                <tr>
                    <th scope="col">"Time"</th>
                    {head}
                </tr>
            </thead>
            <tbody>{body}</tbody>
        </table>
    }
}

fn table_row(
    points: &LinePoints,
    index: usize,
    time_ms: i64,
    look: &LineLook,
) -> impl IntoView + use<> {
    let cells = points
        .series
        .iter()
        .map(|(name, values)| {
            let value = values.get(index).copied().flatten();
            let text = value.map_or_else(String::new, |value| {
                figures::with_unit(&figures::number(value, look.decimals, digits), &look.unit)
            });
            let cell = pick::pickable_cell(text, name, time_ms);
            view! { <td class="is-number" data-label=name.clone()>{cell}</td> }
        })
        .collect_view();
    view! {
        <tr>
            <th scope="row">{format::date_time(time_ms)}</th>
            {cells}
        </tr>
    }
}
