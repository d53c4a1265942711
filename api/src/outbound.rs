//! Asking other servers, safely: whoever runs Dash must not be reached through it.
//!
//! A name is resolved once, every address it has is checked, and only a checked address is
//! connected to. Redirects are followed by hand, each as if it had been asked for. Sizes and times
//! are bounded. Polls, tokens and sinks all ask through here; what an answer means is their business.

mod targets;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use reqwest::redirect::Policy;
use url::{Host, Url};

pub use reqwest::header::HeaderMap;
pub use reqwest::{Method, StatusCode};
pub use targets::{AllowedTargets, InvalidTarget};

use targets::is_public;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take unless the request says otherwise.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(15);
/// How large an answer may be unless the request says otherwise.
const MAX_ANSWER_BYTES: usize = 10 * 1024 * 1024;
const MAX_REDIRECTS: usize = 5;
/// How long a connection waits for the next request to the same host: a little longer than the
/// minute that many polls are apart.
const IDLE_CONNECTION: Duration = Duration::from_secs(90);

/// A request to another server.
#[derive(Clone)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// An `http` or `https` address.
    pub url: String,
    /// Headers that go to the asked origin alone, not to where it redirects.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Bytes>,
    /// What the body is, unless a header says so.
    pub content_type: Option<String>,
    /// What is read best, unless a header says so.
    pub accept: Option<&'static str>,
    /// Whether redirects are followed; only those of GET and HEAD ever are.
    pub follow_redirects: bool,
    /// The time from the first byte sent to the last one received, redirects included.
    pub total_timeout: Duration,
    /// The most of an answer that is read.
    pub max_answer_bytes: usize,
    /// What becomes of an answer that is larger.
    pub larger: LargerAnswer,
}

/// What becomes of an answer that is larger than its request allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LargerAnswer {
    /// It is an error.
    Fails,
    /// Its beginning is kept.
    IsCut,
}

/// Headers, bodies and the addresses' queries hold secrets.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Outgoing {
    /// A request without a body that follows no redirect.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: None,
            content_type: None,
            accept: None,
            follow_redirects: false,
            total_timeout: TOTAL_TIMEOUT,
            max_answer_bytes: MAX_ANSWER_BYTES,
            larger: LargerAnswer::Fails,
        }
    }

    /// A GET that follows redirects.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            follow_redirects: true,
            ..Self::new(Method::GET, url)
        }
    }

    /// A POST of `body`.
    pub fn post(
        url: impl Into<String>,
        content_type: impl Into<String>,
        body: impl Into<Bytes>,
    ) -> Self {
        Self::new(Method::POST, url).body(content_type, body)
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With these headers too.
    #[must_use]
    pub fn headers(mut self, headers: impl IntoIterator<Item = (String, String)>) -> Self {
        self.headers.extend(headers);
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, content_type: impl Into<String>, body: impl Into<Bytes>) -> Self {
        self.content_type = Some(content_type.into());
        self.body = Some(body.into());
        self
    }

    /// Says what is read best.
    #[must_use]
    pub const fn accept(mut self, accept: &'static str) -> Self {
        self.accept = Some(accept);
        self
    }

    /// Within this time.
    #[must_use]
    pub const fn within(mut self, total_timeout: Duration) -> Self {
        self.total_timeout = total_timeout;
        self
    }

    /// With an answer of at most so many bytes.
    #[must_use]
    pub const fn at_most(mut self, max_answer_bytes: usize, larger: LargerAnswer) -> Self {
        self.max_answer_bytes = max_answer_bytes;
        self.larger = larger;
        self
    }
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// The address that was asked.
    pub asked: Url,
    /// The one that answered: where it redirected to, if it did.
    pub url: Url,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
    /// Whether there was more of it.
    pub is_cut: bool,
    /// The time from the first byte sent to the last one received.
    pub duration_ms: i64,
}

impl Answer {
    /// A header as text; empty when there is none, or none that is text.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The content type, in small letters.
    pub fn content_type(&self) -> String {
        self.header("content-type").to_ascii_lowercase()
    }
}

/// The kinds of reasons why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundErrorKind {
    /// The address is none.
    InvalidUrl,
    /// A header cannot be sent.
    InvalidHeader,
    /// The address leads to where Dash does not ask.
    ForbiddenTarget,
    /// There is no connection.
    Unreachable,
    /// It took too long.
    Timeout,
    /// The answer is too large.
    TooLarge,
    /// The connection ended before the answer did.
    BrokeOff,
    /// The redirects do not end.
    TooManyRedirects,
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OutboundError {
    /// The kind of reason.
    pub kind: OutboundErrorKind,
    /// What happened, for people. It names hosts, never queries or headers.
    pub message: String,
}

impl OutboundError {
    fn new(kind: OutboundErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

/// Finds the addresses of a name.
type Lookup = fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;

/// Asks the system.
fn system_lookup(name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
    Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
}

/// Finds addresses and leaves out those that may not be connected to: what it returns is what is
/// connected to, whatever the name leads to a moment later.
#[derive(Debug)]
struct GuardedResolver {
    allowed: AllowedTargets,
    lookup: Lookup,
}

/// The name has no address that may be connected to.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to an address inside a private network")]
struct PrivateName;

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let (allowed, lookup) = (self.allowed.clone(), self.lookup);
        Box::pin(async move {
            let found = lookup(host.clone()).await?;
            // A host that is allowed with a port was checked together with it, before resolving.
            let named = allowed.name_host(&host);
            let safe: Vec<SocketAddr> = found
                .into_iter()
                .filter(|a| named || is_public(a.ip()) || allowed.allow_address(a.ip()))
                .collect();
            if safe.is_empty() {
                return Err(Box::from(PrivateName));
            }
            Ok(Box::new(safe.into_iter()) as Addrs)
        })
    }
}

/// The client that asks other servers.
pub struct Outbound {
    client: Client,
    allowed: AllowedTargets,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("allowed", &self.allowed)
            .finish_non_exhaustive()
    }
}

impl Outbound {
    /// A client that asks public addresses and `allowed` ones.
    pub fn new(allowed: AllowedTargets) -> Result<Self, reqwest::Error> {
        Self::with_lookup(allowed, system_lookup)
    }

    fn with_lookup(allowed: AllowedTargets, lookup: Lookup) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .user_agent(concat!("Dash/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_CONNECTION)
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(GuardedResolver {
                allowed: allowed.clone(),
                lookup,
            }))
            .build()?;
        Ok(Self { client, allowed })
    }

    /// Sends a request and reads its answer, whatever its status.
    pub async fn send(&self, request: &Outgoing) -> Result<Answer, OutboundError> {
        let started = Instant::now();
        let asked = Url::parse(&request.url).map_err(|error| {
            OutboundError::new(
                OutboundErrorKind::InvalidUrl,
                format!("The address is wrong: {error}."),
            )
        })?;
        let headers = header_map(request)?;
        let follows =
            request.follow_redirects && matches!(request.method, Method::GET | Method::HEAD);
        let mut url = asked.clone();
        for _ in 0..=MAX_REDIRECTS {
            self.check(&url)?;
            let response = self
                .prepare(request, &headers, &url, url.origin() == asked.origin())
                // Nothing left is a time-out at once.
                .timeout(request.total_timeout.saturating_sub(started.elapsed()))
                .send()
                .await
                .map_err(|error| explain(&error, &url, request.total_timeout))?;
            match redirect_target(&response, &url).filter(|_| follows) {
                Some(next) => url = next,
                None => return read(response, request, asked, url, started).await,
            }
        }
        Err(OutboundError::new(
            OutboundErrorKind::TooManyRedirects,
            format!("The server redirects more than {MAX_REDIRECTS} times."),
        ))
    }

    fn prepare(
        &self,
        request: &Outgoing,
        headers: &HeaderMap,
        url: &Url,
        is_asked_origin: bool,
    ) -> reqwest::RequestBuilder {
        let mut prepared = self.client.request(request.method.clone(), url.clone());
        if let Some(accept) = request.accept {
            prepared = prepared.header(ACCEPT, accept);
        }
        if is_asked_origin {
            prepared = prepared.headers(headers.clone());
        }
        match &request.body {
            Some(body) => prepared.body(body.clone()),
            None => prepared,
        }
    }

    /// Checks that an address may be asked, as far as that is known without resolving its name.
    pub fn check_target(&self, url: &str) -> Result<(), OutboundError> {
        match Url::parse(url) {
            Ok(url) => self.check(&url),
            Err(error) => Err(OutboundError::new(
                OutboundErrorKind::InvalidUrl,
                format!("The address is wrong: {error}."),
            )),
        }
    }

    fn check(&self, url: &Url) -> Result<(), OutboundError> {
        let forbidden =
            |message: String| OutboundError::new(OutboundErrorKind::ForbiddenTarget, message);
        if !matches!(url.scheme(), "http" | "https") {
            return Err(forbidden(format!(
                "Dash does not ask {} addresses.",
                url.scheme()
            )));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(forbidden(
                "An address must not contain a user name or password.".into(),
            ));
        }
        let port = url.port_or_known_default().unwrap_or(80);
        let (host, address) = match url.host() {
            None => return Err(forbidden("The address names no host.".to_owned())),
            // The client connects to an address in the URL without asking the resolver.
            Some(Host::Ipv4(v4)) => (v4.to_string(), Some(IpAddr::V4(v4))),
            Some(Host::Ipv6(v6)) => (format!("[{v6}]"), Some(IpAddr::V6(v6))),
            Some(Host::Domain(name)) => (name.to_owned(), None),
        };
        if self.allowed.allow_host(&host, port) {
            return Ok(());
        }
        match address {
            Some(address) if !is_public(address) && !self.allowed.allow_address(address) => {
                Err(forbidden(private_message(&host)))
            }
            // A name that is allowed with another port only: the resolver would let it through.
            None if self.allowed.name_host(&host) => Err(forbidden(private_message(&host))),
            _ => Ok(()),
        }
    }
}

fn private_message(host: &str) -> String {
    format!(
        "{host} is inside a private network, which Dash does not ask. Whoever runs this Dash can \
         allow it with DASH_ALLOW_TARGETS."
    )
}

fn header_map(request: &Outgoing) -> Result<HeaderMap, OutboundError> {
    let mut map = HeaderMap::new();
    let content_type = request.content_type.as_deref();
    let content_type = content_type.map(|value| (CONTENT_TYPE.as_str(), value));
    let given = request.headers.iter();
    let given = given.map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in content_type.into_iter().chain(given) {
        let invalid = || {
            OutboundError::new(
                OutboundErrorKind::InvalidHeader,
                format!("The value of the header “{name}” has characters that cannot be sent."),
            )
        };
        let name = HeaderName::from_str(name).map_err(|_| invalid())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| invalid())?;
        value.set_sensitive(true);
        map.insert(name, value);
    }
    Ok(map)
}

fn redirect_target(response: &reqwest::Response, from: &Url) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    from.join(response.headers().get(LOCATION)?.to_str().ok()?)
        .ok()
}

async fn read(
    mut response: reqwest::Response,
    request: &Outgoing,
    asked: Url,
    url: Url,
    started: Instant,
) -> Result<Answer, OutboundError> {
    let limit = request.max_answer_bytes;
    let (mut body, mut is_cut) = (Vec::new(), false);
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| explain(&error, &url, request.total_timeout))?
    {
        let room = limit - body.len();
        if chunk.len() > room {
            if request.larger == LargerAnswer::Fails {
                let message = format!("The answer is larger than {}.", size(limit));
                return Err(OutboundError::new(OutboundErrorKind::TooLarge, message));
            }
            body.extend_from_slice(&chunk[..room]);
            is_cut = true;
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        asked,
        url,
        status: response.status(),
        headers: std::mem::take(response.headers_mut()),
        body: body.into(),
        is_cut,
        duration_ms: i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX),
    })
}

fn size(bytes: usize) -> String {
    if bytes >= 1024 * 1024 {
        format!("{} MB", bytes / 1024 / 1024)
    } else {
        format!("{} kB", bytes / 1024)
    }
}

fn explain(error: &reqwest::Error, url: &Url, total_timeout: Duration) -> OutboundError {
    use OutboundErrorKind::{BrokeOff, ForbiddenTarget, Timeout, Unreachable};
    let host = url.host_str().unwrap_or_default();
    let mut sources = std::iter::successors(std::error::Error::source(error), |e| e.source());
    if sources.any(<dyn std::error::Error>::is::<PrivateName>) {
        return OutboundError::new(ForbiddenTarget, private_message(host));
    }
    if error.is_timeout() {
        let seconds = total_timeout.as_secs_f64();
        return OutboundError::new(
            Timeout,
            format!("{host} did not answer within {seconds} seconds."),
        );
    }
    let root = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default();
    if error.is_connect() {
        OutboundError::new(Unreachable, format!("{host} cannot be reached: {root}."))
    } else {
        OutboundError::new(BrokeOff, format!("The answer of {host} broke off: {root}."))
    }
}

#[cfg(test)]
mod tests;
