//! Not losing what is not saved: the browser asks before the window is closed, and a link that leads
//! away asks first.

use leptos::{ev, prelude::*};
use wasm_bindgen::{JsCast, closure::Closure};

/// Watches for as long as the current owner is there. A link that is clicked while something would
/// be lost is not followed; `ask` gets its address.
pub fn guard_leaving(is_dirty: Signal<bool>, ask: Callback<String>) {
    guard_window(is_dirty);
    guard_links(is_dirty, ask);
}

fn guard_window(is_dirty: Signal<bool>) {
    let listener = window_event_listener(ev::beforeunload, move |event| {
        if is_dirty.get_untracked() {
            event.prevent_default();
        }
    });
    on_cleanup(move || listener.remove());
}

fn guard_links(is_dirty: Signal<bool>, ask: Callback<String>) {
    let guard = Closure::<dyn Fn(web_sys::MouseEvent)>::new(move |event: web_sys::MouseEvent| {
        let opens_elsewhere = event.ctrl_key() || event.meta_key() || event.shift_key();
        if opens_elsewhere || !is_dirty.get_untracked() {
            return;
        }
        let link = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .and_then(|element| element.closest("a[href]").ok().flatten());
        if let Some(href) = link.and_then(|link| link.get_attribute("href"))
            && href.starts_with('/')
        {
            event.prevent_default();
            event.stop_propagation();
            ask.run(href);
        }
    });
    // In the capture phase: before the router sees the click.
    let body = document().body();
    if let Some(body) = &body {
        drop(body.add_event_listener_with_callback_and_bool(
            "click",
            guard.as_ref().unchecked_ref(),
            true,
        ));
    }
    let held = StoredValue::new_local(Some((body, guard)));
    on_cleanup(move || {
        let held = held.try_update_value(Option::take).flatten();
        if let Some((Some(body), guard)) = held {
            drop(body.remove_event_listener_with_callback_and_bool(
                "click",
                guard.as_ref().unchecked_ref(),
                true,
            ));
        }
    });
}
