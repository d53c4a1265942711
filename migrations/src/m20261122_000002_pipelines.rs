//! Pipelines and their runs.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob_null, integer, pk_uuid, text, text_null, uuid,
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
        manager
            .create_table(
                table("pipelines")
                    .col(pk_uuid("id"))
                    .col(uuid("team_id"))
                    .col(text("name"))
                    .col(text("state"))
                    .col(integer("version"))
                    .col(text("source"))
                    .col(text("steps"))
                    .col(text_null("time_field"))
                    .col(text_null("hook_key").unique_key())
                    .col(blob_null("sealed_headers"))
                    .col(big_integer_null("failing_since_ms"))
                    .col(integer("consecutive_failures").default(0))
                    .col(big_integer("created_at_ms"))
                    .col(big_integer("updated_at_ms"))
                    .foreign_key(&mut belongs_to("team_id", "teams"))
                    .take(),
            )
            .await?;
        manager
            .create_index(index("pipelines", &["team_id"]))
            .await?;
        // Runs outlive nothing and hold no one up: like records they have no foreign key, and
        // are purged in pieces after their pipeline is gone.
        manager
            .create_table(
                table("runs")
                    .col(pk_uuid("id"))
                    .col(uuid("team_id"))
                    .col(uuid("pipeline_id"))
                    .col(text("batch_key"))
                    .col(text("trigger"))
                    .col(text("state"))
                    .col(big_integer("started_at_ms"))
                    .col(big_integer("finished_at_ms"))
                    .col(big_integer("received"))
                    .col(big_integer("stored"))
                    .col(big_integer("dropped"))
                    .col(big_integer("failed"))
                    .col(big_integer("stored_bytes"))
                    .col(text_null("error_code"))
                    .col(text_null("error_message"))
                    .col(text("record_errors"))
                    .take(),
            )
            .await?;
        // One batch is counted once, whatever is retried.
        manager
            .create_index(index("runs", &["pipeline_id", "batch_key"]).unique().take())
            .await?;
        manager
            .create_index(index("runs", &["pipeline_id", "finished_at_ms"]))
            .await?;
        manager
            .create_index(index("runs", &["pipeline_id", "id"]))
            .await
    }
}
