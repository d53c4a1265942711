//! The steps that only some plans have.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fields::FieldPath;
use crate::ids::PipelineId;
use crate::transform::mapping::FieldMapping;

/// A script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptStep {
    /// Its source.
    pub source: String,
}

/// Windows of time, and what is aggregated in them. The records themselves do not go on; one
/// record for each window and group does, when the window closes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowStep {
    /// The field that says when a record happened; when it came in, without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_field: Option<FieldPath>,
    /// How long a window is.
    pub size_seconds: u32,
    /// How long after one window the next one begins; when the first one ends, without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<u32>,
    /// The fields whose values have windows of their own.
    #[serde(default)]
    pub group_by: Vec<FieldPath>,
    /// What is aggregated.
    pub measures: Vec<WindowMeasure>,
    /// How much later than the newest record one may come.
    #[serde(default)]
    pub allowed_lateness_seconds: u32,
}

/// What is aggregated in a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowMeasure {
    /// How values become one.
    pub aggregate: WindowAggregate,
    /// Of which field; none only for a count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<FieldPath>,
    /// The field that it becomes.
    pub to: String,
}

/// How the values of a window become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowAggregate {
    /// How many records there are, or how many of them have the field.
    Count,
    /// The sum.
    Sum,
    /// The mean.
    Avg,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The earliest.
    First,
    /// The latest.
    Last,
}

/// What a table says of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupStep {
    /// The field whose value is looked up in the first column.
    pub field: FieldPath,
    /// The names of the columns; all but the first become fields of the record.
    pub columns: Vec<String>,
    /// The rows of the table.
    pub rows: Vec<Vec<Value>>,
    /// Whether capitals and small letters are the same.
    #[serde(default)]
    pub ignore_case: bool,
    /// Whether a value that is not in the table is an error; if not, the fields are null.
    #[serde(default)]
    pub required: bool,
}

/// Fields of another pipeline's latest record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinStep {
    /// The other pipeline.
    pub pipeline: PipelineId,
    /// The field of this record.
    pub field: FieldPath,
    /// The field of the other record that has the same value.
    pub matches: FieldPath,
    /// What is taken from the other record.
    pub take: Vec<FieldMapping>,
    /// Whether it is an error that there is no such record; if not, the fields are null.
    #[serde(default)]
    pub required: bool,
}
