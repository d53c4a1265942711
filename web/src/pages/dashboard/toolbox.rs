//! What a dashboard is changed with, as the pages know it: a set of functions that is fetched when
//! the first of them is wanted, or earlier, when the browser has nothing else to do.

use leptos::{ev::KeyboardEvent, prelude::*};

use super::{
    board::Board, editor::Subject, explore::Explored, gesture::Gestures, operations::Dashboard,
    saving::Saving,
};
use crate::{
    components::record_table::OpenedRow,
    parts::{self, set::PartSet},
};

/// The dashboard that a dialog is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its global id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// The functions. Nothing else may name what they do, or it would be fetched with the page.
#[derive(Clone, Copy)]
pub struct Tools {
    /// The acts in the top bar while the dashboard is changed; the callback opens the editor for a
    /// new widget.
    pub acts: fn(Board, Saving, Callback<()>) -> AnyView,
    /// What belongs to a dashboard that is being changed: the editor, the data of widgets that are
    /// not saved, and the questions before changes are lost.
    pub workshop: fn(Board, Saving, RwSignal<Option<Subject>>) -> AnyView,
    /// What the pointer takes hold of on a widget.
    pub handles: fn(Gestures, u32) -> AnyView,
    /// What the menu of a widget has more.
    pub menu: fn(Board, u32) -> AnyView,
    /// What the keyboard does to the widget that has it; the callback opens the editor.
    pub on_key: fn(Board, u32, &KeyboardEvent, Callback<u32>),
    /// Shows a record whole.
    pub record: fn(RwSignal<Option<OpenedRow>>) -> AnyView,
    /// Shows the records behind a widget.
    pub explore: fn(RwSignal<Option<Explored>>) -> AnyView,
    /// Asks for another name.
    pub rename: fn(RwSignal<Option<Named>>, Callback<Dashboard>) -> AnyView,
    /// Asks before it deletes; the callback gets the id of the dashboard that is gone.
    pub delete: fn(RwSignal<Option<Named>>, Callback<String>) -> AnyView,
    /// Asks for what a new dashboard needs, and makes it.
    pub create: fn(RwSignal<bool>) -> AnyView,
    /// Makes the range that is looked at the one that everybody sees first.
    pub keep_range: fn(Board),
    /// Makes a copy of the dashboard and opens it.
    pub duplicate: fn(Board),
}

/// Has the tools, or gets them.
pub type Toolbox = PartSet<Tools>;

/// An empty toolbox; what is done with its tools is done for the current owner.
pub fn toolbox() -> Toolbox {
    PartSet::new(parts::tools)
}
