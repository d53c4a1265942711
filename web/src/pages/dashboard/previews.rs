//! Data for widgets that are not saved: new ones, changed ones, and those that an undo brought
//! back. The live feed only knows what is saved.

use std::{collections::HashMap, time::Duration};

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};

use super::{
    board::Board,
    content::{self, Content},
    operations::{PreviewVariables, WidgetPreview},
    tiles::{Definition, range_input},
};
use crate::{api, format::time_zone};

/// How often the data of an unsaved widget is brought up to date.
const REFRESH_EVERY: Duration = Duration::from_secs(5);

/// Fetches the data of widgets that differ from what is saved, while the board is being changed.
pub fn keep_fresh(board: Board) {
    let fetched = StoredValue::new(HashMap::<u32, Definition>::new());
    Effect::new(move |_| {
        if !board.editing.get() {
            fetched.update_value(HashMap::clear);
            return;
        }
        for (key, definition) in changed(board, fetched) {
            fetched.update_value(|fetched| drop(fetched.insert(key, definition.clone())));
            fetch(board, key, definition);
        }
    });
    let refresh = move || {
        for (key, definition) in fetched.get_value() {
            let is_saved = board
                .saved_definition(key)
                .is_some_and(|saved| saved.has_same_data(&definition));
            if !is_saved {
                fetch(board, key, definition);
            }
        }
    };
    if let Ok(timer) = set_interval_with_handle(refresh, REFRESH_EVERY) {
        on_cleanup(move || timer.clear());
    }
}

/// The widgets whose data is of another definition than the one they have now.
fn changed(board: Board, fetched: StoredValue<HashMap<u32, Definition>>) -> Vec<(u32, Definition)> {
    let shown_of = |key| {
        let fetched = fetched.with_value(|fetched| fetched.get(&key).cloned());
        fetched.or_else(|| board.saved_definition(key))
    };
    board.tiles.with(|tiles| {
        tiles
            .iter()
            .filter(|tile| {
                shown_of(tile.key).is_none_or(|shown| !shown.has_same_data(&tile.definition))
            })
            .map(|tile| (tile.key, tile.definition.clone()))
            .collect()
    })
}

fn fetch(board: Board, key: u32, definition: Definition) {
    let range = board.range.get_untracked();
    spawn_local(async move {
        let content = load(&definition, range).await;
        let is_current = board
            .tiles
            .try_with_untracked(|tiles| {
                let tile = tiles.iter().find(|tile| tile.key == key);
                tile.is_some_and(|tile| tile.definition.has_same_data(&definition))
            })
            .unwrap_or_default();
        if is_current {
            board.content(key).set(content);
        }
    });
}

/// What a widget would show in a range.
pub async fn load(definition: &Definition, range: dash_shared::ranges::TimeRange) -> Content {
    let position = dash_shared::widgets::GridPosition {
        x: 0,
        y: 0,
        w: 6,
        h: 4,
    };
    let variables = PreviewVariables {
        widget: definition.input(None, position),
        range: range_input(range),
        time_zone: time_zone(),
    };
    match api::run(WidgetPreview::build(variables)).await {
        Ok(preview) => content::of_data(preview.widget_preview)
            .map(|(_, content)| content)
            .unwrap_or_default(),
        Err(error) => Content::Failed(error.message),
    }
}
