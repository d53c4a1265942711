//! The input of formulas and scripts: an ordinary text area with colours behind its text, help with
//! the names of fields and functions while typing, and what is wrong under the exact character.

mod colours;
mod completion;
mod editor;

use leptos::prelude::*;

use super::engine::{Language, Mistake};
use super::inputs::Place;
use crate::components::{Icon, IconView};
use editor::SourceEditor;

/// The input of the source at a place of a step.
pub fn source_input(place: Place, at: String, label: String, language: Language) -> AnyView {
    let value = place.text(at.clone());
    let told = place.error(at.clone());
    let on_input = Callback::new(move |source: String| place.set_text(&at, source));
    // The engine says where; without it, the server's sentence has to do.
    let mistake = Memo::new(move |_| {
        let engine = place.desk.engine.get()?;
        let source = value.get();
        let is_empty = source.trim().is_empty();
        (!is_empty)
            .then(|| (engine.check)(&source, language))
            .flatten()
    });
    let words = move || {
        let here = mistake.get().map(|mistake| sentence(&mistake));
        here.or_else(|| told.get())
    };
    view! {
        <div class="source">
            <SourceEditor value on_input fields=place.fields mistake label language/>
            <div aria-live="polite">
                {move || words().map(|message| view! {
                    <p class="field-error" data-testid="source-error">
                        <IconView icon=Icon::Alert/>
                        <span>{message}</span>
                    </p>
                })}
            </div>
        </div>
    }
    .into_any()
}

/// “Line 2, character 5: …”; in one line, the mark says where.
fn sentence(mistake: &Mistake) -> String {
    let mut chars = mistake.message.chars();
    let first: String = chars
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    let message = format!("{first}{}.", chars.as_str());
    if mistake.line > 1 {
        format!("Line {}: {message}", mistake.line)
    } else {
        message
    }
}
