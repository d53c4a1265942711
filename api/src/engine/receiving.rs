//! Taking in what is posted to a webhook: who sent it is checked first, on the bytes as they came;
//! then it is read, named, and goes through the pipeline.

use bytes::Bytes;
use dash_shared::sources::webhook::{Idempotency, Signature, Webhook};
use serde_json::Value;
use serde_json_path::JsonPath;

use super::bodies::{BodyError, ReceivedBody, read_body};
use super::ingest::Batch;
use super::polling::parse_path;
use super::signatures::{Sent, SignatureError, SignatureFault, Verifier};
use super::{Definition, Engine, Receipt};
use crate::data::{Append, NewRun, RecordKey, RunTrigger, WriteError};

/// The headers in which senders name a delivery, so that a repeat of it can be told: the one for
/// anybody, those of Standard Webhooks and Svix, of GitHub, of Shopify. The first one that is there
/// counts.
const USUAL_HEADERS: [&str; 5] = [
    "idempotency-key",
    "webhook-id",
    "svix-id",
    "x-github-delivery",
    "x-shopify-webhook-id",
];
/// The longest challenge that is answered, in bytes.
const MAX_CHALLENGE_BYTES: usize = 1_024;
/// How long a refusal stands for others of its kind, in milliseconds.
pub const REFUSAL_PERIOD_MS: i64 = 60_000;

/// How one webhook takes deliveries in, made ready once.
#[derive(Debug)]
pub struct Reception {
    verifier: Verifier,
    naming: Naming,
}

/// What names a delivery or its records.
#[derive(Debug)]
enum Naming {
    UsualHeaders,
    Header(String),
    Body(JsonPath),
    Record(JsonPath),
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Its records went through the pipeline.
    Stored(Receipt),
    /// It asked whether this is the right address. This has to be answered, and nothing is stored.
    Challenge(String),
}

/// Why a delivery was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// It does not prove who sent it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The body holds no records that can be read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// The records could not be stored.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Reception {
    /// For a webhook whose senders have any of these secrets. The error is a damaged JSONPath.
    pub fn new(webhook: &Webhook, secrets: &[String]) -> Result<Self, String> {
        let path = |path: &str| parse_path(path).map_err(|error| error.message);
        Ok(Self {
            verifier: Verifier::new(webhook.signature.clone(), secrets),
            naming: match &webhook.idempotency {
                Idempotency::UsualHeaders => Naming::UsualHeaders,
                Idempotency::Header { name } => Naming::Header(name.to_ascii_lowercase()),
                Idempotency::BodyPath { path: text } => Naming::Body(path(text)?),
                Idempotency::RecordPath { path: text } => Naming::Record(path(text)?),
            },
        })
    }

    /// What names the delivery, and what names each of its records.
    fn names(&self, sent: &Sent<'_>, body: &mut ReceivedBody) -> Names {
        let mut names = Names::default();
        match &self.naming {
            Naming::UsualHeaders => names.delivery = first_of(sent, &USUAL_HEADERS),
            Naming::Header(name) => names.delivery = first_of(sent, &[name]),
            Naming::Body(path) => {
                let found = if body.is_list {
                    // Lent to the path, and taken back.
                    let all = Value::Array(std::mem::take(&mut body.records));
                    let found = text_at(path, &all);
                    if let Value::Array(records) = all {
                        body.records = records;
                    }
                    found
                } else {
                    body.records.first().and_then(|only| text_at(path, only))
                };
                names.delivery = found.map(|text| format!("body:{text}").into_bytes());
            }
            Naming::Record(path) => {
                let records = body.records.iter();
                names.records = records.map(|record| key_at(path, record)).collect();
            }
        }
        names
    }
}

#[derive(Default)]
struct Names {
    delivery: Option<Vec<u8>>,
    records: Vec<Option<RecordKey>>,
}

impl Names {
    /// Names a batch by its records: for transforms that remember, which do not store a record for
    /// each that comes in.
    fn of_whole(&self) -> Option<RecordKey> {
        let keys: Option<Vec<RecordKey>> = self.records.iter().copied().collect();
        let keys = keys.filter(|keys| !keys.is_empty())?;
        let text: String = keys.iter().map(ToString::to_string).collect();
        Some(RecordKey::of(text))
    }
}

/// The first of these headers that is there, with its value.
fn first_of(sent: &Sent<'_>, names: &[&str]) -> Option<Vec<u8>> {
    names.iter().find_map(|name| {
        let value = (sent.header)(name)?.trim_ascii();
        (!value.is_empty()).then(|| [name.as_bytes(), b":", value].concat())
    })
}

/// The key of what a path finds in a record.
pub(super) fn key_at(path: &JsonPath, record: &Value) -> Option<RecordKey> {
    text_at(path, record).map(RecordKey::of)
}

/// The first value that a path finds, as text; null names nothing.
fn text_at(path: &JsonPath, value: &Value) -> Option<String> {
    match path.query(value).first()? {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The challenge that Slack sends to a new address.
fn challenge(reception: &Reception, body: &ReceivedBody) -> Option<String> {
    if !matches!(reception.verifier.signature(), Signature::Slack) || body.is_list {
        return None;
    }
    let only = body.records.first()?;
    if only.get("type")?.as_str()? != "url_verification" {
        return None;
    }
    let challenge = only.get("challenge")?.as_str()?;
    (challenge.len() <= MAX_CHALLENGE_BYTES).then(|| challenge.to_owned())
}

impl Engine {
    /// Takes in what was posted to a webhook; returns when its records are durable. What has a name
    /// is stored once, however often it is delivered.
    pub async fn receive(
        &self,
        definition: &Definition,
        reception: &Reception,
        sent: Sent<'_>,
        body: &Bytes,
    ) -> Result<Received, ReceiveError> {
        let started_at_ms = self.clock.now_ms();
        reception.verifier.verify(&sent, started_at_ms)?;
        let content_type = (sent.header)("content-type");
        let content_type = content_type.and_then(|value| std::str::from_utf8(value).ok());
        let mut body = read_body(content_type, body)?;
        if let Some(challenge) = challenge(reception, &body) {
            return Ok(Received::Challenge(challenge));
        }
        if let Some(file) = body.files.first() {
            return Err(BodyError::FilesNotKept(file.field.clone()).into());
        }
        let mut names = reception.names(&sent, &mut body);
        let mut delivery = names.delivery.take().map(RecordKey::of);
        if definition.transform.is_stateful() {
            delivery = delivery.or_else(|| names.of_whole());
            names.records.clear();
        }
        let batch = Batch {
            record_keys: names.records,
            ..Batch::new(
                RunTrigger::Webhook,
                delivery.map(|key| format!("hook:{key}")),
                started_at_ms,
            )
        };
        let receipt = self.ingest(definition, body.records, batch).await?;
        Ok(Received::Stored(receipt))
    }

    /// Stores that deliveries were refused, as a failed run: one for each kind and minute, from
    /// however many processes.
    pub async fn note_refusal(
        &self,
        definition: &Definition,
        fault: SignatureFault,
        message: String,
    ) -> Result<(), WriteError> {
        let now_ms = self.clock.now_ms();
        let minute = now_ms.div_euclid(REFUSAL_PERIOD_MS);
        let key = format!("refused:{}:{minute}", fault.as_str());
        let batch = Batch::new(RunTrigger::Webhook, Some(key), now_ms);
        let code = super::FetchErrorCode::InvalidSignature.as_str().to_owned();
        let run = NewRun {
            error: Some((code, super::clean(&message))),
            ..self.new_run(definition, batch, 0)
        };
        self.store.append(Append::new(run, Vec::new())).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(idempotency: Idempotency, headers: &[(&str, &str)], body: &Value) -> Names {
        let webhook = Webhook {
            idempotency,
            ..Webhook::default()
        };
        let reception = Reception::new(&webhook, &[]).unwrap();
        let header = |name: &str| {
            let mut pairs = headers.iter();
            pairs
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.as_bytes())
        };
        let sent = Sent {
            header: &header,
            query: "",
            body: b"",
        };
        let mut body = match body {
            Value::Array(items) => ReceivedBody {
                records: items.clone(),
                is_list: true,
                files: Vec::new(),
            },
            one => ReceivedBody {
                records: vec![one.clone()],
                is_list: false,
                files: Vec::new(),
            },
        };
        let before = body.clone();
        let names = reception.names(&sent, &mut body);
        assert_eq!(body, before);
        names
    }

    #[test]
    fn a_delivery_is_named_by_a_header_or_by_its_body() {
        let delivery = |idempotency, headers: &[(&str, &str)], body: Value| {
            let found = names(idempotency, headers, &body).delivery;
            found.map(|name| String::from_utf8(name).unwrap())
        };
        let some = |text: &str| Some(text.to_owned());
        let usual = Idempotency::UsualHeaders;
        let both = [("webhook-id", "1"), ("idempotency-key", " 2 ")];
        assert_eq!(
            delivery(usual.clone(), &both, json!({})),
            some("idempotency-key:2")
        );
        assert_eq!(delivery(usual, &[("x-other", "1")], json!({})), None);
        let header = || Idempotency::Header {
            name: "X-Event".to_owned(),
        };
        assert_eq!(
            delivery(header(), &[("x-event", "7")], json!({})),
            some("x-event:7")
        );
        assert_eq!(delivery(header(), &[("webhook-id", "7")], json!({})), None);
        let path = |path: &str| Idempotency::BodyPath {
            path: path.to_owned(),
        };
        assert_eq!(
            delivery(path("$.id"), &[], json!({"id": 7})),
            some("body:7")
        );
        assert_eq!(delivery(path("$.id"), &[], json!({"id": null})), None);
        assert_eq!(
            delivery(path("$[1].id"), &[], json!([{}, {"id": "b"}])),
            some("body:b")
        );
        assert_eq!(delivery(path("$.id"), &[], json!([{"id": 1}])), None);
    }

    #[test]
    fn records_are_named_by_a_value_in_each() {
        let path = Idempotency::RecordPath {
            path: "$.id".to_owned(),
        };
        let body = json!([{"id": 1}, {"id": "1"}, {"n": 1}, 5]);
        let found = names(path.clone(), &[], &body);
        assert_eq!(found.delivery, None);
        let one = Some(RecordKey::of("1"));
        assert_eq!(found.records, [one, one, None, None]);
        assert_eq!(found.of_whole(), None);
        let whole = |body: Value| names(path.clone(), &[], &body).of_whole();
        assert_eq!(
            whole(json!([{"id": 1}, {"id": 2}])),
            whole(json!([{"id": "1"}, {"id": 2}]))
        );
        assert_ne!(
            whole(json!([{"id": 1}, {"id": 2}])),
            whole(json!([{"id": 2}, {"id": 1}]))
        );
        assert_eq!(whole(json!([])), None);
    }
}
