//! Request headers as rows of name and value. Values that are saved are secrets: they are never
//! shown again, only replaced.

use leptos::prelude::*;

use super::{Button, ButtonKind, ButtonSize, Icon, IconButton, IconView, Input, bind};
use crate::api::FormErrors;

/// One header.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// What tells it apart from the other rows.
    pub key: usize,
    /// Its name.
    pub name: RwSignal<String>,
    /// What is typed as its value; none while a saved one is shown as set.
    pub value: RwSignal<Option<String>>,
    /// Whether a value is saved.
    pub is_saved: bool,
}

impl Header {
    /// The name and value to send, none for a row that is wholly empty; tracked. A saved value is
    /// replaced only by one that is typed.
    fn entered(self) -> Option<(String, Option<String>)> {
        let name = self.name.get().trim().to_owned();
        let typed = self.value.get();
        let value = typed.filter(|text| !(self.is_saved && text.is_empty()));
        let is_blank = name.is_empty() && value.as_ref().is_none_or(String::is_empty);
        (!is_blank).then_some((name, value))
    }
}

/// The headers that are being edited.
#[derive(Clone, Copy, Debug)]
pub struct HeaderDraft {
    /// The rows.
    pub rows: RwSignal<Vec<Header>>,
    next_key: StoredValue<usize>,
    /// Rows live as long as the draft, wherever they are added from.
    owner: StoredValue<Owner>,
}

impl HeaderDraft {
    /// No headers.
    pub fn new() -> Self {
        Self {
            rows: RwSignal::new(Vec::new()),
            next_key: StoredValue::new(0),
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
        }
    }

    /// Starts again from headers whose values are saved.
    pub fn load(self, names: &[String]) {
        let rows = names
            .iter()
            .map(|name| self.row(name.clone(), None, true))
            .collect();
        self.rows.set(rows);
    }

    /// Adds an empty row.
    pub fn add(self) {
        let row = self.row(String::new(), Some(String::new()), false);
        self.rows.update(|rows| rows.push(row));
    }

    /// The names and values to send, rows that are wholly empty left out; tracked.
    pub fn values(self) -> Vec<(String, Option<String>)> {
        let rows = self.rows.get();
        rows.into_iter().filter_map(Header::entered).collect()
    }

    /// The rows that are sent, in that order: errors count them.
    fn sent(self) -> Vec<Header> {
        let rows = self.rows.get_untracked();
        let is_sent = |row: &Header| untrack(|| row.entered()).is_some();
        rows.into_iter().filter(is_sent).collect()
    }

    /// Opens the input of every saved value that is asked for again; tracks the errors.
    fn open_refused(self, errors: FormErrors) {
        if !errors.any() {
            return;
        }
        // The one that is opened last gets the keyboard.
        for (index, row) in self.sent().into_iter().enumerate().rev() {
            let is_hidden = row.is_saved && row.value.with_untracked(Option::is_none);
            if is_hidden && errors.field(value_path(index)).with(Option::is_some) {
                row.value.set(Some(String::new()));
            }
        }
    }

    fn row(self, name: String, value: Option<String>, is_saved: bool) -> Header {
        let key = self.next_key.get_value();
        self.next_key.set_value(key + 1);
        self.owner.with_value(|owner| {
            owner.with(|| Header {
                key,
                name: RwSignal::new(name),
                value: RwSignal::new(value),
                is_saved,
            })
        })
    }
}

fn value_path(index: usize) -> String {
    format!("headers.{index}.value")
}

/// Edits headers; errors are looked up at `headers.INDEX.name` and `headers.INDEX.value`.
#[component]
pub fn HeaderEditor(
    /// The headers.
    draft: HeaderDraft,
    /// The errors of the form around it.
    errors: FormErrors,
) -> impl IntoView {
    Effect::new(move || draft.open_refused(errors));
    let row_view = move |row: Header| {
        let error = move || {
            if !errors.any() {
                return None;
            }
            draft.rows.track();
            let sent = draft.sent();
            let index = sent.iter().position(|other| other.key == row.key)?;
            let name = errors.field(format!("headers.{index}.name")).get();
            name.or_else(|| errors.field(value_path(index)).get())
        };
        let value_view = move || {
            if row.is_saved && row.value.with(Option::is_none) {
                return view! {
                    <span class="header-set">
                        <IconView icon=Icon::Key/>
                        "set"
                        <Button
                            kind=ButtonKind::Ghost
                            size=ButtonSize::Small
                            on_click=move || row.value.set(Some(String::new()))
                            test_id="header-replace"
                        >
                            "Replace"
                        </Button>
                    </span>
                }
                .into_any();
            }
            view! {
                <Input
                    value=Signal::derive(move || row.value.get().unwrap_or_default())
                    on_input=Callback::new(move |text| row.value.set(Some(text)))
                    label="Header value"
                    placeholder="Value"
                    mono=true
                    autofocus=row.is_saved
                    test_id="header-value"
                />
            }
            .into_any()
        };
        // Whether the value is set decides what is shown, not the text itself.
        let is_set = Memo::new(move |_| row.value.with(Option::is_none));
        let value_view = move || {
            is_set.track();
            untrack(value_view)
        };
        view! {
            <div class="header-row" data-testid="header-row">
                <Input value=row.name on_input=bind(row.name) label="Header name" placeholder="X-Api-Key" mono=true test_id="header-name"/>
                {value_view}
                <IconButton
                    icon=Icon::Close
                    label="Remove this header"
                    on_click=move || draft.rows.update(|rows| rows.retain(|other| other.key != row.key))
                />
                {move || error().map(|message| view! {
                    <p class="field-error"><IconView icon=Icon::Alert/><span>{message}</span></p>
                })}
            </div>
        }
        .into_any()
    };
    view! {
        <div class="field" role="group" aria-label="Headers">
            <span class="field-label">"Headers" <span class="faint">"optional"</span></span>
            <For each=move || draft.rows.get() key=|row| row.key children=row_view/>
            <div class="row">
                <Button size=ButtonSize::Small icon=Icon::Plus on_click=move || draft.add() test_id="add-header">
                    "Add a header"
                </Button>
                <span class="field-hint">"Values are encrypted and never shown again."</span>
            </div>
        </div>
    }
    .into_any()
}
