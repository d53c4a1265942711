//! Subscriptions: a dashboard, a pipeline's records, a pipeline's runs.

use std::sync::Arc;

use async_graphql::{Context, ID};
use dash_shared::codes::ErrorCode;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, stream};

use super::dashboards::{DashboardUpdate, TimeRange, dashboard_id};
use super::deliveries::Delivery;
use super::errors::{error_with_code, top_level};
use super::events::{Event, ahead, follow};
use super::paging::cursor;
use super::pipelines::pipeline_id;
use super::queries::read_zone;
use super::records::{Record, RecordBatch};
use super::runs::Run;
use super::sinks::sink_id;
use super::{scope, services};
use crate::dashboards::View;

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
        #[graphql(
            desc = "Whose days and hours its charts follow: an IANA time zone.",
            default = "UTC"
        )]
        time_zone: String,
        #[graphql(desc = "The cursor of the last message that was received, to resume after it.")]
        after: Option<String>,
    ) -> async_graphql::Result<BoxStream<'static, DashboardUpdate>> {
        let source = async {
            let view = View {
                range: range.map(TimeRange::read_argument).transpose()?,
                zone: read_zone(&time_zone)?,
            };
            let dashboards = &services(ctx)?.dashboards;
            let followed = dashboards
                .follow(scope(ctx)?, dashboard_id(&id)?, view, after)
                .await;
            let followed = followed.map_err(|error| top_level(ctx, error))?;
            let updates = stream::unfold(followed, async |mut followed| {
                let update = followed.next().await?;
                Some((Event::Dashboard(update), followed))
            });
            Ok(updates.boxed())
        };
        follow(ctx, source, |event| match event {
            Event::Dashboard(update) => Some(DashboardUpdate::from(&*update)),
            _ => None,
        })
        .await
    }

    /// A pipeline's records as they are stored, in that order, without gap or duplicate: from the
    /// cursor on, or from now on without one. Ends when the pipeline is deleted.
    async fn pipeline_records(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The pipeline.")] pipeline_id: ID,
        #[graphql(desc = "The cursor of the last message that was received, to resume after it.")]
        after: Option<String>,
    ) -> async_graphql::Result<BoxStream<'static, async_graphql::Result<RecordBatch>>> {
        let source = async {
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
                    Ok(records) => Some((Event::Records(id, records.into()), Some(followed))),
                    Err(error) => {
                        tracing::error!(%error, "a subscription to records failed");
                        Some((Event::Unreadable, None))
                    }
                }
            });
            Ok(ahead(batches.take_until(deletion)))
        };
        follow(ctx, source, |event| match event {
            Event::Records(pipeline_id, records) => {
                let cursor = records.last()?.seq.to_string();
                let records = records.iter().cloned().map(|record| Record {
                    pipeline_id,
                    record,
                });
                let records = records.collect();
                Some(Ok(RecordBatch { cursor, records }))
            }
            Event::Unreadable => {
                let message =
                    "The records could not be read. Subscribe again with the last cursor.";
                Some(Err(error_with_code(ErrorCode::Internal, message)))
            }
            _ => None,
        })
        .await
    }

    /// A pipeline's runs as they end, from now on. Ends when the pipeline is deleted.
    async fn pipeline_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The pipeline.")] pipeline_id: ID,
    ) -> async_graphql::Result<BoxStream<'static, Run>> {
        let source = async {
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
                let runs = runs.into_iter().map(|run| Event::Run(Arc::new(run)));
                Some((stream::iter(runs), events))
            });
            Ok(commits.flatten().take_until(deletion).boxed())
        };
        follow(ctx, source, |event| match event {
            Event::Run(run) => Some(Run(Arc::unwrap_or_clone(run))),
            _ => None,
        })
        .await
    }

    /// A sink's deliveries, each whenever it was tried, from now on. Ends when the pipeline is
    /// deleted.
    async fn sink_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sink.")] sink_id: ID,
    ) -> async_graphql::Result<BoxStream<'static, Delivery>> {
        let source = async {
            let id = self::sink_id(&sink_id)?;
            let services = services(ctx)?;
            let sink = services.sinks.get(&scope(ctx)?, id).await;
            let sink = sink.map_err(|error| top_level(ctx, error))?;
            let deletion = services.pipelines.deletion_of(vec![sink.pipeline_id]);
            let followed = services.sinks.follow(&scope(ctx)?, id).await;
            let followed = followed.map_err(|error| top_level(ctx, error))?;
            let deliveries = stream::unfold(followed, async |mut followed| {
                let delivery = followed.next().await?;
                Some((Event::Delivery(delivery), followed))
            });
            // Those of other processes are read from the database.
            Ok(ahead(deliveries.take_until(deletion)))
        };
        follow(ctx, source, |event| match event {
            Event::Delivery(delivery) => Some(Delivery(Arc::unwrap_or_clone(delivery))),
            _ => None,
        })
        .await
    }
}
