//! The table of what became of records: new, changed and wrong values are marked, what is gone is
//! struck through, and so are records that are left out. A line opens to the record as it came in.

use dash_shared::fields::shorten;
use leptos::prelude::*;
use serde_json::Value;

use super::changes::{Cell, Changes, Row};
use super::preview::RecordFate;
use crate::components::json_view::JsonView;
use crate::components::{Button, ButtonSize, Icon, IconView, Tag, Tone};

/// How many rows are shown at first, and how many more each time.
const ROWS: usize = 25;
/// Up to so many characters, what was there before stands beside what is there now.
const MAX_BESIDE: usize = 14;

/// The table.
#[component]
pub fn ChangesTable(
    /// What to show.
    changes: Memo<Option<Changes>>,
    /// What is said of a record that came through.
    through: &'static str,
) -> impl IntoView {
    let limit = RwSignal::new(ROWS);
    move || {
        let Some(Changes {
            columns,
            hidden_columns,
            rows,
        }) = changes.get()
        else {
            return ().into_any();
        };
        if rows.is_empty() {
            return ().into_any();
        }
        let span = columns.len() + 2;
        let left = rows.len().saturating_sub(limit.get());
        let head = columns
            .iter()
            .map(|column| view! { <th scope="col">{column.clone()}</th> })
            .collect_view();
        let labels = columns.clone();
        let lines = rows
            .into_iter()
            .take(limit.get())
            .map(|row| view! { <Line row labels=labels.clone() span through/> })
            .collect_view();
        view! {
            <div class="outcome-wrap work-table" tabindex="0" role="region" aria-label="Before and after">
                <table class="table outcome" data-testid="outcome">
                    <thead>
                        <tr>
                            <th scope="col">"Record"</th>
                            {head}
                            <th scope="col" class="outcome-open">
                                {(hidden_columns > 0).then(|| view! {
                                    <span class="faint">{format!("+{hidden_columns}")}</span>
                                })}
                            </th>
                        </tr>
                    </thead>
                    <tbody>{lines}</tbody>
                </table>
            </div>
            {(left > 0).then(|| view! {
                <Button size=ButtonSize::Small on_click=move || limit.update(|limit| *limit += ROWS)>
                    {format!("Show more ({left} left)")}
                </Button>
            })}
            <p class="tiny faint">
                <span class="legend changed"></span>"new or changed"
                <span class="legend gone"></span>"taken away"
                <span class="legend wrong"></span>"does not fit"
            </p>
        }
        .into_any()
    }
}

#[component]
fn Line(row: Row, labels: Vec<String>, span: usize, through: &'static str) -> impl IntoView {
    let open = RwSignal::new(false);
    let Row {
        fate,
        step,
        errors,
        cells,
        received,
    } = row;
    let by_step = |word: &str| match step {
        Some(step) if step > 0 => format!("{word} by step {step}"),
        _ => word.to_owned(),
    };
    let (tone, word) = match fate {
        RecordFate::Stored => (Tone::Ok, through.to_owned()),
        RecordFate::Dropped => (Tone::Neutral, by_step("left out")),
        RecordFate::Held => (Tone::Accent, by_step("kept")),
        RecordFate::Failed => (
            Tone::Bad,
            match step {
                Some(step) if step > 0 => format!("error in step {step}"),
                _ => "error".to_owned(),
            },
        ),
    };
    let reason = (!errors.is_empty()).then(|| {
        let text = errors.join("; ");
        view! { <span class="work-reason" title=text.clone()>{text.clone()}</span> }
    });
    let cells = labels
        .into_iter()
        .zip(cells)
        .map(|(label, cell)| cell_view(label, cell))
        .collect_view();
    let details = move || {
        open.get().then(|| {
            let (received, errors) = (received.clone(), errors.clone());
            let errors = errors
                .into_iter()
                .map(|error| view! { <p class="event-error small">{error}</p> })
                .collect_view();
            view! {
                <tr class="row-details">
                    <td colspan=span>
                        {errors}
                        <JsonView value=received label="The record as it came in"/>
                    </td>
                </tr>
            }
        })
    };
    view! {
        <tr
            class="opens"
            class:lost=fate == RecordFate::Failed
            class:left-out=fate == RecordFate::Dropped
            on:click=move |_| open.update(|open| *open = !*open)
        >
            <td data-label="Record" class="work-fate">
                <Tag tone test_id="outcome-state">{word}</Tag>
                {reason}
            </td>
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
        Cell::Added(value) => view! {
            <td class="changed" data-label=label title=title(&value)>
                <span class="visually-hidden">"new: "</span>
                {shorten(&value)}
            </td>
        }
        .into_any(),
        Cell::Changed(before, after) => {
            let old = shorten(&before);
            let beside = old.chars().count() <= MAX_BESIDE && !before.is_null();
            view! {
                <td class="changed" data-label=label title=format!("was {before}")>
                    {beside.then(|| view! { <del>{old}</del> " " })}
                    {shorten(&after)}
                </td>
            }
            .into_any()
        }
        Cell::Removed(value) => view! {
            <td class="gone" data-label=label title=title(&value)><del>{shorten(&value)}</del></td>
        }
        .into_any(),
        Cell::Wrong(value, message) => {
            let title = message.clone();
            view! {
                <td class="wrong" data-label=label title=title>
                    {shorten(&value)}
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
