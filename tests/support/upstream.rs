//! A server for Dash to poll, which answers as the test tells it to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long a request may take to come before the test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// How an upstream answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// With JSON.
    Json(Value),
    /// With a status, a content type and a body.
    Raw(u16, &'static str, Bytes),
    /// With a status, headers and a body.
    With(u16, Vec<(&'static str, String)>, String),
    /// As the request asks for.
    AsAsked(Answerer),
    /// With a status, headers and no body.
    Bare(u16, Vec<(&'static str, String)>),
    /// With the `authorization` that was sent to it.
    Echo,
    /// With a redirect.
    Redirect(String),
    /// With the JSON, after a while.
    Late(Duration, Value),
    /// Never.
    Never,
    /// By breaking off in the middle of the body.
    BreakOff,
}

/// What a request is answered with.
#[derive(Clone)]
pub struct Answerer(Arc<dyn Fn(&Request) -> Reply + Send + Sync>);

impl std::fmt::Debug for Answerer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answerer")
    }
}

impl Reply {
    /// A reply that depends on the request.
    pub fn to(answer: impl Fn(&Request) -> Self + Send + Sync + 'static) -> Self {
        Self::AsAsked(Answerer(Arc::new(answer)))
    }

    /// Nothing but a status.
    pub fn status(status: u16) -> Self {
        Self::With(status, Vec::new(), String::new())
    }
}

/// A request that an upstream got.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path and query.
    pub uri: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// The first value of a query parameter; empty when it is not there.
    pub fn query(&self, name: &str) -> String {
        let url = reqwest::Url::parse(&format!("http://upstream.test{}", self.uri));
        let url = url.expect("a request has an address");
        let mut pairs = url.query_pairs();
        pairs
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    /// A header as text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

#[derive(Debug)]
struct Shared {
    reply: Reply,
    replies_by_path: HashMap<String, Reply>,
    requests: Vec<Request>,
    count: watch::Sender<usize>,
    at_once: usize,
    most_at_once: usize,
}

/// A running server.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Where it is, without a slash at the end.
    pub url: String,
    shared: Arc<Mutex<Shared>>,
}

impl Upstream {
    /// Starts a server that answers with `reply` until it is told otherwise.
    pub async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let url = format!(
            "http://{}",
            listener.local_addr().expect("it has an address")
        );
        let shared = Shared {
            reply,
            replies_by_path: HashMap::new(),
            requests: Vec::new(),
            count: watch::Sender::new(0),
            at_once: 0,
            most_at_once: 0,
        };
        let shared = Arc::new(Mutex::new(shared));
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, shared }
    }

    /// Answers otherwise from now on.
    pub fn reply_with(&self, reply: Reply) {
        self.shared.lock().unwrap().reply = reply;
    }

    /// Answers otherwise on one path.
    pub fn reply_at(&self, path: &str, reply: Reply) {
        let mut shared = self.shared.lock().unwrap();
        shared.replies_by_path.insert(path.to_owned(), reply);
    }

    /// Waits until it was asked so many times.
    pub async fn asked(&self, times: usize) {
        let mut count = self.shared.lock().unwrap().count.subscribe();
        let waited = tokio::time::timeout(PATIENCE, count.wait_for(|count| *count >= times));
        waited.await.expect("it is asked in time").expect("it runs");
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().unwrap().requests.clone()
    }

    /// How many requests were being answered at once, at most.
    pub fn most_at_once(&self) -> usize {
        self.shared.lock().unwrap().most_at_once
    }
}

async fn answer(
    State(shared): State<Arc<Mutex<Shared>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Request {
        method,
        uri: uri.to_string(),
        headers,
        body,
    };
    let reply = {
        let mut shared = shared.lock().unwrap();
        shared.requests.push(request.clone());
        shared.count.send_modify(|count| *count += 1);
        shared.at_once += 1;
        shared.most_at_once = shared.most_at_once.max(shared.at_once);
        let by_path = shared.replies_by_path.get(uri.path());
        by_path.unwrap_or(&shared.reply).clone()
    };
    let reply = match reply {
        Reply::AsAsked(answerer) => answerer.0(&request),
        reply => reply,
    };
    let response = match reply {
        Reply::Json(json) => axum::Json(json).into_response(),
        Reply::Raw(status, content_type, body) => {
            let status = StatusCode::from_u16(status).unwrap();
            (status, [("content-type", content_type)], body).into_response()
        }
        Reply::With(status, headers, body) => {
            let mut response = body.into_response();
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            for (name, value) in headers {
                let value = value.parse().expect("a header value");
                response.headers_mut().insert(name, value);
            }
            response
        }
        Reply::AsAsked(_) => unreachable!("an answerer answers itself"),
        Reply::Bare(status, headers) => {
            let mut response = StatusCode::from_u16(status).unwrap().into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Reply::Echo => request.header("authorization").to_owned().into_response(),
        Reply::Redirect(to) => (StatusCode::FOUND, [("location", to)]).into_response(),
        Reply::Late(wait, json) => {
            tokio::time::sleep(wait).await;
            axum::Json(json).into_response()
        }
        Reply::Never => std::future::pending().await,
        Reply::BreakOff => {
            let chunks = [
                Ok(Bytes::from("[{")),
                Err(std::io::Error::other("broken off")),
            ];
            Body::from_stream(futures_util::stream::iter(chunks)).into_response()
        }
    };
    shared.lock().unwrap().at_once -= 1;
    response
}
