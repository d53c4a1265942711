//! Simple tables, which become cards on a phone when their cells carry `data-label`.

use leptos::prelude::*;

use super::Button;
use crate::format::count;

/// The head of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub label: String,
    /// Whether it holds numbers, which stand at the right.
    pub numeric: bool,
}

impl Column {
    /// A column of words.
    pub fn text(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            numeric: false,
        }
    }

    /// A column of numbers.
    pub fn number(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            numeric: true,
        }
    }
}

/// A table; its children are the rows (`<tr>`). Cells of numbers have the class `r`.
#[component]
pub fn Table(
    /// What it lists, for screen readers.
    #[prop(into)]
    label: String,
    /// The columns.
    #[prop(into)]
    columns: Signal<Vec<Column>>,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
    /// The rows.
    children: Children,
) -> impl IntoView {
    let head = move || {
        columns
            .get()
            .into_iter()
            .map(|column| {
                view! { <th scope="col" class:r=column.numeric>{column.label}</th> }
            })
            .collect_view()
    };
    view! {
        <div class="table-wrap">
            <table class="table" data-testid=test_id>
                <caption class="visually-hidden">{label}</caption>
                <thead><tr>{head}</tr></thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// How much of a list is seen, and a button for more of it.
#[component]
pub fn LoadMore(
    /// How many are seen.
    #[prop(into)]
    shown: Signal<i64>,
    /// How many there are.
    #[prop(into)]
    total: Signal<i64>,
    /// Whether there are more.
    #[prop(into)]
    has_more: Signal<bool>,
    /// Whether more is being loaded.
    #[prop(into)]
    busy: Signal<bool>,
    /// Loads more.
    #[prop(into)]
    on_more: Callback<()>,
) -> impl IntoView {
    let text = move || format!("{} of {}", count(shown.get()), count(total.get()));
    view! {
        <div class="load-more">
            <span class="faint small num">{text}</span>
            <Show when=move || has_more.get()>
                <Button busy=busy on_click=move || on_more.run(()) test_id="load-more">"Load more"</Button>
            </Show>
        </div>
    }
}
