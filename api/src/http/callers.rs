//! Who sends a request: the address, the browser, and the session that its cookie shows.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::header::{COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName};

use super::origins;
use crate::accounts::{AccountsError, ClientInfo, SessionToken, Viewer};
use crate::app::App;
use crate::config::HttpConfig;
use crate::telemetry::RequestId;

/// Who sends a request.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) client: ClientInfo,
    pub(super) token: Option<SessionToken>,
    pub(super) viewer: Option<Viewer>,
    pub(super) request_id: RequestId,
}

/// Why it cannot be said who the caller is.
#[derive(Debug)]
pub(super) enum UnknownCaller {
    /// The request shows a session, but comes from a page that is not ours.
    ForeignOrigin,
    /// The session could not be looked up.
    Accounts(AccountsError),
}

impl Caller {
    pub(super) async fn of(app: &App, parts: &Parts) -> Result<Self, UnknownCaller> {
        let config = &app.config.http;
        let token = session_token(&parts.headers);
        let viewer = match &token {
            None => None,
            Some(_) if !origins::is_own(&parts.headers, &config.public_url) => {
                return Err(UnknownCaller::ForeignOrigin);
            }
            Some(token) => app
                .accounts
                .authenticate(token)
                .await
                .map_err(UnknownCaller::Accounts)?,
        };
        let client = client_info(config, &parts.headers, &parts.extensions);
        Ok(Self {
            client,
            token,
            viewer,
            request_id: request_id(&parts.extensions),
        })
    }

    /// What resolvers find in their context.
    pub(super) fn into_data(self) -> async_graphql::Data {
        let mut data = async_graphql::Data::default();
        data.insert(self.client);
        data.insert(self.request_id);
        if let Some(viewer) = self.viewer {
            data.insert(viewer);
        }
        if let Some(token) = self.token {
            data.insert(token);
        }
        data
    }
}

/// The id that [`super::requests::observe`] gave the request.
pub(super) fn request_id(extensions: &Extensions) -> RequestId {
    extensions.get::<RequestId>().cloned().unwrap_or_default()
}

fn session_token(headers: &HeaderMap) -> Option<SessionToken> {
    let cookies = headers.get_all(COOKIE).into_iter();
    cookies
        .filter_map(|value| value.to_str().ok())
        .find_map(SessionToken::from_cookies)
}

fn client_info(config: &HttpConfig, headers: &HeaderMap, extensions: &Extensions) -> ClientInfo {
    let user_agent = headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let peer = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip());
    let header = config.client_ip_header.as_ref();
    let named = header.and_then(|header| named_by_proxy(headers, header));
    let ip = named.or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    ClientInfo::new(user_agent, ip)
}

/// The address that the nearest proxy saw: the last one in its header. Those before it are what
/// the client claims.
fn named_by_proxy(headers: &HeaderMap, header: &HeaderName) -> Option<IpAddr> {
    let values = headers.get_all(header);
    let last = values.iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn the_nearest_proxy_is_believed_and_nobody_before_it() {
        let check = |values: &[&'static str], expected: Option<&str>| {
            let name = HeaderName::from_static("x-forwarded-for");
            let pairs: Vec<_> = values.iter().map(|v| ("x-forwarded-for", *v)).collect();
            let expected = expected.map(|ip| ip.parse().unwrap());
            assert_eq!(
                named_by_proxy(&headers(&pairs), &name),
                expected,
                "{values:?}"
            );
        };
        check(&[], None);
        check(&["192.0.2.7"], Some("192.0.2.7"));
        check(&["127.0.0.1, 192.0.2.7"], Some("192.0.2.7"));
        check(&["127.0.0.1", "2001:db8::1"], Some("2001:db8::1"));
        check(&["192.0.2.7, unknown"], None);
    }

    #[test]
    fn only_the_header_that_the_operator_named_is_believed() {
        let mut config = crate::config::Config::for_tests("", std::path::Path::new("")).http;
        // As Fly.io sends them: the last entry of X-Forwarded-For is the app's own address.
        let sent = headers(&[
            ("fly-client-ip", "192.0.2.7"),
            ("x-forwarded-for", "192.0.2.7, 198.51.100.1"),
        ]);
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([172, 16, 0, 1], 999))));
        for (header, expected) in [
            (None, "172.16.0.1"),
            (Some("fly-client-ip"), "192.0.2.7"),
            (Some("x-forwarded-for"), "198.51.100.1"),
            (Some("x-real-ip"), "172.16.0.1"),
        ] {
            config.client_ip_header = header.map(HeaderName::from_static);
            let client = client_info(&config, &sent, &extensions);
            assert_eq!(client.ip.to_string(), expected, "{header:?}");
        }
    }
}
