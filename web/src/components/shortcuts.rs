//! The keyboard shortcuts of the whole app, and the dialog that lists them.

use std::cell::Cell;

use leptos::{ev, prelude::*};
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;

use super::{
    Dialog, DialogSize,
    frame::{FrameContext, use_frame},
};
use crate::format::now_ms;

/// After `g`, the second key must follow within this time.
const SEQUENCE_MS: i64 = 1_500;

/// What the dialog lists: keys, and what they do.
const LIST: [(&str, &str); 7] = [
    ("Ctrl K", "Search, or jump to anything"),
    ("g h", "Go to Home"),
    ("g d", "Go to Dashboards"),
    ("g p", "Go to Pipelines"),
    ("g s", "Go to Settings"),
    ("?", "Show these shortcuts"),
    ("Esc", "Close what is open"),
];

/// Listens to the keyboard for as long as the frame is there.
pub fn listen(frame: FrameContext) {
    let navigate = use_navigate();
    let started_at_ms = Cell::new(0);
    let listener = window_event_listener(ev::keydown, move |event| {
        let key = event.key();
        if (event.ctrl_key() || event.meta_key()) && key.eq_ignore_ascii_case("k") {
            event.prevent_default();
            frame.palette_open.update(|open| *open = !*open);
            return;
        }
        if event.ctrl_key() || event.meta_key() || event.alt_key() || is_typing(&event) {
            return;
        }
        let in_sequence = now_ms() - started_at_ms.replace(0) < SEQUENCE_MS;
        let target = match (in_sequence, key.as_str()) {
            (false, "g") => {
                started_at_ms.set(now_ms());
                return;
            }
            (false, "?") => {
                frame.shortcuts_open.set(true);
                return;
            }
            (true, "h") => "/",
            (true, "d") => "/dashboards",
            (true, "p") => "/pipelines",
            (true, "s") => "/settings",
            _ => return,
        };
        event.prevent_default();
        navigate(target, leptos_router::NavigateOptions::default());
    });
    on_cleanup(move || listener.remove());
}

/// Whether the key is meant for a field, or a dialog is open.
fn is_typing(event: &web_sys::KeyboardEvent) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok());
    let in_field = target.is_some_and(|target| {
        matches!(target.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
            || target.is_content_editable()
    });
    in_field || matches!(document().query_selector("dialog[open]"), Ok(Some(_)))
}

/// Lists the shortcuts.
#[component]
pub fn ShortcutsDialog() -> impl IntoView {
    let open = use_frame().shortcuts_open;
    let rows = || {
        LIST.map(|(keys, text)| {
            let keys = keys
                .split(' ')
                .map(|key| view! { <kbd>{key}</kbd> })
                .collect_view();
            view! { <div class="shortcut"><dt>{text}</dt><dd>{keys}</dd></div> }
        })
        .collect_view()
    };
    view! {
        <Dialog
            open=open
            on_close=move || open.set(false)
            title="Keyboard shortcuts"
            size=DialogSize::Small
            test_id="shortcuts"
        >
            <dl class="shortcuts">{rows()}</dl>
        </Dialog>
    }
}
