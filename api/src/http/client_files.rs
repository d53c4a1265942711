//! The built web client, so that one process and one port are enough. Without it Dash is a
//! headless API that says so.
//!
//! Files whose names carry a hash are cached for ever; pages are asked for again each time, and
//! bring a content security policy that allows only the scripts they were built with. Where the
//! build left a compressed file beside a file, it is sent to those who can read it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, VARY,
};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Json, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};
use tower_http::services::ServeDir;

use super::callers::request_id;
use super::problems::Problem;
use crate::config::HttpConfig;

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// The built client, or nothing.
#[derive(Debug)]
pub(super) struct ClientFiles(Option<Built>);

#[derive(Debug)]
struct Built {
    folder: ServeDir,
    app: Page,
    explorer: Page,
}

/// A page and what it may load.
#[derive(Debug)]
struct Page {
    path: &'static str,
    policy: HeaderValue,
}

impl ClientFiles {
    pub(super) fn new(config: &HttpConfig) -> Self {
        Self(config.web_dir.as_deref().map(|web_dir| {
            Built {
                folder: ServeDir::new(web_dir)
                    .append_index_html_on_directories(false)
                    .precompressed_br()
                    .precompressed_gzip(),
                app: Page::new(web_dir, "/index.html", &config.public_url),
                explorer: Page::new(web_dir, "/explorer/index.html", &config.public_url),
            }
        }))
    }
}

impl Page {
    fn new(web_dir: &Path, path: &'static str, public_url: &str) -> Self {
        let file = web_dir.join(path.trim_start_matches('/'));
        let html = std::fs::read_to_string(&file).unwrap_or_else(|error| {
            tracing::warn!(file = %file.display(), %error, "a page cannot be read");
            String::new()
        });
        let policy = HeaderValue::from_str(&policy(&html, public_url));
        // Base64, URLs and constants are always valid; were they not, no script would run.
        let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'"));
        Self { path, policy }
    }
}

/// Answers what no other route does.
pub(super) async fn serve(files: Arc<ClientFiles>, request: Request) -> Response {
    let id = request_id(request.extensions());
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let message = "There is nothing here that takes this method.";
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let mut response = Problem::new(status, "METHOD_NOT_ALLOWED", message).response(&id);
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let answer = match &files.0 {
        Some(built) => built.answer(request).await,
        None if request.uri().path() == "/" => Some(headless()),
        None => None,
    };
    answer.unwrap_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "NOT_FOUND", "There is nothing here.").response(&id)
    })
}

impl Built {
    async fn answer(&self, request: Request) -> Option<Response> {
        let path = request.uri().path().to_owned();
        match path.as_str() {
            "/" | "/index.html" => return self.page(&self.app, request).await,
            "/graphiql" | "/explorer/" | "/explorer/index.html" => {
                return self.page(&self.explorer, request).await;
            }
            _ => {}
        }
        let mut retry = Request::new(Body::empty());
        retry.headers_mut().clone_from(request.headers());
        if let Some(mut response) = self.file(request).await {
            let caching = if has_hash(&path) { FOR_EVER } else { ASK_AGAIN };
            response.headers_mut().insert(CACHE_CONTROL, caching);
            return Some(response);
        }
        // A path of the app, such as /dashboards/dsh_…: the app finds its way from there.
        if is_page_path(&path, &retry) {
            self.page(&self.app, retry).await
        } else {
            None
        }
    }

    async fn page(&self, page: &Page, mut request: Request) -> Option<Response> {
        *request.uri_mut() = Uri::from_static(page.path);
        let mut response = self.file(request).await?;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, ASK_AGAIN);
        headers.insert(CONTENT_SECURITY_POLICY, page.policy.clone());
        Some(response)
    }

    async fn file(&self, request: Request) -> Option<Response> {
        match self.folder.clone().try_call(request).await {
            Ok(response) if response.status() == StatusCode::NOT_FOUND => None,
            Ok(mut response) => {
                // A cache must not send the compressed file to somebody who cannot read it.
                let vary = HeaderValue::from(ACCEPT_ENCODING);
                response.headers_mut().append(VARY, vary);
                Some(response.map(Body::new))
            }
            Err(error) => {
                tracing::error!(%error, "a file of the client cannot be read");
                None
            }
        }
    }
}

fn headless() -> Response {
    Json(json!({
        "name": "Dash",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "This is the API, without the web client: set DASH_WEB_DIR to serve it too.",
        "links": {
            "graphql": "/graphql",
            "subscriptions": "/graphql/ws",
            "health": "/readyz",
            "metrics": "/metrics",
        },
    }))
    .into_response()
}

/// Whether a browser asks for a page at a path that looks like one.
fn is_page_path(path: &str, request: &Request) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    let accept = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok());
    !last.contains('.') && accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Whether the file's name ends in a hash of its content, as the client's build writes them:
/// 16 hexadecimal digits, or 8 letters and digits of base 32.
fn has_hash(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    let stem = stem.strip_suffix("_bg").unwrap_or(stem);
    let Some((_, hash)) = stem.rsplit_once('-') else {
        return false;
    };
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let base32 = |byte: u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte);
    match hash.len() {
        16 => hash.bytes().all(hex),
        8 => hash.bytes().all(base32),
        _ => false,
    }
}

/// The content security policy of a page: its own scripts, and those in its text by their hashes.
fn policy(html: &str, public_url: &str) -> String {
    let mut scripts = String::new();
    for script in inline_scripts(html) {
        let hash = STANDARD.encode(Sha256::digest(script));
        let _ = write!(scripts, " 'sha256-{hash}'");
    }
    // Older browsers do not count the websocket of the same host as 'self'.
    let websocket = public_url.replacen("http", "ws", 1);
    format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'{scripts}; \
         style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
         connect-src 'self' {websocket}; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    )
}

/// The texts of the scripts that are in the page itself.
fn inline_scripts(html: &str) -> Vec<&str> {
    let mut scripts = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once("<script") {
        let Some((attributes, after)) = after.split_once('>') else {
            break;
        };
        let Some((text, after)) = after.split_once("</script") else {
            break;
        };
        if !attributes
            .split_ascii_whitespace()
            .any(|name| name.starts_with("src="))
        {
            scripts.push(text);
        }
        rest = after;
    }
    scripts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_scripts_are_allowed_by_their_hash_and_no_others() {
        let html = "<script src=\"/a.js\"></script><script type=module>\nrun();\n</script>\
                    <p>x</p><script>more()</script>";
        assert_eq!(inline_scripts(html), ["\nrun();\n", "more()"]);
        let policy = policy(
            "<script>alert('Hello, world.');</script>",
            "https://dash.test",
        );
        // The example of the specification of content security policies.
        let hash = "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='";
        let scripts = format!("script-src 'self' 'wasm-unsafe-eval' {hash};");
        assert!(policy.contains(&scripts), "{policy}");
        assert!(
            policy.contains("connect-src 'self' wss://dash.test;"),
            "{policy}"
        );
    }

    #[test]
    fn a_page_without_inline_scripts_allows_none() {
        for html in [
            "",
            "<script src=a.js></script>",
            "<script",
            "<script>never ends",
        ] {
            assert_eq!(inline_scripts(html), Vec::<&str>::new(), "{html}");
        }
    }

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        for path in [
            "/dash-web-0123456789abcdef.js",
            "/dash-web-0123456789abcdef_bg.wasm",
            "/inter-latin-00ff00ff00ff00ff.woff2",
            "/explorer/chunk-ABCDEF27.js",
        ] {
            assert!(has_hash(path), "{path}");
        }
        for path in [
            "/index.html",
            "/favicon.svg",
            "/snippets/dash-web-0123456789abcdef/inline0.js",
            "/open-graph-pictures.png",
            "/chunk-abcdefgh.js",
        ] {
            assert!(!has_hash(path), "{path}");
        }
    }
}
