//! How long a pipeline keeps its records, when that is less than the plan allows.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::integer_null;

use crate::IN_ONE_TRANSACTION;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        IN_ONE_TRANSACTION
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::alter();
        table
            .table("pipelines")
            .add_column(integer_null("retention_days"));
        manager.alter_table(table).await
    }
}
