//! What of the answer is new: by a key, and after a cursor.

use leptos::prelude::*;

use super::super::mutations::SourceTest;
use super::super::polling_form::More;
use super::super::polling_source::{CursorPick, CursorPlace};
use super::super::source_test::TestState;
use super::{Choices, Editor, Line, filled, text};

pub(super) fn only_new(editor: Editor, test: RwSignal<TestState>) -> AnyView {
    let key = editor.line(Line {
        at: "keyField",
        label: "Key field",
        hint: "A record with a value that is stored already is left out.",
        placeholder: "id",
        test_id: "key-field",
        get: |more| more.key_field.clone(),
        set: |more, text| more.key_field = text,
    });
    let key_chips = chips(
        test,
        |test| test.key_field_candidates.clone(),
        Callback::new(move |field| editor.change("keyField", |more| more.key_field = field)),
    );
    let place = editor.choice(Choices {
        at: "cursor",
        label: "Go on where the last run ended",
        options: &[
            ("none", "No, ask for everything"),
            ("records", "After a field of the records"),
            ("answer", "After a value in the answer"),
        ],
        test_id: "cursor-place",
        get: |more| match (more.has_cursor, more.cursor.place) {
            (false, _) => "none",
            (true, CursorPlace::Records) => "records",
            (true, CursorPlace::Answer) => "answer",
        },
        set: |more, chosen| {
            more.has_cursor = chosen != "none";
            more.cursor.place = match chosen {
                "answer" => CursorPlace::Answer,
                _ => CursorPlace::Records,
            };
        },
    });
    let shown = editor.value(|more| more.has_cursor.then_some(more.cursor.place));
    let fields = move || shown.get().map(|place| cursor_fields(editor, place, test));
    let fields = view! { {key} {key_chips} {place} {fields} }.into_any();
    let summary = |more: &More| match (more.key_field.trim(), more.has_cursor) {
        ("", false) => "Everything that comes".to_owned(),
        ("", true) => format!("after {}", more.cursor.path),
        (key, false) => format!("each {key} once"),
        (key, true) => format!("each {key} once, after {}", more.cursor.path),
    };
    let of = &["keyField", "cursor"];
    editor.section("Only what is new", of, "section-new", summary, fields)
}

fn cursor_fields(editor: Editor, place: CursorPlace, test: RwSignal<TestState>) -> AnyView {
    let is_field = place == CursorPlace::Records;
    let path = editor.line(Line {
        at: "cursor.path",
        label: if is_field {
            "Field"
        } else {
            "Where it is in the answer"
        },
        hint: "Put {{cursor}} where it is sent: in a query parameter, the address or the body.",
        placeholder: if is_field {
            "updated_at"
        } else {
            "$.next_since"
        },
        test_id: "cursor-path",
        get: |more| more.cursor.path.clone(),
        set: |more, text| more.cursor.path = text,
    });
    let found = is_field.then(|| {
        chips(
            test,
            |test| test.cursor_candidates.clone(),
            Callback::new(move |field| {
                editor.change("cursor.path", |more| more.cursor.path = field);
            }),
        )
    });
    let pick = is_field.then(|| {
        editor.choice(Choices {
            at: "cursor.pick",
            label: "Of several values",
            options: &[
                ("highest", "The highest or latest"),
                ("last", "The last one"),
            ],
            test_id: "cursor-pick",
            get: |more| match more.cursor.pick {
                CursorPick::Highest => "highest",
                CursorPick::Last => "last",
            },
            set: |more, chosen| {
                more.cursor.pick = match chosen {
                    "last" => CursorPick::Last,
                    _ => CursorPick::Highest,
                };
            },
        })
    });
    let initial = editor.line(Line {
        at: "cursor.initial",
        label: "The first time",
        hint: "Optional: what is sent before anything has come.",
        placeholder: "2026-01-01T00:00:00Z",
        test_id: "cursor-initial",
        get: |more| text(more.cursor.initial.as_ref()),
        set: |more, text| more.cursor.initial = filled(text),
    });
    view! { {path} {found} {pick} {initial} }.into_any()
}

/// The fields that the test found for something.
fn chips(
    test: RwSignal<TestState>,
    get: fn(&SourceTest) -> Vec<String>,
    choose: Callback<String>,
) -> AnyView {
    let found = Memo::new(move |_| {
        test.with(|test| match test {
            TestState::Done(test) => get(test),
            _ => Vec::new(),
        })
    });
    let buttons = move || {
        found
            .get()
            .into_iter()
            .map(|field| {
                let label = field.clone();
                view! {
                    <button type="button" class="chip mono" on:click=move |_| choose.run(field.clone())>{label}</button>
                }
            })
            .collect_view()
    };
    view! {
        <Show when=move || found.with(|found| !found.is_empty())>
            <p class="row wrap small"><span class="muted">"Found by the test"</span> {buttons}</p>
        </Show>
    }
    .into_any()
}
