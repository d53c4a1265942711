//! Small words with a meaning: the state of a pipeline, a count, a kind.

use leptos::prelude::*;

use super::{Icon, IconView};

/// What a colour means; colour is never the only sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing in particular.
    #[default]
    Neutral,
    /// All is well.
    Ok,
    /// Look at it soon.
    Warn,
    /// It is broken.
    Bad,
    /// Chosen, or new.
    Accent,
}

impl Tone {
    /// The class that colours an element.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Neutral => "",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Accent => "accent",
        }
    }
}

/// A word on a tinted ground.
#[component]
pub fn Tag(
    /// Its meaning.
    #[prop(optional, into)]
    tone: Signal<Tone>,
    /// A picture before the word.
    #[prop(optional)]
    icon: Option<Icon>,
    /// Names it for tests.
    #[prop(optional)]
    test_id: Option<&'static str>,
    /// The word.
    children: Children,
) -> impl IntoView {
    view! {
        <span class=move || format!("tag {}", tone.get().class()) data-testid=test_id>
            {icon.map(|icon| view! { <IconView icon/> })}
            {children()}
        </span>
    }
}
