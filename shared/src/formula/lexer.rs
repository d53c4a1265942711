//! From characters to tokens.

use super::number::Number;
use super::problem::SyntaxError;

/// The signs of the language; of two that begin alike, the longer one is first.
const SIGNS: [&str; 28] = [
    "==", "!=", "<=", ">=", "&&", "||", "??", "+", "-", "*", "/", "%", "^", "<", ">", "!", "?",
    ":", ".", ",", ";", "(", ")", "[", "]", "{", "}", "=",
];

/// A token and where it begins.
#[derive(Clone, Debug)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// The byte of the source that it begins at.
    pub at: usize,
}

/// The kinds of tokens.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenKind {
    /// A number.
    Number(Number),
    /// A text in quotes.
    Text(String),
    /// A name or a word of the language.
    Word(String),
    /// A sign.
    Sign(&'static str),
    /// The element of a list that is looked at: `#`.
    Element,
    /// The end of the source.
    End,
}

/// Reads the whole source; the last token is the end.
pub fn tokens(source: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks();
        let at = lexer.at;
        let kind = lexer.token()?;
        let is_end = kind == TokenKind::End;
        tokens.push(Token { kind, at });
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn error<T>(&self, at: usize, message: impl Into<String>) -> Result<T, SyntaxError> {
        Err(SyntaxError::at(self.source, at, message))
    }

    /// Skips white space, and comments up to the end of their line.
    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start().len();
            let comment = rest
                .get(blank..)
                .filter(|rest| rest.starts_with("//"))
                .map_or(0, |rest| rest.find('\n').unwrap_or(rest.len()));
            if blank + comment == 0 {
                return;
            }
            self.at += blank + comment;
        }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn token(&mut self) -> Result<TokenKind, SyntaxError> {
        let Some(first) = self.peek() else {
            return Ok(TokenKind::End);
        };
        if first.is_ascii_digit() {
            return self.number();
        }
        if first.is_alphabetic() || first == '_' || first == '$' {
            let word = self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '$');
            return Ok(TokenKind::Word(word.to_owned()));
        }
        if matches!(first, '"' | '\'') {
            return self.text(first);
        }
        if first == '#' {
            self.at += 1;
            return Ok(TokenKind::Element);
        }
        match SIGNS.iter().find(|sign| self.rest().starts_with(**sign)) {
            Some(sign) => {
                self.at += sign.len();
                Ok(TokenKind::Sign(sign))
            }
            None => self.error(self.at, format!("“{first}” means nothing here")),
        }
    }

    fn number(&mut self) -> Result<TokenKind, SyntaxError> {
        let start = self.at;
        self.take_while(|c| c.is_ascii_digit());
        let digit_at =
            |rest: &str, at: usize| rest.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        if self.rest().starts_with('.') && digit_at(self.rest(), 1) {
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        if self.rest().starts_with(['e', 'E']) {
            let sign = usize::from(
                self.rest()
                    .get(1..)
                    .is_some_and(|rest| rest.starts_with(['+', '-'])),
            );
            if digit_at(self.rest(), 1 + sign) {
                self.at += 1 + sign;
                self.take_while(|c| c.is_ascii_digit());
            }
        }
        let digits = self.source.get(start..self.at).unwrap_or_default();
        match Number::parse(digits) {
            Some(_) if self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_') => self.error(
                self.at,
                "a name does not begin with a digit; write record[\"…\"] for such a field",
            ),
            Some(number) => Ok(TokenKind::Number(number)),
            None => self.error(start, "this number is too large"),
        }
    }

    fn text(&mut self, quote: char) -> Result<TokenKind, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != quote && c != '\\'));
            let Some(c) = self.peek() else {
                return self.error(start, "this text has no closing quote");
            };
            self.at += 1;
            if c == quote {
                return Ok(TokenKind::Text(text));
            }
            let Some(escaped) = self.peek() else {
                return self.error(start, "this text has no closing quote");
            };
            self.at += escaped.len_utf8();
            match escaped {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                '\\' | '\'' | '"' => text.push(escaped),
                // As regular expressions are written: \d stays what it is.
                other => text.extend(['\\', other]),
            }
        }
    }
}
