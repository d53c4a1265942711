//! Webhooks: `POST /hooks/{key}`. An answer of 2xx means that the records are durable.

use std::sync::Arc;

use axum::RequestPartsExt as _;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Json, Response};
use dash_shared::sources::MAX_BODY_BYTES;

use super::bodies::{Bodies, Refusal};
use super::callers::request_id;
use super::problems::Problem;
use crate::app::App;
use crate::engine::{BodyError, WriteError};
use crate::pipelines::HookError;
use crate::telemetry::RequestId;

/// The headers in which senders name a delivery, so that a repeat of it can be told: the one for
/// anybody, that of Standard Webhooks, that of GitHub. The first one that is there counts.
const DELIVERY_HEADERS: [&str; 3] = ["idempotency-key", "webhook-id", "x-github-delivery"];

/// Takes a batch of records in.
pub(super) async fn receive(
    State(app): State<Arc<App>>,
    bodies: Bodies,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let request_id = request_id(&parts.extensions);
    let mut response = match parts.extract::<Path<String>>().await {
        Ok(Path(key)) => take_in(&app, &request_id, &key, &bodies, &parts.headers, body).await,
        // What cannot be read as a key is none.
        Err(_) => problem(&HookError::Unknown).response(&request_id),
    };
    allow_any_page(response.headers_mut());
    response
}

async fn take_in(
    app: &App,
    request_id: &RequestId,
    key: &str,
    bodies: &Bodies,
    headers: &HeaderMap,
    body: Body,
) -> Response {
    // First the key: whoever has none takes no room with a body.
    let hook = match app.pipelines.open_hook(key).await {
        Ok(hook) => hook,
        Err(error) => return problem(&error).response(request_id),
    };
    let body = match bodies.read(body).await {
        Ok(body) => body,
        Err(refusal) => return unreadable(refusal).response(request_id),
    };
    let delivery = delivery(headers);
    let received = app
        .pipelines
        .receive(&hook, body.bytes.clone(), delivery.as_deref());
    match received.await {
        Ok(receipt) => Json(receipt).into_response(),
        Err(error) => problem(&error).response(request_id),
    }
}

/// Any page may send to a webhook whose URL it knows: the URL is the permission.
fn allow_any_page(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

/// Tells a browser that a page may send.
pub(super) async fn preflight() -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    allow_any_page(headers);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
    response
}

/// What names this delivery, if its sender names its deliveries: the first of [`DELIVERY_HEADERS`]
/// that is there, with its value.
fn delivery(headers: &HeaderMap) -> Option<Vec<u8>> {
    DELIVERY_HEADERS.iter().find_map(|name| {
        let value = headers.get(*name)?.as_bytes().trim_ascii();
        (!value.is_empty()).then(|| [name.as_bytes(), b":", value].concat())
    })
}

/// Tells somebody who opens a webhook's address in a browser what it is for.
pub(super) async fn method_not_allowed(request: Request) -> Response {
    let request_id = request_id(request.extensions());
    let message = "This is the address of a webhook: send JSON to it with POST.";
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        message,
    );
    let mut response = problem.response(&request_id);
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

fn unreadable(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::TooLarge => {
            let message = format!(
                "The body is larger than {} MB.",
                MAX_BODY_BYTES / 1024 / 1024
            );
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE", message)
        }
        Refusal::Incomplete => {
            let message = "The body did not arrive whole.";
            Problem::new(StatusCode::BAD_REQUEST, "INCOMPLETE_BODY", message)
        }
        Refusal::Busy => busy(),
    }
}

/// More comes in than can be stored at the moment.
fn busy() -> Problem {
    let message = "More is coming in than can be stored. Try again in a moment.";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "BUSY", message).retry_after(1)
}

fn problem(error: &HookError) -> Problem {
    let message = sentence(&error.to_string());
    match error {
        HookError::Unknown => Problem::new(StatusCode::NOT_FOUND, "NOT_FOUND", message),
        HookError::Paused => Problem::new(StatusCode::CONFLICT, "PAUSED", message),
        HookError::Body(body) => match body {
            BodyError::Empty => Problem::new(StatusCode::BAD_REQUEST, "EMPTY", message),
            BodyError::NotJson { line, column, .. } => {
                Problem::new(StatusCode::BAD_REQUEST, "NOT_JSON", message)
                    .with("line", *line)
                    .with("column", *column)
            }
            BodyError::NotRecords(_) => {
                Problem::new(StatusCode::BAD_REQUEST, "NOT_RECORDS", message)
            }
            BodyError::TooManyRecords(_) => {
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "TOO_MANY_RECORDS", message)
            }
        },
        HookError::Write(WriteError::Busy) => busy(),
        HookError::Write(_) | HookError::Pipelines(_) => {
            tracing::error!(error = error as &dyn std::error::Error, "a webhook failed");
            Problem::unavailable()
        }
    }
}

/// The text of an error as a sentence for people.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    format!("{first}{}.", letters.as_str())
}
