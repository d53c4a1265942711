//! The sources of pipelines, as they are shown and as they are entered.

mod pipeline;
mod polling;

use async_graphql::{Enum, InputObject, OneofObject, SimpleObject, Union};
use dash_shared::sources;

use crate::engine::FetchErrorCode;
use crate::pipelines::{NewSource, Pipeline};

pub use pipeline::{PipelineSource, PipelineSourceInput};
pub use polling::{
    CronTimes, HeaderInput, HttpPollingSource, HttpPollingSourceInput, ResetPollCursorInput,
    TestSourceInput, TestSourcePayload,
};

/// Where a pipeline's data comes from.
#[derive(Debug, Union)]
pub enum Source {
    /// A secret URL that others post JSON to.
    Webhook(WebhookSource),
    /// An address that is asked at an interval or at set times.
    HttpPolling(Box<HttpPollingSource>),
    /// Another pipeline.
    Pipeline(PipelineSource),
    /// Believable orders of a web shop that does not exist.
    Demo(DemoSource),
}

/// A secret URL that others post JSON to: an object is one record, an array is one for each item.
#[derive(Debug, SimpleObject)]
pub struct WebhookSource {
    /// Whoever knows it can send records.
    url: String,
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
            sources::Source::Webhook => Self::Webhook(WebhookSource {
                url: format!(
                    "{public_url}/hooks/{}",
                    pipeline.hook_key.as_deref().unwrap_or_default()
                ),
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
}

/// A webhook.
#[derive(Debug, InputObject)]
pub struct WebhookSourceInput {
    /// Makes a new URL; the old one stops working.
    #[graphql(default = false)]
    regenerate_url: bool,
}

/// The demo.
#[derive(Debug, InputObject)]
pub struct DemoSourceInput {
    /// What the invented data follows from; chosen by chance without one.
    seed: Option<i32>,
}

impl From<SourceInput> for NewSource {
    fn from(input: SourceInput) -> Self {
        match input {
            SourceInput::Webhook(webhook) => Self::Webhook {
                regenerate_url: webhook.regenerate_url,
            },
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
    /// Something failed inside Dash.
    Internal,
}
