//! The state of an open dashboard: its widgets, their data, the range that is looked at, and the
//! changes that are not saved yet. Everything is a signal of its own, so that new data of one
//! widget redraws that widget and nothing else.

use std::collections::HashMap;

use dash_shared::{layout, ranges::TimeRange, widgets};
use leptos::prelude::*;

use super::{
    content::{self, Content},
    history::History,
    operations as op,
    tiles::{self, Definition, Tile},
};
use crate::api::ApiError;

/// A way through the history: from the present state to another one.
type Way = fn(&mut History<Vec<Tile>>, Vec<Tile>) -> Option<Vec<Tile>>;

/// How far the dashboard is.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Nothing has come yet.
    Loading,
    /// It can be seen.
    Ready,
    /// It cannot be shown.
    Failed(ApiError),
}

/// An open dashboard.
#[derive(Clone, Copy)]
pub struct Board {
    /// Its global id.
    pub id: StoredValue<String>,
    /// How far it is.
    pub phase: RwSignal<Phase>,
    /// Its name.
    pub name: RwSignal<String>,
    /// The version that `saved` is.
    pub version: RwSignal<i32>,
    /// The range that it is saved with.
    pub own_range: RwSignal<TimeRange>,
    /// The range that is looked at.
    pub range: Signal<TimeRange>,
    /// Its widgets as they are seen, with changes that are not saved.
    pub tiles: RwSignal<Vec<Tile>>,
    /// Whether it is being changed.
    pub editing: RwSignal<bool>,
    /// Whether somebody else saved a newer version while it is being changed here.
    pub is_outdated: RwSignal<bool>,
    /// Whether what is seen is of another range than the one chosen.
    pub is_stale: RwSignal<bool>,
    /// When the newest record came in.
    pub last_record_ms: RwSignal<Option<i64>>,
    /// What is read to those who cannot see what just moved.
    pub announcement: RwSignal<String>,
    saved: RwSignal<Vec<Tile>>,
    history: RwSignal<History<Vec<Tile>>>,
    contents: StoredValue<HashMap<u32, ArcRwSignal<Content>>>,
}

impl Board {
    /// A dashboard of which only the id is known. `chosen` is the range that the viewer wants
    /// instead of the dashboard's own.
    pub fn new(id: String, chosen: Signal<Option<TimeRange>>) -> Self {
        let own_range = RwSignal::new(TimeRange::DEFAULT);
        Self {
            id: StoredValue::new(id),
            phase: RwSignal::new(Phase::Loading),
            name: RwSignal::new(String::new()),
            version: RwSignal::new(0),
            own_range,
            range: Memo::new(move |_| chosen.get().unwrap_or(own_range.get())).into(),
            tiles: RwSignal::new(Vec::new()),
            editing: RwSignal::new(false),
            is_outdated: RwSignal::new(false),
            is_stale: RwSignal::new(false),
            last_record_ms: RwSignal::new(None),
            announcement: RwSignal::new(String::new()),
            saved: RwSignal::new(Vec::new()),
            history: RwSignal::new(History::default()),
            contents: StoredValue::new(HashMap::new()),
        }
    }

    /// The data of a widget.
    pub fn content(self, key: u32) -> ArcRwSignal<Content> {
        self.contents
            .try_update_value(|contents| contents.entry(key).or_default().clone())
            .unwrap_or_default()
    }

    /// The widget with this key; tracked.
    pub fn tile(self, key: u32) -> Option<Tile> {
        self.tiles
            .with(|tiles| tiles.iter().find(|tile| tile.key == key).cloned())
    }

    /// Takes in what the API sent: the dashboard when it changed, and data.
    pub fn apply(self, update: op::DashboardUpdate) {
        if let Some(dashboard) = update.dashboard {
            if self.editing.get_untracked() {
                let is_newer = dashboard.version > self.version.get_untracked();
                self.is_outdated.set(is_newer);
            } else {
                self.show(&dashboard);
            }
        }
        for (id, content) in update.data.into_iter().filter_map(content::of_data) {
            self.apply_data(id.inner(), content);
        }
        if let Some(at) = update.last_record_at {
            self.last_record_ms.set(Some(at.ms()));
        }
        self.is_stale.set(false);
        self.phase.set(Phase::Ready);
    }

    /// Shows a dashboard as it is saved. Widgets that are shown already stay where they are in
    /// the page and keep their data.
    pub fn show(self, dashboard: &op::Dashboard) {
        let known = self.tiles.get_untracked();
        let key_of = |id: &str| {
            let known = known.iter().find(|tile| tile.id.as_deref() == Some(id));
            known.map_or_else(tiles::next_key, |tile| tile.key)
        };
        let shown: Vec<Tile> = dashboard
            .widgets
            .iter()
            .map(|widget| Tile::of(widget, key_of(widget.id.inner())))
            .collect();
        self.take_over(dashboard, shown);
    }

    /// Shows a dashboard that was just saved from here: its widgets are the ones on the page,
    /// and those that were new have an id now.
    pub fn show_saved(self, dashboard: &op::Dashboard) {
        let tiles = self.tiles.get_untracked();
        if tiles.len() != dashboard.widgets.len() {
            self.show(dashboard);
            return;
        }
        let shown = dashboard
            .widgets
            .iter()
            .zip(&tiles)
            .map(|(widget, tile)| Tile::of(widget, tile.key))
            .collect();
        self.take_over(dashboard, shown);
    }

    fn take_over(self, dashboard: &op::Dashboard, mut shown: Vec<Tile>) {
        // Screen readers and the Tab key go through the page in its order.
        shown.sort_by_key(|tile| (tile.position.y, tile.position.x));
        self.contents.update_value(|contents| {
            contents.retain(|key, _| shown.iter().any(|tile| tile.key == *key));
        });
        self.name.set(dashboard.name.clone());
        self.version.set(dashboard.version);
        let range = tiles::range_of(&dashboard.range);
        if self.own_range.get_untracked() != range {
            self.own_range.set(range);
        }
        self.saved.set(shown.clone());
        if self.tiles.with_untracked(|tiles| *tiles != shown) {
            self.tiles.set(shown);
        }
        self.is_outdated.set(false);
    }

    /// Data of a widget whose definition was changed here is of the old definition.
    fn apply_data(self, id: &str, content: Content) {
        let is_of = |tile: &&Tile| tile.id.as_deref() == Some(id);
        let Some(tile) = self
            .tiles
            .with_untracked(|tiles| tiles.iter().find(is_of).cloned())
        else {
            return;
        };
        let is_changed = self.saved.with_untracked(|saved| {
            saved
                .iter()
                .find(is_of)
                .is_some_and(|saved| !saved.definition.has_same_data(&tile.definition))
        });
        if is_changed && self.editing.get_untracked() {
            return;
        }
        let slot = self.content(tile.key);
        if slot.with_untracked(|before| *before != content) {
            slot.set(content);
        }
    }

    /// What a widget showed when it was saved.
    pub fn saved_definition(self, key: u32) -> Option<Definition> {
        self.saved.with_untracked(|saved| {
            let saved = saved.iter().find(|tile| tile.key == key);
            saved.map(|tile| tile.definition.clone())
        })
    }

    /// Begins to change the dashboard.
    pub fn start_editing(self) {
        self.history.set(History::default());
        self.is_outdated.set(false);
        self.editing.set(true);
    }

    /// Ends changing the dashboard; what is not saved is forgotten.
    pub fn stop_editing(self) {
        let saved = self.saved.get_untracked();
        if self.tiles.with_untracked(|tiles| *tiles != saved) {
            self.tiles.set(saved);
        }
        self.history.set(History::default());
        self.editing.set(false);
    }

    /// Whether there are changes that are not saved; tracked.
    pub fn is_dirty(self) -> bool {
        self.editing.get()
            && self
                .tiles
                .with(|tiles| self.saved.with(|saved| tiles != saved))
    }

    /// Whether there is a change to undo; tracked.
    pub fn can_undo(self) -> bool {
        self.history.with(History::can_undo)
    }

    /// Whether there is an undone change to do again; tracked.
    pub fn can_redo(self) -> bool {
        self.history.with(History::can_redo)
    }

    /// Goes back one change.
    pub fn undo(self) {
        self.travel(History::undo, "Undone");
    }

    /// Does the last undone change again.
    pub fn redo(self) {
        self.travel(History::redo, "Done again");
    }

    fn travel(self, way: Way, word: &str) {
        let now = self.tiles.get_untracked();
        let there = self
            .history
            .try_update(|history| way(history, now))
            .flatten();
        if let Some(tiles) = there {
            self.tiles.set(tiles);
            self.announce(word);
        }
    }

    /// Changes the widgets in one step that can be undone.
    pub fn change(self, change: impl FnOnce(&mut Vec<Tile>)) {
        let before = self.tiles.get_untracked();
        let mut after = before.clone();
        change(&mut after);
        if after != before {
            self.history.update(|history| history.record(before));
            self.tiles.set(after);
        }
    }

    /// Moves widgets without a step to undo, while a gesture goes on.
    pub fn preview(self, positions: &[widgets::GridPosition]) {
        self.tiles.update(|tiles| set_positions(tiles, positions));
    }

    /// Makes one step of what a gesture did since `before`.
    pub fn settle(self, before: Vec<Tile>) {
        if self.tiles.with_untracked(|tiles| *tiles != before) {
            self.history.update(|history| history.record(before));
        }
    }

    /// Lays the widgets out anew: `arrange` gets their places and the index of one of them.
    /// Returns that one's place, if it changed.
    pub fn rearrange(
        self,
        key: u32,
        arrange: impl FnOnce(&[widgets::GridPosition], usize) -> Vec<widgets::GridPosition>,
    ) -> Option<widgets::GridPosition> {
        let before = self.tiles.get_untracked();
        let index = before.iter().position(|tile| tile.key == key)?;
        let positions = positions(&before);
        let arranged = arrange(&positions, index);
        self.change(|tiles| set_positions(tiles, &arranged));
        (arranged.get(index) != positions.get(index))
            .then(|| arranged.get(index).copied())
            .flatten()
    }

    /// Adds a widget where there is room, and returns its key.
    pub fn add(self, definition: Definition, size: Option<(i32, i32)>) -> u32 {
        let key = tiles::next_key();
        let (w, h) = size.unwrap_or_else(|| layout::usual_size(definition.kind));
        self.announce(&format!("{} added", definition.title));
        self.change(|tiles| {
            let position = widgets::free_place(&positions(tiles), w, h);
            tiles.push(Tile {
                key,
                id: None,
                definition,
                position,
            });
        });
        key
    }

    /// Puts a copy of a widget on the dashboard, with its data.
    pub fn duplicate(self, key: u32) {
        let Some(tile) = untrack(|| self.tile(key)) else {
            return;
        };
        let content = self.content(key).get_untracked();
        let copy = self.add(tile.definition, Some((tile.position.w, tile.position.h)));
        self.content(copy).set(content);
    }

    /// Takes a widget away and closes the gap.
    pub fn remove(self, key: u32) {
        if let Some(tile) = untrack(|| self.tile(key)) {
            self.announce(&format!("{} removed", tile.definition.title));
        }
        self.change(|tiles| {
            tiles.retain(|tile| tile.key != key);
            let compacted = layout::compact(&positions(tiles));
            set_positions(tiles, &compacted);
        });
    }

    /// Has a sentence read out.
    pub fn announce(self, text: &str) {
        self.announcement.set(text.to_owned());
    }
}

/// The places of widgets.
pub fn positions(tiles: &[Tile]) -> Vec<widgets::GridPosition> {
    tiles.iter().map(|tile| tile.position).collect()
}

fn set_positions(tiles: &mut [Tile], positions: &[widgets::GridPosition]) {
    for (tile, position) in tiles.iter_mut().zip(positions) {
        tile.position = *position;
    }
}
