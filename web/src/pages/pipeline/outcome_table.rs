//! The table of what a transform makes of sample records: changed cells are marked, cells that
//! do not fit say why. A line opens to the record as it came in.

use leptos::prelude::*;
use serde_json::Value;

use dash_shared::fields::shorten;

use super::outcome::{Cell, Fate, Line, Preview};
use crate::components::json_view::JsonView;
use crate::components::{Icon, IconView, Tag, Tone};

/// The table.
#[component]
pub fn OutcomeTable(
    /// What to show.
    #[prop(into)]
    preview: Signal<Preview>,
    /// Whether only the records are of interest, not what became of them.
    #[prop(optional)]
    plain: bool,
) -> impl IntoView {
    move || {
        let Preview {
            columns,
            hidden_columns,
            lines,
        } = preview.get();
        let span = columns.len() + usize::from(!plain) + 1;
        let head = columns
            .iter()
            .map(|column| view! { <th scope="col">{column.clone()}</th> })
            .collect_view();
        let labels = columns.clone();
        let rows = lines
            .into_iter()
            .map(|line| view! { <OutcomeLine line labels=labels.clone() span plain/> })
            .collect_view();
        view! {
            <div class="outcome-wrap" tabindex="0" role="region" aria-label="Preview">
                <table class="table outcome" data-testid="outcome">
                    <thead>
                        <tr>
                            {(!plain).then(|| view! { <th scope="col">"Record"</th> })}
                            {head}
                            <th scope="col" class="outcome-open">
                                {(hidden_columns > 0).then(|| view! { <span class="faint">{format!("+{hidden_columns}")}</span> })}
                            </th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
    }
}

#[component]
fn OutcomeLine(line: Line, labels: Vec<String>, span: usize, plain: bool) -> impl IntoView {
    let open = RwSignal::new(false);
    let Line {
        received,
        fate,
        cells,
    } = line;
    let lost = fate != Fate::Stored;
    let (tone, word, message) = match fate {
        Fate::Stored => (Tone::Ok, "stored", None),
        Fate::Dropped => (Tone::Warn, "left out", None),
        Fate::Failed(message) => (Tone::Bad, "error", Some(message)),
    };
    let cells = labels
        .into_iter()
        .zip(cells)
        .map(|(label, cell)| cell_view(label, cell))
        .collect_view();
    let details = move || {
        open.get().then(|| {
            let (received, message) = (received.clone(), message.clone());
            view! {
                <tr class="row-details">
                    <td colspan=span>
                        {message.map(|message| view! { <p class="event-error small">{message}</p> })}
                        <JsonView value=received label="The record as it came in"/>
                    </td>
                </tr>
            }
        })
    };
    view! {
        <tr class="opens" class:lost=lost on:click=move |_| open.update(|open| *open = !*open)>
            {(!plain).then(|| view! {
                <td data-label="Record"><Tag tone test_id="outcome-state">{word}</Tag></td>
            })}
            {cells}
            <td class="outcome-open">
                <button
                    type="button"
                    class="row-toggle"
                    class:open=open
                    aria-expanded=move || open.get().to_string()
                    aria-label="Show the record as it came in"
                >
                    <IconView icon=Icon::ChevronRight/>
                </button>
            </td>
        </tr>
        {details}
    }
    .into_any()
}

fn cell_view(label: String, cell: Cell) -> AnyView {
    match cell {
        Cell::Missing => view! { <td class="faint" data-label=label>"–"</td> }.into_any(),
        Cell::Same(value) => view! {
            <td class:num=value.is_number() data-label=label title=title(&value)>{shorten(&value)}</td>
        }
        .into_any(),
        Cell::Changed { before, after } => view! {
            <td class="changed" data-label=label title=format!("was {before}")>{shorten(&after)}</td>
        }
        .into_any(),
        Cell::Wrong { before, message } => {
            let title = message.clone();
            view! {
                <td class="wrong" data-label=label title=title>
                    {shorten(&before)}
                    <span class="visually-hidden">": "{message}</span>
                </td>
            }
            .into_any()
        }
    }
}

fn title(value: &Value) -> Option<String> {
    let text = value.to_string();
    (text.len() > 24).then_some(text)
}
