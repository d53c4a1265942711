//! What a widget shows at one moment, in the form its component takes.

use super::{operations as op, tiles};
use crate::{
    components::{
        line_chart::LinePoints,
        record_table::{Column, Records, Row},
        stat::StatFigure,
    },
    format::uppercase,
};

/// The data of a widget, or why there is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Content {
    /// It has not come yet.
    #[default]
    Waiting,
    /// A figure.
    Stat(StatFigure),
    /// Lines over time.
    Line(LinePoints),
    /// The newest records.
    Table(Records),
    /// What happened and what to do.
    Failed(String),
}

/// What kind of thing a widget has to show; changes seldom, while the data changes all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A grey shape.
    Waiting,
    /// A figure.
    Stat,
    /// Lines.
    Line,
    /// Records.
    Table,
    /// That there are no records.
    Empty,
    /// A failure.
    Failed,
}

impl Content {
    /// What kind of thing this is. Where records are counted, zeros alone are an empty chart.
    pub fn shape(&self, counts: bool) -> Shape {
        match self {
            Self::Waiting => Shape::Waiting,
            Self::Stat(figure) if figure.value.is_none() => Shape::Empty,
            Self::Stat(_) => Shape::Stat,
            Self::Line(points) if points.is_empty(counts) => Shape::Empty,
            Self::Line(_) => Shape::Line,
            Self::Table(records) if records.rows.is_empty() => Shape::Empty,
            Self::Table(_) => Shape::Table,
            Self::Failed(_) => Shape::Failed,
        }
    }

    /// The figure; an empty one for other kinds.
    pub fn figure(&self) -> StatFigure {
        match self {
            Self::Stat(figure) => figure.clone(),
            _ => StatFigure::default(),
        }
    }

    /// The lines; none for other kinds.
    pub fn points(&self) -> LinePoints {
        match self {
            Self::Line(points) => points.clone(),
            _ => LinePoints::default(),
        }
    }

    /// The records; none for other kinds.
    pub fn records(&self) -> Records {
        match self {
            Self::Table(records) => records.clone(),
            _ => Records::default(),
        }
    }
}

/// The widget that data belongs to, and the data. Nothing for a kind that is not known yet.
pub fn of_data(data: op::WidgetData) -> Option<(cynic::Id, Content)> {
    Some(match data {
        op::WidgetData::StatData(data) => (
            data.widget_id,
            Content::Stat(StatFigure {
                value: data.value,
                previous: data.previous,
                course: data.sparkline,
            }),
        ),
        op::WidgetData::LineData(data) => (
            data.widget_id,
            Content::Line(LinePoints {
                bucket_seconds: data.bucket_seconds,
                times_ms: data.times.iter().map(crate::api::DateTime::ms).collect(),
                series: data
                    .series
                    .into_iter()
                    .map(|series| (series.name, series.values))
                    .collect(),
            }),
        ),
        op::WidgetData::TableData(data) => (data.widget_id.clone(), Content::Table(records(data))),
        op::WidgetData::WidgetFailure(failure) => {
            (failure.widget_id, Content::Failed(failure.message))
        }
        op::WidgetData::Other => return None,
    })
}

/// The text with a capital first letter.
fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.by_ref().take(1).collect();
    uppercase(&first) + letters.as_str()
}

fn records(data: op::TableData) -> Records {
    Records {
        columns: data
            .columns
            .into_iter()
            .map(|column| Column {
                field: column.field,
                label: capitalized(&column.label),
                field_type: tiles::type_of(column.field_type),
            })
            .collect(),
        rows: data
            .rows
            .into_iter()
            .map(|row| Row {
                time_ms: row.time.ms(),
                id: row.id.into_inner(),
                cells: row
                    .cells
                    .into_iter()
                    .map(|cell| cell.map_or(serde_json::Value::Null, |cell| cell.0))
                    .collect(),
            })
            .collect(),
        per_minute: data.records_per_minute,
    }
}
