//! The table `dashboards`, and how its rows become [`Dashboard`]s.

use dash_shared::ids::{DashboardId, TeamId};
use sea_orm::entity::prelude::*;
use serde::de::DeserializeOwned;

use super::{Dashboard, DashboardsError};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dashboards")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub team_id: Uuid,
    pub name: String,
    pub version: i32,
    pub range: String,
    pub widgets: String,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Dashboard {
    type Error = DashboardsError;

    fn try_from(row: Model) -> Result<Self, DashboardsError> {
        Ok(Self {
            id: DashboardId::from_uuid(row.id),
            team_id: TeamId::from_uuid(row.team_id),
            name: row.name,
            version: row.version,
            range: from_json(&row.range)?,
            widgets: from_json(&row.widgets)?,
            created_at_ms: row.created_at_ms,
            updated_at_ms: row.updated_at_ms,
        })
    }
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, DashboardsError> {
    serde_json::from_str(text).map_err(|error| DashboardsError::Damaged(error.to_string()))
}

pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, DashboardsError> {
    serde_json::to_string(value).map_err(|error| DashboardsError::Damaged(error.to_string()))
}
