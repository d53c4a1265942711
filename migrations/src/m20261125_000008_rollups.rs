//! Roll-ups: what is known of the records of a minute, an hour or a day, so that a question about a
//! year reads a few hundred rows. A view is one way of counting a pipeline's records, with how far
//! it has counted; a row without cells has to be counted again from below.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, binary_null, pk_uuid, small_integer, text, uuid};
use sea_orm_migration::sea_orm::DbBackend;

use crate::{IN_ONE_TRANSACTION, index, table};

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
                table("rollup_views")
                    .col(pk_uuid("id"))
                    .col(uuid("pipeline_id"))
                    .col(text("definition"))
                    .col(text("state"))
                    .col(big_integer("watermark"))
                    .col(big_integer("last_used_ms"))
                    .take(),
            )
            .await?;
        let mut one_of_each = index("rollup_views", &["pipeline_id", "definition"]);
        manager.create_index(one_of_each.unique().take()).await?;

        let mut rollups = table("rollups");
        rollups
            .col(uuid("view_id"))
            .col(small_integer("level"))
            .col(big_integer("bucket_ms"))
            .col(binary_null("cells"))
            .primary_key(Index::create().col("view_id").col("level").col("bucket_ms"));
        if manager.get_database_backend() == DbBackend::Sqlite {
            rollups.extra("WITHOUT ROWID");
        }
        manager.create_table(rollups).await?;
        let connection = manager.get_connection();
        connection
            .execute_unprepared(
                "CREATE INDEX rollups_stale_idx ON rollups (view_id, level, bucket_ms) \
                 WHERE cells IS NULL",
            )
            .await?;
        // Counts how often records were deleted or changed: together with the newest record's
        // number it names the state of a pipeline's data.
        connection
            .execute_unprepared("ALTER TABLE series ADD COLUMN revision BIGINT NOT NULL DEFAULT 0")
            .await?;
        Ok(())
    }
}
