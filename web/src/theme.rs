//! Which theme is shown: the system's, light or dark. The choice is kept in the browser;
//! `static/theme.js` applies it before the first paint, this module from then on.

use leptos::prelude::*;

const STORAGE_KEY: &str = "dash.theme";
const DARK_QUERY: &str = "(prefers-color-scheme: dark)";

/// What a person chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThemeChoice {
    /// Whatever the system is set to.
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl ThemeChoice {
    /// The word in the browser's storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The choice with this word; the system's for any other.
    pub fn parse(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }
}

/// The theme of the app, from context.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    choice: RwSignal<ThemeChoice>,
    system_dark: RwSignal<bool>,
}

/// The theme of the app.
pub fn use_theme() -> Theme {
    expect_context()
}

impl Theme {
    /// Reads the stored choice, follows the system, and keeps `<html data-theme>` in step.
    pub fn provide() {
        let stored = storage().and_then(|storage| storage.get_item(STORAGE_KEY).ok().flatten());
        let theme = Self {
            choice: RwSignal::new(ThemeChoice::parse(stored.as_deref().unwrap_or_default())),
            system_dark: RwSignal::new(system_is_dark()),
        };
        theme.follow_system();
        Effect::new(move || {
            let name = if theme.is_dark() { "dark" } else { "light" };
            if let Some(root) = document().document_element() {
                drop(root.set_attribute("data-theme", name));
            }
        });
        provide_context(theme);
    }

    /// What was chosen.
    pub fn choice(self) -> ThemeChoice {
        self.choice.get()
    }

    /// Whether the dark theme is shown now; tracked, so that charts can follow.
    pub fn is_dark(self) -> bool {
        match self.choice.get() {
            ThemeChoice::System => self.system_dark.get(),
            ThemeChoice::Light => false,
            ThemeChoice::Dark => true,
        }
    }

    /// Chooses and remembers.
    pub fn choose(self, choice: ThemeChoice) {
        if let Some(storage) = storage() {
            drop(storage.set_item(STORAGE_KEY, choice.as_str()));
        }
        self.choice.set(choice);
    }

    /// Changes to the other of light and dark.
    pub fn toggle(self) {
        let dark = untrack(|| self.is_dark());
        self.choose(if dark {
            ThemeChoice::Light
        } else {
            ThemeChoice::Dark
        });
    }

    fn follow_system(self) {
        use wasm_bindgen::{JsCast, closure::Closure};

        let Ok(Some(query)) = window().match_media(DARK_QUERY) else {
            return;
        };
        let system_dark = self.system_dark;
        let changed = Closure::<dyn Fn()>::new(move || system_dark.set(system_is_dark()));
        drop(query.add_event_listener_with_callback("change", changed.as_ref().unchecked_ref()));
        // The listener lives as long as the page.
        changed.forget();
    }
}

/// The browser's storage, where it may be used.
pub fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

fn system_is_dark() -> bool {
    matches!(window().match_media(DARK_QUERY), Ok(Some(query)) if query.matches())
}
