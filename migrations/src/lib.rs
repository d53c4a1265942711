//! The schema of Dash's database, one file per migration, for SQLite and PostgreSQL alike.
//!
//! A migration that has landed is never edited. The schema first grows what the new code needs
//! (expand) and loses what no running code uses in a later release (contract), so that old and
//! new processes can work side by side while a release rolls out.
//!
//! Conventions: ids are UUIDs; times are `*_ms` milliseconds since 1970, and they and all counts
//! of records or bytes are 64-bit; small words (`plan`, `role`, `state`) are text.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_query::TableCreateStatement;

pub use sea_orm_migration::MigratorTrait;

mod m20261122_000001_accounts;
mod m20261122_000002_pipelines;
mod m20261122_000003_records;
mod m20261122_000004_jobs;
mod m20261122_000005_dashboards;
mod m20261122_000006_retention;
mod m20261122_000007_usage;
mod m20261125_000008_rollups;
mod m20261125_000009_record_keys;
mod m20261125_000010_partitions;
mod m20261125_000012_polling;
mod m20261125_000015_sinks;
mod m20261125_000016_steps;
mod m20261125_000018_rewrites;
mod m20261125_000019_relays;

/// Brings a database to the newest schema.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_accounts::Migration),
            Box::new(m20261122_000002_pipelines::Migration),
            Box::new(m20261122_000003_records::Migration),
            Box::new(m20261122_000004_jobs::Migration),
            Box::new(m20261122_000005_dashboards::Migration),
            Box::new(m20261122_000006_retention::Migration),
            Box::new(m20261122_000007_usage::Migration),
            Box::new(m20261125_000008_rollups::Migration),
            Box::new(m20261125_000009_record_keys::Migration),
            Box::new(m20261125_000010_partitions::Migration),
            Box::new(m20261125_000012_polling::Migration),
            Box::new(m20261125_000015_sinks::Migration),
            Box::new(m20261125_000016_steps::Migration),
            Box::new(m20261125_000018_rewrites::Migration),
            Box::new(m20261125_000019_relays::Migration),
        ]
    }
}

/// A migration happens as a whole or not at all, on SQLite too, whenever the process is killed.
const IN_ONE_TRANSACTION: Option<bool> = Some(true);

/// The beginning of `create table name`.
fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).take()
}

/// `column` refers to the `id` of `to`; its rows go when the row they refer to goes.
fn belongs_to(column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    let mut key = ForeignKey::create();
    key.from_col(column)
        .to(to, "id")
        .on_delete(ForeignKeyAction::Cascade);
    key
}

/// An index on `columns` of `table`, named after both.
fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index
        .name(format!("{table}_{}_idx", columns.join("_")))
        .table(table);
    for column in columns {
        index.col(*column);
    }
    index
}
