//! A pipeline of files: a name is all it needs. It is made at once, then takes the first file.

use cynic::MutationBuilder;
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::Draft;
use super::stepper::{Step, Stepper};
use crate::api;
use crate::components::{
    Button, ButtonKind, ButtonLink, ButtonSize, Card, Field, FormError, Input,
};
use crate::pages::pipeline::acts::place_errors;
use crate::pages::pipeline::mutations::{
    CreatePipeline, CreatePipelineInput, CreatePipelineVariables, FileUploadSourceInput,
    SourceInput,
};
use crate::parts;
use crate::session::use_session;

/// The steps.
#[component]
pub fn FileSteps(
    /// What is entered.
    draft: Draft,
    /// The pipeline, once it is made.
    made: Memo<Option<String>>,
) -> impl IntoView {
    let steps = Signal::derive(move || {
        if made.with(Option::is_some) {
            vec![Step::past("Source"), Step::past("Name"), Step::now("File")]
        } else {
            vec![
                Step::done("Source", "/pipelines/new"),
                Step::now("Name"),
                Step::later("File"),
            ]
        }
    });
    view! {
        <Stepper steps/>
        {move || match made.get() {
            Some(id) => view! { <FileStep id/> }.into_any(),
            None => view! { <NameStep draft/> }.into_any(),
        }}
    }
}

#[component]
fn FileStep(id: String) -> impl IntoView {
    let path = format!("/pipelines/{id}");
    view! {
        <div class="step-body wide">
            <header class="step-head">
                <h2 class="headline">"Hand over the first file"</h2>
                <p class="muted">"Its lines become records while it arrives. More files can follow at any time."</p>
            </header>
            {parts::shown(parts::handover(cynic::Id::new(id)))}
            <div class="row step-acts">
                <ButtonLink href=path kind=ButtonKind::Primary size=ButtonSize::Large test_id="go-to-pipeline">
                    "Go to the pipeline"
                </ButtonLink>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn NameStep(draft: Draft) -> impl IntoView {
    let Draft { name, errors, .. } = draft;
    errors.clear();
    let busy = RwSignal::new(false);
    let (session, navigate) = (use_session(), use_navigate());
    let create = move || {
        let name = match dash_shared::check_name("name", "pipeline", &name.get_untracked()) {
            Ok(name) => name,
            Err(invalid) => {
                errors.clear();
                errors.add_invalid(&invalid);
                return;
            }
        };
        let input = CreatePipelineInput {
            name,
            source: SourceInput::FileUpload(FileUploadSourceInput { key_path: None }),
            steps: Vec::new(),
            time_field: None,
        };
        let navigate = navigate.clone();
        busy.set(true);
        spawn_local(async move {
            match api::run(CreatePipeline::build(CreatePipelineVariables { input })).await {
                Ok(answer) => {
                    let payload = answer.create_pipeline;
                    place_errors(errors, &payload.user_errors);
                    if let Some(pipeline) = payload.pipeline {
                        session.refresh_directory();
                        let path = format!("/pipelines/new/file?id={}", pipeline.id.inner());
                        // Going back would make a second one.
                        let options = NavigateOptions {
                            replace: true,
                            ..Default::default()
                        };
                        navigate(&path, options);
                    }
                }
                Err(error) => errors.set_api_error(&error),
            }
            busy.set(false);
        });
    };
    view! {
        <div class="step-body">
            <header class="step-head">
                <h2 class="headline">"Name the pipeline"</h2>
                <p class="muted">"It takes CSV, TSV, NDJSON and JSON files. The next step takes the first one."</p>
            </header>
            <Card>
                <form
                    class="stack"
                    novalidate
                    on:submit=move |event| {
                        event.prevent_default();
                        create();
                    }
                >
                    <FormError error=errors.other(&["name"])/>
                    <Field label="Name" error=errors.field("name")>
                        <Input
                            value=name
                            on_input=Callback::new(move |text| {
                                errors.clear_field("name");
                                name.set(text);
                            })
                            autofocus=true
                            placeholder="Orders of last year"
                            test_id="pipeline-name"
                        />
                    </Field>
                    <div class="row step-acts">
                        <ButtonLink href="/pipelines/new" size=ButtonSize::Large>"Back"</ButtonLink>
                        <Button kind=ButtonKind::Primary size=ButtonSize::Large submit=true busy test_id="create-pipeline">
                            "Continue"
                        </Button>
                    </div>
                </form>
            </Card>
        </div>
    }
    .into_any()
}
