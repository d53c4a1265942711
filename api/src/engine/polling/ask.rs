//! Asking for one page: who asks, what is sent again when it fails, and how long a server wants to
//! be left alone.

use std::time::Duration;

use dash_shared::sources::polling::Auth;
use rand::RngExt as _;
use reqwest::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH, RETRY_AFTER};

use super::request::Ask;
use super::{FetchError, FetchErrorCode, Outlook, Polled, Poller};
use crate::engine::answers;
use crate::outbound::{Answer, Method, Outgoing, StatusCode};

/// What is asked for: what Dash reads first, and anything else rather than a refusal.
const ACCEPT: &str = "application/json, text/csv;q=0.9, text/tab-separated-values;q=0.9, \
                      application/x-ndjson;q=0.9, */*;q=0.1";
/// The pause before a request is sent a second time; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause that a run waits for; a longer one ends it.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The longest time that a server is left alone because it asks for it.
const LONGEST_RETRY_AFTER_MS: i64 = 24 * 3_600_000;

impl Poller {
    /// Asks for a page until there is an answer that says something: a success, or a status that the
    /// pages have to judge.
    pub(super) async fn ask(
        &self,
        polled: Polled<'_>,
        ask: &Ask<'_>,
    ) -> Result<Answer, FetchError> {
        let (mut sent, mut renewed) = (0, false);
        loop {
            let request = self.outgoing(polled, ask).await?;
            let (error, wanted) = match self.outbound.send(&request).await {
                Ok(answer) if says_something(answer.status) => return Ok(answer),
                // A token may be revoked before it expires.
                Ok(answer)
                    if answer.status == StatusCode::UNAUTHORIZED
                        && matches!(polled.polling.auth, Auth::OAuth2(_))
                        && !renewed =>
                {
                    self.forget_token(polled).await;
                    renewed = true;
                    continue;
                }
                Ok(answer) => {
                    let wanted_ms = retry_after_ms(&answer, self.clock.now_ms());
                    let mut error = answers::bad_status(answer.status);
                    if let Some(ms) = wanted_ms {
                        error = error.with(Outlook::NotWithin { ms });
                    }
                    if !may_pass(answer.status) {
                        return Err(error);
                    }
                    (error, wanted_ms)
                }
                Err(error) => {
                    let error = FetchError::from(error);
                    if error.code != FetchErrorCode::Unreachable {
                        return Err(error);
                    }
                    (error, None)
                }
            };
            let wanted = wanted.map(|ms| Duration::from_millis(ms.unsigned_abs()));
            let pause = wanted.unwrap_or_else(|| growing_pause(sent));
            if sent >= polled.retries || pause > LONGEST_PAUSE {
                return Err(error);
            }
            sent += 1;
            self.clock.pause(pause).await;
        }
    }

    async fn outgoing(&self, polled: Polled<'_>, ask: &Ask<'_>) -> Result<Outgoing, FetchError> {
        let is_own = ask.url.origin() == ask.base.origin();
        let mut url = ask.url.clone();
        let auth = if is_own {
            self.authorize(polled, &mut url).await?
        } else {
            None
        };
        let mut request = match &ask.body {
            Some(_) if !is_own => {
                return Err(FetchError::new(
                    FetchErrorCode::ForbiddenTarget,
                    "The next page is at another host, which the body of the request is not meant \
                     for. Choose another kind of pagination.",
                ));
            }
            Some((content_type, body)) => Outgoing::post(url, content_type.clone(), body.clone()),
            None if polled.polling.method == dash_shared::sources::polling::Method::Post => {
                Outgoing::new(Method::POST, url)
            }
            None => Outgoing::get(url),
        };
        if is_own {
            request = request.headers(polled.credentials.headers.iter().cloned());
        }
        if let Some((name, value)) = auth {
            request = request.header(name, value);
        }
        if let Some(known) = &ask.known {
            let etag = known.etag.iter().map(|value| (IF_NONE_MATCH, value));
            let since = known
                .last_modified
                .iter()
                .map(|value| (IF_MODIFIED_SINCE, value));
            for (name, value) in etag.chain(since) {
                request = request.header(name.as_str(), value);
            }
        }
        Ok(request.accept(ACCEPT))
    }
}

/// Whether a status is for the pages to judge: a success, nothing new, or no such page.
fn says_something(status: StatusCode) -> bool {
    status.is_success() || matches!(status.as_u16(), 304 | 404)
}

/// Whether the same request may go well a moment later.
fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}

/// 250 ms, 500 ms, 1 s, each up to half longer, so that many do not come back at once.
fn growing_pause(sent: u32) -> Duration {
    let pause = FIRST_PAUSE * (1 << sent.min(4));
    pause.mul_f64(rand::rng().random_range(1.0..1.5))
}

/// How long a server wants to be left alone: a number of seconds, or a date (RFC 9110, 10.2.3).
fn retry_after_ms(answer: &Answer, now_ms: i64) -> Option<i64> {
    if !matches!(answer.status.as_u16(), 429 | 503) {
        return None;
    }
    let wanted = answer.header(RETRY_AFTER.as_str()).trim();
    let ms = if let Ok(seconds) = wanted.parse::<i64>() {
        seconds.saturating_mul(1_000)
    } else {
        let date = httpdate::parse_http_date(wanted).ok()?;
        let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok()? - now_ms
    };
    Some(ms.clamp(0, LONGEST_RETRY_AFTER_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::HeaderMap;
    use url::Url;

    #[test]
    fn a_server_says_when_to_come_back() {
        let check = |status, header: &str, expected| {
            let url = Url::parse("https://a.test").unwrap();
            let headers: HeaderMap = [(RETRY_AFTER, header.parse().unwrap())]
                .into_iter()
                .collect();
            let answer = Answer {
                asked: url.clone(),
                url,
                status: StatusCode::from_u16(status).unwrap(),
                headers,
                body: bytes::Bytes::new(),
                is_cut: false,
                duration_ms: 1,
            };
            // Noon in UTC on 22 November 2026.
            let found = retry_after_ms(&answer, 1_795_348_800_000);
            assert_eq!(found, expected, "{status} {header}");
        };
        check(429, "120", Some(120_000));
        check(503, " 2 ", Some(2_000));
        check(503, "Sun, 22 Nov 2026 12:00:30 GMT", Some(30_000));
        check(503, "Sun, 22 Nov 2026 11:00:00 GMT", Some(0));
        check(429, "9999999999999999", Some(LONGEST_RETRY_AFTER_MS));
        check(429, "-5", Some(0));
        check(429, "soon", None);
        check(500, "120", None);
    }
}
