//! Asking before something is destroyed.

use leptos::prelude::*;

use super::{Button, ButtonKind, Dialog, DialogSize, Field, Input, bind};

/// A question before something is destroyed. Where much is lost, the name must be typed.
#[component]
pub fn ConfirmDialog(
    /// Whether it is open.
    #[prop(into)]
    open: Signal<bool>,
    /// Called when it wants to be closed.
    #[prop(into)]
    on_close: Callback<()>,
    /// The question: `Delete “Shop orders”?`
    #[prop(into)]
    title: Signal<String>,
    /// What will be lost, in a sentence.
    #[prop(into)]
    message: Signal<String>,
    /// The word on the button: `Delete pipeline`.
    #[prop(into)]
    confirm: Signal<String>,
    /// What must be typed first.
    #[prop(optional, into)]
    typed_name: Option<Signal<String>>,
    /// Whether the act is under way.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// The act.
    #[prop(into)]
    on_confirm: Callback<()>,
) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    Effect::new(move || {
        if !open.get() {
            typed.set(String::new());
        }
    });
    let ready = Signal::derive(move || {
        typed_name.is_none_or(|name| typed.with(|typed| typed.trim() == name.get().trim()))
    });
    let go = move || {
        if ready.get_untracked() && !busy.get_untracked() {
            on_confirm.run(());
        }
    };
    let footer = move || {
        view! {
            <Button test_id="confirm-cancel" on_click=move || on_close.run(())>"Cancel"</Button>
            <Button
                kind=ButtonKind::Danger
                busy=busy
                disabled=Signal::derive(move || !ready.get())
                test_id="confirm-go"
                on_click=go
            >
                {move || confirm.get()}
            </Button>
        }
    };
    let label = move || {
        typed_name.map_or_else(String::new, |name| {
            format!("Type “{}” to confirm", name.get())
        })
    };
    view! {
        <Dialog open on_close title size=DialogSize::Small footer test_id="confirm">
            <form
                class="stack"
                on:submit=move |event| {
                    event.prevent_default();
                    go();
                }
            >
                <p class="muted">{move || message.get()}</p>
                {typed_name.map(|_| view! {
                    <Field label=Signal::derive(label)>
                        <Input value=typed on_input=bind(typed) autofocus=true test_id="confirm-name"/>
                    </Field>
                })}
            </form>
        </Dialog>
    }
}
