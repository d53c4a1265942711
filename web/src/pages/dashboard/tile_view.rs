//! One widget on the grid: its card and its menu. While the dashboard is being changed the tools add
//! their own (`hands`).

use dash_shared::widgets::{GRID_COLUMNS, WidgetKind};
use leptos::{ev::KeyboardEvent, prelude::*};

use super::{
    board::Board,
    canvas::{TileActs, drawn_place, offset_px},
    explore::Explored,
    gesture::Gestures,
    tiles::{Definition, Tile},
    widget_body::{WidgetBody, WidgetNote},
};
use crate::components::{Icon, Menu, MenuItem, line_chart::pick::PickedPoint};

/// A widget.
#[component]
pub fn TileView(
    /// The dashboard.
    board: Board,
    /// Which of its widgets.
    key_: u32,
    /// What the page does for it.
    acts: TileActs,
    /// How it is moved.
    gestures: Gestures,
    /// Whether the viewer may change the dashboard.
    may_edit: Signal<bool>,
) -> impl IntoView {
    let Some(first) = untrack(|| board.tile(key_)) else {
        return ().into_any();
    };
    // The last known state stays while the widget is on its way out.
    let tile = Memo::new(move |known: Option<&Tile>| {
        let known = known.unwrap_or(&first).clone();
        board.tile(key_).unwrap_or(known)
    });
    let definition = Memo::new(move |_| tile.with(|tile| tile.definition.clone()));
    let heading = Memo::new(move |_| definition.with(|definition| definition.title.clone()));
    let tools = move || board.editing.get().then(|| acts.toolbox.get()).flatten();
    let own_gesture = Memo::new(move |_| {
        gestures
            .current
            .with(|gesture| gesture.clone().filter(|gesture| gesture.key == key_))
    });
    let place = Memo::new(move |_| {
        let own = tile.with(|tile| tile.position);
        own_gesture.with(|gesture| drawn_place(gesture.as_ref(), own))
    });
    let px = move |index: usize| {
        own_gesture.with(|gesture| format!("{:.1}px", offset_px(gesture.as_ref())[index]))
    };
    let label = move || {
        let place = place.get();
        let heading = heading.get();
        if board.editing.get() {
            format!(
                "{heading}, column {}, row {}, {} wide, {} high. Arrow keys move it, with Shift \
                 they resize it, Enter edits it, Delete removes it.",
                place.x + 1,
                place.y + 1,
                place.w,
                place.h
            )
        } else {
            heading
        }
    };
    let on_key = move |event: KeyboardEvent| {
        // Keys pressed on a button inside belong to that button.
        let is_own = event.target() == event.current_target();
        if is_own && let Some(tools) = untrack(tools) {
            (tools.on_key)(board, key_, &event, acts.edit);
        }
    };
    let explore_point = move |point: PickedPoint| {
        let content = board.content(key_);
        let explored = content.with_untracked(|content| {
            definition.with_untracked(|widget| Explored::at_point(widget, content, &point))
        });
        if let Some(explored) = explored {
            acts.explore.run(explored);
        }
    };
    view! {
        <article
            class="tile card"
            class:is-stat=move || definition.with(is_stat)
            class:is-held=move || own_gesture.with(Option::is_some)
            style=("--x", move || place.get().x.to_string())
            style=("--y", move || place.get().y.to_string())
            style=("--w", move || place.get().w.to_string())
            style=("--h", move || place.get().h.to_string())
            style=("--order", move || tile.with(order))
            style=("--dx", move || px(0))
            style=("--dy", move || px(1))
            style=("--dw", move || px(2))
            style=("--dh", move || px(3))
            tabindex=move || board.editing.get().then_some("0")
            role="group"
            aria-label=label
            data-testid=move || format!("widget-{}", heading.get())
            data-kind=move || definition.with(kind_word)
            on:keydown=on_key
        >
            <header class="tile-head">
                <h3 title=heading>{heading}</h3>
                <WidgetNote definition content=board.content(key_)/>
                <TileMenu board key_ acts may_edit definition/>
            </header>
            <div class="tile-body">
                <WidgetBody
                    definition
                    content=board.content(key_)
                    range=board.range
                    on_open_record=acts.open_record
                    on_range=acts.choose_range
                    on_pick=explore_point
                />
            </div>
            {move || tools().map(|tools| (tools.handles)(gestures, key_))}
        </article>
    }
    .into_any()
}

#[component]
fn TileMenu(
    board: Board,
    key_: u32,
    acts: TileActs,
    may_edit: Signal<bool>,
    definition: Memo<Definition>,
) -> impl IntoView {
    let tools = move || board.editing.get().then(|| acts.toolbox.get()).flatten();
    let explore = move || {
        let range = board.range.get_untracked();
        acts.explore
            .run(definition.with_untracked(|widget| Explored::of(widget, range)));
    };
    let pipeline = move || {
        definition.with_untracked(|definition| format!("/pipelines/{}", definition.pipeline_id))
    };
    view! {
        <div class="tile-menu">
            <Menu label="Widget menu" test_id="widget-menu">
                <Show when=move || may_edit.get()>
                    <MenuItem icon=Icon::Edit on_click=move || acts.edit.run(key_) test_id="widget-edit">
                        "Edit widget"
                    </MenuItem>
                </Show>
                <MenuItem icon=Icon::Search on_click=explore test_id="widget-explore">
                    "Explore records"
                </MenuItem>
                <MenuItem icon=Icon::Pipelines href=pipeline()>"Open pipeline"</MenuItem>
                {move || tools().map(|tools| (tools.menu)(board, key_))}
            </Menu>
        </div>
    }
}

/// The widget's number in reading order.
fn order(tile: &Tile) -> String {
    (tile.position.y * GRID_COLUMNS + tile.position.x).to_string()
}

fn is_stat(definition: &Definition) -> bool {
    definition.kind == WidgetKind::Stat
}

fn kind_word(definition: &Definition) -> &'static str {
    match definition.kind {
        WidgetKind::Stat => "stat",
        WidgetKind::Line => "line",
        WidgetKind::Table => "table",
    }
}
