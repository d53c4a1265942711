//! The dialog that adds a sink, step by step, or changes one: the kind, the form beside what it would
//! send, and then the signing secret and a test.

use cynic::MutationBuilder;
use leptos::{prelude::*, task::spawn_local};

use super::changes::{IdVariables, SendTestToSink};
use super::details::tell_errors;
use super::draft::Draft;
use super::fields::Fields;
use super::kinds::Kinds;
use super::operations::{Delivery, DeliveryState, Sink, SinkKind};
use super::preview::PreviewPane;
use super::saving::{KNOWN, Outcome, save, show_errors};
use crate::api::{self, FormErrors};
use crate::components::{
    Banner, Button, ButtonKind, CodeBlock, Dialog, DialogSize, FormError, Icon, Tone, use_toasts,
};
use crate::pages::pipeline::use_store;

/// What the dialog is open for.
#[derive(Clone, Debug, PartialEq)]
pub enum Opened {
    /// A new sink.
    New,
    /// A change of this one.
    Change(Box<Sink>),
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Kind,
    Form,
    /// It was made; with the signing secret of a webhook.
    Made(Box<Sink>, Option<String>),
}

/// The dialog.
#[component]
pub fn Editor(
    /// What it is open for.
    opened: RwSignal<Option<Opened>>,
    /// Told of a sink that was made or changed.
    on_saved: Callback<Sink>,
) -> impl IntoView {
    let draft = StoredValue::new(Draft::new());
    let step = RwSignal::new(Step::Kind);
    let (errors, busy) = (FormErrors::new(), RwSignal::new(false));
    Effect::new(move |_| {
        errors.clear();
        match opened.get() {
            Some(Opened::Change(sink)) => {
                draft.get_value().load(&sink);
                step.set(Step::Form);
            }
            Some(Opened::New) => step.set(Step::Kind),
            None => {}
        }
    });
    let choose = Callback::new(move |kind: SinkKind| {
        let fresh = Draft::new();
        fresh.choose(kind);
        draft.set_value(fresh);
        errors.clear();
        step.set(Step::Form);
    });
    let save = saver(opened, on_saved, draft, step, errors, busy);
    let is_saved = is_change(opened);
    let title = Signal::derive(move || match (opened.get(), step.get()) {
        (Some(Opened::Change(sink)), _) => format!("Change “{}”", sink.name),
        (_, Step::Made(sink, _)) => format!("“{}” is sending", sink.name),
        (_, Step::Form) => format!("Add a sink: {}", draft.get_value().kind.get().name()),
        _ => "Add a sink".to_owned(),
    });
    let footer = move || {
        match step.get() {
        Step::Kind => ().into_any(),
        Step::Form => view! {
            <Show when=move || !is_saved.get()>
                <Button on_click=move || step.set(Step::Kind)>"Back"</Button>
            </Show>
            <Button kind=ButtonKind::Primary busy on_click=save test_id="save-sink">
                {move || if is_saved.get() { "Save" } else { "Add sink" }}
            </Button>
        }
        .into_any(),
        Step::Made(..) => view! {
            <Button kind=ButtonKind::Primary on_click=move || opened.set(None) test_id="sink-done">"Done"</Button>
        }
        .into_any(),
    }
    };
    let content = move || match step.get() {
        Step::Kind => view! {
            <p class="muted">"Every record that is stored is sent on, in order. Where to?"</p>
            <Kinds on_choose=choose/>
        }
        .into_any(),
        Step::Form => view! { <Form draft=draft.get_value() opened errors save/> }.into_any(),
        Step::Made(sink, secret) => view! { <Made sink=*sink secret/> }.into_any(),
    };
    view! {
        <Dialog
            open=Signal::derive(move || opened.with(Option::is_some))
            on_close=Callback::new(move |()| opened.set(None))
            title
            size=DialogSize::Large
            footer
            test_id="sink-dialog"
        >
            {content}
        </Dialog>
    }
    .into_any()
}

fn is_change(opened: RwSignal<Option<Opened>>) -> Signal<bool> {
    Signal::derive(move || opened.with(|opened| matches!(opened, Some(Opened::Change(_)))))
}

fn sink_id(opened: RwSignal<Option<Opened>>) -> Signal<Option<cynic::Id>> {
    Signal::derive(move || match opened.get() {
        Some(Opened::Change(sink)) => Some(sink.id),
        _ => None,
    })
}

/// Saves the form, and goes on to what comes then.
fn saver(
    opened: RwSignal<Option<Opened>>,
    on_saved: Callback<Sink>,
    draft: StoredValue<Draft>,
    step: RwSignal<Step>,
    errors: FormErrors,
    busy: RwSignal<bool>,
) -> Callback<()> {
    let (store, toasts) = (use_store(), use_toasts());
    Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        let changed = sink_id(opened).get_untracked();
        let id = store
            .pipeline
            .with_untracked(|pipeline| pipeline.id.clone());
        busy.set(true);
        spawn_local(async move {
            let draft = draft.get_value();
            match save(&draft, id, changed).await {
                Outcome::Made(sink, secret) => {
                    on_saved.run(sink.clone());
                    step.set(Step::Made(Box::new(sink), secret));
                }
                Outcome::Changed(sink) => {
                    on_saved.run(sink);
                    toasts.success("Saved. What waits is sent as it says now.");
                    opened.set(None);
                }
                Outcome::Refused(found) => show_errors(errors, draft.kind.get_untracked(), found),
                Outcome::Failed(error) => errors.set_api_error(&error),
            }
            busy.set(false);
        });
    })
}

#[component]
fn Form(
    draft: Draft,
    opened: RwSignal<Option<Opened>>,
    errors: FormErrors,
    save: Callback<()>,
) -> impl IntoView {
    let store = use_store();
    let pipeline_id = store
        .pipeline
        .with_untracked(|pipeline| pipeline.id.clone());
    view! {
        <div class="sink-editor">
            <form
                class="stack"
                on:submit=move |event| {
                    event.prevent_default();
                    save.run(());
                }
            >
                <Fields draft errors is_saved=is_change(opened)/>
                <FormError error=errors.other(KNOWN)/>
            </form>
            <PreviewPane draft pipeline_id sink_id=sink_id(opened)/>
        </div>
    }
    .into_any()
}

#[component]
fn Made(sink: Sink, secret: Option<String>) -> impl IntoView {
    let secret = secret.map(|secret| {
        view! {
            <p>"Your server checks messages with this signing secret. Copy it now: it is never shown again."</p>
            <CodeBlock code=secret label="The signing secret" test_id="signing-secret"/>
        }
    });
    view! {
        <div class="stack">
            {secret}
            <p class="muted">"From the next record on, everything is sent. Send the newest record as a test to see whether it arrives:"</p>
            <TestButton id=sink.id/>
        </div>
    }
    .into_any()
}

/// Sends a test, and says what came of it.
#[component]
pub fn TestButton(
    /// The sink.
    id: cynic::Id,
) -> impl IntoView {
    let (busy, toasts) = (RwSignal::new(false), use_toasts());
    let came = RwSignal::new(None::<Delivery>);
    let send = move || {
        let id = id.clone();
        busy.set(true);
        spawn_local(async move {
            match api::run(SendTestToSink::build(IdVariables { id })).await {
                Ok(answer) => {
                    let payload = answer.send_test_to_sink;
                    tell_errors(&payload.user_errors, toasts);
                    came.set(payload.delivery);
                }
                Err(error) => toasts.api_error(&error),
            }
            busy.set(false);
        });
    };
    let result = move || {
        came.get().map(|delivery| {
            let arrived = delivery.state == DeliveryState::Delivered;
            let (tone, text) = match (arrived, delivery.status, delivery.error) {
                (true, Some(status), _) => (
                    Tone::Ok,
                    format!("It arrived: the target answered {status}."),
                ),
                (true, None, _) => (Tone::Ok, "It is on its way.".to_owned()),
                (false, _, error) => (Tone::Bad, error.unwrap_or_default()),
            };
            view! { <Banner tone test_id="test-result">{text}</Banner> }
        })
    };
    view! {
        <div class="stack">
            <div class="row"><Button icon=Icon::Play busy on_click=send test_id="send-test">"Send a test"</Button></div>
            <div aria-live="polite">{result}</div>
        </div>
    }
    .into_any()
}
