//! The newest records as a table: each column written as suits its type, new rows fading in. On
//! phones the rows become cards.

mod cell;

use dash_shared::fields::FieldType;
use leptos::{ev::KeyboardEvent, prelude::*};
use serde_json::{Map, Value};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// When more records than this come in a minute, they appear without fading in.
const MAX_FADES: i32 = 120;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The path of its field.
    pub field: String,
    /// Its heading.
    pub label: String,
    /// What it holds.
    pub field_type: FieldType,
}

/// A record.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The record's global id.
    pub id: String,
    /// The record's time, in milliseconds since 1970.
    pub time_ms: i64,
    /// One value for each column.
    pub cells: Vec<Value>,
}

/// What a table shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    /// The columns.
    pub columns: Vec<Column>,
    /// The records, the newest first.
    pub rows: Vec<Row>,
    /// How many come in.
    pub per_minute: i32,
}

/// A record that a person wants to see whole.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenedRow {
    /// The record's global id.
    pub id: String,
    /// The fields that the table shows of it.
    pub fields: Map<String, Value>,
}

/// Shows records; `on_open` is called with the one that is clicked.
#[component]
pub fn RecordTable(
    /// What is shown.
    #[prop(into)]
    records: Signal<Records>,
    /// What the table is about.
    #[prop(into)]
    title: Signal<String>,
    /// Called with the row that a person wants to see whole.
    #[prop(into)]
    on_open: Callback<OpenedRow>,
) -> impl IntoView {
    let columns = Memo::new(move |_| records.with(|records| records.columns.clone()));
    let shows_time = Memo::new(move |_| {
        columns.with(|columns| {
            !columns
                .iter()
                .any(|column| column.field_type == FieldType::Time)
        })
    });
    // Rows that were there from the start do not fade in.
    let is_settled = RwSignal::new(false);
    set_timeout(
        move || {
            let _gone = is_settled.try_set(true);
        },
        std::time::Duration::from_millis(400),
    );
    let is_calm = Memo::new(move |_| records.with(|records| records.per_minute <= MAX_FADES));
    let head = move || {
        columns.with(|columns| {
            let cell = |column: &Column| {
                let class = cell::class_of(column);
                view! { <th scope="col" class=class title=column.field.clone()>{column.label.clone()}</th> }
            };
            columns.iter().map(cell).collect_view()
        })
    };
    // Figures below each other have the same number of decimals.
    let decimals = Memo::new(move |_| {
        records.with(|records| {
            let column = |index| {
                records
                    .rows
                    .iter()
                    .filter_map(move |row| row.cells.get(index))
            };
            (0..records.columns.len())
                .map(|index| cell::decimals_of(column(index)))
                .collect::<Vec<_>>()
        })
    });
    // Other columns make other rows of the same records.
    let body = move || {
        let columns = StoredValue::new(columns.get().into_iter().zip(decimals.get()).collect());
        let shows_time = shows_time.get();
        view! {
            <ForEnumerate
                each=move || records.with(|records| records.rows.clone())
                key=|row| row.id.clone()
                children=move |index, row| {
                    view! { <RecordRow index row columns shows_time on_open /> }
                }
            />
        }
    };
    view! {
        <div class="records" role="region" aria-label=title tabindex="0">
            <table class="records-table" class:is-settled=move || is_settled.get() && is_calm.get()>
                <thead>
                    <tr>
                        {head}
                        <Show when=move || shows_time.get()>
                            <th scope="col" class="is-end">"When"</th>
                        </Show>
                    </tr>
                </thead>
                <tbody on:keydown=walk>{body}</tbody>
            </table>
        </div>
    }
}

#[component]
fn RecordRow(
    index: ReadSignal<usize>,
    row: Row,
    columns: StoredValue<Vec<(Column, u8)>>,
    shows_time: bool,
    on_open: Callback<OpenedRow>,
) -> impl IntoView {
    let cells = columns.with_value(|columns| {
        columns
            .iter()
            .zip(&row.cells)
            .map(|((column, decimals), value)| {
                view! {
                    <td class=cell::class_of(column) data-label=column.label.clone()>
                        {cell::view_of(column, *decimals, value)}
                    </td>
                }
            })
            .collect_view()
    });
    let time_ms = row.time_ms;
    let opened = columns.with_value(|columns| OpenedRow {
        id: row.id.clone(),
        fields: columns
            .iter()
            .map(|(column, _)| column.field.clone())
            .zip(row.cells.iter().cloned())
            .collect(),
    });
    let open = move || on_open.run(opened.clone());
    let open_by_key = open.clone();
    view! {
        <tr
            class="records-row"
            data-testid="record-row"
            tabindex=move || if index.get() == 0 { 0 } else { -1 }
            on:click=move |_| open()
            on:keydown=move |event: KeyboardEvent| {
                if matches!(event.key().as_str(), "Enter" | " ") {
                    event.prevent_default();
                    open_by_key();
                }
            }
        >
            {cells}
            {shows_time.then(|| view! {
                <td class="is-end" data-label="When">{cell::age(time_ms)}</td>
            })}
        </tr>
    }
}

/// The arrow keys go from row to row; only the first is a stop of the Tab key.
fn walk(event: KeyboardEvent) {
    let row = event
        .target()
        .and_then(|target| target.dyn_into::<HtmlElement>().ok());
    let next = row.and_then(|row| match event.key().as_str() {
        "ArrowDown" => row.next_element_sibling(),
        "ArrowUp" => row.previous_element_sibling(),
        _ => None,
    });
    if let Some(next) = next.and_then(|next| next.dyn_into::<HtmlElement>().ok()) {
        event.prevent_default();
        drop(next.focus());
    }
}
