//! A message about the whole page, with what to do about it.

use leptos::prelude::*;

use super::{Icon, IconView, Tone};

/// A line across the page: a fact, and an act if there is one.
#[component]
pub fn Banner(
    /// How serious it is.
    #[prop(optional)]
    tone: Tone,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
    /// The message, and buttons after it.
    children: Children,
) -> impl IntoView {
    let icon = match tone {
        Tone::Ok => Icon::Check,
        Tone::Warn | Tone::Bad => Icon::Alert,
        Tone::Neutral | Tone::Accent => Icon::Info,
    };
    let role = if tone == Tone::Bad { "alert" } else { "status" };
    view! {
        <div class=format!("banner {}", tone.class()) role=role data-testid=test_id>
            <IconView icon/>
            <div class="banner-text">{children()}</div>
        </div>
    }
}
