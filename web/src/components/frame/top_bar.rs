//! The bar above every page: where one is, the page's acts, search, theme, help and account.

use leptos::prelude::*;

use super::use_frame;
use crate::{
    components::{Icon, IconButton, IconView, Menu, MenuItem, MenuSeparator},
    format::uppercase,
    session::use_session,
    theme::use_theme,
};

/// The bar above every page.
#[component]
pub fn TopBar() -> impl IntoView {
    let (frame, theme) = (use_frame(), use_theme());
    let crumbs = move || {
        let crumbs = frame.head.get().map(|head| head.crumbs).unwrap_or_default();
        crumbs
            .into_iter()
            .map(|crumb| {
                view! {
                    <li><a href=crumb.href>{crumb.label}</a></li>
                }
            })
            .collect_view()
    };
    let actions = move || {
        let head = frame.head.get()?;
        let actions = head.actions?;
        Some(head.owner.with(|| actions()))
    };
    let theme_icon = Signal::derive(move || {
        if theme.is_dark() {
            Icon::Sun
        } else {
            Icon::Moon
        }
    });
    let theme_label = Signal::derive(move || {
        let other = if theme.is_dark() { "light" } else { "dark" };
        format!("Use the {other} theme")
    });
    view! {
        <header class="top">
            <nav class="crumbs" aria-label="Breadcrumb">
                <ol>
                    {crumbs}
                    <li aria-current="page"><h1 data-testid="page-title">{move || frame.title.get()}</h1></li>
                </ol>
            </nav>
            <span class="grow"></span>
            <div class="page-actions" data-testid="page-actions">{actions}</div>
            <button
                type="button"
                class="search"
                aria-label="Search or jump to"
                aria-keyshortcuts="Control+K Meta+K"
                data-testid="open-palette"
                on:click=move |_| frame.palette_open.set(true)
            >
                <IconView icon=Icon::Search/>
                <span class="search-text">"Search or jump to…"</span>
                <kbd>{shortcut_key()}</kbd>
            </button>
            <IconButton
                icon=theme_icon
                label=theme_label
                on_click=move || theme.toggle()
                test_id="toggle-theme"
            />
            <span class="hide-phone">
                <IconButton
                    icon=Icon::Help
                    label="Keyboard shortcuts"
                    on_click=move || frame.shortcuts_open.set(true)
                    test_id="open-shortcuts"
                />
            </span>
            <AccountMenu/>
        </header>
    }
}

/// How the shortcut of the palette is written on this machine.
fn shortcut_key() -> &'static str {
    let platform = window().navigator().platform().unwrap_or_default();
    if platform.starts_with("Mac") || platform.starts_with("iP") {
        "⌘K"
    } else {
        "Ctrl K"
    }
}

#[component]
fn AccountMenu() -> impl IntoView {
    let session = use_session();
    let user = move || session.viewer().map(|viewer| viewer.user);
    let initials = move || user().map(|user| initials(&user.name)).unwrap_or_default();
    let trigger = move || {
        view! {
            <span class="avatar" aria-hidden="true">{initials}</span>
            <span class="visually-hidden">"Account"</span>
        }
    };
    view! {
        <Menu label="Account" trigger test_id="account-menu">
            <div class="menu-head" role="presentation">
                <b data-testid="user-name">{move || user().map(|user| user.name)}</b>
                <span class="faint small">{move || user().map(|user| user.email)}</span>
            </div>
            <MenuSeparator/>
            <MenuItem icon=Icon::Settings href="/settings">"Settings"</MenuItem>
            <MenuItem icon=Icon::Code href="/graphiql" external=true>"API explorer"</MenuItem>
            <MenuSeparator/>
            <MenuItem icon=Icon::LogOut on_click=move || session.log_out() test_id="log-out">
                "Log out"
            </MenuItem>
        </Menu>
    }
}

/// The first letters of the first and the last name.
fn initials(name: &str) -> String {
    let mut words = name
        .split_whitespace()
        .filter_map(|word| word.chars().next());
    let first = words.next();
    let letters: String = first.into_iter().chain(words.next_back()).collect();
    uppercase(&letters)
}
