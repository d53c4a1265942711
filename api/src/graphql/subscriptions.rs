//! Subscriptions: a dashboard, a pipeline's records, a pipeline's runs.

use async_graphql::{Context, ID};
use futures_util::{Stream, StreamExt, stream};

use super::dashboards::{DashboardUpdate, TimeRange, dashboard_id};
use super::errors::top_level;
use super::paging::cursor;
use super::pipelines::pipeline_id;
use super::records::{Record, RecordBatch};
use super::runs::Run;
use super::{scope, services};

/// Following what changes.
#[derive(Debug)]
pub struct Subscription;

/// Following what changes, over a websocket.
#[async_graphql::Subscription]
impl Subscription {
    /// A dashboard: first its definition and what all its widgets show, then what changes. Ends when
    /// the dashboard is deleted. With the cursor of an earlier message, a definition that has not
    /// changed since is not repeated; what the widgets show is always sent, as a whole.
    async fn dashboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The dashboard.")] id: ID,
        #[graphql(desc = "Another time range than the dashboard's own.")] range: Option<TimeRange>,
        #[graphql(desc = "The cursor of the last message that was received, to resume after it.")]
        after: Option<String>,
    ) -> async_graphql::Result<impl Stream<Item = DashboardUpdate> + use<>> {
        let range = range.map(TimeRange::read_argument).transpose()?;
        let dashboards = &services(ctx)?.dashboards;
        let updates = dashboards
            .follow(scope(ctx)?, dashboard_id(&id)?, range, after)
            .await;
        let updates = updates.map_err(|error| top_level(ctx, error))?;
        Ok(stream::unfold(updates, async |mut updates| {
            let update = updates.recv().await?;
            Some((DashboardUpdate::from(update), updates))
        }))
    }

    /// A pipeline's records as they are stored, in that order, without gap or duplicate: from the
    /// cursor on, or from now on without one. Ends when the pipeline is deleted.
    async fn pipeline_records(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The pipeline.")] pipeline_id: ID,
        #[graphql(desc = "The cursor of the last message that was received, to resume after it.")]
        after: Option<String>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<RecordBatch>> + use<>> {
        let id = self::pipeline_id(&pipeline_id)?;
        let after: Option<i64> = cursor(after.as_deref())?;
        let services = services(ctx)?;
        let deletion = services.pipelines.deletion_of(vec![id]);
        let found = services.pipelines.get(&scope(ctx)?, id).await;
        found.map_err(|error| top_level(ctx, error))?;
        let followed = services.store.follow_records(id, after).await;
        let followed = followed.map_err(|error| top_level(ctx, error))?;
        let batches = stream::unfold(Some(followed), move |followed| async move {
            let mut followed = followed?;
            match followed.next().await {
                Ok(records) => {
                    let records = records.into_iter();
                    let batch = RecordBatch {
                        cursor: followed.position().to_string(),
                        records: records
                            .map(|record| Record {
                                pipeline_id: id,
                                record,
                            })
                            .collect(),
                    };
                    Some((Ok(batch), Some(followed)))
                }
                Err(error) => {
                    tracing::error!(%error, "a subscription to records failed");
                    let message = "The records could not be read. Subscribe again with the last \
                                   cursor.";
                    let code = dash_shared::codes::ErrorCode::Internal;
                    Some((Err(super::error_with_code(code, message)), None))
                }
            }
        });
        Ok(batches.take_until(deletion))
    }

    /// A pipeline's runs as they end, from now on. Ends when the pipeline is deleted.
    async fn pipeline_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The pipeline.")] pipeline_id: ID,
    ) -> async_graphql::Result<impl Stream<Item = Run> + use<>> {
        let id = self::pipeline_id(&pipeline_id)?;
        let services = services(ctx)?;
        let deletion = services.pipelines.deletion_of(vec![id]);
        let found = services.pipelines.get(&scope(ctx)?, id).await;
        found.map_err(|error| top_level(ctx, error))?;
        let events = services.store.follow_commits(id);
        let commits = stream::unfold(events, async |mut events| {
            // Runs that were missed are in the history.
            let committed = events.next().await;
            let runs = committed.map_or_else(Vec::new, |committed| committed.runs.to_vec());
            Some((stream::iter(runs.into_iter().map(Run)), events))
        });
        Ok(commits.flatten().take_until(deletion))
    }
}
