//! Counting new records. A view moves on by whole batches: the units it adds and its new watermark
//! are one transaction, so that a record is counted once, whenever the process is killed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use dash_shared::ids::PipelineId;
use sea_orm::{ConnectionTrait, Statement, Value};

use super::super::read::OF_SERIES;
use super::batch::{Batch, Units, merge};
use super::views::COUNTING;
use super::{Fresh, FreshCommit, Level, ReadError, Rollups, StoredRecord, View, blobs};
use crate::data::read::{placeholders, record_from_row};
use crate::db::WriteTransaction;

/// How many records are counted at once.
const BATCH_RECORDS: i64 = 10_000;
/// How many units are read or written by one statement.
const STATEMENT_UNITS: usize = 100;

/// Some records of a pipeline, in the order of their numbers.
type Records = Vec<Arc<[StoredRecord]>>;

/// What became of a batch.
enum Counted {
    /// It is written.
    Written,
    /// Records were deleted meanwhile, or another process was quicker.
    Again,
    /// The view has too many groups.
    TooManyGroups,
}

impl Rollups {
    /// Counts what a pipeline's views have not counted yet, unless it is less than `least` records.
    pub(super) async fn advance(
        &self,
        pipeline_id: PipelineId,
        fresh: Fresh,
        least: usize,
    ) -> Result<(), ReadError> {
        let mut fresh = fresh.commits;
        loop {
            let views = self.counting(pipeline_id).await?;
            let Some(behind) = views.first().map(|view| view.watermark) else {
                self.waiting.lock().viewed.remove(&pipeline_id);
                return Ok(());
            };
            let (last_seq, revision) = self.state_of(pipeline_id).await?;
            let left = usize::try_from(last_seq - behind).unwrap_or(0);
            if left < least.max(1) {
                return Ok(());
            }
            // Those that are equally far behind are counted from the same records; they catch up
            // with the others first.
            let (together, ahead): (Vec<View>, Vec<View>) =
                views.into_iter().partition(|view| view.watermark == behind);
            let up_to = ahead
                .first()
                .map_or(last_seq, |view| view.watermark)
                .min(behind + BATCH_RECORDS);
            let (records, up_to) = match take_fresh(&mut fresh, revision, behind, up_to) {
                Some(taken) => taken,
                None => (self.read(pipeline_id, behind, up_to).await?, up_to),
            };
            self.write(pipeline_id, together, records, revision, up_to)
                .await?;
            tokio::task::yield_now().await;
        }
    }

    /// The newest record's number, and how often records were deleted or changed.
    async fn state_of(&self, pipeline_id: PipelineId) -> Result<(i64, i64), ReadError> {
        let orm = self.db.orm();
        let row = orm
            .query_one_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT last_seq, revision FROM series WHERE pipeline_id = $1",
                [pipeline_id.uuid().into()],
            ))
            .await?;
        row.map_or(Ok((0, 0)), |row| {
            Ok((row.try_get("", "last_seq")?, row.try_get("", "revision")?))
        })
    }

    async fn read(
        &self,
        pipeline_id: PipelineId,
        after_seq: i64,
        up_to: i64,
    ) -> Result<Records, ReadError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                format!(
                    "SELECT seq, time_ms, received_at_ms, fields FROM records \
                     WHERE {OF_SERIES} AND seq > $2 AND seq <= $3 ORDER BY seq"
                ),
                [pipeline_id.uuid().into(), after_seq.into(), up_to.into()],
            ))
            .await?;
        let records: Result<Arc<[_]>, _> = rows.iter().map(record_from_row).collect();
        Ok(vec![records?])
    }

    async fn write(
        &self,
        pipeline_id: PipelineId,
        views: Vec<View>,
        records: Records,
        revision: i64,
        up_to: i64,
    ) -> Result<(), ReadError> {
        let definitions: Vec<_> = views.iter().map(|view| view.definition.clone()).collect();
        let counting = tokio::task::spawn_blocking(move || {
            let all = || records.iter().flat_map(|commit| commit.iter());
            definitions
                .iter()
                .map(|definition| Batch::count(definition, all()))
                .collect::<Vec<_>>()
        });
        let batches = counting
            .await
            .map_err(|error| ReadError::Damaged(error.to_string()))?;
        for (view, batch) in views.iter().zip(batches) {
            let counted = self
                .write_view(pipeline_id, view, batch, revision, up_to)
                .await?;
            match counted {
                Counted::Written => {}
                Counted::Again => return Ok(()),
                Counted::TooManyGroups => {
                    tracing::info!(pipeline = %pipeline_id, view = ?view.definition,
                        "too many groups to roll up");
                    self.abandon(view.id).await?;
                }
            }
        }
        Ok(())
    }

    async fn write_view(
        &self,
        pipeline_id: PipelineId,
        view: &View,
        batch: Batch,
        revision: i64,
        up_to: i64,
    ) -> Result<Counted, ReadError> {
        let transaction = self.db.begin_write().await?;
        let backend = transaction.get_database_backend();
        // Whoever deletes records locks the views first, too: either it sees this watermark, or
        // the revision is another one here.
        let moved = transaction
            .execute_raw(Statement::from_sql_and_values(
                backend,
                "UPDATE rollup_views SET watermark = $3 \
                 WHERE id = $1 AND watermark = $2 AND state = $4",
                [
                    view.id.into(),
                    view.watermark.into(),
                    up_to.into(),
                    COUNTING.into(),
                ],
            ))
            .await?;
        let same = transaction
            .query_one_raw(Statement::from_sql_and_values(
                backend,
                "SELECT 1 AS one FROM series WHERE pipeline_id = $1 AND revision = $2",
                [pipeline_id.uuid().into(), revision.into()],
            ))
            .await?;
        if moved.rows_affected() != 1 || same.is_none() {
            return Ok(Counted::Again);
        }
        for (level, units) in Level::ALL.into_iter().zip(batch.levels) {
            if !add(&transaction, view, level, units).await? {
                return Ok(Counted::TooManyGroups);
            }
        }
        transaction.commit().await?;
        Ok(Counted::Written)
    }
}

/// The records after `behind` that are kept in memory and are still what is stored, up to `up_to` or
/// a little less.
fn take_fresh(
    fresh: &mut Vec<FreshCommit>,
    revision: i64,
    behind: i64,
    up_to: i64,
) -> Option<(Records, i64)> {
    let first_of = |commit: &FreshCommit| commit.records.first().map_or(0, |record| record.seq);
    let last_of = |commit: &FreshCommit| commit.records.last().map_or(0, |record| record.seq);
    fresh.retain(|commit| commit.revision == revision && last_of(commit) > behind);
    let mut last = behind;
    let mut taken = 0;
    for commit in fresh.iter() {
        if first_of(commit) != last + 1 || last_of(commit) > up_to {
            break;
        }
        last = last_of(commit);
        taken += 1;
    }
    // One commit may have more than a batch.
    if taken == 0 {
        return None;
    }
    let records = fresh.drain(..taken).map(|commit| commit.records).collect();
    Some((records, last))
}

/// Adds units to those that are stored; false when one of them would have too many groups. Units
/// that have to be counted from below are left alone.
async fn add(
    transaction: &WriteTransaction,
    view: &View,
    level: Level,
    units: Units,
) -> Result<bool, ReadError> {
    let backend = transaction.get_database_backend();
    let mut units = units.into_iter();
    loop {
        let mut chunk: BTreeMap<i64, _> = units.by_ref().take(STATEMENT_UNITS).collect();
        if chunk.is_empty() {
            return Ok(true);
        }
        let mut values: Vec<Value> = vec![view.id.into(), level.number().into()];
        values.extend(chunk.keys().map(|start| Value::from(*start)));
        let rows = transaction
            .query_all_raw(Statement::from_sql_and_values(
                backend,
                format!(
                    "SELECT bucket_ms, cells FROM rollups \
                     WHERE view_id = $1 AND level = $2 AND bucket_ms IN ({})",
                    placeholders(3, chunk.len())
                ),
                values,
            ))
            .await?;
        for row in rows {
            let start: i64 = row.try_get("", "bucket_ms")?;
            let cells: Option<Vec<u8>> = row.try_get("", "cells")?;
            match cells {
                None => drop(chunk.remove(&start)),
                Some(cells) => {
                    let stored = blobs::decode(&cells)?;
                    if let Some(groups) = chunk.get_mut(&start) {
                        merge(
                            groups,
                            stored.iter().map(|(group, cell)| (group.clone(), cell)),
                        );
                    }
                }
            }
        }
        let most = view.definition.max_groups();
        if chunk.values().any(|groups| groups.len() > most) {
            return Ok(false);
        }
        put(transaction, view, level, &chunk).await?;
    }
}

/// Writes units, over those that are stored.
pub(super) async fn put(
    transaction: &WriteTransaction,
    view: &View,
    level: Level,
    units: &Units,
) -> Result<(), ReadError> {
    if units.is_empty() {
        return Ok(());
    }
    let mut sql = String::from("INSERT INTO rollups (view_id, level, bucket_ms, cells) VALUES ");
    let mut values: Vec<Value> = vec![view.id.into(), level.number().into()];
    for (index, (start, groups)) in units.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let n = index * 2 + 3;
        // Writing to a String cannot fail.
        let _ = write!(sql, "{comma}($1, $2, ${n}, ${})", n + 1);
        values.push((*start).into());
        values.push(blobs::encode(groups)?.into());
    }
    sql.push_str(" ON CONFLICT (view_id, level, bucket_ms) DO UPDATE SET cells = excluded.cells");
    transaction
        .execute_raw(Statement::from_sql_and_values(
            transaction.get_database_backend(),
            sql,
            values,
        ))
        .await?;
    Ok(())
}
