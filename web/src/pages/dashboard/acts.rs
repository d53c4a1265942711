//! What is done with a dashboard as a whole from its menu.

use cynic::MutationBuilder;
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::{board::Board, operations as op, tiles};
use crate::{api, components::use_toasts, session::use_session};

/// Saves the range that is looked at as the one that the dashboard opens with.
pub fn keep_range(board: Board) {
    let toasts = use_toasts();
    let input = op::UpdateDashboardInput {
        id: cynic::Id::new(board.id.get_value()),
        version: None,
        name: None,
        range: Some(tiles::range_input(board.range.get_untracked())),
        widgets: None,
    };
    spawn_local(async move {
        let variables = op::UpdateDashboardVariables { input };
        match api::run(op::UpdateDashboard::build(variables)).await {
            Ok(answer) => match (
                answer.update_dashboard.user_errors.first(),
                &answer.update_dashboard.dashboard,
            ) {
                (Some(error), _) => toasts.error(error.message.clone()),
                (None, Some(dashboard)) => {
                    board.show(dashboard);
                    toasts.success("The dashboard opens with this time range now.");
                }
                (None, None) => {}
            },
            Err(error) => toasts.api_error(&error),
        }
    });
}

/// Makes a copy of the dashboard and opens it.
pub fn duplicate(board: Board) {
    let (navigate, toasts, session) = (use_navigate(), use_toasts(), use_session());
    let name: String = format!("Copy of {}", board.name.get_untracked())
        .chars()
        .take(dash_shared::MAX_NAME_CHARS)
        .collect();
    let widgets: Vec<op::WidgetInput> = board.tiles.with_untracked(|tiles| {
        let input = |tile: &tiles::Tile| tile.definition.input(None, tile.position);
        tiles.iter().map(input).collect()
    });
    let range = tiles::range_input(board.own_range.get_untracked());
    spawn_local(async move {
        match copy(name, widgets, range).await {
            Ok(id) => {
                session.refresh_directory();
                toasts.success("This is the copy.");
                navigate(&format!("/dashboards/{id}"), NavigateOptions::default());
            }
            Err(message) => toasts.error(message),
        }
    });
}

async fn copy(
    name: String,
    widgets: Vec<op::WidgetInput>,
    range: op::TimeRangeInput,
) -> Result<String, String> {
    let input = op::CreateDashboardInput {
        name,
        pipeline_id: None,
    };
    let created = api::run(op::CreateDashboard::build(op::CreateDashboardVariables {
        input,
    }))
    .await
    .map_err(|error| error.message)?
    .create_dashboard;
    if let Some(error) = created.user_errors.first() {
        return Err(error.message.clone());
    }
    let id = created
        .dashboard
        .map(|dashboard| dashboard.id)
        .ok_or_else(|| api::ApiError::internal().message)?;
    let input = op::UpdateDashboardInput {
        id: id.clone(),
        version: None,
        name: None,
        range: Some(range),
        widgets: Some(widgets),
    };
    let filled = api::run(op::UpdateDashboard::build(op::UpdateDashboardVariables {
        input,
    }))
    .await
    .map_err(|error| error.message)?
    .update_dashboard;
    match filled.user_errors.first() {
        Some(error) => Err(error.message.clone()),
        None => Ok(id.into_inner()),
    }
}
