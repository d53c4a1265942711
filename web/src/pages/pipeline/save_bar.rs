//! The foot of a form with changes that are not saved yet.

use leptos::prelude::*;

use crate::components::{Button, ButtonKind, FormError};

/// Says that there are changes, and saves or discards them. Takes no room when there are none.
#[component]
pub fn SaveBar(
    /// Whether there are changes.
    #[prop(into)]
    is_dirty: Signal<bool>,
    /// Whether they are being saved.
    #[prop(into)]
    busy: Signal<bool>,
    /// What went wrong with the whole of it.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// Takes the changes back.
    #[prop(into)]
    on_discard: Callback<()>,
) -> impl IntoView {
    view! {
        <Show when=move || is_dirty.get()>
            <div class="save-bar" data-testid="save-bar">
                <FormError error/>
                <span class="small muted">"Changes that are not saved yet"</span>
                <Button on_click=move || on_discard.run(()) test_id="discard">"Discard"</Button>
                <Button kind=ButtonKind::Primary submit=true busy test_id="save">"Save changes"</Button>
            </div>
        </Show>
    }
}
