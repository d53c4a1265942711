//! The parts of a page, each with an address of its own.

use leptos::prelude::*;

/// One part.
#[derive(Clone, Debug)]
pub struct Tab {
    /// Its word in the address, compared with `current`.
    pub key: &'static str,
    /// Its name.
    pub label: &'static str,
    /// Its address.
    pub href: String,
    /// How many of what it holds need attention; shown when above zero.
    pub alerts: Option<Signal<i64>>,
}

impl Tab {
    /// A tab.
    pub fn new(key: &'static str, label: &'static str, href: impl Into<String>) -> Self {
        Self {
            key,
            label,
            href: href.into(),
            alerts: None,
        }
    }

    /// The same tab with a count of what needs attention.
    #[must_use]
    pub fn alerts(mut self, count: Signal<i64>) -> Self {
        self.alerts = Some(count);
        self
    }
}

/// A row of tabs. They are links, so that each can be opened in a window of its own.
#[component]
pub fn Tabs(
    /// What they are the parts of.
    #[prop(into)]
    label: String,
    /// The tabs.
    tabs: Vec<Tab>,
    /// The key of the one that is seen.
    #[prop(into)]
    current: Signal<String>,
) -> impl IntoView {
    let links = tabs
        .into_iter()
        .map(|tab| {
            let on = move || current.with(|current| current == tab.key).then_some("page");
            let alerts = move || {
                let count = tab.alerts.map_or(0, |alerts| alerts.get());
                (count > 0).then(|| view! { <span class="tag bad num">{count}</span> })
            };
            let test_id = format!("tab-{}", tab.key);
            view! {
                <a href=tab.href aria-current=on data-noscroll="true" data-testid=test_id>
                    {tab.label}
                    {alerts}
                </a>
            }
        })
        .collect_view();
    view! { <nav class="tabs" aria-label=label>{links}</nav> }.into_any()
}
