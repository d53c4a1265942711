//! The usage ledger: how many records and bytes each pipeline stored in each hour, written in the
//! same transaction as they. It outlives the pipelines: what was used stays used.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, uuid};
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
        let mut usage = table("usage_hours");
        usage
            .col(uuid("pipeline_id"))
            .col(big_integer("hour_ms"))
            .col(uuid("team_id"))
            .col(big_integer("points"))
            .col(big_integer("bytes"))
            .primary_key(Index::create().col("pipeline_id").col("hour_ms"));
        if manager.get_database_backend() == DbBackend::Sqlite {
            usage.extra("WITHOUT ROWID");
        }
        manager.create_table(usage).await?;
        manager
            .create_index(index("usage_hours", &["team_id", "hour_ms"]))
            .await?;
        // What was stored before the ledger began, as far as its runs are known.
        manager
            .get_connection()
            .execute_unprepared(
                "INSERT INTO usage_hours (pipeline_id, hour_ms, team_id, points, bytes) \
                 SELECT pipeline_id, finished_at_ms / 3600000 * 3600000, team_id, \
                 CAST(SUM(stored) AS BIGINT), CAST(SUM(stored_bytes) AS BIGINT) FROM runs \
                 WHERE stored > 0 GROUP BY pipeline_id, finished_at_ms / 3600000, team_id",
            )
            .await?;
        Ok(())
    }
}
