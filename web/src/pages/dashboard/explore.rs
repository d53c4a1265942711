//! Looking behind a widget: which records its figures are made of. This module knows what is looked
//! at; `drawer` shows it, and is fetched with the dashboard's tools.

pub mod drawer;
mod words;

use dash_shared::{
    queries::{MAX_FILTERS, draft::FilterDraft},
    ranges::TimeRange,
    widgets::WidgetKind,
};

use super::{content::Content, tiles::Definition};
use crate::components::line_chart::pick::PickedPoint;

/// The records that are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explored {
    /// The heading of the widget.
    pub title: String,
    /// The global id of the pipeline.
    pub pipeline_id: String,
    /// Of which time.
    pub range: TimeRange,
    /// What they meet.
    pub filters: Vec<FilterDraft>,
}

impl Explored {
    /// All records of a widget.
    pub fn of(definition: &Definition, range: TimeRange) -> Self {
        Self {
            title: definition.title.clone(),
            pipeline_id: definition.pipeline_id.clone(),
            range,
            filters: definition.filters.clone(),
        }
    }

    /// The records of one point of a line: those of its bucket and, where there are several lines,
    /// of its group. None when the chart has moved on and the point is gone.
    pub fn at_point(
        definition: &Definition,
        content: &Content,
        point: &PickedPoint,
    ) -> Option<Self> {
        let Content::Line(points) = content else {
            return None;
        };
        let from_ms = point.time_ms;
        let index = points.times_ms.iter().position(|time| *time == from_ms)?;
        let width_ms = i64::from(points.bucket_seconds) * 1_000;
        // Days are not all of the same length; only the last bucket has no next one.
        let next_ms = points.times_ms.get(index + 1).copied();
        let range = TimeRange::Between {
            from_ms,
            to_ms: next_ms.unwrap_or(from_ms + width_ms),
        };
        let mut explored = Self::of(definition, range);
        let group = definition
            .group_by
            .as_deref()
            .filter(|_| definition.kind == WidgetKind::Line)
            .zip(point.series.as_deref());
        if let Some((field, name)) = group
            && explored.filters.len() < MAX_FILTERS
        {
            explored.filters.push(FilterDraft::of_group(field, name));
        }
        Some(explored)
    }
}
