//! The table `pipeline_versions`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pipeline_versions")]
pub(in crate::pipelines) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub pipeline_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    pub made_at_ms: i64,
    pub author_id: Option<Uuid>,
    pub name: String,
    pub source: String,
    pub steps: String,
    pub time_field: Option<String>,
    pub summary: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(in crate::pipelines) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
