//! What could be meant by the word that is being typed: fields of the records that arrive, and
//! functions.

use dash_shared::fields::SampledField;
use dash_shared::formula::help::{FUNCTIONS, FunctionHelp};

use super::super::inputs::combo::Suggestion;
use super::super::inputs::fields::detail;
use super::colours::is_word_char;
use crate::format::lowercase;

/// How many are suggested at once.
const MAX_SUGGESTED: usize = 12;

/// Where the word begins that ends at the caret: names, dots and places in lists.
pub fn word_start(source: &str, caret: usize) -> usize {
    let before = source.get(..caret).unwrap_or_default();
    let is_part = |c: char| is_word_char(c) || matches!(c, '.' | '[' | ']');
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_part(*c))
        .last()
        .map_or(caret, |(at, _)| at);
    // A number is not the beginning of a name.
    let word = before.get(start..).unwrap_or_default();
    if word.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        caret
    } else {
        start
    }
}

/// Whether the caret is inside a text or a comment, where nothing is suggested.
pub fn is_quoted(source: &str, caret: usize) -> bool {
    let before = source.get(..caret).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let (mut quote, mut escaped, mut last) = (None, false, ' ');
    for c in line.chars() {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == open {
                quote = None;
            }
        } else if c == '"' || c == '\'' {
            quote = Some(c);
        } else if c == '/' && last == '/' {
            return true;
        }
        last = c;
    }
    quote.is_some()
}

/// What is suggested for a word.
pub fn suggestions(word: &str, fields: &[SampledField]) -> Vec<Suggestion> {
    let typed = lowercase(word);
    let (mut first, mut then) = (Vec::new(), Vec::new());
    for field in fields {
        let name = field.path.in_formula();
        let lower = lowercase(&name);
        let suggestion = || Suggestion {
            value: name.clone(),
            label: name.clone(),
            detail: detail(field),
        };
        if lower.starts_with(&typed) {
            if lower != typed {
                first.push(suggestion());
            }
        } else if !typed.is_empty() && lower.contains(&typed) {
            then.push(suggestion());
        }
    }
    let functions = FUNCTIONS
        .iter()
        .filter(|function| function.name.starts_with(&typed));
    first.extend(functions.map(of_function));
    first.extend(then);
    first.truncate(MAX_SUGGESTED);
    first
}

fn of_function(function: &FunctionHelp) -> Suggestion {
    let example = match function.result {
        "" => String::new(),
        result => format!(" · {} is {result}", function.example),
    };
    Suggestion {
        value: format!("{}(", function.name),
        label: format!("{}({})", function.name, function.takes),
        detail: format!("{}{example}", function.text),
    }
}
