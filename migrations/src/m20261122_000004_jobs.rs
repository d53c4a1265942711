//! The queue of durable jobs. A worker owns a job while its lease lasts.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, pk_uuid, text, text_null, text_uniq, uuid_null,
};

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
                table("jobs")
                    .col(pk_uuid("id"))
                    .col(text("kind"))
                    .col(text_uniq("unique_key"))
                    .col(text("payload"))
                    .col(big_integer("run_at_ms"))
                    .col(uuid_null("lease_token"))
                    .col(big_integer_null("lease_until_ms"))
                    .col(integer("attempts").default(0))
                    .col(text_null("last_error"))
                    .col(big_integer("created_at_ms"))
                    .take(),
            )
            .await?;
        manager.create_index(index("jobs", &["run_at_ms"])).await
    }
}
