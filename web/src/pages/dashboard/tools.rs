//! What a dashboard is changed with: the functions that `toolbox` describes. All that only they
//! reach is fetched with them.

use leptos::prelude::*;

use super::{
    acts::{duplicate, keep_range},
    board::Board,
    dialogs::{DeleteDialog, RenameDialog},
    editing_acts::EditingActs,
    editor::{Editor, Subject},
    explore::drawer::ExploreDrawer,
    hands::{Handles, MenuActs, on_key},
    previews,
    record_drawer::RecordDrawer,
    saving::{Saving, SavingDialogs},
    toolbox::Tools,
};
use crate::pages::dashboards::new_dialog::NewDialog;

/// The functions.
pub const TOOLS: Tools = Tools {
    acts: |board, saving, add_widget| view! { <EditingActs board saving add_widget/> }.into_any(),
    workshop,
    handles: |gestures, key_| view! { <Handles gestures key_/> }.into_any(),
    menu: |board, key_| view! { <MenuActs board key_/> }.into_any(),
    on_key,
    record: |opened| view! { <RecordDrawer opened/> }.into_any(),
    explore: |explored| view! { <ExploreDrawer explored/> }.into_any(),
    rename: |target, on_renamed| view! { <RenameDialog target on_renamed/> }.into_any(),
    delete: |target, on_deleted| view! { <DeleteDialog target on_deleted/> }.into_any(),
    create: |open| view! { <NewDialog open/> }.into_any(),
    keep_range,
    duplicate,
};

fn workshop(board: Board, saving: Saving, subject: RwSignal<Option<Subject>>) -> AnyView {
    previews::keep_fresh(board);
    view! {
        <Editor board subject/>
        <SavingDialogs saving/>
    }
    .into_any()
}
