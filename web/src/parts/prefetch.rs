//! Fetching parts ahead of time: when the program starts, when somebody points at a link, and when
//! the browser has nothing else to do.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};

use super::{Fetching, split};
use crate::session::known_here;

/// When a page is taken to have loaded what it shows.
const LOADED_AFTER: Duration = Duration::from_secs(2);

type Preload = fn() -> Fetching<()>;

const TOOLS: Preload = || Box::pin(split::__wasm_split_preload_tools());
const BENCH: Preload = || Box::pin(split::__wasm_split_preload_bench());
const EXTRAS: Preload = || Box::pin(split::__wasm_split_preload_extras());

/// Fetches the page that is open, while it is not known yet who is there. It may not be shown to
/// somebody who never was here.
pub fn open_page() {
    if known_here()
        && let Ok(path) = window().location().pathname()
    {
        page(&path);
    }
}

/// Fetches the page at an address.
pub fn page(path: &str) {
    let mut words = path.trim_matches('/').split('/');
    let words = (words.next().unwrap_or_default(), words.next(), words.next());
    if let ("pipelines", Some(id), name) = words
        && id != "new"
    {
        tab(name.unwrap_or_default());
    }
    begin(match words {
        ("", ..) => || Box::pin(split::__wasm_split_preload_home()),
        ("settings", ..) => || Box::pin(split::__wasm_split_preload_settings()),
        ("dashboards", None, _) => || Box::pin(split::__wasm_split_preload_dashboards()),
        ("dashboards", Some(_), _) => || Box::pin(split::__wasm_split_preload_dashboard()),
        ("pipelines", None, _) => || Box::pin(split::__wasm_split_preload_pipelines()),
        ("pipelines", Some("new"), _) => || Box::pin(split::__wasm_split_preload_new_pipeline()),
        ("pipelines", Some(_), _) => || Box::pin(split::__wasm_split_preload_pipeline()),
        _ => return,
    });
}

/// Fetches a tab of a pipeline.
pub fn tab(name: &str) {
    if name == "transform" {
        // Its forms are wanted as soon as it is seen.
        begin(BENCH);
    }
    begin(match name {
        "source" => || Box::pin(split::__wasm_split_preload_source_tab()),
        "transform" => || Box::pin(split::__wasm_split_preload_transform_tab()),
        "sinks" => || Box::pin(split::__wasm_split_preload_sinks_tab()),
        "settings" => || Box::pin(split::__wasm_split_preload_settings_tab()),
        "errors" => || Box::pin(split::__wasm_split_preload_errors_tab()),
        "versions" => || Box::pin(split::__wasm_split_preload_versions_tab()),
        _ => || Box::pin(split::__wasm_split_preload_overview_tab()),
    });
}

/// Once there is time: all tabs of a pipeline.
pub fn tabs_when_idle() {
    when_idle(LOADED_AFTER, || {
        [
            "overview",
            "source",
            "transform",
            "sinks",
            "errors",
            "versions",
            "settings",
        ]
        .into_iter()
        .for_each(tab);
    });
}

/// Once there is time: the page of a dashboard, and what it is changed with.
pub fn dashboard_when_idle() {
    when_idle(LOADED_AFTER, || {
        page("/dashboards/…");
        begin(TOOLS);
    });
}

/// Once there is time: the page of a pipeline.
pub fn pipeline_when_idle() {
    when_idle(LOADED_AFTER, || page("/pipelines/…"));
}

/// Once there is time: what of the frame is seen only when it is asked for.
pub fn extras_when_idle() {
    when_idle(LOADED_AFTER, || begin(EXTRAS));
}

fn begin(preload: Preload) {
    spawn_local(async move {
        // When it fails, opening it tries again and says so.
        drop(preload().await);
    });
}

/// Calls a function once some time has passed and the browser is idle; not every browser says when
/// it is.
pub fn when_idle(soon: Duration, act: impl Fn() + Clone + 'static) {
    let then = move || {
        if request_idle_callback_with_handle(act.clone()).is_err() {
            act();
        }
    };
    set_timeout(then, soon);
}
