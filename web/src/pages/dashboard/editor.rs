//! The widget editor: a live preview on the left, a form on the right. It works on a copy; the
//! dashboard changes when the copy is applied, in one step that can be undone.

mod columns;
mod filters;
mod form;
mod sources;
mod suggestions;

use std::time::Duration;

use dash_shared::widgets::WidgetKind;
use leptos::{prelude::*, task::spawn_local};

use self::{form::Form, sources::Sources, suggestions::Suggestions};
use super::{
    board::Board,
    content::Content,
    previews,
    tiles::Definition,
    widget_body::{WidgetBody, WidgetNote},
};
use crate::{
    api::errors::FormErrors,
    components::{Button, ButtonKind, Dialog, DialogSize, FormError},
};

/// How long typing must rest before the preview follows.
const DEBOUNCE: Duration = Duration::from_millis(250);

/// What is being edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A widget that does not exist yet.
    New,
    /// The widget with this key.
    Existing(u32),
}

/// A dialog that is open as long as there is a subject.
#[component]
pub fn Editor(
    /// The dashboard.
    board: Board,
    /// What is being edited.
    subject: RwSignal<Option<Subject>>,
) -> impl IntoView {
    let draft = RwSignal::new(Definition::new(WidgetKind::Stat, String::new()));
    let errors = FormErrors::new();
    let sources = Sources::new();
    Effect::new(move |_| {
        let Some(subject) = subject.get() else {
            return;
        };
        errors.clear();
        sources.load();
        draft.set(match subject {
            Subject::New => Definition::new(WidgetKind::Stat, usual_pipeline(board)),
            Subject::Existing(key) => match untrack(|| board.tile(key)) {
                Some(tile) => tile.definition,
                None => return,
            },
        });
    });
    // A new widget begins with the newest pipeline, once it is known.
    Effect::new(move |_| {
        let first = sources.first();
        if let Some(first) = first
            && subject.get().is_some()
            && draft.with_untracked(|draft| draft.pipeline_id.is_empty())
        {
            draft.update(|draft| draft.pipeline_id = first);
        }
    });
    let apply = move || {
        let mut definition = draft.get_untracked();
        let problems = definition.check();
        errors.clear();
        if !problems.is_empty() {
            for problem in &problems {
                errors.add_invalid(problem);
            }
            return;
        }
        if definition.title.trim().is_empty() {
            definition.title = definition.natural_title();
        }
        match subject.get_untracked() {
            Some(Subject::Existing(key)) => board.change(|tiles| {
                if let Some(tile) = tiles.iter_mut().find(|tile| tile.key == key) {
                    tile.definition = definition;
                }
            }),
            Some(Subject::New) => drop(board.add(definition, None)),
            None => {}
        }
        subject.set(None);
    };
    let is_new = move || subject.get() == Some(Subject::New);
    let footer = move || {
        view! {
            <Button on_click=move || subject.set(None)>"Cancel"</Button>
            <Button kind=ButtonKind::Primary on_click=apply test_id="widget-apply">
                {move || if is_new() { "Add widget" } else { "Apply" }}
            </Button>
        }
    };
    let title = Signal::derive(move || {
        let word = if is_new() {
            "Add widget"
        } else {
            "Edit widget"
        };
        word.to_owned()
    });
    view! {
        <Dialog
            open=Signal::derive(move || subject.with(Option::is_some))
            on_close=move || subject.set(None)
            title
            size=DialogSize::Large
            footer
            test_id="widget-editor"
        >
            <div class="editor">
                <Preview board draft/>
                <form
                    class="editor-form"
                    on:submit=move |event| {
                        event.prevent_default();
                        apply();
                    }
                >
                    <FormError error=errors.other_than(form::shows_error_of)/>
                    <Show when=is_new>
                        <Suggestions draft sources/>
                    </Show>
                    <Form draft sources errors/>
                </form>
            </div>
        </Dialog>
    }
}

/// The pipeline that most widgets of the dashboard show; empty when it has none.
fn usual_pipeline(board: Board) -> String {
    board.tiles.with_untracked(|tiles| {
        let count = |id: &str| {
            let same = tiles
                .iter()
                .filter(|tile| tile.definition.pipeline_id == id);
            same.count()
        };
        tiles
            .iter()
            .map(|tile| &tile.definition.pipeline_id)
            .max_by_key(|id| count(id))
            .cloned()
            .unwrap_or_default()
    })
}

/// The widget as it would be, with its real data.
#[component]
fn Preview(board: Board, draft: RwSignal<Definition>) -> impl IntoView {
    let content = ArcRwSignal::new(Content::Waiting);
    let definition = Memo::new(move |_| {
        draft.with(|draft| {
            let mut shown = draft.clone();
            if shown.title.trim().is_empty() {
                shown.title = shown.natural_title();
            }
            shown
        })
    });
    let asked = StoredValue::new(0_u32);
    let fetched = content.clone();
    Effect::new(move |before: Option<Definition>| {
        let now = draft.get();
        if before
            .as_ref()
            .is_some_and(|before| before.has_same_data(&now))
        {
            return now;
        }
        asked.update_value(|asked| *asked = asked.wrapping_add(1));
        let own = asked.get_value();
        let (content, wanted) = (fetched.clone(), now.clone());
        let is_newest = move || asked.try_get_value() == Some(own);
        if before.is_some_and(|before| before.kind != now.kind) {
            content.set(Content::Waiting);
        }
        let ask = move || {
            if !is_newest() || !wanted.check().is_empty() {
                return;
            }
            let range = board.range.get_untracked();
            spawn_local(async move {
                let loaded = previews::load(&wanted, range).await;
                if is_newest() {
                    content.set(loaded);
                }
            });
        };
        set_timeout(
            ask,
            if asked.get_value() == 1 {
                Duration::ZERO
            } else {
                DEBOUNCE
            },
        );
        now
    });
    let title = move || definition.with(|definition| definition.title.clone());
    let problem = move || {
        let problems = draft.with(Definition::check);
        problems.first().map(|problem| problem.message.clone())
    };
    let body = content.clone();
    view! {
        <div class="editor-preview">
            <div
                class="tile card is-preview"
                class:is-stat=move || draft.with(|draft| draft.kind == WidgetKind::Stat)
                data-testid="widget-preview"
            >
                <header class="tile-head">
                    <h3>{title}</h3>
                    <WidgetNote definition content/>
                </header>
                <div class="tile-body">
                    <WidgetBody
                        definition
                        content=body
                        range=board.range
                        on_open_record=|_| ()
                    />
                </div>
            </div>
            <p class="faint small">
                {move || problem().unwrap_or_else(|| {
                    format!("Preview · {}", crate::components::time_range::label(board.range.get()))
                })}
            </p>
        </div>
    }
}
