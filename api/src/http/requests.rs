//! What happens around every request: its id, its log line, its metrics.
//!
//! Only the template of a route is ever recorded: the path of a webhook is a secret.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use metrics::{Counter, Histogram};
use tracing::Instrument as _;

use crate::telemetry::RequestId;

const REQUEST_ID: &str = "x-request-id";

/// Gives the request an id, answers with it, and records how it went.
pub(super) async fn observe(mut request: Request, next: Next) -> Response {
    let id = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .and_then(RequestId::parse)
        .unwrap_or_default();
    request.extensions_mut().insert(id.clone());
    let method = method_name(request.method());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let route = path.as_ref().map_or("(file)", MatchedPath::as_str);

    let started = Instant::now();
    let span = tracing::info_span!("request", id = id.as_str(), method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let elapsed = started.elapsed();

    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let _inside = span.enter();
    record(method, route, response.status(), elapsed.as_secs_f64());
    response
}

fn record(method: &'static str, route: &str, status: StatusCode, seconds: f64) {
    let ms = (seconds * 10_000.0).round() / 10.0;
    let status = status.as_u16();
    match (status, route) {
        (500.., _) => tracing::warn!(status, ms, "failed"),
        (_, "/healthz" | "/readyz" | "/metrics") => tracing::debug!(status, ms, "answered"),
        _ => tracing::info!(status, ms, "answered"),
    }
    measure(method, route, status, seconds);
}

/// The metrics of one kind of request.
#[derive(Clone)]
struct Measures {
    seconds: Histogram,
    count: Counter,
}

/// By method and status, then by route. There are as many routes as Dash has.
type Known = HashMap<(&'static str, u16), HashMap<Box<str>, Measures>>;

thread_local! {
    /// Looking a metric up by its labels takes longer than counting.
    static KNOWN: RefCell<Known> = RefCell::default();
}

fn measure(method: &'static str, route: &str, status: u16, seconds: f64) {
    KNOWN.with_borrow_mut(|known| {
        let routes = known.entry((method, status)).or_default();
        let measures = if let Some(measures) = routes.get(route) {
            measures
        } else {
            routes
                .entry(route.into())
                .or_insert_with(|| Measures::of(method, route, status))
        };
        measures.seconds.record(seconds);
        measures.count.increment(1);
    });
}

impl Measures {
    fn of(method: &'static str, route: &str, status: u16) -> Self {
        let labels = [("method", method.to_owned()), ("route", route.to_owned())];
        let seconds = metrics::histogram!("dash_http_request_duration_seconds", &labels);
        let [method, route] = labels;
        let labels = [method, route, ("status", status.to_string())];
        Self {
            seconds,
            count: metrics::counter!("dash_http_requests_total", &labels),
        }
    }
}

/// A caller can invent methods, but not grow the metrics with them.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
