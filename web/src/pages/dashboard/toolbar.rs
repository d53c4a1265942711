//! The acts of a dashboard in the top bar, while it is looked at.

use dash_shared::ranges::TimeRange;
use leptos::prelude::*;

use super::{
    board::Board,
    saving::Saving,
    toolbox::{Named, Toolbox},
};
use crate::components::{
    ButtonKind, Icon, IconButton, LiveDot, Menu, MenuItem, MenuSeparator,
    time_range::TimeRangePicker,
};

/// What the acts in the top bar lead to.
#[derive(Clone, Copy)]
pub struct ToolbarActs {
    /// What the dashboard is changed with.
    pub toolbox: Toolbox,
    /// Looks at another range.
    pub choose_range: Callback<TimeRange>,
    /// Opens the editor for a new widget.
    pub add_widget: Callback<()>,
    /// Shows the dashboard alone on the whole screen.
    pub full_screen: Callback<()>,
    /// The dashboard whose name is being changed.
    pub renaming: RwSignal<Option<Named>>,
    /// The dashboard that is about to be deleted.
    pub deleting: RwSignal<Option<Named>>,
}

/// The acts.
#[component]
pub fn Toolbar(
    /// The dashboard.
    board: Board,
    /// How it is saved.
    saving: Saving,
    /// What the acts lead to.
    acts: ToolbarActs,
    /// Whether the viewer may change the dashboard.
    #[prop(into)]
    may_edit: Signal<bool>,
) -> impl IntoView {
    // That the tools have come changes nothing here by itself: a menu may be open.
    move || match board.editing.get().then(|| acts.toolbox.get()).flatten() {
        Some(tools) => (tools.acts)(board, saving, acts.add_widget),
        None => view! { <ViewingActs board acts may_edit/> }.into_any(),
    }
}

#[component]
fn ViewingActs(board: Board, acts: ToolbarActs, may_edit: Signal<bool>) -> impl IntoView {
    let toolbox = acts.toolbox;
    let named = move || Named {
        id: board.id.get_value(),
        name: board.name.get_untracked(),
    };
    let edit = move || toolbox.open(move |_| board.start_editing());
    view! {
        <span class="board-live"><LiveDot last_at_ms=board.last_record_ms/></span>
        <TimeRangePicker range=board.range on_choose=acts.choose_range/>
        <Show when=move || may_edit.get()>
            <span class="board-wide-only">
                <IconButton
                    icon=Icon::Edit
                    label="Edit dashboard"
                    kind=ButtonKind::Secondary
                    on_click=edit
                    test_id="edit-dashboard"
                />
            </span>
        </Show>
        <span class="board-wide-only">
            <IconButton
                icon=Icon::Fullscreen
                label="Full screen"
                kind=ButtonKind::Secondary
                on_click=acts.full_screen
                test_id="full-screen"
            />
        </span>
        <Show when=move || may_edit.get()>
            <Menu label="More" test_id="dashboard-menu">
                <div class="board-narrow-only">
                    // The menu has to be closed before it goes.
                    <MenuItem
                        icon=Icon::Edit
                        on_click=move || request_animation_frame(edit)
                        test_id="edit-dashboard-item"
                    >
                        "Edit"
                    </MenuItem>
                </div>
                <MenuItem
                    icon=Icon::Edit
                    on_click=move || acts.renaming.set(Some(named()))
                    test_id="rename-dashboard"
                >
                    "Rename"
                </MenuItem>
                <Show when=move || board.range.get() != board.own_range.get()>
                    <MenuItem
                        icon=Icon::Clock
                        on_click=move || toolbox.open(move |tools| (tools.keep_range)(board))
                        test_id="keep-range"
                    >
                        "Open with this time range"
                    </MenuItem>
                </Show>
                <MenuItem
                    icon=Icon::Copy
                    on_click=move || toolbox.open(move |tools| (tools.duplicate)(board))
                    test_id="duplicate-dashboard"
                >
                    "Duplicate"
                </MenuItem>
                <MenuSeparator/>
                <MenuItem
                    icon=Icon::Trash
                    danger=true
                    on_click=move || acts.deleting.set(Some(named()))
                    test_id="delete-dashboard"
                >
                    "Delete"
                </MenuItem>
            </Menu>
        </Show>
    }
}
