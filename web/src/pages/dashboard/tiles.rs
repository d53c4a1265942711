//! The widgets of an open dashboard as the page holds them: what each shows, where it stands, and
//! the way between these and the API's own types.

use std::sync::atomic::{AtomicU32, Ordering};

use dash_shared::{
    Invalid, InvalidCode,
    fields::FieldType,
    ids::{PipelineId, WidgetId},
    queries::draft::{FilterDraft, read_drafts},
    ranges::TimeRange,
    widgets::{self, Aggregate, GridPosition, TrendMeaning, WidgetKind},
};

use super::{conditions, operations as op};
use crate::api::DateTime;

/// Stands in for the id of a widget that is not saved yet when it is checked.
const NO_ID: &str = "wdg_00000000000000000000000000";

/// What a widget shows, without where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What it looks like.
    pub kind: WidgetKind,
    /// Its heading.
    pub title: String,
    /// The global id of the pipeline that its data comes from; empty until one is chosen.
    pub pipeline_id: String,
    /// How values become one.
    pub aggregate: Aggregate,
    /// The path of the field that is aggregated.
    pub field: Option<String>,
    /// The path of the field that divides a line into several.
    pub group_by: Option<String>,
    /// The conditions that records have to meet to be shown.
    pub filters: Vec<FilterDraft>,
    /// The paths of a table's columns.
    pub columns: Vec<String>,
    /// Written with the figure.
    pub unit: String,
    /// Digits after the decimal point.
    pub decimals: Option<u8>,
    /// Whether a rise is welcome.
    pub trend_meaning: TrendMeaning,
    /// The colour in the palette, from 1.
    pub color: i32,
}

/// A widget on the open dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Names the widget within this page, saved or not.
    pub key: u32,
    /// Its global id, once it is saved.
    pub id: Option<String>,
    /// What it shows.
    pub definition: Definition,
    /// Where it stands.
    pub position: GridPosition,
}

/// A key that no other tile of this page has.
pub fn next_key() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Definition {
    /// An empty widget of a pipeline.
    pub fn new(kind: WidgetKind, pipeline_id: String) -> Self {
        Self {
            kind,
            title: String::new(),
            pipeline_id,
            aggregate: Aggregate::Count,
            field: None,
            group_by: None,
            filters: Vec::new(),
            columns: Vec::new(),
            unit: String::new(),
            decimals: None,
            trend_meaning: TrendMeaning::UpIsGood,
            color: 1,
        }
    }

    /// Whether two widgets show the same data, however they look.
    pub fn has_same_data(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.pipeline_id == other.pipeline_id
            && self.aggregate == other.aggregate
            && self.field == other.field
            && self.group_by == other.group_by
            && self.filters == other.filters
            && self.columns == other.columns
    }

    /// Whether records or values are counted, so that zero means none.
    pub fn counts(&self) -> bool {
        let is_count = matches!(self.aggregate, Aggregate::Count | Aggregate::Distinct);
        self.kind == WidgetKind::Table || is_count
    }

    /// A heading that says what the widget shows, for one that has none.
    pub fn natural_title(&self) -> String {
        let field = self.field.as_deref().and_then(|path| path.parse().ok());
        let field = field.map_or_else(|| "records".to_owned(), |path| widgets::label(&path));
        if self.kind == WidgetKind::Table {
            return "Latest records".to_owned();
        }
        let what = self.aggregate.title_of(&field);
        let group = self.group_by.as_deref().and_then(|path| path.parse().ok());
        match (self.kind, group) {
            (WidgetKind::Line, Some(group)) => format!("{what} by {}", widgets::label(&group)),
            (WidgetKind::Line, None) => format!("{what} over time"),
            _ => what,
        }
    }

    /// What has to be put right before the widget can be previewed or saved.
    pub fn check(&self) -> Vec<Invalid> {
        let unusable = |field: &str| {
            let message = "This field's name cannot be used.";
            vec![Invalid::new(field, InvalidCode::Invalid, message)]
        };
        let Ok(pipeline_id) = self.pipeline_id.parse::<PipelineId>() else {
            let message = "Choose the pipeline to show.";
            return vec![Invalid::new("pipelineId", InvalidCode::Required, message)];
        };
        let Ok(field) = self.field.as_deref().map(str::parse).transpose() else {
            return unusable("field");
        };
        let Ok(group_by) = self.group_by.as_deref().map(str::parse).transpose() else {
            return unusable("groupBy");
        };
        let Ok(columns) = self.columns.iter().map(|path| path.parse()).collect() else {
            return unusable("columns");
        };
        let Ok(id) = NO_ID.parse::<WidgetId>() else {
            return Vec::new();
        };
        let (filters, mut problems) = match read_drafts(&self.filters) {
            Ok(filters) => (filters, Vec::new()),
            Err(problems) => (Vec::new(), problems),
        };
        let widget = widgets::Widget {
            id,
            kind: self.kind,
            title: self.title.clone(),
            pipeline_id,
            position: GridPosition {
                x: 0,
                y: 0,
                w: 3,
                h: 2,
            },
            aggregate: self.aggregate,
            field,
            group_by,
            filters,
            columns,
            unit: self.unit.clone(),
            decimals: self.decimals,
            trend_meaning: self.trend_meaning,
            color: self.color,
        };
        problems.splice(0..0, widget.check());
        problems
    }

    /// The widget as the API takes it. What its kind does not use is left out.
    pub fn input(&self, id: Option<&str>, position: GridPosition) -> op::WidgetInput {
        let is_table = self.kind == WidgetKind::Table;
        op::WidgetInput {
            id: id.map(cynic::Id::new),
            kind: match self.kind {
                WidgetKind::Stat => op::WidgetKind::Stat,
                WidgetKind::Line => op::WidgetKind::Line,
                WidgetKind::Table => op::WidgetKind::Table,
            },
            title: self.title.trim().to_owned(),
            pipeline_id: cynic::Id::new(&self.pipeline_id),
            position: op::GridPositionInput {
                x: position.x,
                y: position.y,
                w: position.w,
                h: position.h,
            },
            aggregate: if is_table {
                op::Aggregate::Count
            } else {
                self.aggregate.into()
            },
            field: self
                .field
                .clone()
                .filter(|_| !is_table && self.aggregate != Aggregate::Count),
            group_by: self
                .group_by
                .clone()
                .filter(|_| self.kind == WidgetKind::Line),
            filters: conditions::inputs(&self.filters),
            columns: if is_table {
                self.columns.clone()
            } else {
                Vec::new()
            },
            unit: self.unit.trim().to_owned(),
            decimals: self.decimals.map(i32::from),
            trend_meaning: match self.trend_meaning {
                TrendMeaning::UpIsGood => op::TrendMeaning::UpIsGood,
                TrendMeaning::UpIsBad => op::TrendMeaning::UpIsBad,
                TrendMeaning::Neutral => op::TrendMeaning::Neutral,
            },
            color: self.color,
        }
    }
}

impl Tile {
    /// The tile of a saved widget, under `key`.
    pub fn of(widget: &op::Widget, key: u32) -> Self {
        let position = widget.position;
        Self {
            key,
            id: Some(widget.id.inner().to_owned()),
            definition: Definition {
                kind: kind_of(widget.kind),
                title: widget.title.clone(),
                pipeline_id: widget.pipeline_id.inner().to_owned(),
                aggregate: widget.aggregate.shared(),
                field: widget.field.clone(),
                group_by: widget.group_by.clone(),
                filters: conditions::drafts(&widget.filters),
                columns: widget.columns.clone(),
                unit: widget.unit.clone(),
                decimals: widget
                    .decimals
                    .and_then(|decimals| u8::try_from(decimals).ok()),
                trend_meaning: match widget.trend_meaning {
                    op::TrendMeaning::UpIsGood => TrendMeaning::UpIsGood,
                    op::TrendMeaning::UpIsBad => TrendMeaning::UpIsBad,
                    op::TrendMeaning::Neutral => TrendMeaning::Neutral,
                },
                color: widget.color,
            },
            position: GridPosition {
                x: position.x,
                y: position.y,
                w: position.w,
                h: position.h,
            },
        }
    }

    /// The widget as the API takes it.
    pub fn input(&self) -> op::WidgetInput {
        self.definition.input(self.id.as_deref(), self.position)
    }
}

/// The kind of a widget, in the shared words.
pub const fn kind_of(kind: op::WidgetKind) -> WidgetKind {
    match kind {
        op::WidgetKind::Stat => WidgetKind::Stat,
        op::WidgetKind::Line => WidgetKind::Line,
        op::WidgetKind::Table => WidgetKind::Table,
    }
}

/// The type of a field, in the shared words.
pub const fn type_of(field_type: op::FieldType) -> FieldType {
    match field_type {
        op::FieldType::Text => FieldType::Text,
        op::FieldType::Number => FieldType::Number,
        op::FieldType::Boolean => FieldType::Boolean,
        op::FieldType::Time => FieldType::Time,
    }
}

/// The range that the API means.
pub fn range_of(range: &op::TimeRange) -> TimeRange {
    match (range.last_seconds, &range.from, &range.to) {
        (Some(seconds), ..) => TimeRange::Last {
            seconds: i64::from(seconds),
        },
        (None, Some(from), Some(to)) => TimeRange::Between {
            from_ms: from.ms(),
            to_ms: to.ms(),
        },
        _ => TimeRange::DEFAULT,
    }
}

/// The range as the API takes it.
pub fn range_input(range: TimeRange) -> op::TimeRangeInput {
    match range {
        TimeRange::Last { seconds } => op::TimeRangeInput {
            last_seconds: i32::try_from(seconds).ok(),
            from: None,
            to: None,
        },
        TimeRange::Between { from_ms, to_ms } => op::TimeRangeInput {
            last_seconds: None,
            from: Some(DateTime::from_ms(from_ms)),
            to: Some(DateTime::from_ms(to_ms)),
        },
    }
}
