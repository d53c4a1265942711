//! The figures of a chart as a table, for those who cannot see it.

use dash_shared::figures;
use leptos::prelude::*;

use super::{LineLook, LinePoints, pick};
use crate::{
    components::{motion, stat::digits},
    format,
};

/// How often the table follows the chart, in milliseconds.
const TABLE_PAUSE_MS: f64 = 10_000.0;

/// The figures of the chart as a table. It is made when it is opened, by the keyboard or by a
/// screen reader, and follows the chart slowly: a table that moves cannot be read.
#[component]
pub fn PointsTable(
    /// The figures.
    points: Signal<LinePoints>,
    /// How they are written.
    look: Signal<LineLook>,
    /// What they are about.
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
