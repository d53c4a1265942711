//! Relay connections: pages of 1 to 100, 20 by default, with a total.

use std::str::FromStr;

use async_graphql::SimpleObject;
use dash_shared::codes::ErrorCode;

use super::errors::error_with_code;

const DEFAULT_PAGE: i32 = 20;
const MAX_PAGE: i32 = 100;

/// Where a page is among all of them.
#[derive(Clone, Debug, SimpleObject)]
pub struct PageInfo {
    /// Whether there are items before this page.
    has_previous_page: bool,
    /// Whether there are items after this page.
    has_next_page: bool,
    /// The cursor of the page's first item.
    start_cursor: Option<String>,
    /// The cursor of the page's last item; the next page's `after`.
    end_cursor: Option<String>,
}

impl PageInfo {
    pub(super) fn new<'a>(
        mut cursors: impl DoubleEndedIterator<Item = &'a String>,
        is_first: bool,
        has_more: bool,
    ) -> Self {
        let start_cursor = cursors.next().cloned();
        let end_cursor = cursors
            .next_back()
            .cloned()
            .or_else(|| start_cursor.clone());
        Self {
            has_previous_page: !is_first,
            has_next_page: has_more,
            start_cursor,
            end_cursor,
        }
    }
}

/// The connection and edge types of a node type.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ident, $what:literal) => {
        #[doc = concat!("A page of ", $what, ".")]
        #[derive(Debug)]
        pub struct $connection {
            edges: Vec<$edge>,
            is_first: bool,
            has_more: bool,
            total: i64,
        }

        #[doc = concat!("One of the ", $what, " of a page.")]
        #[derive(Debug)]
        pub struct $edge {
            cursor: String,
            node: $node,
        }

        #[doc = concat!("A page of ", $what, ".")]
        #[async_graphql::Object]
        impl $connection {
            /// The page's items with their cursors.
            async fn edges(&self) -> &[$edge] {
                &self.edges
            }

            /// The page's items.
            async fn nodes(&self) -> Vec<&$node> {
                self.edges.iter().map(|edge| &edge.node).collect()
            }

            /// Where the page is among all of them.
            async fn page_info(&self) -> $crate::graphql::paging::PageInfo {
                let cursors = self.edges.iter().map(|edge| &edge.cursor);
                $crate::graphql::paging::PageInfo::new(cursors, self.is_first, self.has_more)
            }

            /// How many there are in all, on all pages.
            async fn total_count(&self) -> i32 {
                $crate::graphql::int(self.total)
            }
        }

        #[doc = concat!("One of the ", $what, " of a page.")]
        #[async_graphql::Object]
        impl $edge {
            /// Names the item's place; to page with.
            async fn cursor(&self) -> &str {
                &self.cursor
            }

            /// The item.
            async fn node(&self) -> &$node {
                &self.node
            }
        }

        impl $connection {
            /// The items with their cursors, and where the page is among all of them.
            pub(super) fn new(
                items: impl IntoIterator<Item = (String, $node)>,
                is_first: bool,
                has_more: bool,
                total: i64,
            ) -> Self {
                let items = items.into_iter();
                let edges = items.map(|(cursor, node)| $edge { cursor, node }).collect();
                Self {
                    edges,
                    is_first,
                    has_more,
                    total,
                }
            }
        }
    };
}

pub(super) use connection;

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
