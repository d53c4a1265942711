//! Writing a test case: its name, the record, taken from what came in or typed, and what has to come
//! of it.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;

use super::trial_operations::{
    CreateTest, CreateTestVariables, CreateTransformTestInput, Expectation, ExpectationInput,
    ReceivedEvent, ReceivedQuery, ReceivedVariables, TransformTest, UpdateTest,
    UpdateTestVariables, UpdateTransformTestInput,
};
use crate::api::{self, FormErrors, Json};
use crate::components::{
    Button, ButtonKind, Dialog, Field, FormError, Input, Select, SelectOption, TextArea, bind,
};
use dash_shared::fields::shorten;

/// What is being written.
#[derive(Clone, Debug, PartialEq)]
pub enum Editing {
    /// A new test case.
    New,
    /// One that is there.
    Of(Box<TransformTest>),
}

/// What comes of the record now.
const NOW: &str = "now";
const RECORDS: &str = "records";
const DROPPED: &str = "dropped";
const HELD: &str = "held";
const FAILURE: &str = "failure";

/// The dialog; open while a test case is being written.
#[expect(
    clippy::too_many_lines,
    reason = "a form: its fields one after the other"
)]
#[component]
pub fn TestDialog(
    /// The pipeline.
    pipeline_id: cynic::Id,
    /// What is being written.
    editing: RwSignal<Option<Editing>>,
    /// Called when it is saved.
    on_saved: Callback<()>,
) -> impl IntoView {
    let (name, input) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (kind, expected) = (RwSignal::new(NOW.to_owned()), RwSignal::new(String::new()));
    let received = RwSignal::new(Vec::<ReceivedEvent>::new());
    let (errors, busy) = (FormErrors::new(), RwSignal::new(false));
    let of_pipeline = pipeline_id.clone();
    Effect::new(move || {
        let Some(editing) = editing.get() else { return };
        errors.clear();
        if let Editing::Of(test) = &editing {
            name.set(test.name.clone());
            input.set(pretty(&test.input.0));
            let (word, text) = shown(&test.expected);
            kind.set(word.to_owned());
            expected.set(text);
        } else {
            name.set(String::new());
            input.set("{}".to_owned());
            kind.set(NOW.to_owned());
            expected.set(String::new());
        }
        let variables = ReceivedVariables {
            id: of_pipeline.clone(),
        };
        spawn_local(async move {
            // Without them, a record can still be typed.
            if let Ok(answer) = api::run(ReceivedQuery::build(variables)).await {
                received.try_set(answer.pipeline.received);
            }
        });
    });
    let save = move || {
        errors.clear();
        let record = parse(&input.get_untracked(), "input", errors);
        let wanted = read(&kind.get_untracked(), &expected.get_untracked(), errors);
        let (Some(record), Ok(wanted), Some(what)) = (record, wanted, editing.get_untracked())
        else {
            return;
        };
        let (name, pipeline_id) = (name.get_untracked(), pipeline_id.clone());
        busy.set(true);
        spawn_local(async move {
            let answer = match what {
                Editing::New => {
                    let input = CreateTransformTestInput {
                        pipeline_id,
                        name,
                        input: Json(record),
                        expected: wanted,
                    };
                    let answer = api::run(CreateTest::build(CreateTestVariables { input })).await;
                    answer.map(|answer| answer.create_transform_test.user_errors)
                }
                Editing::Of(test) => {
                    let input = UpdateTransformTestInput {
                        id: test.id,
                        name: Some(name),
                        input: Some(Json(record)),
                        expected: wanted,
                    };
                    let answer = api::run(UpdateTest::build(UpdateTestVariables { input })).await;
                    answer.map(|answer| answer.update_transform_test.user_errors)
                }
            };
            if busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Err(error) => errors.set_api_error(&error),
                Ok(problems) => {
                    if !errors.set_user_errors(&problems) {
                        editing.set(None);
                        on_saved.run(());
                    }
                }
            }
        });
    };
    let is_new = move || editing.with(|editing| *editing == Some(Editing::New));
    let kinds = Signal::derive(move || {
        let now =
            is_new().then(|| SelectOption::new(NOW, "What the published steps make of it now"));
        let others = [
            (RECORDS, "These records come out"),
            (DROPPED, "A step leaves it out"),
            (HELD, "It becomes a part of a window"),
            (FAILURE, "It fails"),
        ];
        let others = others.map(|(word, label)| SelectOption::new(word, label));
        now.into_iter().chain(others).collect::<Vec<_>>()
    });
    let events = Signal::derive(move || {
        let first = SelectOption::new("", "Choose an event that came in…");
        let events = received.get().into_iter().enumerate();
        let events = events
            .map(|(index, event)| SelectOption::new(index.to_string(), shorten(&event.value.0)));
        std::iter::once(first).chain(events).collect::<Vec<_>>()
    });
    let take = Callback::new(move |word: String| {
        let index: Option<usize> = word.parse().ok();
        let event = index.and_then(|index| received.with_untracked(|all| all.get(index).cloned()));
        if let Some(event) = event {
            input.set(pretty(&event.value.0));
        }
    });
    let more = move || {
        match kind.get().as_str() {
        RECORDS => Some(view! {
            <Field label="The records, as a list" error=errors.field("expected")>
                <TextArea value=expected on_input=bind(expected) rows=6 mono=true test_id="test-expected"/>
            </Field>
        }.into_any()),
        FAILURE => Some(view! {
            <Field label="The message has this in it" optional=true error=errors.field("expected")>
                <Input value=expected on_input=bind(expected) test_id="test-expected"/>
            </Field>
        }.into_any()),
        _ => None,
    }
    };
    let footer = move || {
        let save = save.clone();
        view! {
            <Button on_click=move || editing.set(None)>"Cancel"</Button>
            <Button kind=ButtonKind::Primary busy on_click=save test_id="save-test">"Save test case"</Button>
        }
    };
    let title = move || {
        if is_new() {
            "New test case"
        } else {
            "Test case"
        }
        .to_owned()
    };
    view! {
        <Dialog
            open=Signal::derive(move || editing.with(Option::is_some))
            on_close=move || editing.set(None)
            title=Signal::derive(title)
            footer
            test_id="test-dialog"
        >
            <div class="stack">
                <FormError error=errors.other(&["name", "input", "expected"])/>
                <Field label="Name" error=errors.field("name")>
                    <Input value=name on_input=bind(name) autofocus=true test_id="test-name"/>
                </Field>
                <Show when=move || !received.with(Vec::is_empty)>
                    <Field label="Take over">
                        <Select value=Signal::stored(String::new()) on_change=take options=events test_id="test-event"/>
                    </Field>
                </Show>
                <Field label="The record, as it comes in" error=errors.field("input")>
                    <TextArea value=input on_input=bind(input) rows=8 mono=true test_id="test-input"/>
                </Field>
                <Field label="What has to come of it">
                    <Select value=kind on_change=bind(kind) options=kinds test_id="test-kind"/>
                </Field>
                {more}
            </div>
        </Dialog>
    }
    .into_any()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn shown(expected: &Expectation) -> (&'static str, String) {
    match expected {
        Expectation { dropped: true, .. } => (DROPPED, String::new()),
        Expectation { held: true, .. } => (HELD, String::new()),
        Expectation {
            failure: Some(text),
            ..
        } => (FAILURE, text.clone()),
        Expectation { records, .. } => {
            let records = records.iter().flatten().map(|record| record.0.clone());
            (RECORDS, pretty(&records.collect()))
        }
    }
}

fn parse(text: &str, field: &str, errors: FormErrors) -> Option<Value> {
    serde_json::from_str(text)
        .map_err(|error| errors.add(field, format!("This is not JSON: {error}.")))
        .ok()
}

/// What is wrong is told beside the field.
struct Wrong;

/// What is expected; none when that is what comes now.
fn read(kind: &str, text: &str, errors: FormErrors) -> Result<Option<ExpectationInput>, Wrong> {
    Ok(Some(match kind {
        RECORDS => {
            let records = match parse(text, "expected", errors).ok_or(Wrong)? {
                Value::Array(records) => records,
                one => vec![one],
            };
            ExpectationInput::Records(records.into_iter().map(Json).collect())
        }
        DROPPED => ExpectationInput::Dropped(true),
        HELD => ExpectationInput::Held(true),
        FAILURE => ExpectationInput::Failure(text.to_owned()),
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_expected_is_shown_as_it_was_entered() {
        let none = Expectation {
            records: None,
            dropped: false,
            held: false,
            failure: None,
        };
        let records = Expectation {
            records: Some(vec![Json(json!({"a": 1}))]),
            ..none.clone()
        };
        assert_eq!(shown(&records).0, RECORDS);
        assert_eq!(
            serde_json::from_str::<Value>(&shown(&records).1).unwrap(),
            json!([{"a": 1}])
        );
        let dropped = Expectation {
            dropped: true,
            ..none
        };
        assert_eq!(shown(&dropped).0, DROPPED);
    }
}
