//! Lists of rows: each a few inputs side by side, with what is wrong below it and a way to take it
//! away.

use leptos::prelude::*;
use serde_json::Value;

use super::Place;
use crate::components::{Button, ButtonSize, Icon, IconButton, IconView};

/// A list of rows.
pub struct Rows {
    /// Where the list is.
    pub at: &'static str,
    /// What a row is: “field”.
    pub noun: &'static str,
    /// The words above the columns.
    pub heads: &'static [&'static str],
    /// A new row.
    pub blank: fn() -> Value,
    /// The inputs of a row, given its place (`fields.0`) and its number from 1.
    pub inputs: fn(Place, String, usize) -> AnyView,
    /// The ends of the places whose problems are told below the row; empty for the row itself.
    pub told: &'static [&'static str],
    /// Whether the order matters.
    pub is_ordered: bool,
}

/// The rows, and a button for one more.
pub fn rows(place: Place, rows: Rows) -> AnyView {
    let Rows {
        at,
        noun,
        heads,
        blank,
        inputs,
        told,
        is_ordered,
    } = rows;
    let count = place.count(at);
    let error = place.error(at);
    let head = move || {
        let words = heads.iter().map(|words| view! { <span>{*words}</span> });
        words.collect_view()
    };
    let row = move |index: usize| {
        let own = format!("{at}.{index}");
        let errors: Vec<Signal<Option<String>>> = told
            .iter()
            .map(|end| match *end {
                "" => place.error(own.clone()),
                end => place.error(format!("{own}.{end}")),
            })
            .collect();
        let error = move || errors.iter().find_map(|error| error.get());
        let remove = move || {
            place.change_list(at, |list| {
                if index < list.len() {
                    list.remove(index);
                }
            });
        };
        let up = move || {
            place.change_list(at, |list| {
                if 0 < index && index < list.len() {
                    list.swap(index, index - 1);
                }
            });
        };
        view! {
            <li class="work-row" data-testid="step-row">
                <div class="work-cells">{inputs(place, own, index + 1)}</div>
                <div class="work-row-acts">
                    {(is_ordered && index > 0).then(|| view! {
                        <IconButton
                            icon=Icon::ArrowUp
                            size=ButtonSize::Small
                            label=format!("Move {noun} {} up", index + 1)
                            on_click=up
                        />
                    })}
                    <IconButton
                        icon=Icon::Close
                        size=ButtonSize::Small
                        label=format!("Remove {noun} {}", index + 1)
                        on_click=remove
                        test_id="row-remove"
                    />
                </div>
                {move || error().map(|message| view! {
                    <p class="field-error"><IconView icon=Icon::Alert/><span>{message}</span></p>
                })}
            </li>
        }
        .into_any()
    };
    let add = move || place.change_list(at, |list| list.push(blank()));
    view! {
        <div class="work-rows" style:--columns=heads.len().to_string()>
            <Show when=move || count.get() != 0>
                <div class="work-row-head" aria-hidden="true">{head}</div>
            </Show>
            <ol>
                <For each=move || 0..count.get() key=|index| *index children=row/>
            </ol>
            {move || error.get().map(|message| view! {
                <p class="field-error"><IconView icon=Icon::Alert/><span>{message}</span></p>
            })}
            <div class="row">
                <Button size=ButtonSize::Small icon=Icon::Plus on_click=add test_id="row-add">
                    {format!("Add a {noun}")}
                </Button>
            </div>
        </div>
    }
    .into_any()
}
