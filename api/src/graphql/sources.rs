//! The sources of pipelines, as they are shown and as they are entered.

pub(super) mod webhook;

use async_graphql::{Enum, InputObject, OneofObject, SimpleObject, Union};
use dash_shared::sources::{self, FileUpload, HttpPolling, MAX_UPLOAD_BYTES};
use serde_json::Value;

pub use self::webhook::{WebhookSource, WebhookSourceInput};
use super::errors::UserError;
use super::float;
use crate::engine::{self, FetchErrorCode};
use crate::pipelines::{NewHeader, NewSource, Pipeline};

/// Where a pipeline's data comes from.
#[derive(Debug, Union)]
pub enum Source {
    /// A secret URL that others post to.
    Webhook(WebhookSource),
    /// An address that is asked at an interval.
    HttpPolling(HttpPollingSource),
    /// Believable orders of a web shop that does not exist.
    Demo(DemoSource),
    /// Files that people hand over.
    FileUpload(FileUploadSource),
}

/// An address that is asked at an interval and answers JSON or CSV.
#[derive(Debug, SimpleObject)]
pub struct HttpPollingSource {
    /// The address.
    url: String,
    /// The time from one poll to the next, in seconds.
    interval_seconds: i32,
    /// The names of the request headers. Their values are secrets and never shown.
    header_names: Vec<String>,
    /// A JSONPath (RFC 9535) to the records in the answer; the lines of a CSV are under `$`.
    records_path: String,
}

/// Believable orders of a web shop that does not exist.
#[derive(Debug, SimpleObject)]
pub struct DemoSource {
    /// What the invented data follows from.
    seed: i32,
}

/// Files that people hand over: CSV, TSV, NDJSON or JSON.
#[derive(Debug, SimpleObject)]
pub struct FileUploadSource {
    /// Where files are sent to: POST with the session, the file as the body and its name as the
    /// parameter `name`.
    url: String,
    /// The largest file, in bytes.
    max_bytes: f64,
    /// A JSONPath (RFC 9535) to the value that names a record, so that it is stored once, whatever
    /// files it comes with.
    key_path: Option<String>,
}

impl Source {
    pub(super) fn of(pipeline: &Pipeline, public_url: &str) -> Self {
        match &pipeline.source {
            sources::Source::Webhook(webhook) => {
                Self::Webhook(WebhookSource::of(pipeline, webhook, public_url))
            }
            sources::Source::HttpPolling(polling) => Self::HttpPolling(HttpPollingSource {
                url: polling.url.clone(),
                interval_seconds: i32::try_from(polling.interval_seconds).unwrap_or(i32::MAX),
                header_names: polling.header_names.clone(),
                records_path: polling.records_path.clone(),
            }),
            sources::Source::Demo { seed } => Self::Demo(DemoSource {
                seed: i32::try_from(*seed).unwrap_or(i32::MAX),
            }),
            sources::Source::FileUpload(files) => Self::FileUpload(FileUploadSource {
                url: format!("{public_url}/v1/pipelines/{}/uploads", pipeline.id),
                max_bytes: float(i64::try_from(MAX_UPLOAD_BYTES).unwrap_or(i64::MAX)),
                key_path: files.key_path.clone(),
            }),
        }
    }
}

/// A source; exactly one of its fields.
#[derive(Debug, OneofObject)]
pub enum SourceInput {
    /// A webhook.
    Webhook(WebhookSourceInput),
    /// An address to poll.
    HttpPolling(HttpPollingSourceInput),
    /// The demo.
    Demo(DemoSourceInput),
    /// Files that people hand over.
    FileUpload(FileUploadSourceInput),
}

/// Files that people hand over.
#[derive(Debug, InputObject)]
pub struct FileUploadSourceInput {
    /// A JSONPath (RFC 9535) to the value that names a record, so that it is stored once, whatever
    /// files it comes with; for a CSV, `$.` and the name of a column. Without it, only a file that
    /// is sent again as it was is not stored again.
    key_path: Option<String>,
}

/// An address to poll.
#[derive(Debug, InputObject)]
pub struct HttpPollingSourceInput {
    /// An `http` or `https` address.
    url: String,
    /// The time from one poll to the next, in seconds; the plan sets the shortest.
    interval_seconds: i32,
    /// Request headers.
    #[graphql(default)]
    headers: Vec<HeaderInput>,
    /// A JSONPath (RFC 9535) to the records in the answer: to a list of them, or to each. The lines of
    /// a CSV are a list under `$`. In a test, an empty path looks for the longest list of objects.
    #[graphql(default_with = "String::from(\"$\")")]
    records_path: String,
}

/// A request header.
#[derive(Debug, InputObject)]
pub struct HeaderInput {
    /// The name.
    name: String,
    /// The value, a secret. Without one, the stored value of the same name is kept.
    value: Option<String>,
}

/// The demo.
#[derive(Debug, InputObject)]
pub struct DemoSourceInput {
    /// What the invented data follows from; chosen by chance without one.
    seed: Option<i32>,
}

impl HttpPollingSourceInput {
    pub(super) fn into_parts(self) -> (HttpPolling, Vec<NewHeader>) {
        let headers = self.headers.into_iter();
        let headers = headers.map(|header| NewHeader {
            name: header.name,
            value: header.value,
        });
        let polling = HttpPolling {
            url: self.url,
            // A negative interval is shorter than any plan allows.
            interval_seconds: u32::try_from(self.interval_seconds).unwrap_or(0),
            header_names: Vec::new(),
            records_path: self.records_path,
        };
        (polling, headers.collect())
    }
}

impl SourceInput {
    /// Makes the secret of a webhook up, if that is asked for, and returns it.
    pub(super) fn make_secret(&mut self) -> Option<String> {
        match self {
            Self::Webhook(webhook) => webhook.make_secret(),
            _ => None,
        }
    }
}

impl From<SourceInput> for NewSource {
    fn from(input: SourceInput) -> Self {
        match input {
            SourceInput::Webhook(webhook) => Self::Webhook(webhook.into()),
            SourceInput::FileUpload(files) => Self::FileUpload(FileUpload {
                key_path: files.key_path,
            }),
            SourceInput::HttpPolling(polling) => {
                let (polling, headers) = polling.into_parts();
                Self::HttpPolling { polling, headers }
            }
            SourceInput::Demo(demo) => Self::Demo {
                seed: demo.seed.and_then(|seed| u32::try_from(seed).ok()),
            },
        }
    }
}

/// A polling source to try.
#[derive(Debug, InputObject)]
pub struct TestSourceInput {
    /// The source.
    pub(super) source: HttpPollingSourceInput,
    /// The pipeline whose stored header values are used for headers without a value.
    pub(super) pipeline_id: Option<async_graphql::ID>,
}

/// The result of `testSource`: what came, or why nothing did.
#[derive(Debug, SimpleObject)]
pub struct TestSourcePayload {
    /// What came.
    pub(super) result: Option<SourceTest>,
    /// Why nothing could be read.
    pub(super) error: Option<RunError>,
    /// What to fix in the input.
    pub(super) user_errors: Vec<UserError>,
}

/// What a source answered.
#[derive(Debug, SimpleObject)]
pub struct SourceTest {
    /// The HTTP status.
    status: i32,
    /// How long the answer took, in milliseconds.
    duration_ms: i32,
    /// The path that was used: the one given, or the most promising one.
    records_path: String,
    /// The paths under which there are lists of objects, the longest list first.
    records_path_candidates: Vec<String>,
    /// How many records there are.
    record_count: i32,
    /// The first of them, at most 20.
    records: Vec<Value>,
}

impl From<engine::SourceTest> for SourceTest {
    fn from(test: engine::SourceTest) -> Self {
        Self {
            status: i32::from(test.status),
            duration_ms: super::int(test.duration_ms),
            records_path: test.records_path,
            records_path_candidates: test.candidates,
            record_count: i32::try_from(test.record_count).unwrap_or(i32::MAX),
            records: test.records,
        }
    }
}

/// Why a run as a whole failed.
#[derive(Debug, SimpleObject)]
pub struct RunError {
    /// The kind of reason, for programs.
    code: RunErrorCode,
    /// What happened and what to do, for people.
    message: String,
}

impl RunError {
    pub(super) fn new(code: FetchErrorCode, message: String) -> Self {
        Self {
            code: code.into(),
            message,
        }
    }
}

/// The kinds of reasons why a run fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "FetchErrorCode")]
pub enum RunErrorCode {
    /// The server cannot be reached.
    Unreachable,
    /// The server did not answer in time.
    Timeout,
    /// The server answered with a status other than 2xx.
    BadStatus,
    /// The answer is not JSON, and nothing says that it is CSV.
    NotJson,
    /// The answer is CSV, and a line of it cannot be read.
    InvalidCsv,
    /// The answer is too large, or has too many records or columns.
    TooLarge,
    /// The records path leads to nothing.
    NoRecords,
    /// Dash does not ask this address.
    ForbiddenTarget,
    /// The records path is not a JSONPath, or would cost too much.
    InvalidPath,
    /// The stored values of the headers cannot be opened: the server's key has changed.
    SecretsLost,
    /// A request to the webhook did not prove who sent it.
    InvalidSignature,
    /// Something failed inside Dash.
    Internal,
}
