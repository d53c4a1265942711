//! One figure with its unit, its change against the time before, and its course.

use dash_shared::{
    figures::{self, Trend},
    widgets::TrendMeaning,
};
use leptos::prelude::*;

use super::{
    rolling_number::{FigureStyle, RollingNumber},
    sparkline::Sparkline,
};
use crate::format;

/// What a figure shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatFigure {
    /// Its value; none without records.
    pub value: Option<f64>,
    /// The value of the same length of time before.
    pub previous: Option<f64>,
    /// Its course, the oldest first.
    pub course: Vec<Option<f64>>,
}

/// Digits as they are usual where the reader is.
pub fn digits(value: f64, decimals: u8) -> String {
    format::number(value, Some(decimals))
}

/// The figure, large, with all that explains it.
#[component]
pub fn Stat(
    /// What is shown.
    #[prop(into)]
    figure: Signal<StatFigure>,
    /// Unit and decimals.
    #[prop(into)]
    style: Signal<FigureStyle>,
    /// Whether a rise is welcome.
    #[prop(into)]
    meaning: Signal<TrendMeaning>,
    /// The colour of the course in the palette, from 1.
    #[prop(into)]
    color: Signal<i32>,
    /// What the change is measured against: `the 24 h before`.
    #[prop(into)]
    against: Signal<String>,
) -> impl IntoView {
    let value = Memo::new(move |_| figure.with(|figure| figure.value));
    let course = Memo::new(move |_| figure.with(|figure| figure.course.clone()));
    let change = Memo::new(move |_| {
        let unit = style.with(|style| style.unit.clone());
        figure.with(|figure| {
            let (value, previous) = (figure.value?, figure.previous?);
            Some(figures::change(value, previous, &unit, digits))
        })
    });
    let whole = move || {
        style.with(|style| {
            value.get().map(|value| {
                let figure = figures::number(value, style.decimals, digits);
                figures::with_unit(&figure, &style.unit)
            })
        })
    };
    let previous = move || {
        style.with(|style| {
            figure.with(|figure| {
                let previous = figures::number(figure.previous?, style.decimals, digits);
                Some(format!(
                    "{} ({})",
                    figures::with_unit(&previous, &style.unit),
                    against.get()
                ))
            })
        })
    };
    view! {
        <div class="stat">
            <div class="stat-value" data-testid="stat-value" title=whole>
                <RollingNumber value style write=write_figure />
            </div>
            <div class="stat-foot">
                <span
                    class="stat-change"
                    data-testid="stat-change"
                    data-mood=move || {
                        change.with(|change| mood(change.as_ref().map(|c| c.trend), meaning.get()))
                    }
                    title=previous
                >
                    {move || change.with(|change| change.as_ref().map(arrow))}
                    {move || change.with(|change| change.as_ref().map(|change| change.text.clone()))}
                    <Show when=move || change.with(Option::is_some)>
                        <span class="stat-against">" vs " {against}</span>
                    </Show>
                </span>
                <Sparkline values=course color />
            </div>
        </div>
    }
}

fn write_figure(value: f64, target: f64, style: &FigureStyle) -> String {
    // While the figure runs it keeps the decimals it will have, so that it does not tremble.
    let decimals = if target.abs() < 1e6 {
        Some(figures::decimals_of(target, style.decimals))
    } else {
        style.decimals
    };
    figures::with_unit(&figures::short_number(value, decimals, digits), &style.unit)
}

fn mood(trend: Option<Trend>, meaning: TrendMeaning) -> &'static str {
    match (trend, meaning) {
        (Some(Trend::Up), TrendMeaning::UpIsGood) | (Some(Trend::Down), TrendMeaning::UpIsBad) => {
            "good"
        }
        (Some(Trend::Down), TrendMeaning::UpIsGood) | (Some(Trend::Up), TrendMeaning::UpIsBad) => {
            "bad"
        }
        _ => "neutral",
    }
}

fn arrow(change: &figures::Change) -> AnyView {
    let (sign, word) = match change.trend {
        Trend::Up => ("▲", "up "),
        Trend::Down => ("▼", "down "),
        Trend::Flat => return ().into_any(),
    };
    view! {
        <span aria-hidden="true">{sign} " "</span>
        <span class="visually-hidden">{word}</span>
    }
    .into_any()
}
