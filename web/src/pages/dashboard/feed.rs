//! Where the data of an open dashboard comes from: the live feed, and a question once in a while
//! for as long as the feed cannot be had.

use std::time::Duration;

use cynic::{QueryBuilder, SubscriptionBuilder};
use leptos::{prelude::*, task::spawn_local};

use super::{
    board::{Board, Phase},
    operations::{DashboardFeed, DashboardSnapshot, FeedVariables, SnapshotVariables},
    tiles,
};
use crate::{
    api::{self, ApiError},
    format::time_zone,
    live::{self, LiveState},
};

/// How long the feed may take before its data is asked for.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often it is asked for while there is no feed.
const POLL_EVERY: Duration = Duration::from_secs(15);

/// Feeds the board for as long as the current owner lives, anew for every range.
pub fn start(board: Board, chosen: Signal<Option<dash_shared::ranges::TimeRange>>) {
    let chosen = Memo::new(move |_| chosen.get());
    Effect::new(move |before: Option<()>| {
        let range = chosen.get().map(tiles::range_input);
        board.is_stale.set(before.is_some());
        let id = board.id.get_value();
        live::subscribe(
            move |after| {
                DashboardFeed::build(FeedVariables {
                    id: cynic::Id::new(&id),
                    range: range.clone(),
                    time_zone: time_zone(),
                    after,
                })
            },
            |event: &DashboardFeed| Some(event.dashboard.cursor.clone()),
            move |event| match event {
                Ok(event) => board.apply(event.dashboard),
                Err(error) => fail(board, error),
            },
        );
    });
    let is_without_feed = move || {
        let is_waiting = board.phase.with_untracked(|phase| *phase == Phase::Loading);
        is_waiting || untrack(live::state) != LiveState::Live
    };
    let ask = move || {
        if is_without_feed() {
            spawn_local(ask_once(board, chosen.get_untracked()));
        }
    };
    let patience = set_timeout_with_handle(ask, PATIENCE);
    let polling = set_interval_with_handle(ask, POLL_EVERY);
    on_cleanup(move || {
        if let Ok(patience) = patience {
            patience.clear();
        }
        if let Ok(polling) = polling {
            polling.clear();
        }
    });
}

/// Asks for everything once.
pub async fn ask_once(board: Board, chosen: Option<dash_shared::ranges::TimeRange>) {
    let Some(id) = board.id.try_get_value() else {
        return;
    };
    let variables = SnapshotVariables {
        id: cynic::Id::new(id),
        range: chosen.map(tiles::range_input),
        time_zone: time_zone(),
    };
    let answer = api::run(DashboardSnapshot::build(variables)).await;
    // The page may have been left meanwhile.
    if board.phase.is_disposed() {
        return;
    }
    match answer {
        Ok(snapshot) => board.apply(snapshot.dashboard_data),
        Err(error) => fail(board, error),
    }
}

/// A failure only takes the page when there is nothing to see on it yet.
fn fail(board: Board, error: ApiError) {
    let has_something = board.phase.with_untracked(|phase| *phase == Phase::Ready);
    if !has_something || error.code == api::ErrorCode::NotFound {
        board.phase.set(Phase::Failed(error));
    }
}
