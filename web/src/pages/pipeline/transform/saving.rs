//! Saving what was edited, giving it up, and not losing it by accident.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::checks;
use super::desk::{Desk, Problem, Saved};
use super::runner::problems_of;
use crate::api::Json;
use crate::components::leaving::guard_leaving;
use crate::components::{Button, ButtonKind, ConfirmDialog, FormError, use_toasts};
use crate::pages::pipeline::Store;
use crate::pages::pipeline::acts::save_transform;
use crate::pages::pipeline::queries::Pipeline;

/// What a pipeline has saved.
pub fn saved_of(pipeline: &Pipeline) -> Saved {
    Saved {
        steps: pipeline.steps.iter().map(|step| step.0.clone()).collect(),
        time_field: pipeline.time_field.clone(),
    }
}

/// Loads what is saved, and again when it was changed elsewhere and nothing is lost by it.
pub fn follow(desk: Desk, store: Store) {
    desk.load(store.pipeline.with_untracked(saved_of));
    let saved = Memo::new(move |_| store.pipeline.with(saved_of));
    Effect::new(move || {
        let saved = saved.get();
        if saved == desk.saved.get_untracked() {
            return;
        }
        if untrack(|| desk.is_dirty()) {
            desk.saved.set(saved);
        } else {
            desk.load(saved);
        }
    });
}

/// Says that there are changes, and saves or discards them.
#[component]
pub fn SaveChanges(
    /// What is edited.
    desk: Desk,
    /// The pipeline.
    store: Store,
) -> impl IntoView {
    let busy = RwSignal::new(false);
    let failure = RwSignal::new(None::<String>);
    let (discards, leaving) = (RwSignal::new(false), RwSignal::new(None::<String>));
    let toasts = use_toasts();
    let is_dirty = Memo::new(move |_| desk.is_dirty());
    guard_leaving(
        is_dirty.into(),
        Callback::new(move |href| leaving.set(Some(href))),
    );

    let first_problem = move || {
        let found = desk.problems.with_untracked(|problems| {
            let steps = problems
                .iter()
                .filter_map(|problem| checks::step_of(&problem.at));
            steps.min()
        });
        found.map(|index| {
            let content = desk.content.get_untracked();
            (index, content.steps.get(index).map(|step| step.key))
        })
    };
    let save = move || {
        failure.set(None);
        desk.insists.set(true);
        if let Some((index, key)) = first_problem() {
            failure.set(Some(format!(
                "Step {} is not right yet. Look at what is marked there.",
                index + 1
            )));
            desk.open.set(key);
            return;
        }
        let content = desk.content.get_untracked();
        let documents = content
            .steps
            .iter()
            .map(|step| Json((*step.document).clone()));
        let (documents, time_field) = (documents.collect(), content.time_field.clone());
        busy.set(true);
        spawn_local(async move {
            let id = store
                .pipeline
                .with_untracked(|pipeline| pipeline.id.clone());
            let answer = save_transform(id, documents, time_field).await;
            if busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok((Some(pipeline), _)) => {
                    desk.load(saved_of(&pipeline));
                    store.replace(pipeline);
                    toasts.success("The transform is saved. Records from now on go through it.");
                }
                Ok((None, errors)) => place(desk, failure, problems_of(&errors)),
                Err(error) => failure.set(Some(error.message)),
            }
        });
    };
    let discard = move || {
        failure.set(None);
        desk.load(desk.saved.get_untracked());
    };
    let navigate = use_navigate();
    let leave = move || {
        let href = leaving.get_untracked();
        leaving.set(None);
        discard();
        if let Some(href) = href {
            navigate(&href, NavigateOptions::default());
        }
    };
    view! {
        <Show when=move || is_dirty.get()>
            <div class="save-bar" data-testid="save-bar">
                <FormError error=failure/>
                <span class="small muted">"Changes that are not saved yet"</span>
                <Button on_click=move || discards.set(true) test_id="discard">"Discard"</Button>
                <Button kind=ButtonKind::Primary busy on_click=save test_id="save">"Save"</Button>
            </div>
        </Show>
        <ConfirmDialog
            open=discards
            on_close=move || discards.set(false)
            title="Discard your changes?"
            message="The steps become what they were when they were saved last."
            confirm="Discard changes"
            on_confirm=move || {
                discards.set(false);
                discard();
            }
        />
        <ConfirmDialog
            open=Signal::derive(move || leaving.with(Option::is_some))
            on_close=move || leaving.set(None)
            title="Leave without saving?"
            message="The changes to this transform are not saved yet."
            confirm="Discard changes"
            on_confirm=leave
        />
    }
}

/// Shows what the server wants to be put right at its step, and opens the first.
fn place(desk: Desk, failure: RwSignal<Option<String>>, problems: Vec<Problem>) {
    let first = problems
        .iter()
        .find_map(|problem| checks::step_of(&problem.at));
    let elsewhere =
        |problem: &&Problem| checks::step_of(&problem.at).is_none() && problem.at != "timeField";
    let general = problems
        .iter()
        .find(elsewhere)
        .map(|problem| problem.message.clone());
    let words = match (general, first) {
        (Some(general), _) => general,
        (None, Some(index)) => format!("Step {} cannot be saved like this.", index + 1),
        (None, None) => "Choose another time field.".to_owned(),
    };
    failure.set(Some(words));
    let key = first.and_then(|index| {
        desk.content
            .with_untracked(|content| content.steps.get(index).map(|step| step.key))
    });
    if key.is_some() {
        desk.open.set(key);
    }
    desk.refused.set(problems);
}
