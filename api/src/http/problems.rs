//! Error answers outside GraphQL: `{ "error": { "code", "message" }, "requestId" }`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use serde_json::{Map, Value, json};

use crate::telemetry::RequestId;

/// An error answer, to be completed and turned into a response.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    error: Map<String, Value>,
    retry_after_seconds: Option<u32>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let mut error = Map::new();
        error.insert("code".to_owned(), code.into());
        error.insert("message".to_owned(), message.into().into());
        Self {
            status,
            error,
            retry_after_seconds: None,
        }
    }

    /// Something went wrong that the caller can do nothing about; what, is in the log.
    pub(super) fn unavailable() -> Self {
        let message = "This is temporarily not possible. Try again in a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message).retry_after(5)
    }

    /// Adds a detail for programs.
    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.error.insert(key.to_owned(), value.into());
        self
    }

    /// When trying again makes sense.
    pub(super) const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    pub(super) fn response(self, request_id: &RequestId) -> Response {
        let body = json!({ "error": self.error, "requestId": request_id.as_str() });
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
