//! The log: what each attempt sent and what came back, without secrets and cut to a bounded size.

use dash_shared::ids::DeliveryId;
use sea_orm::{ConnectionTrait, Statement};
use serde::{Deserialize, Serialize};

use super::rendering::{Message, Renderer};
use super::{Delivery, Sinks, SinksError};
use crate::outbound::Answer;

/// How much of a body is kept, in bytes.
pub(super) const KEPT_BYTES: usize = 16 * 1024;
/// The headers of an answer that are kept.
const KEPT_HEADERS: [&str; 7] = [
    "content-type",
    "content-length",
    "date",
    "location",
    "retry-after",
    "server",
    "x-request-id",
];
/// How much of a header is kept, in characters.
const KEPT_HEADER_CHARS: usize = 500;
/// The most attempts that are listed.
const MAX_LISTED: u32 = 100;

/// An attempt at a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which one it was, from 1.
    pub number: i32,
    /// When it began, in milliseconds since 1970.
    pub started_at_ms: i64,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// What was sent.
    pub request: LoggedRequest,
    /// What came back.
    pub response: Option<LoggedResponse>,
    /// Why it failed.
    pub error: Option<String>,
}

/// What was sent, without secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedRequest {
    /// The method; `MAIL` for a mail.
    pub method: String,
    /// The address, or the recipients.
    pub url: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body, or its beginning.
    pub body: String,
    /// Whether there was more of it.
    pub is_cut: bool,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedResponse {
    /// The status.
    pub status: u16,
    /// Some of the headers.
    pub headers: Vec<(String, String)>,
    /// The body, or its beginning.
    pub body: String,
    /// Whether there was more of it.
    pub is_cut: bool,
}

impl LoggedRequest {
    pub(super) fn of(message: &Message, renderer: &Renderer) -> Self {
        match message {
            Message::Request(request) => {
                let mut headers = request.shown_headers.clone();
                if let Some(content_type) = &request.content_type {
                    headers.insert(0, ("content-type".to_owned(), content_type.clone()));
                }
                let body = renderer.redact(request.body.as_deref().unwrap_or_default());
                let (body, is_cut) = cut(body);
                Self {
                    method: request.method.as_str().to_owned(),
                    url: renderer.redact(&request.shown_url),
                    headers,
                    body,
                    is_cut,
                }
            }
            Message::Mail(mail) => {
                let (body, is_cut) = cut(mail.text.clone());
                Self {
                    method: "MAIL".to_owned(),
                    url: mail.to.join(", "),
                    headers: vec![("subject".to_owned(), mail.subject.clone())],
                    body,
                    is_cut,
                }
            }
        }
    }
}

impl LoggedResponse {
    pub(super) fn of(answer: &Answer, renderer: &Renderer) -> Self {
        let kept = KEPT_HEADERS.iter().filter_map(|name| {
            let value = answer.header(name);
            let value: String = value.chars().take(KEPT_HEADER_CHARS).collect();
            (!value.is_empty()).then(|| ((*name).to_owned(), renderer.redact(&value)))
        });
        let text = String::from_utf8_lossy(&answer.body).replace('\0', "\u{fffd}");
        let (body, is_cut) = cut(renderer.redact(&text));
        Self {
            status: answer.status.as_u16(),
            headers: kept.collect(),
            body,
            is_cut: is_cut || answer.is_cut,
        }
    }
}

/// The beginning of a text, and whether there is more.
fn cut(mut text: String) -> (String, bool) {
    if text.len() <= KEPT_BYTES {
        return (text, false);
    }
    text.truncate(text.floor_char_boundary(KEPT_BYTES));
    (text, true)
}

/// Adds an attempt to the log.
pub(super) async fn insert(
    transaction: &impl ConnectionTrait,
    delivery: &Delivery,
    attempt: &Attempt,
) -> Result<(), SinksError> {
    let json = |value: Result<String, serde_json::Error>| value.map_err(SinksError::damaged);
    let response = attempt.response.as_ref().map(serde_json::to_string);
    transaction
        .execute_raw(Statement::from_sql_and_values(
            transaction.get_database_backend(),
            "INSERT INTO delivery_attempts (delivery_id, number, sink_id, started_at_ms, \
             duration_ms, request, response, error) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
             ON CONFLICT (delivery_id, number) DO NOTHING",
            [
                delivery.id.uuid().into(),
                attempt.number.into(),
                delivery.sink_id.uuid().into(),
                attempt.started_at_ms.into(),
                attempt.duration_ms.into(),
                json(serde_json::to_string(&attempt.request))?.into(),
                response.map(json).transpose()?.into(),
                attempt.error.clone().into(),
            ],
        ))
        .await?;
    Ok(())
}

impl Sinks {
    /// The attempts at a delivery, the first one first.
    pub async fn attempts(&self, id: DeliveryId) -> Result<Vec<Attempt>, SinksError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT number, started_at_ms, duration_ms, request, response, error \
                     FROM delivery_attempts WHERE delivery_id = $1 ORDER BY number LIMIT {MAX_LISTED}"
                ),
                [id.uuid().into()],
            ))
            .await?;
        let attempts = rows.iter().map(|row| {
            let request: String = row.try_get("", "request")?;
            let response: Option<String> = row.try_get("", "response")?;
            let response = response.map(|response| serde_json::from_str(&response));
            Ok(Attempt {
                number: row.try_get("", "number")?,
                started_at_ms: row.try_get("", "started_at_ms")?,
                duration_ms: row.try_get("", "duration_ms")?,
                request: serde_json::from_str(&request).map_err(SinksError::damaged)?,
                response: response.transpose().map_err(SinksError::damaged)?,
                error: row.try_get("", "error")?,
            })
        });
        attempts.collect()
    }
}
