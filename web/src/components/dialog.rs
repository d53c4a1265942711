//! Dialogs and drawers, built on the browser's own modal `<dialog>`: it keeps the keyboard
//! inside, closes on Esc, hides the rest of the page from screen readers and gives the keyboard
//! back to where it was.

use leptos::{html, prelude::*};

use super::{Icon, IconButton, unique_id};

/// How wide a dialog may become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DialogSize {
    /// A question.
    Small,
    /// A form.
    #[default]
    Medium,
    /// A table or a preview.
    Large,
}

/// A dialog in the middle of the page. Its content exists only while it is open.
#[component]
pub fn Dialog(
    /// Whether it is open.
    #[prop(into)]
    open: Signal<bool>,
    /// Called when it wants to be closed: Esc, the cross, a click beside it.
    #[prop(into)]
    on_close: Callback<()>,
    /// What it is about.
    #[prop(into)]
    title: Signal<String>,
    /// How wide it may become.
    #[prop(optional)]
    size: DialogSize,
    /// Buttons at its foot.
    #[prop(optional, into)]
    footer: Option<ViewFn>,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
    /// What is in it.
    children: ChildrenFn,
) -> impl IntoView {
    let class = match size {
        DialogSize::Small => "dialog narrow",
        DialogSize::Medium => "dialog",
        DialogSize::Large => "dialog wide",
    };
    modal(class, open, on_close, title, footer, test_id, children)
}

/// A dialog along the right edge, for what belongs to the page beside it.
#[component]
pub fn Drawer(
    /// Whether it is open.
    #[prop(into)]
    open: Signal<bool>,
    /// Called when it wants to be closed.
    #[prop(into)]
    on_close: Callback<()>,
    /// What it is about.
    #[prop(into)]
    title: Signal<String>,
    /// Buttons at its foot.
    #[prop(optional, into)]
    footer: Option<ViewFn>,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
    /// What is in it.
    children: ChildrenFn,
) -> impl IntoView {
    modal(
        "dialog drawer",
        open,
        on_close,
        title,
        footer,
        test_id,
        children,
    )
}

fn modal(
    class: &'static str,
    open: Signal<bool>,
    on_close: Callback<()>,
    title: Signal<String>,
    footer: Option<ViewFn>,
    test_id: Option<&'static str>,
    children: ChildrenFn,
) -> AnyView {
    let node = NodeRef::<html::Dialog>::new();
    follow_open(node, open);
    let title_id = unique_id("dialog");
    let content = {
        let title_id = title_id.clone();
        move || {
            view! {
                <header class="dialog-head">
                    <h2 id=title_id.clone()>{move || title.get()}</h2>
                    <IconButton icon=Icon::Close label="Close" on_click=move || on_close.run(())/>
                </header>
                <div class="dialog-body">{children()}</div>
                {footer
                    .as_ref()
                    .map(|footer| view! { <footer class="dialog-foot">{footer.run()}</footer> })}
            }
        }
    };
    view! {
        <dialog
            node_ref=node
            class=class
            aria-labelledby=title_id
            data-testid=test_id
            on:cancel=move |event: web_sys::Event| {
                event.prevent_default();
                on_close.run(());
            }
            on:click=move |event| {
                if is_backdrop(&event) {
                    on_close.run(());
                }
            }
        >
            <Show when=move || open.get()>{content.clone()}</Show>
        </dialog>
    }
    .into_any()
}

/// Shows or closes a `<dialog>` element as its signal says.
pub fn follow_open(node: NodeRef<html::Dialog>, open: Signal<bool>) {
    Effect::new(move || {
        let (Some(dialog), open) = (node.get(), open.get()) else {
            return;
        };
        if open && !dialog.open() {
            drop(dialog.show_modal());
        } else if !open && dialog.open() {
            dialog.close();
        }
    });
}

/// Whether a click hit the dialog's backdrop: the element itself, and nothing in it.
pub fn is_backdrop(event: &web_sys::MouseEvent) -> bool {
    event.target().is_some() && event.target() == event.current_target()
}
