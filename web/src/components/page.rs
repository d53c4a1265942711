//! What every page tells the frame: its title, the way to it, and its acts in the top bar.

use leptos::prelude::*;

use super::frame::use_frame;

/// One step of the way to a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crumb {
    /// The page's name.
    pub label: String,
    /// Its address.
    pub href: String,
}

impl Crumb {
    /// A step.
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            href: href.into(),
        }
    }
}

/// Names the page in the top bar, in the window's title and for screen readers. What is inside
/// it appears at the end of the top bar.
#[component]
pub fn PageHead(
    /// The page's name.
    #[prop(into)]
    title: Signal<String>,
    /// The way to it.
    #[prop(optional)]
    crumbs: Vec<Crumb>,
    /// The page's acts.
    #[prop(optional)]
    children: Option<ChildrenFn>,
) -> impl IntoView {
    use_frame().show(title, crumbs, children);
}

/// A surface with content on it.
#[component]
pub fn Card(
    /// Further classes.
    #[prop(optional)]
    class: &'static str,
    /// What it is about.
    #[prop(optional, into)]
    title: Option<String>,
    /// What stands at the end of its head.
    #[prop(optional, into)]
    actions: Option<ViewFn>,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
    /// What is on it.
    children: Children,
) -> impl IntoView {
    let head = title.map(|title| {
        view! {
            <header class="card-head">
                <h2>{title}</h2>
                {actions.map(|actions| view! { <div class="row end">{actions.run()}</div> })}
            </header>
        }
    });
    view! {
        <section class=format!("card {class}") data-testid=test_id>
            {head}
            {children()}
        </section>
    }
}
