//! Choosing the columns of a table and their order.

use leptos::prelude::*;

use super::super::tiles::Definition;
use crate::components::{ButtonSize, Checkbox, Icon, IconButton};

/// A list of all fields: the chosen ones first, in the table's order.
#[component]
pub fn Columns(
    /// The widget.
    draft: RwSignal<Definition>,
    /// The paths of the pipeline's fields.
    fields: Memo<Vec<String>>,
) -> impl IntoView {
    let chosen = Memo::new(move |_| draft.with(|draft| draft.columns.clone()));
    let others = Memo::new(move |_| {
        let mut others = fields.get();
        chosen.with(|chosen| others.retain(|path| !chosen.contains(path)));
        others
    });
    let toggle = move |path: String, on: bool| {
        draft.update(|draft| {
            draft.columns.retain(|column| *column != path);
            if on {
                draft.columns.push(path);
            }
        });
    };
    let swap = move |path: &str, forwards: bool| {
        draft.update(|draft| {
            let Some(at) = draft.columns.iter().position(|column| column == path) else {
                return;
            };
            let other = if forwards { at + 1 } else { at.wrapping_sub(1) };
            if other < draft.columns.len() {
                draft.columns.swap(at, other);
            }
        });
    };
    let chosen_row = move |path: String| {
        let (shown, up, down) = (path.clone(), path.clone(), path.clone());
        let (is_first, is_last) = (path.clone(), path.clone());
        view! {
            <li class="columns-row">
                <Checkbox
                    checked=true
                    on_change=Callback::new(move |on| toggle(path.clone(), on))
                    label=shown
                />
                <span class="grow"></span>
                <IconButton
                    icon=Icon::ArrowUp
                    label="Earlier"
                    size=ButtonSize::Small
                    disabled=Signal::derive(move || {
                        chosen.with(|chosen| chosen.first() == Some(&is_first))
                    })
                    on_click=move || swap(&up, false)
                />
                <IconButton
                    icon=Icon::ArrowDown
                    label="Later"
                    size=ButtonSize::Small
                    disabled=Signal::derive(move || {
                        chosen.with(|chosen| chosen.last() == Some(&is_last))
                    })
                    on_click=move || swap(&down, true)
                />
            </li>
        }
    };
    let other_row = move |path: String| {
        let shown = path.clone();
        view! {
            <li class="columns-row">
                <Checkbox
                    checked=false
                    on_change=Callback::new(move |on| toggle(path.clone(), on))
                    label=shown
                />
            </li>
        }
    };
    view! {
        <fieldset class="columns">
            <legend class="editor-label">"Columns"</legend>
            <p class="field-hint">
                {move || {
                    if chosen.with(Vec::is_empty) {
                        "None chosen: all top-level fields are shown."
                    } else {
                        "In the order of the list."
                    }
                }}
            </p>
            <ul class="columns-list">
                <For each=move || chosen.get() key=Clone::clone children=chosen_row/>
                <For each=move || others.get() key=Clone::clone children=other_row/>
            </ul>
        </fieldset>
    }
}
