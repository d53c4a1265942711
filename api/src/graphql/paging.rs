//! Relay connections: pages of 1 to 100, 20 by default, with a total.

use std::str::FromStr;

use async_graphql::connection::{Connection, Edge};
use async_graphql::{OutputType, SimpleObject};
use dash_shared::codes::ErrorCode;

use super::errors::error_with_code;

const DEFAULT_PAGE: i32 = 20;
const MAX_PAGE: i32 = 100;

/// What a connection has beside its page.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct Totals {
    /// How many there are in all, on all pages.
    total_count: i32,
}

/// A page of `T`s.
pub type Page<T> = Connection<String, T, Totals>;

/// The cost of a list of `first` items, each with the cost of what is asked of it.
pub(super) fn list_cost(first: Option<i32>, child_complexity: usize) -> usize {
    let count = first.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
    1 + usize::try_from(count).unwrap_or(1) * child_complexity
}

/// Checks the size of a page.
pub(super) fn page_size(first: Option<i32>) -> async_graphql::Result<u64> {
    let first = first.unwrap_or(DEFAULT_PAGE);
    match u64::try_from(first) {
        Ok(size @ 1..=100) => Ok(size),
        _ => Err(error_with_code(
            ErrorCode::BadUserInput,
            format!("“first” is {first}; a page has 1 to {MAX_PAGE} items."),
        )),
    }
}

/// Reads a cursor.
pub(super) fn cursor<T: FromStr>(after: Option<&str>) -> async_graphql::Result<Option<T>> {
    after
        .map(|text| {
            text.parse().map_err(|_| {
                error_with_code(
                    ErrorCode::BadUserInput,
                    "“after” is not a cursor. Use “endCursor” of the page before, or a “cursor”.",
                )
            })
        })
        .transpose()
}

/// A page with the items and their cursors.
pub(super) fn page<T: OutputType>(
    items: impl IntoIterator<Item = (String, T)>,
    is_first: bool,
    has_more: bool,
    total: i64,
) -> Page<T> {
    let totals = Totals { total_count: super::int(total) };
    let mut page = Connection::with_additional_fields(!is_first, has_more, totals);
    page.edges.extend(items.into_iter().map(|(cursor, node)| Edge::new(cursor, node)));
    page
}
