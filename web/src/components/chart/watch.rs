//! What a chart has to know of its place on the page: how wide it is and whether it is seen.

use leptos::{html::Div, prelude::*};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{IntersectionObserver, IntersectionObserverEntry, ResizeObserver};

type Resized = Closure<dyn Fn()>;
type Seen = Closure<dyn Fn(js_sys::Array)>;

/// Keeps `width_px` and `is_seen` in step with the element for as long as the owner lives.
pub fn watch(place: NodeRef<Div>, width_px: RwSignal<f64>, is_seen: RwSignal<bool>) {
    let held = StoredValue::new_local(None::<(ResizeObserver, Resized)>);
    let seen_by = StoredValue::new_local(None::<(IntersectionObserver, Seen)>);
    Effect::new(move |_| {
        let Some(element) = place.get() else {
            return;
        };
        let resized = Resized::new(move || {
            if let Some(Some(element)) = place.try_get_untracked() {
                let now_px = f64::from(element.client_width());
                let then_px = width_px.try_get_untracked().unwrap_or(now_px);
                if (now_px - then_px).abs() >= 1.0 {
                    let _gone = width_px.try_set(now_px);
                }
            }
        });
        if let Ok(observer) = ResizeObserver::new(resized.as_ref().unchecked_ref()) {
            observer.observe(&element);
            held.set_value(Some((observer, resized)));
        }
        let seen = Seen::new(move |entries: js_sys::Array| {
            let newest = entries.pop().dyn_into::<IntersectionObserverEntry>();
            if let Ok(newest) = newest
                && is_seen.try_get_untracked() != Some(newest.is_intersecting())
            {
                let _gone = is_seen.try_set(newest.is_intersecting());
            }
        });
        if let Ok(observer) = IntersectionObserver::new(seen.as_ref().unchecked_ref()) {
            observer.observe(&element);
            seen_by.set_value(Some((observer, seen)));
        }
    });
    on_cleanup(move || {
        held.try_update_value(|held| {
            if let Some((observer, _)) = held.take() {
                observer.disconnect();
            }
        });
        seen_by.try_update_value(|seen_by| {
            if let Some((observer, _)) = seen_by.take() {
                observer.disconnect();
            }
        });
    });
}
