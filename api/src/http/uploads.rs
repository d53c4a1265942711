//! Files for pipelines: `POST /v1/pipelines/{id}/uploads?name=orders.csv`, with the file as the body.
//! It is read while it arrives; the answer says what became of it. Closing the connection cancels it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Json, Response};
use axum::{Router, routing};
use dash_shared::codes::ErrorCode;
use dash_shared::ids::PipelineId;
use dash_shared::sources::MAX_UPLOAD_BYTES;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::callers::{Caller, UnknownCaller, request_id};
use super::hooks::sentence;
use super::problems::Problem;
use crate::app::App;
use crate::pipelines::{BeginError, BegunUpload, NewUpload, PipelinesError, Upload, UploadState};

/// How long a file may take.
const TIME_LIMIT: Duration = Duration::from_hours(1);

/// The route.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/pipelines/{id}/uploads", routing::post(receive))
        .layer(DefaultBodyLimit::disable())
}

async fn receive(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let request_id = request_id(&parts.extensions);
    let query = query.unwrap_or_default();
    let begun = match begin(&app, &id, &query, &parts).await {
        Ok(begun) => begun,
        Err(problem) => return problem.response(&request_id),
    };
    // In a task of its own: who leaves makes the body end, and that is noted.
    let running = tokio::spawn(async move { run(&app, begun, body).await });
    match running.await {
        Ok(Ok(upload)) => answer(&upload),
        Ok(Err(error)) => refused(BeginError::Pipelines(error)).response(&request_id),
        Err(_) => Problem::unavailable().response(&request_id),
    }
}

async fn begin(app: &App, id: &str, query: &str, parts: &Parts) -> Result<BegunUpload, Problem> {
    let caller = Caller::of(app, parts).await.map_err(unknown_caller)?;
    let scope = caller.viewer.map(|viewer| viewer.scope()).ok_or_else(|| {
        let code = ErrorCode::Unauthenticated.as_str();
        Problem::new(StatusCode::UNAUTHORIZED, code, "Log in first.")
    })?;
    let new = asked(query, &parts.headers)?;
    let id: PipelineId = id.parse().map_err(|_| not_found())?;
    let begun = app.pipelines.begin_upload(&scope, id, new).await;
    begun.map_err(refused)
}

async fn run(app: &App, begun: BegunUpload, body: Body) -> Result<Upload, PipelinesError> {
    let ends = Instant::now() + TIME_LIMIT;
    // A sender that pauses for long is given up by the router.
    let pieces = body.into_data_stream().map(move |piece| match piece {
        Ok(_) if Instant::now() > ends => Err(io::Error::from(io::ErrorKind::TimedOut)),
        piece => piece.map_err(io::Error::other),
    });
    app.pipelines.run_upload(begun, pieces, &app.stopping).await
}

/// What a request says about its file.
fn asked(query: &str, headers: &HeaderMap) -> Result<NewUpload, Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let mut new = NewUpload {
        content_type: text(CONTENT_TYPE).unwrap_or_default().to_owned(),
        total_bytes: text(CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        ..NewUpload::default()
    };
    if new
        .total_bytes
        .is_some_and(|bytes| bytes > MAX_UPLOAD_BYTES)
    {
        let message = format!(
            "The file is larger than {} MB. Split it, and send the parts one after the other.",
            MAX_UPLOAD_BYTES / 1024 / 1024
        );
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "TOO_LARGE",
            message,
        ));
    }
    if new.content_type.starts_with("multipart/") {
        let message = "Send the file itself as the body, without a form around it, as curl does \
                       with --data-binary @orders.csv.";
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "NOT_A_FILE",
            message,
        ));
    }
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "name" => new.name = value.into_owned(),
            "again" => new.again = value == "true",
            other => {
                let other: String = other.chars().take(40).collect();
                let message = format!("There is no parameter “{other}”: use name and again.");
                let code = ErrorCode::BadUserInput.as_str();
                return Err(Problem::new(StatusCode::BAD_REQUEST, code, message));
            }
        }
    }
    Ok(new)
}

/// What became of a file: 200 when it was read to its end, 422 when it could not be.
fn answer(upload: &Upload) -> Response {
    let status = match upload.state {
        UploadState::Done => StatusCode::OK,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let progress = &upload.progress;
    let errors: Vec<Value> = progress
        .errors
        .iter()
        .map(|error| json!({ "line": error.line, "message": error.message }))
        .collect();
    let error = upload
        .error
        .as_ref()
        .map(|(message, line)| json!({ "code": "UNREADABLE", "message": message, "line": line }));
    let everything = progress.received > 0 && progress.received == progress.duplicates;
    let told = json!({
        "uploadId": upload.id.to_string(),
        "bytes": progress.bytes_read,
        "received": progress.received,
        "stored": progress.stored,
        "dropped": progress.dropped,
        "failed": progress.failed,
        "duplicates": progress.duplicates,
        "duplicate": everything,
        "errors": errors,
        "error": error,
    });
    (status, Json(told)).into_response()
}

fn not_found() -> Problem {
    let message = "There is no such pipeline.";
    Problem::new(StatusCode::NOT_FOUND, ErrorCode::NotFound.as_str(), message)
}

fn unknown_caller(unknown: UnknownCaller) -> Problem {
    match unknown {
        UnknownCaller::ForeignOrigin => {
            let message = "A page of another site cannot use your session.";
            let code = ErrorCode::Forbidden.as_str();
            Problem::new(StatusCode::FORBIDDEN, code, message)
        }
        UnknownCaller::Accounts(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "cannot authenticate");
            Problem::unavailable()
        }
    }
}

fn refused(error: BeginError) -> Problem {
    let message = sentence(&error.to_string());
    match error {
        BeginError::NotForFiles => Problem::new(StatusCode::CONFLICT, "NOT_FOR_FILES", message),
        BeginError::Paused => Problem::new(StatusCode::CONFLICT, "PAUSED", message),
        BeginError::Busy => {
            let code = ErrorCode::RateLimited.as_str();
            Problem::new(StatusCode::TOO_MANY_REQUESTS, code, message).retry_after(5)
        }
        BeginError::Pipelines(PipelinesError::NotFound) => not_found(),
        BeginError::Pipelines(PipelinesError::Forbidden(_)) => {
            let message = "Your role in this team may not hand over files. Ask an owner of the \
                           team.";
            let code = ErrorCode::Forbidden.as_str();
            Problem::new(StatusCode::FORBIDDEN, code, message)
        }
        BeginError::Pipelines(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "a file could not be taken in");
            Problem::unavailable()
        }
    }
}
