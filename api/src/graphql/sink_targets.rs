//! What sinks do, as it is shown and as it is entered.

use async_graphql::{Enum, InputObject, OneofObject, SimpleObject, Union};
use dash_shared::sinks::{self, SinkDefinition, Target};

use super::errors::{UserError, UserErrorCode};
use super::queries::Filter;
use super::sources::HeaderInput;
use crate::sinks::{NewHeader, NewSecrets};

/// A kind of sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "sinks::SinkKind")]
pub enum SinkKind {
    /// Any HTTP request, made of a template.
    Http,
    /// A webhook that is signed after the specification Standard Webhooks.
    Webhook,
    /// E-mail.
    Email,
    /// A message in a channel of Slack.
    Slack,
    /// A hook of Zapier, or of anything that works like it.
    Zapier,
}

/// A method of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "sinks::Method")]
pub enum HttpMethod {
    /// Adds something.
    Post,
    /// Replaces something.
    Put,
    /// Changes something.
    Patch,
    /// Asks for something; it has no body.
    Get,
}

/// Where records go, and how they look there.
#[derive(Debug, Union)]
pub enum SinkTarget {
    /// Any HTTP request.
    Http(HttpSink),
    /// A signed webhook.
    Webhook(WebhookSink),
    /// E-mail.
    Email(EmailSink),
    /// A channel of Slack.
    Slack(SlackSink),
    /// A hook of Zapier.
    Zapier(ZapierSink),
}

/// Any HTTP request, made of a template.
#[derive(Debug, SimpleObject)]
pub struct HttpSink {
    /// The method.
    method: HttpMethod,
    /// The address; a template after its host.
    url: String,
    /// The names of the request headers. Their values are secrets and never shown.
    header_names: Vec<String>,
    /// What the body is.
    content_type: String,
    /// The template of the body for one record; an empty one is the record as JSON.
    body: String,
    /// How many records are sent together.
    batch: SinkBatch,
}

/// A webhook that is signed after the specification Standard Webhooks.
#[derive(Debug, SimpleObject)]
pub struct WebhookSink {
    /// The address.
    url: String,
    /// What the `type` of its messages says.
    event_type: String,
    /// How many records are sent together.
    batch: SinkBatch,
}

/// E-mail.
#[derive(Debug, SimpleObject)]
pub struct EmailSink {
    /// The recipients.
    to: Vec<String>,
    /// The template of the subject.
    subject: String,
    /// The template of the message for one record.
    message: String,
    /// When it is sent.
    timing: EmailTiming,
}

/// A message in a channel of Slack. The address of the incoming webhook is a secret and never shown.
#[derive(Debug, SimpleObject)]
pub struct SlackSink {
    /// The template of the message, in Slack's markup.
    message: String,
}

/// A hook of Zapier, or of anything that works like it: the plain record is posted to it. Its address
/// is a secret and never shown.
#[derive(Debug, SimpleObject)]
pub struct ZapierSink {
    /// How many records are sent together.
    batch: SinkBatch,
}

/// How many records are sent together.
#[derive(Clone, Copy, Debug, SimpleObject, InputObject)]
#[graphql(input_name = "SinkBatchInput")]
pub struct SinkBatch {
    /// At most so many: 1 to 100. One is sent as a record, more are sent as a list.
    #[graphql(default = 1)]
    records: i32,
    /// After so many seconds also fewer: at most 3,600. 0 sends what there is.
    #[graphql(default = 0)]
    seconds: i32,
}

/// When a mail is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum EmailWhen {
    /// For each record, at most 100 an hour; the next ones wait.
    EachRecord,
    /// For all records of a time, if there are any.
    Digest,
    /// When a record meets the sink's filter; after that not for a while.
    Condition,
}

/// How often a digest is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum DigestPeriod {
    /// Every so many minutes.
    Minutes,
    /// Every hour.
    Hour,
    /// Every day.
    Day,
}

/// When an e-mail is sent.
#[derive(Clone, Debug, SimpleObject, InputObject)]
#[graphql(input_name = "EmailTimingInput")]
pub struct EmailTiming {
    /// For each record, for all of a time, or on a condition.
    when: EmailWhen,
    /// How often a digest is sent.
    every: Option<DigestPeriod>,
    /// Every how many minutes, for `MINUTES`: a divisor of 60, at least 5.
    minutes: Option<i32>,
    /// At which hour of the zone, for `DAY`: 0 to 23.
    at_hour: Option<i32>,
    /// Whose hours and days they are: an IANA time zone.
    time_zone: Option<String>,
    /// How many minutes it is quiet after a mail, for `CONDITION`.
    quiet_minutes: Option<i32>,
}

/// How conditions are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Combine {
    /// All have to be met.
    All,
    /// One has to be met.
    Any,
}

/// Which records are sent: those that meet a formula, or conditions.
#[derive(Clone, Debug, SimpleObject, InputObject)]
#[graphql(input_name = "SinkFilterInput")]
pub struct SinkFilter {
    /// A formula; the conditions are not used then.
    formula: Option<String>,
    /// How conditions are combined.
    #[graphql(default_with = "Combine::All")]
    combine: Combine,
    /// The conditions: at most 10.
    #[graphql(default)]
    conditions: Vec<Filter>,
}

/// Where records go; exactly one of its fields.
#[derive(Debug, OneofObject)]
pub enum SinkTargetInput {
    /// Any HTTP request.
    Http(HttpSinkInput),
    /// A signed webhook.
    Webhook(WebhookSinkInput),
    /// E-mail.
    Email(EmailSinkInput),
    /// A channel of Slack.
    Slack(SlackSinkInput),
    /// A hook of Zapier.
    Zapier(ZapierSinkInput),
}

/// An HTTP request.
#[derive(Debug, InputObject)]
pub struct HttpSinkInput {
    /// The method.
    #[graphql(default_with = "HttpMethod::Post")]
    method: HttpMethod,
    /// An `http` or `https` address; after its host it may have placeholders, when records are sent
    /// one by one.
    url: String,
    /// Request headers.
    #[graphql(default)]
    headers: Vec<HeaderInput>,
    /// What the body is.
    #[graphql(default = "application/json")]
    content_type: String,
    /// The template of the body for one record; an empty one is the record as JSON. A batch is a JSON
    /// list of bodies, or lines of them.
    #[graphql(default)]
    body: String,
    /// How many records are sent together.
    batch: Option<SinkBatch>,
}

/// A webhook.
#[derive(Debug, InputObject)]
pub struct WebhookSinkInput {
    /// An `http` or `https` address.
    url: String,
    /// What the `type` of its messages says.
    #[graphql(default = "record.created")]
    event_type: String,
    /// How many records are sent together.
    batch: Option<SinkBatch>,
}

/// E-mail.
#[derive(Debug, InputObject)]
pub struct EmailSinkInput {
    /// The recipients: 1 to 20.
    to: Vec<String>,
    /// The template of the subject. Of a digest it is filled in with the first record.
    subject: String,
    /// The template of the message for one record.
    message: String,
    /// When it is sent.
    timing: EmailTiming,
}

/// A channel of Slack.
#[derive(Debug, InputObject)]
pub struct SlackSinkInput {
    /// The address of the incoming webhook, a secret. Without one, the stored one is kept.
    url: Option<String>,
    /// The template of the message, in Slack's markup.
    message: String,
}

/// A hook of Zapier.
#[derive(Debug, InputObject)]
pub struct ZapierSinkInput {
    /// The address of the hook, a secret. Without one, the stored one is kept.
    url: Option<String>,
    /// How many records are sent together.
    batch: Option<SinkBatch>,
}

fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A number that is too small is one that the rules refuse.
fn unsigned(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl From<sinks::Batch> for SinkBatch {
    fn from(batch: sinks::Batch) -> Self {
        Self {
            records: int(batch.records),
            seconds: int(batch.seconds),
        }
    }
}

fn read_batch(batch: Option<SinkBatch>) -> sinks::Batch {
    batch.map_or(sinks::Batch::ONE, |batch| sinks::Batch {
        records: unsigned(batch.records),
        seconds: unsigned(batch.seconds),
    })
}

impl SinkTarget {
    pub(super) fn of(definition: &SinkDefinition) -> Self {
        match &definition.target {
            Target::Http(http) => Self::Http(HttpSink {
                method: http.method.into(),
                url: http.url.clone(),
                header_names: http.header_names.clone(),
                content_type: http.content_type.clone(),
                body: http.body.clone(),
                batch: http.batch.into(),
            }),
            Target::Webhook(webhook) => Self::Webhook(WebhookSink {
                url: webhook.url.clone(),
                event_type: webhook.event_type.clone(),
                batch: webhook.batch.into(),
            }),
            Target::Email(email) => Self::Email(EmailSink {
                to: email.to.clone(),
                subject: email.subject.clone(),
                message: email.message.clone(),
                timing: EmailTiming::of(&email.timing),
            }),
            Target::Slack(slack) => Self::Slack(SlackSink {
                message: slack.message.clone(),
            }),
            Target::Zapier(zapier) => Self::Zapier(ZapierSink {
                batch: zapier.batch.into(),
            }),
        }
    }
}

impl SinkTargetInput {
    /// The target, and its secrets.
    pub(super) fn read(self) -> (Target, NewSecrets) {
        let secret_url = |url: Option<String>| NewSecrets {
            headers: Vec::new(),
            url,
        };
        match self {
            Self::Http(http) => {
                let headers = http.headers.into_iter();
                let headers: Vec<_> = headers
                    .map(|header| NewHeader {
                        name: header.name,
                        value: header.value,
                    })
                    .collect();
                let target = Target::Http(sinks::HttpTarget {
                    method: http.method.into(),
                    url: http.url,
                    header_names: headers.iter().map(|header| header.name.clone()).collect(),
                    content_type: http.content_type,
                    body: http.body,
                    batch: read_batch(http.batch),
                });
                (target, NewSecrets { headers, url: None })
            }
            Self::Webhook(webhook) => {
                let target = Target::Webhook(sinks::WebhookTarget {
                    url: webhook.url,
                    event_type: webhook.event_type,
                    batch: read_batch(webhook.batch),
                });
                (target, NewSecrets::default())
            }
            Self::Email(email) => {
                let target = Target::Email(sinks::EmailTarget {
                    to: email.to,
                    subject: email.subject,
                    message: email.message,
                    timing: email.timing.read(),
                });
                (target, NewSecrets::default())
            }
            Self::Slack(slack) => {
                let message = slack.message;
                let target = Target::Slack(sinks::SlackTarget { message });
                (target, secret_url(slack.url))
            }
            Self::Zapier(zapier) => {
                let batch = read_batch(zapier.batch);
                let target = Target::Zapier(sinks::ZapierTarget { batch });
                (target, secret_url(zapier.url))
            }
        }
    }
}

impl EmailTiming {
    fn of(timing: &sinks::EmailTiming) -> Self {
        let mut shown = Self {
            when: EmailWhen::EachRecord,
            every: None,
            minutes: None,
            at_hour: None,
            time_zone: None,
            quiet_minutes: None,
        };
        match timing {
            sinks::EmailTiming::EachRecord => {}
            sinks::EmailTiming::Digest { every, time_zone } => {
                shown.when = EmailWhen::Digest;
                shown.time_zone = Some(time_zone.clone());
                match every {
                    sinks::Every::Minutes { minutes } => {
                        shown.every = Some(DigestPeriod::Minutes);
                        shown.minutes = Some(int(*minutes));
                    }
                    sinks::Every::Hour => shown.every = Some(DigestPeriod::Hour),
                    sinks::Every::Day { at_hour } => {
                        shown.every = Some(DigestPeriod::Day);
                        shown.at_hour = Some(int(*at_hour));
                    }
                }
            }
            sinks::EmailTiming::Condition { quiet_minutes } => {
                shown.when = EmailWhen::Condition;
                shown.quiet_minutes = Some(int(*quiet_minutes));
            }
        }
        shown
    }

    fn read(self) -> sinks::EmailTiming {
        match self.when {
            EmailWhen::EachRecord => sinks::EmailTiming::EachRecord,
            EmailWhen::Digest => sinks::EmailTiming::Digest {
                every: match self.every.unwrap_or(DigestPeriod::Hour) {
                    DigestPeriod::Minutes => sinks::Every::Minutes {
                        minutes: self.minutes.map_or(15, unsigned),
                    },
                    DigestPeriod::Hour => sinks::Every::Hour,
                    DigestPeriod::Day => sinks::Every::Day {
                        at_hour: self.at_hour.map_or(9, unsigned),
                    },
                },
                time_zone: self.time_zone.unwrap_or_else(|| "UTC".to_owned()),
            },
            EmailWhen::Condition => sinks::EmailTiming::Condition {
                quiet_minutes: self.quiet_minutes.map_or(60, unsigned),
            },
        }
    }
}

impl SinkFilter {
    pub(super) fn of(condition: &sinks::Condition) -> Self {
        let shown = |combine, conditions: &[dash_shared::queries::Filter]| Self {
            formula: None,
            combine,
            conditions: conditions.iter().cloned().map(Filter::from).collect(),
        };
        match condition {
            sinks::Condition::Formula { formula } => Self {
                formula: Some(formula.clone()),
                ..shown(Combine::All, &[])
            },
            sinks::Condition::All { conditions } => shown(Combine::All, conditions),
            sinks::Condition::Any { conditions } => shown(Combine::Any, conditions),
        }
    }

    /// The condition; one that is empty is none.
    pub(super) fn read(self) -> Result<Option<sinks::Condition>, Vec<UserError>> {
        if let Some(formula) = self.formula {
            return Ok(Some(sinks::Condition::Formula { formula }));
        }
        let (mut conditions, mut problems) = (Vec::new(), Vec::new());
        for (index, condition) in self.conditions.into_iter().enumerate() {
            match condition.read() {
                Ok(condition) => conditions.push(condition),
                Err(message) => {
                    let path = ["filter", "conditions", &index.to_string(), "field"];
                    problems.push(UserError {
                        field: Some(path.map(str::to_owned).to_vec()),
                        message,
                        code: UserErrorCode::Invalid,
                    });
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(match (self.combine, conditions.is_empty()) {
            (_, true) => None,
            (Combine::All, false) => Some(sinks::Condition::All { conditions }),
            (Combine::Any, false) => Some(sinks::Condition::Any { conditions }),
        })
    }
}
