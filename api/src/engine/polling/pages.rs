//! Pagination: where the next page is, and when there is none.

use dash_shared::sources::polling::Pagination;
use reqwest::header::LINK;
use serde_json::Value;
use serde_json_path::JsonPath;
use url::Url;
use xxhash_rust::xxh3::xxh3_128;

use super::paths::parse_path;
use super::request::set_parameter;
use super::{FetchError, FetchErrorCode};
use crate::outbound::{Answer, StatusCode};

/// Follows the pages of one run.
pub(super) struct Pages<'a> {
    rule: &'a Pagination,
    path: Option<JsonPath>,
    /// The number of the page, or how many records come before it.
    position: u64,
    body: Option<u128>,
}

impl<'a> Pages<'a> {
    pub(super) fn new(rule: &'a Pagination) -> Result<Self, FetchError> {
        let path = match rule {
            Pagination::Cursor { path, .. } | Pagination::NextUrl { path } => {
                Some(parse_path(path)?)
            }
            _ => None,
        };
        Ok(Self {
            rule,
            path,
            position: match rule {
                Pagination::Page { first, .. } => u64::from(*first),
                _ => 0,
            },
            body: None,
        })
    }

    /// The address of the first page.
    pub(super) fn first(&self, mut url: Url) -> Url {
        match self.rule {
            Pagination::Page {
                size_parameter,
                size,
                ..
            }
            | Pagination::Offset {
                size_parameter,
                size,
                ..
            } => {
                if let (Some(name), Some(size)) = (size_parameter, size) {
                    set_parameter(&mut url, name, &size.to_string());
                }
                self.numbered(url)
            }
            _ => url,
        }
    }

    fn numbered(&self, mut url: Url) -> Url {
        if let Pagination::Page { parameter, .. } | Pagination::Offset { parameter, .. } = self.rule
        {
            set_parameter(&mut url, parameter, &self.position.to_string());
        }
        url
    }

    /// Whether pages are counted, not linked: then an empty one is the end.
    const fn are_counted(&self) -> bool {
        matches!(
            self.rule,
            Pagination::Page { .. } | Pagination::Offset { .. }
        )
    }

    /// Whether such an answer to a later page says that there are no more.
    pub(super) fn ends_with(&self, status: StatusCode) -> bool {
        status == StatusCode::NO_CONTENT || self.are_counted() && status == StatusCode::NOT_FOUND
    }

    /// Whether a counted page is the same as the one before: then the server does not count.
    pub(super) fn is_repeated(&mut self, body: &[u8]) -> bool {
        self.are_counted() && {
            let hash = xxh3_128(body);
            self.body.replace(hash) == Some(hash)
        }
    }

    /// What a page says of the next one: an address, or what asks for it.
    pub(super) fn hint(&self, content: &Value, answer: &Answer) -> Option<String> {
        match (self.rule, &self.path) {
            (Pagination::Link, _) => {
                let links = answer.headers.get_all(LINK).iter();
                let mut links = links.filter_map(|value| value.to_str().ok());
                links.find_map(next_link)
            }
            (_, Some(path)) => match path.query(content).first()? {
                Value::String(text) if !text.is_empty() => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            },
            _ => None,
        }
    }

    /// The address of the next page, after one with so many records; nothing after the last.
    pub(super) fn next(
        &mut self,
        current: &Url,
        hint: Option<String>,
        records: usize,
    ) -> Result<Option<Url>, FetchError> {
        match self.rule {
            Pagination::None => Ok(None),
            Pagination::Page { size, .. } | Pagination::Offset { size, .. } => {
                let is_short = size.is_some_and(|size| records < size as usize);
                if records == 0 || is_short {
                    return Ok(None);
                }
                self.position += match self.rule {
                    Pagination::Page { .. } => 1,
                    _ => records as u64,
                };
                Ok(Some(self.numbered(current.clone())))
            }
            Pagination::Cursor { parameter, .. } => Ok(hint.map(|cursor| {
                let mut url = current.clone();
                set_parameter(&mut url, parameter, &cursor);
                url
            })),
            Pagination::Link | Pagination::NextUrl { .. } => {
                let Some(link) = hint else { return Ok(None) };
                let next = current.join(&link).map_err(|error| {
                    FetchError::new(
                        FetchErrorCode::Unreachable,
                        format!("The address of the next page is wrong: {error}."),
                    )
                })?;
                Ok(Some(next))
            }
        }
    }
}

/// The target with the relation `next` in a `Link` header.
fn next_link(header: &str) -> Option<String> {
    parts(header, ',').into_iter().find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parts(parameters, ';').into_iter().any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
            name.trim().eq_ignore_ascii_case("rel")
                && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
        });
        is_next.then(|| target.trim().to_owned())
    })
}

/// What stands between separators that are neither in quotes nor in angle brackets.
fn parts(text: &str, separator: char) -> Vec<&str> {
    let (mut in_quotes, mut in_brackets) = (false, false);
    text.split(|c| {
        match c {
            '"' if !in_brackets => in_quotes = !in_quotes,
            '<' if !in_quotes => in_brackets = true,
            '>' if !in_quotes => in_brackets = false,
            _ => {}
        }
        c == separator && !in_quotes && !in_brackets
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_in_a_link_header() {
        let check = |header: &str, expected: Option<&str>| {
            assert_eq!(next_link(header).as_deref(), expected, "{header}");
        };
        check(
            "<https://a.test/?page=2>; rel=\"next\"",
            Some("https://a.test/?page=2"),
        );
        check("</?a=1,2>; rel=prev, </?a=3,4>; rel=next", Some("/?a=3,4"));
        check(
            "<a>; title=\"x, <b>; rel=next\"; rel=\"last\", <c>; REL=\"up Next\"",
            Some("c"),
        );
        check("<a>; rel=\"last\"", None);
        check("<a", None);
        check("", None);
    }

    #[test]
    fn counted_pages_end_with_a_short_one() {
        let rule = Pagination::Offset {
            parameter: "offset".to_owned(),
            size_parameter: Some("limit".to_owned()),
            size: Some(2),
        };
        let mut pages = Pages::new(&rule).unwrap();
        let url = pages.first(Url::parse("https://a.test/?offset=9&q=x").unwrap());
        assert_eq!(url.as_str(), "https://a.test/?q=x&limit=2&offset=0");
        let url = pages.next(&url, None, 2).unwrap().unwrap();
        assert_eq!(url.as_str(), "https://a.test/?q=x&limit=2&offset=2");
        assert_eq!(pages.next(&url, None, 1).unwrap(), None);
    }
}
