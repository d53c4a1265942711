//! Following a dashboard: its definition and what all its widgets show, first whole, then only what
//! changed. Every message carries the whole state of what it names, so one that is missed is made
//! good by the next: after a lost connection there is neither gap nor duplicate.

use std::sync::Arc;

use chrono_tz::Tz;
use dash_shared::ids::{DashboardId, TeamId};
use dash_shared::ranges::TimeRange;
use dash_shared::widgets::Widget;
use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::watch;

use super::widget_data::{WidgetData, query};
use super::{Dashboard, Dashboards, DashboardsError};
use crate::accounts::TenantScope;
use crate::data::{Asked, Feed};
use crate::running::{Joined, Running};

mod follower;
mod shown;

use follower::Follower;
use shown::{Place, Shown, cursor};

/// How somebody looks at a dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// Another time range than the dashboard's own.
    pub range: Option<TimeRange>,
    /// Whose days the buckets of widgets follow.
    pub zone: Tz,
}

/// A message about a dashboard.
#[derive(Clone, Debug, PartialEq)]
pub struct DashboardUpdate {
    /// Names the state after this message; to resume with.
    pub cursor: String,
    /// The definition, when it is not the one that the reader has.
    pub dashboard: Option<Arc<Dashboard>>,
    /// What the widgets show that changed.
    pub data: Vec<Arc<WidgetData>>,
    /// When the newest record of any widget's pipeline came in, in milliseconds since 1970.
    pub last_received_at_ms: Option<i64>,
}

/// What followers tell their readers: the newest moment. A slow reader misses those before it.
type Moments = watch::Receiver<Option<Arc<Shown>>>;

/// The dashboards that are followed. Whoever looks at the same one of a team in the same range
/// shares a follower.
#[derive(Clone, Debug, Default)]
pub(super) struct Followers(Running<(TeamId, DashboardId, View), Moments>);

/// The widgets of one version of a dashboard, with their feeds.
struct Watched {
    dashboard: Arc<Dashboard>,
    widgets: Vec<(Widget, Option<Arc<Joined<Feed>>>)>,
}

/// Ends when one of the watched pipelines is deleted.
type Deletion = BoxFuture<'static, ()>;

impl Dashboards {
    async fn watch(
        &self,
        scope: &TenantScope,
        id: DashboardId,
        view: View,
    ) -> Result<(Watched, Deletion), DashboardsError> {
        let dashboard = self.get(scope, id).await?;
        let ids: Vec<_> = dashboard
            .widgets
            .iter()
            .map(|widget| widget.pipeline_id)
            .collect();
        let deletion = self.pipelines.deletion_of(ids.clone()).boxed();
        let existing = self.pipelines.existing(scope, &ids).await?;
        let range = view.range.unwrap_or(dashboard.range);
        let widgets = dashboard.widgets.iter().map(|widget| {
            let exists = existing.contains(&widget.pipeline_id);
            let feed = exists.then(|| self.store.feed(asked(widget, range, view.zone)));
            (widget.clone(), feed)
        });
        let widgets = widgets.collect();
        let dashboard = Arc::new(dashboard);
        Ok((Watched { dashboard, widgets }, deletion))
    }

    /// The whole state of a dashboard, once.
    pub async fn data(
        &self,
        scope: &TenantScope,
        id: DashboardId,
        view: View,
    ) -> Result<DashboardUpdate, DashboardsError> {
        check_range(view.range)?;
        let (watched, _) = self.watch(scope, id, view).await?;
        let mut data = Vec::with_capacity(watched.widgets.len());
        let mut last_received_at_ms = None;
        for (widget, feed) in &watched.widgets {
            data.push(Arc::new(match feed {
                None => WidgetData::no_pipeline(widget.id),
                Some(feed) => {
                    let value = feed.current().await;
                    last_received_at_ms = last_received_at_ms.max(value.last_received_at_ms);
                    WidgetData::of(widget, &value)
                }
            }));
        }
        Ok(DashboardUpdate {
            cursor: cursor(&watched.dashboard),
            dashboard: Some(watched.dashboard),
            data,
            last_received_at_ms,
        })
    }

    /// What a widget would show.
    pub async fn preview(
        &self,
        scope: &TenantScope,
        widget: &Widget,
        range: TimeRange,
        zone: Tz,
    ) -> Result<WidgetData, DashboardsError> {
        check_range(Some(range))?;
        let problems = widget.check();
        if !problems.is_empty() {
            return Err(DashboardsError::Invalid(problems));
        }
        self.pipelines.get(scope, widget.pipeline_id).await?;
        let feed = self.store.feed(asked(widget, range, zone));
        Ok(WidgetData::of(widget, &*feed.current().await))
    }

    /// Follows a dashboard until it is deleted. With the cursor of an earlier message, a definition
    /// that has not changed since is not repeated.
    pub async fn follow(
        &self,
        scope: TenantScope,
        id: DashboardId,
        view: View,
        after: Option<String>,
    ) -> Result<FollowedDashboard, DashboardsError> {
        check_range(view.range)?;
        // Everybody is asked whether they may look, also where a follower runs already.
        self.get(&scope, id).await?;
        let key = (scope.team_id(), id, view);
        let follower = self.followers.0.join(key, |_| {
            // Listening begins before reading, so that no change falls between the two.
            let changes = self.events.follow_definitions();
            let (shown, moments) = watch::channel(None);
            let dashboards = self.clone();
            let follower = Follower {
                dashboards,
                scope,
                id,
                view,
                shown,
            };
            (moments, follower.run(changes))
        });
        let mut moments = Moments::clone(&follower);
        moments.mark_changed();
        Ok(FollowedDashboard {
            moments,
            place: Place::first(after),
            _follower: follower,
        })
    }
}

/// A dashboard as one reader follows it.
#[derive(Debug)]
pub struct FollowedDashboard {
    moments: Moments,
    place: Place,
    _follower: Arc<Joined<Moments>>,
}

impl FollowedDashboard {
    /// The next message, once there is one: everything that changed since the last one, as it is
    /// now. None when there will be no more. Readers in step get the very same message.
    pub async fn next(&mut self) -> Option<Arc<DashboardUpdate>> {
        loop {
            self.moments.changed().await.ok()?;
            let shown = self.moments.borrow_and_update().clone();
            let update = shown.and_then(|shown| shown.tell(&mut self.place));
            if update.is_some() {
                return update;
            }
        }
    }
}

/// What a widget asks.
fn asked(widget: &Widget, range: TimeRange, zone: Tz) -> Asked {
    Asked {
        query: query(widget),
        range,
        zone,
    }
}

fn check_range(range: Option<TimeRange>) -> Result<(), DashboardsError> {
    range.map_or(Ok(()), |range| {
        range
            .check()
            .map_err(|problem| DashboardsError::Invalid(vec![problem]))
    })
}
