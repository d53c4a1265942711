//! What happens around every request: its id, its log line, its metrics, the security headers.
//!
//! Only the template of a route is ever recorded: the path of a webhook is a secret. One service does
//! it all, without a box or a copy of what it is around: it is a good part of what a webhook costs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use metrics::{Counter, Histogram};
use pin_project_lite::pin_project;
use tower::{Layer, Service};
use tracing::Instrument as _;
use tracing::instrument::Instrumented;

use super::security;
use crate::telemetry::RequestId;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Stands for the route of what is none: the files of the client.
const FILE: &str = "(file)";

/// Gives each request an id, answers with it and with the security headers, and records how it went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observe {
    /// Whether Dash is reached by https.
    pub(super) is_https: bool,
}

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed {
            inner,
            is_https: self.is_https,
        }
    }
}

/// What is observed.
#[derive(Clone, Debug)]
pub(super) struct Observed<S> {
    inner: S,
    is_https: bool,
}

impl<S: Service<Request, Response = Response>> Service<Request> for Observed<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let id = request
            .headers()
            .get(REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .and_then(RequestId::parse)
            .unwrap_or_default();
        let method = method_name(request.method());
        let path = request.extensions().get::<MatchedPath>().cloned();
        request.extensions_mut().insert(id.clone());
        let route = path.as_ref().map_or(FILE, MatchedPath::as_str);
        let span = tracing::info_span!("request", id = id.as_str(), method, route);
        Answering {
            started: Instant::now(),
            answer: self.inner.call(request).instrument(span),
            is_https: self.is_https,
            method,
            path,
            id,
        }
    }
}

pin_project! {
    /// A request that is being answered.
    pub(super) struct Answering<F> {
        #[pin]
        answer: Instrumented<F>,
        started: Instant,
        is_https: bool,
        method: &'static str,
        path: Option<MatchedPath>,
        id: RequestId,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for Answering<F> {
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut response = ready!(this.answer.as_mut().poll(context))?;
        let seconds = this.started.elapsed().as_secs_f64();
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(this.id.as_str()) {
            headers.insert(REQUEST_ID, value);
        }
        security::add_headers(headers, *this.is_https);
        let route = this.path.as_ref().map_or(FILE, MatchedPath::as_str);
        let _inside = this.answer.span().enter();
        record(this.method, route, response.status(), seconds);
        Poll::Ready(Ok(response))
    }
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
