//! The whole transform as JSON: to copy, to keep, to paste from elsewhere.

use leptos::prelude::*;
use serde_json::{Value, json};

use super::catalog::KINDS;
use super::desk::Desk;
use crate::components::{Button, ButtonKind, CopyButton, Dialog, DialogSize, Field, TextArea};
use dash_shared::transform::MAX_STEPS;

/// The version of the form.
const VERSION: u64 = 1;

/// The dialog.
#[component]
pub fn JsonDialog(desk: Desk, open: RwSignal<bool>) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let error = RwSignal::new(None::<String>);
    Effect::new(move || {
        if open.get() {
            let steps = untrack(|| desk.documents());
            let document = json!({ "version": VERSION, "steps": steps });
            text.set(serde_json::to_string_pretty(&document).unwrap_or_default());
            error.set(None);
        }
    });
    let apply = move || match read(&text.get_untracked()) {
        Ok(steps) => {
            desk.replace(steps);
            open.set(false);
        }
        Err(message) => error.set(Some(message)),
    };
    let footer = move || {
        view! {
            <CopyButton text/>
            <Button on_click=move || open.set(false)>"Cancel"</Button>
            <Button kind=ButtonKind::Primary on_click=apply test_id="json-apply">"Use it"</Button>
        }
    };
    view! {
        <Dialog open on_close=move || open.set(false) title="The transform as JSON" size=DialogSize::Large footer test_id="json-dialog">
            <Field label="Transform" error hint="Nothing is saved before you save the transform.">
                <TextArea
                    value=text
                    on_input=Callback::new(move |new| {
                        error.set(None);
                        text.set(new);
                    })
                    rows=20
                    mono=true
                    test_id="json-text"
                />
            </Field>
        </Dialog>
    }
    .into_any()
}

/// The documents of the steps in a text: of a whole transform, or of the list alone.
fn read(text: &str) -> Result<Vec<Value>, String> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("This is not JSON: {error}."))?;
    let steps = match value {
        Value::Array(steps) => steps,
        Value::Object(mut fields) => {
            let version = fields.get("version").and_then(Value::as_u64);
            if version != Some(VERSION) {
                return Err(format!(
                    "Write “version”: {VERSION}: other versions are not known here."
                ));
            }
            match fields.remove("steps") {
                Some(Value::Array(steps)) => steps,
                _ => return Err("There is no list of “steps”.".to_owned()),
            }
        }
        _ => return Err("A transform looks like {\"version\": 1, \"steps\": […]}.".to_owned()),
    };
    if steps.len() > MAX_STEPS {
        return Err(format!("A pipeline has at most {MAX_STEPS} steps."));
    }
    for (index, step) in steps.iter().enumerate() {
        let kind = step.get("kind").and_then(Value::as_str).unwrap_or_default();
        if KINDS.iter().all(|known| known.word != kind) {
            let names = KINDS.map(|known| known.word).join(", ");
            return Err(format!(
                "The kind of step {} is none of {names}.",
                index + 1
            ));
        }
    }
    Ok(steps)
}
