//! Times that stay true, and explanations on demand.

use leptos::prelude::*;

use super::unique_id;
use crate::{
    api::DateTime,
    format::{date_time, relative, use_clock},
};

/// How long ago something was; it ticks, and shows the exact time when pointed at.
#[component]
pub fn RelativeTime(
    /// The time, in milliseconds since 1970; none reads `never`.
    #[prop(into)]
    at_ms: Signal<Option<i64>>,
    /// What to say when there is no time.
    #[prop(default = "never")]
    otherwise: &'static str,
) -> impl IntoView {
    let clock = use_clock();
    move || {
        at_ms.get().map_or_else(
            || view! { <span class="faint">{otherwise}</span> }.into_any(),
            |at| {
                // Only the text moves with the clock, not the element.
                view! {
                    <time class="num" datetime=DateTime::from_ms(at).0 title=date_time(at)>
                        {move || relative(at, clock.now_ms())}
                    </time>
                }
                .into_any()
            },
        )
    }
}

/// A few words more about what is inside it, when pointed at or reached by keyboard.
#[component]
pub fn Tooltip(
    /// The words.
    #[prop(into)]
    text: Signal<String>,
    /// What they are about.
    children: Children,
) -> impl IntoView {
    let id = unique_id("tip");
    view! {
        <span class="tip" tabindex="0" aria-describedby=id.clone()>
            {children()}
            <span class="tip-text" role="tooltip" id=id.clone()>{move || text.get()}</span>
        </span>
    }
}
