//! Functions that are fetched together: a part that is not one view but several, and more than
//! views.
//!
//! The page knows their types only. What they are is named nowhere but in their split point, or it
//! would be fetched with the page.

use leptos::{prelude::*, task::spawn_local};

use super::{Fetching, MISSING};
use crate::components::{toast::Toasts, use_toasts};

/// Has the functions, or gets them.
#[derive(Clone, Copy)]
pub struct PartSet<T: Copy + Send + Sync + 'static> {
    functions: RwSignal<Option<T>>,
    fetch: fn() -> Fetching<T>,
    owner: StoredValue<Owner>,
    toasts: Toasts,
}

impl<T: Copy + Send + Sync + 'static> PartSet<T> {
    /// An empty one; its functions are called for the current owner.
    pub fn new(fetch: fn() -> Fetching<T>) -> Self {
        Self {
            functions: RwSignal::new(None),
            fetch,
            owner: StoredValue::new(Owner::current().unwrap_or_default()),
            toasts: use_toasts(),
        }
    }

    /// The functions, if they are there; tracked.
    pub fn get(self) -> Option<T> {
        self.functions.get()
    }

    /// Does something with the functions, which are fetched first if need be. When they cannot be
    /// had the person is told, and may try again.
    pub fn open(self, then: impl FnOnce(T) + 'static) {
        spawn_local(async move {
            match (self.fetch)().await {
                Ok(functions) => {
                    // The page may have been left meanwhile.
                    let Some(owner) = self.owner.try_get_value() else {
                        return;
                    };
                    if self.functions.with_untracked(Option::is_none) {
                        self.functions.set(Some(functions));
                    }
                    owner.with(|| then(functions));
                }
                Err(_) => self.toasts.error(MISSING),
            }
        });
    }

    /// A view that needs the functions: it is made when it is wanted for the first time, and stays.
    pub fn once(
        self,
        is_wanted: impl Fn() -> bool + Send + Sync + 'static,
        view: impl Fn(T) -> AnyView + Send + Sync + 'static,
    ) -> AnyView {
        let is_wanted = Signal::derive(is_wanted);
        let was_wanted = Memo::new(move |before| before == Some(&true) || is_wanted.get());
        Effect::new(move |_| {
            if is_wanted.get() && self.functions.with_untracked(Option::is_none) {
                self.open(|_| ());
            }
        });
        let shown = move || self.get().filter(|_| was_wanted.get()).map(&view);
        shown.into_any()
    }
}
