//! Dashboards: grids of widgets over pipelines, and what the widgets show, live.
//!
//! It owns the table `dashboards`; a dashboard with its widgets is one document, changed as a whole
//! and guarded by its version. Figures come from the record store's feeds.

mod demo;
mod documents;
mod entity;
mod live;
mod uses;
mod widget_data;

use dash_shared::Invalid;
use dash_shared::ids::{DashboardId, TeamId};
use dash_shared::ranges::TimeRange;
use dash_shared::widgets::Widget;
use sea_orm::DbErr;

use crate::accounts::Forbidden;
use crate::clock::Clock;
use crate::data::RecordStore;
use crate::db::Db;
use crate::events::Events;
use crate::pipelines::{Pipelines, PipelinesError};

pub use documents::{DashboardChanges, DashboardPage};
use live::Followers;
pub use live::{DashboardUpdate, FollowedDashboard, View};
pub use uses::WidgetUse;
pub use widget_data::{TableColumn, TableRow, WidgetData};

/// A dashboard.
#[derive(Clone, Debug, PartialEq)]
pub struct Dashboard {
    /// Its id.
    pub id: DashboardId,
    /// The team that owns it.
    pub team_id: TeamId,
    /// Its name.
    pub name: String,
    /// How often it was changed, from 1.
    pub version: i32,
    /// The time range that its widgets show.
    pub range: TimeRange,
    /// The widgets.
    pub widgets: Vec<Widget>,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
    /// When it was changed, in milliseconds since 1970.
    pub updated_at_ms: i64,
}

/// Why something could not be done with a dashboard.
#[derive(Debug, thiserror::Error)]
pub enum DashboardsError {
    /// The input has problems that the caller can fix.
    #[error("the input is invalid")]
    Invalid(Vec<Invalid>),
    /// There is no such dashboard in the scope.
    #[error("there is no such dashboard")]
    NotFound,
    /// Somebody else changed it in the meantime.
    #[error("the dashboard has version {current} by now")]
    Conflict {
        /// The version it has.
        current: i32,
    },
    /// The scope's role does not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The pipelines failed.
    #[error(transparent)]
    Pipelines(#[from] PipelinesError),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// A stored definition cannot be read back.
    #[error("a stored dashboard is damaged: {0}")]
    Damaged(String),
}

/// The dashboards. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Dashboards {
    db: Db,
    clock: Clock,
    store: RecordStore,
    pipelines: Pipelines,
    events: Events,
    followers: Followers,
}

impl Dashboards {
    /// The dashboards in this database.
    pub fn new(
        db: Db,
        clock: Clock,
        store: RecordStore,
        pipelines: Pipelines,
        events: Events,
    ) -> Self {
        Self {
            db,
            clock,
            store,
            pipelines,
            events,
            followers: Followers::default(),
        }
    }
}
