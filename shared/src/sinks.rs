//! Where a pipeline's records are sent on to: the definitions of sinks and the rules for them.
//! Secrets are not part of a definition: header values, secret addresses and signing keys are kept
//! apart, encrypted.

mod check;

use serde::{Deserialize, Serialize};

use crate::fields::Fields;
use crate::formula::{Formula, Meter, Problem};
use crate::queries::Filter;

/// The most sinks of a pipeline.
pub const MAX_SINKS: usize = 10;
/// The most records that are sent together.
pub const MAX_BATCH_RECORDS: u32 = 100;
/// The longest that records wait for others to be sent together.
pub const MAX_BATCH_SECONDS: u32 = 3_600;
/// The most recipients of an e-mail sink.
pub const MAX_RECIPIENTS: usize = 20;
/// The longest subject template, in bytes.
pub const MAX_SUBJECT_BYTES: usize = 500;
/// The largest body that is sent, in bytes.
pub const MAX_SENT_BYTES: usize = 1024 * 1024;
/// The longest name of an event, in bytes.
pub const MAX_EVENT_TYPE_BYTES: usize = 100;
/// How many mails an e-mail sink sends in an hour; the next ones wait.
pub const MAX_MAILS_PER_HOUR: u32 = 100;
/// The version of definitions as they are stored.
const VERSION: u32 = 1;

/// A kind of sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkKind {
    /// Any HTTP request, made of a template.
    Http,
    /// A signed webhook, after the specification Standard Webhooks.
    Webhook,
    /// E-mail.
    Email,
    /// A message in a channel of Slack.
    Slack,
    /// A hook of Zapier, or of anything that works like it.
    Zapier,
}

impl SinkKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::Http,
        Self::Webhook,
        Self::Email,
        Self::Slack,
        Self::Zapier,
    ];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Webhook => "webhook",
            Self::Email => "email",
            Self::Slack => "slack",
            Self::Zapier => "zapier",
        }
    }

    /// The name that people see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP request",
            Self::Webhook => "Webhook",
            Self::Email => "E-mail",
            Self::Slack => "Slack",
            Self::Zapier => "Zapier",
        }
    }

    /// The kind with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What a sink does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkDefinition {
    /// The version of this form.
    version: u32,
    /// Where records go, and how they look there.
    pub target: Target,
    /// Which records go there; all of them without one.
    pub filter: Option<Condition>,
}

impl SinkDefinition {
    /// A definition in the newest form.
    pub const fn new(target: Target, filter: Option<Condition>) -> Self {
        Self {
            version: VERSION,
            target,
            filter,
        }
    }
}

/// Where records go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// Any HTTP request.
    Http(HttpTarget),
    /// A signed webhook.
    Webhook(WebhookTarget),
    /// E-mail.
    Email(EmailTarget),
    /// A channel of Slack.
    Slack(SlackTarget),
    /// A hook of Zapier.
    Zapier(ZapierTarget),
}

impl Target {
    /// What kind of sink it is.
    pub const fn kind(&self) -> SinkKind {
        match self {
            Self::Http(_) => SinkKind::Http,
            Self::Webhook(_) => SinkKind::Webhook,
            Self::Email(_) => SinkKind::Email,
            Self::Slack(_) => SinkKind::Slack,
            Self::Zapier(_) => SinkKind::Zapier,
        }
    }

    /// The address, where it is no secret.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Http(http) => Some(&http.url),
            Self::Webhook(webhook) => Some(&webhook.url),
            Self::Email(_) | Self::Slack(_) | Self::Zapier(_) => None,
        }
    }

    /// The names of the request headers; their values are secrets.
    pub fn header_names(&self) -> &[String] {
        match self {
            Self::Http(http) => &http.header_names,
            _ => &[],
        }
    }

    /// How many records are sent together.
    pub const fn batch(&self) -> Batch {
        match self {
            Self::Http(http) => http.batch,
            Self::Webhook(webhook) => webhook.batch,
            Self::Zapier(zapier) => zapier.batch,
            Self::Email(_) | Self::Slack(_) => Batch::ONE,
        }
    }
}

/// A method of HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Adds something.
    #[default]
    Post,
    /// Replaces something.
    Put,
    /// Changes something.
    Patch,
    /// Asks for something; it has no body.
    Get,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 4] = [Self::Post, Self::Put, Self::Patch, Self::Get];

    /// The method as it is sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Get => "GET",
        }
    }
}

/// How many records are sent together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// At most so many; one is sent as a record, more as a list.
    pub records: u32,
    /// After so many seconds also fewer. 0 sends what there is.
    pub seconds: u32,
}

impl Batch {
    /// Each record for itself.
    pub const ONE: Self = Self {
        records: 1,
        seconds: 0,
    };

    /// Whether records are sent as lists.
    pub const fn is_list(self) -> bool {
        self.records > 1
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::ONE
    }
}

/// An HTTP request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpTarget {
    /// The method.
    pub method: Method,
    /// An `http` or `https` address; a template after its host, when records are not batched.
    pub url: String,
    /// The names of the request headers; the values are secrets and kept apart.
    #[serde(default)]
    pub header_names: Vec<String>,
    /// What the body is.
    pub content_type: String,
    /// The template of the body for one record; an empty one is the record as JSON.
    #[serde(default)]
    pub body: String,
    /// How many records are sent together.
    #[serde(default)]
    pub batch: Batch,
}

impl HttpTarget {
    /// Whether the body is JSON.
    pub fn is_json(&self) -> bool {
        let essence = self.content_type.split(';').next().unwrap_or_default();
        let essence = essence.trim().to_ascii_lowercase();
        essence == "application/json" || essence.ends_with("+json")
    }
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookTarget {
    /// An `http` or `https` address.
    pub url: String,
    /// What its `type` says: `record.created` unless somebody chose another.
    pub event_type: String,
    /// How many records are sent together.
    #[serde(default)]
    pub batch: Batch,
}

/// An e-mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailTarget {
    /// The recipients.
    pub to: Vec<String>,
    /// The template of the subject. Of a digest it is filled in with the newest record.
    pub subject: String,
    /// The template of the message for one record.
    pub message: String,
    /// When it is sent.
    pub timing: EmailTiming,
}

/// When an e-mail is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "when", rename_all = "snake_case")]
pub enum EmailTiming {
    /// For each record.
    EachRecord,
    /// For all records of a time, if there are any.
    Digest {
        /// How often.
        every: Every,
        /// Whose hours and days they are: an IANA time zone.
        time_zone: String,
    },
    /// When a record meets the sink's filter; after that not for a while.
    Condition {
        /// How many minutes it is quiet then.
        quiet_minutes: u32,
    },
}

/// How often a digest is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "every", rename_all = "snake_case")]
pub enum Every {
    /// Every so many minutes: a divisor of an hour.
    Minutes {
        /// How many.
        minutes: u32,
    },
    /// Every hour.
    Hour,
    /// Every day.
    Day {
        /// At which hour of the zone.
        at_hour: u32,
    },
}

/// A message in a channel of Slack. The address of the incoming webhook is a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlackTarget {
    /// The template of the message, in Slack's markup.
    pub message: String,
}

/// A hook of Zapier. Its address is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZapierTarget {
    /// How many records are sent together.
    #[serde(default)]
    pub batch: Batch,
}

/// What has to be true of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Condition {
    /// A formula.
    Formula {
        /// Its source.
        formula: String,
    },
    /// All comparisons.
    All {
        /// The comparisons.
        conditions: Vec<Filter>,
    },
    /// One of the comparisons.
    Any {
        /// The comparisons.
        conditions: Vec<Filter>,
    },
}

/// A condition, ready to be looked at.
#[derive(Clone, Debug)]
pub struct Matcher(Ready);

#[derive(Clone, Debug)]
enum Ready {
    Everything,
    Formula(Box<Formula>),
    All(Vec<Filter>),
    Any(Vec<Filter>),
}

impl Matcher {
    /// Reads a condition; without one everything meets it. The error is a sentence.
    pub fn compile(condition: Option<&Condition>) -> Result<Self, String> {
        Ok(Self(match condition {
            None => Ready::Everything,
            Some(Condition::All { conditions }) => Ready::All(conditions.clone()),
            Some(Condition::Any { conditions }) => Ready::Any(conditions.clone()),
            Some(Condition::Formula { formula }) => {
                let formula = Formula::compile(formula);
                let formula = formula.map_err(|error| format!("In {error}."))?;
                Ready::Formula(Box::new(formula))
            }
        }))
    }

    /// Whether a record meets the condition.
    pub fn is_met(&self, fields: &Fields, now_ms: i64) -> Result<bool, Problem> {
        Ok(match &self.0 {
            Ready::Everything => true,
            Ready::Formula(formula) => formula.is_met(fields, now_ms, &Meter::for_record())?,
            Ready::All(all) => all.iter().all(|filter| filter.matches(fields)),
            Ready::Any(any) => any.iter().any(|filter| filter.matches(fields)),
        })
    }
}
