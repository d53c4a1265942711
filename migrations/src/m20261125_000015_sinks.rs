//! Sinks, what they delivered, and each attempt at it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, blob_null, integer, integer_null, pk_uuid, text, text_null, uuid,
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
                table("sinks")
                    .col(pk_uuid("id"))
                    .col(uuid("team_id"))
                    .col(uuid("pipeline_id"))
                    .col(text("kind"))
                    .col(text("name"))
                    .col(text("state"))
                    .col(text_null("state_reason"))
                    .col(big_integer("state_since_ms"))
                    .col(integer("version"))
                    .col(text("definition"))
                    .col(blob_null("sealed"))
                    // The last record that was dealt with, and the one that wakes the sink.
                    .col(big_integer("cursor_seq"))
                    .col(big_integer("wake_seq"))
                    .col(big_integer_null("due_at_ms"))
                    .col(big_integer_null("failing_since_ms"))
                    .col(text_null("last_error"))
                    .col(big_integer("skipped").default(0))
                    .col(big_integer("faults").default(0))
                    .col(text_null("last_fault"))
                    .col(big_integer("created_at_ms"))
                    .col(big_integer("updated_at_ms"))
                    .foreign_key(&mut belongs_to("team_id", "teams"))
                    .foreign_key(&mut belongs_to("pipeline_id", "pipelines"))
                    .take(),
            )
            .await?;
        manager
            .create_index(index("sinks", &["pipeline_id", "id"]))
            .await?;
        manager.create_index(index("sinks", &["team_id"])).await?;
        // Deliveries hold nobody up: like runs they have no foreign key, and are purged in pieces
        // after their sink is gone.
        manager
            .create_table(
                table("deliveries")
                    .col(pk_uuid("id"))
                    .col(uuid("sink_id"))
                    .col(text("message_id"))
                    .col(text("lane"))
                    .col(text("state"))
                    .col(big_integer("first_seq"))
                    .col(big_integer("last_seq"))
                    .col(integer("records"))
                    .col(integer("attempts"))
                    .col(integer("tries"))
                    .col(big_integer_null("next_attempt_at_ms"))
                    .col(integer_null("status"))
                    .col(text_null("error"))
                    .col(big_integer_null("duration_ms"))
                    .col(big_integer("created_at_ms"))
                    .col(big_integer_null("finished_at_ms"))
                    .take(),
            )
            .await?;
        // One message is one delivery, whoever else is at work.
        manager
            .create_index(
                index("deliveries", &["sink_id", "message_id"])
                    .unique()
                    .take(),
            )
            .await?;
        manager
            .create_index(index("deliveries", &["sink_id", "id"]))
            .await?;
        manager
            .create_index(index("deliveries", &["sink_id", "state", "id"]))
            .await?;
        manager
            .create_table(
                table("delivery_attempts")
                    .col(uuid("delivery_id"))
                    .col(integer("number"))
                    .col(uuid("sink_id"))
                    .col(big_integer("started_at_ms"))
                    .col(big_integer("duration_ms"))
                    .col(text("request"))
                    .col(text_null("response"))
                    .col(text_null("error"))
                    .primary_key(Index::create().col("delivery_id").col("number"))
                    .take(),
            )
            .await?;
        manager
            .create_index(index("delivery_attempts", &["sink_id"]))
            .await
    }
}
