//! From records to what is sent: a request, or a mail. The same records give the same message, in
//! every attempt; only the time that is signed differs.

use dash_shared::ids::PipelineId;
use dash_shared::sinks::{
    EmailTarget, HttpTarget, MAX_SENT_BYTES, Method, SinkDefinition, SlackTarget, Target,
    WebhookTarget,
};
use dash_shared::template::{Filling, Place, Template};
use dash_shared::timestamps::format_ms;
use serde_json::{Value, json};
use url::Url;

use super::keys::Keys;
use super::signing;
use crate::data::StoredRecord;

/// How many records of a digest are written out.
pub(super) const DIGEST_RECORDS: usize = 50;
/// What is shown for a secret.
const REDACTED: &str = "••••••";
/// Secrets that are shorter are not looked for in texts: they would be found everywhere.
const MIN_REDACTED_BYTES: usize = 6;
/// The longest address.
const MAX_URL_BYTES: usize = 8 * 1024;

/// What is sent.
#[derive(Clone, Debug)]
pub enum Message {
    /// A request to another server.
    Request(Request),
    /// A mail.
    Mail(Mail),
}

/// A request to another server.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The address as it may be shown.
    pub shown_url: String,
    /// The headers as they may be shown.
    pub shown_headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content_type: Option<String>,
}

/// Its address and headers are secrets.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.shown_url)
            .finish_non_exhaustive()
    }
}

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The recipients; each gets a mail of its own.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// What is known of a message beside its records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope<'a> {
    pub message_id: &'a str,
    /// When it was planned: the same in every attempt.
    pub created_at_ms: i64,
    /// When it is sent.
    pub sent_at_ms: i64,
    /// How many records it stands for; of a digest, more than are given.
    pub records: usize,
    pub is_test: bool,
}

/// There is nothing that could be sent, and there will not be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unsendable(pub String);

/// Writes the messages of a sink.
#[derive(Debug)]
pub(super) struct Renderer {
    target: Target,
    /// The body of a request, or the text of a message.
    body: Option<Template>,
    /// The address of a request, or the subject of a mail.
    head: Option<Template>,
    keys: Keys,
    pipeline_id: PipelineId,
    pipeline_name: String,
}

/// One record as a template sees it.
struct Written {
    text: String,
    notes: Vec<String>,
}

impl Renderer {
    /// Reads the templates of a definition.
    pub fn new(
        definition: &SinkDefinition,
        keys: Keys,
        (pipeline_id, pipeline_name): (PipelineId, &str),
    ) -> Result<Self, Unsendable> {
        let compile = |source: &str, place| {
            let template = Template::compile(source, place);
            template.map(Some).map_err(|error| Unsendable(error.0))
        };
        let (body, head) = match &definition.target {
            Target::Http(http) => {
                let place = if http.is_json() {
                    Place::Json
                } else {
                    Place::Text
                };
                let source = match http.body.trim() {
                    "" => "{{json}}",
                    _ => &http.body,
                };
                (compile(source, place)?, compile(&http.url, Place::Url)?)
            }
            Target::Email(email) => (
                compile(&email.message, Place::Text)?,
                compile(&email.subject, Place::Line)?,
            ),
            Target::Slack(slack) => (compile(&slack.message, Place::Slack)?, None),
            Target::Webhook(_) | Target::Zapier(_) => (None, None),
        };
        Ok(Self {
            target: definition.target.clone(),
            body,
            head,
            keys,
            pipeline_id,
            pipeline_name: pipeline_name.to_owned(),
        })
    }

    /// The message for records, and notes for whoever writes templates.
    pub fn render(
        &self,
        records: &[StoredRecord],
        envelope: &Envelope<'_>,
    ) -> Result<(Message, Vec<String>), Unsendable> {
        let mut notes = Vec::new();
        let message = match &self.target {
            Target::Http(http) => Message::Request(self.http(http, records, envelope, &mut notes)?),
            Target::Webhook(webhook) => Message::Request(self.webhook(webhook, records, envelope)?),
            Target::Email(email) => Message::Mail(self.mail(email, records, envelope, &mut notes)?),
            Target::Slack(slack) => {
                Message::Request(self.slack(slack, records, envelope, &mut notes)?)
            }
            Target::Zapier(zapier) => {
                let body = plain(records, zapier.batch.is_list())?.to_string();
                Message::Request(self.hook(body, envelope)?)
            }
        };
        Ok((message, notes))
    }

    /// A text without the secrets of the sink.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.keys.all() {
            // “Bearer abc” comes back as “abc”, too.
            for part in [secret].into_iter().chain(secret.rsplit(' ').next()) {
                if part.len() >= MIN_REDACTED_BYTES && text.contains(part) {
                    text = text.replace(part, REDACTED);
                }
            }
        }
        text
    }

    fn fill(
        &self,
        template: Option<&Template>,
        record: &StoredRecord,
        envelope: &Envelope<'_>,
    ) -> Result<Written, Unsendable> {
        let id = format!("{}.{}", self.pipeline_id, record.seq);
        let filling = Filling {
            fields: &record.fields,
            id: &id,
            time_ms: record.time_ms,
            pipeline_name: &self.pipeline_name,
            now_ms: envelope.created_at_ms,
        };
        let Some(template) = template else {
            return Err(Unsendable("The sink has no template.".to_owned()));
        };
        let filled = template.fill(&filling, MAX_SENT_BYTES);
        let filled = filled.map_err(|_| too_large())?;
        Ok(Written {
            text: filled.text,
            notes: filled.notes,
        })
    }

    /// The texts of all records.
    fn texts(
        &self,
        records: &[StoredRecord],
        envelope: &Envelope<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<String>, Unsendable> {
        let mut texts = Vec::with_capacity(records.len());
        let mut bytes = 0;
        for record in records {
            let written = self.fill(self.body.as_ref(), record, envelope)?;
            bytes += written.text.len();
            if bytes > MAX_SENT_BYTES {
                return Err(too_large());
            }
            add_notes(notes, written.notes);
            texts.push(written.text);
        }
        Ok(texts)
    }

    fn http(
        &self,
        http: &HttpTarget,
        records: &[StoredRecord],
        envelope: &Envelope<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Request, Unsendable> {
        let first = records.first().ok_or_else(nothing)?;
        let url = self.fill(self.head.as_ref(), first, envelope)?;
        if url.text.len() > MAX_URL_BYTES {
            return Err(Unsendable(format!(
                "The address has more than {MAX_URL_BYTES} bytes."
            )));
        }
        add_notes(notes, url.notes);
        let body = if http.method == Method::Get {
            None
        } else {
            let texts = self.texts(records, envelope, notes)?;
            Some(match (http.batch.is_list(), http.is_json()) {
                (false, _) => texts.concat(),
                (true, true) => format!("[{}]", texts.join(",")),
                (true, false) => texts.join("\n"),
            })
        };
        let mut request = self.request(http.method, url.text.clone(), url.text, body, envelope);
        request.content_type = request.body.is_some().then(|| http.content_type.clone());
        request.headers.extend(self.keys.headers.iter().cloned());
        let shown = self.keys.headers.iter();
        let shown = shown.map(|(name, _)| (name.clone(), REDACTED.to_owned()));
        request.shown_headers.extend(shown);
        Ok(request)
    }

    fn webhook(
        &self,
        webhook: &WebhookTarget,
        records: &[StoredRecord],
        envelope: &Envelope<'_>,
    ) -> Result<Request, Unsendable> {
        let first = records.first().ok_or_else(nothing)?;
        let is_list = webhook.batch.is_list();
        let at_ms = if is_list {
            envelope.created_at_ms
        } else {
            first.time_ms
        };
        let body = json!({
            "type": webhook.event_type,
            "timestamp": format_ms(at_ms),
            "data": plain(records, is_list)?,
        });
        let body = body.to_string();
        let seconds = envelope.sent_at_ms.div_euclid(1_000);
        let keys = self.keys.signing_at(envelope.sent_at_ms);
        let signature = signing::sign(keys, envelope.message_id, seconds, &body);
        let url = webhook.url.clone();
        let mut request = self.request(Method::Post, url.clone(), url, Some(body), envelope);
        let headers = [
            ("webhook-id", envelope.message_id.to_owned()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", signature),
        ];
        for (name, value) in headers {
            request.headers.push((name.to_owned(), value.clone()));
            request.shown_headers.push((name.to_owned(), value));
        }
        Ok(request)
    }

    fn slack(
        &self,
        _slack: &SlackTarget,
        records: &[StoredRecord],
        envelope: &Envelope<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Request, Unsendable> {
        let first = records.first().ok_or_else(nothing)?;
        let written = self.fill(self.body.as_ref(), first, envelope)?;
        add_notes(notes, written.notes);
        self.hook(json!({ "text": written.text }).to_string(), envelope)
    }

    /// A post to a secret address.
    fn hook(&self, body: String, envelope: &Envelope<'_>) -> Result<Request, Unsendable> {
        let url =
            self.keys.url.clone().ok_or_else(|| {
                Unsendable("The stored address is lost. Enter it again.".to_owned())
            })?;
        let shown = shown_url(&url);
        Ok(self.request(Method::Post, url, shown, Some(body), envelope))
    }

    fn request(
        &self,
        method: Method,
        url: String,
        shown_url: String,
        body: Option<String>,
        envelope: &Envelope<'_>,
    ) -> Request {
        let mut headers = Vec::new();
        let own = |name: &str| {
            let mut given = self.keys.headers.iter();
            given.any(|(given, _)| given.eq_ignore_ascii_case(name))
        };
        if !own("idempotency-key") && !matches!(self.target, Target::Webhook(_)) {
            headers.push(("idempotency-key".to_owned(), envelope.message_id.to_owned()));
        }
        if envelope.is_test {
            headers.push(("dash-test".to_owned(), "true".to_owned()));
        }
        Request {
            method,
            shown_url,
            shown_headers: headers.clone(),
            content_type: body.is_some().then(|| String::from("application/json")),
            body,
            url,
            headers,
        }
    }

    fn mail(
        &self,
        email: &EmailTarget,
        records: &[StoredRecord],
        envelope: &Envelope<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Mail, Unsendable> {
        let first = records.first().ok_or_else(nothing)?;
        let subject = self.fill(self.head.as_ref(), first, envelope)?;
        add_notes(notes, subject.notes);
        let shown = records.get(..DIGEST_RECORDS).unwrap_or(records);
        let mut texts = self.texts(shown, envelope, notes)?;
        let more = envelope.records.saturating_sub(shown.len());
        if more > 0 {
            texts.push(format!("… and {more} more."));
        }
        let prefix = if envelope.is_test { "[Test] " } else { "" };
        Ok(Mail {
            to: email.to.clone(),
            subject: format!("{prefix}{}", subject.text.trim()),
            text: texts.join("\n\n"),
        })
    }
}

fn add_notes(notes: &mut Vec<String>, more: Vec<String>) {
    for note in more {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
}

/// A record as it is, or all of them as a list.
fn plain(records: &[StoredRecord], is_list: bool) -> Result<Value, Unsendable> {
    let mut values = records.iter();
    let mut values = values
        .by_ref()
        .map(|record| Value::Object((*record.fields).clone()));
    if is_list {
        return Ok(Value::Array(values.collect()));
    }
    values.next().ok_or_else(nothing)
}

fn nothing() -> Unsendable {
    Unsendable("The records were deleted before they could be sent.".to_owned())
}

fn too_large() -> Unsendable {
    Unsendable(format!(
        "What is to be sent has more than {} MB.",
        MAX_SENT_BYTES / 1024 / 1024
    ))
}

/// The host of a secret address, and no more.
fn shown_url(url: &str) -> String {
    Url::parse(url).map_or_else(
        |_| REDACTED.to_owned(),
        |url| format!("{}/{REDACTED}", url.origin().ascii_serialization()),
    )
}
