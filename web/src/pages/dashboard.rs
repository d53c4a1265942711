//! An open dashboard: it shows its widgets live, and lets people who may change them do so.
//!
//! `board` holds its state, `feed` brings the data, `canvas` draws it; the modules below this one
//! are used by the gallery too where they name things (`operations`, `dialogs`).

mod board;
mod canvas;
mod conditions;
mod content;
pub mod dialogs;
mod editor;
mod explore;
mod feed;
mod gesture;
mod history;
pub mod operations;
mod previews;
mod record_drawer;
mod saving;
mod tile_view;
pub mod tiles;
mod toolbar;
mod widget_body;

use cynic::MutationBuilder;
use dash_shared::ranges::TimeRange;
use leptos::{html::Div, prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_params_map, use_query_map},
};

use self::{
    board::{Board, Phase},
    canvas::{Canvas, TileActs},
    dialogs::{DeleteDialog, RenameDialog},
    editor::{Editor, Subject},
    explore::{Explored, part::Explorer},
    operations as op,
    record_drawer::RecordDrawer,
    saving::{Saving, SavingDialogs},
    toolbar::{Toolbar, ToolbarActs},
};
use crate::{
    api::{self, accounts::Role},
    components::{
        Banner, Button, ButtonKind, Crumb, EmptyState, ErrorPanel, Icon, LiveDot, PageHead,
        Skeleton, Tone, record_table::OpenedRow, use_toasts,
    },
    session::use_session,
};

/// The page of the dashboard that its address names.
#[component]
pub fn DashboardPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    move || view! { <OpenDashboard id=id.get()/> }
}

#[component]
fn OpenDashboard(id: String) -> impl IntoView {
    let chosen = chosen_range();
    let board = Board::new(id, chosen);
    feed::start(board, chosen);
    previews::keep_fresh(board);
    let saving = Saving::new(board);
    let session = use_session();
    let may_edit = Signal::derive(move || {
        session
            .viewer()
            .is_some_and(|viewer| viewer.role != Role::Viewer)
    });
    let subject = RwSignal::new(None::<Subject>);
    let opened = RwSignal::new(None::<OpenedRow>);
    let explored = RwSignal::new(None::<Explored>);
    let renaming = RwSignal::new(None);
    let deleting = RwSignal::new(None);
    let screen = NodeRef::<Div>::new();

    let choose_range = choose_range(board);
    let add_widget = Callback::new(move |()| {
        if !board.editing.get_untracked() {
            board.start_editing();
        }
        subject.set(Some(Subject::New));
    });
    let toolbar_acts = ToolbarActs {
        choose_range,
        add_widget,
        full_screen: Callback::new(move |()| {
            if let Some(screen) = screen.get_untracked() {
                drop(screen.request_fullscreen());
            }
        }),
        keep_range: keep_range(board),
        duplicate: duplicate(board),
        renaming,
        deleting,
    };
    let tile_acts = TileActs {
        edit: Callback::new(move |key| subject.set(Some(Subject::Existing(key)))),
        open_record: Callback::new(move |row| opened.set(Some(row))),
        explore: Callback::new(move |records| explored.set(Some(records))),
        choose_range,
    };
    let navigate = use_navigate();
    let leave = move |_: String| {
        navigate("/dashboards", NavigateOptions::default());
    };
    let title = Signal::derive(move || board.name.get());
    let is_empty = Memo::new(move |_| board.tiles.with(Vec::is_empty));
    let phase = Memo::new(move |_| board.phase.get());
    let body = move || match phase.get() {
        Phase::Loading => view! { <Waiting/> }.into_any(),
        Phase::Failed(error) => view! {
            <ErrorPanel error on_retry=move || {
                board.phase.set(Phase::Loading);
                spawn_local(feed::ask_once(board, chosen.get_untracked()));
            }/>
        }
        .into_any(),
        Phase::Ready => view! {
            <Show when=move || is_empty.get()>
                <NothingYet may_edit add_widget/>
            </Show>
            <Canvas board acts=tile_acts may_edit/>
        }
        .into_any(),
    };
    view! {
        <PageHead title crumbs=vec![Crumb::new("Dashboards", "/dashboards")]>
            <Toolbar board saving acts=toolbar_acts may_edit/>
        </PageHead>
        <div class="page board" node_ref=screen data-testid="dashboard">
            <div class="board-screen-head">
                <h2 class="headline">{title}</h2>
                <LiveDot last_at_ms=board.last_record_ms/>
            </div>
            <Show when=move || board.is_outdated.get()>
                <Banner tone=Tone::Warn test_id="outdated">
                    "Somebody else just saved this dashboard. Saving yours will ask which to keep."
                </Banner>
            </Show>
            {body}
        </div>
        <Editor board subject/>
        <RecordDrawer opened/>
        <Explorer explored/>
        <SavingDialogs saving/>
        <RenameDialog
            target=renaming
            on_renamed=move |dashboard: op::Dashboard| board.show(&dashboard)
        />
        <DeleteDialog target=deleting on_deleted=leave/>
    }
}

/// The range that the address asks for: `?last=3600`, or `?from=…&to=…` in milliseconds.
fn chosen_range() -> Signal<Option<TimeRange>> {
    let query = use_query_map();
    Memo::new(move |_| {
        let number = |name: &str| {
            query.with(|query| query.get(name).and_then(|text| text.parse::<i64>().ok()))
        };
        let range = match (number("last"), number("from"), number("to")) {
            (Some(seconds), ..) => TimeRange::Last { seconds },
            (None, Some(from_ms), Some(to_ms)) => TimeRange::Between { from_ms, to_ms },
            _ => return None,
        };
        range.check().is_ok().then_some(range)
    })
    .into()
}

/// Puts a range into the address, so that it can be shared and gone back from; it is not saved.
fn choose_range(board: Board) -> Callback<TimeRange> {
    let navigate = use_navigate();
    Callback::new(move |range: TimeRange| {
        let path = format!("/dashboards/{}", board.id.get_value());
        let address = match range {
            range if range == board.own_range.get_untracked() => path,
            TimeRange::Last { seconds } => format!("{path}?last={seconds}"),
            TimeRange::Between { from_ms, to_ms } => format!("{path}?from={from_ms}&to={to_ms}"),
        };
        let options = NavigateOptions {
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate(&address, options);
    })
}

/// Saves the range that is looked at as the one that the dashboard opens with.
fn keep_range(board: Board) -> Callback<()> {
    let toasts = use_toasts();
    Callback::new(move |()| {
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
    })
}

/// Makes a copy of the dashboard and opens it.
fn duplicate(board: Board) -> Callback<()> {
    let (navigate, toasts, session) = (use_navigate(), use_toasts(), use_session());
    Callback::new(move |()| {
        let navigate = navigate.clone();
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
    })
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

/// The layout of most dashboards in grey, while it is not known what is on this one.
#[component]
fn Waiting() -> impl IntoView {
    let stat = || {
        view! {
            <div class="card board-waiting-stat">
                <Skeleton width="40%" height="14px"/>
                <Skeleton width="60%" height="30px"/>
            </div>
        }
    };
    view! {
        <div class="board-waiting" aria-busy="true" aria-label="Loading the dashboard">
            {stat()} {stat()} {stat()} {stat()}
            <div class="card board-waiting-line"><Skeleton width="160px" height="14px"/></div>
            <div class="card board-waiting-line"><Skeleton width="120px" height="14px"/></div>
        </div>
    }
}

/// An invitation to put the first widget on.
#[component]
fn NothingYet(may_edit: Signal<bool>, add_widget: Callback<()>) -> impl IntoView {
    view! {
        <EmptyState
            icon=Icon::Dashboards
            title="No widgets yet"
            text="A widget shows the records of a pipeline: as a figure, as lines over time, or as a table."
            test_id="dashboard-empty"
        >
            <Show when=move || may_edit.get()>
                <Button
                    kind=ButtonKind::Primary
                    icon=Icon::Plus
                    on_click=add_widget
                    test_id="add-first-widget"
                >
                    "Add widget"
                </Button>
            </Show>
        </EmptyState>
    }
}
