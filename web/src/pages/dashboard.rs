//! An open dashboard: it shows its widgets live, and lets people who may change them do so.
//!
//! `board` holds its state, `feed` brings the data, `canvas` draws it. What changes a dashboard is
//! `tools`: a dashboard is first looked at, so they are a part of their own that is fetched later.
//! The gallery uses some of these modules too (`operations`, `toolbox`).

mod acts;
mod board;
mod canvas;
mod conditions;
mod content;
pub mod dialogs;
mod editing_acts;
mod editor;
mod explore;
mod feed;
mod gesture;
mod hands;
mod history;
pub mod operations;
mod previews;
mod record_drawer;
mod saving;
mod tile_view;
pub mod tiles;
mod toolbar;
pub mod toolbox;
pub mod tools;
mod widget_body;

use dash_shared::ranges::TimeRange;
use leptos::{html::Div, prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_params_map, use_query_map},
};

use self::{
    board::{Board, Phase},
    canvas::{Canvas, TileActs},
    editor::Subject,
    explore::Explored,
    saving::Saving,
    toolbar::{Toolbar, ToolbarActs},
    toolbox::toolbox,
};
use crate::{
    api::accounts::Role,
    components::{
        Banner, Button, ButtonKind, Crumb, EmptyState, ErrorPanel, Icon, LiveDot, PageHead,
        Skeleton, Tone, record_table::OpenedRow,
    },
    parts::prefetch,
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
    let toolbox = toolbox();
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
    let edit = move |widget: Subject| {
        toolbox.open(move |_| {
            if !board.editing.get_untracked() {
                board.start_editing();
            }
            subject.set(Some(widget));
        });
    };
    let add_widget = Callback::new(move |()| edit(Subject::New));
    let toolbar_acts = ToolbarActs {
        toolbox,
        choose_range,
        add_widget,
        full_screen: Callback::new(move |()| {
            if let Some(screen) = screen.get_untracked() {
                drop(screen.request_fullscreen());
            }
        }),
        renaming,
        deleting,
    };
    let tile_acts = TileActs {
        toolbox,
        edit: Callback::new(move |key| edit(Subject::Existing(key))),
        open_record: Callback::new(move |row| opened.set(Some(row))),
        explore: Callback::new(move |records| explored.set(Some(records))),
        choose_range,
    };
    let navigate = use_navigate();
    let leave = Callback::new(move |_| navigate("/dashboards", NavigateOptions::default()));
    let renamed = Callback::new(move |dashboard| board.show(&dashboard));
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
        Phase::Ready => {
            prefetch::dashboard_when_idle();
            view! {
                <Show when=move || is_empty.get()>
                    <NothingYet may_edit add_widget/>
                </Show>
                <Canvas board acts=tile_acts may_edit/>
            }
            .into_any()
        }
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
        {toolbox.once(
            move || board.editing.get(),
            move |tools| (tools.workshop)(board, saving, subject),
        )}
        {toolbox.once(
            move || opened.with(Option::is_some),
            move |tools| (tools.record)(opened),
        )}
        {toolbox.once(
            move || explored.with(Option::is_some),
            move |tools| (tools.explore)(explored),
        )}
        {toolbox.once(
            move || renaming.with(Option::is_some),
            move |tools| (tools.rename)(renaming, renamed),
        )}
        {toolbox.once(
            move || deleting.with(Option::is_some),
            move |tools| (tools.delete)(deleting, leave),
        )}
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
