//! Every component in one place, to look at and to test.

use leptos::prelude::*;

use crate::components::frame::set_window_title;

/// The style guide.
#[component]
pub fn StyleguidePage() -> impl IntoView {
    set_window_title("Style guide");
    view! { <main class="page"><h1>"Style guide"</h1></main> }
}
