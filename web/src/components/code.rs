//! Code and other text to take away.

use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;

use super::{Button, ButtonKind, ButtonSize, Icon, use_toasts};

/// A button that puts text on the clipboard and says that it did.
#[component]
pub fn CopyButton(
    /// The text.
    #[prop(into)]
    text: Signal<String>,
    /// What is copied, in a word: `Copy` or `Copy URL`.
    #[prop(default = "Copy")]
    label: &'static str,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let toasts = use_toasts();
    let copy = move || {
        let written = window()
            .navigator()
            .clipboard()
            .write_text(&text.get_untracked());
        spawn_local(async move {
            if wasm_bindgen_futures::JsFuture::from(written).await.is_ok() {
                copied.set(true);
                set_timeout(
                    move || {
                        let _gone = copied.try_set(false);
                    },
                    Duration::from_secs(2),
                );
            } else {
                toasts.error("The browser did not allow copying. Select the text and copy it.");
            }
        });
    };
    view! {
        <Button
            kind=ButtonKind::Ghost
            size=ButtonSize::Small
            icon=Icon::Copy
            test_id=test_id.unwrap_or("copy")
            on_click=copy
        >
            <span aria-live="polite">{move || if copied.get() { "Copied" } else { label }}</span>
        </Button>
    }
}

/// A piece of code with a button that copies it.
#[component]
pub fn CodeBlock(
    /// The code.
    #[prop(into)]
    code: Signal<String>,
    /// What it is, for screen readers.
    #[prop(into)]
    label: String,
    /// Whether long lines are broken.
    #[prop(optional)]
    wrap: bool,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
) -> impl IntoView {
    view! {
        <div class="code" class:wrap=wrap role="region" aria-label=label>
            // The scrolling part takes the keyboard, so that it can be scrolled without a mouse.
            <pre tabindex="0" data-testid=test_id>
                <code>{move || code.get()}</code>
            </pre>
            <CopyButton text=code/>
        </div>
    }
}
