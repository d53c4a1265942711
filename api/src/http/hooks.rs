//! Webhooks: `POST /hooks/{key}`. An answer of 2xx means that the records are durable.

use std::sync::Arc;

use axum::RequestPartsExt as _;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Json, Response};
use dash_shared::sources::MAX_BODY_BYTES;
use serde_json::json;

use super::bodies::{Bodies, Refusal};
use super::callers::request_id;
use super::problems::Problem;
use crate::app::App;
use crate::engine::{BodyError, Received, Sent, SignatureFault, WriteError};
use crate::pipelines::HookError;
use crate::telemetry::RequestId;

/// Takes a batch of records in.
pub(super) async fn receive(
    State(app): State<Arc<App>>,
    bodies: Bodies,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let request_id = request_id(&parts.extensions);
    let mut response = match parts.extract::<Path<String>>().await {
        Ok(Path(key)) => take_in(&app, &request_id, &key, &bodies, &parts, body).await,
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
    parts: &Parts,
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
    let sent = Sent {
        header: &|name| parts.headers.get(name).map(HeaderValue::as_bytes),
        query: parts.uri.query().unwrap_or_default(),
        body: &body.bytes,
    };
    match app.pipelines.receive(&hook, sent, &body.bytes).await {
        Ok(Received::Stored(receipt)) => Json(receipt).into_response(),
        Ok(Received::Challenge(challenge)) => {
            Json(json!({ "challenge": challenge })).into_response()
        }
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
        HookError::TooFast {
            rate,
            retry_after_seconds,
        } => Problem::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", message)
            .with("perSecond", rate.per_second)
            .with("burst", rate.burst)
            .retry_after(*retry_after_seconds),
        HookError::Signature(error) => Problem::new(
            StatusCode::UNAUTHORIZED,
            signature_code(error.fault()),
            message,
        )
        .with("header", error.header()),
        HookError::SecretsLost => {
            tracing::warn!("a webhook's secret cannot be opened");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "SECRETS_LOST", message).retry_after(60)
        }
        HookError::Body(body) => unreadable_body(body, message),
        HookError::Write(WriteError::Busy) => busy(),
        HookError::Write(_) | HookError::Pipelines(_) => {
            tracing::error!(error = error as &dyn std::error::Error, "a webhook failed");
            Problem::unavailable()
        }
    }
}

const fn signature_code(fault: SignatureFault) -> &'static str {
    match fault {
        SignatureFault::Missing => "SIGNATURE_MISSING",
        SignatureFault::Malformed => "SIGNATURE_MALFORMED",
        SignatureFault::Mismatch => "SIGNATURE_MISMATCH",
        SignatureFault::TooOld => "SIGNATURE_TOO_OLD",
        SignatureFault::TooNew => "SIGNATURE_TOO_NEW",
    }
}

fn unreadable_body(body: &BodyError, message: String) -> Problem {
    let (status, code) = match body {
        BodyError::Empty => (StatusCode::BAD_REQUEST, "EMPTY"),
        BodyError::NotJson { .. } | BodyError::NotNdjson { .. } => {
            (StatusCode::BAD_REQUEST, "NOT_JSON")
        }
        BodyError::NotRecords(_) => (StatusCode::BAD_REQUEST, "NOT_RECORDS"),
        BodyError::NotCsv { .. } => (StatusCode::BAD_REQUEST, "NOT_CSV"),
        BodyError::NotForm(_) => (StatusCode::BAD_REQUEST, "NOT_A_FORM"),
        BodyError::TooManyFields(_) => (StatusCode::PAYLOAD_TOO_LARGE, "TOO_MANY_FIELDS"),
        BodyError::TooManyRecords(_) => (StatusCode::PAYLOAD_TOO_LARGE, "TOO_MANY_RECORDS"),
        BodyError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "TOO_LARGE"),
        BodyError::FilesNotKept(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "FILES_NOT_KEPT"),
    };
    let problem = Problem::new(status, code, message);
    match body {
        BodyError::NotJson { line, column, .. } | BodyError::NotNdjson { line, column, .. } => {
            problem.with("line", *line).with("column", *column)
        }
        BodyError::NotCsv {
            line: Some(line), ..
        } => problem.with("line", *line),
        _ => problem,
    }
}

/// The text of an error as a sentence for people.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    format!("{first}{}.", letters.as_str())
}
