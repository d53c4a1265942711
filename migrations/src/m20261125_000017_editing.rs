//! Versions of pipelines, test cases of their transforms, and putting failed records in again.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, binary_len_null, integer, pk_uuid, string_len, text, text_null, uuid, uuid_null,
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
        let mut versions = table("pipeline_versions");
        versions
            .col(uuid("pipeline_id"))
            .col(integer("version"))
            .col(big_integer("made_at_ms"))
            .col(uuid_null("author_id"))
            .col(text("name"))
            .col(text("source"))
            .col(text("steps"))
            .col(text_null("time_field"))
            .col(text("summary"))
            .primary_key(Index::create().col("pipeline_id").col("version"))
            .foreign_key(&mut belongs_to("pipeline_id", "pipelines"));
        manager.create_table(versions).await?;
        // Who made the pipelines that are there is not known.
        manager
            .get_connection()
            .execute_unprepared(
                "INSERT INTO pipeline_versions (pipeline_id, version, made_at_ms, name, source, \
                 steps, time_field, summary) SELECT id, version, updated_at_ms, name, source, \
                 steps, time_field, 'as it was when versions began to be kept' FROM pipelines",
            )
            .await?;

        let mut tests = table("transform_tests");
        tests
            .col(pk_uuid("id"))
            .col(uuid("pipeline_id"))
            .col(text("name"))
            .col(text("input"))
            .col(text("expected"))
            .col(big_integer("updated_at_ms"))
            .foreign_key(&mut belongs_to("pipeline_id", "pipelines"));
        manager.create_table(tests).await?;
        manager
            .create_index(
                index("transform_tests", &["pipeline_id", "name"])
                    .unique()
                    .take(),
            )
            .await?;

        let mut replays = table("replays");
        replays
            .col(uuid("pipeline_id").primary_key())
            .col(string_len("state", 16))
            .col(big_integer("total"))
            .col(uuid("after_id"))
            .col(uuid("until_id"))
            .col(big_integer("started_at_ms"))
            .col(big_integer("updated_at_ms"))
            .foreign_key(&mut belongs_to("pipeline_id", "pipelines"));
        manager.create_table(replays).await?;

        // Which of the results of an event failed, of how many; and whether the event is among those
        // that the pipeline received and keeps.
        for (column, default) in [("part", 0), ("parts", 1), ("kept", 1)] {
            let mut failures = Table::alter();
            failures
                .table("failures")
                .add_column(integer(column).default(default));
            manager.alter_table(failures).await?;
        }
        // What names the event at its source.
        let mut failures = Table::alter();
        failures
            .table("failures")
            .add_column(binary_len_null("record_key", 16));
        manager.alter_table(failures).await
    }
}
