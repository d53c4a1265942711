//! How sinks and deliveries are talked about.

use dash_shared::plans::Plan;
use dash_shared::sinks as shared;

use super::operations::{DeliveryState, Sink, SinkDisabledReason, SinkKind, SinkState, SinkTarget};
use crate::components::{Icon, Tone};
use crate::format::{plural, whole};

impl SinkKind {
    /// All kinds, in the order in which they are offered.
    pub const ALL: [Self; 5] = [
        Self::Webhook,
        Self::Http,
        Self::Email,
        Self::Slack,
        Self::Zapier,
    ];

    /// The same in the shared words.
    pub const fn shared(self) -> shared::SinkKind {
        match self {
            Self::Http => shared::SinkKind::Http,
            Self::Webhook => shared::SinkKind::Webhook,
            Self::Email => shared::SinkKind::Email,
            Self::Slack => shared::SinkKind::Slack,
            Self::Zapier => shared::SinkKind::Zapier,
        }
    }

    /// The word that the API has for it in inputs.
    pub const fn word(self) -> &'static str {
        self.shared().as_str()
    }

    pub const fn name(self) -> &'static str {
        self.shared().name()
    }

    pub const fn icon(self) -> Icon {
        match self {
            Self::Webhook => Icon::Webhook,
            Self::Http => Icon::Globe,
            Self::Email => Icon::Bell,
            Self::Slack => Icon::Link,
            Self::Zapier => Icon::Spark,
        }
    }

    /// What it does, in a sentence.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Webhook => "Signed JSON to your server, ready to verify.",
            Self::Http => "Any request to any API, made of a template.",
            Self::Email => "A mail for each record, a digest, or on a condition.",
            Self::Slack => "A message in a channel.",
            Self::Zapier => "Starts a Zap with every record.",
        }
    }

    /// The smallest plan that has it, where the plan at hand does not.
    pub fn needs(self, plan: Plan) -> Option<Plan> {
        let kind = self.shared();
        let has = plan.limits().sinks.contains(&kind);
        (!has).then(|| Plan::with_sink(kind)).flatten()
    }
}

/// How a sink is: the colour and the word.
pub const fn state(sink: &Sink) -> (Tone, &'static str) {
    match (sink.state, sink.disabled_reason) {
        (SinkState::Enabled, _) => (Tone::Ok, "sending"),
        (SinkState::Failing, _) => (Tone::Bad, "failing"),
        (_, Some(SinkDisabledReason::ByHand) | None) => (Tone::Neutral, "off"),
        (_, Some(_)) => (Tone::Warn, "switched off"),
    }
}

/// Why a sink is off, and what to do.
pub const fn disabled(reason: SinkDisabledReason) -> &'static str {
    match reason {
        SinkDisabledReason::ByHand => {
            "It is off. Records wait, for as long as they are kept; switch it on to send them."
        }
        SinkDisabledReason::Gone => {
            "The target answered 410 Gone: it wants no more records. Check the address, then switch it on."
        }
        SinkDisabledReason::Failing => {
            "The target failed for five days. Mend it, send a test, then switch the sink on: it goes on where it stopped."
        }
        SinkDisabledReason::Plan => "Your plan does not include this kind of sink any more.",
    }
}

/// Where a sink sends to, in a line.
pub fn target(sink: &Sink) -> String {
    match &sink.target {
        SinkTarget::HttpSink(http) => http.url.clone(),
        SinkTarget::WebhookSink(webhook) => webhook.url.clone(),
        SinkTarget::EmailSink(email) => email.to.join(", "),
        SinkTarget::SlackSink(_) => "a channel of Slack".to_owned(),
        SinkTarget::ZapierSink(_) => "a hook of Zapier".to_owned(),
        SinkTarget::Other => String::new(),
    }
}

/// What waits to be sent.
pub fn lag(sink: &Sink) -> Option<String> {
    let lag = whole(sink.counts.lag_records);
    (lag > 0).then(|| format!("{} waiting", plural(lag, "record", "records")))
}

/// How a delivery ended: the colour and the word.
pub const fn delivery(state: DeliveryState, attempts: i32) -> (Tone, &'static str) {
    match state {
        DeliveryState::Pending if attempts > 0 => (Tone::Warn, "trying again"),
        DeliveryState::Pending => (Tone::Neutral, "waiting"),
        DeliveryState::Delivered => (Tone::Ok, "delivered"),
        DeliveryState::Failed => (Tone::Bad, "failed"),
        DeliveryState::Dead => (Tone::Bad, "given up"),
        DeliveryState::Skipped => (Tone::Neutral, "skipped"),
    }
}
