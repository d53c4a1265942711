//! Sinks: what they are and do, and looking at what one would send.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use dash_shared::ids::{DeliveryId, SinkId};
use dash_shared::sinks::SinkDefinition;

use super::deliveries::{Delivery, DeliveryConnection, DeliveryFilterInput, SentRequest};
use super::errors::{UserError, not_found, payload, top_level};
use super::paging::{cursor, list_cost, page_size};
use super::pipelines::{Pipeline, pipeline_id};
use super::records::Record;
use super::sink_targets::{SinkFilter, SinkKind, SinkTarget, SinkTargetInput};
use super::{date_time, float, int, scope, services};
use crate::sinks;

/// What a sink is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum SinkState {
    /// It sends records on.
    Enabled,
    /// It does not; records wait.
    Disabled,
    /// It sends, and its last deliveries failed.
    Failing,
}

/// Why a sink is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "sinks::DisabledReason")]
pub enum SinkDisabledReason {
    /// Somebody stopped it.
    ByHand,
    /// Its target answered 410: it does not want any more.
    Gone,
    /// It failed for five days.
    Failing,
    /// The plan does not include it any more.
    Plan,
}

/// Where records of a pipeline are sent on to.
#[derive(Debug)]
pub struct Sink(pub(super) sinks::Sink);

/// Where records of a pipeline are sent on to.
#[Object]
impl Sink {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What kind of sink it is.
    async fn kind(&self) -> SinkKind {
        self.0.definition.target.kind().into()
    }

    /// What it is doing.
    async fn state(&self) -> SinkState {
        match self.0.state {
            sinks::SinkState::Disabled(_) => SinkState::Disabled,
            sinks::SinkState::Enabled if self.0.failing_since_ms.is_some() => SinkState::Failing,
            sinks::SinkState::Enabled => SinkState::Enabled,
        }
    }

    /// Why it is disabled, if it is.
    async fn disabled_reason(&self) -> Option<SinkDisabledReason> {
        match self.0.state {
            sinks::SinkState::Disabled(reason) => Some(reason.into()),
            sinks::SinkState::Enabled => None,
        }
    }

    /// Since when it is enabled or disabled.
    async fn state_since(&self) -> DateTime<Utc> {
        date_time(self.0.state_since_ms)
    }

    /// Since when its deliveries have failed.
    async fn failing_since(&self) -> Option<DateTime<Utc>> {
        self.0.failing_since_ms.map(date_time)
    }

    /// Why the last attempt failed, while it fails.
    async fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// When it sends next, if that depends on the time: a retry, a batch or a digest.
    async fn next_attempt_at(&self) -> Option<DateTime<Utc>> {
        self.0.due_at_ms.map(date_time)
    }

    /// How often it was changed, from 1.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The pipeline whose records it sends.
    async fn pipeline(&self, ctx: &Context<'_>) -> async_graphql::Result<Pipeline> {
        let pipelines = &services(ctx)?.pipelines;
        let found = pipelines.get(&scope(ctx)?, self.0.pipeline_id).await;
        found.map(Pipeline).map_err(|error| top_level(ctx, error))
    }

    /// Where records go, and how they look there.
    async fn target(&self) -> SinkTarget {
        SinkTarget::of(&self.0.definition)
    }

    /// Which records go there; all of them without a filter.
    async fn filter(&self) -> Option<SinkFilter> {
        self.0.definition.filter.as_ref().map(SinkFilter::of)
    }

    /// What it did lately, and what it has to do.
    #[graphql(complexity = "20 + child_complexity")]
    async fn counts(&self, ctx: &Context<'_>) -> async_graphql::Result<SinkCounts> {
        let counts = services(ctx)?.sinks.counts(&self.0).await;
        let counts = counts.map_err(|error| top_level(ctx, error))?;
        Ok(SinkCounts {
            delivered_last_hour: int(counts.delivered_last_hour),
            delivered_last_day: int(counts.delivered_last_day),
            dead_last_day: int(counts.dead_last_day),
            pending: int(counts.pending),
            lag_records: float(counts.lag_records),
        })
    }

    /// How many records were deleted before they could be sent.
    async fn skipped_records(&self) -> f64 {
        float(self.0.skipped)
    }

    /// How many records could not be filtered or written.
    async fn faulty_records(&self) -> f64 {
        float(self.0.faults)
    }

    /// What was wrong with the last of those.
    async fn last_fault(&self) -> Option<&str> {
        self.0.last_fault.as_deref()
    }

    /// Its deliveries, the newest first: those of the last 30 days, at most 10,000.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones; all of them without it.")] filter: Option<
            DeliveryFilterInput,
        >,
        #[graphql(desc = "How many items the page has: 1 to 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<DeliveryConnection> {
        let after: Option<DeliveryId> = cursor(after.as_deref())?;
        let filter = filter.unwrap_or_default().into();
        let sinks = &services(ctx)?.sinks;
        let found = sinks
            .list_deliveries(&self.0, &filter, after, page_size(first)?)
            .await;
        let found = found.map_err(|error| top_level(ctx, error))?;
        let deliveries = found.deliveries.into_iter();
        Ok(DeliveryConnection::new(
            deliveries.map(|delivery| (delivery.id.to_string(), Delivery(delivery))),
            after.is_none(),
            found.has_more,
            found.total,
        ))
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        date_time(self.0.created_at_ms)
    }

    /// When it was changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        date_time(self.0.updated_at_ms)
    }
}

/// What a sink did lately, and what it has to do. Tests are not counted.
#[derive(Debug, SimpleObject)]
pub struct SinkCounts {
    /// Delivered during the last hour.
    delivered_last_hour: i32,
    /// Delivered during the last 24 hours.
    delivered_last_day: i32,
    /// Given up during the last 24 hours.
    dead_last_day: i32,
    /// Planned and not delivered yet.
    pending: i32,
    /// Records that were not dealt with yet.
    lag_records: f64,
}

/// A sink that is being made or changed, to look at what it would send.
#[derive(Debug, InputObject)]
pub struct SinkPreviewInput {
    /// The pipeline whose record is shown.
    pipeline_id: ID,
    /// Where records go, and how they look there.
    target: SinkTargetInput,
    /// Which records go there.
    filter: Option<SinkFilter>,
    /// The sink that is being changed: its stored secrets are kept.
    sink_id: Option<ID>,
}

/// Which record a preview shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "sinks::SampleKind")]
pub enum SampleKind {
    /// The newest that meets the filter.
    Matching,
    /// The newest; none of the last 100 meets the filter.
    Newest,
    /// An invented one: the pipeline has none yet.
    Invented,
}

/// What a sink would send. Nothing was sent.
#[derive(Debug, SimpleObject)]
pub struct SinkPreview {
    /// The request, or the mail, without secrets.
    request: Option<SentRequest>,
    /// Why it cannot be written.
    error: Option<String>,
    /// What stays empty, and why.
    notes: Vec<String>,
    /// The record that it is written for.
    record: Option<Record>,
    /// Which one that is.
    sample: Option<SampleKind>,
    /// What to fix in the input.
    user_errors: Vec<UserError>,
}

#[derive(Debug, Default)]
pub struct SinksQuery;

#[Object]
impl SinksQuery {
    /// One sink.
    async fn sink(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sink's id.")] id: ID,
    ) -> async_graphql::Result<Sink> {
        let found = services(ctx)?.sinks.get(&scope(ctx)?, sink_id(&id)?).await;
        found.map(Sink).map_err(|error| top_level(ctx, error))
    }

    /// What a sink would send for a real record. Nothing is sent.
    #[graphql(complexity = "50 + child_complexity")]
    async fn sink_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sink.")] input: SinkPreviewInput,
    ) -> async_graphql::Result<SinkPreview> {
        let scope = scope(ctx)?;
        let pipeline_id = pipeline_id(&input.pipeline_id)?;
        let sink_id = input.sink_id.as_ref().map(sink_id).transpose()?;
        let filter = match input.filter.map(SinkFilter::read).transpose() {
            Ok(filter) => filter.flatten(),
            Err(user_errors) => return Ok(SinkPreview::wrong(user_errors)),
        };
        let (target, secrets) = input.target.read();
        let draft = sinks::Draft {
            pipeline_id,
            definition: SinkDefinition::new(target, filter),
            secrets,
            sink_id,
        };
        let preview = services(ctx)?.sinks.preview(&scope, draft).await;
        let (preview, user_errors) = payload(ctx, preview)?;
        let Some(preview) = preview else {
            return Ok(SinkPreview::wrong(user_errors));
        };
        Ok(SinkPreview {
            request: preview.request.map(SentRequest::from),
            error: preview.error,
            notes: preview.notes,
            record: Some(Record {
                pipeline_id,
                record: preview.record,
            }),
            sample: Some(preview.sample.into()),
            user_errors,
        })
    }
}

impl SinkPreview {
    const fn wrong(user_errors: Vec<UserError>) -> Self {
        Self {
            request: None,
            error: None,
            notes: Vec::new(),
            record: None,
            sample: None,
            user_errors,
        }
    }
}

/// Reads an id; what is none names nothing.
pub(super) fn sink_id(id: &ID) -> async_graphql::Result<SinkId> {
    id.parse().map_err(|_| not_found("sink"))
}
