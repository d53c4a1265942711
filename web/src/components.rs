//! The building blocks of every page, one file each. `/styleguide` shows them together.
//!
//! Values go in as signals (`Signal<T>`, anything that converts into one) and come back through
//! callbacks; [`bind`] ties a callback to a signal.

pub mod badge;
pub mod banner;
pub mod button;
pub mod chart;
pub mod choice;
pub mod code;
pub mod confirm;
pub mod dialog;
pub mod empty;
pub mod export;
pub mod field;
pub mod frame;
pub mod header_editor;
pub mod icon;
pub mod json_view;
pub mod leaving;
pub mod line_chart;
pub mod live_dot;
pub mod menu;
pub mod meter;
pub mod motion;
pub mod page;
pub mod palette;
pub mod record_line;
pub mod record_table;
pub mod rolling_number;
pub mod shortcuts;
pub mod snippets;
pub mod sparkline;
pub mod stat;
pub mod table;
pub mod tabs;
pub mod time;
pub mod time_range;
pub mod toast;

pub use badge::{Tag, Tone};
pub use banner::Banner;
pub use button::{Button, ButtonKind, ButtonLink, ButtonSize, IconButton};
pub use choice::{Checkbox, Choice, RadioCards, Segmented, Switch};
pub use code::{CodeBlock, CopyButton};
pub use confirm::ConfirmDialog;
pub use dialog::{Dialog, DialogSize, Drawer};
pub use empty::{EmptyState, ErrorPanel, Skeleton};
pub use field::{Field, FormError, Input, Select, SelectOption, TextArea};
pub use icon::{Icon, IconView};
pub use live_dot::LiveDot;
pub use menu::{Menu, MenuItem, MenuSeparator, Popover};
pub use meter::Meter;
pub use page::{Card, Crumb, PageHead};
pub use table::{Column, LoadMore, Table};
pub use tabs::{Tab, Tabs};
pub use time::{RelativeTime, Tooltip};
pub use toast::use_toasts;

use std::cell::Cell;

use leptos::prelude::*;

/// A callback that writes what it gets into a signal: `on_input=bind(name)`.
pub fn bind<T: Send + Sync + 'static>(signal: RwSignal<T>) -> Callback<T> {
    Callback::new(move |value| signal.set(value))
}

/// An id for an element that no other element of the page has.
pub fn unique_id(prefix: &str) -> String {
    thread_local! {
        static NEXT: Cell<u32> = const { Cell::new(0) };
    }
    let id = NEXT.replace(NEXT.get() + 1);
    format!("{prefix}-{id}")
}
