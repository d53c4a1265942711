//! Correcting a failed record: its JSON, with what is wrong marked in it, and putting it in again.

use dash_shared::fields::FieldPath;
use leptos::{html, prelude::*, task::spawn_local};
use serde_json::Value;

use super::event_table::step_words;
use super::failure_desk::{FailureDesk, Which, stored_words};
use super::failure_operations::Failure;
use crate::api::Json;
use crate::components::{
    Banner, Button, ButtonKind, Dialog, DialogSize, Field, FormError, Tone, use_toasts,
};

/// The dialog; open while one is being corrected.
#[component]
pub fn FixDialog(
    /// The tab's state.
    desk: FailureDesk,
) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let problem = RwSignal::new((String::new(), String::new()));
    let (busy, failure) = (RwSignal::new(false), RwSignal::new(None::<String>));
    let node = NodeRef::<html::Textarea>::new();
    let toasts = use_toasts();
    let open = Signal::derive(move || desk.fixing.with(Option::is_some));
    Effect::new(move || {
        let Some(wrong) = desk.fixing.get() else {
            return;
        };
        let value = serde_json::from_str::<Value>(&wrong.received).unwrap_or_default();
        text.set(serde_json::to_string_pretty(&value).unwrap_or_default());
        problem.set((wrong.path.clone(), words(&wrong)));
        failure.set(None);
    });
    // What is wrong is selected, so that one can type over it.
    Effect::new(move || {
        let path = problem.with(|(path, _)| path.clone());
        if let Some(area) = node.get()
            && let Some((from, to)) = text.with_untracked(|text| place_of(text, &path))
        {
            drop(area.focus());
            drop(area.set_selection_range(from, to));
        }
    });
    let wrong_json = Memo::new(move |_| {
        text.with(|text| serde_json::from_str::<Value>(text))
            .err()
            .map(|error| format!("This is not JSON: {error}."))
    });
    let send = move || {
        let Some(wrong) = desk.fixing.get_untracked() else {
            return;
        };
        let Ok(value) = text.with_untracked(|text| serde_json::from_str::<Value>(text)) else {
            return;
        };
        busy.set(true);
        failure.set(None);
        spawn_local(async move {
            let answer = desk.send(Which::One(wrong.id), Some(Json(value))).await;
            if busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Err(error) => failure.set(Some(error.message)),
                Ok(payload) => match (payload.user_errors.first(), payload.failed.first()) {
                    (Some(error), _) => failure.set(Some(error.message.clone())),
                    (None, Some(failed)) => {
                        let found = &failed.problem;
                        let place = step_words(found.step, &found.path);
                        problem.set((found.path.clone(), format!("{place}{}", found.message)));
                        failure.set(Some("It fails again. Nothing was stored.".to_owned()));
                    }
                    (None, None) => {
                        toasts.success(if payload.replayed_ids.is_empty() {
                            "Somebody else has seen to it meanwhile.".to_owned()
                        } else {
                            stored_words(payload.stored)
                        });
                        desk.fixing.set(None);
                        desk.reload();
                    }
                },
            }
        });
    };
    let disabled = Signal::derive(move || wrong_json.with(Option::is_some));
    let footer = move || footer(desk, busy, disabled, send);
    view! {
        <Dialog
            open
            on_close=move || desk.fixing.set(None)
            title="Fix and put in again"
            size=DialogSize::Large
            footer
            test_id="fix-dialog"
        >
            <div class="stack">
                <FormError error=failure/>
                <Banner tone=Tone::Warn test_id="fix-problem">{move || problem.with(|(_, words)| words.clone())}</Banner>
                <Field
                    label="The record, as it goes in"
                    error=wrong_json
                    hint="It goes through the steps as they are now. What came in is not changed."
                >
                    <textarea
                        node_ref=node
                        class="input mono fix-text"
                        aria-label="The record, as it goes in"
                        rows="14"
                        spellcheck="false"
                        data-testid="fix-text"
                        prop:value=move || text.get()
                        on:input=move |event| text.set(event_target_value(&event))
                    ></textarea>
                </Field>
            </div>
        </Dialog>
    }
    .into_any()
}

fn footer(
    desk: FailureDesk,
    busy: RwSignal<bool>,
    disabled: Signal<bool>,
    send: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    view! {
        <Button on_click=move || desk.fixing.set(None)>"Cancel"</Button>
        <Button kind=ButtonKind::Primary busy disabled on_click=send test_id="fix-send">
            "Put in again"
        </Button>
    }
}

fn words(failure: &Failure) -> String {
    format!(
        "{}{}",
        step_words(failure.step, &failure.path),
        failure.message
    )
}

/// Where the value at a path begins and ends in a pretty JSON text, in units of UTF-16 as the
/// browser counts them.
fn place_of(text: &str, path: &str) -> Option<(u32, u32)> {
    const MARK: &str = "\u{E000}";
    let path: FieldPath = path.parse().ok()?;
    let mut value: Value = serde_json::from_str(text).ok()?;
    let fields = value.as_object_mut()?;
    let found = path.get(fields)?.to_string();
    *path.get_mut(fields)? = Value::from(MARK);
    // All before the value is the same with the mark in its place.
    let marked = serde_json::to_string_pretty(&value).ok()?;
    let begin = marked.find(MARK)?.checked_sub(1)?;
    let before = text.get(..begin)?;
    let units = |text: &str| u32::try_from(text.encode_utf16().count()).ok();
    let from = units(before)?;
    Some((from, from + units(&found)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_found_in_the_text() {
        let text = serde_json::to_string_pretty(&serde_json::json!({
            "name": "Ädä 🙂", "customer": { "total": "n/a" }, "total": 1,
        }))
        .unwrap();
        let check = |path: &str, expected: Option<&str>| {
            let found = place_of(&text, path).map(|(from, to)| {
                let units: Vec<u16> = text.encode_utf16().collect();
                String::from_utf16(&units[from as usize..to as usize]).unwrap()
            });
            assert_eq!(found.as_deref(), expected, "{path}");
        };
        check("customer.total", Some("\"n/a\""));
        check("total", Some("1"));
        check("missing", None);
        check("", None);
    }
}
