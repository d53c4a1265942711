//! PostgreSQL keeps records by the week in which they came in: what is deleted together lies together,
//! and an empty week gives its space back at once. With TimescaleDB the weeks are its chunks, and old
//! ones are compressed. See `docs/decisions/0005-weeks-of-records.md`.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{DbBackend, Statement};

use crate::IN_ONE_TRANSACTION;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What both ways have in common: the index in the order in which queries read.
const INDEX: &str = "CREATE INDEX records_pipeline_id_time_ms_seq_idx \
                     ON records (pipeline_id, time_ms, seq)";

const NATIVE: [&str; 8] = [
    "ALTER TABLE records RENAME TO records_before",
    "ALTER TABLE records_before DROP CONSTRAINT records_pkey",
    "CREATE TABLE records (
         pipeline_id uuid NOT NULL,
         seq bigint NOT NULL,
         time_ms bigint NOT NULL,
         received_at_ms bigint NOT NULL,
         fields text NOT NULL
     ) PARTITION BY RANGE (received_at_ms)",
    // Whatever no other partition takes: an insert never fails for want of one.
    "CREATE TABLE records_default PARTITION OF records DEFAULT",
    // The weeks of the records that are there, up to ten years back, and the next ones. Weeks begin
    // on Mondays, in UTC; 1 January 1970 was a Thursday.
    "DO $$
     DECLARE
         week CONSTANT bigint := 604800000;
         monday CONSTANT bigint := 345600000;
         now_ms CONSTANT bigint := (EXTRACT(EPOCH FROM now()) * 1000)::bigint;
         this_week CONSTANT bigint := (now_ms - monday) / week;
         number bigint;
     BEGIN
         FOR number IN
             SELECT generate_series(this_week, this_week + 4)
             UNION
             SELECT (received_at_ms - monday) / week FROM records_before
             WHERE received_at_ms >= now_ms - 520 * week AND received_at_ms < now_ms + 4 * week
         LOOP
             EXECUTE format(
                 'CREATE TABLE records_p%s PARTITION OF records FOR VALUES FROM (%s) TO (%s)',
                 to_char(to_timestamp((number * week + monday) / 1000) AT TIME ZONE 'UTC', 'IYYYIW'),
                 number * week + monday,
                 (number + 1) * week + monday
             );
         END LOOP;
     END $$",
    "INSERT INTO records (pipeline_id, seq, time_ms, received_at_ms, fields)
     SELECT pipeline_id, seq, time_ms, received_at_ms, fields FROM records_before",
    "DROP TABLE records_before",
    "ALTER TABLE records ADD PRIMARY KEY (pipeline_id, seq, received_at_ms)",
];

const TIMESCALE: [&str; 6] = [
    "ALTER TABLE records DROP CONSTRAINT records_pkey",
    "ALTER TABLE records ADD PRIMARY KEY (pipeline_id, seq, received_at_ms)",
    "DROP INDEX records_pipeline_id_time_ms_idx",
    "SELECT create_hypertable('records', by_range('received_at_ms', BIGINT '604800000'), \
     create_default_indexes => FALSE, migrate_data => TRUE)",
    "CREATE OR REPLACE FUNCTION dash_now_ms() RETURNS bigint LANGUAGE SQL STABLE AS \
     $$ SELECT (EXTRACT(EPOCH FROM now()) * 1000)::bigint $$",
    "SELECT set_integer_now_func('records', 'dash_now_ms')",
];

/// Only in the edition under the Timescale License, which is the usual one.
const COMPRESSION: [&str; 2] = [
    "ALTER TABLE records SET (timescaledb.compress, \
     timescaledb.compress_segmentby = 'pipeline_id', \
     timescaledb.compress_orderby = 'seq, received_at_ms')",
    "SELECT add_compression_policy('records', BIGINT '604800000')",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        IN_ONE_TRANSACTION
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        let timescale = finds(
            manager,
            "SELECT 1 AS found FROM pg_extension WHERE extname = 'timescaledb'",
        );
        if timescale.await? {
            run(manager, &TIMESCALE).await?;
            let licensed = finds(
                manager,
                "SELECT 1 AS found WHERE current_setting('timescaledb.license', true) = 'timescale'",
            );
            if licensed.await? {
                run(manager, &COMPRESSION).await?;
            }
        } else {
            run(manager, &NATIVE).await?;
        }
        run(manager, &[INDEX]).await
    }
}

async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    for sql in statements {
        manager.get_connection().execute_unprepared(sql).await?;
    }
    Ok(())
}

async fn finds(manager: &SchemaManager<'_>, sql: &str) -> Result<bool, DbErr> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let found = manager.get_connection().query_one_raw(statement).await?;
    Ok(found.is_some())
}
