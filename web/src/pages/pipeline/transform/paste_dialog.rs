//! The dialog that takes a record, or several, to try the steps on.

use leptos::prelude::*;
use serde_json::Value;

use super::sample::Sample;
use crate::components::{Button, ButtonKind, Dialog, Field, TextArea};

/// The dialog.
#[component]
pub fn PasteDialog(sample: Sample, open: RwSignal<bool>) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let error = RwSignal::new(None::<String>);
    let take = move || match serde_json::from_str::<Value>(&text.get_untracked()) {
        Ok(Value::Array(records)) if !records.is_empty() => {
            sample.take(records);
            open.set(false);
        }
        Ok(record @ Value::Object(_)) => {
            sample.add(record);
            open.set(false);
        }
        Ok(_) => error.set(Some("Paste a JSON object, or an array of them.".to_owned())),
        Err(problem) => error.set(Some(format!("This is not JSON: {problem}."))),
    };
    let footer = move || {
        view! {
            <Button on_click=move || open.set(false)>"Cancel"</Button>
            <Button kind=ButtonKind::Primary on_click=take test_id="paste-go">"Use it"</Button>
        }
    };
    view! {
        <Dialog open on_close=move || open.set(false) title="Try another record" footer>
            <Field
                label="Record"
                error=error
                hint="A JSON object, or an array of them. It is only used here and not stored."
            >
                <TextArea
                    value=text
                    on_input=Callback::new(move |new| {
                        error.set(None);
                        text.set(new);
                    })
                    rows=10
                    mono=true
                    placeholder=r#"{"order": "A-1001", "total": "184.20"}"#
                    test_id="paste-text"
                />
            </Field>
        </Dialog>
    }
    .into_any()
}
