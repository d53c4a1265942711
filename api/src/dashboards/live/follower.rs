//! The task behind a followed dashboard: one for all of a team who look at it in the same range. It
//! gathers what the feeds tell, and reads the definition again when that may have changed.

use std::sync::Arc;
use std::time::Duration;

use dash_shared::ids::DashboardId;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use super::shown::{Screen, Shown};
use super::{Deletion, View, Watched};
use crate::accounts::TenantScope;
use crate::dashboards::{Dashboards, DashboardsError, WidgetData};
use crate::data::FeedValue;
use crate::events::Event;

/// How long the first message waits for widgets that are still being counted.
const FIRST_WAIT: Duration = Duration::from_millis(300);
/// The shortest time between two messages.
const MIN_PERIOD: Duration = Duration::from_millis(50);

type Values = watch::Receiver<Option<Arc<FeedValue>>>;

pub(super) struct Follower {
    pub(super) dashboards: Dashboards,
    /// Of whoever came first. It finds what is the team's, and that is the same for all of them.
    pub(super) scope: TenantScope,
    pub(super) id: DashboardId,
    pub(super) view: View,
    pub(super) shown: watch::Sender<Option<Arc<Shown>>>,
}

impl Follower {
    /// Works until the dashboard is deleted or cannot be read.
    pub(super) async fn run(self, mut changes: broadcast::Receiver<Event>) {
        let Some((mut watched, mut deletion)) = self.look().await else {
            return;
        };
        let mut screen = Screen::new(&watched.dashboard);
        loop {
            screen.define(&watched.dashboard);
            tokio::select! {
                () = self.show(&watched, &mut screen) => {}
                () = changed(&mut changes, self.id) => {}
                () = &mut deletion => {}
            }
            // The feeds run on until those of the new definition are there.
            let Some(again) = self.look().await else {
                return;
            };
            (watched, deletion) = again;
        }
    }

    async fn look(&self) -> Option<(Watched, Deletion)> {
        let found = self.dashboards.watch(&self.scope, self.id, self.view);
        match found.await {
            Ok(found) => Some(found),
            Err(DashboardsError::NotFound) => None,
            Err(error) => {
                tracing::error!(%error, "a dashboard that is followed cannot be read");
                None
            }
        }
    }

    /// Shows what the feeds tell, for as long as the definition stays. Never ends.
    async fn show(&self, watched: &Watched, screen: &mut Screen) {
        let mut values = FuturesUnordered::new();
        for (index, (widget, feed)) in watched.widgets.iter().enumerate() {
            match feed {
                None => screen.show(index, WidgetData::no_pipeline(widget.id), None),
                Some(feed) => values.push(next_value(index, feed.values())),
            }
        }
        let take = |screen: &mut Screen, index: usize, value: &FeedValue| {
            if let Some((widget, _)) = watched.widgets.get(index) {
                let data = WidgetData::of(widget, value);
                screen.show(index, data, value.last_received_at_ms);
            }
        };
        // The first message waits a little until all widgets have something to show, the later
        // ones take what is there.
        let mut deadline = Instant::now();
        if screen.is_incomplete() {
            deadline += FIRST_WAIT;
        }
        loop {
            while screen.is_incomplete() || deadline <= Instant::now() {
                let Ok(Some((index, value, rest))) =
                    tokio::time::timeout_at(deadline, values.next()).await
                else {
                    break;
                };
                take(screen, index, &value);
                values.push(next_value(index, rest));
            }
            if let Some(shown) = screen.publish() {
                self.shown.send_replace(Some(Arc::new(shown)));
                tokio::time::sleep(MIN_PERIOD).await;
            }
            // Wait for the next change, however long; with no live widget there is none.
            let Some((index, value, rest)) = values.next().await else {
                return std::future::pending().await;
            };
            take(screen, index, &value);
            values.push(next_value(index, rest));
            deadline = Instant::now();
        }
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
