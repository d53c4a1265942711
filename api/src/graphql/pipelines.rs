//! Pipelines.

use async_graphql::dataloader::DataLoader;
use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use dash_shared::fields::sample_fields;
use dash_shared::ids::{PipelineId, RunId, UploadId};
use serde_json::Value;

use super::backfills::Backfill;
use super::dashboards::TimeRange;
use super::errors::{UserError, UserErrorCode};
use super::errors::{loaded, not_found, payload, top_level};
use super::failures::{self, FailureConnection, FailureGroup, FailureReplay, FailureState};
use super::paging::{connection, cursor, list_cost, page_size};
use super::previews::ReceivedEvent;
use super::queries::{self, ExportFormat, Filter, FoundRecords, RecordAnswer, RecordQueryInput};
use super::records::{Record, RecordConnection};
use super::runs::{RecentActivity, Run, RunConnection};
use super::sinks::Sink;
use super::sources::{
    CronTimes, HttpPollingSourceInput, ResetPollCursorInput, RunError, Source, SourceInput,
    TestSourceInput, TestSourcePayload,
};
use super::steps::{Field, read_steps, show_step};
use super::transform_tests::{self, TransformTest};
use super::uploads::{Upload, UploadConnection};
use super::versions::{self, PipelineVersionConnection};
use super::{date_time, float, int, loaders, scope, services};
use crate::data::SeriesTotals;
use crate::pipelines::{self, NewPipeline, PipelineChanges};

/// How many of the newest records fields are learnt from.
const SAMPLE_RECORDS: u64 = 100;

/// What a pipeline is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum PipelineState {
    /// It takes data in.
    Running,
    /// It was stopped, by somebody or because it failed for too long.
    Paused,
    /// It runs, and its last runs failed.
    Failing,
}

/// A source, its transform steps and its stored records.
#[derive(Debug)]
pub struct Pipeline(pub(super) pipelines::Pipeline);

impl Pipeline {
    async fn totals(&self, ctx: &Context<'_>) -> async_graphql::Result<SeriesTotals> {
        let loader = ctx.data::<DataLoader<loaders::Totals>>()?;
        Ok(loaded(ctx, loader.load_one(self.0.id).await)?.unwrap_or_default())
    }
}

/// A source, its transform steps and its stored records.
#[Object]
impl Pipeline {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is doing.
    async fn state(&self) -> PipelineState {
        match self.0.state {
            pipelines::PipelineState::Paused => PipelineState::Paused,
            pipelines::PipelineState::Running if self.0.failing_since_ms.is_some() => {
                PipelineState::Failing
            }
            pipelines::PipelineState::Running => PipelineState::Running,
        }
    }

    /// The number of its version: how often its definition was changed, from 1.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Where its data comes from.
    async fn source(&self, ctx: &Context<'_>) -> async_graphql::Result<Source> {
        Ok(Source::of(&self.0, &services(ctx)?.public_url))
    }

    /// The transform: the steps that every record goes through, in this order, each as a JSON
    /// document with its `kind`. The documentation of transforms describes all kinds.
    async fn steps(&self) -> Vec<Value> {
        self.0.steps.iter().map(show_step).collect()
    }

    /// How far the last backfill has come; null when there was none.
    #[graphql(complexity = "5 + child_complexity")]
    async fn backfill(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Backfill>> {
        let pipelines = &services(ctx)?.pipelines;
        let found = pipelines.backfill(&scope(ctx)?, self.0.id).await;
        let found = found.map_err(|error| top_level(ctx, error))?;
        Ok(found.map(Backfill::from))
    }

    /// The newest events that it received, as they came in before the transform, the newest first.
    #[graphql(complexity = "50 + child_complexity")]
    async fn received(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 1 to 100, 20 by default.")] first: Option<i32>,
    ) -> async_graphql::Result<Vec<ReceivedEvent>> {
        let limit = usize::try_from(page_size(first)?).unwrap_or(usize::MAX);
        let pipelines = &services(ctx)?.pipelines;
        let found = pipelines.received(&scope(ctx)?, self.0.id, limit).await;
        let found = found.map_err(|error| top_level(ctx, error))?;
        Ok(found.into_iter().map(ReceivedEvent::from).collect())
    }

    /// The field that says when a record happened; when it came in, if there is none.
    async fn time_field(&self) -> Option<String> {
        self.0.time_field.as_ref().map(ToString::to_string)
    }

    /// The fields that its newest records have.
    #[graphql(complexity = "20 + child_complexity")]
    async fn fields(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Field>> {
        let sample = services(ctx)?.store.sample(self.0.id, SAMPLE_RECORDS).await;
        let sample = sample.map_err(|error| top_level(ctx, error))?;
        let fields = sample_fields(sample.iter().map(|record| &*record.fields));
        Ok(fields.into_iter().map(Field::from).collect())
    }

    /// How many records are stored.
    async fn record_count(&self, ctx: &Context<'_>) -> async_graphql::Result<f64> {
        Ok(float(self.totals(ctx).await?.record_count))
    }

    /// How many bytes the records take.
    async fn stored_bytes(&self, ctx: &Context<'_>) -> async_graphql::Result<f64> {
        Ok(float(self.totals(ctx).await?.stored_bytes))
    }

    /// When the newest record came in.
    async fn last_record_at(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Option<DateTime<Utc>>> {
        Ok(self.totals(ctx).await?.last_received_at_ms.map(date_time))
    }

    /// How many records were stored in each of the last 60 minutes, the oldest first.
    async fn throughput(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<i32>> {
        let loader = ctx.data::<DataLoader<loaders::Throughput>>()?;
        let counts = loaded(ctx, loader.load_one(self.0.id).await)?.unwrap_or_default();
        Ok(counts.into_iter().map(int).collect())
    }

    /// What its runs received and stored that finished during the last 60 seconds.
    async fn last_minute(&self, ctx: &Context<'_>) -> async_graphql::Result<RecentActivity> {
        // The pipelines of a page are asked about together, so that it costs no more than a field.
        let loader = ctx.data::<DataLoader<loaders::LastMinute>>()?;
        let found = loaded(ctx, loader.load_one(self.0.id).await)?;
        Ok(found.unwrap_or_default().into())
    }

    /// The newest run.
    async fn last_run(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Run>> {
        let loader = ctx.data::<DataLoader<loaders::LastRuns>>()?;
        Ok(loaded(ctx, loader.load_one(self.0.id).await)?.map(Run))
    }

    /// How many days its records are kept after they came in; null when as many as the plan allows.
    async fn retention_days(&self) -> Option<i32> {
        self.0.retention_days.map(|days| int(days.into()))
    }

    /// Since when its runs have failed.
    async fn failing_since(&self) -> Option<DateTime<Utc>> {
        self.0.failing_since_ms.map(date_time)
    }

    /// Why Dash paused it and what to do, for people; null when it runs, or somebody paused it.
    async fn paused_reason(&self) -> Option<&str> {
        self.0.paused_reason.as_deref()
    }

    /// The value that the next poll begins at, if its source has a cursor.
    async fn cursor(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let found = services(ctx)?.pipelines.cursor(&self.0).await;
        found.map_err(|error| top_level(ctx, error))
    }

    /// When it is polled next.
    async fn next_run_at(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<DateTime<Utc>>> {
        let next = services(ctx)?.pipelines.next_run_at(&self.0).await;
        Ok(next.map_err(|error| top_level(ctx, error))?.map(date_time))
    }

    /// Its runs, the newest first.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many items the page has: 1 to 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<RunConnection> {
        let after: Option<RunId> = cursor(after.as_deref())?;
        let found = services(ctx)?
            .store
            .list_runs(self.0.id, after, page_size(first)?)
            .await;
        let found = found.map_err(|error| top_level(ctx, error))?;
        let runs = found
            .runs
            .into_iter()
            .map(|run| (run.id.to_string(), Run(run)));
        Ok(RunConnection::new(
            runs,
            after.is_none(),
            found.has_more,
            found.total,
        ))
    }

    /// The records that it could not handle, the newest first.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn failures(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Those that are in this state.",
            default_with = "FailureState::Open"
        )]
        state: FailureState,
        #[graphql(desc = "How many items the page has: 1 to 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<FailureConnection> {
        failures::list(ctx, &self.0, state, first, after.as_deref()).await
    }

    /// The open failed records by their causes, the most frequent first, at most 20.
    #[graphql(complexity = "20 + child_complexity")]
    async fn failure_groups(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<FailureGroup>> {
        failures::groups(ctx, &self.0).await
    }

    /// How many failed records are open.
    #[graphql(complexity = 5)]
    async fn open_failure_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        failures::open_count(ctx, &self.0).await
    }

    /// How far putting all failed records in again has come, the last time that it was asked for.
    #[graphql(complexity = "10 + child_complexity")]
    async fn failure_replay(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Option<FailureReplay>> {
        failures::progress(ctx, &self.0).await
    }

    /// The versions of its definition, the newest first: the last 200.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn versions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many items the page has: 1 to 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<PipelineVersionConnection> {
        versions::list(ctx, &self.0, first, after.as_deref()).await
    }

    /// The test cases of its transform, by name: at most 100.
    #[graphql(complexity = "list_cost(Some(100), child_complexity)")]
    async fn transform_tests(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Vec<TransformTest>> {
        transform_tests::list(ctx, &self.0).await
    }

    /// The files that were handed over to it, the newest first; the last 200 are remembered.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn uploads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many items the page has: 1 to 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<UploadConnection> {
        let after: Option<UploadId> = cursor(after.as_deref())?;
        let pipelines = &services(ctx)?.pipelines;
        let found = pipelines
            .list_uploads(&self.0, after, page_size(first)?)
            .await;
        let found = found.map_err(|error| top_level(ctx, error))?;
        let total = i64::try_from(found.total).unwrap_or(i64::MAX);
        let uploads = found.uploads.into_iter();
        let uploads = uploads.map(|upload| (upload.id.to_string(), Upload(upload)));
        Ok(UploadConnection::new(
            uploads,
            after.is_none(),
            found.has_more,
            total,
        ))
    }

    /// Its records, the newest first.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn records(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many items the page has: 1 to 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<RecordConnection> {
        let after: Option<i64> = cursor(after.as_deref())?;
        let found = services(ctx)?
            .store
            .list_records(self.0.id, after, page_size(first)?)
            .await;
        let found = found.map_err(|error| top_level(ctx, error))?;
        let total = self.totals(ctx).await?.record_count;
        let pipeline_id = self.0.id;
        let records = found.records.into_iter().map(|record| {
            (
                record.seq.to_string(),
                Record {
                    pipeline_id,
                    record,
                },
            )
        });
        Ok(RecordConnection::new(
            records,
            after.is_none(),
            found.has_more,
            total,
        ))
    }

    /// Figures of its records: by time and by group, as many as a page has.
    #[graphql(complexity = "100 + child_complexity")]
    async fn query(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The question.")] input: RecordQueryInput,
    ) -> async_graphql::Result<RecordAnswer> {
        queries::answer(ctx, self.0.id, input).await
    }

    /// Its records of a time that meet all filters, the newest by time first.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn find_records(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The time that is searched.")] range: TimeRange,
        #[graphql(desc = "The conditions: at most 10.", default)] filters: Vec<Filter>,
        #[graphql(desc = "How many items the page has: 1 to 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The `endCursor` after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<FoundRecords> {
        queries::search(ctx, self.0.id, range, filters, first, after.as_deref()).await
    }

    /// Where to get all its records of a time that meet all filters as a file, the oldest first. The
    /// address is for whoever may see the pipeline: it is asked for with the session.
    async fn export_url(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How the file is written.")] format: ExportFormat,
        #[graphql(desc = "The time; all records without it.")] range: Option<TimeRange>,
        #[graphql(desc = "The conditions: at most 10.", default)] filters: Vec<Filter>,
    ) -> async_graphql::Result<String> {
        queries::export_url(ctx, self.0.id, format, range, filters)
    }

    /// Where its records are sent on to, the oldest sink first: at most 10.
    #[graphql(complexity = "10 + 10 * child_complexity")]
    async fn sinks(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Sink>> {
        let found = services(ctx)?.sinks.list(&scope(ctx)?, self.0.id).await;
        let found = found.map_err(|error| top_level(ctx, error))?;
        Ok(found.into_iter().map(Sink).collect())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        date_time(self.0.created_at_ms)
    }

    /// When its definition was changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        date_time(self.0.updated_at_ms)
    }
}

connection!(PipelineConnection, PipelineEdge, Pipeline, "pipelines");

/// A new pipeline.
#[derive(Debug, InputObject)]
pub struct CreatePipelineInput {
    /// The name.
    name: String,
    /// Where its data comes from.
    source: SourceInput,
    /// The transform, each step as a JSON document with its `kind`, as the documentation of transforms
    /// has it; without steps, records are stored as they come.
    #[graphql(default)]
    steps: Vec<Value>,
    /// The field that says when a record happened; when it came in, if there is none.
    time_field: Option<String>,
}

/// Changes to a pipeline; what is left out stays.
#[derive(Debug, InputObject)]
pub struct UpdatePipelineInput {
    /// The pipeline.
    id: ID,
    /// A new name.
    name: Option<String>,
    /// A changed source, of the same kind.
    source: Option<SourceInput>,
    /// A new transform, as a whole.
    steps: Option<Vec<Value>>,
    /// A new time field; an empty text takes it away.
    time_field: Option<String>,
    /// How many days its records are kept after they came in, at most as many as the plan allows;
    /// 0 is as many as the plan allows.
    retention_days: Option<i32>,
}

macro_rules! pipeline_acts {
    ($($(#[$doc:meta])* $input:ident => $(#[$payload_doc:meta])* $payload:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, InputObject)]
        pub struct $input {
            /// The pipeline.
            id: ID,
        }

        $(#[$payload_doc])*
        #[derive(Debug, SimpleObject)]
        pub struct $payload {
            /// The pipeline after it.
            pipeline: Option<Pipeline>,
            /// What to fix.
            user_errors: Vec<UserError>,
        }
    )*};
}

pipeline_acts! {
    /// The pipeline to pause.
    PausePipelineInput =>
    /// The result of `pausePipeline`.
    PausePipelinePayload;
    /// The pipeline to resume.
    ResumePipelineInput =>
    /// The result of `resumePipeline`.
    ResumePipelinePayload;
    /// The pipeline to run.
    RunPipelineInput =>
    /// The result of `runPipeline`.
    RunPipelinePayload;
}

/// The pipeline to delete.
#[derive(Debug, InputObject)]
pub struct DeletePipelineInput {
    /// The pipeline.
    id: ID,
}

/// The result of `createPipeline`.
#[derive(Debug, SimpleObject)]
pub struct CreatePipelinePayload {
    /// The new pipeline.
    pipeline: Option<Pipeline>,
    /// The secret that Dash made up for the senders of a webhook. It is shown this once.
    webhook_secret: Option<String>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The result of `updatePipeline`.
#[derive(Debug, SimpleObject)]
pub struct UpdatePipelinePayload {
    /// The changed pipeline.
    pipeline: Option<Pipeline>,
    /// The secret that Dash made up for the senders of a webhook. It is shown this once.
    webhook_secret: Option<String>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The result of `resetPollCursor`.
#[derive(Debug, SimpleObject)]
pub struct ResetPollCursorPayload {
    /// The pipeline after it.
    pipeline: Option<Pipeline>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The result of `deletePipeline`.
#[derive(Debug, SimpleObject)]
pub struct DeletePipelinePayload {
    /// The id of the deleted pipeline.
    deleted_id: Option<ID>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

#[derive(Debug, Default)]
pub struct PipelinesQuery;

#[Object]
impl PipelinesQuery {
    /// The team's pipelines, the newest first.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn pipelines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many items the page has: 1 to 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<PipelineConnection> {
        let after: Option<PipelineId> = cursor(after.as_deref())?;
        let found = services(ctx)?
            .pipelines
            .list(&scope(ctx)?, after, page_size(first)?)
            .await;
        let found = found.map_err(|error| top_level(ctx, error))?;
        let total = i64::try_from(found.total).unwrap_or(i64::MAX);
        let pipelines = found
            .pipelines
            .into_iter()
            .map(|pip| (pip.id.to_string(), Pipeline(pip)));
        Ok(PipelineConnection::new(
            pipelines,
            after.is_none(),
            found.has_more,
            total,
        ))
    }

    /// One pipeline.
    async fn pipeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The pipeline's id.")] id: ID,
    ) -> async_graphql::Result<Pipeline> {
        let found = services(ctx)?
            .pipelines
            .get(&scope(ctx)?, pipeline_id(&id)?)
            .await;
        found.map(Pipeline).map_err(|error| top_level(ctx, error))
    }

    /// The next times of a cron expression, or what is wrong with it.
    async fn cron_times(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Five fields, or six with seconds first; at most 200 bytes.")]
        expression: String,
        #[graphql(desc = "The IANA name of a time zone.")] time_zone: String,
    ) -> async_graphql::Result<CronTimes> {
        scope(ctx)?;
        let found = services(ctx)?.pipelines.cron_times(&expression, &time_zone);
        let (times, problem) = match found {
            Ok(times) => (times.into_iter().map(date_time).collect(), None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        Ok(CronTimes { times, problem })
    }
}

/// Reads an id; what is none names nothing.
pub(super) fn pipeline_id(id: &ID) -> async_graphql::Result<PipelineId> {
    id.parse().map_err(|_| not_found("pipeline"))
}

#[derive(Debug, Default)]
pub struct PipelinesMutation;

#[Object]
impl PipelinesMutation {
    /// Makes a pipeline; it runs at once.
    async fn create_pipeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] mut input: CreatePipelineInput,
    ) -> async_graphql::Result<CreatePipelinePayload> {
        let scope = scope(ctx)?;
        let steps = match read_steps(input.steps) {
            Ok(steps) => steps,
            Err(user_errors) => {
                return Ok(CreatePipelinePayload {
                    pipeline: None,
                    webhook_secret: None,
                    user_errors,
                });
            }
        };
        let secret = input.source.make_secret();
        let new = NewPipeline {
            name: input.name,
            source: input.source.into(),
            steps,
            time_field: input.time_field,
        };
        let created = services(ctx)?.pipelines.create(&scope, new).await;
        let (pipeline, user_errors) = payload(ctx, created)?;
        Ok(CreatePipelinePayload {
            webhook_secret: secret.filter(|_| pipeline.is_some()),
            pipeline: pipeline.map(Pipeline),
            user_errors,
        })
    }

    /// Changes a pipeline; a change that people can see makes a version. A changed transform has to
    /// pass the test cases, or nothing is changed.
    async fn update_pipeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] mut input: UpdatePipelineInput,
    ) -> async_graphql::Result<UpdatePipelinePayload> {
        let scope = scope(ctx)?;
        let steps = match input.steps.map(read_steps).transpose() {
            Ok(steps) => steps,
            Err(user_errors) => {
                return Ok(UpdatePipelinePayload {
                    pipeline: None,
                    webhook_secret: None,
                    user_errors,
                });
            }
        };
        let secret = input.source.as_mut().and_then(SourceInput::make_secret);
        let changes = PipelineChanges {
            name: input.name,
            source: input.source.map(Into::into),
            steps,
            time_field: input.time_field,
            retention_days: input.retention_days,
        };
        let id = pipeline_id(&input.id)?;
        let updated = services(ctx)?.pipelines.update(&scope, id, changes).await;
        let (pipeline, user_errors) = payload(ctx, updated)?;
        Ok(UpdatePipelinePayload {
            webhook_secret: secret.filter(|_| pipeline.is_some()),
            pipeline: pipeline.map(Pipeline),
            user_errors,
        })
    }

    /// Deletes a pipeline with all its records. This cannot be undone.
    async fn delete_pipeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: DeletePipelineInput,
    ) -> async_graphql::Result<DeletePipelinePayload> {
        let id = pipeline_id(&input.id)?;
        let deleted = services(ctx)?.pipelines.delete(&scope(ctx)?, id).await;
        let (deleted, user_errors) = payload(ctx, deleted)?;
        Ok(DeletePipelinePayload {
            deleted_id: deleted.map(|()| input.id),
            user_errors,
        })
    }

    /// Stops a pipeline: it is not polled, and its webhook is refused.
    async fn pause_pipeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: PausePipelineInput,
    ) -> async_graphql::Result<PausePipelinePayload> {
        let paused = services(ctx)?
            .pipelines
            .pause(&scope(ctx)?, pipeline_id(&input.id)?)
            .await;
        let (pipeline, user_errors) = payload(ctx, paused)?;
        Ok(PausePipelinePayload {
            pipeline: pipeline.map(Pipeline),
            user_errors,
        })
    }

    /// Starts a paused pipeline again.
    async fn resume_pipeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: ResumePipelineInput,
    ) -> async_graphql::Result<ResumePipelinePayload> {
        let resumed = services(ctx)?
            .pipelines
            .resume(&scope(ctx)?, pipeline_id(&input.id)?)
            .await;
        let (pipeline, user_errors) = payload(ctx, resumed)?;
        Ok(ResumePipelinePayload {
            pipeline: pipeline.map(Pipeline),
            user_errors,
        })
    }

    /// Polls a pipeline's source now; the run shows up in its history.
    async fn run_pipeline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: RunPipelineInput,
    ) -> async_graphql::Result<RunPipelinePayload> {
        let run = services(ctx)?
            .pipelines
            .run_now(&scope(ctx)?, pipeline_id(&input.id)?)
            .await;
        let (pipeline, user_errors) = payload(ctx, run)?;
        Ok(RunPipelinePayload {
            pipeline: pipeline.map(Pipeline),
            user_errors,
        })
    }

    /// Begins a polled source anew, at a value of its cursor or as the first poll did. Records that
    /// are stored already come again, unless a key field names them.
    async fn reset_poll_cursor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: ResetPollCursorInput,
    ) -> async_graphql::Result<ResetPollCursorPayload> {
        let id = pipeline_id(&input.id)?;
        let reset = services(ctx)?
            .pipelines
            .reset_cursor(&scope(ctx)?, id, input.cursor)
            .await;
        let (pipeline, user_errors) = payload(ctx, reset)?;
        Ok(ResetPollCursorPayload {
            pipeline: pipeline.map(Pipeline),
            user_errors,
        })
    }

    /// Asks a source once and shows the real first records. Nothing is stored.
    async fn test_source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: TestSourceInput,
    ) -> async_graphql::Result<TestSourcePayload> {
        let scope = scope(ctx)?;
        let id = input.pipeline_id.as_ref().map(pipeline_id).transpose()?;
        let pipelines = &services(ctx)?.pipelines;
        let tested = match (input.source.map(HttpPollingSourceInput::into_parts), id) {
            (Some((polling, credentials)), id) => {
                pipelines
                    .test_source(&scope, polling, credentials, id)
                    .await
            }
            (None, Some(id)) => pipelines.test_stored_source(&scope, id).await,
            (None, None) => {
                let message = "Give a source, or a pipeline that has one.";
                let missing = UserError::at("source", UserErrorCode::Required, message);
                return Ok(TestSourcePayload {
                    result: None,
                    error: None,
                    user_errors: vec![missing],
                });
            }
        };
        let (tested, user_errors) = payload(ctx, tested)?;
        let (result, error) = match tested {
            None => (None, None),
            Some(Ok(test)) => (Some(test.into()), None),
            Some(Err(error)) => (None, Some(RunError::new(error.code, error.message))),
        };
        Ok(TestSourcePayload {
            result,
            error,
            user_errors,
        })
    }
}
