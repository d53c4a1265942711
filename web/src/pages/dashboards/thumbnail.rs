//! A small picture of a dashboard: its widgets where they stand, each drawn as what it is.

use dash_shared::layout;
use leptos::prelude::*;

use crate::pages::dashboard::{
    operations::{Dashboard, Widget, WidgetKind},
    tiles::Tile,
};

/// The picture's size in units of a grid column.
const WIDTH: i32 = 240;
const HEIGHT: i32 = 132;
/// One column, and one row, of the grid.
const COLUMN: i32 = 20;
const ROW: i32 = 15;
const GAP: i32 = 3;

/// Draws the widgets.
#[component]
pub fn Thumbnail(
    /// The dashboard.
    dashboard: Dashboard,
) -> impl IntoView {
    let tiles: Vec<Tile> = dashboard
        .widgets
        .iter()
        .map(|widget| Tile::of(widget, 0))
        .collect();
    let positions: Vec<_> = tiles.iter().map(|tile| tile.position).collect();
    // A short dashboard stands in the middle, a long one is cut off at the bottom.
    let used = layout::used_rows(&positions) * ROW - GAP;
    let top = ((HEIGHT - used) / 2).max(0);
    let shapes = dashboard
        .widgets
        .iter()
        .map(|widget| {
            let (x, y) = (widget.position.x * COLUMN, top + widget.position.y * ROW);
            let (w, h) = (
                widget.position.w * COLUMN - GAP,
                widget.position.h * ROW - GAP,
            );
            view! {
                <g transform=format!("translate({x} {y})")>
                    <rect class="thumbnail-tile" width=w height=h rx="3"></rect>
                    {picture(widget, w, h)}
                </g>
            }
        })
        .collect_view();
    view! {
        <div class="thumbnail">
            <svg
                viewBox=format!("0 0 {} {HEIGHT}", WIDTH - GAP)
                preserveAspectRatio="xMidYMin slice"
                aria-hidden="true"
            >
                {shapes}
            </svg>
        </div>
    }
}

fn picture(widget: &Widget, w: i32, h: i32) -> AnyView {
    let color = format!("var(--c{})", widget.color);
    match widget.kind {
        WidgetKind::Stat => view! {
            <rect class="thumbnail-ink" x="5" y="5" width=(w / 3).max(8) height="2.5" rx="1.25"></rect>
            <rect class="thumbnail-figure" x="5" y="10.5" width=(w / 2).max(10) height="6" rx="1.5"></rect>
            <path
                class="thumbnail-line"
                style:stroke=color
                d=wave(w / 2, w - 5, h - 9, 5)
            ></path>
        }
        .into_any(),
        WidgetKind::Line => view! {
            <rect class="thumbnail-ink" x="5" y="5" width=(w / 4).max(10) height="2.5" rx="1.25"></rect>
            <path class="thumbnail-line" style:stroke=color d=wave(5, w - 5, h - 9, h / 2)></path>
        }
        .into_any(),
        WidgetKind::Table => {
            let rows = (0..(h - 12) / 6)
                .map(|row| {
                    let y = 12 + row * 6;
                    view! {
                        <rect class="thumbnail-ink" x="5" y=y width=w / 4 height="2" rx="1"></rect>
                        <rect class="thumbnail-ink" x=w / 3 + 4 y=y width=w / 5 height="2" rx="1"></rect>
                        <rect class="thumbnail-ink" x=w - 5 - w / 8 y=y width=w / 8 height="2" rx="1"></rect>
                    }
                })
                .collect_view();
            view! {
                <rect class="thumbnail-ink" x="5" y="5" width=(w / 5).max(10) height="2.5" rx="1.25"></rect>
                {rows}
            }
            .into_any()
        }
    }
}

/// A line that rises from left to right with some ups and downs.
fn wave(left: i32, right: i32, bottom: i32, height: i32) -> String {
    const SHARES: [i32; 9] = [20, 35, 25, 48, 40, 66, 58, 82, 95];
    let steps = i32::try_from(SHARES.len()).unwrap_or(i32::MAX) - 1;
    let points = (0..).zip(SHARES).map(|(index, share)| {
        let x = left + (right - left) * index / steps;
        let y = bottom + 4 - height * share / 100;
        format!("{x} {y}")
    });
    format!("M{}", points.collect::<Vec<_>>().join("L"))
}
