//! Test cases beside a transform: what each expects and what comes of it with the steps as they are
//! edited; added from what came in, changed and deleted.

use std::time::Duration;

use cynic::{MutationBuilder, QueryBuilder};
use leptos::{leptos_dom::helpers::debounce, prelude::*, task::spawn_local};
use serde_json::Value;

use super::test_case_dialog::{Editing, TestDialog};
use super::trial_operations::{
    DeleteTest, DeleteTestVariables, Expectation, RunTests, RunTestsVariables,
    RunTransformTestsInput, TransformTestResult, ValueDifference,
};
use crate::api::{self, Json};
use crate::components::{
    Button, ButtonKind, ButtonSize, ConfirmDialog, EmptyState, FormError, Icon, IconButton,
    Skeleton, Tag, Tone, use_toasts,
};

/// How long after the last change the test cases run.
const PAUSE: Duration = Duration::from_millis(500);

/// The test cases of a pipeline, run with a draft of its transform.
#[component]
pub fn TestCases(
    /// The pipeline.
    pipeline_id: cynic::Id,
    /// The steps as they are edited, as documents.
    draft_steps: Signal<Vec<Value>>,
    /// The time field as it is edited.
    draft_time_field: Signal<Option<String>>,
) -> impl IntoView {
    let results = RwSignal::new(None::<Vec<TransformTestResult>>);
    let failure = RwSignal::new(None::<String>);
    let asked = RwSignal::new(0_u32);
    let run = {
        let pipeline_id = pipeline_id.clone();
        move || {
            let steps = draft_steps.get_untracked().into_iter().map(Json);
            let input = RunTransformTestsInput {
                pipeline_id: pipeline_id.clone(),
                steps: steps.collect(),
                time_field: draft_time_field.get_untracked().unwrap_or_default(),
            };
            asked.update(|asked| *asked += 1);
            let this = asked.get_untracked();
            spawn_local(async move {
                let answer = api::run(RunTests::build(RunTestsVariables { input })).await;
                // A later answer is on its way, or nobody looks any more.
                if asked.try_get_untracked() != Some(this) {
                    return;
                }
                match answer {
                    Err(error) => failure.set(Some(error.message)),
                    Ok(answer) => {
                        let payload = answer.run_transform_tests;
                        let problem = payload.user_errors.into_iter().next();
                        failure.set(problem.as_ref().map(|problem| {
                            format!("The tests cannot run yet: {}", problem.message)
                        }));
                        if problem.is_none() {
                            let mut found = payload.results;
                            found.sort_by_key(|result| result.passed);
                            results.set(Some(found));
                        }
                    }
                }
            });
        }
    };
    let again = Callback::new({
        let run = run.clone();
        move |()| run()
    });
    let mut soon = debounce(PAUSE, move |()| again.run(()));
    Effect::new(move |before: Option<()>| {
        draft_steps.track();
        draft_time_field.track();
        match before {
            None => again.run(()),
            Some(()) => soon(()),
        }
    });
    let editing = RwSignal::new(None::<Editing>);
    let deleting = RwSignal::new(None::<(cynic::Id, String)>);
    let add = move || editing.set(Some(Editing::New));
    let content = move || {
        match results.get() {
        None if failure.with(Option::is_some) => ().into_any(),
        None => view! { <Skeleton height="120px"/> }.into_any(),
        Some(found) if found.is_empty() => view! {
            <EmptyState
                icon=Icon::Check
                title="No test cases yet"
                text="A test case is a record with what has to come of it. While one fails, a changed transform is not published."
                test_id="no-tests"
            />
        }
        .into_any(),
        Some(found) => {
            let rows = found
                .into_iter()
                .map(|result| view! { <TestRow result editing deleting/> })
                .collect_view();
            view! { <ul class="plain test-cases" data-testid="test-cases">{rows}</ul> }.into_any()
        }
    }
    };
    let summary = move || {
        results.with(|results| {
            let results = results.as_ref()?;
            let failing = results.iter().filter(|result| !result.passed).count();
            let (tone, text) = match (results.len(), failing) {
                (0, _) => return None,
                (all, 0) => (Tone::Ok, format!("all {all} pass")),
                (all, failing) => (Tone::Bad, format!("{failing} of {all} fail")),
            };
            Some(view! { <Tag tone test_id="tests-summary">{text}</Tag> })
        })
    };
    view! {
        <section class="stack tests" data-testid="tests">
            <div class="row spread wrap">
                <span class="row">{summary}</span>
                <Button size=ButtonSize::Small icon=Icon::Plus on_click=add test_id="add-test">"Add a test case"</Button>
            </div>
            <FormError error=failure/>
            {content}
            <TestDialog pipeline_id editing on_saved=again/>
            <DeleteDialog deleting on_deleted=again/>
        </section>
    }
    .into_any()
}

#[component]
fn TestRow(
    result: TransformTestResult,
    editing: RwSignal<Option<Editing>>,
    deleting: RwSignal<Option<(cynic::Id, String)>>,
) -> impl IntoView {
    let test = result.test;
    let (tone, icon, word) = if result.passed {
        (Tone::Ok, Icon::Check, "passes")
    } else {
        (Tone::Bad, Icon::Alert, "fails")
    };
    let expected = words(&test.expected);
    let input = test.input.0.to_string();
    let differences = result.differences.into_iter().take(10).map(difference);
    let differences = differences.collect_view();
    let (name, id) = (test.name.clone(), test.id.clone());
    let shown = test.name.clone();
    view! {
        <li class="test-case" data-testid="test-case">
            <div class="row spread wrap">
                <span class="row wrap"><b>{shown}</b> <Tag tone icon>{word}</Tag></span>
                <span class="row">
                    <IconButton
                        icon=Icon::Edit
                        label="Change this test case"
                        size=ButtonSize::Small
                        on_click=move || editing.set(Some(Editing::Of(Box::new(test.clone()))))
                        test_id="edit-test"
                    />
                    <IconButton
                        icon=Icon::Trash
                        label="Delete this test case"
                        size=ButtonSize::Small
                        kind=ButtonKind::Ghost
                        on_click=move || deleting.set(Some((id.clone(), name.clone())))
                    />
                </span>
            </div>
            {result.problem.map(|problem| view! { <p class="bad-text small">{problem}"."</p> })}
            <ul class="plain differences small">{differences}</ul>
            <p class="event-received mono tiny">{input}</p>
            <p class="small muted">{expected}</p>
        </li>
    }
    .into_any()
}

fn difference(one: ValueDifference) -> impl IntoView {
    let text = |value: Option<String>| value.unwrap_or_else(|| "nothing".to_owned());
    view! {
        <li class="difference">
            <span class="mono muted">{one.path}</span>
            <del class="mono" title="expected">{text(one.expected)}</del>
            <span aria-hidden="true">"→"</span>
            <ins class="mono" title="what came">{text(one.actual)}</ins>
        </li>
    }
}

/// What is expected, in words.
fn words(expected: &Expectation) -> String {
    match expected {
        Expectation { dropped: true, .. } => "Expected: a step leaves it out".to_owned(),
        Expectation { held: true, .. } => "Expected: it becomes a part of a window".to_owned(),
        Expectation {
            failure: Some(text),
            ..
        } if text.is_empty() => "Expected: it fails".to_owned(),
        Expectation {
            failure: Some(text),
            ..
        } => format!("Expected: it fails with “{text}”"),
        Expectation { records, .. } => {
            let records = records.as_deref().unwrap_or_default().iter();
            let texts: Vec<String> = records.map(|record| record.0.to_string()).collect();
            format!("Expected: {}", texts.join(", "))
        }
    }
}

#[component]
fn DeleteDialog(
    deleting: RwSignal<Option<(cynic::Id, String)>>,
    on_deleted: Callback<()>,
) -> impl IntoView {
    let (busy, toasts) = (RwSignal::new(false), use_toasts());
    let go = move || {
        let Some((id, _)) = deleting.get_untracked() else {
            return;
        };
        busy.set(true);
        spawn_local(async move {
            let answer = api::run(DeleteTest::build(DeleteTestVariables { id })).await;
            if busy.try_set(false).is_some() {
                return;
            }
            deleting.set(None);
            match answer {
                Err(error) => toasts.api_error(&error),
                Ok(answer) => match answer.delete_transform_test.user_errors.first() {
                    Some(problem) => toasts.error(problem.message.clone()),
                    None => on_deleted.run(()),
                },
            }
        });
    };
    let title = move || {
        deleting.with(|deleting| {
            deleting
                .as_ref()
                .map_or_else(String::new, |(_, name)| format!("Delete “{name}”?"))
        })
    };
    view! {
        <ConfirmDialog
            open=Signal::derive(move || deleting.with(Option::is_some))
            on_close=move || deleting.set(None)
            title=Signal::derive(title)
            message="The transform is no longer held to this test case."
            confirm="Delete test case"
            busy
            on_confirm=Callback::new(move |()| go())
        />
    }
}
