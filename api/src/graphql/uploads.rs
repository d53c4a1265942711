//! Files that were handed over to pipelines.

use async_graphql::{Enum, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::paging::connection;
use super::{date_time, float, int};
use crate::engine;
use crate::pipelines;

/// How the taking in of a file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "pipelines::UploadState")]
pub enum UploadState {
    /// It is arriving.
    Receiving,
    /// All of it was read.
    Done,
    /// It could not be read or stored to its end. What was stored stays.
    Failed,
    /// It did not arrive whole. What was stored stays.
    Cancelled,
}

/// A file that was handed over to a pipeline, or is arriving.
#[derive(Debug)]
pub struct Upload(pub(super) pipelines::Upload);

/// A file that was handed over to a pipeline, or is arriving.
#[Object]
impl Upload {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The file's name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How it stands.
    async fn state(&self) -> UploadState {
        self.0.state.into()
    }

    /// How many bytes have arrived and were read.
    async fn bytes_read(&self) -> f64 {
        to_float(self.0.progress.bytes_read)
    }

    /// How many bytes the file has; null when its sender did not say.
    async fn total_bytes(&self) -> Option<f64> {
        self.0.total_bytes.map(to_float)
    }

    /// How many records were read.
    async fn received(&self) -> i32 {
        to_int(self.0.progress.received)
    }

    /// How many of them are stored.
    async fn stored(&self) -> i32 {
        to_int(self.0.progress.stored)
    }

    /// How many a step left out, or holds in a window.
    async fn dropped(&self) -> i32 {
        to_int(self.0.progress.dropped)
    }

    /// How many failed.
    async fn failed(&self) -> i32 {
        to_int(self.0.progress.failed)
    }

    /// How many were stored before.
    async fn duplicates(&self) -> i32 {
        to_int(self.0.progress.duplicates)
    }

    /// The first of those that failed, at most 20.
    async fn errors(&self) -> Vec<UploadLineError> {
        let errors = self.0.progress.errors.iter().cloned();
        errors.map(UploadLineError::from).collect()
    }

    /// Why it did not come to its end.
    async fn error(&self) -> Option<UploadError> {
        let (message, line) = self.0.error.clone()?;
        Some(UploadError {
            message,
            line: line.map(to_int),
        })
    }

    /// When it began.
    async fn created_at(&self) -> DateTime<Utc> {
        date_time(self.0.created_at_ms)
    }

    /// When it came on, or ended.
    async fn updated_at(&self) -> DateTime<Utc> {
        date_time(self.0.updated_at_ms)
    }
}

connection!(UploadConnection, UploadEdge, Upload, "uploads");

/// A record of a file that failed.
#[derive(Debug, SimpleObject)]
pub struct UploadLineError {
    /// The line where it begins, from 1.
    line: i32,
    /// What is wrong with it.
    message: String,
}

impl From<engine::LineError> for UploadLineError {
    fn from(error: engine::LineError) -> Self {
        Self {
            line: to_int(error.line),
            message: error.message,
        }
    }
}

/// Why a file was not taken in to its end.
#[derive(Debug, SimpleObject)]
pub struct UploadError {
    /// What happened and what to do.
    message: String,
    /// The line where it stopped, from 1.
    line: Option<i32>,
}

fn to_int(count: u64) -> i32 {
    int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn to_float(count: u64) -> f64 {
    float(i64::try_from(count).unwrap_or(i64::MAX))
}
