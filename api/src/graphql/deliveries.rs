//! The deliveries of sinks, and each attempt at them.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use dash_shared::ids::DeliveryId;

use super::errors::{not_found, top_level};
use super::paging::connection;
use super::{date_time, int, services};
use crate::sinks;

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "sinks::DeliveryState")]
pub enum DeliveryState {
    /// It is to be sent, or sent again.
    Pending,
    /// The target took it.
    Delivered,
    /// A test that did not arrive; it is not tried again.
    Failed,
    /// It was given up after the last try.
    Dead,
    /// There was nothing left to send.
    Skipped,
}

/// One message to a sink's target.
#[derive(Debug)]
pub struct Delivery(pub(super) sinks::Delivery);

/// One message to a sink's target.
#[Object]
impl Delivery {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What names it to the target, the same in every attempt and replay: the header `webhook-id` of
    /// webhooks, `Idempotency-Key` of others.
    async fn message_id(&self) -> &str {
        &self.0.message_id
    }

    /// What became of it.
    async fn state(&self) -> DeliveryState {
        self.0.state.into()
    }

    /// Whether it was sent to try the sink.
    async fn is_test(&self) -> bool {
        self.0.lane == sinks::Lane::Test
    }

    /// Whether somebody asked to send it again.
    async fn is_replay(&self) -> bool {
        self.0.lane == sinks::Lane::Replay
    }

    /// The cursor of its first record.
    async fn first_record(&self) -> String {
        self.0.first_seq.to_string()
    }

    /// The cursor of its last record.
    async fn last_record(&self) -> String {
        self.0.last_seq.to_string()
    }

    /// How many records it has.
    async fn record_count(&self) -> i32 {
        self.0.records
    }

    /// How often it was tried.
    async fn attempt_count(&self) -> i32 {
        self.0.attempts
    }

    /// When it is tried next.
    async fn next_attempt_at(&self) -> Option<DateTime<Utc>> {
        self.0.next_attempt_at_ms.map(date_time)
    }

    /// The last status that the target answered.
    async fn status(&self) -> Option<i32> {
        self.0.status
    }

    /// Why the last attempt failed.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// How long the last attempt took, in milliseconds.
    async fn duration_ms(&self) -> Option<i32> {
        self.0.duration_ms.map(int)
    }

    /// When it was planned.
    async fn created_at(&self) -> DateTime<Utc> {
        date_time(self.0.created_at_ms)
    }

    /// When it ended.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at_ms.map(date_time)
    }

    /// Each attempt, the first one first.
    #[graphql(complexity = "20 + 10 * child_complexity")]
    async fn attempts(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<DeliveryAttempt>> {
        let found = services(ctx)?.sinks.attempts(self.0.id).await;
        let found = found.map_err(|error| top_level(ctx, error))?;
        Ok(found.into_iter().map(DeliveryAttempt::from).collect())
    }
}

connection!(DeliveryConnection, DeliveryEdge, Delivery, "deliveries");

/// An attempt at a delivery: what was sent and what came back, without secrets, and at most 16 KB of
/// each body.
#[derive(Debug, SimpleObject)]
pub struct DeliveryAttempt {
    /// Which one it was, from 1.
    number: i32,
    /// When it began.
    started_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    duration_ms: i32,
    /// What was sent.
    request: SentRequest,
    /// What came back.
    response: Option<SinkResponse>,
    /// Why it failed.
    error: Option<String>,
}

/// A header.
#[derive(Debug, SimpleObject)]
pub struct SentHeader {
    /// The name.
    name: String,
    /// The value; dots in place of a secret.
    value: String,
}

/// What was sent, or would be, without secrets.
#[derive(Debug, SimpleObject)]
pub struct SentRequest {
    /// The method; `MAIL` for a mail.
    method: String,
    /// The address, or the recipients.
    url: String,
    /// The headers.
    headers: Vec<SentHeader>,
    /// The body, or its beginning.
    body: String,
    /// Whether there was more of it.
    is_cut: bool,
}

/// What a target answered.
#[derive(Debug, SimpleObject)]
pub struct SinkResponse {
    /// The HTTP status.
    status: i32,
    /// Some of the headers.
    headers: Vec<SentHeader>,
    /// The body, or its beginning.
    body: String,
    /// Whether there was more of it.
    is_cut: bool,
}

fn headers(headers: Vec<(String, String)>) -> Vec<SentHeader> {
    let headers = headers.into_iter();
    headers
        .map(|(name, value)| SentHeader { name, value })
        .collect()
}

impl From<sinks::LoggedRequest> for SentRequest {
    fn from(request: sinks::LoggedRequest) -> Self {
        Self {
            method: request.method,
            url: request.url,
            headers: headers(request.headers),
            body: request.body,
            is_cut: request.is_cut,
        }
    }
}

impl From<sinks::Attempt> for DeliveryAttempt {
    fn from(attempt: sinks::Attempt) -> Self {
        Self {
            number: attempt.number,
            started_at: date_time(attempt.started_at_ms),
            duration_ms: int(attempt.duration_ms),
            request: attempt.request.into(),
            response: attempt.response.map(|response| SinkResponse {
                status: response.status.into(),
                headers: headers(response.headers),
                body: response.body,
                is_cut: response.is_cut,
            }),
            error: attempt.error,
        }
    }
}

/// Which deliveries are meant.
#[derive(Clone, Debug, Default, InputObject)]
pub struct DeliveryFilterInput {
    /// Only those in one of these states.
    #[graphql(default)]
    states: Vec<DeliveryState>,
    /// Only those that were planned then or later.
    from: Option<DateTime<Utc>>,
    /// Only those that were planned before.
    to: Option<DateTime<Utc>>,
}

impl From<DeliveryFilterInput> for sinks::DeliveryFilter {
    fn from(input: DeliveryFilterInput) -> Self {
        Self {
            states: input.states.into_iter().map(Into::into).collect(),
            from_ms: input.from.map(|from| from.timestamp_millis()),
            to_ms: input.to.map(|to| to.timestamp_millis()),
        }
    }
}

/// Reads an id; what is none names nothing.
pub(super) fn delivery_id(id: &ID) -> async_graphql::Result<DeliveryId> {
    id.parse().map_err(|_| not_found("delivery"))
}
