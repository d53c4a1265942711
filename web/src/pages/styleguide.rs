//! Every component in one place, in the theme one chooses: to look at, and to test. Nothing here
//! talks to the API.

mod parts;

use leptos::prelude::*;

use crate::{
    components::{Choice, Icon, IconView, Segmented, frame::set_window_title},
    theme::{ThemeChoice, use_theme},
};

const COLOURS: [&str; 26] = [
    "bg",
    "surface",
    "surface-2",
    "surface-3",
    "line",
    "line-strong",
    "edge",
    "ink",
    "ink-2",
    "ink-3",
    "accent",
    "accent-soft",
    "accent-text",
    "ok",
    "ok-soft",
    "warn",
    "bad",
    "bad-soft",
    "c1",
    "c2",
    "c3",
    "c4",
    "c5",
    "c6",
    "c7",
    "c8",
];

/// The style guide.
#[component]
pub fn StyleguidePage() -> impl IntoView {
    set_window_title("Style guide");
    let theme = use_theme();
    let choices = vec![
        Choice::new("system", "System").icon(Icon::Monitor),
        Choice::new("light", "Light").icon(Icon::Sun),
        Choice::new("dark", "Dark").icon(Icon::Moon),
    ];
    let value = Signal::derive(move || theme.choice().as_str().to_owned());
    let choose = Callback::new(move |word: String| theme.choose(ThemeChoice::parse(&word)));
    view! {
        <main class="guide" data-testid="styleguide">
            <header class="guide-head">
                <div>
                    <h1 class="display">"Style guide"</h1>
                    <p class="muted">"The building blocks of Dash. "<a class="link" href="/">"Back to the app"</a></p>
                </div>
                <Segmented label="Theme" choices value on_change=choose/>
            </header>
            <Part title="Type"><Type/></Part>
            <Part title="Colours"><Colours/></Part>
            <Part title="Buttons"><parts::Buttons/></Part>
            <Part title="Fields"><parts::Fields/></Part>
            <Part title="Choices"><parts::Choices/></Part>
            <Part title="Tags, states, meters"><parts::States/></Part>
            <Part title="Messages"><parts::Messages/></Part>
            <Part title="Dialogs and menus"><parts::Overlays/></Part>
            <Part title="Tables and code"><parts::Data/></Part>
            <Part title="In place of content"><parts::Placeholders/></Part>
            <Part title="Icons"><Icons/></Part>
        </main>
    }
}

/// A titled section.
#[component]
fn Part(title: &'static str, children: Children) -> impl IntoView {
    view! { <section class="guide-part"><h2>{title}</h2>{children()}</section> }
}

#[component]
fn Type() -> impl IntoView {
    view! {
        <div class="stack">
            <p class="display">"28 · Put your first number on the wall"</p>
            <p class="headline">"20 · Shop orders"</p>
            <h2>"16 · Receive a webhook"</h2>
            <p>"14 · Pick how data comes in. You will see it move in under a minute."</p>
            <p class="small muted">"13 · 38 records a minute, version 6"</p>
            <p class="tiny faint num">"12 · 0123456789 are as wide as one another"</p>
            <p><code>"ord_9F2K {\"total\": 184.2}"</code></p>
        </div>
    }
}

#[component]
fn Colours() -> impl IntoView {
    let swatches = COLOURS
        .map(|name| {
            view! {
                <div class="guide-swatch">
                    <span style:--swatch=format!("var(--{name})")></span>
                    {name}
                </div>
            }
        })
        .collect_view();
    view! { <div class="guide-swatches">{swatches}</div> }
}

#[component]
fn Icons() -> impl IntoView {
    let icons = Icon::ALL
        .map(|icon| view! { <div><IconView icon/>{format!("{icon:?}")}</div> })
        .collect_view();
    view! { <div class="guide-icons">{icons}</div> }
}
