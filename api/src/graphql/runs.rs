//! Runs and what failed in them.

use async_graphql::{Enum, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::paging::connection;
use super::sources::RunError;
use super::{date_time, float, int};
use crate::data;
use crate::engine::FetchErrorCode;

/// What made a run happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "data::RunTrigger")]
pub enum RunTrigger {
    /// Its time had come.
    Schedule,
    /// Somebody asked for it.
    Manual,
    /// Something was posted.
    Webhook,
    /// A file was handed over.
    Upload,
    /// The demo source.
    Demo,
    /// Another pipeline stored records.
    Pipeline,
    /// Windows of time closed.
    Window,
    /// Somebody put failed records in again.
    Replay,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "data::RunState")]
pub enum RunState {
    /// Everything that was received is stored, or was left out on purpose.
    Succeeded,
    /// Some records failed, the others are stored.
    Partial,
    /// Nothing could be received, or every record failed.
    Failed,
}

/// One poll, or the webhooks of one moment, that went through a pipeline.
#[derive(Debug)]
pub struct Run(pub(super) data::Run);

/// One poll, or the webhooks of one moment, that went through a pipeline.
#[Object]
impl Run {
    /// The id.
    pub(super) async fn id(&self) -> async_graphql::ID {
        self.0.id.to_string().into()
    }

    /// What made it happen.
    async fn trigger(&self) -> RunTrigger {
        self.0.trigger.into()
    }

    /// How it ended.
    async fn state(&self) -> RunState {
        self.0.state.into()
    }

    /// When it began.
    async fn started_at(&self) -> DateTime<Utc> {
        date_time(self.0.started_at_ms)
    }

    /// When it ended.
    async fn finished_at(&self) -> DateTime<Utc> {
        date_time(self.0.finished_at_ms)
    }

    /// How long receiving and transforming took, in milliseconds.
    async fn duration_ms(&self) -> i32 {
        int(self.0.finished_at_ms - self.0.started_at_ms)
    }

    /// How many records came in.
    async fn received(&self) -> i32 {
        int(self.0.received)
    }

    /// How many were stored.
    async fn stored(&self) -> i32 {
        int(self.0.stored)
    }

    /// How many a step left out.
    async fn dropped(&self) -> i32 {
        int(self.0.dropped)
    }

    /// How many became a part of a window, and are stored with it when it closes.
    async fn held(&self) -> i32 {
        int(self.0.held)
    }

    /// How many failed.
    async fn failed(&self) -> i32 {
        int(self.0.failed)
    }

    /// How many were left out because they were stored before.
    async fn duplicates(&self) -> i32 {
        int(self.0.duplicates)
    }

    /// How many bytes were stored.
    async fn stored_bytes(&self) -> f64 {
        float(self.0.stored_bytes)
    }

    /// Why the run as a whole failed.
    async fn error(&self) -> Option<RunError> {
        let (code, message) = self.0.error.clone()?;
        Some(RunError::new(FetchErrorCode::parse(&code), message))
    }

    /// The first of the failed records, at most 20.
    async fn record_errors(&self) -> Vec<RecordError> {
        self.0
            .record_errors
            .iter()
            .cloned()
            .map(RecordError::from)
            .collect()
    }
}

/// What the runs of a pipeline did in a span of time that ends now.
#[derive(Debug, SimpleObject)]
pub struct RecentActivity {
    /// How many records came in.
    received: i32,
    /// How many were stored.
    stored: i32,
    /// Where the span ends: a run that finished later is not counted. Who follows the runs can add
    /// those to it.
    until: DateTime<Utc>,
}

impl From<data::RecentActivity> for RecentActivity {
    fn from(activity: data::RecentActivity) -> Self {
        Self {
            received: int(activity.received),
            stored: int(activity.stored),
            until: date_time(activity.until_ms),
        }
    }
}

connection!(RunConnection, RunEdge, Run, "runs");

/// A record that failed: where and why.
#[derive(Debug, SimpleObject)]
pub struct RecordError {
    /// The step, counted from 1; 0 is before the first one.
    step: i32,
    /// The path of the value.
    path: String,
    /// The value, shortened.
    value: String,
    /// What is wrong with it.
    message: String,
    /// What was received, as JSON, shortened.
    received: String,
}

impl From<data::RecordError> for RecordError {
    fn from(error: data::RecordError) -> Self {
        Self {
            step: i32::try_from(error.error.step).unwrap_or(i32::MAX),
            path: error.error.path,
            value: error.error.value,
            message: error.error.message,
            received: error.received,
        }
    }
}
