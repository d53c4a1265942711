//! Short messages at the edge of the window: what just happened, and a way to undo it.

use std::{fmt, sync::Arc, time::Duration};

use leptos::prelude::*;

use super::{Icon, IconButton, IconView, Tone};
use crate::api::ApiError;

const SHORT: Duration = Duration::from_secs(4);
const LONG: Duration = Duration::from_secs(8);

/// The messages, from context.
#[derive(Clone, Copy, Debug)]
pub struct Toasts {
    list: RwSignal<Vec<Toast>>,
    next_id: StoredValue<u32>,
}

type Act = Arc<dyn Fn() + Send + Sync>;

#[derive(Clone)]
struct Toast {
    id: u32,
    tone: Tone,
    text: String,
    action: Option<(&'static str, Act)>,
}

impl fmt::Debug for Toast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Toast")
            .field("text", &self.text)
            .finish_non_exhaustive()
    }
}

/// The messages of the app.
pub fn use_toasts() -> Toasts {
    expect_context()
}

impl Toasts {
    /// Puts an empty list into context.
    pub fn provide() {
        provide_context(Self {
            list: RwSignal::new(Vec::new()),
            next_id: StoredValue::new(0),
        });
    }

    /// Says that something worked.
    pub fn success(self, text: impl Into<String>) {
        self.add(Tone::Ok, text.into(), None, SHORT);
    }

    /// Says that something failed.
    pub fn error(self, text: impl Into<String>) {
        self.add(Tone::Bad, text.into(), None, LONG);
    }

    /// Says what the API said, with the request's id for support.
    pub fn api_error(self, error: &ApiError) {
        let id = error.request_id.as_deref();
        let id = id.map_or_else(String::new, |id| format!(" (request {id})"));
        self.error(format!("{}{id}", error.message));
    }

    /// Says what was done and offers to undo it.
    pub fn undo(self, text: impl Into<String>, undo: impl Fn() + Send + Sync + 'static) {
        // Not a `Callback`: it must outlive the page that offers it.
        self.add(
            Tone::Neutral,
            text.into(),
            Some(("Undo", Arc::new(undo))),
            LONG,
        );
    }

    fn add(
        self,
        tone: Tone,
        text: String,
        action: Option<(&'static str, Act)>,
        duration: Duration,
    ) {
        let id = self.next_id.get_value();
        self.next_id.set_value(id.wrapping_add(1));
        self.list.update(|list| {
            list.push(Toast {
                id,
                tone,
                text,
                action,
            });
        });
        set_timeout(move || self.dismiss(id), duration);
    }

    fn dismiss(self, id: u32) {
        self.list.update(|list| list.retain(|toast| toast.id != id));
    }
}

/// Where the messages appear; once, at the root of the app.
#[component]
pub fn ToastShelf() -> impl IntoView {
    let toasts = use_toasts();
    let item = move |toast: Toast| {
        let id = toast.id;
        let icon = match toast.tone {
            Tone::Ok => Icon::Check,
            Tone::Bad | Tone::Warn => Icon::Alert,
            Tone::Neutral | Tone::Accent => Icon::Info,
        };
        let action = toast.action.map(|(label, run)| {
            let click = move |_| {
                run();
                toasts.dismiss(id);
            };
            view! { <button type="button" class="btn small" on:click=click>{label}</button> }
        });
        view! {
            <div class=format!("toast {}", toast.tone.class()) data-testid="toast">
                <IconView icon/>
                <span class="toast-text">{toast.text}</span>
                {action}
                <IconButton icon=Icon::Close label="Dismiss" on_click=move || toasts.dismiss(id)/>
            </div>
        }
    };
    view! {
        <div class="toasts" role="region" aria-label="Notifications" aria-live="polite">
            <For each=move || toasts.list.get() key=|toast| toast.id children=item/>
        </div>
    }
}
