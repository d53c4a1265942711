//! The web client of Dash: a single-page app compiled to WebAssembly.
//!
//! It talks to the API over `/graphql` and one socket at `/graphql/ws`, and knows nothing of the
//! server but its schema.

mod api;
mod app;
mod components;
mod crash;
mod format;
mod live;
mod pages;
mod parts;
mod session;
mod theme;

use leptos::mount::mount_to_body;

/// Takes the static skeleton of `index.html` away and puts the app in its place.
fn main() {
    crash::tell();
    if let Some(skeleton) = leptos::prelude::document().get_element_by_id("boot") {
        skeleton.remove();
    }
    mount_to_body(app::App);
    parts::prefetch::open_page();
}
