//! What transforms remember between records, what was received before it was transformed, and the
//! records that failed.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, binary_len, blob, integer, string_len, text, uuid, uuid_null,
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
        let mut runs = Table::alter();
        runs.table("runs")
            .add_column(big_integer("held").default(0));
        manager.alter_table(runs).await?;

        let mut series = Table::alter();
        series.table("series").add_column(uuid_null("storage_id"));
        manager.alter_table(series).await?;

        let mut states = table("transform_states");
        states
            .col(uuid("pipeline_id").primary_key())
            .col(big_integer("version"))
            .col(blob("state"));
        manager.create_table(states).await?;

        let mut received = table("received_batches");
        received
            .col(uuid("pipeline_id"))
            .col(big_integer("first_seq"))
            .col(uuid("id"))
            .col(big_integer("records"))
            .col(big_integer("received_at_ms"))
            .col(big_integer("events"))
            .col(big_integer("bytes"))
            .col(blob("body"))
            .primary_key(
                Index::create()
                    .col("pipeline_id")
                    .col("first_seq")
                    .col("id"),
            );
        manager.create_table(received).await?;
        manager
            .create_index(index(
                "received_batches",
                &["pipeline_id", "received_at_ms"],
            ))
            .await?;

        let mut failures = table("failures");
        failures
            .col(uuid("id").primary_key())
            .col(uuid("pipeline_id"))
            .col(uuid("run_id"))
            .col(big_integer("failed_at_ms"))
            .col(string_len("state", 16))
            .col(integer("step"))
            .col(text("path"))
            .col(text("value"))
            .col(text("message"))
            .col(text("received"))
            .col(binary_len("cause_hash", 16));
        manager.create_table(failures).await?;
        manager
            .create_index(index("failures", &["pipeline_id", "state", "id"]))
            .await
    }
}
