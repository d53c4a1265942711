//! Buttons, and links that look like them.

use leptos::prelude::*;

use super::{Icon, IconView};

/// How much a button asks for attention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonKind {
    /// One of several acts.
    #[default]
    Secondary,
    /// The act of the page; one per view.
    Primary,
    /// An act in the background.
    Ghost,
    /// Destroys something.
    Danger,
}

/// How big a button is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ButtonSize {
    /// In tables and toolbars.
    Small,
    /// Everywhere else.
    #[default]
    Medium,
    /// Alone at the end of a form.
    Large,
}

fn class(kind: ButtonKind, size: ButtonSize) -> String {
    let kind = match kind {
        ButtonKind::Secondary => "",
        ButtonKind::Primary => " primary",
        ButtonKind::Ghost => " ghost",
        ButtonKind::Danger => " danger",
    };
    let size = match size {
        ButtonSize::Small => " small",
        ButtonSize::Medium => "",
        ButtonSize::Large => " large",
    };
    format!("btn{kind}{size}")
}

/// A button. While `busy` it shows so and takes no clicks, and keeps its width.
#[component]
pub fn Button(
    /// How much it asks for attention.
    #[prop(optional)]
    kind: ButtonKind,
    /// How big it is.
    #[prop(optional)]
    size: ButtonSize,
    /// A picture before the words.
    #[prop(optional)]
    icon: Option<Icon>,
    /// Whether its act is under way.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// Whether it can be used.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// Whether it submits the form around it.
    #[prop(optional)]
    submit: bool,
    /// What it does.
    #[prop(optional, into)]
    on_click: Option<Callback<()>>,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
    /// The words.
    children: Children,
) -> impl IntoView {
    let click = move |_| {
        if let Some(on_click) = on_click
            && !busy.get_untracked()
        {
            on_click.run(());
        }
    };
    view! {
        <button
            type=if submit { "submit" } else { "button" }
            class=class(kind, size)
            class:busy=busy
            disabled=move || disabled.get() || busy.get()
            aria-busy=move || busy.get().then_some("true")
            data-testid=test_id
            on:click=click
        >
            {icon.map(|icon| view! { <IconView icon/> })}
            {children()}
        </button>
    }
}

/// A link that looks like a button.
#[component]
pub fn ButtonLink(
    /// Where it goes.
    #[prop(into)]
    href: Signal<String>,
    /// How much it asks for attention.
    #[prop(optional)]
    kind: ButtonKind,
    /// How big it is.
    #[prop(optional)]
    size: ButtonSize,
    /// A picture before the words.
    #[prop(optional)]
    icon: Option<Icon>,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
    /// The words.
    children: Children,
) -> impl IntoView {
    view! {
        <a class=class(kind, size) href=move || href.get() data-testid=test_id>
            {icon.map(|icon| view! { <IconView icon/> })}
            {children()}
        </a>
    }
}

/// A button that is a picture; its name is read out and shown when pointed at.
#[component]
pub fn IconButton(
    /// The picture.
    #[prop(into)]
    icon: Signal<Icon>,
    /// What it does, in words.
    #[prop(into)]
    label: Signal<String>,
    /// How much it asks for attention.
    #[prop(default = ButtonKind::Ghost)]
    kind: ButtonKind,
    /// How big it is.
    #[prop(optional)]
    size: ButtonSize,
    /// For a button that stays down: whether it is down.
    #[prop(optional, into)]
    pressed: Option<Signal<bool>>,
    /// Whether it can be used.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// What it does.
    #[prop(into)]
    on_click: Callback<()>,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
) -> impl IntoView {
    view! {
        <button
            type="button"
            class=format!("{} only-icon", class(kind, size))
            aria-label=move || label.get()
            title=move || label.get()
            aria-pressed=move || pressed.map(|pressed| pressed.get().to_string())
            disabled=disabled
            data-testid=test_id
            on:click=move |_| on_click.run(())
        >
            {move || view! { <IconView icon=icon.get()/> }}
        </button>
    }
}
