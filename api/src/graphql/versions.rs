//! The versions of a pipeline.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::errors::{UserError, payload, top_level};
use super::paging::{connection, cursor, page_size};
use super::pipelines::{Pipeline, pipeline_id};
use super::steps::show_step;
use super::{date_time, scope, services};
use crate::pipelines;

/// What people saw of a pipeline's definition from one change to the next.
#[derive(Debug, SimpleObject)]
pub struct PipelineVersion {
    /// Its number, from 1.
    version: i32,
    /// When it was made.
    at: DateTime<Utc>,
    /// The name of who made it; null when that is not known.
    author: Option<String>,
    /// What was changed, in words.
    summary: String,
    /// The pipeline's name.
    name: String,
    /// The source as a JSON document with its `kind`, without secrets.
    source: Value,
    /// The steps, each as a JSON document with its `kind`.
    steps: Vec<Value>,
    /// The field that says when a record happened.
    time_field: Option<String>,
}

connection!(
    PipelineVersionConnection,
    PipelineVersionEdge,
    PipelineVersion,
    "versions"
);

impl From<pipelines::Version> for PipelineVersion {
    fn from(version: pipelines::Version) -> Self {
        Self {
            version: version.version,
            at: date_time(version.made_at_ms),
            author: version.author,
            summary: version.summary,
            name: version.name,
            source: version.source,
            steps: version.steps.iter().map(show_step).collect(),
            time_field: version.time_field.map(|field| field.to_string()),
        }
    }
}

pub(super) async fn list(
    ctx: &Context<'_>,
    pipeline: &pipelines::Pipeline,
    first: Option<i32>,
    after: Option<&str>,
) -> async_graphql::Result<PipelineVersionConnection> {
    let after: Option<i32> = cursor(after)?;
    let found = services(ctx)?
        .pipelines
        .versions(&scope(ctx)?, pipeline.id, after, page_size(first)?)
        .await;
    let found = found.map_err(|error| top_level(ctx, error))?;
    let versions = found.versions.into_iter();
    Ok(PipelineVersionConnection::new(
        versions.map(|version| (version.version.to_string(), version.into())),
        after.is_none(),
        found.has_more,
        i64::try_from(found.total).unwrap_or(i64::MAX),
    ))
}

/// The version to bring back.
#[derive(Debug, InputObject)]
pub struct RestorePipelineVersionInput {
    /// The pipeline.
    pipeline_id: ID,
    /// The number of the version.
    version: i32,
}

/// The result of `restorePipelineVersion`.
#[derive(Debug, SimpleObject)]
pub struct RestorePipelineVersionPayload {
    /// The pipeline, with a new version.
    pipeline: Option<Pipeline>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

#[derive(Debug, Default)]
pub struct VersionsMutation;

#[Object]
impl VersionsMutation {
    /// Brings back the name, the steps and the time field of a version, as a new version. The source
    /// stays as it is, with its secrets. The test cases have to pass, as with any change.
    async fn restore_pipeline_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: RestorePipelineVersionInput,
    ) -> async_graphql::Result<RestorePipelineVersionPayload> {
        let id = pipeline_id(&input.pipeline_id)?;
        let restored = services(ctx)?
            .pipelines
            .restore(&scope(ctx)?, id, input.version)
            .await;
        let (pipeline, user_errors) = payload(ctx, restored)?;
        Ok(RestorePipelineVersionPayload {
            pipeline: pipeline.map(Pipeline),
            user_errors,
        })
    }
}
