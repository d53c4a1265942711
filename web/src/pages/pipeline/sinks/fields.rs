//! The form of a sink: the fields of its kind, then the filter.

use leptos::prelude::*;

use super::draft::Draft;
use super::operations::{DigestPeriod, EmailWhen, HttpMethod, SinkKind};
use crate::api::FormErrors;
use crate::components::header_editor::HeaderEditor;
use crate::components::{Choice, Field, Input, Segmented, Select, SelectOption, TextArea, bind};

const METHODS: [(HttpMethod, &str); 4] = [
    (HttpMethod::Post, "POST"),
    (HttpMethod::Put, "PUT"),
    (HttpMethod::Patch, "PATCH"),
    (HttpMethod::Get, "GET"),
];
const TIMINGS: [(EmailWhen, &str, &str); 3] = [
    (EmailWhen::EachRecord, "record", "Each record"),
    (EmailWhen::Digest, "digest", "Digest"),
    (EmailWhen::Condition, "condition", "On a condition"),
];
const PERIODS: [(DigestPeriod, &str, &str); 3] = [
    (DigestPeriod::Minutes, "minutes", "Some minutes"),
    (DigestPeriod::Hour, "hour", "Hour"),
    (DigestPeriod::Day, "day", "Day"),
];
const PLACEHOLDERS: &str =
    "{{total}} is a field, {{json}} the whole record, {{= total * 2 }} a formula.";

/// The fields.
#[component]
pub fn Fields(
    /// What is filled in.
    draft: Draft,
    /// What is wrong with it.
    errors: FormErrors,
    /// Whether the sink is there already: then its secrets are kept.
    is_saved: Signal<bool>,
) -> impl IntoView {
    let of_kind = move || match draft.kind.get() {
        SinkKind::Http => view! { <HttpFields draft errors/> }.into_any(),
        SinkKind::Webhook => view! { <WebhookFields draft errors/> }.into_any(),
        SinkKind::Email => view! { <EmailFields draft errors/> }.into_any(),
        SinkKind::Slack => view! { <SlackFields draft errors is_saved/> }.into_any(),
        SinkKind::Zapier => view! { <ZapierFields draft errors is_saved/> }.into_any(),
    };
    view! {
        <Field label="Name" error=errors.field("name")>
            <Input value=draft.name on_input=bind(draft.name) placeholder="Orders to the warehouse" test_id="sink-name"/>
        </Field>
        {of_kind}
        <Field
            label="Only records where"
            optional=true
            error=errors.field("formula")
            hint=Signal::derive(|| "A formula, like total > 100 and country == \"DE\".".to_owned())
        >
            <Input value=draft.formula on_input=bind(draft.formula) mono=true test_id="sink-filter"/>
        </Field>
    }
    .into_any()
}

#[component]
fn Url(draft: Draft, errors: FormErrors, hint: &'static str) -> impl IntoView {
    view! {
        <Field label="Address" error=errors.field("url") hint=Signal::derive(move || hint.to_owned())>
            <Input value=draft.url on_input=bind(draft.url) kind="url" mono=true placeholder="https://example.com/hooks/dash" test_id="sink-url"/>
        </Field>
    }
    .into_any()
}

#[component]
fn SecretUrl(
    draft: Draft,
    errors: FormErrors,
    is_saved: Signal<bool>,
    hint: &'static str,
) -> impl IntoView {
    let hint = move || {
        if is_saved.get() {
            "The stored address is kept unless you enter another one.".to_owned()
        } else {
            hint.to_owned()
        }
    };
    view! {
        <Field label="Address of the hook" error=errors.field("url") hint=Signal::derive(hint)>
            <Input value=draft.url on_input=bind(draft.url) mono=true placeholder="https://hooks…" test_id="sink-secret-url"/>
        </Field>
    }
    .into_any()
}

#[component]
fn BatchFields(draft: Draft, errors: FormErrors) -> impl IntoView {
    view! {
        <div class="field-row">
            <Field
                label="Records together"
                error=errors.field("batch.records")
                hint=Signal::derive(|| "1 sends each for itself, more a list.".to_owned())
            >
                <Input value=draft.batch_records on_input=bind(draft.batch_records) kind="number" test_id="sink-batch"/>
            </Field>
            <Field
                label="Wait at most, seconds"
                error=errors.field("batch.seconds")
                hint=Signal::derive(|| "For a list to fill.".to_owned())
            >
                <Input value=draft.batch_seconds on_input=bind(draft.batch_seconds) kind="number"/>
            </Field>
        </div>
    }
    .into_any()
}

#[component]
fn HttpFields(draft: Draft, errors: FormErrors) -> impl IntoView {
    let method = Signal::derive(move || {
        let method = draft.method.get();
        let found = METHODS.into_iter().find(|(own, _)| *own == method);
        found.map_or_else(String::new, |(_, word)| word.to_owned())
    });
    let choose = Callback::new(move |word: String| {
        let found = METHODS.into_iter().find(|(_, own)| *own == word);
        if let Some((method, _)) = found {
            draft.method.set(method);
        }
    });
    let options = METHODS
        .map(|(_, word)| SelectOption::new(word, word))
        .to_vec();
    let has_body = move || draft.method.get() != HttpMethod::Get;
    view! {
        <div class="field-row">
            <Field label="Method">
                <Select value=method on_change=choose options=Signal::derive(move || options.clone())/>
            </Field>
            <Field label="Content type" error=errors.field("contentType")>
                <Input value=draft.content_type on_input=bind(draft.content_type) mono=true/>
            </Field>
        </div>
        <Url draft errors hint="The path and query may have placeholders, like /orders/{{id}}."/>
        <HeaderEditor draft=draft.headers errors/>
        <Show when=has_body>
            <Field label="Body" error=errors.field("body") hint=Signal::derive(|| PLACEHOLDERS.to_owned())>
                <TextArea value=draft.body on_input=bind(draft.body) rows=6 mono=true test_id="sink-body"/>
            </Field>
        </Show>
        <BatchFields draft errors/>
    }
    .into_any()
}

#[component]
fn WebhookFields(draft: Draft, errors: FormErrors) -> impl IntoView {
    view! {
        <Url draft errors hint="Every message is signed, after the specification Standard Webhooks."/>
        <Field label="Type of its messages" error=errors.field("eventType")>
            <Input value=draft.event_type on_input=bind(draft.event_type) mono=true/>
        </Field>
        <BatchFields draft errors/>
    }
    .into_any()
}

#[component]
fn SlackFields(draft: Draft, errors: FormErrors, is_saved: Signal<bool>) -> impl IntoView {
    view! {
        <SecretUrl draft errors is_saved hint="Make an incoming webhook in Slack and paste its address. It is encrypted and never shown again."/>
        <Field label="Message" error=errors.field("message") hint=Signal::derive(|| PLACEHOLDERS.to_owned())>
            <TextArea value=draft.message on_input=bind(draft.message) rows=5 mono=true test_id="sink-message"/>
        </Field>
    }
    .into_any()
}

#[component]
fn ZapierFields(draft: Draft, errors: FormErrors, is_saved: Signal<bool>) -> impl IntoView {
    view! {
        <SecretUrl draft errors is_saved hint="Choose “Catch Hook” as the trigger of a Zap and paste its address. It is encrypted and never shown again."/>
        <BatchFields draft errors/>
    }
    .into_any()
}

#[component]
fn EmailFields(draft: Draft, errors: FormErrors) -> impl IntoView {
    let when = Signal::derive(move || {
        let when = draft.when.get();
        let found = TIMINGS.into_iter().find(|(own, ..)| *own == when);
        found.map_or_else(String::new, |(_, word, _)| word.to_owned())
    });
    let choose = Callback::new(move |word: String| {
        let found = TIMINGS.into_iter().find(|(_, own, _)| *own == word);
        if let Some((when, ..)) = found {
            draft.when.set(when);
        }
    });
    let choices = TIMINGS
        .map(|(_, word, label)| Choice::new(word, label))
        .to_vec();
    let timing = move || {
        match draft.when.get() {
        EmailWhen::EachRecord => view! {
            <p class="field-hint">"At most 100 mails an hour; the next ones wait. For busy pipelines a digest is better."</p>
        }
        .into_any(),
        EmailWhen::Digest => view! { <DigestFields draft errors/> }.into_any(),
        EmailWhen::Condition => view! {
            <Field
                label="Then be quiet for, minutes"
                error=errors.field("timing.quietMinutes")
                hint=Signal::derive(|| "A mail is sent when a record meets the condition below.".to_owned())
            >
                <Input value=draft.quiet_minutes on_input=bind(draft.quiet_minutes) kind="number"/>
            </Field>
        }
        .into_any(),
    }
    };
    view! {
        <Field
            label="To"
            error=errors.field("to")
            hint=Signal::derive(|| "Up to 20 addresses, with commas between.".to_owned())
        >
            <Input value=draft.to on_input=bind(draft.to) placeholder="ann@example.com, bob@example.com" test_id="sink-to"/>
        </Field>
        <div class="field">
            <span class="field-label">"When"</span>
            <Segmented label="When" choices value=when on_change=choose/>
        </div>
        {timing}
        <Field label="Subject" error=errors.field("subject")>
            <Input value=draft.subject on_input=bind(draft.subject) mono=true/>
        </Field>
        <Field label="Message for one record" error=errors.field("message") hint=Signal::derive(|| PLACEHOLDERS.to_owned())>
            <TextArea value=draft.message on_input=bind(draft.message) rows=5 mono=true test_id="sink-message"/>
        </Field>
    }
    .into_any()
}

#[component]
fn DigestFields(draft: Draft, errors: FormErrors) -> impl IntoView {
    let every = Signal::derive(move || {
        let every = draft.every.get();
        let found = PERIODS.into_iter().find(|(own, ..)| *own == every);
        found.map_or_else(String::new, |(_, word, _)| word.to_owned())
    });
    let choose = Callback::new(move |word: String| {
        let found = PERIODS.into_iter().find(|(_, own, _)| *own == word);
        if let Some((every, ..)) = found {
            draft.every.set(every);
        }
    });
    let options = PERIODS
        .map(|(_, word, label)| SelectOption::new(word, label))
        .to_vec();
    let more = move || {
        match draft.every.get() {
        DigestPeriod::Minutes => view! {
            <Field label="Minutes" error=errors.field("timing.minutes")>
                <Input value=draft.minutes on_input=bind(draft.minutes) kind="number"/>
            </Field>
        }
        .into_any(),
        DigestPeriod::Hour => ().into_any(),
        DigestPeriod::Day => view! {
            <Field label="At hour" error=errors.field("timing.atHour") hint=Signal::derive(|| "0 to 23, of your time zone.".to_owned())>
                <Input value=draft.at_hour on_input=bind(draft.at_hour) kind="number"/>
            </Field>
        }
        .into_any(),
    }
    };
    view! {
        <div class="field-row">
            <Field label="Every">
                <Select value=every on_change=choose options=Signal::derive(move || options.clone())/>
            </Field>
            {more}
        </div>
    }
    .into_any()
}
