//! Making a new dashboard: its name, and the pipeline whose fields suggest its widgets.

use cynic::MutationBuilder;
use dash_shared::check_name;
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::{
    api::{self, errors::FormErrors},
    components::{
        Button, ButtonKind, Dialog, DialogSize, Field, FormError, Input, Select, SelectOption, bind,
    },
    pages::dashboard::operations::{
        CreateDashboard, CreateDashboardInput, CreateDashboardVariables,
    },
    session::{Session, use_session},
};

/// The choice of a dashboard without widgets.
const EMPTY: &str = "";

/// Asks for what a dashboard needs, makes it and opens it.
#[component]
pub fn NewDialog(
    /// Whether it is open.
    open: RwSignal<bool>,
) -> impl IntoView {
    let (session, navigate) = (use_session(), use_navigate());
    let name = RwSignal::new(String::new());
    let pipeline = RwSignal::new(EMPTY.to_owned());
    let busy = RwSignal::new(false);
    let errors = FormErrors::new();
    let pipelines = pipelines_of(session);
    Effect::new(move |_| {
        if open.get() {
            errors.clear();
            name.set(String::new());
            let first = pipelines.with_untracked(|all| all.first().map(|(id, _)| id.clone()));
            pipeline.set(first.unwrap_or_default());
        }
    });
    let options = Signal::derive(move || options_of(pipelines.get()));
    let create = move || {
        let checked = match check_name("name", "dashboard", &name.get_untracked()) {
            Ok(checked) => checked,
            Err(invalid) => {
                errors.clear();
                errors.add_invalid(&invalid);
                return;
            }
        };
        let navigate = navigate.clone();
        let input = CreateDashboardInput {
            name: checked,
            pipeline_id: Some(pipeline.get_untracked())
                .filter(|id| id != EMPTY)
                .map(cynic::Id::new),
        };
        busy.set(true);
        spawn_local(async move {
            let made = make(input, errors).await;
            busy.set(false);
            if let Some(id) = made {
                open.set(false);
                session.refresh_directory();
                navigate(&format!("/dashboards/{id}"), NavigateOptions::default());
            }
        });
    };
    let submit = create.clone();
    let footer = move || {
        let create = create.clone();
        view! {
            <Button on_click=move || open.set(false)>"Cancel"</Button>
            <Button kind=ButtonKind::Primary busy=busy on_click=create test_id="create-dashboard">
                "Create dashboard"
            </Button>
        }
    };
    view! {
        <Dialog
            open=open
            on_close=move || open.set(false)
            title="New dashboard"
            size=DialogSize::Small
            footer
            test_id="new-dashboard-dialog"
        >
            <form
                class="stack"
                on:submit={
                    let submit = submit.clone();
                    move |event| {
                        event.prevent_default();
                        submit();
                    }
                }
            >
                <FormError error=errors.other(&["name"])/>
                <Field label="Name" error=errors.field("name")>
                    <Input
                        value=name
                        on_input=bind(name)
                        placeholder="Web shop"
                        autofocus=true
                        test_id="dashboard-name"
                    />
                </Field>
                <Field
                    label="Widgets"
                    hint=Signal::derive(|| "They can all be changed later.".to_owned())
                >
                    <Select
                        value=pipeline
                        on_change=bind(pipeline)
                        options
                        test_id="dashboard-pipeline"
                    />
                </Field>
            </form>
        </Dialog>
    }
}

/// The ids and names of the team's pipelines.
fn pipelines_of(session: Session) -> Memo<Vec<(String, String)>> {
    Memo::new(move |_| {
        session.directory().map_or_else(Vec::new, |directory| {
            let nodes = directory.pipelines.nodes.into_iter();
            nodes
                .map(|node| (node.id.into_inner(), node.name))
                .collect()
        })
    })
}

fn options_of(pipelines: Vec<(String, String)>) -> Vec<SelectOption> {
    let named =
        |(id, name): (String, String)| SelectOption::new(id, format!("Suggested for “{name}”"));
    let empty = SelectOption::new(EMPTY, "None: I add them myself");
    pipelines.into_iter().map(named).chain([empty]).collect()
}

/// Makes the dashboard and returns its id; what is wrong is shown by the form.
async fn make(input: CreateDashboardInput, errors: FormErrors) -> Option<String> {
    match api::run(CreateDashboard::build(CreateDashboardVariables { input })).await {
        Ok(answer) => {
            let payload = answer.create_dashboard;
            let refused = errors.set_user_errors(&payload.user_errors);
            let made = payload.dashboard.filter(|_| !refused)?;
            Some(made.id.into_inner())
        }
        Err(error) => {
            errors.set_api_error(&error);
            None
        }
    }
}
