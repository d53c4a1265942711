//! Finding, making and forgetting views, and reading their units.

use dash_shared::ids::PipelineId;
use sea_orm::{ConnectionTrait, QueryResult as Row, Statement, Value};
use uuid::Uuid;

use super::{Cell, Definition, Group, Level, ReadError, Rollups, Span, View, blobs};

/// The most views of a pipeline.
const MAX_VIEWS: i64 = 64;
/// How exactly it is known when a view was used.
const USED_MS: i64 = 3_600_000;
/// A view that nobody asked for so long is forgotten.
const FORGET_AFTER_MS: i64 = 30 * 86_400_000;
/// How many units are read at once: each may have thousands of groups.
const UNITS: i64 = 200;
/// How many units are deleted at once.
const DELETED_UNITS: i64 = 5_000;

/// Counts and is used.
pub(super) const COUNTING: &str = "counting";
/// Had too many groups: it is neither counted nor used, and kept so that it is not made again.
const ABANDONED: &str = "abandoned";
/// Its units are being deleted, then it counts from the first record again.
const CLEARING: &str = "clearing";
/// Its units are being deleted, then it goes.
const LEAVING: &str = "leaving";

impl View {
    pub(super) fn from_row(row: &Row) -> Result<Self, ReadError> {
        let definition: String = row.try_get("", "definition")?;
        Ok(Self {
            id: row.try_get("", "id")?,
            definition: serde_json::from_str(&definition)
                .map_err(|error| ReadError::Damaged(error.to_string()))?,
            watermark: row.try_get("", "watermark")?,
        })
    }
}

fn written(definition: &Definition) -> Result<String, ReadError> {
    serde_json::to_string(definition).map_err(|error| ReadError::Damaged(error.to_string()))
}

/// The view with this definition, unless there is none or it is of no use.
pub(in super::super) async fn find(
    connection: &impl ConnectionTrait,
    pipeline_id: PipelineId,
    definition: &Definition,
) -> Result<Option<View>, ReadError> {
    let row = connection
        .query_one_raw(Statement::from_sql_and_values(
            connection.get_database_backend(),
            "SELECT id, definition, watermark FROM rollup_views \
             WHERE pipeline_id = $1 AND definition = $2 AND state = $3",
            [
                pipeline_id.uuid().into(),
                written(definition)?.into(),
                COUNTING.into(),
            ],
        ))
        .await?;
    row.as_ref().map(View::from_row).transpose()
}

/// Reads the units of a view in a span, in the order of time. A unit without cells is one that has
/// to be counted from below. Returns whether that was all; `after_ms` is where to go on.
pub(in super::super) async fn units(
    connection: &impl ConnectionTrait,
    view: &View,
    level: Level,
    (from_ms, to_ms): Span,
) -> Result<Units, ReadError> {
    let rows = connection
        .query_all_raw(Statement::from_sql_and_values(
            connection.get_database_backend(),
            "SELECT bucket_ms, cells FROM rollups WHERE view_id = $1 AND level = $2 \
             AND bucket_ms >= $3 AND bucket_ms < $4 ORDER BY bucket_ms LIMIT $5",
            [
                view.id.into(),
                level.number().into(),
                from_ms.into(),
                to_ms.into(),
                UNITS.into(),
            ],
        ))
        .await?;
    let mut units = Units::default();
    for row in &rows {
        let bucket_ms: i64 = row.try_get("", "bucket_ms")?;
        let cells: Option<Vec<u8>> = row.try_get("", "cells")?;
        match cells {
            Some(cells) => units.counted.push((bucket_ms, blobs::decode(&cells)?)),
            None => units.stale.push(bucket_ms),
        }
        units.next_ms = bucket_ms + level.width_ms();
    }
    units.is_all = rows.len() as u64 != UNITS.unsigned_abs();
    Ok(units)
}

/// Some units of a view.
#[derive(Debug, Default)]
pub(in super::super) struct Units {
    /// Where they begin, and their cells.
    pub(in super::super) counted: Vec<(i64, Vec<(Group, Cell)>)>,
    /// Where those begin that have to be counted from below.
    pub(in super::super) stale: Vec<i64>,
    /// Where reading goes on.
    pub(in super::super) next_ms: i64,
    /// Whether there are no more.
    pub(in super::super) is_all: bool,
}

impl Rollups {
    /// Makes sure that there is a view with this definition, if the pipeline may have one more, and
    /// notes that it is used.
    pub(in super::super) async fn want(
        &self,
        pipeline_id: PipelineId,
        definition: &Definition,
        now_ms: i64,
    ) -> Result<(), ReadError> {
        let orm = self.db.orm();
        let backend = orm.get_database_backend();
        let key = [
            Value::from(pipeline_id.uuid()),
            Value::from(written(definition)?),
        ];
        let found = orm
            .query_one_raw(Statement::from_sql_and_values(
                backend,
                "SELECT last_used_ms FROM rollup_views WHERE pipeline_id = $1 AND definition = $2",
                key.clone(),
            ))
            .await?;
        let [id, text] = key;
        let made = match found {
            Some(row) if row.try_get::<i64>("", "last_used_ms")? > now_ms - USED_MS => {
                return Ok(());
            }
            Some(_) => false,
            None => true,
        };
        let transaction = self.db.begin_write().await?;
        if made {
            transaction
                .execute_raw(Statement::from_sql_and_values(
                    backend,
                    "INSERT INTO rollup_views \
                     (id, pipeline_id, definition, state, watermark, last_used_ms) \
                     SELECT $1, $2, $3, $4, 0, $5 WHERE \
                     (SELECT COUNT(*) FROM rollup_views WHERE pipeline_id = $2) < $6 \
                     ON CONFLICT (pipeline_id, definition) DO NOTHING",
                    [
                        Uuid::now_v7().into(),
                        id,
                        text,
                        COUNTING.into(),
                        now_ms.into(),
                        MAX_VIEWS.into(),
                    ],
                ))
                .await?;
        } else {
            transaction
                .execute_raw(Statement::from_sql_and_values(
                    backend,
                    "UPDATE rollup_views SET last_used_ms = $3 \
                     WHERE pipeline_id = $1 AND definition = $2",
                    [id, text, now_ms.into()],
                ))
                .await?;
        }
        transaction.commit().await?;
        if made {
            self.hurry(pipeline_id);
        }
        Ok(())
    }

    pub(in super::super) async fn pipelines_with_views(
        &self,
    ) -> Result<Vec<PipelineId>, ReadError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_string(
                orm.get_database_backend(),
                "SELECT DISTINCT pipeline_id FROM rollup_views",
            ))
            .await?;
        rows.iter()
            .map(|row| Ok(PipelineId::from_uuid(row.try_get("", "pipeline_id")?)))
            .collect()
    }

    /// The views of a pipeline that count, those that are furthest behind first.
    pub(super) async fn counting(&self, pipeline_id: PipelineId) -> Result<Vec<View>, ReadError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT id, definition, watermark FROM rollup_views \
                 WHERE pipeline_id = $1 AND state = $2 ORDER BY watermark, id",
                [pipeline_id.uuid().into(), COUNTING.into()],
            ))
            .await?;
        rows.iter().map(View::from_row).collect()
    }

    /// The views of a pipeline that begin anew.
    pub(super) async fn cleared(&self, pipeline_id: PipelineId) -> Result<Vec<Uuid>, ReadError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT id FROM rollup_views WHERE pipeline_id = $1 AND state = $2",
                [pipeline_id.uuid().into(), CLEARING.into()],
            ))
            .await?;
        Ok(rows
            .iter()
            .map(|row| row.try_get("", "id"))
            .collect::<Result<_, _>>()?)
    }

    /// Forgets the views that nobody asked for in a month, and ends what was broken off.
    pub(in super::super) async fn tidy(&self, now_ms: i64) -> Result<(), ReadError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT id, state FROM rollup_views WHERE last_used_ms < $1 OR state IN ($2, $3) \
                 LIMIT 1000",
                [
                    (now_ms - FORGET_AFTER_MS).into(),
                    CLEARING.into(),
                    LEAVING.into(),
                ],
            ))
            .await?;
        for row in rows {
            let id = row.try_get("", "id")?;
            if row.try_get::<String>("", "state")? == CLEARING {
                self.restart(id).await?;
            } else {
                self.delete(id).await?;
            }
        }
        Ok(())
    }

    /// Has a view count from the first record again.
    pub(super) async fn restart(&self, view_id: Uuid) -> Result<(), ReadError> {
        self.set_state(view_id, CLEARING).await?;
        self.clear(view_id).await?;
        let transaction = self.db.begin_write().await?;
        transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                "UPDATE rollup_views SET watermark = 0, state = $2 WHERE id = $1 AND state = $3",
                [view_id.into(), COUNTING.into(), CLEARING.into()],
            ))
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Gives a view up.
    pub(super) async fn abandon(&self, view_id: Uuid) -> Result<(), ReadError> {
        self.set_state(view_id, ABANDONED).await?;
        self.clear(view_id).await
    }

    async fn set_state(&self, view_id: Uuid, state: &str) -> Result<(), ReadError> {
        let transaction = self.db.begin_write().await?;
        transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                "UPDATE rollup_views SET state = $2 WHERE id = $1",
                [view_id.into(), state.into()],
            ))
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes all views of a pipeline.
    pub(in super::super) async fn purge(&self, pipeline_id: PipelineId) -> Result<(), ReadError> {
        let orm = self.db.orm();
        let rows = orm
            .query_all_raw(Statement::from_sql_and_values(
                orm.get_database_backend(),
                "SELECT id FROM rollup_views WHERE pipeline_id = $1",
                [pipeline_id.uuid().into()],
            ))
            .await?;
        for row in rows {
            self.delete(row.try_get("", "id")?).await?;
        }
        let mut state = self.waiting.lock();
        state.viewed.remove(&pipeline_id);
        state.take_fresh(pipeline_id);
        Ok(())
    }

    /// Deletes a view. Nobody uses what is left of it meanwhile.
    async fn delete(&self, view_id: Uuid) -> Result<(), ReadError> {
        self.set_state(view_id, LEAVING).await?;
        self.clear(view_id).await?;
        let transaction = self.db.begin_write().await?;
        transaction
            .execute_raw(Statement::from_sql_and_values(
                transaction.get_database_backend(),
                "DELETE FROM rollup_views WHERE id = $1",
                [view_id.into()],
            ))
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Deletes the units of a view, some at a time.
    async fn clear(&self, view_id: Uuid) -> Result<(), ReadError> {
        for level in Level::ALL {
            loop {
                let transaction = self.db.begin_write().await?;
                let deleted = transaction
                    .execute_raw(Statement::from_sql_and_values(
                        transaction.get_database_backend(),
                        "DELETE FROM rollups WHERE view_id = $1 AND level = $2 AND bucket_ms IN \
                         (SELECT bucket_ms FROM rollups WHERE view_id = $1 AND level = $2 \
                         ORDER BY bucket_ms LIMIT $3)",
                        [view_id.into(), level.number().into(), DELETED_UNITS.into()],
                    ))
                    .await?;
                transaction.commit().await?;
                if deleted.rows_affected() < DELETED_UNITS.unsigned_abs() {
                    break;
                }
            }
        }
        Ok(())
    }
}
