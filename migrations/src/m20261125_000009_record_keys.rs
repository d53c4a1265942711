//! Keys that say which records a pipeline has stored already, and how many records of a run were
//! left out for that.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, binary_len, uuid};
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
        let mut keys = table("record_keys");
        keys.col(uuid("pipeline_id"))
            .col(binary_len("key_hash", 16))
            .col(big_integer("seq"))
            .col(big_integer("received_at_ms"))
            .primary_key(Index::create().col("pipeline_id").col("key_hash"));
        if manager.get_database_backend() == DbBackend::Sqlite {
            keys.extra("WITHOUT ROWID");
        }
        manager.create_table(keys).await?;
        manager
            .create_index(index("record_keys", &["pipeline_id", "seq"]))
            .await?;
        let mut runs = Table::alter();
        runs.table("runs")
            .add_column(big_integer("duplicates").default(0));
        manager.alter_table(runs).await
    }
}
