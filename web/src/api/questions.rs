//! What questions about records are made of: times and conditions, as the API takes them.

use super::{DateTime, schema};

/// How a field's value is compared.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// The same.
    Equal,
    /// Another one.
    NotEqual,
    /// Smaller.
    Less,
    /// Smaller or the same.
    AtMost,
    /// Larger.
    Greater,
    /// Larger or the same.
    AtLeast,
    /// Has this text in it.
    Contains,
    /// There is one.
    Exists,
    /// There is none.
    Missing,
}

/// A time range as the API takes it.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct TimeRangeInput {
    /// How far it reaches back from now.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub last_seconds: Option<i32>,
    /// Where it begins.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime>,
    /// Where it ends.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime>,
}

/// A condition as the API takes it.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct FilterInput {
    /// The field that is looked at.
    pub field: String,
    /// How.
    pub comparison: Comparison,
    /// What it is compared with.
    pub value: String,
}
