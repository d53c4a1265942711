//! Where a pipeline's data comes from: the definitions of sources and the rules for them. Secrets
//! are not part of a definition: header values are kept apart, encrypted.

pub mod polling;
pub mod webhook;

use serde::{Deserialize, Serialize};

use crate::ids::PipelineId;

pub use polling::{HttpPolling, check_header_names, check_url};
pub use webhook::Webhook;

/// The largest webhook body and the largest polled response, in bytes.
pub const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// The most records one webhook body or one polled response may hold.
pub const MAX_RECORDS_PER_RUN: usize = 10_000;
/// The largest single record, as JSON, in bytes.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;
/// The largest file that is taken in, in bytes.
pub const MAX_UPLOAD_BYTES: u64 = 100 * 1024 * 1024;
/// The longest address, in bytes.
pub const MAX_URL_BYTES: usize = 2_048;
/// The most request headers of a polling source.
pub const MAX_HEADERS: usize = 20;
/// The longest header value, in bytes.
pub const MAX_HEADER_VALUE_BYTES: usize = 4_096;
/// The longest time between two polls.
pub const MAX_INTERVAL_SECONDS: u32 = 7 * 86_400;
/// The longest JSONPath, in bytes.
pub const MAX_RECORDS_PATH_BYTES: usize = 512;

/// Over how many stations pipelines read each other.
pub const MAX_PIPELINE_DEPTH: usize = 8;

/// A pipeline's source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// A secret URL that others post to.
    Webhook(Webhook),
    /// An address that is asked at an interval.
    HttpPolling(Box<HttpPolling>),
    /// What another pipeline stores.
    Pipeline(PipelineSource),
    /// Believable orders of a web shop that does not exist.
    Demo {
        /// What the invented data follows from.
        seed: u32,
    },
    /// Files that people hand over.
    FileUpload(FileUpload),
}

/// What is to be known of the files of a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileUpload {
    /// A JSONPath (RFC 9535) from a record to the value that names it, so that it is stored once,
    /// whatever files it comes with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_path: Option<String>,
}

/// Another pipeline, of the same team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineSource {
    /// It.
    pub pipeline_id: PipelineId,
    /// Whether everything that it had stored before is read too.
    #[serde(default)]
    pub from_beginning: bool,
}
