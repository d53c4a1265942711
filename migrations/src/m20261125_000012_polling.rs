//! How far polled sources were read, why a pipeline was paused, and whose jobs are whose.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, pk_uuid, text_null, uuid_null};

use crate::{IN_ONE_TRANSACTION, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        IN_ONE_TRANSACTION
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Like records they have no foreign key, and are purged after their pipeline is gone.
        manager
            .create_table(
                table("poll_marks")
                    .col(pk_uuid("pipeline_id"))
                    .col(text_null("cursor"))
                    .col(text_null("validators"))
                    .col(big_integer("epoch").default(0))
                    .col(big_integer("updated_at_ms"))
                    .take(),
            )
            .await?;
        let mut pipelines = Table::alter();
        pipelines
            .table("pipelines")
            .add_column(text_null("paused_reason"));
        manager.alter_table(pipelines).await?;
        let mut jobs = Table::alter();
        jobs.table("jobs").add_column(uuid_null("fair_key"));
        manager.alter_table(jobs).await
    }
}
