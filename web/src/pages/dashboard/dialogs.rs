//! Renaming and deleting a dashboard, from its page and from the gallery.

use cynic::MutationBuilder;
use dash_shared::check_name;
use leptos::{prelude::*, task::spawn_local};

use super::{
    operations::{
        Dashboard, DeleteDashboard, DeleteDashboardInput, DeleteDashboardVariables,
        UpdateDashboard, UpdateDashboardInput, UpdateDashboardVariables,
    },
    toolbox::Named,
};
use crate::{
    api::{self, errors::FormErrors},
    components::{
        Button, ButtonKind, ConfirmDialog, Dialog, DialogSize, Field, FormError, Input, bind,
        use_toasts,
    },
    session::use_session,
};

/// Gives a dashboard another name.
#[component]
pub fn RenameDialog(
    /// The dashboard; none while the dialog is closed.
    target: RwSignal<Option<Named>>,
    /// Called with the dashboard as it is then.
    #[prop(into)]
    on_renamed: Callback<Dashboard>,
) -> impl IntoView {
    let session = use_session();
    let name = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let errors = FormErrors::new();
    Effect::new(move |_| {
        target.with(|target| {
            if let Some(target) = target {
                name.set(target.name.clone());
                errors.clear();
            }
        });
    });
    let rename = move || {
        let Some(Named { id, .. }) = target.get_untracked() else {
            return;
        };
        let checked = match check_name("name", "dashboard", &name.get_untracked()) {
            Ok(checked) => checked,
            Err(invalid) => {
                errors.clear();
                errors.add_invalid(&invalid);
                return;
            }
        };
        busy.set(true);
        spawn_local(async move {
            let input = UpdateDashboardInput {
                id: cynic::Id::new(id),
                version: None,
                name: Some(checked),
                range: None,
                widgets: None,
            };
            let answer = api::run(UpdateDashboard::build(UpdateDashboardVariables { input })).await;
            busy.set(false);
            match answer {
                Ok(answer) => {
                    let payload = answer.update_dashboard;
                    if errors.set_user_errors(&payload.user_errors) {
                        return;
                    }
                    target.set(None);
                    session.refresh_directory();
                    if let Some(dashboard) = payload.dashboard {
                        on_renamed.run(dashboard);
                    }
                }
                Err(error) => errors.set_api_error(&error),
            }
        });
    };
    let footer = move || {
        view! {
            <Button on_click=move || target.set(None)>"Cancel"</Button>
            <Button kind=ButtonKind::Primary busy=busy on_click=rename test_id="rename-save">
                "Rename"
            </Button>
        }
    };
    view! {
        <Dialog
            open=Signal::derive(move || target.with(Option::is_some))
            on_close=move || target.set(None)
            title="Rename dashboard"
            size=DialogSize::Small
            footer
            test_id="rename-dialog"
        >
            <form
                class="stack"
                on:submit=move |event| {
                    event.prevent_default();
                    rename();
                }
            >
                <FormError error=errors.other(&["name"])/>
                <Field label="Name" error=errors.field("name")>
                    <Input value=name on_input=bind(name) autofocus=true test_id="rename-name"/>
                </Field>
            </form>
        </Dialog>
    }
}

/// Deletes a dashboard once more asked.
#[component]
pub fn DeleteDialog(
    /// The dashboard; none while the dialog is closed.
    target: RwSignal<Option<Named>>,
    /// Called with the id of the dashboard that is gone.
    #[prop(into)]
    on_deleted: Callback<String>,
) -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let busy = RwSignal::new(false);
    let delete = move || {
        let Some(Named { id, name }) = target.get_untracked() else {
            return;
        };
        busy.set(true);
        spawn_local(async move {
            let input = DeleteDashboardInput {
                id: cynic::Id::new(&id),
            };
            let answer = api::run(DeleteDashboard::build(DeleteDashboardVariables { input })).await;
            busy.set(false);
            match answer {
                Ok(answer) => {
                    if let Some(error) = answer.delete_dashboard.user_errors.first() {
                        toasts.error(error.message.clone());
                        return;
                    }
                    target.set(None);
                    session.refresh_directory();
                    toasts.success(format!("“{name}” was deleted."));
                    on_deleted.run(id);
                }
                Err(error) => toasts.api_error(&error),
            }
        });
    };
    let title = move || {
        target.with(|target| {
            let name = target.as_ref().map(|target| target.name.as_str());
            format!("Delete “{}”?", name.unwrap_or_default())
        })
    };
    view! {
        <ConfirmDialog
            open=Signal::derive(move || target.with(Option::is_some))
            on_close=move || target.set(None)
            title=Signal::derive(title)
            message="The dashboard and its widgets are gone for good. Pipelines and their records stay."
            confirm="Delete dashboard"
            busy=busy
            on_confirm=delete
        />
    }
}
