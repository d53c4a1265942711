//! The table `pipelines`, and how its rows become [`Pipeline`]s.

use dash_shared::ids::{PipelineId, TeamId};
use dash_shared::transform::Definition as Steps;
use sea_orm::entity::prelude::*;
use serde::de::DeserializeOwned;

use super::signing::SealedSecrets;
use super::{Pipeline, PipelineState, PipelinesError};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pipelines")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub team_id: Uuid,
    pub name: String,
    pub state: String,
    pub version: i32,
    pub source: String,
    pub steps: String,
    pub time_field: Option<String>,
    pub hook_key: Option<String>,
    pub sealed_headers: Option<Vec<u8>>,
    pub sealed_secret: Option<Vec<u8>>,
    pub sealed_previous_secret: Option<Vec<u8>>,
    pub failing_since_ms: Option<i64>,
    pub consecutive_failures: i32,
    pub retention_days: Option<i32>,
    pub paused_reason: Option<String>,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl PipelineState {
    /// The word in the database.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
        }
    }
}

impl TryFrom<Model> for Pipeline {
    type Error = PipelinesError;

    fn try_from(row: Model) -> Result<Self, PipelinesError> {
        let damaged = |error: &dyn std::fmt::Display| PipelinesError::Damaged(error.to_string());
        Ok(Self {
            id: PipelineId::from_uuid(row.id),
            team_id: TeamId::from_uuid(row.team_id),
            name: row.name,
            state: match row.state.as_str() {
                "running" => PipelineState::Running,
                "paused" => PipelineState::Paused,
                other => return Err(damaged(&format!("unknown state {other}"))),
            },
            version: row.version,
            source: from_json(&row.source)?,
            steps: from_json::<Steps>(&row.steps)?.steps,
            time_field: row
                .time_field
                .map(|path| path.parse().map_err(|error| damaged(&error)))
                .transpose()?,
            hook_key: row.hook_key,
            failing_since_ms: row.failing_since_ms,
            consecutive_failures: row.consecutive_failures,
            retention_days: row.retention_days.and_then(|days| days.try_into().ok()),
            paused_reason: row.paused_reason,
            created_at_ms: row.created_at_ms,
            updated_at_ms: row.updated_at_ms,
            sealed_headers: row.sealed_headers,
            sealed_secrets: SealedSecrets {
                current: row.sealed_secret,
                previous: row.sealed_previous_secret,
            },
        })
    }
}

pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, PipelinesError> {
    serde_json::from_str(text).map_err(|error| PipelinesError::Damaged(error.to_string()))
}

pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, PipelinesError> {
    serde_json::to_string(value).map_err(|error| PipelinesError::Damaged(error.to_string()))
}
