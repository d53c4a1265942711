//! A source cut into pieces that look different. It never fails: what is wrong looks like text.

use dash_shared::formula::WORDS;
use dash_shared::formula::help::FUNCTIONS;

use super::super::engine::Mistake;

/// The words of scripts.
const STATEMENTS: [&str; 8] = [
    "let", "if", "else", "for", "delete", "return", "drop", "record",
];

/// A piece and the class that colours it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The class.
    pub class: &'static str,
    /// The text.
    pub text: String,
    /// Whether a mistake begins in it.
    pub is_wrong: bool,
}

/// The pieces of a source, one after the other.
pub fn pieces(source: &str, mistake: Option<&Mistake>) -> Vec<Piece> {
    let wrong_at = mistake.map(|mistake| byte_of(source, mistake));
    let mut pieces = Vec::new();
    let mut rest = source;
    while !rest.is_empty() {
        let at = source.len() - rest.len();
        let (class, length) = first(rest);
        let (text, after) = rest.split_at(length);
        let end = at + length;
        let is_wrong = wrong_at.is_some_and(|wrong| (at..end).contains(&wrong));
        pieces.push(Piece {
            class,
            text: text.to_owned(),
            is_wrong,
        });
        rest = after;
    }
    // Something is missing at the end: there a blank is marked.
    if wrong_at.is_some_and(|wrong| wrong >= source.len()) {
        pieces.push(Piece {
            class: "",
            text: " ".to_owned(),
            is_wrong: true,
        });
    }
    pieces
}

/// The class and the length of the first piece.
fn first(rest: &str) -> (&'static str, usize) {
    let length = |fits: &dyn Fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
    let Some(c) = rest.chars().next() else {
        return ("", 0);
    };
    if rest.starts_with("//") {
        return ("faint", rest.find('\n').unwrap_or(rest.len()));
    }
    if c.is_whitespace() {
        return ("", length(&char::is_whitespace));
    }
    if c == '"' || c == '\'' {
        return ("json-text", quoted(rest, c));
    }
    if c.is_ascii_digit() {
        return ("json-number", length(&|c| c.is_ascii_digit() || c == '.'));
    }
    if c == '#' {
        return ("json-word", 1);
    }
    if is_word_char(c) {
        let length = length(&is_word_char);
        let word = rest.get(..length).unwrap_or_default();
        let calls = rest
            .get(length..)
            .is_some_and(|after| after.trim_start().starts_with('('));
        let class = if calls && FUNCTIONS.iter().any(|function| function.name == word) {
            "source-function"
        } else if WORDS.contains(&word) || STATEMENTS.contains(&word) {
            "json-word"
        } else {
            "source-field"
        };
        return (class, length);
    }
    ("source-sign", c.len_utf8())
}

/// What may be in a name.
pub fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    rest.len()
}

/// Where a mistake begins, in bytes.
fn byte_of(source: &str, mistake: &Mistake) -> usize {
    let mut start = 0;
    for (number, line) in source.split('\n').enumerate() {
        if number + 1 == mistake.line {
            let mut chars = line.char_indices();
            let place = chars.nth(mistake.character.saturating_sub(1));
            return start + place.map_or(line.len(), |(at, _)| at);
        }
        start += line.len() + 1;
    }
    source.len()
}
