//! Versions: what people see of a pipeline's definition is kept each time that it changes, with who
//! changed it, and can be brought back. Secrets are no part of a version.

mod entity;

use std::collections::{BTreeMap, BTreeSet};

use dash_shared::fields::FieldPath;
use dash_shared::ids::{PipelineId, UserId};
use dash_shared::transform::compare::{Snapshot, summary};
use dash_shared::transform::{Definition as Steps, Step};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde_json::Value;

use super::entity::{from_json, to_json};
use super::{Pipeline, PipelineChanges, Pipelines, PipelinesError};
use crate::accounts::{self, TenantScope};
use crate::db::WriteTransaction;

/// How many versions a pipeline keeps; the oldest go first.
const MAX_KEPT: i32 = 200;

/// What people saw of a pipeline from one change to the next.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its number, from 1.
    pub version: i32,
    /// When it was made, in milliseconds since 1970.
    pub made_at_ms: i64,
    /// The name of who made it; none when that is not known.
    pub author: Option<String>,
    /// The pipeline's name.
    pub name: String,
    /// The source without its secrets, as a document.
    pub source: Value,
    /// The steps.
    pub steps: Vec<Step>,
    /// The field that says when a record happened.
    pub time_field: Option<FieldPath>,
    /// What was changed, in words.
    pub summary: String,
}

/// A page of versions, the newest first.
#[derive(Clone, Debug)]
pub struct VersionPage {
    /// They.
    pub versions: Vec<Version>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// How many there are in all.
    pub total: u64,
}

impl Pipelines {
    /// A page of a pipeline's versions, the newest first, beginning after `after`.
    pub async fn versions(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        after: Option<i32>,
        first: u64,
    ) -> Result<VersionPage, PipelinesError> {
        self.get(scope, id).await?;
        let all = entity::Entity::find()
            .filter(entity::Column::PipelineId.eq(id.uuid()))
            .order_by_desc(entity::Column::Version);
        let total = all.clone().count(self.db.orm()).await?;
        let page = match after {
            Some(after) => all.filter(entity::Column::Version.lt(after)),
            None => all,
        };
        let mut rows = page.limit(first + 1).all(self.db.orm()).await?;
        let has_more = rows.len() as u64 > first;
        rows.truncate(usize::try_from(first).unwrap_or(usize::MAX));
        let authors: BTreeSet<UserId> = rows
            .iter()
            .filter_map(|row| row.author_id.map(UserId::from_uuid))
            .collect();
        let names = accounts::names_of(&self.db, &authors).await?;
        let versions = rows.into_iter().map(|row| Version::of(row, &names));
        Ok(VersionPage {
            versions: versions.collect::<Result<_, _>>()?,
            has_more,
            total,
        })
    }

    /// Brings back the name, the steps and the time field of a version, as a new version. The source
    /// stays as it is, with its secrets.
    pub async fn restore(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        version: i32,
    ) -> Result<Pipeline, PipelinesError> {
        self.get(scope, id).await?;
        let row = entity::Entity::find_by_id((id.uuid(), version))
            .one(self.db.orm())
            .await?
            .ok_or(PipelinesError::NoVersion)?;
        let old = Version::of(row, &BTreeMap::new())?;
        let changes = PipelineChanges {
            name: Some(old.name),
            steps: Some(old.steps),
            time_field: Some(
                old.time_field
                    .map_or_else(String::new, |field| field.to_string()),
            ),
            ..PipelineChanges::default()
        };
        self.change(scope, id, changes, Some(version)).await
    }

    /// Keeps what people see of a pipeline now.
    pub(super) async fn keep_version(
        &self,
        transaction: &WriteTransaction,
        scope: &TenantScope,
        pipeline: &Pipeline,
        summary: String,
    ) -> Result<(), PipelinesError> {
        let row = entity::ActiveModel {
            pipeline_id: Set(pipeline.id.uuid()),
            version: Set(pipeline.version),
            made_at_ms: Set(pipeline.updated_at_ms),
            author_id: Set(Some(scope.user_id().uuid())),
            name: Set(pipeline.name.clone()),
            source: Set(to_json(&pipeline.source)?),
            steps: Set(to_json(&Steps::from(pipeline.steps.clone()))?),
            time_field: Set(pipeline.time_field.as_ref().map(ToString::to_string)),
            summary: Set(summary),
        };
        row.insert(&**transaction).await?;
        entity::Entity::delete_many()
            .filter(entity::Column::PipelineId.eq(pipeline.id.uuid()))
            .filter(entity::Column::Version.lte(pipeline.version - MAX_KEPT))
            .exec(&**transaction)
            .await?;
        Ok(())
    }
}

impl Version {
    fn of(row: entity::Model, names: &BTreeMap<UserId, String>) -> Result<Self, PipelinesError> {
        let author = row.author_id.map(UserId::from_uuid);
        let time_field = row.time_field.map(|path| path.parse()).transpose();
        Ok(Self {
            version: row.version,
            made_at_ms: row.made_at_ms,
            author: author.and_then(|id| names.get(&id).cloned()),
            name: row.name,
            source: from_json(&row.source)?,
            steps: from_json::<Steps>(&row.steps)?.steps,
            time_field: time_field.map_err(|error: dash_shared::fields::InvalidPath| {
                PipelinesError::Damaged(error.to_string())
            })?,
            summary: row.summary,
        })
    }
}

/// What people see change from one definition to another, in words; empty when it is nothing.
pub(super) fn words(before: &Pipeline, after: &Pipeline) -> String {
    let source = |pipeline: &Pipeline| serde_json::to_value(&pipeline.source).unwrap_or_default();
    let field = |pipeline: &Pipeline| pipeline.time_field.as_ref().map(ToString::to_string);
    let (old_source, new_source) = (source(before), source(after));
    let (old_field, new_field) = (field(before), field(after));
    let mut words = summary(
        Snapshot {
            name: &before.name,
            source: &old_source,
            steps: &before.steps,
            time_field: old_field.as_deref(),
        },
        Snapshot {
            name: &after.name,
            source: &new_source,
            steps: &after.steps,
            time_field: new_field.as_deref(),
        },
    );
    if before.hook_key != after.hook_key {
        let comma = if words.is_empty() { "" } else { "; " };
        words = format!("{words}{comma}webhook got a new URL");
    }
    words
}
