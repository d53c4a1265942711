//! A sink while somebody fills in its form.

use leptos::prelude::*;

use super::changes::{
    EmailSinkInput, EmailTimingInput, HeaderInput, HttpSinkInput, SinkBatchInput, SinkFilterInput,
    SinkTargetInput, SlackSinkInput, WebhookSinkInput, ZapierSinkInput,
};
use super::operations::{
    DigestPeriod, EmailWhen, HttpMethod, Sink, SinkBatch, SinkKind, SinkTarget,
};
use crate::components::header_editor::HeaderDraft;
use crate::format::time_zone;

/// The form's fields. Those of other kinds keep what was typed.
#[derive(Clone, Copy, Debug)]
pub struct Draft {
    pub kind: RwSignal<SinkKind>,
    pub name: RwSignal<String>,
    /// The address. That of Slack and Zapier is a secret: empty keeps the stored one.
    pub url: RwSignal<String>,
    pub method: RwSignal<HttpMethod>,
    pub headers: HeaderDraft,
    pub content_type: RwSignal<String>,
    pub body: RwSignal<String>,
    pub event_type: RwSignal<String>,
    pub batch_records: RwSignal<String>,
    pub batch_seconds: RwSignal<String>,
    pub to: RwSignal<String>,
    pub subject: RwSignal<String>,
    pub message: RwSignal<String>,
    pub when: RwSignal<EmailWhen>,
    pub every: RwSignal<DigestPeriod>,
    pub minutes: RwSignal<String>,
    pub at_hour: RwSignal<String>,
    pub quiet_minutes: RwSignal<String>,
    pub formula: RwSignal<String>,
}

fn text(text: &str) -> RwSignal<String> {
    RwSignal::new(text.to_owned())
}

impl Draft {
    /// An empty form.
    pub fn new() -> Self {
        Self {
            kind: RwSignal::new(SinkKind::Webhook),
            name: text(""),
            url: text(""),
            method: RwSignal::new(HttpMethod::Post),
            headers: HeaderDraft::new(),
            content_type: text("application/json"),
            body: text("{{json}}"),
            event_type: text("record.created"),
            batch_records: text("1"),
            batch_seconds: text("0"),
            to: text(""),
            subject: text("New record in {{pipeline.name}}"),
            message: text("{{json}}"),
            when: RwSignal::new(EmailWhen::EachRecord),
            every: RwSignal::new(DigestPeriod::Day),
            minutes: text("15"),
            at_hour: text("9"),
            quiet_minutes: text("60"),
            formula: text(""),
        }
    }

    /// Begins a sink of a kind.
    pub fn choose(self, kind: SinkKind) {
        self.kind.set(kind);
        if kind == SinkKind::Slack {
            let message = "New record in *{{pipeline.name}}*: {{json}}";
            self.message.set(message.to_owned());
        }
    }

    /// Starts from a sink that is there.
    pub fn load(self, sink: &Sink) {
        self.kind.set(sink.kind);
        self.name.set(sink.name.clone());
        self.url.set(String::new());
        let formula = sink
            .filter
            .as_ref()
            .and_then(|filter| filter.formula.clone());
        self.formula.set(formula.unwrap_or_default());
        match &sink.target {
            SinkTarget::HttpSink(http) => {
                self.url.set(http.url.clone());
                self.method.set(http.method);
                self.headers.load(&http.header_names);
                self.content_type.set(http.content_type.clone());
                self.body.set(http.body.clone());
                self.load_batch(http.batch);
            }
            SinkTarget::WebhookSink(webhook) => {
                self.url.set(webhook.url.clone());
                self.event_type.set(webhook.event_type.clone());
                self.load_batch(webhook.batch);
            }
            SinkTarget::EmailSink(email) => {
                self.to.set(email.to.join(", "));
                self.subject.set(email.subject.clone());
                self.message.set(email.message.clone());
                let timing = &email.timing;
                self.when.set(timing.when);
                if let Some(every) = timing.every {
                    self.every.set(every);
                }
                let set = |field: RwSignal<String>, number: Option<i32>| {
                    if let Some(number) = number {
                        field.set(number.to_string());
                    }
                };
                set(self.minutes, timing.minutes);
                set(self.at_hour, timing.at_hour);
                set(self.quiet_minutes, timing.quiet_minutes);
            }
            SinkTarget::SlackSink(slack) => self.message.set(slack.message.clone()),
            SinkTarget::ZapierSink(zapier) => self.load_batch(zapier.batch),
            SinkTarget::Other => {}
        }
    }

    fn load_batch(self, batch: SinkBatch) {
        self.batch_records.set(batch.records.to_string());
        self.batch_seconds.set(batch.seconds.to_string());
    }

    fn batch(self) -> SinkBatchInput {
        SinkBatchInput {
            records: number(self.batch_records),
            seconds: number(self.batch_seconds),
        }
    }

    /// What is sent to the API; tracked.
    pub fn target(self) -> SinkTargetInput {
        let secret_url = || Some(self.url.get()).filter(|url| !url.trim().is_empty());
        match self.kind.get() {
            SinkKind::Http => SinkTargetInput::Http(HttpSinkInput {
                method: self.method.get(),
                url: self.url.get(),
                headers: self
                    .headers
                    .values()
                    .into_iter()
                    .map(|(name, value)| HeaderInput { name, value })
                    .collect(),
                content_type: self.content_type.get(),
                body: self.body.get(),
                batch: Some(self.batch()),
            }),
            SinkKind::Webhook => SinkTargetInput::Webhook(WebhookSinkInput {
                url: self.url.get(),
                event_type: self.event_type.get(),
                batch: Some(self.batch()),
            }),
            SinkKind::Email => SinkTargetInput::Email(EmailSinkInput {
                to: recipients(&self.to.get()),
                subject: self.subject.get(),
                message: self.message.get(),
                timing: EmailTimingInput {
                    when: self.when.get(),
                    every: Some(self.every.get()),
                    minutes: Some(number(self.minutes)),
                    at_hour: Some(number(self.at_hour)),
                    time_zone: Some(time_zone()),
                    quiet_minutes: Some(number(self.quiet_minutes)),
                },
            }),
            SinkKind::Slack => SinkTargetInput::Slack(SlackSinkInput {
                url: secret_url(),
                message: self.message.get(),
            }),
            SinkKind::Zapier => SinkTargetInput::Zapier(ZapierSinkInput {
                url: secret_url(),
                batch: Some(self.batch()),
            }),
        }
    }

    /// Which records go there; tracked.
    pub fn filter(self) -> Option<SinkFilterInput> {
        let formula = self.formula.get().trim().to_owned();
        (!formula.is_empty()).then_some(SinkFilterInput {
            formula: Some(formula),
        })
    }
}

/// A number as typed; what is none is one that the server refuses.
fn number(field: RwSignal<String>) -> i32 {
    field.with(|text| text.trim().parse().unwrap_or(-1))
}

/// Addresses with commas, spaces or line breaks between.
fn recipients(text: &str) -> Vec<String> {
    text.split([',', ';', ' ', '\n'])
        .map(str::trim)
        .filter(|address| !address.is_empty())
        .map(str::to_owned)
        .collect()
}
