//! The impact preview: what a changed transform would have made of what came in lately, and what
//! that would mean for dashboards.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use dash_shared::fields::FieldPath;
use serde_json::Value;

use super::errors::{UserError, payload, top_level};
use super::pipelines::pipeline_id;
use super::previews::StepProblem;
use super::steps::{FieldType, read_steps};
use super::{date_time, scope, services};
use crate::dashboards;
use crate::pipelines::{self, Draft, Effect};

/// A change of a pipeline's transform.
#[derive(Debug, InputObject)]
pub struct ImpactPreviewInput {
    /// The pipeline.
    pipeline_id: ID,
    /// The changed steps, each as a JSON document with its `kind`.
    steps: Vec<Value>,
    /// The field that says when a record happened; the pipeline's own without it, none if it is an
    /// empty text.
    time_field: Option<String>,
}

/// The result of `impactPreview`.
#[derive(Debug, SimpleObject)]
pub struct ImpactPreviewPayload {
    /// What the change would have done.
    impact: Option<Impact>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// What a change of a transform would have done to what came in during the last 24 hours. Both
/// transforms begin from nothing, as if nothing had come before.
#[derive(Debug, SimpleObject)]
pub struct Impact {
    /// How many events were looked at: the newest, at most 10,000.
    events: i32,
    /// Whether these are all that came in during the last 24 hours.
    complete: bool,
    /// How many would be what they are.
    unchanged: i32,
    /// How many would become other records.
    changed: i32,
    /// How many became records and would be left out.
    newly_dropped: i32,
    /// How many were left out and would become records.
    newly_stored: i32,
    /// How many would fail that did not.
    newly_failing: i32,
    /// How many failed and would not.
    mended: i32,
    /// Examples, at most 20 of each kind.
    examples: Vec<ImpactExample>,
    /// The fields that appear, disappear or hold something else.
    fields: Vec<ImpactField>,
    /// The widgets that use a field which disappears or holds something else.
    widgets: Vec<ImpactWidget>,
}

/// What a change makes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Effect")]
pub enum ImpactKind {
    /// The same as before.
    Unchanged,
    /// Other records.
    Changed,
    /// It is left out.
    NewlyDropped,
    /// It becomes records, and did not.
    NewlyStored,
    /// It fails, and did not.
    NewlyFailing,
    /// It does not fail any more.
    Mended,
}

/// An event, and what becomes of it before and after a change.
#[derive(Debug, SimpleObject)]
pub struct ImpactExample {
    /// What the change makes of it.
    kind: ImpactKind,
    /// When it came in.
    received_at: DateTime<Utc>,
    /// What came in.
    received: Value,
    /// What becomes of it now.
    before: ImpactSide,
    /// What would become of it.
    after: ImpactSide,
}

/// What becomes of an event.
#[derive(Debug, SimpleObject)]
pub struct ImpactSide {
    /// The records that are stored.
    records: Vec<Value>,
    /// Why it fails.
    error: Option<StepProblem>,
}

/// A field that appears, disappears or holds something else.
#[derive(Debug, SimpleObject)]
pub struct ImpactField {
    /// Where it is.
    path: String,
    /// What it holds now; null when it is not there.
    type_before: Option<FieldType>,
    /// What it would hold; null when it would not be there.
    type_after: Option<FieldType>,
    /// How many records have it now.
    records_before: i32,
    /// How many records would have it.
    records_after: i32,
}

/// A widget that a change would touch.
#[derive(Debug, SimpleObject)]
pub struct ImpactWidget {
    /// Its dashboard.
    dashboard_id: ID,
    /// The dashboard's name.
    dashboard_name: String,
    /// The widget.
    widget_id: ID,
    /// The widget's heading.
    title: String,
    /// The fields that it uses and that disappear or hold something else.
    fields: Vec<String>,
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl From<pipelines::Side> for ImpactSide {
    fn from(side: pipelines::Side) -> Self {
        Self {
            records: side.records,
            error: side.error.map(Into::into),
        }
    }
}

impl From<dashboards::WidgetUse> for ImpactWidget {
    fn from(of: dashboards::WidgetUse) -> Self {
        Self {
            dashboard_id: of.dashboard_id.to_string().into(),
            dashboard_name: of.dashboard_name,
            widget_id: of.widget_id.to_string().into(),
            title: of.title,
            fields: of.fields.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Impact {
    fn of(impact: pipelines::Impact, widgets: Vec<dashboards::WidgetUse>) -> Self {
        let count = |effect| number(impact.counts.get(&effect).copied().unwrap_or_default());
        let fields = impact.fields.into_iter();
        let examples = impact.examples.into_iter();
        Self {
            events: number(impact.events),
            complete: impact.complete,
            unchanged: count(Effect::Unchanged),
            changed: count(Effect::Changed),
            newly_dropped: count(Effect::NewlyDropped),
            newly_stored: count(Effect::NewlyStored),
            newly_failing: count(Effect::NewlyFailing),
            mended: count(Effect::Mended),
            examples: examples
                .map(|example| ImpactExample {
                    kind: example.effect.into(),
                    received_at: date_time(example.received_at_ms),
                    received: example.received,
                    before: example.before.into(),
                    after: example.after.into(),
                })
                .collect(),
            fields: fields
                .map(|field| ImpactField {
                    path: field.path.to_string(),
                    type_before: field.before.map(|(holds, _)| holds.into()),
                    type_after: field.after.map(|(holds, _)| holds.into()),
                    records_before: number(field.before.map_or(0, |(_, records)| records)),
                    records_after: number(field.after.map_or(0, |(_, records)| records)),
                })
                .collect(),
            widgets: widgets.into_iter().map(ImpactWidget::from).collect(),
        }
    }
}

#[derive(Debug, Default)]
pub struct ImpactQuery;

#[Object]
impl ImpactQuery {
    /// What a change of a pipeline's transform would have done to what it received during the last
    /// 24 hours, and which widgets it would touch. Nothing is stored.
    #[graphql(complexity = "500 + child_complexity")]
    async fn impact_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: ImpactPreviewInput,
    ) -> async_graphql::Result<ImpactPreviewPayload> {
        let (scope, services) = (scope(ctx)?, services(ctx)?);
        let steps = match read_steps(input.steps) {
            Ok(steps) => steps,
            Err(user_errors) => {
                return Ok(ImpactPreviewPayload {
                    impact: None,
                    user_errors,
                });
            }
        };
        let id = pipeline_id(&input.pipeline_id)?;
        let draft = Draft {
            steps,
            time_field: input.time_field,
        };
        let found = services.pipelines.impact(&scope, id, draft).await;
        let (found, user_errors) = payload(ctx, found)?;
        let Some(found) = found else {
            return Ok(ImpactPreviewPayload {
                impact: None,
                user_errors,
            });
        };
        // A field that only appears is nobody's yet.
        let touched: Vec<FieldPath> = found
            .fields
            .iter()
            .filter(|field| field.before.is_some())
            .map(|field| field.path.clone())
            .collect();
        let widgets = services.dashboards.uses_of(&scope, id, &touched).await;
        let widgets = widgets.map_err(|error| top_level(ctx, error))?;
        Ok(ImpactPreviewPayload {
            impact: Some(Impact::of(found, widgets)),
            user_errors,
        })
    }
}
