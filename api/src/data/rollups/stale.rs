//! Deletions and changes: the units that they touch lose their cells in the same transaction, and
//! are then counted again from below, minutes from the records, hours from minutes, days from
//! hours. Until then questions go below by themselves, so that answers are exact all the time.

use std::collections::{BTreeMap, BTreeSet};

use dash_shared::ids::PipelineId;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};

use super::advance::put;
use super::batch::{Units, merge};
use super::views::{self, COUNTING};
use super::{Cell, Group, Level, ReadError, Rollups, View};
use crate::data::cells::Groups;
use crate::data::read::{placeholders, scan_span};
use crate::db::WriteTransaction;

/// How many units one statement marks.
const MARKED_UNITS: usize = 500;
/// How many units are counted again in one transaction.
const REFRESHED_UNITS: i64 = 50;

/// Marks what has to be counted again once the records with these numbers and times are deleted or
/// changed. Called first in the transaction that does so: it locks the views.
pub(in super::super) async fn mark(
    transaction: &WriteTransaction,
    pipeline_id: PipelineId,
    touched: &[(i64, i64)],
) -> Result<(), ReadError> {
    let backend = transaction.get_database_backend();
    let lock = match backend {
        DbBackend::Postgres => " FOR UPDATE",
        _ => "",
    };
    let rows = transaction
        .query_all_raw(Statement::from_sql_and_values(
            backend,
            format!(
                "SELECT id, definition, watermark FROM rollup_views \
                 WHERE pipeline_id = $1 AND state = $2 ORDER BY id{lock}"
            ),
            [pipeline_id.uuid().into(), COUNTING.into()],
        ))
        .await?;
    for row in &rows {
        let view = View::from_row(row)?;
        let counted = || touched.iter().filter(|(seq, _)| *seq <= view.watermark);
        for level in Level::ALL {
            let starts: BTreeSet<i64> = counted().map(|(_, time)| level.start_of(*time)).collect();
            let starts: Vec<i64> = starts.into_iter().collect();
            for chunk in starts.chunks(MARKED_UNITS) {
                let mut values: Vec<Value> = vec![view.id.into(), level.number().into()];
                values.extend(chunk.iter().map(|start| Value::from(*start)));
                let rows: Vec<_> = (3..3 + chunk.len())
                    .map(|place| format!("($1, $2, ${place}, NULL)"))
                    .collect();
                // A changed record may have moved to a unit that was not there.
                transaction
                    .execute_raw(Statement::from_sql_and_values(
                        backend,
                        format!(
                            "INSERT INTO rollups (view_id, level, bucket_ms, cells) VALUES {} \
                             ON CONFLICT (view_id, level, bucket_ms) DO UPDATE SET cells = NULL",
                            rows.join(", ")
                        ),
                        values,
                    ))
                    .await?;
            }
        }
    }
    // It names the state of the data, for caches and for those who count.
    transaction
        .execute_raw(Statement::from_sql_and_values(
            backend,
            "UPDATE series SET revision = revision + 1 WHERE pipeline_id = $1",
            [pipeline_id.uuid().into()],
        ))
        .await?;
    Ok(())
}

impl Rollups {
    /// Counts again what deletions and changes touched.
    pub(in super::super) async fn refresh(&self, pipeline_id: PipelineId) -> Result<(), ReadError> {
        for view in self.counting(pipeline_id).await? {
            for level in Level::ALL {
                while self.refresh_some(pipeline_id, &view, level).await? {
                    tokio::task::yield_now().await;
                }
            }
        }
        Ok(())
    }

    /// Counts some units of a level again; false when there are none left.
    async fn refresh_some(
        &self,
        pipeline_id: PipelineId,
        view: &View,
        level: Level,
    ) -> Result<bool, ReadError> {
        let transaction = self.db.begin_write().await?;
        let backend = transaction.get_database_backend();
        let lock = match backend {
            DbBackend::Postgres => " FOR UPDATE",
            _ => "",
        };
        let locked = transaction
            .query_one_raw(Statement::from_sql_and_values(
                backend,
                format!(
                    "SELECT id, definition, watermark FROM rollup_views \
                     WHERE id = $1 AND state = $2{lock}"
                ),
                [view.id.into(), COUNTING.into()],
            ))
            .await?;
        let Some(view) = locked.as_ref().map(View::from_row).transpose()? else {
            return Ok(false);
        };
        let rows = transaction
            .query_all_raw(Statement::from_sql_and_values(
                backend,
                "SELECT bucket_ms FROM rollups WHERE view_id = $1 AND level = $2 \
                 AND cells IS NULL ORDER BY bucket_ms LIMIT $3",
                [
                    view.id.into(),
                    level.number().into(),
                    REFRESHED_UNITS.into(),
                ],
            ))
            .await?;
        if rows.is_empty() {
            return Ok(false);
        }
        let mut units: Units = BTreeMap::new();
        let mut empty = Vec::new();
        for row in rows {
            let start: i64 = row.try_get("", "bucket_ms")?;
            let recounted = recount(&transaction, pipeline_id, &view, level, start).await?;
            // Deletions went on meanwhile: they refresh what they touched themselves.
            let Some(groups) = recounted else { continue };
            if groups.is_empty() {
                empty.push(start);
            } else {
                units.insert(start, groups);
            }
        }
        let refreshed = units.len() + empty.len();
        put(&transaction, &view, level, &units).await?;
        if !empty.is_empty() {
            let mut values: Vec<Value> = vec![view.id.into(), level.number().into()];
            values.extend(empty.iter().map(|start| Value::from(*start)));
            transaction
                .execute_raw(Statement::from_sql_and_values(
                    backend,
                    format!(
                        "DELETE FROM rollups WHERE view_id = $1 AND level = $2 \
                         AND bucket_ms IN ({})",
                        placeholders(3, empty.len())
                    ),
                    values,
                ))
                .await?;
        }
        transaction.commit().await?;
        Ok(refreshed > 0)
    }
}

/// Counts one unit from below; none if what is below has to be counted again first.
async fn recount(
    transaction: &WriteTransaction,
    pipeline_id: PipelineId,
    view: &View,
    level: Level,
    start: i64,
) -> Result<Option<Groups>, ReadError> {
    let span = (start, start + level.width_ms());
    let mut groups = Groups::new();
    let Some(finer) = level.finer() else {
        let definition = &view.definition;
        scan_span(
            &**transaction,
            pipeline_id,
            span,
            view.watermark,
            |record| {
                let group = Group::of(record, definition.group_by.as_ref());
                groups
                    .entry(group)
                    .or_default()
                    .add(record, &definition.part);
            },
        )
        .await?;
        return Ok(Some(groups));
    };
    let mut from_ms = span.0;
    loop {
        let units = views::units(&**transaction, view, finer, (from_ms, span.1)).await?;
        if !units.stale.is_empty() {
            return Ok(None);
        }
        for (_, cells) in &units.counted {
            merge(&mut groups, by_ref(cells));
        }
        if units.is_all {
            return Ok(Some(groups));
        }
        from_ms = units.next_ms;
    }
}

fn by_ref(cells: &[(Group, Cell)]) -> impl Iterator<Item = (Group, &Cell)> {
    cells.iter().map(|(group, cell)| (group.clone(), cell))
}
