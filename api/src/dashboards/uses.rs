//! Which widgets use which fields of a pipeline: for whoever is about to change what it yields.

use dash_shared::fields::FieldPath;
use dash_shared::ids::{DashboardId, PipelineId, WidgetId};
use dash_shared::queries::Aggregate;
use dash_shared::widgets::{Widget, WidgetKind};

use super::{Dashboards, DashboardsError};
use crate::accounts::TenantScope;

/// How many dashboards are read at once.
const PAGE: u64 = 100;
/// How many dashboards are looked at.
const MAX_DASHBOARDS: usize = 1_000;

/// A widget that shows something of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WidgetUse {
    /// Its dashboard.
    pub dashboard_id: DashboardId,
    /// The dashboard's name.
    pub dashboard_name: String,
    /// It.
    pub widget_id: WidgetId,
    /// Its heading.
    pub title: String,
    /// The fields that it needs.
    pub fields: Vec<FieldPath>,
}

impl Dashboards {
    /// The widgets of the team that need one of these fields of a pipeline, or a part of one.
    pub async fn uses_of(
        &self,
        scope: &TenantScope,
        pipeline_id: PipelineId,
        changed: &[FieldPath],
    ) -> Result<Vec<WidgetUse>, DashboardsError> {
        let mut uses = Vec::new();
        if changed.is_empty() {
            return Ok(uses);
        }
        let (mut after, mut seen) = (None, 0);
        while seen < MAX_DASHBOARDS {
            let page = self.list(scope, after, PAGE).await?;
            seen += page.dashboards.len();
            after = page.dashboards.last().map(|dashboard| dashboard.id);
            for dashboard in page.dashboards {
                let of_pipeline = dashboard
                    .widgets
                    .iter()
                    .filter(|widget| widget.pipeline_id == pipeline_id);
                for widget in of_pipeline {
                    let mut fields = fields_of(widget);
                    fields.retain(|field| changed.iter().any(|other| touches(field, other)));
                    if !fields.is_empty() {
                        uses.push(WidgetUse {
                            dashboard_id: dashboard.id,
                            dashboard_name: dashboard.name.clone(),
                            widget_id: widget.id,
                            title: widget.title.clone(),
                            fields,
                        });
                    }
                }
            }
            if !page.has_more {
                break;
            }
        }
        Ok(uses)
    }
}

/// The fields that a widget needs, each once.
fn fields_of(widget: &Widget) -> Vec<FieldPath> {
    let mut fields: Vec<FieldPath> = if widget.kind == WidgetKind::Table {
        widget.columns.clone()
    } else {
        let measured = widget
            .field
            .iter()
            .filter(|_| widget.aggregate != Aggregate::Count);
        measured.chain(&widget.group_by).cloned().collect()
    };
    fields.extend(widget.filters.iter().map(|filter| filter.field.clone()));
    let mut once: Vec<FieldPath> = Vec::new();
    for field in fields {
        if !once.contains(&field) {
            once.push(field);
        }
    }
    once
}

/// Whether one of two places is the other or in it.
fn touches(a: &FieldPath, b: &FieldPath) -> bool {
    let within = |inner: &str, outer: &str| {
        let rest = inner.strip_prefix(outer);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    within(a.as_str(), b.as_str()) || within(b.as_str(), a.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_touch_when_one_is_in_the_other() {
        let check = |a: &str, b: &str, expected: bool| {
            let (a, b): (FieldPath, FieldPath) = (a.parse().unwrap(), b.parse().unwrap());
            assert_eq!(touches(&a, &b), expected, "{a} {b}");
        };
        check("total", "total", true);
        check("customer", "customer.country", true);
        check("items[0].price", "items", true);
        check("total", "total_eur", false);
        check("a.b", "a.c", false);
    }
}
