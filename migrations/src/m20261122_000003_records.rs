//! The record store: the records of each pipeline, numbered without gaps, and a line of totals
//! per pipeline that is kept in the same transaction.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, pk_uuid, text, uuid};
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
                table("series")
                    .col(pk_uuid("pipeline_id"))
                    .col(big_integer("last_seq"))
                    .col(big_integer("record_count"))
                    .col(big_integer("stored_bytes"))
                    .col(big_integer_null("last_received_at_ms"))
                    .take(),
            )
            .await?;
        let mut records = table("records");
        records
            .col(uuid("pipeline_id"))
            .col(big_integer("seq"))
            .col(big_integer("time_ms"))
            .col(big_integer("received_at_ms"))
            .col(text("fields"))
            .primary_key(Index::create().col("pipeline_id").col("seq"));
        if manager.get_database_backend() == DbBackend::Sqlite {
            // One B-tree in the order of the primary key instead of a table and an index.
            records.extra("WITHOUT ROWID");
        }
        manager.create_table(records).await?;
        manager
            .create_index(index("records", &["pipeline_id", "time_ms"]))
            .await
    }
}
