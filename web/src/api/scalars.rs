//! The scalars and small shared types of the schema.

use dash_shared::timestamps;

use super::schema;

/// A point in time as the API writes it (RFC 3339).
#[derive(cynic::Scalar, Clone, Debug, PartialEq, Eq)]
pub struct DateTime(pub String);

impl DateTime {
    /// Milliseconds since 1970.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a date in ms is far below 2^53"
    )]
    pub fn ms(&self) -> i64 {
        js_sys::Date::parse(&self.0) as i64
    }

    /// The scalar for a time in milliseconds since 1970.
    pub fn from_ms(ms: i64) -> Self {
        Self(timestamps::format_ms(ms))
    }
}

/// Any JSON value.
#[derive(cynic::Scalar, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "JSON")]
pub struct Json(pub serde_json::Value);

/// Where a page of a connection ends.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct PageInfo {
    /// Whether there is more after this page.
    pub has_next_page: bool,
    /// What to pass as `after` to get it.
    pub end_cursor: Option<String>,
}
