//! Dashboards.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use dash_shared::codes::ErrorCode;
use dash_shared::ids::{DashboardId, PipelineId};
use dash_shared::ranges;

use super::errors::{UserError, UserErrorCode, error_with_code, not_found, payload, top_level};
use super::paging::{connection, cursor, list_cost, page_size};
use super::pipelines::Pipeline;
use super::queries::read_zone;
use super::widgets::{Widget, WidgetData, WidgetInput, read_widgets};
use super::{date_time, scope, services};
use crate::dashboards::{self, DashboardChanges, View};

/// A grid of widgets.
#[derive(Debug)]
pub struct Dashboard(pub(super) dashboards::Dashboard);

/// A grid of widgets over pipelines.
#[Object]
impl Dashboard {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How often it was changed, from 1.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The time range that its widgets show.
    async fn range(&self) -> TimeRange {
        self.0.range.into()
    }

    /// The widgets.
    async fn widgets(&self) -> Vec<Widget> {
        self.0.widgets.iter().cloned().map(Widget::from).collect()
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

connection!(DashboardConnection, DashboardEdge, Dashboard, "dashboards");

/// A time range: the last so many seconds up to now, or from one time to another.
#[derive(Clone, Copy, Debug, SimpleObject, InputObject)]
#[graphql(input_name = "TimeRangeInput")]
pub struct TimeRange {
    /// How far back it reaches, in seconds. Without it, `from` and `to` are there.
    last_seconds: Option<i32>,
    /// The first moment in it.
    from: Option<DateTime<Utc>>,
    /// The first moment after it.
    to: Option<DateTime<Utc>>,
}

impl From<ranges::TimeRange> for TimeRange {
    fn from(range: ranges::TimeRange) -> Self {
        match range {
            ranges::TimeRange::Last { seconds } => Self {
                last_seconds: Some(super::int(seconds)),
                from: None,
                to: None,
            },
            ranges::TimeRange::Between { from_ms, to_ms } => Self {
                last_seconds: None,
                from: Some(date_time(from_ms)),
                to: Some(date_time(to_ms)),
            },
        }
    }
}

impl TimeRange {
    fn read(self) -> Result<ranges::TimeRange, UserError> {
        match (self.last_seconds, self.from, self.to) {
            (Some(seconds), None, None) => Ok(ranges::TimeRange::Last {
                seconds: i64::from(seconds),
            }),
            (None, Some(from), Some(to)) => Ok(ranges::TimeRange::Between {
                from_ms: from.timestamp_millis(),
                to_ms: to.timestamp_millis(),
            }),
            _ => Err(UserError::at(
                "range",
                UserErrorCode::Invalid,
                "A time range has either “lastSeconds”, or “from” and “to”.",
            )),
        }
    }

    pub(super) fn read_argument(self) -> async_graphql::Result<ranges::TimeRange> {
        self.read()
            .map_err(|error| error_with_code(ErrorCode::BadUserInput, error.message))
    }
}

/// A message about a dashboard: its definition and what its widgets show, as far as it changed.
#[derive(Debug, SimpleObject)]
pub struct DashboardUpdate {
    /// Names the state after this message; to resume with.
    cursor: String,
    /// The definition, when it is not the one that the reader has.
    dashboard: Option<Dashboard>,
    /// What the widgets show that changed.
    data: Vec<WidgetData>,
    /// When the newest record of any of its pipelines came in.
    last_record_at: Option<DateTime<Utc>>,
}

impl From<&dashboards::DashboardUpdate> for DashboardUpdate {
    fn from(update: &dashboards::DashboardUpdate) -> Self {
        let definition = update.dashboard.as_deref();
        let data = update.data.iter();
        Self {
            cursor: update.cursor.clone(),
            dashboard: definition.cloned().map(Dashboard),
            data: data
                .map(|data| WidgetData::from((**data).clone()))
                .collect(),
            last_record_at: update.last_received_at_ms.map(date_time),
        }
    }
}

/// A new dashboard.
#[derive(Debug, InputObject)]
pub struct CreateDashboardInput {
    /// The name.
    name: String,
    /// A pipeline to suggest widgets for; empty without one.
    pipeline_id: Option<ID>,
}

/// Changes to a dashboard; what is left out stays.
#[derive(Debug, InputObject)]
pub struct UpdateDashboardInput {
    /// The dashboard.
    id: ID,
    /// The version that was changed: when there is another one by now, nothing is changed.
    version: Option<i32>,
    /// A new name.
    name: Option<String>,
    /// A new time range.
    range: Option<TimeRange>,
    /// All widgets; those that are left out are removed.
    widgets: Option<Vec<WidgetInput>>,
}

/// The dashboard to delete.
#[derive(Debug, InputObject)]
pub struct DeleteDashboardInput {
    /// The dashboard.
    id: ID,
}

/// The result of `createDashboard`.
#[derive(Debug, SimpleObject)]
pub struct CreateDashboardPayload {
    /// The new dashboard.
    dashboard: Option<Dashboard>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The result of `updateDashboard`.
#[derive(Debug, SimpleObject)]
pub struct UpdateDashboardPayload {
    /// The changed dashboard.
    dashboard: Option<Dashboard>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The result of `deleteDashboard`.
#[derive(Debug, SimpleObject)]
pub struct DeleteDashboardPayload {
    /// The id of the deleted dashboard.
    deleted_id: Option<ID>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The result of `startDemo`.
#[derive(Debug, SimpleObject)]
pub struct StartDemoPayload {
    /// The demo's pipeline.
    pipeline: Option<Pipeline>,
    /// Its dashboard.
    dashboard: Option<Dashboard>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// Reads an id; what is none names nothing.
pub(super) fn dashboard_id(id: &ID) -> async_graphql::Result<DashboardId> {
    id.parse().map_err(|_| not_found("dashboard"))
}

#[derive(Debug, Default)]
pub struct DashboardsQuery;

#[Object]
impl DashboardsQuery {
    /// The team's dashboards, the newest first.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn dashboards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many items the page has: 1 to 100, 20 by default.")] first: Option<
            i32,
        >,
        #[graphql(desc = "The cursor after which the page begins.")] after: Option<String>,
    ) -> async_graphql::Result<DashboardConnection> {
        let after: Option<DashboardId> = cursor(after.as_deref())?;
        let found = services(ctx)?
            .dashboards
            .list(&scope(ctx)?, after, page_size(first)?)
            .await;
        let found = found.map_err(|error| top_level(ctx, error))?;
        let total = i64::try_from(found.total).unwrap_or(i64::MAX);
        let dashboards = found
            .dashboards
            .into_iter()
            .map(|one| (one.id.to_string(), Dashboard(one)));
        Ok(DashboardConnection::new(
            dashboards,
            after.is_none(),
            found.has_more,
            total,
        ))
    }

    /// One dashboard.
    async fn dashboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The dashboard's id.")] id: ID,
    ) -> async_graphql::Result<Dashboard> {
        let found = services(ctx)?
            .dashboards
            .get(&scope(ctx)?, dashboard_id(&id)?)
            .await;
        found.map(Dashboard).map_err(|error| top_level(ctx, error))
    }

    /// A dashboard with what all its widgets show now, in its own time range or another one.
    #[graphql(complexity = "50 + child_complexity")]
    async fn dashboard_data(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The dashboard.")] id: ID,
        #[graphql(desc = "Another time range than the dashboard's own.")] range: Option<TimeRange>,
        #[graphql(
            desc = "Whose days and hours its charts follow: an IANA time zone.",
            default = "UTC"
        )]
        time_zone: String,
    ) -> async_graphql::Result<DashboardUpdate> {
        let scope = scope(ctx)?;
        let view = View {
            range: range.map(TimeRange::read_argument).transpose()?,
            zone: read_zone(&time_zone)?,
        };
        let data = services(ctx)?
            .dashboards
            .data(&scope, dashboard_id(&id)?, view)
            .await;
        data.map(|data| DashboardUpdate::from(&data))
            .map_err(|error| top_level(ctx, error))
    }

    /// What a widget would show, before it is saved.
    #[graphql(complexity = "50 + child_complexity")]
    async fn widget_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The widget as it would be saved.")] widget: WidgetInput,
        #[graphql(desc = "The time range.")] range: TimeRange,
        #[graphql(
            desc = "Whose days and hours its charts follow: an IANA time zone.",
            default = "UTC"
        )]
        time_zone: String,
    ) -> async_graphql::Result<WidgetData> {
        let scope = scope(ctx)?;
        let range = range.read_argument()?;
        let zone = read_zone(&time_zone)?;
        let widget = widget.read().map_err(|problems| {
            let first = problems.into_iter().next().map(|problem| problem.message);
            error_with_code(ErrorCode::BadUserInput, first.unwrap_or_default())
        })?;
        let data = services(ctx)?
            .dashboards
            .preview(&scope, &widget, range, zone)
            .await;
        data.map(Into::into).map_err(|error| top_level(ctx, error))
    }
}

#[derive(Debug, Default)]
pub struct DashboardsMutation;

#[Object]
impl DashboardsMutation {
    /// Makes a pipeline with the orders of an invented web shop, and a dashboard for it.
    async fn start_demo(&self, ctx: &Context<'_>) -> async_graphql::Result<StartDemoPayload> {
        let started = services(ctx)?.dashboards.start_demo(&scope(ctx)?).await;
        let (started, user_errors) = payload(ctx, started)?;
        let (pipeline, dashboard) = started.unzip();
        Ok(StartDemoPayload {
            pipeline: pipeline.map(Pipeline),
            dashboard: dashboard.map(Dashboard),
            user_errors,
        })
    }

    /// Makes a dashboard: with suggested widgets for a pipeline, or an empty one.
    async fn create_dashboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: CreateDashboardInput,
    ) -> async_graphql::Result<CreateDashboardPayload> {
        let scope = scope(ctx)?;
        let pipeline_id: Option<PipelineId> = input
            .pipeline_id
            .as_ref()
            .map(super::pipelines::pipeline_id)
            .transpose()?;
        let created = services(ctx)?
            .dashboards
            .create(&scope, &input.name, pipeline_id)
            .await;
        let (dashboard, user_errors) = payload(ctx, created)?;
        Ok(CreateDashboardPayload {
            dashboard: dashboard.map(Dashboard),
            user_errors,
        })
    }

    /// Changes a dashboard, its widgets as a whole; those who look at it see it at once.
    async fn update_dashboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: UpdateDashboardInput,
    ) -> async_graphql::Result<UpdateDashboardPayload> {
        let scope = scope(ctx)?;
        let id = dashboard_id(&input.id)?;
        let refused = |user_errors| {
            Ok(UpdateDashboardPayload {
                dashboard: None,
                user_errors,
            })
        };
        let range = match input.range.map(TimeRange::read).transpose() {
            Ok(range) => range,
            Err(error) => return refused(vec![error]),
        };
        let widgets = match input.widgets.map(read_widgets).transpose() {
            Ok(widgets) => widgets,
            Err(errors) => return refused(errors),
        };
        let changes = DashboardChanges {
            version: input.version,
            name: input.name,
            range,
            widgets,
        };
        let updated = services(ctx)?.dashboards.update(&scope, id, changes).await;
        let (dashboard, user_errors) = payload(ctx, updated)?;
        Ok(UpdateDashboardPayload {
            dashboard: dashboard.map(Dashboard),
            user_errors,
        })
    }

    /// Deletes a dashboard; its pipelines and their records stay. This cannot be undone.
    async fn delete_dashboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: DeleteDashboardInput,
    ) -> async_graphql::Result<DeleteDashboardPayload> {
        let id = dashboard_id(&input.id)?;
        let deleted = services(ctx)?.dashboards.delete(&scope(ctx)?, id).await;
        let (deleted, user_errors) = payload(ctx, deleted)?;
        Ok(DeleteDashboardPayload {
            deleted_id: deleted.map(|()| input.id),
            user_errors,
        })
    }
}
