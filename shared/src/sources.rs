//! Where a pipeline's data comes from: the definitions of sources and the rules for them. Secrets
//! are not part of a definition: header values are kept apart, encrypted.

pub mod polling;

use serde::{Deserialize, Serialize};

use crate::ids::PipelineId;

pub use polling::{HttpPolling, check_header_names, check_url};

/// The largest webhook body and the largest polled response, in bytes.
pub const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// The most records one webhook body or one polled response may hold.
pub const MAX_RECORDS_PER_RUN: usize = 10_000;
/// The largest single record, as JSON, in bytes.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;
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
    /// A secret URL that others post JSON to.
    Webhook,
    /// An address that is asked at an interval.
    HttpPolling(Box<HttpPolling>),
    /// What another pipeline stores.
    Pipeline(PipelineSource),
    /// Believable orders of a web shop that does not exist.
    Demo {
        /// What the invented data follows from.
        seed: u32,
    },
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
