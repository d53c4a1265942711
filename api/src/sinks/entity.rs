//! The table `sinks`, and how its rows become [`Sink`]s.

use dash_shared::ids::{PipelineId, SinkId, TeamId};
use sea_orm::entity::prelude::*;

use super::{Sink, SinkState, SinksError};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sinks")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub team_id: Uuid,
    pub pipeline_id: Uuid,
    pub kind: String,
    pub name: String,
    pub state: String,
    pub state_reason: Option<String>,
    pub state_since_ms: i64,
    pub version: i32,
    pub definition: String,
    pub sealed: Option<Vec<u8>>,
    pub cursor_seq: i64,
    pub wake_seq: i64,
    pub due_at_ms: Option<i64>,
    pub failing_since_ms: Option<i64>,
    pub last_error: Option<String>,
    pub skipped: i64,
    pub faults: i64,
    pub last_fault: Option<String>,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Sink {
    type Error = SinksError;

    fn try_from(row: Model) -> Result<Self, SinksError> {
        let state = SinkState::parse(&row.state, row.state_reason.as_deref());
        Ok(Self {
            id: SinkId::from_uuid(row.id),
            team_id: TeamId::from_uuid(row.team_id),
            pipeline_id: PipelineId::from_uuid(row.pipeline_id),
            name: row.name,
            state: state.ok_or_else(|| SinksError::damaged(format!("state {}", row.state)))?,
            state_since_ms: row.state_since_ms,
            version: row.version,
            definition: serde_json::from_str(&row.definition).map_err(SinksError::damaged)?,
            cursor_seq: row.cursor_seq,
            wake_seq: row.wake_seq,
            due_at_ms: row.due_at_ms,
            failing_since_ms: row.failing_since_ms,
            last_error: row.last_error,
            skipped: row.skipped,
            faults: row.faults,
            last_fault: row.last_fault,
            created_at_ms: row.created_at_ms,
            updated_at_ms: row.updated_at_ms,
            sealed: row.sealed,
        })
    }
}
