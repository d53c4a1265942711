//! Figures over time as lines, with the same figures as a table for those who cannot see them.
//!
//! This module knows what is shown; the code that draws it comes with the first chart, together
//! with the drawing library, and until then there is a grey place.

mod lines;
mod options;
pub mod pick;
mod table;

use leptos::prelude::*;

use super::chart::{self, ChartFailed};
use crate::parts;

pub use lines::Lines;
pub use options::LineLook;

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
    /// What it looks like.
    #[prop(into)]
    look: Signal<LineLook>,
    /// What the chart is about, for screen readers.
    #[prop(into)]
    title: Signal<String>,
) -> impl IntoView {
    let attempt = Trigger::new();
    let waiting = || view! { <div class="chart is-loading" aria-busy="true"></div> }.into_any();
    let failed = move || {
        view! { <div class="chart"><ChartFailed on_retry=move || attempt.notify()/></div> }
            .into_any()
    };
    move || {
        attempt.track();
        // At the same time, not one after the other.
        chart::prefetch();
        parts::later(parts::line_chart(points, look, title), waiting(), failed)
    }
}
