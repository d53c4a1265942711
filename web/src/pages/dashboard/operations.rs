//! What dashboards ask of the API: the gallery, one dashboard with its data, the live feed, the
//! preview of a widget, and the changes.

pub use crate::api::questions::{Comparison, FilterInput, TimeRangeInput};
use crate::api::{DateTime, Json, UserError, schema};

/// What a widget looks like.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WidgetKind {
    /// One figure.
    Stat,
    /// A figure over time.
    Line,
    /// The newest records.
    Table,
}

/// How many values become one.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// How many records.
    Count,
    /// All values added up.
    Sum,
    /// The mean.
    Avg,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The oldest.
    First,
    /// The newest.
    Last,
    /// The median.
    P50,
    /// What 95 % do not exceed.
    P95,
    /// What 99 % do not exceed.
    P99,
    /// How many different ones.
    Distinct,
}

/// Whether a rise is welcome.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrendMeaning {
    /// It is.
    UpIsGood,
    /// It is not.
    UpIsBad,
    /// Neither.
    Neutral,
}

/// What a field holds.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// Any text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A point in time.
    Time,
}

/// Where a widget stands.
#[derive(cynic::QueryFragment, Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridPosition {
    /// First column.
    pub x: i32,
    /// First row.
    pub y: i32,
    /// Columns.
    pub w: i32,
    /// Rows.
    pub h: i32,
}

/// A condition that records have to meet.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The field that is looked at.
    pub field: String,
    /// How.
    pub comparison: Comparison,
    /// What it is compared with.
    pub value: String,
}

/// A widget as it is saved.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Widget {
    /// Its global id.
    pub id: cynic::Id,
    /// What it looks like.
    pub kind: WidgetKind,
    /// Its heading.
    pub title: String,
    /// Where its data comes from.
    pub pipeline_id: cynic::Id,
    /// Where it stands.
    pub position: GridPosition,
    /// How values become one.
    pub aggregate: Aggregate,
    /// The field that is aggregated.
    pub field: Option<String>,
    /// The field that divides a line into several.
    pub group_by: Option<String>,
    /// What records have to meet to be shown.
    pub filters: Vec<Filter>,
    /// The fields of a table.
    pub columns: Vec<String>,
    /// Written with the figure.
    pub unit: String,
    /// Digits after the decimal point.
    pub decimals: Option<i32>,
    /// Whether a rise is welcome.
    pub trend_meaning: TrendMeaning,
    /// The colour in the palette, from 1.
    pub color: i32,
}

/// A time range: either up to now, or from one time to another.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// How far it reaches back from now.
    pub last_seconds: Option<i32>,
    /// Where it begins.
    pub from: Option<DateTime>,
    /// Where it ends.
    pub to: Option<DateTime>,
}

/// A dashboard.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Dashboard {
    /// Its global id.
    pub id: cynic::Id,
    /// What it is called.
    pub name: String,
    /// Counts its changes.
    pub version: i32,
    /// What it shows unless the viewer chooses otherwise.
    pub range: TimeRange,
    /// Its widgets.
    pub widgets: Vec<Widget>,
    /// When it was changed last.
    pub updated_at: DateTime,
}

/// A figure.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct StatData {
    /// The widget it belongs to.
    pub widget_id: cynic::Id,
    /// The figure; none without records.
    pub value: Option<f64>,
    /// The figure of the time before.
    pub previous: Option<f64>,
    /// Its course.
    pub sparkline: Vec<Option<f64>>,
}

/// One line.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct LineSeries {
    /// What it is called.
    pub name: String,
    /// Its values, one for each time.
    pub values: Vec<Option<f64>>,
}

/// Lines over time.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct LineData {
    /// The widget they belong to.
    pub widget_id: cynic::Id,
    /// What one point stands for.
    pub bucket_seconds: i32,
    /// The times.
    pub times: Vec<DateTime>,
    /// The lines.
    pub series: Vec<LineSeries>,
}

/// A column of a table.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// The field.
    pub field: String,
    /// Its heading.
    pub label: String,
    /// What it holds.
    #[cynic(rename = "type")]
    pub field_type: FieldType,
}

/// A record in a table.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct TableRow {
    /// The record's id.
    pub id: cynic::Id,
    /// The record's time.
    pub time: DateTime,
    /// One value for each column.
    pub cells: Vec<Option<Json>>,
}

/// The newest records.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct TableData {
    /// The widget they belong to.
    pub widget_id: cynic::Id,
    /// The columns.
    pub columns: Vec<TableColumn>,
    /// The records, the newest first.
    pub rows: Vec<TableRow>,
    /// How many come in.
    pub records_per_minute: i32,
}

/// Why a widget cannot show its data.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct WidgetFailure {
    /// The widget.
    pub widget_id: cynic::Id,
    /// What happened and what to do.
    pub message: String,
}

/// The data of a widget.
#[derive(cynic::InlineFragments, Clone, Debug, PartialEq)]
pub enum WidgetData {
    /// A figure.
    StatData(StatData),
    /// Lines.
    LineData(LineData),
    /// Records.
    TableData(TableData),
    /// A failure.
    WidgetFailure(WidgetFailure),
    /// A kind that this client does not know yet.
    #[cynic(fallback)]
    Other,
}

/// What changed on a dashboard.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct DashboardUpdate {
    /// Where to go on after a lost connection.
    pub cursor: String,
    /// The dashboard, when it changed.
    pub dashboard: Option<Dashboard>,
    /// The data of the widgets whose data changed.
    pub data: Vec<WidgetData>,
    /// When the newest record came in.
    pub last_record_at: Option<DateTime>,
}

/// A place as the API takes it.
#[derive(cynic::InputObject, Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridPositionInput {
    /// First column.
    pub x: i32,
    /// First row.
    pub y: i32,
    /// Columns.
    pub w: i32,
    /// Rows.
    pub h: i32,
}

/// A widget as the API takes it.
#[derive(cynic::InputObject, Clone, Debug, PartialEq)]
pub struct WidgetInput {
    /// Its id, unless it is new.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub id: Option<cynic::Id>,
    /// What it looks like.
    pub kind: WidgetKind,
    /// Its heading.
    pub title: String,
    /// Where its data comes from.
    pub pipeline_id: cynic::Id,
    /// Where it stands.
    pub position: GridPositionInput,
    /// How values become one.
    pub aggregate: Aggregate,
    /// The field that is aggregated.
    pub field: Option<String>,
    /// The field that divides a line into several.
    pub group_by: Option<String>,
    /// What records have to meet to be shown.
    pub filters: Vec<FilterInput>,
    /// The fields of a table.
    pub columns: Vec<String>,
    /// Written with the figure.
    pub unit: String,
    /// Digits after the decimal point.
    pub decimals: Option<i32>,
    /// Whether a rise is welcome.
    pub trend_meaning: TrendMeaning,
    /// The colour in the palette, from 1.
    pub color: i32,
}

/// Which dashboard, seen through which range, after which update.
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct FeedVariables {
    /// The dashboard.
    pub id: cynic::Id,
    /// The viewer's range, unless it is the dashboard's own.
    pub range: Option<TimeRangeInput>,
    /// Whose days and hours charts follow.
    pub time_zone: String,
    /// The cursor of the last update that was received.
    pub after: Option<String>,
}

/// The live feed of a dashboard.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Subscription", variables = "FeedVariables")]
pub struct DashboardFeed {
    /// The first with everything, later ones with what changed.
    #[arguments(id: $id, range: $range, timeZone: $time_zone, after: $after)]
    pub dashboard: DashboardUpdate,
}

/// Which dashboard, seen through which range.
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct SnapshotVariables {
    /// The dashboard.
    pub id: cynic::Id,
    /// The viewer's range, unless it is the dashboard's own.
    pub range: Option<TimeRangeInput>,
    /// Whose days and hours charts follow.
    pub time_zone: String,
}

/// A dashboard and its data at one moment.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "SnapshotVariables")]
pub struct DashboardSnapshot {
    /// Everything.
    #[arguments(id: $id, range: $range, timeZone: $time_zone)]
    pub dashboard_data: DashboardUpdate,
}

/// Which page of the gallery.
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct GalleryVariables {
    /// After which dashboard.
    pub after: Option<String>,
}

/// A page of dashboards.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "GalleryVariables")]
pub struct Gallery {
    /// The dashboards.
    #[arguments(first: 48, after: $after)]
    pub dashboards: DashboardConnection,
}

/// Dashboards, and whether there are more.
#[derive(cynic::QueryFragment, Clone, Debug)]
pub struct DashboardConnection {
    /// The dashboards.
    pub nodes: Vec<Dashboard>,
    /// Where the page ends.
    pub page_info: crate::api::PageInfo,
}

/// Which widget to try, in which range.
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct PreviewVariables {
    /// The widget.
    pub widget: WidgetInput,
    /// The range.
    pub range: TimeRangeInput,
    /// Whose days and hours charts follow.
    pub time_zone: String,
}

/// What a widget would show.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "PreviewVariables")]
pub struct WidgetPreview {
    /// Its data.
    #[arguments(widget: $widget, range: $range, timeZone: $time_zone)]
    pub widget_preview: WidgetData,
}

/// A field of a pipeline's records.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "`type` is a keyword")]
pub struct Field {
    /// Where it is.
    pub path: String,
    /// What it holds.
    #[cynic(rename = "type")]
    pub field_type: FieldType,
    /// A value it had.
    pub example: Option<String>,
}

/// A pipeline that widgets can show.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Pipeline")]
pub struct FieldsOfPipeline {
    /// Its global id.
    pub id: cynic::Id,
    /// What it is called.
    pub name: String,
    /// The fields of its newest records.
    pub fields: Vec<Field>,
}

/// The pipelines that widgets can show.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "PipelineConnection")]
pub struct PipelinesWithFields {
    /// The pipelines.
    pub nodes: Vec<FieldsOfPipeline>,
}

/// Asks for the pipelines that widgets can show.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query")]
pub struct WidgetSources {
    /// The pipelines, newest first.
    #[arguments(first: 100)]
    pub pipelines: PipelinesWithFields,
}

/// Which record.
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct RecordVariables {
    /// Its global id.
    pub id: cynic::Id,
}

/// A record as it is stored.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Record {
    /// Its global id.
    pub id: cynic::Id,
    /// Its own time.
    pub time: DateTime,
    /// When it came in.
    pub received_at: DateTime,
    /// All its fields.
    pub fields: Json,
}

/// What an id names.
#[derive(cynic::InlineFragments, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Node")]
pub enum NodeOfRecord {
    /// A record.
    Record(Record),
    /// Anything else.
    #[cynic(fallback)]
    Other,
}

/// Asks for a record.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Query", variables = "RecordVariables")]
pub struct RecordQuery {
    /// It; none when it was deleted.
    #[arguments(id: $id)]
    pub node: Option<NodeOfRecord>,
}

/// Which records of which pipeline, after which page.
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct SearchVariables {
    /// The pipeline's global id.
    pub id: cynic::Id,
    /// Of which time.
    pub range: TimeRangeInput,
    /// What they have to meet.
    pub filters: Vec<FilterInput>,
    /// Where the page before ended.
    pub after: Option<String>,
}

/// Searches a pipeline's records.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "SearchVariables")]
pub struct SearchQuery {
    /// The pipeline.
    #[arguments(id: $id)]
    pub pipeline: SearchedPipeline,
}

/// A pipeline whose records are searched.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Pipeline", variables = "SearchVariables")]
pub struct SearchedPipeline {
    /// A page of what was found.
    #[arguments(range: $range, filters: $filters, first: 20, after: $after)]
    pub find_records: FoundRecords,
}

/// A page of records, the newest first.
#[derive(cynic::QueryFragment, Clone, Debug)]
pub struct FoundRecords {
    /// The records.
    pub nodes: Vec<Record>,
    /// Where the search goes on, if there may be more.
    pub end_cursor: Option<String>,
}

/// A new dashboard.
#[derive(cynic::InputObject, Clone, Debug)]
pub struct CreateDashboardInput {
    /// What it is called.
    pub name: String,
    /// The pipeline whose fields suggest its widgets; none for an empty one.
    pub pipeline_id: Option<cynic::Id>,
}

/// A new dashboard.
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct CreateDashboardVariables {
    /// The dashboard.
    pub input: CreateDashboardInput,
}

/// Creates a dashboard.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateDashboardVariables")]
pub struct CreateDashboard {
    /// The answer.
    #[arguments(input: $input)]
    pub create_dashboard: CreateDashboardPayload,
}

/// The dashboard that was created, or why not.
#[derive(cynic::QueryFragment, Clone, Debug)]
pub struct CreateDashboardPayload {
    /// The dashboard.
    pub dashboard: Option<Dashboard>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// A change of a dashboard; what is none stays as it is.
#[derive(cynic::InputObject, Clone, Debug)]
pub struct UpdateDashboardInput {
    /// The dashboard.
    pub id: cynic::Id,
    /// The version that the change began with; none to change whatever there is.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
    /// The name.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The range.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub range: Option<TimeRangeInput>,
    /// All widgets.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub widgets: Option<Vec<WidgetInput>>,
}

/// A change of a dashboard.
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct UpdateDashboardVariables {
    /// The change.
    pub input: UpdateDashboardInput,
}

/// Changes a dashboard.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UpdateDashboardVariables")]
pub struct UpdateDashboard {
    /// The answer.
    #[arguments(input: $input)]
    pub update_dashboard: UpdateDashboardPayload,
}

/// The dashboard as it is now, or why it was not changed.
#[derive(cynic::QueryFragment, Clone, Debug)]
pub struct UpdateDashboardPayload {
    /// The dashboard.
    pub dashboard: Option<Dashboard>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// Which dashboard.
#[derive(cynic::InputObject, Clone, Debug)]
pub struct DeleteDashboardInput {
    /// The dashboard.
    pub id: cynic::Id,
}

/// Which dashboard.
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct DeleteDashboardVariables {
    /// The dashboard.
    pub input: DeleteDashboardInput,
}

/// Deletes a dashboard.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Mutation", variables = "DeleteDashboardVariables")]
pub struct DeleteDashboard {
    /// The answer.
    #[arguments(input: $input)]
    pub delete_dashboard: DeleteDashboardPayload,
}

/// Why the dashboard was not deleted, if it was not.
#[derive(cynic::QueryFragment, Clone, Debug)]
pub struct DeleteDashboardPayload {
    /// What stood in the way.
    pub user_errors: Vec<UserError>,
}
