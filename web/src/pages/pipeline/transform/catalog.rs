//! The kinds of steps for the list: what they are called and what stands for them. What the picker
//! says more of them is fetched with it (`picker`).

use serde_json::Value;

use crate::components::Icon;

/// What is known of a kind of step wherever it is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The word in its document.
    pub word: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Its picture.
    pub icon: Icon,
    /// Whether only some plans have it.
    pub is_advanced: bool,
}

const fn plain(word: &'static str, name: &'static str, icon: Icon) -> Kind {
    Kind {
        word,
        name,
        icon,
        is_advanced: false,
    }
}

const fn advanced(word: &'static str, name: &'static str, icon: Icon) -> Kind {
    Kind {
        is_advanced: true,
        ..plain(word, name, icon)
    }
}

/// All kinds.
pub const KINDS: [Kind; 18] = [
    plain("map", "Map fields", Icon::Table),
    plain("rename", "Rename", Icon::Edit),
    plain("select", "Keep fields", Icon::Check),
    plain("drop", "Remove fields", Icon::Trash),
    plain("cast", "Change type", Icon::Stat),
    plain("set", "Set a value", Icon::Plus),
    plain("calculate", "Calculate", Icon::Formula),
    plain("filter", "Filter", Icon::Filter),
    plain("explode", "One per list item", Icon::Rows),
    plain("flatten", "Flatten", Icon::Layers),
    plain("parse_date", "Read dates", Icon::Calendar),
    plain("deduplicate", "Remove repeats", Icon::Copy),
    plain("mask", "Mask", Icon::EyeOff),
    plain("hash", "Hash", Icon::Key),
    advanced("script", "Script", Icon::Code),
    advanced("window", "Sum up over time", Icon::Clock),
    advanced("lookup", "Look up in a table", Icon::Book),
    advanced("join", "Join a pipeline", Icon::Link),
];

/// A kind that this client does not know.
const UNKNOWN: Kind = plain("", "Step", Icon::Wand);

/// The kind with this word.
pub fn kind_named(word: &str) -> Kind {
    let found = KINDS.into_iter().find(|kind| kind.word == word);
    found.unwrap_or(UNKNOWN)
}

/// The kind of a step.
pub fn kind_of(document: &Value) -> Kind {
    let word = document.get("kind").and_then(Value::as_str);
    kind_named(word.unwrap_or_default())
}
