//! What a widget shows and where it stands on the grid, the rules for it, and the widgets that
//! suit a set of fields.

use serde::{Deserialize, Serialize};

use crate::fields::{FieldPath, FieldType, SampledField};
use crate::ids::{PipelineId, WidgetId};
use crate::queries::{Filter, check_filters};
use crate::{Invalid, InvalidCode, MAX_NAME_CHARS};

pub use crate::queries::Aggregate;

/// The grid's columns.
pub const GRID_COLUMNS: i32 = 12;
/// The grid's rows.
pub const MAX_GRID_ROWS: i32 = 200;
/// The most widgets on a dashboard.
pub const MAX_WIDGETS: usize = 40;
/// The most columns of a table.
pub const MAX_COLUMNS: usize = 20;
/// How many records a table shows.
pub const TABLE_ROWS: usize = 50;
/// How many lines a chart has at most; what is smaller is left out.
pub const MAX_SERIES: usize = 8;
/// The colours of the chart palette, counted from 1.
pub const PALETTE_COLORS: i32 = 8;

/// The kinds of widgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WidgetKind {
    /// One figure with its trend.
    Stat,
    /// A figure over time, as one line or one for each group.
    Line,
    /// The newest records.
    Table,
}

/// Whether a rise of a figure is welcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrendMeaning {
    /// Green when it rises: revenue.
    #[default]
    UpIsGood,
    /// Red when it rises: errors.
    UpIsBad,
    /// Neither.
    Neutral,
}

/// Where a widget stands, in cells of the grid, from the top left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GridPosition {
    /// The first column, from 0.
    pub x: i32,
    /// The first row, from 0.
    pub y: i32,
    /// How many columns.
    pub w: i32,
    /// How many rows.
    pub h: i32,
}

impl GridPosition {
    /// Whether two places share a cell.
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.w
            && other.x < self.x + self.w
            && self.y < other.y + other.h
            && other.y < self.y + self.h
    }
}

/// A widget.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Widget {
    /// Its id.
    pub id: WidgetId,
    /// What it looks like.
    pub kind: WidgetKind,
    /// Its heading.
    pub title: String,
    /// Where its data comes from.
    pub pipeline_id: PipelineId,
    /// Where it stands.
    pub position: GridPosition,
    /// How values become one; not used by tables.
    pub aggregate: Aggregate,
    /// The field that is aggregated; none for [`Aggregate::Count`].
    pub field: Option<FieldPath>,
    /// The field whose values divide a line into several.
    pub group_by: Option<FieldPath>,
    /// The conditions that records have to meet to be shown.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// The fields that a table shows; all top-level ones if empty.
    pub columns: Vec<FieldPath>,
    /// Written with the figure: `€`, `ms`, `%`.
    pub unit: String,
    /// The digits after the decimal point; as many as make sense if none.
    pub decimals: Option<u8>,
    /// Whether a rise is welcome.
    pub trend_meaning: TrendMeaning,
    /// Its colour in the palette, from 1.
    pub color: i32,
}

/// Checks the widgets of a dashboard before they are saved.
pub fn check_widgets(widgets: &[Widget]) -> Vec<Invalid> {
    let mut problems = Vec::new();
    if widgets.len() > MAX_WIDGETS {
        problems.push(Invalid::new(
            "widgets",
            InvalidCode::TooLong,
            format!("A dashboard has at most {MAX_WIDGETS} widgets."),
        ));
    }
    let mut ids = std::collections::BTreeSet::new();
    for (index, widget) in widgets.iter().enumerate() {
        let at = format!("widgets.{index}");
        problems.extend(widget.check().into_iter().map(|problem| problem.under(&at)));
        if !ids.insert(widget.id) {
            problems.push(Invalid::new(
                &format!("{at}.id"),
                InvalidCode::Invalid,
                "Two widgets have the same id.",
            ));
        }
        if widgets
            .iter()
            .take(index)
            .any(|other| other.position.overlaps(&widget.position))
        {
            problems.push(Invalid::new(
                &format!("{at}.position"),
                InvalidCode::Invalid,
                format!("“{}” stands on another widget.", widget.title),
            ));
        }
    }
    problems
}

impl Widget {
    /// Checks one widget.
    pub fn check(&self) -> Vec<Invalid> {
        let mut problems = Vec::new();
        let mut refuse = |field: &str, code, message: &str| {
            problems.push(Invalid::new(field, code, message));
        };
        if self.title.chars().count() > MAX_NAME_CHARS {
            refuse(
                "title",
                InvalidCode::TooLong,
                "A title has at most 100 characters.",
            );
        }
        let p = self.position;
        let fits = p.x >= 0
            && p.y >= 0
            && p.w >= 1
            && p.h >= 1
            && p.w <= GRID_COLUMNS
            && p.x <= GRID_COLUMNS - p.w
            && p.h <= MAX_GRID_ROWS
            && p.y <= MAX_GRID_ROWS - p.h;
        if !fits {
            refuse(
                "position",
                InvalidCode::Invalid,
                "The widget does not fit: the grid has 12 columns and 200 rows.",
            );
        }
        let needs_field = self.kind != WidgetKind::Table && self.aggregate != Aggregate::Count;
        if needs_field && self.field.is_none() {
            refuse(
                "field",
                InvalidCode::Required,
                "Choose the field to aggregate.",
            );
        }
        if self.columns.len() > MAX_COLUMNS {
            refuse(
                "columns",
                InvalidCode::TooLong,
                "A table has at most 20 columns.",
            );
        }
        if self.unit.chars().count() > 12 {
            refuse(
                "unit",
                InvalidCode::TooLong,
                "A unit has at most 12 characters.",
            );
        }
        if self.decimals.is_some_and(|decimals| decimals > 6) {
            refuse("decimals", InvalidCode::Invalid, "Show at most 6 decimals.");
        }
        if !(1..=PALETTE_COLORS).contains(&self.color) {
            refuse(
                "color",
                InvalidCode::Invalid,
                "The palette has the colours 1 to 8.",
            );
        }
        problems.extend(check_filters(&self.filters));
        problems
    }
}

/// The first free place for a widget of this size, searched row by row.
pub fn free_place(taken: &[GridPosition], w: i32, h: i32) -> GridPosition {
    for y in 0..MAX_GRID_ROWS {
        for x in 0..=GRID_COLUMNS - w {
            let place = GridPosition { x, y, w, h };
            if !taken.iter().any(|other| other.overlaps(&place)) {
                return place;
            }
        }
    }
    GridPosition {
        x: 0,
        y: MAX_GRID_ROWS - h,
        w,
        h,
    }
}

/// What a suggested widget shows; its id and pipeline are not decided here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuggestedWidget {
    /// What it looks like.
    pub kind: WidgetKind,
    /// Its heading.
    pub title: String,
    /// Where it stands.
    pub position: GridPosition,
    /// How values become one.
    pub aggregate: Aggregate,
    /// The field that is aggregated.
    pub field: Option<FieldPath>,
    /// The field that divides a line.
    pub group_by: Option<FieldPath>,
    /// The columns of a table.
    pub columns: Vec<FieldPath>,
    /// Its colour.
    pub color: i32,
}

/// The widgets of a first dashboard for a pipeline whose records have these fields: how many there
/// are, up to three figures, a line of records over time, and a table of the newest.
pub fn suggest_widgets(fields: &[SampledField]) -> Vec<SuggestedWidget> {
    let numbers: Vec<&SampledField> = fields
        .iter()
        .filter(|field| field.field_type == FieldType::Number && !is_identifier(&field.path))
        .take(3)
        .collect();
    let stat = |index: i32, title: String, aggregate, field: Option<FieldPath>| SuggestedWidget {
        kind: WidgetKind::Stat,
        title,
        position: GridPosition {
            x: index * 3,
            y: 0,
            w: 3,
            h: 2,
        },
        aggregate,
        field,
        group_by: None,
        columns: Vec::new(),
        color: index + 1,
    };
    let mut widgets = vec![stat(0, "Records".to_owned(), Aggregate::Count, None)];
    for (index, field) in (1..).zip(&numbers) {
        let title = format!("Average {}", label(&field.path));
        widgets.push(stat(index, title, Aggregate::Avg, Some(field.path.clone())));
    }
    widgets.push(SuggestedWidget {
        title: "Records over time".to_owned(),
        kind: WidgetKind::Line,
        position: GridPosition {
            x: 0,
            y: 2,
            w: 12,
            h: 4,
        },
        ..stat(0, String::new(), Aggregate::Count, None)
    });
    widgets.push(SuggestedWidget {
        title: "Latest records".to_owned(),
        kind: WidgetKind::Table,
        position: GridPosition {
            x: 0,
            y: 6,
            w: 12,
            h: 5,
        },
        columns: fields
            .iter()
            .take(7)
            .map(|field| field.path.clone())
            .collect(),
        ..stat(0, String::new(), Aggregate::Count, None)
    });
    widgets
}

/// Numbers that name a thing say nothing when they are averaged.
fn is_identifier(path: &FieldPath) -> bool {
    let key = path.last_key().to_ascii_lowercase();
    key == "id" || key.ends_with("_id") || path.last_key().ends_with("Id")
}

/// A field's path as a heading: `customer.country_code` is `country code`.
pub fn label(path: &FieldPath) -> String {
    path.last_key().replace(['_', '-'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(path: &str, field_type: FieldType) -> SampledField {
        SampledField {
            path: path.parse().unwrap(),
            field_type,
            example: Some("1".to_owned()),
        }
    }

    fn saved(suggested: SuggestedWidget) -> Widget {
        Widget {
            id: WidgetId::new(),
            kind: suggested.kind,
            title: suggested.title,
            pipeline_id: PipelineId::new(),
            position: suggested.position,
            aggregate: suggested.aggregate,
            field: suggested.field,
            group_by: suggested.group_by,
            filters: Vec::new(),
            columns: suggested.columns,
            unit: String::new(),
            decimals: None,
            trend_meaning: TrendMeaning::UpIsGood,
            color: suggested.color,
        }
    }

    #[test]
    fn suggested_widgets_can_be_saved() {
        let fields = [
            field("id", FieldType::Number),
            field("total", FieldType::Number),
            field("country", FieldType::Text),
            field("a", FieldType::Number),
            field("b", FieldType::Number),
            field("c", FieldType::Number),
        ];
        for count in 0..=fields.len() {
            let widgets: Vec<_> = suggest_widgets(&fields[..count])
                .into_iter()
                .map(saved)
                .collect();
            assert_eq!(check_widgets(&widgets), []);
        }
    }

    #[test]
    fn widgets_that_overlap_or_stick_out_are_refused() {
        let widget = saved(suggest_widgets(&[]).remove(0));
        let twin = Widget {
            id: WidgetId::new(),
            ..widget.clone()
        };
        assert_eq!(
            check_widgets(&[widget.clone(), twin])[0].field,
            ["widgets", "1", "position"]
        );
        for position in [
            GridPosition {
                x: 11,
                y: 0,
                w: 2,
                h: 1,
            },
            GridPosition {
                x: -1,
                y: 0,
                w: 2,
                h: 1,
            },
            GridPosition {
                x: 0,
                y: 0,
                w: 0,
                h: 1,
            },
            GridPosition {
                x: 0,
                y: i32::MAX,
                w: 1,
                h: 1,
            },
            GridPosition {
                x: i32::MAX,
                y: 0,
                w: i32::MAX,
                h: 1,
            },
        ] {
            let widget = Widget {
                position,
                ..widget.clone()
            };
            assert_eq!(widget.check()[0].field, ["position"], "{position:?}");
        }
    }

    #[test]
    fn a_free_place_is_the_first_that_fits() {
        let taken = [GridPosition {
            x: 0,
            y: 0,
            w: 7,
            h: 2,
        }];
        assert_eq!(
            free_place(&taken, 5, 1),
            GridPosition {
                x: 7,
                y: 0,
                w: 5,
                h: 1
            }
        );
        assert_eq!(
            free_place(&taken, 6, 1),
            GridPosition {
                x: 0,
                y: 2,
                w: 6,
                h: 1
            }
        );
    }
}
