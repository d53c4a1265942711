//! The table `replays`: how far putting all failed records in again has come.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "replays")]
pub(in crate::pipelines) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub pipeline_id: Uuid,
    pub state: String,
    pub total: i64,
    pub after_id: Uuid,
    pub until_id: Uuid,
    pub started_at_ms: i64,
    pub updated_at_ms: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(in crate::pipelines) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
