//! From tokens to a tree. The deepest nesting is bounded, so neither reading a formula nor working
//! it out can run out of stack; chains of any length are read in a loop.

mod statements;

use regex_lite::RegexBuilder;

use super::functions::{Function, Named, named};
use super::lexer::{Token, TokenKind, tokens};
use super::problem::SyntaxError;
use super::tree::{Accessor, Arithmetic, Base, Expr, Pattern, PatternUse, Relation};

pub use statements::script;

/// How deep parentheses, lists, calls and conditions may be put into each other.
const MAX_DEPTH: usize = 32;
/// The longest regular expression, in bytes.
const MAX_PATTERN_BYTES: usize = 200;
/// The largest program of a regular expression, in bytes.
const MAX_PATTERN_PROGRAM_BYTES: usize = 10 * 1024;

/// The words that cannot be the name of a field or variable.
pub const WORDS: [&str; 8] = ["and", "or", "not", "in", "true", "false", "null", "record"];

/// Reads a formula.
pub fn formula(source: &str) -> Result<Expr, SyntaxError> {
    let mut parser = Parser::of(source)?;
    let expr = parser.expr()?;
    match parser.kind() {
        TokenKind::End => Ok(expr),
        TokenKind::Sign("=") => parser.error("one = sets nothing here; == compares"),
        _ => parser.error("an operator is missing here, or this is too much"),
    }
}

struct Parser<'s> {
    source: &'s str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    /// Whether `#` means something: in what is done with each element of a list.
    in_each: bool,
    /// The names of the variables that can be seen, and their places.
    names: Vec<(String, usize)>,
    locals: usize,
}

impl<'s> Parser<'s> {
    fn of(source: &'s str) -> Result<Self, SyntaxError> {
        Ok(Self {
            source,
            tokens: tokens(source)?,
            next: 0,
            depth: 0,
            in_each: false,
            names: Vec::new(),
            locals: 0,
        })
    }

    fn kind(&self) -> &TokenKind {
        self.tokens
            .get(self.next)
            .map_or(&TokenKind::End, |token| &token.kind)
    }

    fn kind_after(&self) -> &TokenKind {
        self.tokens
            .get(self.next + 1)
            .map_or(&TokenKind::End, |token| &token.kind)
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T, SyntaxError> {
        let at = self
            .tokens
            .get(self.next)
            .map_or(self.source.len(), |token| token.at);
        Err(SyntaxError::at(self.source, at, message))
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.kind(), TokenKind::Sign(found) if *found == sign)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.kind(), TokenKind::Word(found) if found == word)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        self.next += usize::from(found);
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.next += usize::from(found);
        found
    }

    fn need(&mut self, sign: &str) -> Result<(), SyntaxError> {
        if self.take_sign(sign) {
            return Ok(());
        }
        self.error(format!("“{sign}” is missing here"))
    }

    fn name(&mut self) -> Result<String, SyntaxError> {
        match self.kind() {
            TokenKind::Word(word) if !WORDS.contains(&word.as_str()) => {
                let word = word.clone();
                self.next += 1;
                Ok(word)
            }
            _ => self.error("a name is missing here"),
        }
    }

    /// Reads something one level deeper.
    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        if self.depth >= MAX_DEPTH {
            return self.error(format!("more than {MAX_DEPTH} levels are too deep"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn expr(&mut self) -> Result<Expr, SyntaxError> {
        self.deeper(Self::choice)
    }

    fn choice(&mut self) -> Result<Expr, SyntaxError> {
        let condition = self.first_of()?;
        if !self.take_sign("?") {
            return Ok(condition);
        }
        let yes = self.expr()?;
        self.need(":")?;
        let no = self.expr()?;
        Ok(Expr::If(Box::new([condition, yes, no])))
    }

    /// Reads parts with one operator between them; a single part stays what it is.
    fn chain(
        &mut self,
        part: fn(&mut Self) -> Result<Expr, SyntaxError>,
        operator: fn(&mut Self) -> bool,
        node: fn(Vec<Expr>) -> Expr,
    ) -> Result<Expr, SyntaxError> {
        let first = part(self)?;
        if !operator(self) {
            return Ok(first);
        }
        let mut parts = vec![first, part(self)?];
        while operator(self) {
            parts.push(part(self)?);
        }
        Ok(node(parts))
    }

    fn first_of(&mut self) -> Result<Expr, SyntaxError> {
        self.chain(Self::any, |this| this.take_sign("??"), Expr::FirstOf)
    }

    fn any(&mut self) -> Result<Expr, SyntaxError> {
        let or = |this: &mut Self| this.take_word("or") || this.take_sign("||");
        self.chain(Self::all, or, Expr::Any)
    }

    fn all(&mut self) -> Result<Expr, SyntaxError> {
        let and = |this: &mut Self| this.take_word("and") || this.take_sign("&&");
        self.chain(Self::not, and, Expr::All)
    }

    fn not(&mut self) -> Result<Expr, SyntaxError> {
        if self.take_word("not") || self.take_sign("!") {
            return Ok(Expr::Not(Box::new(self.deeper(Self::not)?)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expr, SyntaxError> {
        let left = self.sum()?;
        let is_not_in = self.is_word("not")
            && matches!(self.kind_after(), TokenKind::Word(word) if word == "in");
        if is_not_in {
            self.next += 1;
        }
        if self.take_word("in") {
            let found = Expr::In(Box::new(left), Box::new(self.sum()?));
            return Ok(if is_not_in {
                Expr::Not(Box::new(found))
            } else {
                found
            });
        }
        let relation = match self.kind() {
            TokenKind::Sign("==") => Relation::Equal,
            TokenKind::Sign("!=") => Relation::NotEqual,
            TokenKind::Sign("<") => Relation::Less,
            TokenKind::Sign("<=") => Relation::AtMost,
            TokenKind::Sign(">") => Relation::Greater,
            TokenKind::Sign(">=") => Relation::AtLeast,
            _ => return Ok(left),
        };
        self.next += 1;
        Ok(Expr::Compare(
            Box::new(left),
            relation,
            Box::new(self.sum()?),
        ))
    }

    fn arithmetic(
        &mut self,
        part: fn(&mut Self) -> Result<Expr, SyntaxError>,
        operators: &[(&str, Arithmetic)],
    ) -> Result<Expr, SyntaxError> {
        let first = part(self)?;
        let mut rest = Vec::new();
        while let Some((_, operator)) = operators.iter().find(|(sign, _)| self.is_sign(sign)) {
            self.next += 1;
            rest.push((*operator, part(self)?));
        }
        Ok(if rest.is_empty() {
            first
        } else {
            Expr::Arithmetic(Box::new(first), rest)
        })
    }

    fn sum(&mut self) -> Result<Expr, SyntaxError> {
        let operators = [("+", Arithmetic::Plus), ("-", Arithmetic::Minus)];
        self.arithmetic(Self::product, &operators)
    }

    fn product(&mut self) -> Result<Expr, SyntaxError> {
        let operators = [
            ("*", Arithmetic::Times),
            ("/", Arithmetic::DividedBy),
            ("%", Arithmetic::Remainder),
        ];
        self.arithmetic(Self::negative, &operators)
    }

    fn negative(&mut self) -> Result<Expr, SyntaxError> {
        if self.take_sign("-") {
            return Ok(Expr::Negative(Box::new(self.deeper(Self::negative)?)));
        }
        let base = self.path()?;
        if !self.take_sign("^") {
            return Ok(base);
        }
        let power = self.deeper(Self::negative)?;
        Ok(Expr::Arithmetic(
            Box::new(base),
            vec![(Arithmetic::Power, power)],
        ))
    }

    fn path(&mut self) -> Result<Expr, SyntaxError> {
        let start = self.value()?;
        let accessors = self.accessors()?;
        if accessors.is_empty() {
            return Ok(start);
        }
        let base = match start {
            Expr::Path(base, none) if none.is_empty() => base,
            other => Base::Value(Box::new(other)),
        };
        Ok(Expr::Path(base, accessors))
    }

    fn accessors(&mut self) -> Result<Vec<Accessor>, SyntaxError> {
        let mut accessors = Vec::new();
        loop {
            if self.take_sign(".") {
                // After a dot, any word is the name of a field.
                let TokenKind::Word(key) = self.kind() else {
                    return self.error("a name is missing after the dot");
                };
                accessors.push(Accessor::Key(key.clone()));
                self.next += 1;
            } else if self.take_sign("[") {
                accessors.push(match self.expr()? {
                    Expr::Text(key) => Accessor::Key(key),
                    other => Accessor::At(Box::new(other)),
                });
                self.need("]")?;
            } else {
                return Ok(accessors);
            }
        }
    }

    fn value(&mut self) -> Result<Expr, SyntaxError> {
        let kind = self.kind().clone();
        match kind {
            TokenKind::Number(number) => {
                self.next += 1;
                Ok(Expr::Number(number))
            }
            TokenKind::Text(text) => {
                self.next += 1;
                Ok(Expr::Text(text))
            }
            TokenKind::Element if self.in_each => {
                self.next += 1;
                Ok(Expr::Path(Base::Element, Vec::new()))
            }
            TokenKind::Element => self.error("# is an element of a list: it only means something inside map, filter and the like"),
            TokenKind::Sign("(") => {
                self.next += 1;
                let inner = self.expr()?;
                self.need(")")?;
                Ok(inner)
            }
            TokenKind::Sign("[") => {
                self.next += 1;
                Ok(Expr::List(self.items("]", Self::expr)?))
            }
            TokenKind::Sign("{") => {
                self.next += 1;
                Ok(Expr::Object(self.items("}", Self::entry)?))
            }
            TokenKind::Word(word) => self.word(word),
            TokenKind::End => self.error("something is missing at the end"),
            TokenKind::Sign(sign) => self.error(format!("“{sign}” cannot stand here")),
        }
    }

    /// Reads what is divided by commas, up to the sign that closes it.
    fn items<T>(
        &mut self,
        end: &str,
        item: fn(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<Vec<T>, SyntaxError> {
        let mut items = Vec::new();
        while !self.take_sign(end) {
            items.push(item(self)?);
            if !self.take_sign(",") {
                self.need(end)?;
                break;
            }
        }
        Ok(items)
    }

    fn entry(&mut self) -> Result<(String, Expr), SyntaxError> {
        let (TokenKind::Word(key) | TokenKind::Text(key)) = self.kind().clone() else {
            return self.error("the name of a field is missing here");
        };
        self.next += 1;
        self.need(":")?;
        Ok((key, self.expr()?))
    }

    fn word(&mut self, word: String) -> Result<Expr, SyntaxError> {
        if matches!(self.kind_after(), TokenKind::Sign("(")) && !WORDS.contains(&word.as_str()) {
            return self.call(&word);
        }
        let expr = match word.as_str() {
            "true" => Expr::Bool(true),
            "false" => Expr::Bool(false),
            "null" => Expr::Null,
            "record" => Expr::Path(Base::Record, Vec::new()),
            word if WORDS.contains(&word) => {
                return self.error(format!("“{word}” cannot stand here"));
            }
            _ => Expr::Path(self.base_of(word), Vec::new()),
        };
        self.next += 1;
        Ok(expr)
    }

    /// A variable of this name, or else the field of the record.
    fn base_of(&self, name: String) -> Base {
        let local = self.names.iter().rev().find(|(other, _)| *other == name);
        local.map_or(Base::Field(name), |(_, place)| Base::Local(*place))
    }

    fn call(&mut self, word: &str) -> Result<Expr, SyntaxError> {
        let Some(function) = named(word) else {
            return self.error(format!("there is no function “{word}”"));
        };
        let at = self.next;
        self.next += 2;
        let mut arguments: Vec<Expr> = Vec::new();
        let outer = self.in_each;
        while !self.take_sign(")") {
            // Only what is done with each element knows the element.
            self.in_each = outer || (matches!(function, Named::Each(_)) && arguments.len() == 1);
            let argument = self.expr();
            self.in_each = outer;
            arguments.push(argument?);
            if !self.take_sign(",") {
                self.need(")")?;
                break;
            }
        }
        let end = std::mem::replace(&mut self.next, at);
        let (least, most) = function.arity();
        if arguments.len() < least || arguments.len() > most {
            return self.error(format!("{word} takes {}", arity_words(least, most)));
        }
        let call = self.call_of(word, function, arguments)?;
        self.next = end;
        Ok(call)
    }

    fn call_of(
        &self,
        word: &str,
        function: Named,
        arguments: Vec<Expr>,
    ) -> Result<Expr, SyntaxError> {
        match function {
            Named::If => match <[Expr; 3]>::try_from(arguments) {
                Ok(parts) => Ok(Expr::If(Box::new(parts))),
                Err(_) => self.error("if takes 3 values"),
            },
            Named::Each(each) => match <[Expr; 2]>::try_from(arguments) {
                Ok([list, body]) => Ok(Expr::Each(each, Box::new(list), Box::new(body))),
                Err(_) => self.error(format!("{word} takes 2 values")),
            },
            Named::Pattern(usage) => match <[Expr; 2]>::try_from(arguments) {
                Ok([text, Expr::Text(pattern)]) => self.pattern(usage, text, &pattern),
                _ => self.error(format!("the pattern of {word} is a text in quotes")),
            },
            Named::Function(Function::Merge) if arguments.is_empty() => {
                Ok(Expr::Object(Vec::new()))
            }
            Named::Function(function) => Ok(Expr::Call(function, arguments)),
        }
    }

    fn pattern(&self, usage: PatternUse, text: Expr, pattern: &str) -> Result<Expr, SyntaxError> {
        if pattern.len() > MAX_PATTERN_BYTES {
            return self.error(format!(
                "a pattern has at most {MAX_PATTERN_BYTES} characters"
            ));
        }
        let built = RegexBuilder::new(pattern)
            .size_limit(MAX_PATTERN_PROGRAM_BYTES)
            .nest_limit(20)
            .build();
        match built {
            Ok(regex) => {
                let weight = pattern_weight(pattern);
                Ok(Expr::Pattern(
                    usage,
                    Box::new(text),
                    Pattern { regex, weight },
                ))
            }
            Err(error) => self.error(format!("this pattern cannot be read: {error}")),
        }
    }
}

/// How much work a pattern is for each character, in units: its parts, repeated as often as it says.
fn pattern_weight(pattern: &str) -> usize {
    let counts = pattern
        .split(['{', ','])
        .skip(1)
        .filter_map(|rest| {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            rest.get(..digits)?.parse::<usize>().ok()
        })
        .map(|count| count.max(1));
    counts.fold(pattern.len() + 1, usize::saturating_mul)
}

fn arity_words(least: usize, most: usize) -> String {
    match (least, most) {
        (1, 1) => "1 value".to_owned(),
        (least, most) if least == most => format!("{least} values"),
        (least, most) if most > 9 => format!("at least {least} values"),
        (least, most) => format!("{least} to {most} values"),
    }
}
