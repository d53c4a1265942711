//! The source that is another pipeline.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, SimpleObject};
use dash_shared::sources;

use super::super::errors::top_level;
use super::super::pipelines::Pipeline;
use super::super::{scope, services};
use crate::pipelines::NewSource;

/// Another pipeline: each record that it stores comes in, as soon as it is stored.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
pub struct PipelineSource {
    /// The id of the other pipeline.
    pipeline_id: ID,
}

#[ComplexObject]
impl PipelineSource {
    /// The other pipeline.
    #[graphql(complexity = "5 + child_complexity")]
    async fn pipeline(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Pipeline>> {
        let Ok(id) = self.pipeline_id.parse() else {
            return Ok(None);
        };
        let found = services(ctx)?.pipelines.find(&scope(ctx)?, id).await;
        Ok(found.map_err(|error| top_level(ctx, error))?.map(Pipeline))
    }
}

impl PipelineSource {
    pub(super) fn of(source: &sources::PipelineSource) -> Self {
        Self {
            pipeline_id: source.pipeline_id.to_string().into(),
        }
    }
}

/// Where reading another pipeline begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ReadFrom {
    /// With what it stores from now on.
    Now,
    /// With everything that it has stored.
    Beginning,
}

/// Another pipeline to read.
#[derive(Debug, InputObject)]
pub struct PipelineSourceInput {
    /// The other pipeline, of the same team.
    pipeline_id: ID,
    /// Where to begin; only for a pipeline that was not read before.
    #[graphql(default_with = "ReadFrom::Now")]
    read_from: ReadFrom,
}

impl From<PipelineSourceInput> for NewSource {
    fn from(input: PipelineSourceInput) -> Self {
        Self::Pipeline {
            // What is no id names no pipeline.
            pipeline_id: input.pipeline_id.parse().ok(),
            from_beginning: input.read_from == ReadFrom::Beginning,
        }
    }
}
