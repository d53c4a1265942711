//! Which pipelines read which others, and how far they have read.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string_len, uuid};

use crate::{IN_ONE_TRANSACTION, index, table};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        IN_ONE_TRANSACTION
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut relays = table("relays");
        relays
            .col(uuid("pipeline_id").primary_key())
            .col(uuid("upstream_id"))
            .col(big_integer("position"))
            .col(string_len("state", 16));
        manager.create_table(relays).await?;
        manager
            .create_index(index("relays", &["upstream_id"]))
            .await
    }
}
