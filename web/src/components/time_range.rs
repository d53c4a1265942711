//! Choosing a time range: one up to now from a list, or from one time to another in the viewer's
//! own zone.

use dash_shared::ranges::{PRESETS, TimeRange};
use js_sys::Date;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlElement;

use super::{Button, ButtonKind, ButtonSize, Icon, IconView, Popover};
use crate::format::time_zone;

/// A button that says which range is seen, with a panel to choose another one.
#[component]
pub fn TimeRangePicker(
    /// What is seen.
    #[prop(into)]
    range: Signal<TimeRange>,
    /// Called with what was chosen.
    #[prop(into)]
    on_choose: Callback<TimeRange>,
) -> impl IntoView {
    let trigger = move || {
        view! {
            <IconView icon=Icon::Clock/>
            <span class="range-label num">{move || label(range.get())}</span>
        }
    };
    view! {
        <Popover label="Time range" trigger test_id="time-range">
            <Panel range on_choose/>
        </Popover>
    }
}

/// A range in words: `Last 24 hours`, `21 Nov 14:00 – 22 Nov 02:00`.
pub fn label(range: TimeRange) -> String {
    match range {
        TimeRange::Last { seconds } => PRESETS
            .iter()
            .find(|(preset, _)| *preset == seconds)
            .map_or_else(
                || format!("Last {}", dash_shared::figures::duration(seconds)),
                |(_, words)| (*words).to_owned(),
            ),
        TimeRange::Between { from_ms, to_ms } => {
            format!("{} – {}", day_and_time(from_ms), day_and_time(to_ms))
        }
    }
}

#[component]
fn Panel(range: Signal<TimeRange>, on_choose: Callback<TimeRange>) -> impl IntoView {
    let (from, to) = ends(range.get_untracked());
    let from = RwSignal::new(local_text(from));
    let to = RwSignal::new(local_text(to));
    let problem = RwSignal::new(None::<String>);
    let presets = PRESETS.map(|(seconds, words)| {
        let preset = TimeRange::Last { seconds };
        let is_chosen = move || range.get() == preset;
        view! {
            <button
                type="button"
                class="menu-item"
                role="menuitem"
                data-testid=format!("range-{seconds}")
                aria-current=move || is_chosen().then_some("true")
                on:click=move |event| {
                    close_around(&event);
                    on_choose.run(preset);
                }
            >
                <span class="range-check">
                    {move || is_chosen().then(|| view! { <IconView icon=Icon::Check/> })}
                </span>
                {words}
            </button>
        }
    });
    let apply = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let (Some(from_ms), Some(to_ms)) = (
            local_ms(&from.get_untracked()),
            local_ms(&to.get_untracked()),
        ) else {
            problem.set(Some("Enter both times.".to_owned()));
            return;
        };
        let chosen = TimeRange::Between { from_ms, to_ms };
        match chosen.check() {
            Ok(()) => {
                close_around(&event);
                on_choose.run(chosen);
            }
            Err(invalid) => problem.set(Some(invalid.message)),
        }
    };
    view! {
        <div class="range-panel">
            <div class="range-presets">{presets}</div>
            <form class="range-custom" on:submit=apply>
                <label>
                    <span>"From"</span>
                    <input
                        class="input"
                        type="datetime-local"
                        data-testid="range-from"
                        prop:value=from
                        on:input=move |event| from.set(event_target_value(&event))
                    />
                </label>
                <label>
                    <span>"To"</span>
                    <input
                        class="input"
                        type="datetime-local"
                        data-testid="range-to"
                        prop:value=to
                        on:input=move |event| to.set(event_target_value(&event))
                    />
                </label>
                <p class="field-error" role="alert">{problem}</p>
                <div class="range-foot">
                    <span class="faint tiny">{time_zone()}</span>
                    <Button submit=true kind=ButtonKind::Primary size=ButtonSize::Small test_id="range-apply">
                        "Apply"
                    </Button>
                </div>
            </form>
        </div>
    }
}

fn ends(range: TimeRange) -> (i64, i64) {
    match range {
        TimeRange::Last { seconds } => {
            let now_ms = crate::format::now_ms();
            (now_ms - seconds * 1_000, now_ms)
        }
        TimeRange::Between { from_ms, to_ms } => (from_ms, to_ms),
    }
}

/// Closes the panel that an event comes from.
fn close_around(event: &web_sys::Event) {
    let panel = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
        .and_then(|element| element.closest("[popover]").ok().flatten())
        .and_then(|panel| panel.dyn_into::<HtmlElement>().ok());
    if let Some(panel) = panel {
        drop(panel.hide_popover());
    }
}

fn date(ms: i64) -> Date {
    #[expect(clippy::cast_precision_loss, reason = "a date in ms is far below 2^53")]
    let value = JsValue::from_f64(ms as f64);
    Date::new(&value)
}

/// A time as `datetime-local` inputs take it.
fn local_text(ms: i64) -> String {
    let date = date(ms);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}",
        date.get_full_year(),
        date.get_month() + 1,
        date.get_date(),
        date.get_hours(),
        date.get_minutes()
    )
}

/// The time that a `datetime-local` input means in the viewer's zone.
fn local_ms(text: &str) -> Option<i64> {
    let ms = Date::parse(text);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a date in ms is far below 2^53"
    )]
    ms.is_finite().then_some(ms as i64)
}

fn day_and_time(ms: i64) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let date = date(ms);
    let month = MONTHS.get(date.get_month() as usize).unwrap_or(&"");
    format!(
        "{} {month} {:02}:{:02}",
        date.get_date(),
        date.get_hours(),
        date.get_minutes()
    )
}
