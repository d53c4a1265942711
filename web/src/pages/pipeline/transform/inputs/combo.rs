//! The list of suggestions under an input: moved through with the arrow keys, taken with Enter or a
//! tap. The input keeps the keyboard all the time.

use leptos::{ev::KeyboardEvent, prelude::*};

use crate::components::unique_id;

/// Something to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What is taken.
    pub value: String,
    /// What is seen.
    pub label: String,
    /// What is said beside it.
    pub detail: String,
}

/// The suggestions of one input.
#[derive(Clone, Copy)]
pub struct Suggestions {
    /// What is suggested; empty when the list is closed.
    pub list: RwSignal<Vec<Suggestion>>,
    /// The place of the one that Enter takes.
    pub at: RwSignal<usize>,
    id: StoredValue<String>,
}

impl Suggestions {
    /// A closed list.
    pub fn new() -> Self {
        Self {
            list: RwSignal::default(),
            at: RwSignal::new(0),
            id: StoredValue::new(unique_id("suggestions")),
        }
    }

    /// Opens the list, or closes it when there is nothing to suggest.
    pub fn open(self, list: Vec<Suggestion>) {
        self.at.set(0);
        if self.list.with_untracked(|known| *known != list) {
            self.list.set(list);
        }
    }

    /// Closes the list.
    pub fn close(self) {
        self.open(Vec::new());
    }

    /// Whether the list is open; tracked.
    pub fn is_open(self) -> bool {
        self.list.with(|list| !list.is_empty())
    }

    /// The id of the list.
    pub fn id(self) -> String {
        self.id.get_value()
    }

    /// The id of the one that Enter takes, while the list is open; tracked.
    pub fn active_id(self) -> Option<String> {
        self.is_open()
            .then(|| format!("{}-{}", self.id(), self.at.get()))
    }

    /// What a key does to the list. Returns what is taken; the event is over when it meant the list.
    pub fn on_key(self, event: &KeyboardEvent) -> Option<Suggestion> {
        let count = self.list.with_untracked(Vec::len);
        if count == 0 || event.alt_key() || event.ctrl_key() || event.meta_key() {
            return None;
        }
        let at = self.at.get_untracked();
        let taken = match event.key().as_str() {
            "ArrowDown" => {
                self.at.set((at + 1) % count);
                None
            }
            "ArrowUp" => {
                self.at.set((at + count - 1) % count);
                None
            }
            "Enter" | "Tab" if !event.shift_key() => {
                self.list.with_untracked(|list| list.get(at).cloned())
            }
            "Escape" => {
                self.close();
                None
            }
            _ => return None,
        };
        event.prevent_default();
        event.stop_propagation();
        if taken.is_some() {
            self.close();
        }
        taken
    }
}

/// The list.
#[component]
pub fn SuggestionList(
    /// What is suggested.
    suggestions: Suggestions,
    /// Called with what is taken.
    on_take: Callback<Suggestion>,
) -> impl IntoView {
    let options = move || {
        let list = suggestions.list.get();
        list.into_iter()
            .enumerate()
            .map(|(at, suggestion)| {
                let is_active = Memo::new(move |_| suggestions.at.get() == at);
                let taken = suggestion.clone();
                view! {
                    <li
                        role="option"
                        id=format!("{}-{at}", suggestions.id())
                        aria-selected=move || is_active.get().to_string()
                        // The input keeps the keyboard.
                        on:mousedown=move |event| event.prevent_default()
                        on:click=move |_| {
                            suggestions.close();
                            on_take.run(taken.clone());
                        }
                    >
                        <span class="mono">{suggestion.label}</span>
                        <span class="tiny faint">{suggestion.detail}</span>
                    </li>
                }
            })
            .collect_view()
    };
    Effect::new(move || {
        if let Some(id) = suggestions.active_id() {
            request_animation_frame(move || {
                if let Some(option) = document().get_element_by_id(&id) {
                    let options = web_sys::ScrollIntoViewOptions::new();
                    options.set_block(web_sys::ScrollLogicalPosition::Nearest);
                    option.scroll_into_view_with_scroll_into_view_options(&options);
                }
            });
        }
    });
    view! {
        <Show when=move || suggestions.is_open()>
            <ul class="suggestions" role="listbox" id=suggestions.id() aria-label="Suggestions" data-testid="suggestions">
                {options}
            </ul>
        </Show>
    }
    .into_any()
}
