//! The table `uploads`, and how its rows become [`Upload`]s.

use dash_shared::ids::{PipelineId, UploadId};
use sea_orm::entity::prelude::*;

use super::{STALE_AFTER_MS, Upload, UploadState};
use crate::engine::{LineError, Progress};
use crate::pipelines::PipelinesError;
use crate::pipelines::entity::to_json;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "uploads")]
pub(in crate::pipelines) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub pipeline_id: Uuid,
    pub name: String,
    pub state: String,
    pub bytes_read: i64,
    pub total_bytes: Option<i64>,
    pub received: i64,
    pub stored: i64,
    pub dropped: i64,
    pub failed: i64,
    pub duplicates: i64,
    pub line_errors: String,
    pub error_message: Option<String>,
    pub error_line: Option<i64>,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(in crate::pipelines) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl UploadState {
    /// The word in the database.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        let all = [Self::Receiving, Self::Done, Self::Failed, Self::Cancelled];
        all.into_iter().find(|state| state.as_str() == word)
    }
}

impl Model {
    /// The upload of this row. One that nobody has been at for a while is not being received: the
    /// process that did is gone.
    pub(super) fn into_upload(self, now_ms: i64) -> Result<Upload, PipelinesError> {
        let damaged = |error: String| PipelinesError::Damaged(error);
        let stored = UploadState::parse(&self.state)
            .ok_or_else(|| damaged(format!("unknown state {}", self.state)))?;
        let is_stale = now_ms - self.updated_at_ms > STALE_AFTER_MS;
        let state = match stored {
            UploadState::Receiving if is_stale => UploadState::Cancelled,
            state => state,
        };
        let errors: Vec<LineError> =
            serde_json::from_str(&self.line_errors).map_err(|error| damaged(error.to_string()))?;
        let count = |count: i64| u64::try_from(count).unwrap_or_default();
        Ok(Upload {
            id: UploadId::from_uuid(self.id),
            pipeline_id: PipelineId::from_uuid(self.pipeline_id),
            name: self.name,
            state,
            total_bytes: self.total_bytes.map(count),
            progress: Progress {
                bytes_read: count(self.bytes_read),
                received: count(self.received),
                stored: count(self.stored),
                dropped: count(self.dropped),
                failed: count(self.failed),
                duplicates: count(self.duplicates),
                errors,
            },
            error: self
                .error_message
                .map(|message| (message, self.error_line.map(count))),
            created_at_ms: self.created_at_ms,
            updated_at_ms: self.updated_at_ms,
        })
    }
}

impl TryFrom<&Upload> for Model {
    type Error = PipelinesError;

    fn try_from(upload: &Upload) -> Result<Self, PipelinesError> {
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let progress = &upload.progress;
        let (message, line) = upload.error.clone().unzip();
        Ok(Self {
            id: upload.id.uuid(),
            pipeline_id: upload.pipeline_id.uuid(),
            name: upload.name.clone(),
            state: upload.state.as_str().to_owned(),
            bytes_read: count(progress.bytes_read),
            total_bytes: upload.total_bytes.map(count),
            received: count(progress.received),
            stored: count(progress.stored),
            dropped: count(progress.dropped),
            failed: count(progress.failed),
            duplicates: count(progress.duplicates),
            // PostgreSQL takes no zero character in text; in JSON it is an escape.
            line_errors: to_json(&progress.errors)?,
            error_message: message.map(|message| message.replace('\0', "\u{FFFD}")),
            error_line: line.flatten().map(count),
            created_at_ms: upload.created_at_ms,
            updated_at_ms: upload.updated_at_ms,
        })
    }
}
