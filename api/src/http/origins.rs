//! Whether a request comes from Dash's own pages. A browser sends the session cookie along from
//! wherever a request starts; only those that start on our pages may use it.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use url::Url;

/// Whether the browser says that the request started on a page of `public_url`, or of the host
/// that it was sent to. A program that is no browser says nothing, and nobody's cookie is stolen.
pub(super) fn is_own(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("invalid"))
    };
    match text("sec-fetch-site") {
        Some("same-origin" | "none") => return true,
        // A websocket of our own page is "cross-site" to browsers that count ws: as another
        // scheme; its origin decides.
        Some(_) if text(ORIGIN.as_str()).is_none() => return false,
        _ => {}
    }
    let Some(origin) = text(ORIGIN.as_str()) else {
        return true;
    };
    if origin == public_url {
        return true;
    }
    let Some(host) = text(HOST.as_str()) else {
        return false;
    };
    Url::parse(origin).is_ok_and(|origin| authority(&origin) == host)
}

/// Host and, unless it is the scheme's own, port.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_and_programs_may_use_a_session() {
        let check = |pairs: &[(&'static str, &'static str)], own| {
            let headers = pairs.iter().map(|(name, value)| {
                (
                    name.parse().unwrap(),
                    axum::http::HeaderValue::from_static(value),
                )
            });
            let headers: HeaderMap = headers.collect();
            assert_eq!(is_own(&headers, "https://dash.test"), own, "{pairs:?}");
        };
        check(&[], true);
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "none")], true);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "same-site")], false);
        check(
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://evil.test"),
            ],
            false,
        );
        check(&[("origin", "https://dash.test")], true);
        check(&[("origin", "https://evil.test")], false);
        check(&[("origin", "https://dash.test.evil.test")], false);
        check(&[("origin", "null")], false);
        check(
            &[
                ("host", "localhost:4000"),
                ("origin", "http://localhost:4000"),
            ],
            true,
        );
        check(
            &[
                ("host", "localhost:4000"),
                ("origin", "http://localhost:4001"),
            ],
            false,
        );
        check(
            &[("host", "dash.local"), ("origin", "http://dash.local")],
            true,
        );
    }
}
