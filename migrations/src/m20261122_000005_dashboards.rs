//! Dashboards. Widgets are part of their dashboard's document.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, pk_uuid, text, uuid};

use crate::{IN_ONE_TRANSACTION, belongs_to, index, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        IN_ONE_TRANSACTION
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                table("dashboards")
                    .col(pk_uuid("id"))
                    .col(uuid("team_id"))
                    .col(text("name"))
                    .col(integer("version"))
                    .col(text("range"))
                    .col(text("widgets"))
                    .col(big_integer("created_at_ms"))
                    .col(big_integer("updated_at_ms"))
                    .foreign_key(&mut belongs_to("team_id", "teams"))
                    .take(),
            )
            .await?;
        manager
            .create_index(index("dashboards", &["team_id"]))
            .await
    }
}
