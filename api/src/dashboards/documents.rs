//! Creating, changing and finding dashboards, always within a scope.

use std::collections::BTreeSet;

use dash_shared::accounts::Role;
use dash_shared::fields::sample_fields;
use dash_shared::ids::{DashboardId, PipelineId, WidgetId};
use dash_shared::ranges::TimeRange;
use dash_shared::widgets::{TrendMeaning, Widget, check_widgets, suggest_widgets};
use dash_shared::{Invalid, InvalidCode, check_name};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

use super::entity::{self, to_json};
use super::{Dashboard, Dashboards, DashboardsError};
use crate::accounts::TenantScope;
use crate::events::Event;
use crate::pipelines::PipelinesError;

/// How many of a pipeline's newest records a suggestion looks at.
const SAMPLE_RECORDS: u64 = 100;

/// Changes to a dashboard; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct DashboardChanges {
    /// The version that was changed: when there is another one by now, nothing is changed.
    pub version: Option<i32>,
    /// A new name.
    pub name: Option<String>,
    /// A new time range.
    pub range: Option<TimeRange>,
    /// All widgets; those that are left out are removed.
    pub widgets: Option<Vec<Widget>>,
}

/// A page of dashboards, the newest first.
#[derive(Clone, Debug)]
pub struct DashboardPage {
    /// The dashboards.
    pub dashboards: Vec<Dashboard>,
    /// Whether there are older ones.
    pub has_more: bool,
    /// How many there are in all.
    pub total: u64,
}

impl Dashboards {
    /// Makes a dashboard: with suggested widgets for a pipeline, or an empty one.
    pub async fn create(
        &self,
        scope: &TenantScope,
        name: &str,
        pipeline_id: Option<PipelineId>,
    ) -> Result<Dashboard, DashboardsError> {
        scope.require(Role::Editor)?;
        let name = check_name("name", "dashboard", name)
            .map_err(|problem| DashboardsError::Invalid(vec![problem]))?;
        let widgets = match pipeline_id {
            None => Vec::new(),
            Some(id) => self.suggest(scope, id).await?,
        };
        self.insert(scope, name, widgets).await
    }

    async fn suggest(
        &self,
        scope: &TenantScope,
        pipeline_id: PipelineId,
    ) -> Result<Vec<Widget>, DashboardsError> {
        self.pipelines
            .get(scope, pipeline_id)
            .await
            .map_err(|error| match error {
                PipelinesError::NotFound => {
                    DashboardsError::Invalid(vec![no_pipeline("pipelineId")])
                }
                other => other.into(),
            })?;
        let sample = self
            .store
            .sample(pipeline_id, SAMPLE_RECORDS)
            .await
            .map_err(PipelinesError::from)?;
        let fields = sample_fields(sample.iter().map(|record| &*record.fields));
        let widgets = suggest_widgets(&fields)
            .into_iter()
            .map(|suggested| Widget {
                id: WidgetId::new(),
                kind: suggested.kind,
                title: suggested.title,
                pipeline_id,
                position: suggested.position,
                aggregate: suggested.aggregate,
                field: suggested.field,
                group_by: suggested.group_by,
                filters: Vec::new(),
                columns: suggested.columns,
                unit: String::new(),
                decimals: None,
                trend_meaning: TrendMeaning::Neutral,
                color: suggested.color,
            });
        Ok(widgets.collect())
    }

    pub(super) async fn insert(
        &self,
        scope: &TenantScope,
        name: String,
        widgets: Vec<Widget>,
    ) -> Result<Dashboard, DashboardsError> {
        let now_ms = self.clock.now_ms();
        let row = entity::ActiveModel {
            id: Set(DashboardId::new().uuid()),
            team_id: Set(scope.team_id().uuid()),
            name: Set(name),
            version: Set(1),
            range: Set(to_json(&TimeRange::DEFAULT)?),
            widgets: Set(to_json(&widgets)?),
            created_at_ms: Set(now_ms),
            updated_at_ms: Set(now_ms),
        };
        let transaction = self.db.begin_write().await?;
        let dashboard = row.insert(&*transaction).await?.try_into()?;
        transaction.commit().await?;
        Ok(dashboard)
    }

    /// Changes a dashboard; its version counts up, and those who look at it are told.
    pub async fn update(
        &self,
        scope: &TenantScope,
        id: DashboardId,
        changes: DashboardChanges,
    ) -> Result<Dashboard, DashboardsError> {
        scope.require(Role::Editor)?;
        let mut problems = Vec::new();
        let name = match changes
            .name
            .as_deref()
            .map(|name| check_name("name", "dashboard", name))
        {
            None => None,
            Some(Ok(name)) => Some(name),
            Some(Err(problem)) => {
                problems.push(problem);
                None
            }
        };
        if let Some(range) = &changes.range {
            problems.extend(range.check().err());
        }
        if let Some(widgets) = &changes.widgets {
            problems.extend(check_widgets(widgets));
            problems.extend(self.check_pipelines(scope, id, widgets).await?);
        }
        if !problems.is_empty() {
            return Err(DashboardsError::Invalid(problems));
        }
        // Read within the transaction: nobody changes it between the comparison and the write.
        let transaction = self.db.begin_write().await?;
        let row = find_row(scope, id)
            .lock_exclusive()
            .one(&*transaction)
            .await?
            .ok_or(DashboardsError::NotFound)?;
        let current = row.version;
        if changes.version.is_some_and(|version| version != current) {
            return Err(DashboardsError::Conflict { current });
        }
        let mut row = row.into_active_model();
        if let Some(name) = name {
            row.name = Set(name);
        }
        if let Some(range) = &changes.range {
            row.range = Set(to_json(range)?);
        }
        if let Some(widgets) = &changes.widgets {
            row.widgets = Set(to_json(widgets)?);
        }
        row.version = Set(current + 1);
        row.updated_at_ms = Set(self.clock.now_ms());
        let dashboard = row.update(&*transaction).await?.try_into()?;
        let event = Event::DashboardChanged(id);
        self.events.announce(&*transaction, &event).await?;
        transaction.commit().await?;
        self.events.tell(event);
        Ok(dashboard)
    }

    /// A widget's pipeline must be the team's; one that was deleted since may stay as it was.
    async fn check_pipelines(
        &self,
        scope: &TenantScope,
        id: DashboardId,
        widgets: &[Widget],
    ) -> Result<Vec<Invalid>, DashboardsError> {
        let ids: BTreeSet<_> = widgets.iter().map(|widget| widget.pipeline_id).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let mut known = self.pipelines.existing(scope, &ids).await?;
        if known.len() < ids.len() {
            let before = self.get(scope, id).await?;
            known.extend(before.widgets.iter().map(|widget| widget.pipeline_id));
        }
        Ok(widgets
            .iter()
            .enumerate()
            .filter(|(_, widget)| !known.contains(&widget.pipeline_id))
            .map(|(index, _)| no_pipeline(&format!("widgets.{index}.pipelineId")))
            .collect())
    }

    /// Deletes a dashboard; its pipelines and their records stay.
    pub async fn delete(
        &self,
        scope: &TenantScope,
        id: DashboardId,
    ) -> Result<(), DashboardsError> {
        scope.require(Role::Editor)?;
        self.get(scope, id).await?;
        let transaction = self.db.begin_write().await?;
        entity::Entity::delete_by_id(id.uuid())
            .exec(&*transaction)
            .await?;
        let event = Event::DashboardChanged(id);
        self.events.announce(&*transaction, &event).await?;
        transaction.commit().await?;
        self.events.tell(event);
        Ok(())
    }

    /// Finds a dashboard.
    pub async fn find(
        &self,
        scope: &TenantScope,
        id: DashboardId,
    ) -> Result<Option<Dashboard>, DashboardsError> {
        find_row(scope, id)
            .one(self.db.orm())
            .await?
            .map(Dashboard::try_from)
            .transpose()
    }

    /// Finds a dashboard that has to be there.
    pub async fn get(
        &self,
        scope: &TenantScope,
        id: DashboardId,
    ) -> Result<Dashboard, DashboardsError> {
        self.find(scope, id).await?.ok_or(DashboardsError::NotFound)
    }

    /// A page of the team's dashboards, the newest first, beginning after the dashboard `after`.
    pub async fn list(
        &self,
        scope: &TenantScope,
        after: Option<DashboardId>,
        first: u64,
    ) -> Result<DashboardPage, DashboardsError> {
        let all = entity::Entity::find()
            .filter(entity::Column::TeamId.eq(scope.team_id().uuid()))
            .order_by_desc(entity::Column::Id);
        let total = all.clone().count(self.db.orm()).await?;
        let page = match after {
            Some(after) => all.filter(entity::Column::Id.lt(after.uuid())),
            None => all,
        };
        let rows = page.limit(first + 1).all(self.db.orm()).await?;
        let has_more = rows.len() as u64 > first;
        let dashboards = rows
            .into_iter()
            .take(usize::try_from(first).unwrap_or(usize::MAX))
            .map(Dashboard::try_from)
            .collect::<Result<_, _>>()?;
        Ok(DashboardPage {
            dashboards,
            has_more,
            total,
        })
    }
}

fn find_row(scope: &TenantScope, id: DashboardId) -> sea_orm::Select<entity::Entity> {
    entity::Entity::find_by_id(id.uuid()).filter(entity::Column::TeamId.eq(scope.team_id().uuid()))
}

fn no_pipeline(field: &str) -> Invalid {
    Invalid::new(
        field,
        InvalidCode::Invalid,
        "There is no such pipeline. Choose another one.",
    )
}
