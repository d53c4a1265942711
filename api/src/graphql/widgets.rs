//! Widgets, as they are defined and what they show.

use async_graphql::{Enum, ID, InputObject, SimpleObject, Union};
use chrono::{DateTime, Utc};
use dash_shared::fields::FieldPath;
use dash_shared::ids::{PipelineId, WidgetId};
use dash_shared::widgets;
use serde_json::Value;

use super::errors::{UserError, UserErrorCode};
use super::queries::Filter;
use super::records::record_id;
use super::steps::FieldType;
use super::{date_time, int};
use crate::dashboards;

/// The kinds of widgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "widgets::WidgetKind")]
pub enum WidgetKind {
    /// One figure with its trend.
    Stat,
    /// A figure over time, as one line or one for each group.
    Line,
    /// The newest records.
    Table,
}

/// How many records' values become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "widgets::Aggregate")]
pub enum Aggregate {
    /// How many records; with a field, how many have a value for it.
    Count,
    /// All values added up.
    Sum,
    /// The arithmetic mean.
    Avg,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The value of the oldest record.
    First,
    /// The value of the newest record.
    Last,
    /// The median, within 1 %.
    P50,
    /// The value that 95 % of all values do not exceed, within 1 %.
    P95,
    /// The value that 99 % of all values do not exceed, within 1 %.
    P99,
    /// How many different values there are: exact up to 256, within a few percent beyond.
    Distinct,
}

/// Whether a rise of a figure is welcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "widgets::TrendMeaning")]
pub enum TrendMeaning {
    /// A rise is good: revenue.
    UpIsGood,
    /// A rise is bad: errors.
    UpIsBad,
    /// Neither.
    Neutral,
}

/// Where a widget stands, in cells of a grid of 12 columns, from the top left.
#[derive(Clone, Copy, Debug, SimpleObject, InputObject)]
#[graphql(input_name = "GridPositionInput")]
pub struct GridPosition {
    /// The first column, from 0.
    x: i32,
    /// The first row, from 0.
    y: i32,
    /// How many columns.
    w: i32,
    /// How many rows.
    h: i32,
}

/// One visualization on a dashboard.
#[derive(Debug, SimpleObject)]
pub struct Widget {
    /// The id.
    id: ID,
    /// What it looks like.
    kind: WidgetKind,
    /// Its heading.
    title: String,
    /// The pipeline whose records it shows.
    pipeline_id: ID,
    /// Where it stands.
    position: GridPosition,
    /// How values become one; not used by tables.
    aggregate: Aggregate,
    /// The field that is aggregated; none for a count.
    field: Option<String>,
    /// The field whose values divide a line into several.
    group_by: Option<String>,
    /// The conditions that records have to meet to be shown.
    filters: Vec<Filter>,
    /// The fields that a table shows; all top-level ones if empty.
    columns: Vec<String>,
    /// Written with the figure: `€`, `ms`, `%`.
    unit: String,
    /// The digits after the decimal point; as many as make sense if null.
    decimals: Option<i32>,
    /// Whether a rise is welcome.
    trend_meaning: TrendMeaning,
    /// Its colour in the palette, from 1 to 8.
    color: i32,
}

impl From<widgets::Widget> for Widget {
    fn from(widget: widgets::Widget) -> Self {
        let text = |path: FieldPath| path.to_string();
        let widgets::GridPosition { x, y, w, h } = widget.position;
        Self {
            id: widget.id.to_string().into(),
            kind: widget.kind.into(),
            title: widget.title,
            pipeline_id: widget.pipeline_id.to_string().into(),
            position: GridPosition { x, y, w, h },
            aggregate: widget.aggregate.into(),
            field: widget.field.map(text),
            group_by: widget.group_by.map(text),
            filters: widget.filters.into_iter().map(Filter::from).collect(),
            columns: widget.columns.into_iter().map(text).collect(),
            unit: widget.unit,
            decimals: widget.decimals.map(i32::from),
            trend_meaning: widget.trend_meaning.into(),
            color: widget.color,
        }
    }
}

/// A widget to be saved.
#[derive(Debug, InputObject)]
pub struct WidgetInput {
    /// The widget that is changed; a new one is made without it.
    id: Option<ID>,
    /// What it looks like.
    kind: WidgetKind,
    /// Its heading.
    title: String,
    /// The pipeline whose records it shows.
    pipeline_id: ID,
    /// Where it stands.
    position: GridPosition,
    /// How values become one; not used by tables.
    #[graphql(default_with = "Aggregate::Count")]
    aggregate: Aggregate,
    /// The field that is aggregated; none for a count.
    field: Option<String>,
    /// The field whose values divide a line into several.
    group_by: Option<String>,
    /// The conditions that records have to meet to be shown: at most 10.
    #[graphql(default)]
    filters: Vec<Filter>,
    /// The fields that a table shows; all top-level ones if empty.
    #[graphql(default)]
    columns: Vec<String>,
    /// Written with the figure: `€`, `ms`, `%`.
    #[graphql(default)]
    unit: String,
    /// The digits after the decimal point; as many as make sense if null.
    decimals: Option<i32>,
    /// Whether a rise is welcome.
    #[graphql(default_with = "TrendMeaning::UpIsGood")]
    trend_meaning: TrendMeaning,
    /// Its colour in the palette, from 1 to 8.
    #[graphql(default = 1)]
    color: i32,
}

impl WidgetInput {
    /// Reads the ids and paths; what is wrong is told for each field.
    pub(super) fn read(self) -> Result<widgets::Widget, Vec<UserError>> {
        let mut problems = Vec::new();
        let id = match &self.id {
            None => Some(WidgetId::new()),
            Some(id) => take(
                &mut problems,
                "id",
                id.parse().map_err(|_| "This is no widget's id."),
            ),
        };
        let pipeline_id: Option<PipelineId> = take(
            &mut problems,
            "pipelineId",
            self.pipeline_id
                .parse()
                .map_err(|_| "There is no such pipeline. Choose another one."),
        );
        let field = path(&mut problems, "field", self.field);
        let group_by = path(&mut problems, "groupBy", self.group_by);
        let mut filters = Vec::new();
        for (index, filter) in self.filters.into_iter().enumerate() {
            match filter.read() {
                Ok(filter) => filters.push(filter),
                Err(message) => problems.push(UserError {
                    field: Some(vec![
                        "filters".to_owned(),
                        index.to_string(),
                        "field".to_owned(),
                    ]),
                    message,
                    code: UserErrorCode::Invalid,
                }),
            }
        }
        let columns = self
            .columns
            .into_iter()
            .filter_map(|column| path(&mut problems, "columns", Some(column)))
            .collect();
        let decimals = self
            .decimals
            .map(|decimals| u8::try_from(decimals).unwrap_or(u8::MAX));
        let GridPosition { x, y, w, h } = self.position;
        match (id, pipeline_id) {
            (Some(id), Some(pipeline_id)) if problems.is_empty() => Ok(widgets::Widget {
                id,
                kind: self.kind.into(),
                title: self.title.trim().to_owned(),
                pipeline_id,
                position: widgets::GridPosition { x, y, w, h },
                aggregate: self.aggregate.into(),
                field,
                group_by,
                filters,
                columns,
                unit: self.unit.trim().to_owned(),
                decimals,
                trend_meaning: self.trend_meaning.into(),
                color: self.color,
            }),
            _ => Err(problems),
        }
    }
}

/// Reads all widgets of an input; problems are told with the widget's place.
pub(super) fn read_widgets(
    input: Vec<WidgetInput>,
) -> Result<Vec<widgets::Widget>, Vec<UserError>> {
    let mut problems = Vec::new();
    let mut widgets = Vec::new();
    for (index, widget) in input.into_iter().enumerate() {
        match widget.read() {
            Ok(widget) => widgets.push(widget),
            Err(found) => problems.extend(found.into_iter().map(|mut problem| {
                let place = ["widgets".to_owned(), index.to_string()];
                problem.field.get_or_insert_default().splice(0..0, place);
                problem
            })),
        }
    }
    if problems.is_empty() {
        Ok(widgets)
    } else {
        Err(problems)
    }
}

fn take<T>(problems: &mut Vec<UserError>, field: &str, read: Result<T, &str>) -> Option<T> {
    read.map_err(|message| problems.push(UserError::at(field, UserErrorCode::Invalid, message)))
        .ok()
}

fn path(problems: &mut Vec<UserError>, field: &str, text: Option<String>) -> Option<FieldPath> {
    let text = text.filter(|text| !text.trim().is_empty())?;
    let read: Result<FieldPath, _> = text.parse();
    read.map_err(|error| {
        problems.push(UserError::at(
            field,
            UserErrorCode::Invalid,
            format!("{error}."),
        ));
    })
    .ok()
}

/// What a widget shows.
#[derive(Debug, Union)]
pub enum WidgetData {
    /// A figure.
    Stat(StatData),
    /// Lines.
    Line(LineData),
    /// Records.
    Table(TableData),
    /// Nothing, and why.
    Failure(WidgetFailure),
}

/// One figure with its trend.
#[derive(Debug, SimpleObject)]
pub struct StatData {
    /// The widget.
    widget_id: ID,
    /// For the time range; null when there is nothing to aggregate.
    value: Option<f64>,
    /// For the time range of the same length before it.
    previous: Option<f64>,
    /// For each part of the time range up to now, the oldest first.
    sparkline: Vec<Option<f64>>,
}

/// A figure over time.
#[derive(Debug, SimpleObject)]
pub struct LineData {
    /// The widget.
    widget_id: ID,
    /// How wide a bucket is, in seconds.
    bucket_seconds: i32,
    /// Where each bucket begins.
    times: Vec<DateTime<Utc>>,
    /// The lines, the largest first, at most 8.
    series: Vec<LineSeries>,
}

/// One line.
#[derive(Debug, SimpleObject)]
pub struct LineSeries {
    /// The group's value; empty when nothing is grouped.
    name: String,
    /// One value for each of the times; null when there is nothing to aggregate.
    values: Vec<Option<f64>>,
}

/// The newest records of the time range.
#[derive(Debug, SimpleObject)]
pub struct TableData {
    /// The widget.
    widget_id: ID,
    /// The columns.
    columns: Vec<TableColumn>,
    /// The rows, the newest first, at most 50.
    rows: Vec<TableRow>,
    /// How many records came in during the last minute.
    records_per_minute: i32,
}

/// A column.
#[derive(Debug, SimpleObject)]
pub struct TableColumn {
    /// The path of the field it shows.
    field: String,
    /// Its heading.
    label: String,
    /// What its values are.
    #[graphql(name = "type")]
    field_type: FieldType,
}

/// A row: one record.
#[derive(Debug, SimpleObject)]
pub struct TableRow {
    /// The record's id.
    id: ID,
    /// When it happened.
    time: DateTime<Utc>,
    /// A value for each column; null where the record has none.
    cells: Vec<Option<Value>>,
}

/// Why a widget shows nothing.
#[derive(Debug, SimpleObject)]
pub struct WidgetFailure {
    /// The widget.
    widget_id: ID,
    /// What happened and what to do.
    message: String,
}

impl From<dashboards::WidgetData> for WidgetData {
    fn from(data: dashboards::WidgetData) -> Self {
        use dashboards::WidgetData as Data;
        let id = |widget_id: WidgetId| ID::from(widget_id.to_string());
        match data {
            Data::Stat {
                widget_id,
                value,
                previous,
                sparkline,
            } => Self::Stat(StatData {
                widget_id: id(widget_id),
                value,
                previous,
                sparkline,
            }),
            Data::Line {
                widget_id,
                bucket_seconds,
                times_ms,
                series,
            } => Self::Line(LineData {
                widget_id: id(widget_id),
                bucket_seconds: int(bucket_seconds),
                times: times_ms.into_iter().map(date_time).collect(),
                series: series
                    .into_iter()
                    .map(|series| LineSeries {
                        name: series.name,
                        values: series.values,
                    })
                    .collect(),
            }),
            Data::Table {
                widget_id,
                pipeline_id,
                columns,
                rows,
                records_per_minute,
            } => Self::Table(TableData {
                widget_id: id(widget_id),
                columns: columns.into_iter().map(TableColumn::from).collect(),
                rows: rows
                    .into_iter()
                    .map(|row| TableRow {
                        id: record_id(pipeline_id, row.seq),
                        time: date_time(row.time_ms),
                        cells: row
                            .cells
                            .into_iter()
                            .map(|cell| Some(cell).filter(|cell| !cell.is_null()))
                            .collect(),
                    })
                    .collect(),
                records_per_minute: int(records_per_minute),
            }),
            Data::Failure { widget_id, message } => Self::Failure(WidgetFailure {
                widget_id: id(widget_id),
                message,
            }),
        }
    }
}

impl From<dashboards::TableColumn> for TableColumn {
    fn from(column: dashboards::TableColumn) -> Self {
        Self {
            field: column.field.to_string(),
            label: column.label,
            field_type: column.field_type.into(),
        }
    }
}
