//! The demo: one pipeline with the web shop's orders, and a dashboard for it, in one act.

use dash_shared::ids::{PipelineId, WidgetId};
use dash_shared::widgets::{Aggregate, GridPosition, TrendMeaning, Widget, WidgetKind};

use super::{Dashboard, Dashboards, DashboardsError};
use crate::accounts::TenantScope;
use crate::pipelines::{NewPipeline, NewSource, Pipeline};

impl Dashboards {
    /// Makes the demo's pipeline and dashboard; both move at once.
    pub async fn start_demo(
        &self,
        scope: &TenantScope,
    ) -> Result<(Pipeline, Dashboard), DashboardsError> {
        let new = NewPipeline {
            name: "Demo shop orders".to_owned(),
            source: NewSource::Demo { seed: None },
            steps: Vec::new(),
            time_field: Some("time".to_owned()),
        };
        let pipeline = self.pipelines.create(scope, new).await?;
        let dashboard = self
            .insert(scope, "Demo web shop".to_owned(), widgets(pipeline.id)?)
            .await?;
        Ok((pipeline, dashboard))
    }
}

fn widgets(pipeline_id: PipelineId) -> Result<Vec<Widget>, DashboardsError> {
    let path = |text: &str| {
        text.parse()
            .map_err(|error| DashboardsError::Damaged(format!("demo: {error}")))
    };
    let plain = |title: &str, kind, x, y, w, h| Widget {
        id: WidgetId::new(),
        kind,
        title: title.to_owned(),
        pipeline_id,
        position: GridPosition { x, y, w, h },
        aggregate: Aggregate::Count,
        field: None,
        group_by: None,
        filters: Vec::new(),
        columns: Vec::new(),
        unit: String::new(),
        decimals: None,
        trend_meaning: TrendMeaning::UpIsGood,
        color: 1,
    };
    let stat = |title, x| plain(title, WidgetKind::Stat, x, 0, 3, 2);
    let columns = [
        "order",
        "customer",
        "city",
        "product",
        "total_eur",
        "status",
        "time",
    ];
    Ok(vec![
        Widget {
            aggregate: Aggregate::Sum,
            field: Some(path("total_eur")?),
            unit: "€".to_owned(),
            decimals: Some(0),
            ..stat("Revenue", 0)
        },
        Widget {
            color: 2,
            ..stat("Orders", 3)
        },
        Widget {
            aggregate: Aggregate::Avg,
            field: Some(path("total_eur")?),
            unit: "€".to_owned(),
            decimals: Some(2),
            color: 5,
            ..stat("Average order", 6)
        },
        Widget {
            aggregate: Aggregate::Avg,
            field: Some(path("checkout_ms")?),
            unit: "ms".to_owned(),
            decimals: Some(0),
            trend_meaning: TrendMeaning::UpIsBad,
            color: 4,
            ..stat("Checkout time", 9)
        },
        Widget {
            aggregate: Aggregate::Sum,
            field: Some(path("total_eur")?),
            group_by: Some(path("channel")?),
            unit: "€".to_owned(),
            decimals: Some(0),
            ..plain("Revenue by channel", WidgetKind::Line, 0, 2, 8, 4)
        },
        Widget {
            group_by: Some(path("status")?),
            color: 3,
            ..plain("Orders by status", WidgetKind::Line, 8, 2, 4, 4)
        },
        Widget {
            columns: columns.into_iter().map(path).collect::<Result<_, _>>()?,
            ..plain("Latest orders", WidgetKind::Table, 0, 6, 12, 5)
        },
    ])
}
