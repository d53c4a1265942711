//! Data loaders: what a list of pipelines needs of the record store is read once for all of them.
//! They take ids of pipelines that were found within a scope.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use dash_shared::ids::PipelineId;

use crate::data::{ReadError, RecentActivity, RecordStore, Run, SeriesTotals};

/// The minutes of a throughput, the last of them now.
const THROUGHPUT_MINUTES: usize = 60;

pub(super) struct Totals(pub RecordStore);

impl Loader<PipelineId> for Totals {
    type Value = SeriesTotals;
    type Error = Arc<ReadError>;

    async fn load(
        &self,
        keys: &[PipelineId],
    ) -> Result<HashMap<PipelineId, SeriesTotals>, Arc<ReadError>> {
        Ok(self
            .0
            .totals(keys)
            .await
            .map_err(Arc::new)?
            .into_iter()
            .collect())
    }
}

pub(super) struct LastRuns(pub RecordStore);

impl Loader<PipelineId> for LastRuns {
    type Value = Run;
    type Error = Arc<ReadError>;

    async fn load(&self, keys: &[PipelineId]) -> Result<HashMap<PipelineId, Run>, Arc<ReadError>> {
        let runs = self.0.last_runs(keys).await.map_err(Arc::new)?;
        Ok(runs.into_iter().map(|run| (run.pipeline_id, run)).collect())
    }
}

pub(super) struct Throughput(pub RecordStore);

impl Loader<PipelineId> for Throughput {
    type Value = Vec<i64>;
    type Error = Arc<ReadError>;

    async fn load(
        &self,
        keys: &[PipelineId],
    ) -> Result<HashMap<PipelineId, Vec<i64>>, Arc<ReadError>> {
        let found = self
            .0
            .throughput(keys, THROUGHPUT_MINUTES)
            .await
            .map_err(Arc::new)?;
        Ok(found.into_iter().collect())
    }
}

pub(super) struct LastMinute(pub RecordStore);

impl Loader<PipelineId> for LastMinute {
    type Value = RecentActivity;
    type Error = Arc<ReadError>;

    async fn load(
        &self,
        keys: &[PipelineId],
    ) -> Result<HashMap<PipelineId, RecentActivity>, Arc<ReadError>> {
        let found = self.0.last_minute(keys).await.map_err(Arc::new)?;
        Ok(found.into_iter().collect())
    }
}
