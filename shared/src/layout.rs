//! How widgets make room for each other on the grid: moving, resizing, pushing down and closing
//! gaps. Pure: positions go in by index, positions come out in the same order.
//!
//! Widgets fall upwards. Whatever is done, the result has no overlap, stays within the grid and
//! keeps the size of every widget that was not resized.

use crate::widgets::{GRID_COLUMNS, GridPosition, MAX_GRID_ROWS, WidgetKind};

/// A way to go on the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards the first row; a widget becomes lower in height.
    Up,
    /// Away from the first row; a widget becomes taller.
    Down,
    /// Towards the first column; a widget becomes narrower.
    Left,
    /// Away from the first column; a widget becomes wider.
    Right,
}

impl Direction {
    /// The step in columns and rows.
    pub const fn step(self) -> (i32, i32) {
        match self {
            Self::Up => (0, -1),
            Self::Down => (0, 1),
            Self::Left => (-1, 0),
            Self::Right => (1, 0),
        }
    }
}

/// The smallest size, in columns and rows, at which a kind of widget can be read.
pub const fn smallest_size(kind: WidgetKind) -> (i32, i32) {
    match kind {
        WidgetKind::Stat => (2, 2),
        WidgetKind::Line | WidgetKind::Table => (3, 3),
    }
}

/// The size, in columns and rows, of a new widget.
pub const fn usual_size(kind: WidgetKind) -> (i32, i32) {
    match kind {
        WidgetKind::Stat => (3, 2),
        WidgetKind::Line => (8, 4),
        WidgetKind::Table => (12, 5),
    }
}

/// The place brought into the grid: at least `smallest` and at most as large as the grid.
pub fn fitted(place: GridPosition, smallest: (i32, i32)) -> GridPosition {
    let w = place
        .w
        .clamp(smallest.0.clamp(1, GRID_COLUMNS), GRID_COLUMNS);
    let h = place
        .h
        .clamp(smallest.1.clamp(1, MAX_GRID_ROWS), MAX_GRID_ROWS);
    GridPosition {
        x: place.x.clamp(0, GRID_COLUMNS - w),
        y: place.y.clamp(0, MAX_GRID_ROWS - h),
        w,
        h,
    }
}

/// The rows that the widgets take up.
pub fn used_rows(layout: &[GridPosition]) -> i32 {
    layout
        .iter()
        .map(|place| place.y + place.h)
        .max()
        .unwrap_or(0)
}

/// The widgets' indices in the order in which a person reads them: by row, then by column.
pub fn reading_order(layout: &[GridPosition]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..layout.len()).collect();
    order.sort_by_key(|index| (layout[*index].y, layout[*index].x));
    order
}

/// Closes the gaps above the widgets.
pub fn compact(layout: &[GridPosition]) -> Vec<GridPosition> {
    settle(layout, &reading_order(layout)).unwrap_or_else(|| layout.to_vec())
}

/// The layout with one widget at a new place, or of a new size; what is in its way goes down.
///
/// A widget takes the row of another one when it is dragged past that one's middle, so that two
/// of different height do not swap back and forth. Without room for all, nothing changes.
pub fn place(layout: &[GridPosition], index: usize, to: GridPosition) -> Vec<GridPosition> {
    let Some(from) = layout.get(index).copied() else {
        return layout.to_vec();
    };
    let to = fitted(to, (1, 1));
    // Twice the row, so that the middle of an odd height is whole.
    let edge = 2 * if to.y > from.y { to.y + to.h } else { to.y };
    let mut order = reading_order(layout);
    order.retain(|other| *other != index);
    let after = order.iter().rposition(|other| {
        let place = layout[*other];
        let shares_columns = place.x < to.x + to.w && to.x < place.x + place.w;
        shares_columns && 2 * place.y + place.h < edge + i32::from(to.y > from.y)
    });
    order.insert(after.map_or(0, |at| at + 1), index);
    let mut wanted = layout.to_vec();
    wanted[index] = to;
    settle(&wanted, &order).unwrap_or_else(|| layout.to_vec())
}

/// Moves a widget one step that can be seen, as an arrow key does: it passes the widget that
/// stands in the way. At the edge of the grid nothing changes.
pub fn nudge(layout: &[GridPosition], index: usize, direction: Direction) -> Vec<GridPosition> {
    let Some(from) = layout.get(index).copied() else {
        return layout.to_vec();
    };
    let (step_x, step_y) = direction.step();
    for distance in 1..=used_rows(layout).max(1) {
        let to = GridPosition {
            x: from.x + step_x * distance,
            y: from.y + step_y * distance,
            ..from
        };
        if to != fitted(to, (1, 1)) {
            break;
        }
        let moved = place(layout, index, to);
        if moved[index] != from {
            return moved;
        }
    }
    layout.to_vec()
}

/// Makes a widget one cell larger or smaller at its right or lower edge.
pub fn stretch(
    layout: &[GridPosition],
    index: usize,
    direction: Direction,
    smallest: (i32, i32),
) -> Vec<GridPosition> {
    let Some(from) = layout.get(index).copied() else {
        return layout.to_vec();
    };
    let (step_w, step_h) = direction.step();
    let to = GridPosition {
        w: (from.w + step_w).min(GRID_COLUMNS - from.x),
        h: (from.h + step_h).min(MAX_GRID_ROWS - from.y),
        ..from
    };
    place(layout, index, fitted(to, smallest))
}

/// Lets a widget change places with the one before it (`Up`) or after it (`Down`) in reading
/// order, as on a phone, where widgets stand in one column.
pub fn reorder(layout: &[GridPosition], index: usize, direction: Direction) -> Vec<GridPosition> {
    let order = reading_order(layout);
    let Some(at) = order.iter().position(|other| *other == index) else {
        return layout.to_vec();
    };
    let neighbour = match direction {
        Direction::Up | Direction::Left => at.checked_sub(1),
        Direction::Down | Direction::Right => Some(at + 1),
    };
    let Some(&other) = neighbour.and_then(|at| order.get(at)) else {
        return layout.to_vec();
    };
    let (first, second) = if neighbour < Some(at) {
        (other, index)
    } else {
        (index, other)
    };
    let (a, b) = (layout[first], layout[second]);
    let mut wanted = layout.to_vec();
    if a.y == b.y {
        wanted[second].x = a.x;
        wanted[first].x = (a.x + b.w).min(GRID_COLUMNS - a.w);
    } else if (a.w, a.h) == (b.w, b.h) {
        wanted.swap(first, second);
    }
    if wanted[first] == a {
        return place(layout, second, GridPosition { y: a.y, ..b });
    }
    settle(&wanted, &reading_order(&wanted)).unwrap_or_else(|| layout.to_vec())
}

/// Puts the widgets down one after the other in this order: each as far up as it falls from its
/// own row, or further down where that is taken. `None` when the grid has no room left.
fn settle(layout: &[GridPosition], order: &[usize]) -> Option<Vec<GridPosition>> {
    let mut settled = layout.to_vec();
    let mut placed: Vec<GridPosition> = Vec::with_capacity(order.len());
    for &index in order {
        let mut place = layout[index];
        let blocked = |place: &GridPosition| placed.iter().find(|other| other.overlaps(place));
        while let Some(other) = blocked(&place) {
            place.y = other.y + other.h;
        }
        while place.y > 0 {
            let above = GridPosition {
                y: place.y - 1,
                ..place
            };
            if blocked(&above).is_some() {
                break;
            }
            place = above;
        }
        if place.y + place.h > MAX_GRID_ROWS {
            return None;
        }
        placed.push(place);
        settled[index] = place;
    }
    Some(settled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(x: i32, y: i32, w: i32, h: i32) -> GridPosition {
        GridPosition { x, y, w, h }
    }

    /// Two figures beside each other, a line over both, a table below.
    fn usual() -> Vec<GridPosition> {
        vec![
            at(0, 0, 3, 2),
            at(3, 0, 3, 2),
            at(0, 2, 12, 4),
            at(0, 6, 12, 5),
        ]
    }

    #[test]
    fn gaps_close_upwards() {
        assert_eq!(
            compact(&[at(0, 5, 3, 2), at(2, 9, 4, 1), at(6, 20, 1, 1)]),
            [at(0, 0, 3, 2), at(2, 2, 4, 1), at(6, 0, 1, 1)]
        );
        assert_eq!(compact(&usual()), usual());
    }

    #[test]
    fn a_widget_pushes_others_down() {
        assert_eq!(
            place(&usual(), 0, at(3, 0, 3, 2)),
            [
                at(3, 0, 3, 2),
                at(3, 2, 3, 2),
                at(0, 4, 12, 4),
                at(0, 8, 12, 5)
            ]
        );
    }

    #[test]
    fn what_is_dragged_above_all_stands_first() {
        assert_eq!(
            place(&usual(), 3, at(0, 0, 12, 5)),
            [
                at(0, 5, 3, 2),
                at(3, 5, 3, 2),
                at(0, 7, 12, 4),
                at(0, 0, 12, 5)
            ]
        );
    }

    #[test]
    fn a_widget_trades_rows_past_the_middle_of_another() {
        let tall = [at(0, 0, 12, 2), at(0, 2, 12, 4)];
        assert_eq!(place(&tall, 0, at(0, 1, 12, 2)), tall);
        let traded = [at(0, 4, 12, 2), at(0, 0, 12, 4)];
        assert_eq!(place(&tall, 0, at(0, 2, 12, 2)), traded);
        assert_eq!(place(&tall, 1, at(0, 1, 12, 4)), traded);
    }

    #[test]
    fn a_widget_that_grows_pushes_its_neighbour_down() {
        assert_eq!(
            place(&usual(), 0, at(0, 0, 4, 2)),
            [
                at(0, 0, 4, 2),
                at(3, 2, 3, 2),
                at(0, 4, 12, 4),
                at(0, 8, 12, 5)
            ]
        );
    }

    #[test]
    fn an_arrow_key_moves_a_widget_past_what_is_in_its_way() {
        let check = |index, direction, expected: GridPosition| {
            let moved = nudge(&usual(), index, direction);
            assert_eq!(moved[index], expected, "{index} {direction:?}");
        };
        check(0, Direction::Left, at(0, 0, 3, 2));
        check(0, Direction::Up, at(0, 0, 3, 2));
        check(0, Direction::Right, at(1, 0, 3, 2));
        check(2, Direction::Up, at(0, 0, 12, 4));
        check(2, Direction::Down, at(0, 7, 12, 4));
        check(3, Direction::Up, at(0, 2, 12, 5));
        check(3, Direction::Down, at(0, 6, 12, 5));
    }

    #[test]
    fn an_arrow_key_resizes_within_the_grid() {
        let check = |index, direction, expected: GridPosition| {
            let resized = stretch(&usual(), index, direction, (3, 2));
            assert_eq!(resized[index], expected, "{index} {direction:?}");
        };
        check(0, Direction::Left, at(0, 0, 3, 2));
        check(0, Direction::Up, at(0, 0, 3, 2));
        check(0, Direction::Right, at(0, 0, 4, 2));
        check(0, Direction::Down, at(0, 0, 3, 3));
        check(2, Direction::Right, at(0, 2, 12, 4));
        check(2, Direction::Left, at(0, 2, 11, 4));
    }

    #[test]
    fn widgets_change_places_in_reading_order() {
        let order_after = |index, direction| reading_order(&reorder(&usual(), index, direction));
        assert_eq!(order_after(1, Direction::Up), [1, 0, 2, 3]);
        assert_eq!(order_after(0, Direction::Down), [1, 0, 2, 3]);
        assert_eq!(order_after(2, Direction::Down), [0, 1, 3, 2]);
        assert_eq!(order_after(3, Direction::Down), [0, 1, 2, 3]);
        assert_eq!(order_after(0, Direction::Up), [0, 1, 2, 3]);
    }

    #[test]
    fn a_full_grid_refuses() {
        let full = [at(0, 0, 12, MAX_GRID_ROWS - 1), at(0, 199, 12, 1)];
        assert_eq!(place(&full, 1, at(0, 0, 12, 2)), full);
    }

    fn any_place() -> impl Strategy<Value = GridPosition> {
        (-2..14, -2..30, 1..14, 1..9).prop_map(|(x, y, w, h)| at(x, y, w, h))
    }

    fn assert_sound(layout: &[GridPosition]) {
        for (index, place) in layout.iter().enumerate() {
            assert_eq!(*place, fitted(*place, (1, 1)));
            for other in &layout[..index] {
                assert!(!place.overlaps(other), "{layout:?}");
            }
        }
        assert_eq!(compact(layout), layout);
    }

    proptest! {
        #[test]
        fn no_move_makes_an_overlap(
            places in prop::collection::vec(any_place(), 1..12),
            moves in prop::collection::vec((any::<prop::sample::Index>(), any_place(), 0..3), 1..12),
        ) {
            let fit: Vec<_> = places.into_iter().map(|place| fitted(place, (1, 1))).collect();
            let mut layout = compact(&fit);
            for (index, to, how) in moves {
                let index = index.index(layout.len());
                let before = layout.clone();
                layout = match how {
                    0 => place(&layout, index, to),
                    1 => nudge(&layout, index, Direction::Down),
                    _ => reorder(&layout, index, Direction::Up),
                };
                assert_sound(&layout);
                for (other, (was, is)) in before.iter().zip(&layout).enumerate() {
                    if other != index {
                        prop_assert_eq!((was.w, was.h), (is.w, is.h));
                    }
                }
            }
        }
    }
}
