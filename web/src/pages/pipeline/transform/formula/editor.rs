//! The text area itself. Its own text is transparent: the coloured copy behind it is what is seen,
//! and makes the area as high as its text.

use dash_shared::fields::SampledField;
use leptos::{ev::KeyboardEvent, html::Textarea, prelude::*};

use super::super::engine::{Language, Mistake};
use super::super::inputs::combo::{Suggestion, SuggestionList, Suggestions};
use super::colours::{Piece, pieces};
use super::completion::{is_quoted, suggestions as suggest_for, word_start};

/// The editor.
#[component]
pub fn SourceEditor(
    /// What is in it.
    value: Signal<String>,
    /// Called with every change.
    on_input: Callback<String>,
    /// The fields that are suggested.
    fields: Memo<Vec<SampledField>>,
    /// What is wrong with it.
    mistake: Memo<Option<Mistake>>,
    /// What it is.
    label: String,
    /// Whether it is one formula or statements.
    language: Language,
) -> impl IntoView {
    let node = NodeRef::<Textarea>::new();
    let suggestions = Suggestions::new();
    let coloured = move || {
        let source = value.get();
        let mistake = mistake.get();
        pieces(&source, mistake.as_ref())
            .into_iter()
            .map(
                |Piece {
                     class,
                     text,
                     is_wrong,
                 }| {
                    view! { <span class=class class:source-wrong=is_wrong>{text}</span> }
                },
            )
            .collect_view()
    };
    let suggest = move |asked: bool| {
        let Some((source, caret)) = node
            .get_untracked()
            .map(|node| (node.value(), caret(&node)))
        else {
            return;
        };
        let start = word_start(&source, caret);
        let word = source.get(start..caret).unwrap_or_default();
        if (word.is_empty() && !asked) || is_quoted(&source, caret) {
            suggestions.close();
        } else {
            let found = fields.with_untracked(|fields| suggest_for(word, fields));
            suggestions.open(found);
        }
    };
    let take = Callback::new(move |taken: Suggestion| {
        let Some(area) = node.get_untracked() else {
            return;
        };
        on_input.run(insert(&area, taken.value));
    });
    let on_key = move |event: KeyboardEvent| {
        if event.key() == " " && event.ctrl_key() {
            event.prevent_default();
            suggest(true);
        } else if let Some(taken) = suggestions.on_key(&event) {
            take.run(taken);
        } else if matches!(
            event.key().as_str(),
            "ArrowLeft" | "ArrowRight" | "Home" | "End"
        ) {
            suggestions.close();
        }
    };
    let class = match language {
        Language::Formula => "source-editor",
        Language::Script => "source-editor script",
    };
    view! {
        <div class="combo">
            <div class=class>
                <pre class="source-colours" aria-hidden="true">{coloured}"\n"</pre>
                <textarea
                    node_ref=node
                    class="input source-text"
                    rows="1"
                    aria-label=label
                    aria-autocomplete="list"
                    aria-controls=suggestions.id()
                    aria-activedescendant=move || suggestions.active_id()
                    aria-invalid=move || mistake.with(Option::is_some).then_some("true")
                    spellcheck="false"
                    autocomplete="off"
                    autocapitalize="none"
                    placeholder=match language {
                        Language::Formula => "total * 1.19",
                        Language::Script => "record.total = price * count",
                    }
                    data-testid="source"
                    prop:value=move || value.get()
                    on:input=move |event| {
                        on_input.run(event_target_value(&event));
                        suggest(false);
                    }
                    on:keydown=on_key
                    on:click=move |_| suggestions.close()
                    on:blur=move |_| suggestions.close()
                ></textarea>
            </div>
            <SuggestionList suggestions on_take=take/>
        </div>
    }
    .into_any()
}

/// Puts what was taken in the place of the word at the caret; returns the new source. A function
/// brings its parentheses, and the caret goes between them.
fn insert(area: &web_sys::HtmlTextAreaElement, mut text: String) -> String {
    let (source, caret) = (area.value(), caret(area));
    let before = source.get(..word_start(&source, caret)).unwrap_or_default();
    let mut after = source.get(caret..).unwrap_or_default();
    let opens = text.ends_with('(');
    if opens && after.starts_with('(') {
        after = after.get(1..).unwrap_or_default();
    } else if opens {
        text.push(')');
    }
    let place = before.len() + text.len() - usize::from(text.ends_with(')'));
    let source = format!("{before}{text}{after}");
    area.set_value(&source);
    let place = utf16(source.get(..place).unwrap_or_default());
    drop(area.set_selection_range(place, place));
    drop(area.focus());
    source
}

/// Where the caret is, in bytes.
fn caret(area: &web_sys::HtmlTextAreaElement) -> usize {
    let wanted = area.selection_start().ok().flatten().unwrap_or_default();
    let source = area.value();
    let mut units = 0;
    for (at, c) in source.char_indices() {
        if units >= wanted {
            return at;
        }
        units += u32::try_from(c.len_utf16()).unwrap_or(1);
    }
    source.len()
}

/// How long a text is for the browser.
fn utf16(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}
