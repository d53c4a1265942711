//! The secrets that senders of webhooks sign with, and the files that are handed over to pipelines.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob_null, pk_uuid, text, text_null, uuid,
};

use crate::{IN_ONE_TRANSACTION, belongs_to, index, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        IN_ONE_TRANSACTION
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        for column in ["sealed_secret", "sealed_previous_secret"] {
            let mut pipelines = Table::alter();
            pipelines.table("pipelines").add_column(blob_null(column));
            manager.alter_table(pipelines).await?;
        }
        manager
            .create_table(
                table("uploads")
                    .col(pk_uuid("id"))
                    .col(uuid("pipeline_id"))
                    .col(text("name"))
                    .col(text("state"))
                    .col(big_integer("bytes_read"))
                    .col(big_integer_null("total_bytes"))
                    .col(big_integer("received"))
                    .col(big_integer("stored"))
                    .col(big_integer("dropped"))
                    .col(big_integer("failed"))
                    .col(big_integer("duplicates"))
                    .col(text("line_errors"))
                    .col(text_null("error_message"))
                    .col(big_integer_null("error_line"))
                    .col(big_integer("created_at_ms"))
                    .col(big_integer("updated_at_ms"))
                    .foreign_key(&mut belongs_to("pipeline_id", "pipelines"))
                    .take(),
            )
            .await?;
        manager
            .create_index(index("uploads", &["pipeline_id", "id"]))
            .await
    }
}
