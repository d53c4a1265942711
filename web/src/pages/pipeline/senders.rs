//! Who may send to a webhook: which service signs how, its secret and the one before, and what names
//! a delivery. A part of its own, under the URL of a new webhook and on the tab “Source”.

mod operations;
mod words;

use cynic::{MutationBuilder, QueryBuilder};
use leptos::{prelude::*, task::spawn_local};

use self::operations::{
    IdempotencyInput, RemoveSecret, RotateSecret, RotateSecretVariables, SaveSenders,
    SaveSendersVariables, SendersInput, SendersOf, SendersQuery, SendersSource, SendersSourceInput,
    SendersVariables, SignatureInput, SourceOfSenders, WebhookEncoding, WebhookHash,
    WebhookIdempotencyKind, WebhookSignatureScheme as Scheme,
};
use super::acts::place_errors;
use crate::api::{self, ApiError, FormErrors, UserError};
use crate::components::{
    Banner, Button, ButtonKind, ButtonSize, Card, CodeBlock, ConfirmDialog, CopyButton, ErrorPanel,
    Field, FormError, Input, Select, SelectOption, Skeleton, Tone, bind, use_toasts,
};
use crate::session::use_session;
use dash_shared::plans::Plan;
use dash_shared::sources::webhook::SECRET_HEADER;

/// What the form places itself.
const SHOWN_ERRORS: [&str; 6] = [
    "signature.secret",
    "signature.header",
    "signature.prefix",
    "idempotency.header",
    "idempotency.path",
    "secret",
];

/// What is entered.
#[derive(Clone, Copy, Debug)]
struct Form {
    scheme: RwSignal<String>,
    header: RwSignal<String>,
    hash: RwSignal<String>,
    encoding: RwSignal<String>,
    prefix: RwSignal<String>,
    secret: RwSignal<String>,
    by: RwSignal<String>,
    name_header: RwSignal<String>,
    path: RwSignal<String>,
}

impl Form {
    fn new() -> Self {
        let text = || RwSignal::new(String::new());
        Self {
            scheme: text(),
            header: text(),
            hash: text(),
            encoding: text(),
            prefix: text(),
            secret: text(),
            by: text(),
            name_header: text(),
            path: text(),
        }
    }

    fn load(self, source: &SendersSource) {
        let (signature, names) = (&source.signature, &source.idempotency);
        self.scheme.set(words::word(signature.scheme).to_owned());
        self.header
            .set(signature.header.clone().unwrap_or_default());
        let is_512 = signature.hash == Some(WebhookHash::Sha512);
        self.hash
            .set(if is_512 { "sha512" } else { "sha256" }.to_owned());
        let is_base64 = signature.encoding == Some(WebhookEncoding::Base64);
        self.encoding
            .set(if is_base64 { "base64" } else { "hex" }.to_owned());
        self.prefix
            .set(signature.prefix.clone().unwrap_or_default());
        self.secret.set(String::new());
        self.by.set(by_word(names.by).to_owned());
        self.name_header
            .set(names.header.clone().unwrap_or_default());
        self.path.set(names.path.clone().unwrap_or_default());
    }

    /// What to save; `has_secret` is whether there is one for the scheme already.
    fn input(self, has_secret: bool) -> SendersSourceInput {
        let scheme = words::scheme(&self.scheme.get_untracked());
        let text = |signal: RwSignal<String>| {
            let text = signal.get_untracked().trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        let secret = text(self.secret);
        let by = by_kind(&self.by.get_untracked());
        let is_made = secret.is_none() && !has_secret && !words::comes_from_sender(scheme);
        SendersSourceInput::Webhook(SendersInput {
            signature: Some(SignatureInput {
                scheme,
                header: text(self.header),
                hash: match self.hash.get_untracked().as_str() {
                    "sha512" => WebhookHash::Sha512,
                    _ => WebhookHash::Sha256,
                },
                encoding: match self.encoding.get_untracked().as_str() {
                    "base64" => WebhookEncoding::Base64,
                    _ => WebhookEncoding::Hex,
                },
                prefix: text(self.prefix).unwrap_or_default(),
                generate_secret: is_made && scheme != Scheme::None,
                secret,
            }),
            idempotency: Some(IdempotencyInput {
                by,
                header: text(self.name_header),
                path: text(self.path),
            }),
        })
    }
}

const fn by_word(kind: WebhookIdempotencyKind) -> &'static str {
    match kind {
        WebhookIdempotencyKind::UsualHeaders => "usual",
        WebhookIdempotencyKind::Header => "header",
        WebhookIdempotencyKind::BodyPath => "body",
        WebhookIdempotencyKind::RecordPath => "record",
    }
}

fn by_kind(word: &str) -> WebhookIdempotencyKind {
    match word {
        "header" => WebhookIdempotencyKind::Header,
        "body" => WebhookIdempotencyKind::BodyPath,
        "record" => WebhookIdempotencyKind::RecordPath,
        _ => WebhookIdempotencyKind::UsualHeaders,
    }
}

/// The card.
#[component]
pub fn Senders(
    /// The pipeline.
    id: cynic::Id,
    /// The webhook's address.
    url: String,
) -> impl IntoView {
    let loaded = RwSignal::new(None::<Result<SendersSource, ApiError>>);
    let variables = SendersVariables { id: id.clone() };
    spawn_local(async move {
        let answer = api::run(SendersQuery::build(variables)).await;
        let source = answer.map(|answer| webhook_of(answer.pipeline));
        let _gone = loaded.try_set(source.transpose());
    });
    view! {
        <Card title="Verify the sender" test_id="senders">
            {move || match loaded.get() {
                None => view! { <Skeleton height="120px"/> }.into_any(),
                Some(Err(error)) => view! { <ErrorPanel error/> }.into_any(),
                Some(Ok(source)) => view! { <SendersForm id=id.clone() url=url.clone() source/> }.into_any(),
            }}
        </Card>
    }
    .into_any()
}

fn webhook_of(pipeline: SendersOf) -> Option<SendersSource> {
    match pipeline.source {
        SourceOfSenders::WebhookSource(source) => Some(source),
        SourceOfSenders::Other => None,
    }
}

#[component]
fn SendersForm(id: cynic::Id, url: String, source: SendersSource) -> impl IntoView {
    let form = Form::new();
    form.load(&source);
    let saved = RwSignal::new(source);
    let (errors, toasts) = (FormErrors::new(), use_toasts());
    let (busy, made) = (RwSignal::new(false), RwSignal::new(None::<String>));
    let scheme = Memo::new(move |_| words::scheme(&form.scheme.get()));
    let has_secret = Memo::new(move |_| {
        saved.with(|saved| saved.signature.has_secret && saved.signature.scheme == scheme.get())
    });
    // Shows how an act of the API ended; true when it succeeded.
    let take = move |pipeline: Option<SendersOf>, problems: Vec<UserError>| {
        place_errors(errors, &problems);
        match pipeline.and_then(webhook_of) {
            Some(source) => {
                form.load(&source);
                saved.set(source);
                true
            }
            None => false,
        }
    };
    let save = {
        let id = id.clone();
        move || {
            let variables = SaveSendersVariables {
                id: id.clone(),
                source: form.input(has_secret.get_untracked()),
            };
            busy.set(true);
            spawn_local(async move {
                match api::run(SaveSenders::build(variables)).await {
                    Ok(SaveSenders { update_pipeline }) => {
                        if take(update_pipeline.pipeline, update_pipeline.user_errors) {
                            made.set(update_pipeline.webhook_secret);
                            toasts.success("Saved. The next delivery is checked like this.");
                        }
                    }
                    Err(error) => errors.set_api_error(&error),
                }
                busy.set(false);
            });
        }
    };
    let header = Signal::derive(move || {
        let header = form.header.get();
        if header.trim().is_empty() {
            SECRET_HEADER.to_owned()
        } else {
            header
        }
    });
    let code = Signal::derive(move || words::code(scheme.get(), &url, &header.get()));
    view! {
        <form
            class="stack"
            novalidate
            on:submit=move |event| {
                event.prevent_default();
                save();
            }
        >
            <FormError error=errors.other_than(|at| SHOWN_ERRORS.contains(&at))/>
            <Field label="Who sends" hint="Choose the service. Dash then takes only what it has signed.">
                <Select
                    value=form.scheme
                    on_change=Callback::new(move |word| {
                        errors.clear();
                        made.set(None);
                        form.scheme.set(word);
                    })
                    options=words::options()
                    test_id="sender-scheme"
                />
            </Field>
            <Show when=move || matches!(scheme.get(), Scheme::SharedSecret | Scheme::Hmac)>
                <HeaderFields form scheme errors/>
            </Show>
            <Show when=move || scheme.get() != Scheme::None && !has_secret.get()>
                <SecretField form scheme errors at="signature.secret"/>
            </Show>
            <MadeSecret made/>
            <Names form errors/>
            <div class="row">
                <Button kind=ButtonKind::Primary submit=true busy test_id="save-senders">"Save"</Button>
            </div>
        </form>
        <Show when=move || has_secret.get()>
            <Secrets id=id.clone() form scheme saved errors made/>
        </Show>
        <Show when=move || scheme.get() != Scheme::None>
            <CodeBlock code label="Code that sends a signed event" test_id="signed-snippet"/>
        </Show>
        <Facts/>
    }
    .into_any()
}

#[component]
fn HeaderFields(form: Form, scheme: Memo<Scheme>, errors: FormErrors) -> impl IntoView {
    view! {
        <Field label="Header" error=errors.field("signature.header")>
            <Input value=form.header on_input=bind(form.header) mono=true placeholder=SECRET_HEADER test_id="sender-header"/>
        </Field>
        <Show when=move || scheme.get() == Scheme::Hmac>
            <div class="row">
                <Field label="Hash">
                    <Select value=form.hash on_change=bind(form.hash) options=vec![
                        SelectOption::new("sha256", "SHA-256"),
                        SelectOption::new("sha512", "SHA-512"),
                    ]/>
                </Field>
                <Field label="Written as">
                    <Select value=form.encoding on_change=bind(form.encoding) options=vec![
                        SelectOption::new("hex", "Hexadecimal"),
                        SelectOption::new("base64", "Base64"),
                    ]/>
                </Field>
                <Field label="Prefix" optional=true error=errors.field("signature.prefix")>
                    <Input value=form.prefix on_input=bind(form.prefix) mono=true placeholder="sha256="/>
                </Field>
            </div>
        </Show>
    }
    .into_any()
}

#[component]
fn SecretField(
    form: Form,
    scheme: Memo<Scheme>,
    errors: FormErrors,
    at: &'static str,
) -> impl IntoView {
    let hint = Signal::derive(move || words::hint(scheme.get()).to_owned());
    view! {
        <Field label="Secret" hint error=errors.field(at)>
            <Input
                value=form.secret
                on_input=bind(form.secret)
                kind="password"
                autocomplete="off"
                mono=true
                test_id="sender-secret"
            />
        </Field>
    }
    .into_any()
}

/// The secret that Dash made, this once.
#[component]
fn MadeSecret(made: RwSignal<Option<String>>) -> impl IntoView {
    move || {
        made.get().map(|secret| {
            view! {
                <Banner tone=Tone::Warn test_id="made-secret">
                    <p>"Give this secret to the sender now. It is not shown again."</p>
                    <div class="url-box">
                        <code tabindex="0">{secret.clone()}</code>
                        <CopyButton text=Signal::stored(secret) label="Copy secret" test_id="copy-secret"/>
                    </div>
                </Banner>
            }
        })
    }
}

/// The secret that is stored: a new one beside it, and the old one taken away.
#[component]
fn Secrets(
    id: cynic::Id,
    form: Form,
    scheme: Memo<Scheme>,
    saved: RwSignal<SendersSource>,
    errors: FormErrors,
    made: RwSignal<Option<String>>,
) -> impl IntoView {
    let (adding, asking) = (RwSignal::new(false), RwSignal::new(false));
    let (busy, toasts) = (RwSignal::new(false), use_toasts());
    let has_previous =
        Signal::derive(move || saved.with(|saved| saved.signature.has_previous_secret));
    let take = move |pipeline: Option<SendersOf>, problems: &[UserError]| {
        place_errors(errors, problems);
        let source = pipeline.and_then(webhook_of);
        let is_done = source.is_some();
        if let Some(source) = source {
            saved.set(source);
            form.secret.set(String::new());
            adding.set(false);
            asking.set(false);
        }
        is_done
    };
    let add = {
        let id = id.clone();
        move || {
            let secret = form.secret.get_untracked().trim().to_owned();
            let variables = RotateSecretVariables {
                id: id.clone(),
                secret: (!secret.is_empty()).then_some(secret),
            };
            busy.set(true);
            spawn_local(async move {
                match api::run(RotateSecret::build(variables)).await {
                    Ok(RotateSecret {
                        rotate_webhook_secret: rotated,
                    }) => {
                        if take(rotated.pipeline, &rotated.user_errors) {
                            made.set(rotated.secret);
                            toasts.success("Both secrets are good now. Change it at the sender.");
                        }
                    }
                    Err(error) => errors.set_api_error(&error),
                }
                busy.set(false);
            });
        }
    };
    let remove = move || {
        let variables = SendersVariables { id: id.clone() };
        busy.set(true);
        spawn_local(async move {
            match api::run(RemoveSecret::build(variables)).await {
                Ok(RemoveSecret {
                    remove_previous_webhook_secret: removed,
                }) => {
                    if take(removed.pipeline, &removed.user_errors) {
                        toasts.success("The old secret is removed.");
                    }
                }
                Err(error) => toasts.api_error(&error),
            }
            busy.set(false);
        });
    };
    let add = Callback::new(move |()| add());
    view! {
        <div class="stack" data-testid="secrets">
            <p class="small muted">
                {move || if has_previous.get() {
                    "Two secrets are good: the new one and the one before. Remove the old one when the sender has changed."
                } else {
                    "A secret is set. It is stored encrypted and never shown."
                }}
            </p>
            <div class="row">
                <Button size=ButtonSize::Small on_click=move || adding.update(|adding| *adding = !*adding) test_id="add-secret">
                    "Add a new secret, keep the old one"
                </Button>
                <Show when=move || has_previous.get()>
                    <Button size=ButtonSize::Small on_click=move || asking.set(true) test_id="remove-secret">
                        "Remove the old secret"
                    </Button>
                </Show>
            </div>
            <Show when=move || adding.get()>
                <SecretField form scheme errors at="secret"/>
                <div class="row">
                    <Button kind=ButtonKind::Primary size=ButtonSize::Small busy on_click=add test_id="save-secret">
                        "Add the secret"
                    </Button>
                </div>
            </Show>
        </div>
        <ConfirmDialog
            open=asking
            on_close=move || asking.set(false)
            title="Remove the old secret?"
            message="Deliveries that are still signed with it are refused from now on."
            confirm="Remove"
            busy
            on_confirm=Callback::new(move |()| remove())
        />
    }
    .into_any()
}

/// What names a delivery.
#[component]
fn Names(form: Form, errors: FormErrors) -> impl IntoView {
    let options = vec![
        SelectOption::new("usual", "The usual headers (Idempotency-Key, webhook-id …)"),
        SelectOption::new("header", "A header of my choice"),
        SelectOption::new("body", "A value in the body"),
        SelectOption::new("record", "A value in each record"),
    ];
    view! {
        <Field label="What names a delivery" hint="What comes again under the same name is answered, and not stored again.">
            <Select value=form.by on_change=bind(form.by) options test_id="idempotency"/>
        </Field>
        <Show when=move || form.by.get() == "header">
            <Field label="Header with the name" error=errors.field("idempotency.header")>
                <Input value=form.name_header on_input=bind(form.name_header) mono=true placeholder="X-Event-Id" test_id="idempotency-header"/>
            </Field>
        </Show>
        <Show when=move || matches!(form.by.get().as_str(), "body" | "record")>
            <Field label="Path of the name" error=errors.field("idempotency.path")>
                <Input value=form.path on_input=bind(form.path) mono=true placeholder="$.id" test_id="idempotency-path"/>
            </Field>
        </Show>
    }
    .into_any()
}

#[component]
fn Facts() -> impl IntoView {
    let viewer = untrack(|| use_session().viewer());
    let plan = viewer.map_or(Plan::Free, |viewer| viewer.organization.plan.shared());
    let rate = plan.limits().webhook_rate;
    view! {
        <ul class="facts small muted">
            <li>"JSON, NDJSON, CSV and forms are taken, 10 MB and 10,000 records at most."</li>
            <li>{format!("{}: {} deliveries a second, {} at once. More are told to come again.", plan.name(), rate.per_second, rate.burst)}</li>
        </ul>
    }
}
