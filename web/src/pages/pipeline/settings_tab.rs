//! The tab “Settings”: the name, how long records are kept, and deleting the pipeline.

use dash_shared::plans::Plan;
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::acts::{Change, delete, update};
use super::backfill::BackfillCard;
use super::save_bar::SaveBar;
use super::use_store;
use crate::api::FormErrors;
use crate::components::{
    Button, ButtonKind, Card, ConfirmDialog, Field, FormError, Icon, Input, Select, SelectOption,
    use_toasts,
};
use crate::format::{date_time, plural};
use crate::session::use_session;

/// The tab.
#[component]
pub fn SettingsTab() -> impl IntoView {
    view! {
        <div class="narrow-page stack">
            <NameCard/>
            <KeepCard/>
            <BackfillCard/>
            <DeleteCard/>
        </div>
    }
}

#[component]
fn NameCard() -> impl IntoView {
    let store = use_store();
    let saved = move || store.pipeline.with(|pipeline| pipeline.name.clone());
    let name = RwSignal::new(untrack(saved));
    let errors = FormErrors::new();
    let busy = RwSignal::new(false);
    let (toasts, session) = (use_toasts(), use_session());
    let save = move || {
        let name = match dash_shared::check_name("name", "pipeline", &name.get_untracked()) {
            Ok(name) => name,
            Err(invalid) => {
                errors.clear();
                errors.add_invalid(&invalid);
                return;
            }
        };
        busy.set(true);
        spawn_local(async move {
            let pipeline = store.pipeline.get_untracked();
            if let Some(changed) = update(&pipeline, Change::Name(name), errors).await {
                store.replace(changed);
                session.refresh_directory();
                toasts.success("The pipeline has a new name.");
            }
            busy.set(false);
        });
    };
    let created = move || {
        store
            .pipeline
            .with(|pipeline| date_time(pipeline.created_at.ms()))
    };
    view! {
        <Card>
            <form
                class="stack"
                on:submit=move |event| {
                    event.prevent_default();
                    save();
                }
            >
                <Field
                    label="Name"
                    error=errors.field("name")
                    hint=Signal::derive(move || format!("Made on {}", created()))
                >
                    <Input
                        value=name
                        on_input=Callback::new(move |text| {
                            errors.clear_field("name");
                            name.set(text);
                        })
                        test_id="pipeline-name"
                    />
                </Field>
                <SaveBar
                    is_dirty=Signal::derive(move || name.get() != saved())
                    busy
                    error=errors.other(&["name"])
                    on_discard=Callback::new(move |()| {
                        errors.clear();
                        name.set(untrack(saved));
                    })
                />
            </form>
        </Card>
    }
    .into_any()
}

/// The choices of how long records are kept, in days.
const DAYS: [u32; 9] = [1, 3, 7, 14, 30, 60, 90, 180, 365];
/// The choice of as long as the plan allows.
const ALLOWED: &str = "";

#[component]
fn KeepCard() -> impl IntoView {
    let (store, session, toasts) = (use_store(), use_session(), use_toasts());
    let errors = FormErrors::new();
    let plan = Memo::new(move |_| {
        let organization = session.viewer()?.organization;
        Some((
            organization.plan.shared(),
            organization.limits.retention_days,
        ))
    });
    let days = move || store.pipeline.with(|pipeline| pipeline.retention_days);
    let chosen =
        Signal::derive(move || days().map_or_else(String::new, |days: i32| days.to_string()));
    let options = Signal::derive(move || {
        let (plan, most) = plan.get().unwrap_or((Plan::Free, Some(0)));
        let allowed = match most {
            Some(most) => format!(
                "As long as {} allows: {}",
                plan.name(),
                plural(most.into(), "day", "days")
            ),
            None => "For good".to_owned(),
        };
        let shorter = DAYS
            .into_iter()
            .filter(|days| plan.limits().retention_days.is_none_or(|most| *days < most))
            .map(|days| SelectOption::new(days.to_string(), plural(days.into(), "day", "days")));
        let mut options = vec![SelectOption::new(ALLOWED, allowed)];
        options.extend(shorter);
        options
    });
    let save = Callback::new(move |word: String| {
        spawn_local(async move {
            let pipeline = store.pipeline.get_untracked();
            let change = Change::Retention(word.parse().unwrap_or(0));
            if let Some(changed) = update(&pipeline, change, errors).await {
                store.replace(changed);
                toasts.success("Saved. What is older goes within the hour.");
            }
        });
    });
    view! {
        <Card title="How long records are kept">
            <Field
                label="After they came in"
                error=errors.field("retentionDays")
                hint=Signal::derive(|| {
                    "Older ones are deleted every hour; dashboards then no longer show them."
                        .to_owned()
                })
            >
                <Select value=chosen on_change=save options test_id="retention"/>
            </Field>
            <FormError error=errors.other(&["retentionDays"])/>
        </Card>
    }
    .into_any()
}

#[component]
fn DeleteCard() -> impl IntoView {
    let store = use_store();
    let (open, busy) = (RwSignal::new(false), RwSignal::new(false));
    let (toasts, session, navigate) = (use_toasts(), use_session(), use_navigate());
    let name = Signal::derive(move || store.pipeline.with(|pipeline| pipeline.name.clone()));
    let go = move || {
        let navigate = navigate.clone();
        let id = store
            .pipeline
            .with_untracked(|pipeline| pipeline.id.clone());
        busy.set(true);
        spawn_local(async move {
            let deleted = delete(id, &name.get_untracked(), toasts).await;
            busy.set(false);
            if deleted {
                open.set(false);
                session.refresh_directory();
                navigate("/pipelines", NavigateOptions::default());
            }
        });
    };
    view! {
        <Card title="Delete this pipeline">
            <div class="row spread">
                <p class="muted small">
                    "Its source, its transform and all of its records are gone for good. Widgets that show them become empty."
                </p>
                <Button kind=ButtonKind::Danger icon=Icon::Trash on_click=move || open.set(true) test_id="delete">
                    "Delete pipeline"
                </Button>
            </div>
            <ConfirmDialog
                open
                on_close=move || open.set(false)
                title=Signal::derive(move || format!("Delete “{}”?", name.get()))
                message=Signal::derive(move || delete_warning(store.stored().0))
                confirm="Delete pipeline"
                typed_name=name
                busy
                on_confirm=Callback::new(move |()| go())
            />
        </Card>
    }
    .into_any()
}

/// What deleting a pipeline with so many records means.
pub fn delete_warning(records: i64) -> String {
    match records {
        0 => "Whoever still posts to it or waits for it gets nothing. This cannot be undone."
            .to_owned(),
        _ => format!(
            "{} will be deleted with it. This cannot be undone.",
            plural(records, "record", "records")
        ),
    }
}
