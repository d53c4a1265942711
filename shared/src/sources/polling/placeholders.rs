//! Placeholders in texts: `{{cursor}}`, `{{secrets.name}}`.

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// The placeholder of the incremental cursor.
pub const CURSOR: &str = "cursor";
/// What the placeholders of secrets begin with.
pub const SECRETS: &str = "secrets.";

/// The names of all placeholders in a text, in order.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(OPEN)
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(CLOSE)?.0.trim()))
}

/// Whether a text has this placeholder.
pub fn has(text: &str, name: &str) -> bool {
    names(text).any(|found| found == name)
}

/// Replaces each placeholder that `value` knows; others stay as they are.
pub fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut parts = text.split(OPEN);
    filled.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let known = part
            .split_once(CLOSE)
            .and_then(|(name, rest)| Some((value(name.trim())?, rest)));
        if let Some((value, rest)) = known {
            filled.push_str(&value);
            filled.push_str(rest);
        } else {
            filled.push_str(OPEN);
            filled.push_str(part);
        }
    }
    filled
}
