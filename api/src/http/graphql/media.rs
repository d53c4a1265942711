//! Media types: what a request is written in, and what its sender wants to read.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};

/// The two media types of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status tells how the request went.
    Response,
    /// `application/json`, for older clients: a well-formed request is answered with 200.
    Json,
}

impl Media {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }
}

/// Whether the body is JSON, and no other encoding than UTF-8 is named.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return false;
    };
    let mut parts = value
        .split(';')
        .map(|part| part.trim().to_ascii_lowercase());
    let is_json = parts.next().as_deref() == Some("application/json");
    // JSON is UTF-8; a request that says otherwise would be read wrongly.
    let is_utf8 = parts
        .filter_map(|part| part.strip_prefix("charset=").map(str::to_owned))
        .all(|charset| charset.trim_matches('"') == "utf-8");
    is_json && is_utf8
}

/// The media type of the answer: the one that the client likes better, the older one on a tie of
/// wildcards or when it says nothing.
pub(super) fn of_answer(headers: &HeaderMap) -> Media {
    let (mut best, mut best_quality) = (Media::Json, 0.0);
    for (name, quality) in accepted(headers) {
        let media = match name.as_str() {
            "application/graphql-response+json" => Media::Response,
            "application/json" | "application/*" | "*/*" => Media::Json,
            _ => continue,
        };
        if quality > best_quality {
            (best, best_quality) = (media, quality);
        }
    }
    best
}

/// Whether a browser wants a page before anything else.
pub(super) fn prefers_a_page(headers: &HeaderMap) -> bool {
    accepted(headers)
        .next()
        .is_some_and(|(name, _)| name == "text/html")
}

/// The media ranges of the `Accept` header with their qualities, in order.
fn accepted(headers: &HeaderMap) -> impl Iterator<Item = (String, f32)> {
    let values = headers
        .get_all(ACCEPT)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
        (name, quality.unwrap_or(1.0))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: axum::http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn the_answer_has_the_media_type_that_the_client_likes_best() {
        for (accept, expected) in [
            ("", Media::Json),
            ("*/*", Media::Json),
            ("application/json", Media::Json),
            ("application/graphql-response+json", Media::Response),
            (
                "application/graphql-response+json, application/json",
                Media::Response,
            ),
            (
                "application/json, application/graphql-response+json",
                Media::Json,
            ),
            (
                "application/json;q=0.5, application/graphql-response+json",
                Media::Response,
            ),
            ("application/graphql-response+json;q=0.1, */*", Media::Json),
            ("text/html", Media::Json),
        ] {
            assert_eq!(of_answer(&headers(ACCEPT, accept)), expected, "{accept}");
        }
    }

    #[test]
    fn only_json_in_utf8_is_taken_in() {
        for (content_type, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/json; charset=\"utf-8\"", true),
            ("application/json; charset=latin1", false),
            ("text/plain", false),
            ("application/jsonp", false),
            ("multipart/form-data; boundary=x", false),
            ("", false),
        ] {
            assert_eq!(
                is_json(&headers(CONTENT_TYPE, content_type)),
                expected,
                "{content_type}"
            );
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
