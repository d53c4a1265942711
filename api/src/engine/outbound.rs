//! Asking other servers, safely: whoever runs Dash must not be reached through it.
//!
//! A name is resolved once, every address it has is checked, and only a checked address is
//! connected to. Redirects are followed by hand, each as if it had been asked for. Sizes and times
//! are bounded.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dash_shared::sources::MAX_BODY_BYTES;
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use url::{Host, Url};

use super::polling::{FetchError, FetchErrorCode};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take, from the first byte sent to the last one received.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(15);
const MAX_REDIRECTS: usize = 5;

/// What is asked for: what Dash reads first, and anything else rather than a refusal.
const ACCEPT: &str = "application/json, text/csv;q=0.9, text/tab-separated-values;q=0.9, */*;q=0.1";

/// An answer.
#[derive(Debug)]
pub(super) struct Fetched {
    /// The address that was asked.
    pub asked: Url,
    /// The one that answered: where it redirected to, if it did.
    pub url: Url,
    pub status: StatusCode,
    pub content_type: String,
    pub body: Bytes,
}

/// Private addresses that whoever runs Dash allows all the same.
#[derive(Clone, Debug, Default)]
pub struct AllowedTargets(Vec<Allowed>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Allowed {
    /// A host, by name or address, with one port or any.
    Host { host: String, port: Option<u16> },
    /// A network: an address and how many of its bits count.
    Network { address: IpAddr, bits: u8 },
}

/// The text names no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a host, host:port or network such as 10.0.0.0/8")]
pub struct InvalidTarget(pub String);

impl FromStr for Allowed {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let invalid = || InvalidTarget(text.to_owned());
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| invalid())?;
            let bits: u8 = bits.parse().map_err(|_| invalid())?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            return if bits <= most {
                Ok(Self::Network { address, bits })
            } else {
                Err(invalid())
            };
        }
        let url = Url::parse(&format!("http://{text}/")).map_err(|_| invalid())?;
        let host = url.host_str().ok_or_else(invalid)?.to_owned();
        let port = text
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok());
        Ok(Self::Host { host, port })
    }
}

impl AllowedTargets {
    /// Reads each target: `host`, `host:port`, or a network such as `10.0.0.0/8`.
    pub fn parse<T: AsRef<str>>(targets: &[T]) -> Result<Self, InvalidTarget> {
        targets
            .iter()
            .map(|target| target.as_ref().parse())
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn allow_host(&self, host: &str, port: u16) -> bool {
        self.0.iter().any(|allowed| match allowed {
            Allowed::Host {
                host: name,
                port: only,
            } => name.eq_ignore_ascii_case(host) && only.is_none_or(|only| only == port),
            Allowed::Network { .. } => false,
        })
    }

    fn allow_address(&self, address: IpAddr) -> bool {
        self.0.iter().any(|allowed| match allowed {
            Allowed::Network {
                address: network,
                bits,
            } => in_network(address, *network, *bits),
            Allowed::Host { .. } => false,
        })
    }
}

fn in_network(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let (a, b, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    bits == 0 || (a ^ b).checked_shr(u32::from(width - bits)).unwrap_or(0) == 0
}

/// Whether an address is on the public internet: not this machine, not a private network, not one
/// that is reserved, and not one of these inside an IPv6 address.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    !(v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_broadcast()
        || v4.is_documentation()
        || v4.is_multicast()
        || a == 0
        || a >= 240
        // Carrier-grade NAT, IETF protocol assignments, 6to4 relays, benchmarking.
        || a == 100 && (64..128).contains(&b)
        || a == 192 && b == 0 && c == 0
        || a == 192 && b == 88 && c == 99
        || a == 198 && (b == 18 || b == 19))
}

fn is_public_v6(v6: Ipv6Addr) -> bool {
    let segments = v6.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // v4-mapped, and NAT64's well-known prefix: what counts is the v4 address inside.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            embedded(high, low)
        }
        // 6to4.
        [0x2002, high, low, ..] => embedded(high, low),
        // Teredo, ORCHID and documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        // Everything that is assigned lies in 2000::/3.
        [first, ..] => first & 0xe000 == 0x2000 && first != 0x3fff,
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
            let named = allowed.0.iter().any(
                |a| matches!(a, Allowed::Host { host: name, .. } if name.eq_ignore_ascii_case(&host)),
            );
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
            .timeout(TOTAL_TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(GuardedResolver {
                allowed: allowed.clone(),
                lookup,
            }))
            .build()?;
        Ok(Self { client, allowed })
    }

    /// Asks an address. Headers go to the host they were meant for, not to where it redirects.
    pub(super) async fn get(
        &self,
        url: &str,
        headers: &[(String, String)],
    ) -> Result<Fetched, FetchError> {
        let asked = Url::parse(url).map_err(|error| {
            FetchError::new(
                FetchErrorCode::Unreachable,
                format!("The address is wrong: {error}."),
            )
        })?;
        let mut url = asked.clone();
        for _ in 0..=MAX_REDIRECTS {
            self.check(&url)?;
            let mut request = self.client.get(url.clone()).header("accept", ACCEPT);
            if url.origin() == asked.origin() {
                request = request.headers(header_map(headers)?);
            }
            let response = request
                .send()
                .await
                .map_err(|error| explain(&error, &url))?;
            match redirect_target(&response, &url) {
                Some(next) => url = next,
                None => return read(response, asked, url).await,
            }
        }
        Err(FetchError::new(
            FetchErrorCode::BadStatus,
            format!("The server redirects more than {MAX_REDIRECTS} times."),
        ))
    }

    fn check(&self, url: &Url) -> Result<(), FetchError> {
        let forbidden = |message: String| FetchError::new(FetchErrorCode::ForbiddenTarget, message);
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
            None if self.allowed.0.iter().any(
                |a| matches!(a, Allowed::Host { host: name, .. } if name.eq_ignore_ascii_case(&host)),
            ) =>
            {
                Err(forbidden(private_message(&host)))
            }
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

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, FetchError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let invalid = || {
            FetchError::new(
                FetchErrorCode::Unreachable,
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
    if !response.status().is_redirection() {
        return None;
    }
    from.join(response.headers().get("location")?.to_str().ok()?)
        .ok()
}

async fn read(
    mut response: reqwest::Response,
    asked: Url,
    url: Url,
) -> Result<Fetched, FetchError> {
    let status = response.status();
    let content_type = response
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| explain(&error, &url))?
    {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(FetchError::new(
                FetchErrorCode::TooLarge,
                format!(
                    "The answer is larger than {} MB.",
                    MAX_BODY_BYTES / 1024 / 1024
                ),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Fetched {
        asked,
        url,
        status,
        content_type,
        body: body.into(),
    })
}

fn explain(error: &reqwest::Error, url: &Url) -> FetchError {
    let host = url.host_str().unwrap_or_default();
    let mut sources = std::iter::successors(std::error::Error::source(error), |e| e.source());
    if sources.any(<dyn std::error::Error>::is::<PrivateName>) {
        return FetchError::new(FetchErrorCode::ForbiddenTarget, private_message(host));
    }
    if error.is_timeout() {
        return FetchError::new(
            FetchErrorCode::Timeout,
            format!(
                "{host} did not answer within {} seconds.",
                TOTAL_TIMEOUT.as_secs()
            ),
        );
    }
    let root = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default();
    let what = if error.is_connect() {
        format!("{host} cannot be reached: {root}.")
    } else {
        format!("The answer of {host} broke off: {root}.")
    };
    FetchError::new(FetchErrorCode::Unreachable, what)
}

#[cfg(test)]
mod tests;
