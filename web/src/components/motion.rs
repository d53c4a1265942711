//! Whether things may move, and the clock that movements are timed with.

use leptos::prelude::window;

/// Whether the reader has not asked for less motion.
pub fn is_wanted() -> bool {
    !matches!(
        window().match_media("(prefers-reduced-motion: reduce)"),
        Ok(Some(query)) if query.matches()
    )
}

/// Milliseconds since the page was opened; never goes back.
pub fn now_ms() -> f64 {
    window()
        .performance()
        .map_or_else(js_sys::Date::now, |performance| performance.now())
}
