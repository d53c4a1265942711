//! What a widget shows: from its definition to a query, and from the result to its data.

use std::sync::Arc;

use dash_shared::fields::{FieldPath, FieldType, sample_fields};
use dash_shared::ids::{PipelineId, WidgetId};
use dash_shared::queries::{Aggregate, Measure};
use dash_shared::widgets::{MAX_COLUMNS, TABLE_ROWS, Widget, WidgetKind, label};
use serde_json::Value;

use crate::data::{FeedValue, Query, QueryResult, Series, Shape, StoredRecord};

/// What a widget shows.
#[derive(Clone, Debug, PartialEq)]
pub enum WidgetData {
    /// A figure.
    Stat {
        /// The widget.
        widget_id: WidgetId,
        /// For the time range.
        value: Option<f64>,
        /// For the time range before it.
        previous: Option<f64>,
        /// Its course.
        sparkline: Vec<Option<f64>>,
    },
    /// Lines.
    Line {
        /// The widget.
        widget_id: WidgetId,
        /// How wide a bucket is, in seconds.
        bucket_seconds: i64,
        /// Where each bucket begins, in milliseconds since 1970.
        times_ms: Vec<i64>,
        /// The lines.
        series: Vec<Series>,
    },
    /// Records.
    Table {
        /// The widget.
        widget_id: WidgetId,
        /// Whose records they are.
        pipeline_id: PipelineId,
        /// The columns.
        columns: Vec<TableColumn>,
        /// The rows, the newest first.
        rows: Vec<TableRow>,
        /// How many records came in during the last minute.
        records_per_minute: i64,
    },
    /// Nothing, and why.
    Failure {
        /// The widget.
        widget_id: WidgetId,
        /// What happened and what to do.
        message: String,
    },
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// The field it shows.
    pub field: FieldPath,
    /// Its heading.
    pub label: String,
    /// What its values are.
    pub field_type: FieldType,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRow {
    /// The record's place in its series.
    pub seq: i64,
    /// When it happened, in milliseconds since 1970.
    pub time_ms: i64,
    /// A value for each column; null where the record has none.
    pub cells: Vec<Value>,
}

/// The question that a widget asks.
pub(super) fn query(widget: &Widget) -> Query {
    let aggregate = widget.aggregate;
    // A count is of records, whatever field was chosen before.
    let field = widget
        .field
        .clone()
        .filter(|_| aggregate != Aggregate::Count);
    let measure = Measure { aggregate, field };
    Query {
        pipeline_id: widget.pipeline_id,
        filters: widget.filters.clone(),
        shape: match widget.kind {
            WidgetKind::Stat => Shape::Figure(measure),
            WidgetKind::Line => Shape::Lines {
                measure,
                group_by: widget.group_by.clone(),
            },
            WidgetKind::Table => Shape::Latest { limit: TABLE_ROWS },
        },
    }
}

impl WidgetData {
    /// What a widget shows when its pipeline is gone.
    pub(super) fn no_pipeline(widget_id: WidgetId) -> Self {
        Self::Failure {
            widget_id,
            message: "The pipeline of this widget was deleted. Edit the widget to choose another \
                      one, or remove it."
                .to_owned(),
        }
    }

    /// What a widget shows of a feed's value.
    pub(super) fn of(widget: &Widget, value: &FeedValue) -> Self {
        let widget_id = widget.id;
        match &value.result {
            Err(message) => Self::Failure {
                widget_id,
                message: message.clone(),
            },
            Ok(QueryResult::Figure {
                value,
                previous,
                sparkline,
            }) => Self::Stat {
                widget_id,
                value: *value,
                previous: *previous,
                sparkline: sparkline.clone(),
            },
            Ok(QueryResult::Lines {
                bucket_ms,
                times_ms,
                series,
            }) => Self::Line {
                widget_id,
                bucket_seconds: bucket_ms / 1_000,
                times_ms: times_ms.clone(),
                series: series.clone(),
            },
            Ok(QueryResult::Latest {
                records,
                records_per_minute,
            }) => {
                let columns = columns(&widget.columns, records);
                let row = |record: &Arc<StoredRecord>| TableRow {
                    seq: record.seq,
                    time_ms: record.time_ms,
                    cells: columns
                        .iter()
                        .map(|column| {
                            column
                                .field
                                .get(&record.fields)
                                .cloned()
                                .unwrap_or_default()
                        })
                        .collect(),
                };
                let rows = records.iter().map(row).collect();
                Self::Table {
                    widget_id,
                    pipeline_id: widget.pipeline_id,
                    columns,
                    rows,
                    records_per_minute: *records_per_minute,
                }
            }
        }
    }
}

/// The chosen columns, or all top-level fields; with the types that the records show.
fn columns(chosen: &[FieldPath], records: &[Arc<StoredRecord>]) -> Vec<TableColumn> {
    let sample = sample_fields(records.iter().map(|record| &*record.fields));
    let type_of = |path: &FieldPath| {
        let found = sample.iter().find(|field| field.path == *path);
        found.map_or(FieldType::Text, |field| field.field_type)
    };
    let all: Vec<FieldPath>;
    let fields = if chosen.is_empty() {
        let top_level = sample
            .iter()
            .filter(|field| field.path.top_level_key().is_some());
        all = top_level
            .take(MAX_COLUMNS)
            .map(|field| field.path.clone())
            .collect();
        &all
    } else {
        chosen
    };
    fields
        .iter()
        .map(|field| TableColumn {
            field: field.clone(),
            label: label(field),
            field_type: type_of(field),
        })
        .collect()
}
