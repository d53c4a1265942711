//! A formula as a tree. What people chain (a sum, a list of conditions) is one node, however long:
//! only nesting makes a tree deeper, and the parser bounds that.

use regex_lite::Regex;

use super::functions::Function;
use super::number::Number;

/// A formula or a part of one.
#[derive(Clone, Debug)]
pub enum Expr {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// What lies at a path.
    Path(Base, Vec<Accessor>),
    /// A list.
    List(Vec<Expr>),
    /// An object.
    Object(Vec<(String, Expr)>),
    /// `not`.
    Not(Box<Expr>),
    /// A minus in front.
    Negative(Box<Expr>),
    /// `and`: the first one that is not met ends it.
    All(Vec<Expr>),
    /// `or`: the first one that is met ends it.
    Any(Vec<Expr>),
    /// `??`: the first one that is something.
    FirstOf(Vec<Expr>),
    /// Sums and products, from left to right.
    Arithmetic(Box<Expr>, Vec<(Arithmetic, Expr)>),
    /// A comparison.
    Compare(Box<Expr>, Relation, Box<Expr>),
    /// Whether it is one of a list, or a part of a text.
    In(Box<Expr>, Box<Expr>),
    /// `condition ? yes : no`.
    If(Box<[Expr; 3]>),
    /// A function.
    Call(Function, Vec<Expr>),
    /// Something about each element of a list.
    Each(Each, Box<Expr>, Box<Expr>),
    /// A regular expression, made ready once.
    Pattern(PatternUse, Box<Expr>, Pattern),
}

/// Where a path begins.
#[derive(Clone, Debug)]
pub enum Base {
    /// A field of the record.
    Field(String),
    /// The record itself.
    Record,
    /// The element that is looked at.
    Element,
    /// A variable of a script.
    Local(usize),
    /// Another value.
    Value(Box<Expr>),
}

/// One step of a path.
#[derive(Clone, Debug)]
pub enum Accessor {
    /// A field of an object.
    Key(String),
    /// What a value names: a place in a list or a field of an object.
    At(Box<Expr>),
}

/// The operators that make a number of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// The sum; of texts and lists, one after the other.
    Plus,
    /// The difference.
    Minus,
    /// The product.
    Times,
    /// The quotient.
    DividedBy,
    /// The remainder.
    Remainder,
    /// The power.
    Power,
}

/// The comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// What is done with each element of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Each {
    /// A list of what it becomes.
    Map,
    /// A list of those that meet a condition.
    Filter,
    /// The first one that meets it.
    Find,
    /// Whether one meets it.
    Any,
    /// Whether all meet it.
    All,
    /// How many meet it.
    Count,
}

/// What a regular expression is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternUse {
    /// Whether it is found.
    Matches,
    /// What its first group found, or all of it.
    Extract,
}

/// A regular expression, and what looking for it costs.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The program.
    pub regex: Regex,
    /// The length of its source, which bounds the work for each character.
    pub weight: usize,
}

/// One statement of a script.
#[derive(Clone, Debug)]
pub enum Statement {
    /// A variable gets its first value.
    Let(usize, Expr),
    /// A variable, or something in it or in the record, gets a value.
    Assign(Base, Vec<Accessor>, Expr),
    /// A field is taken away.
    Delete(Base, Vec<Accessor>),
    /// The first block whose condition is met, or the last one, which has none.
    If(Vec<(Option<Expr>, Vec<Statement>)>),
    /// A block for each element of a list.
    For(usize, Expr, Vec<Statement>),
    /// The end, with the result.
    Return(Expr),
    /// The end, and the record is left out.
    Drop,
}
