//! Series that are made anew beside the ones that are shown, and how far that has come.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, blob, integer, string_len, text, uuid};

use crate::{IN_ONE_TRANSACTION, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        IN_ONE_TRANSACTION
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut rewrites = table("rewrites");
        rewrites
            .col(uuid("pipeline_id").primary_key())
            .col(uuid("storage_id"))
            .col(integer("version"))
            .col(string_len("phase", 16))
            .col(text("problem"))
            .col(big_integer("base_seq"))
            .col(big_integer("place_seq"))
            .col(big_integer("place_batch"))
            .col(uuid("place_id"))
            .col(big_integer("events"))
            .col(big_integer("counted"))
            .col(big_integer("written"))
            .col(big_integer("failed"))
            .col(big_integer("dropped"))
            .col(big_integer("stored_bytes"))
            .col(big_integer("next_seq"))
            .col(big_integer("shift"))
            .col(big_integer("copied_seq"))
            .col(blob("state"))
            .col(big_integer("step"))
            .col(big_integer("started_at_ms"))
            .col(big_integer("updated_at_ms"));
        manager.create_table(rewrites).await
    }
}
