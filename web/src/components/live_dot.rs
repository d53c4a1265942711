//! Whether what is seen is live, quietly.

use leptos::prelude::*;

use crate::{
    format::{relative, use_clock},
    live::{self, LiveState},
};

/// A dot and the age of the newest record; or that the connection is being made again.
#[component]
pub fn LiveDot(
    /// When the newest record came, in milliseconds since 1970.
    #[prop(optional, into)]
    last_at_ms: Signal<Option<i64>>,
    /// The word when all is well.
    #[prop(default = "Live")]
    word: &'static str,
) -> impl IntoView {
    let clock = use_clock();
    let text = move || match live::state() {
        LiveState::Connecting | LiveState::Idle => "Connecting…".to_owned(),
        LiveState::Reconnecting => "Reconnecting…".to_owned(),
        LiveState::Live => last_at_ms.get().map_or_else(
            || word.to_owned(),
            |at| format!("{word} · {}", relative(at, clock.now_ms())),
        ),
    };
    let class = move || match live::state() {
        LiveState::Live => "live on",
        LiveState::Reconnecting => "live lost",
        LiveState::Connecting | LiveState::Idle => "live",
    };
    // Only the change of the state is announced, not every second's age.
    let announced = Memo::new(move |_| live::state() == LiveState::Reconnecting);
    view! {
        <span class=class data-testid="live-state">
            <span class="live-dot" aria-hidden="true"></span>
            <span class="num">{text}</span>
            <span class="visually-hidden" role="status">
                {move || announced.get().then_some("Connection lost, reconnecting")}
            </span>
        </span>
    }
}
