//! Following a dashboard: its definition and what all its widgets show, first whole, then only what
//! changed. Every message carries the whole state of what it names, so one that is missed is made
//! good by the next: after a lost connection there is neither gap nor duplicate.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use dash_shared::ids::{DashboardId, WidgetId};
use dash_shared::ranges::TimeRange;
use dash_shared::widgets::Widget;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;

use super::widget_data::{WidgetData, query};
use super::{Dashboard, Dashboards, DashboardsError};
use crate::accounts::TenantScope;
use crate::data::{Asked, Feed, FeedValue};
use crate::events::Event;

/// How long the first message waits for widgets that are still being counted.
const FIRST_WAIT: Duration = Duration::from_millis(300);
/// The shortest time between two messages.
const MIN_PERIOD: Duration = Duration::from_millis(50);

/// A message about a dashboard.
#[derive(Clone, Debug, PartialEq)]
pub struct DashboardUpdate {
    /// Names the state after this message; to resume with.
    pub cursor: String,
    /// The definition, when it is not the one that the reader has.
    pub dashboard: Option<Dashboard>,
    /// What the widgets show that changed.
    pub data: Vec<WidgetData>,
    /// When the newest record of any widget's pipeline came in, in milliseconds since 1970.
    pub last_received_at_ms: Option<i64>,
}

type Values = watch::Receiver<Option<Arc<FeedValue>>>;

/// The widgets of one version of a dashboard, with their feeds.
struct Watched {
    dashboard: Dashboard,
    widgets: Vec<(Widget, Option<Arc<Feed>>)>,
}

/// Ends when one of the watched pipelines is deleted.
type Deletion = BoxFuture<'static, ()>;

impl Dashboards {
    async fn watch(
        &self,
        scope: &TenantScope,
        id: DashboardId,
        range: Option<TimeRange>,
    ) -> Result<(Watched, Deletion), DashboardsError> {
        let dashboard = self.get(scope, id).await?;
        let ids: Vec<_> = dashboard
            .widgets
            .iter()
            .map(|widget| widget.pipeline_id)
            .collect();
        let deletion = self.pipelines.deletion_of(ids.clone()).boxed();
        let existing = self.pipelines.existing(scope, &ids).await?;
        let range = range.unwrap_or(dashboard.range);
        let widgets = dashboard.widgets.iter().map(|widget| {
            let exists = existing.contains(&widget.pipeline_id);
            let feed = exists.then(|| self.store.feed(asked(widget, range)));
            (widget.clone(), feed)
        });
        let widgets = widgets.collect();
        Ok((Watched { dashboard, widgets }, deletion))
    }

    /// The whole state of a dashboard, once.
    pub async fn data(
        &self,
        scope: &TenantScope,
        id: DashboardId,
        range: Option<TimeRange>,
    ) -> Result<DashboardUpdate, DashboardsError> {
        check_range(range)?;
        let (watched, _) = self.watch(scope, id, range).await?;
        let mut data = Vec::with_capacity(watched.widgets.len());
        let mut last_received_at_ms = None;
        for (widget, feed) in &watched.widgets {
            data.push(match feed {
                None => WidgetData::no_pipeline(widget.id),
                Some(feed) => {
                    let value = feed.current().await;
                    last_received_at_ms = last_received_at_ms.max(value.last_received_at_ms);
                    WidgetData::of(widget, &value)
                }
            });
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
    ) -> Result<WidgetData, DashboardsError> {
        check_range(Some(range))?;
        let problems = widget.check();
        if !problems.is_empty() {
            return Err(DashboardsError::Invalid(problems));
        }
        self.pipelines.get(scope, widget.pipeline_id).await?;
        let feed = self.store.feed(asked(widget, range));
        Ok(WidgetData::of(widget, &*feed.current().await))
    }

    /// Follows a dashboard until the receiver is dropped or the dashboard is deleted. With the cursor
    /// of an earlier message, a definition that has not changed since is not repeated.
    pub async fn follow(
        &self,
        scope: TenantScope,
        id: DashboardId,
        range: Option<TimeRange>,
        after: Option<String>,
    ) -> Result<mpsc::Receiver<DashboardUpdate>, DashboardsError> {
        check_range(range)?;
        let changes = self.events.follow_definitions();
        let watched = self.watch(&scope, id, range).await?;
        // One message may wait: a slow reader makes the follower wait, and then gets the newest
        // state instead of everything in between.
        let (sender, receiver) = mpsc::channel(1);
        let follower = Follower {
            dashboards: self.clone(),
            scope,
            id,
            range,
            sender,
        };
        tokio::spawn(async move {
            let sender = follower.sender.clone();
            tokio::select! {
                () = sender.closed() => {}
                () = follower.run(watched, changes, after) => {}
            }
        });
        Ok(receiver)
    }
}

fn cursor(dashboard: &Dashboard) -> String {
    format!("v{}", dashboard.version)
}

/// What a widget asks, in the days of UTC.
fn asked(widget: &Widget, range: TimeRange) -> Asked {
    Asked {
        query: query(widget),
        range,
        zone: chrono_tz::Tz::UTC,
    }
}

fn check_range(range: Option<TimeRange>) -> Result<(), DashboardsError> {
    range.map_or(Ok(()), |range| {
        range
            .check()
            .map_err(|problem| DashboardsError::Invalid(vec![problem]))
    })
}

struct Follower {
    dashboards: Dashboards,
    scope: TenantScope,
    id: DashboardId,
    range: Option<TimeRange>,
    sender: mpsc::Sender<DashboardUpdate>,
}

impl Follower {
    async fn run(
        self,
        (mut watched, mut deletion): (Watched, Deletion),
        mut changes: broadcast::Receiver<Event>,
        after: Option<String>,
    ) {
        let mut known = after;
        loop {
            let version = cursor(&watched.dashboard);
            let repeat = known.as_deref() != Some(version.as_str());
            tokio::select! {
                () = self.send_data(&watched, repeat) => return,
                () = changed(&mut changes, self.id) => {}
                () = &mut deletion => {}
            }
            known = Some(version);
            match self
                .dashboards
                .watch(&self.scope, self.id, self.range)
                .await
            {
                Ok(again) => (watched, deletion) = again,
                Err(DashboardsError::NotFound) => return,
                Err(error) => {
                    tracing::error!(%error, "a dashboard that is followed cannot be read");
                    return;
                }
            }
        }
    }

    /// Sends what the widgets show, for as long as the definition stays; ends when the reader is
    /// gone.
    async fn send_data(&self, watched: &Watched, with_definition: bool) {
        let mut pending = FuturesUnordered::new();
        let mut shown = Shown::default();
        for (index, (widget, feed)) in watched.widgets.iter().enumerate() {
            match feed {
                None => shown.unsent.push(WidgetData::no_pipeline(widget.id)),
                Some(feed) => pending.push(next_value(index, feed.values())),
            }
        }
        let mut definition = with_definition.then(|| watched.dashboard.clone());
        let live = pending.len();
        // The first message waits a little until all widgets have something to show, the later
        // ones take what is there.
        let mut deadline = Instant::now() + FIRST_WAIT;
        loop {
            while shown.sent.len() < live || deadline <= Instant::now() {
                let Ok(Some((index, value, values))) =
                    tokio::time::timeout_at(deadline, pending.next()).await
                else {
                    break;
                };
                shown.take(watched, index, &value);
                pending.push(next_value(index, values));
            }
            if definition.is_some() || !shown.unsent.is_empty() {
                let update = DashboardUpdate {
                    cursor: cursor(&watched.dashboard),
                    dashboard: definition.take(),
                    data: std::mem::take(&mut shown.unsent),
                    last_received_at_ms: shown.last_received_at_ms,
                };
                if self.sender.send(update).await.is_err() {
                    return;
                }
                tokio::time::sleep(MIN_PERIOD).await;
            }
            // Wait for the next change, however long; with no live widget there is none.
            let Some((index, value, values)) = pending.next().await else {
                return std::future::pending().await;
            };
            shown.take(watched, index, &value);
            pending.push(next_value(index, values));
            deadline = Instant::now();
        }
    }
}

/// What the reader has been shown, and what is about to be sent.
#[derive(Default)]
struct Shown {
    sent: HashMap<usize, WidgetData>,
    unsent: Vec<WidgetData>,
    last_received_at_ms: Option<i64>,
}

impl Shown {
    fn take(&mut self, watched: &Watched, index: usize, value: &FeedValue) {
        let Some((widget, _)) = watched.widgets.get(index) else {
            return;
        };
        self.last_received_at_ms = self.last_received_at_ms.max(value.last_received_at_ms);
        let data = WidgetData::of(widget, value);
        if self.sent.get(&index) != Some(&data) {
            self.sent.insert(index, data.clone());
            replace(&mut self.unsent, data);
        }
    }
}

/// Of two states of one widget only the newer one is sent.
fn replace(data: &mut Vec<WidgetData>, shown: WidgetData) {
    let id = widget_id(&shown);
    data.retain(|earlier| widget_id(earlier) != id);
    data.push(shown);
}

const fn widget_id(data: &WidgetData) -> WidgetId {
    match data {
        WidgetData::Stat { widget_id, .. }
        | WidgetData::Line { widget_id, .. }
        | WidgetData::Table { widget_id, .. }
        | WidgetData::Failure { widget_id, .. } => *widget_id,
    }
}

async fn next_value(index: usize, mut values: Values) -> (usize, Arc<FeedValue>, Values) {
    loop {
        if values.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        let value = values.borrow_and_update().clone();
        if let Some(value) = value {
            return (index, value, values);
        }
    }
}

async fn changed(changes: &mut broadcast::Receiver<Event>, id: DashboardId) {
    loop {
        match changes.recv().await {
            Ok(Event::DashboardChanged(other)) if other == id => return,
            Ok(Event::Missed) | Err(broadcast::error::RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
