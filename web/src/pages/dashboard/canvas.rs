//! The grid that the widgets stand on. `styles/dashboards.css` turns places into pixels; on phones
//! it puts the widgets below each other instead.

use dash_shared::{
    layout,
    ranges::TimeRange,
    widgets::{GRID_COLUMNS, GridPosition},
};
use leptos::{html::Div, prelude::*};

use super::{
    board::{Board, positions},
    explore::Explored,
    gesture::{Act, Gesture, Gestures},
    tile_view::TileView,
    toolbox::Toolbox,
};
use crate::components::record_table::OpenedRow;

/// The columns of the grid.
pub const COLUMNS: i32 = GRID_COLUMNS;
/// The space between widgets; the stylesheet says the same.
pub const GAP_PX: f64 = 16.0;
/// From row to row: 76 px and a gap; the stylesheet says the same.
pub const ROW_PITCH_PX: f64 = 92.0;

/// What a person can want of a widget that the page as a whole has to do.
#[derive(Clone, Copy)]
pub struct TileActs {
    /// What the dashboard is changed with.
    pub toolbox: Toolbox,
    /// Begins to change the dashboard, unless it is being changed, and opens the editor of a widget.
    pub edit: Callback<u32>,
    /// Shows a whole record of a pipeline.
    pub open_record: Callback<OpenedRow>,
    /// Shows the records behind a widget, or a point of it.
    pub explore: Callback<Explored>,
    /// Looks at another range.
    pub choose_range: Callback<TimeRange>,
}

/// All widgets.
#[component]
pub fn Canvas(
    /// The dashboard.
    board: Board,
    /// What the page does for a widget.
    acts: TileActs,
    /// Whether the viewer may change the dashboard.
    #[prop(into)]
    may_edit: Signal<bool>,
) -> impl IntoView {
    let node = NodeRef::<Div>::new();
    let gestures = Gestures::new(board, node);
    let rows = Memo::new(move |_| {
        board
            .tiles
            .with(|tiles| layout::used_rows(&positions(tiles)))
    });
    // The order in the page stays while widgets are moved, or the one that is moved would lose
    // the keyboard; on phones the stylesheet puts them in order.
    let keys = Memo::new(move |_| {
        board
            .tiles
            .with(|tiles| tiles.iter().map(|tile| tile.key).collect::<Vec<_>>())
    });
    let shadow = Memo::new(move |_| {
        let key = gestures
            .current
            .with(|gesture| gesture.as_ref().map(|gesture| gesture.key))?;
        board.tile(key).map(|tile| tile.position)
    });
    view! {
        <div
            class="canvas"
            class:is-editing=move || board.editing.get()
            class:is-stale=move || board.is_stale.get()
            class:is-busy=move || gestures.current.with(Option::is_some)
            style=("--rows", move || rows.get().to_string())
            node_ref=node
            data-testid="canvas"
        >
            {move || shadow.get().map(|place| view! { <Shadow place/> })}
            <For
                each=move || keys.get()
                key=|key| *key
                children=move |key| {
                    view! { <TileView board key_=key acts gestures may_edit/> }
                }
            />
            <p class="visually-hidden" role="status" aria-live="polite">{board.announcement}</p>
        </div>
    }
}

/// Where the widget under the pointer would come to stand.
#[component]
fn Shadow(place: GridPosition) -> impl IntoView {
    view! {
        <div
            class="tile-shadow"
            style=("--x", place.x.to_string())
            style=("--y", place.y.to_string())
            style=("--w", place.w.to_string())
            style=("--h", place.h.to_string())
        ></div>
    }
}

/// Where a widget is drawn: while it is moved or resized, where it was, plus what the pointer did.
pub fn drawn_place(gesture: Option<&Gesture>, own: GridPosition) -> GridPosition {
    gesture.map_or(own, |gesture| gesture.origin)
}

/// How far a widget is drawn from its place, and how much larger, in pixels.
pub fn offset_px(gesture: Option<&Gesture>) -> [f64; 4] {
    match gesture {
        Some(Gesture {
            act: Act::Move,
            by_px: (x, y),
            ..
        }) => [*x, *y, 0.0, 0.0],
        Some(Gesture {
            act: Act::Resize,
            by_px: (x, y),
            ..
        }) => [0.0, 0.0, *x, *y],
        None => [0.0; 4],
    }
}
