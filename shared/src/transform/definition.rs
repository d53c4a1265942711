//! The steps of a transform as data: what is stored, sent and edited. A document has a version; the
//! first form, a bare list of steps, is still read.

mod advanced;
mod document;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::mapping::MapStep;
use crate::fields::{FieldPath, FieldType};
use crate::queries::Filter;

pub use advanced::{JoinStep, LookupStep, ScriptStep, WindowAggregate, WindowMeasure, WindowStep};
pub use document::VERSION;

/// A transform: what happens to each record, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step of a transform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it does.
    #[serde(flatten)]
    pub action: Action,
    /// What happens to a record that it cannot handle.
    #[serde(default)]
    pub on_error: OnError,
}

/// What happens to a record that a step cannot handle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The record is not stored and is listed with the error.
    #[default]
    Fail,
    /// The record is silently left out.
    Drop,
    /// The record goes on: a field that failed becomes null, and a step that is about the whole
    /// record leaves it as it was.
    Keep,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Select, rename and cast in one go.
    Map(MapStep),
    /// Give fields other names.
    Rename(RenameStep),
    /// Keep only some fields.
    Select(SelectStep),
    /// Take fields away.
    Drop(DropStep),
    /// Convert fields to a type.
    Cast(CastStep),
    /// Give fields a constant value.
    Set(SetStep),
    /// Calculate fields.
    Calculate(CalculateStep),
    /// Keep the records that meet a condition.
    Filter(FilterStep),
    /// Make one record of each element of a list.
    Explode(ExplodeStep),
    /// Make nested objects flat.
    Flatten(FlattenStep),
    /// Read dates as they are written elsewhere.
    ParseDate(ParseDateStep),
    /// Leave out records that were there before.
    Deduplicate(DeduplicateStep),
    /// Hide most of a value.
    Mask(MaskStep),
    /// Replace a value by a keyed hash.
    Hash(HashStep),
    /// Run a script.
    Script(ScriptStep),
    /// Aggregate the records of windows of time.
    Window(WindowStep),
    /// Add what a table says.
    Lookup(LookupStep),
    /// Add fields of another pipeline's latest record.
    Join(JoinStep),
}

impl Action {
    /// Whether only plans with advanced transforms have it.
    pub const fn is_advanced(&self) -> bool {
        matches!(
            self,
            Self::Script(_) | Self::Window(_) | Self::Lookup(_) | Self::Join(_)
        )
    }

    /// Its kind, as the JSON form has it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Map(_) => "map",
            Self::Rename(_) => "rename",
            Self::Select(_) => "select",
            Self::Drop(_) => "drop",
            Self::Cast(_) => "cast",
            Self::Set(_) => "set",
            Self::Calculate(_) => "calculate",
            Self::Filter(_) => "filter",
            Self::Explode(_) => "explode",
            Self::Flatten(_) => "flatten",
            Self::ParseDate(_) => "parse_date",
            Self::Deduplicate(_) => "deduplicate",
            Self::Mask(_) => "mask",
            Self::Hash(_) => "hash",
            Self::Script(_) => "script",
            Self::Window(_) => "window",
            Self::Lookup(_) => "lookup",
            Self::Join(_) => "join",
        }
    }
}

/// Other names for fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameStep {
    /// Which, and how.
    pub fields: Vec<Renaming>,
}

/// Another name for a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renaming {
    /// Where the field is.
    pub from: FieldPath,
    /// Its name from now on.
    pub to: String,
}

/// The fields that are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectStep {
    /// Where they are; they stay there.
    pub fields: Vec<FieldPath>,
}

/// The fields that are taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropStep {
    /// Where they are.
    pub fields: Vec<FieldPath>,
}

/// Types for fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CastStep {
    /// Which, and to what.
    pub fields: Vec<Casting>,
}

/// A type for a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Casting {
    /// Where the field is.
    pub field: FieldPath,
    /// The type it is converted to.
    #[serde(rename = "type")]
    pub wanted: FieldType,
}

/// Constant values for fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetStep {
    /// Which, and what.
    pub fields: Vec<Constant>,
}

/// A constant value for a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constant {
    /// Where the value is put.
    pub field: FieldPath,
    /// The value.
    pub value: Value,
}

/// Calculated fields. Each can use those before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalculateStep {
    /// Which, and how.
    pub fields: Vec<Calculation>,
}

/// A calculated field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calculation {
    /// Where the result is put.
    pub field: FieldPath,
    /// The formula.
    pub formula: String,
}

/// A condition on records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterStep {
    /// What has to be true.
    #[serde(flatten)]
    pub condition: Condition,
    /// Whether the records that meet it are kept, or those that do not.
    #[serde(default)]
    pub matching: Matching,
}

/// What has to be true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Condition {
    /// A formula.
    Formula {
        /// Its source.
        formula: String,
    },
    /// Comparisons of fields.
    Comparisons {
        /// Whether all have to be true, or one.
        #[serde(default)]
        combine: Combine,
        /// The comparisons.
        conditions: Vec<Filter>,
    },
}

/// How comparisons are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// All have to be true.
    #[default]
    All,
    /// One has to be true.
    Any,
}

/// What happens to the records that meet a condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// They go on, the others do not.
    #[default]
    Keep,
    /// The others go on.
    Drop,
}

/// One record of each element of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplodeStep {
    /// Where the list is; it does not stay in the records.
    pub field: FieldPath,
    /// The field that the element becomes; without one, the fields of an element that is an
    /// object become fields of the record, and any other takes the place of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Whether a record without elements goes on, or is left out.
    #[serde(default)]
    pub keep_empty: bool,
}

/// Nested objects made flat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlattenStep {
    /// The object that is made flat; the whole record without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<FieldPath>,
    /// What stands between the parts of a name.
    #[serde(default)]
    pub separator: Separator,
    /// How many levels are made flat.
    #[serde(default = "default_depth")]
    pub depth: u8,
}

const fn default_depth() -> u8 {
    super::MAX_FLATTEN_DEPTH
}

/// What stands between the parts of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// `customer_country`
    #[default]
    Underscore,
    /// `customer.country`; in a path, such a name is written `["customer.country"]`.
    Dot,
}

/// Dates as they are written elsewhere. They become times in RFC 3339, in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseDateStep {
    /// Where they are; the times take their place.
    pub fields: Vec<FieldPath>,
    /// How they are written.
    #[serde(default)]
    pub format: DateFormat,
    /// The time zone of those that do not name one: `UTC`, `+02:00` or `Europe/Berlin`.
    #[serde(default = "utc")]
    pub zone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// How dates are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFormat {
    /// RFC 3339, `2026-11-22 14:30`, RFC 2822, or a Unix time.
    #[default]
    Auto,
    /// `22.11.2026`, `22/11/2026 2:30 PM`
    DayFirst,
    /// `11/22/2026`, `11/22/2026 14:30`
    MonthFirst,
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMilliseconds,
    /// A pattern: `%d.%m.%Y %H:%M`
    Pattern(String),
}

/// Records that were there before are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeduplicateStep {
    /// The fields that make a record the same as another.
    pub keys: Vec<FieldPath>,
    /// How long a record is remembered.
    #[serde(default = "one_day_seconds")]
    pub within_seconds: u32,
    /// How many records are remembered.
    #[serde(default = "default_remembered")]
    pub remember: u32,
}

const fn one_day_seconds() -> u32 {
    86_400
}

const fn default_remembered() -> u32 {
    10_000
}

/// Most of a value hidden.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskStep {
    /// Where the values are.
    pub fields: Vec<FieldPath>,
    /// What can still be seen.
    #[serde(default)]
    pub style: MaskStyle,
}

/// What can still be seen of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskStyle {
    /// Nothing, not even its length.
    #[default]
    Full,
    /// So many characters at the end, at most half of them.
    KeepLast(u8),
    /// The first letter and the domain of an e-mail address.
    Email,
}

/// Values replaced by a hash, with a secret of the team as the key: the same value has the same
/// hash, but nobody can find the value by trying.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashStep {
    /// Where the values are.
    pub fields: Vec<FieldPath>,
}
