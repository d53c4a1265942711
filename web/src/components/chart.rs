//! A drawing by ECharts: loads its bundle when the first chart is shown, keeps the picture in step
//! with the options and the theme, and takes it away with the component. What is drawn is decided
//! by whoever makes the options.

mod queue;
mod theme;
mod watch;

use std::sync::Arc;

use leptos::{html::Div, prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, prelude::*};
use web_sys::HtmlElement;

use self::queue::Turn;
use crate::theme::use_theme;

#[wasm_bindgen(inline_js = "export const load = (url) => import(url);")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn load(url: &str) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen]
extern "C" {
    /// The bundle's exports.
    type Charts;
    #[wasm_bindgen(method, catch)]
    fn create(
        this: &Charts,
        element: &HtmlElement,
        option: &str,
        theme: &str,
        format: &JsValue,
    ) -> Result<Drawing, JsValue>;

    /// A chart on the page.
    type Drawing;
    #[wasm_bindgen(method, catch, js_name = setOption)]
    fn set_option(this: &Drawing, option: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = setTheme)]
    fn set_theme(this: &Drawing, theme: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn dispose(this: &Drawing) -> Result<(), JsValue>;
}

/// Writes a number of the chart's axis or tooltip.
pub type NumberFormat = Arc<dyn Fn(f64) -> String + Send + Sync>;

/// What has to live as long as the drawing.
struct Held {
    drawing: Drawing,
    _format: Closure<dyn Fn(f64) -> String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Loading {
    Waiting,
    Done,
    Failed,
}

/// Draws what `options` describes into all the room there is.
#[component]
pub fn Chart(
    /// The ECharts options as JSON.
    #[prop(into)]
    options: Signal<String>,
    /// What the picture shows, for those who cannot see it.
    #[prop(into)]
    label: Signal<String>,
    /// Writes the numbers.
    format: NumberFormat,
    /// The first colour of the palette that is used, from 1.
    #[prop(into)]
    first_color: Signal<i32>,
    /// Set to the width in pixels, for options that depend on it.
    width_px: RwSignal<f64>,
) -> impl IntoView {
    let place = NodeRef::<Div>::new();
    let loading = RwSignal::new(Loading::Waiting);
    let held: StoredValue<Option<Held>, LocalStorage> = StoredValue::new_local(None);

    let draw = move || {
        let format = format.clone();
        loading.set(Loading::Waiting);
        spawn_local(async move {
            let Ok(charts) = load(&bundle_url()).await else {
                loading.try_set(Loading::Failed);
                return;
            };
            // The page may have changed while the bundle was on its way.
            let Some(Some(element)) = place.try_get_untracked() else {
                return;
            };
            let format = Closure::<dyn Fn(f64) -> String>::new(move |value| format(value));
            let drawn = charts.unchecked_into::<Charts>().create(
                &element,
                &options.get_untracked(),
                &theme::json(first_color.get_untracked()),
                format.as_ref(),
            );
            match drawn {
                Ok(drawing) => {
                    let now = Held {
                        drawing,
                        _format: format,
                    };
                    held.try_set_value(Some(now));
                    loading.try_set(Loading::Done);
                }
                Err(_) => drop(loading.try_set(Loading::Failed)),
            }
        });
    };
    let first_draw = draw.clone();
    Effect::new(move |drawn: Option<bool>| {
        if let Some(element) = place.get()
            && drawn != Some(true)
        {
            width_px.set(f64::from(element.client_width()));
            first_draw();
            return true;
        }
        drawn.unwrap_or(false)
    });
    let is_seen = RwSignal::new(true);
    watch::watch(place, width_px, is_seen);

    redraw(options, loading, is_seen, held);
    follow_theme(first_color, options, held);
    on_cleanup(move || {
        held.try_update_value(|held| {
            if let Some(held) = held.take() {
                drop(held.drawing.dispose());
            }
        });
    });

    view! {
        <div class="chart" class:is-loading=move || loading.get() == Loading::Waiting>
            <div class="chart-place" role="img" aria-label=label node_ref=place></div>
            <Show when=move || loading.get() == Loading::Failed>
                <ChartFailed on_retry=draw.clone()/>
            </Show>
        </div>
    }
}

/// Says that a chart is not there, and offers to try again.
#[component]
pub fn ChartFailed(
    /// Tries again.
    #[prop(into)]
    on_retry: Callback<()>,
) -> impl IntoView {
    view! {
        <div class="chart-failed">
            <p>"The chart could not be loaded. Check your connection."</p>
            <button type="button" class="btn" on:click=move |_| on_retry.run(())>
                "Try again"
            </button>
        </div>
    }
}

/// Begins to load the bundle, which a chart will need in a moment.
pub fn prefetch() {
    spawn_local(async {
        // When it fails, the chart tries again and says so.
        drop(load(&bundle_url()).await);
    });
}

/// Hands new options over when it is the chart's turn, and while nobody sees it not at all.
fn redraw(
    options: Signal<String>,
    loading: RwSignal<Loading>,
    is_seen: RwSignal<bool>,
    held: StoredValue<Option<Held>, LocalStorage>,
) {
    let turn = Turn::new(move || {
        let Some(options) = options.try_get_untracked() else {
            return;
        };
        held.try_with_value(|held| {
            if let Some(held) = held {
                drop(held.drawing.set_option(&options));
            }
        });
    });
    Effect::new(move |_| {
        options.track();
        if loading.get() == Loading::Done && is_seen.get() {
            turn.ask();
        }
    });
}

/// Changes the colours of a chart that is there already.
fn follow_theme(
    first_color: Signal<i32>,
    options: Signal<String>,
    held: StoredValue<Option<Held>, LocalStorage>,
) {
    let theme = use_theme();
    Effect::new(move |before: Option<(bool, i32)>| {
        let now = (theme.is_dark(), first_color.get());
        if before.is_some_and(|before| before != now) {
            // The attribute that switches the tokens is set by another effect of this change.
            request_animation_frame(move || {
                held.try_with_value(|held| {
                    if let Some(held) = held {
                        drop(held.drawing.set_theme(&theme::json(now.1)));
                        // A new theme begins with the first options that the chart ever had.
                        if let Some(options) = options.try_get_untracked() {
                            drop(held.drawing.set_option(&options));
                        }
                    }
                });
            });
        }
        now
    });
}

/// Where the bundle is: the page says so, because its name carries a hash of its content.
fn bundle_url() -> String {
    document()
        .query_selector("meta[name=dash-charts]")
        .ok()
        .flatten()
        .and_then(|meta| meta.get_attribute("content"))
        .unwrap_or_else(|| "/charts.js".to_owned())
}
