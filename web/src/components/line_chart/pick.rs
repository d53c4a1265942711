//! Choosing a point of a line: with the pointer in the chart, with the keyboard in its table. Both
//! tell it as an event that bubbles, so that nothing in between has to know of it; it means
//! something only inside a [`Pickable`].

use js_sys::Reflect;
use leptos::{context::Provider, prelude::*};
use wasm_bindgen::JsValue;
use web_sys::{CustomEvent, CustomEventInit};

/// The event's name; `js/charts.js` says the same.
const EVENT: &str = "pick";

/// A point of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickedPoint {
    /// When its time begins, in milliseconds since 1970.
    pub time_ms: i64,
    /// The name of the line; none when the place that was clicked is near no line.
    pub series: Option<String>,
}

/// Whether the points around here can be chosen.
#[derive(Clone, Copy)]
struct CanPick(bool);

/// Passes on which point was chosen of the chart in it, if there is anybody to pass it on to.
#[component]
pub fn Pickable(
    /// Called with the point.
    on_pick: Option<Callback<PickedPoint>>,
    /// The chart.
    children: Children,
) -> impl IntoView {
    let picked = move |event: web_sys::Event| {
        if let (Some(on_pick), Some(point)) = (on_pick, read(&event)) {
            on_pick.run(point);
        }
    };
    view! {
        <div class="pickable" data-picks=on_pick.map(|_| "") on:pick=picked>
            <Provider value=CanPick(on_pick.is_some())>{children()}</Provider>
        </div>
    }
}

/// A figure in a chart's table: a button where its point can be chosen, else only the text.
pub fn pickable_cell(text: String, series: &str, time_ms: i64) -> AnyView {
    let can_pick = use_context().is_some_and(|CanPick(can_pick)| can_pick);
    if text.is_empty() || !can_pick {
        return text.into_any();
    }
    let point = PickedPoint {
        time_ms,
        series: Some(series.to_owned()),
    };
    view! {
        <button
            type="button"
            class="link"
            title="Show the records"
            on:click=move |event| tell(&event, &point)
        >
            {text}
        </button>
    }
    .into_any()
}

fn read(event: &web_sys::Event) -> Option<PickedPoint> {
    let detail = Reflect::get(event, &"detail".into()).ok()?;
    let time = Reflect::get(&detail, &"time".into()).ok()?.as_f64()?;
    let series = Reflect::get(&detail, &"series".into()).ok();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a date in ms is far below 2^53"
    )]
    Some(PickedPoint {
        time_ms: time as i64,
        series: series.and_then(|name| name.as_string()),
    })
}

fn tell(click: &web_sys::MouseEvent, point: &PickedPoint) {
    let Some(target) = click.target() else {
        return;
    };
    let detail = js_sys::Object::new();
    #[expect(clippy::cast_precision_loss, reason = "a date in ms is far below 2^53")]
    let time = JsValue::from_f64(point.time_ms as f64);
    drop(Reflect::set(&detail, &"time".into(), &time));
    if let Some(series) = &point.series {
        drop(Reflect::set(&detail, &"series".into(), &series.into()));
    }
    let init = CustomEventInit::new();
    init.set_bubbles(true);
    init.set_detail(&detail);
    if let Ok(event) = CustomEvent::new_with_event_init_dict(EVENT, &init) {
        drop(target.dispatch_event(&event));
    }
}
