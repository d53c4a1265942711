//! The drawer as a part of the client that is fetched later (see `parts`): most who look at a
//! dashboard never look behind it.

#![expect(
    clippy::unnecessary_wraps,
    reason = "a part cannot fail, but fetching it can: the splitter adds that to the result"
)]

use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_split::{SplitLoaderError, wasm_split},
};

use super::{Explored, drawer::ExploreDrawer};
use crate::components::use_toasts;

/// Makes the view of the drawer.
type MakeDrawer = fn(RwSignal<Option<Explored>>) -> AnyView;

#[wasm_split(tools, wasm_split_path = ::leptos::wasm_split, fallible)]
fn make_drawer() -> Result<MakeDrawer, SplitLoaderError> {
    Ok(|explored| view! { <ExploreDrawer explored/> }.into_any())
}

/// The place of the drawer: empty until something is looked at.
#[component]
pub fn Explorer(
    /// What is looked at; none while the drawer is closed.
    explored: RwSignal<Option<Explored>>,
) -> impl IntoView {
    let fetched = RwSignal::new(None::<MakeDrawer>);
    let is_asked = StoredValue::new(false);
    let toasts = use_toasts();
    Effect::new(move |_| {
        if explored.with(Option::is_none) || is_asked.get_value() {
            return;
        }
        is_asked.set_value(true);
        spawn_local(async move {
            // The page may have been left meanwhile; then there is nothing to set any more.
            if let Ok(make) = make_drawer().await {
                fetched.try_set(Some(make));
                return;
            }
            is_asked.try_set_value(false);
            explored.try_set(None);
            toasts
                .error("A part of Dash could not be fetched. Check your connection and try again.");
        });
    });
    move || fetched.get().map(|make| make(explored))
}
