//! The sources of pipelines, as they are shown and as they are entered.

mod pipeline;
mod polling;
pub(super) mod webhook;

use async_graphql::{Enum, InputObject, OneofObject, SimpleObject, Union};
use dash_shared::sources::{self, FileUpload, MAX_UPLOAD_BYTES};

use super::float;
use crate::engine::FetchErrorCode;
use crate::pipelines::{NewSource, Pipeline};

pub use pipeline::{PipelineSource, PipelineSourceInput};
pub use polling::{
    CronTimes, HeaderInput, HttpPollingSource, HttpPollingSourceInput, ResetPollCursorInput,
    TestSourceInput, TestSourcePayload,
};
pub use webhook::{WebhookSource, WebhookSourceInput};

/// Where a pipeline's data comes from.
#[derive(Debug, Union)]
pub enum Source {
    /// A secret URL that others post to.
    Webhook(WebhookSource),
    /// An address that is asked at an interval or at set times.
    HttpPolling(Box<HttpPollingSource>),
    /// Another pipeline.
    Pipeline(PipelineSource),
    /// Believable orders of a web shop that does not exist.
    Demo(DemoSource),
    /// Files that people hand over.
    FileUpload(FileUploadSource),
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

/// Believable orders of a web shop that does not exist.
#[derive(Debug, SimpleObject)]
pub struct DemoSource {
    /// What the invented data follows from.
    seed: i32,
}

impl Source {
    pub(super) fn of(pipeline: &Pipeline, public_url: &str) -> Self {
        match &pipeline.source {
            sources::Source::Webhook(webhook) => {
                Self::Webhook(WebhookSource::of(pipeline, webhook, public_url))
            }
            sources::Source::FileUpload(files) => Self::FileUpload(FileUploadSource {
                url: format!("{public_url}/v1/pipelines/{}/uploads", pipeline.id),
                max_bytes: float(i64::try_from(MAX_UPLOAD_BYTES).unwrap_or(i64::MAX)),
                key_path: files.key_path.clone(),
            }),
            sources::Source::HttpPolling(polling) => {
                Self::HttpPolling(Box::new(HttpPollingSource::of(polling)))
            }
            sources::Source::Pipeline(source) => Self::Pipeline(PipelineSource::of(source)),
            sources::Source::Demo { seed } => Self::Demo(DemoSource {
                seed: i32::try_from(*seed).unwrap_or(i32::MAX),
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
    HttpPolling(Box<HttpPollingSourceInput>),
    /// Another pipeline to read.
    Pipeline(PipelineSourceInput),
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

/// The demo.
#[derive(Debug, InputObject)]
pub struct DemoSourceInput {
    /// What the invented data follows from; chosen by chance without one.
    seed: Option<i32>,
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
                let (polling, credentials) = polling.into_parts();
                Self::HttpPolling {
                    polling: Box::new(polling),
                    credentials,
                }
            }
            SourceInput::Pipeline(pipeline) => pipeline.into(),
            SourceInput::Demo(demo) => Self::Demo {
                seed: demo.seed.and_then(|seed| u32::try_from(seed).ok()),
            },
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
    /// The answer is not JSON, and nothing says that it is CSV or NDJSON.
    NotJson,
    /// The answer is CSV, and a line of it cannot be read.
    InvalidCsv,
    /// The answer is too large, or has too many records or columns.
    TooLarge,
    /// The records path leads to nothing.
    NoRecords,
    /// Dash does not ask this address.
    ForbiddenTarget,
    /// A path is not a JSONPath, or would cost too much.
    InvalidPath,
    /// The server that gives tokens gives none.
    NoToken,
    /// Nothing that came has a value where the cursor should be.
    NoCursor,
    /// A secret that the source names is not there.
    NoSecret,
    /// The stored secrets cannot be opened: the server's key has changed.
    SecretsLost,
    /// A request to the webhook did not prove who sent it.
    InvalidSignature,
    /// Something failed inside Dash.
    Internal,
}
