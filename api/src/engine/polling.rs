//! The HTTP polling source: asks an address, page by page, and finds the records in what it answers.

mod ask;
mod auth;
mod cursor;
mod errors;
mod pages;
mod paths;
mod request;
mod sample;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use dash_shared::fields::FieldPath;
use dash_shared::ids::PipelineId;
use dash_shared::sources::polling::{HttpPolling, Method, Pagination};
use dash_shared::sources::{MAX_BODY_BYTES, MAX_RECORDS_PER_RUN};
use serde_json::Value;
use tokio::time::timeout;

use super::answers;
use crate::clock::Clock;
use crate::data::{Mark, RecordKey};
use crate::outbound::{Outbound, StatusCode};

pub use errors::{FetchError, FetchErrorCode, Outlook};
pub use paths::check_records_path;
pub use sample::SourceTest;

use cursor::CursorReader;
use pages::Pages;
pub(super) use paths::parse_path;
use paths::select;
use request::{Ask, Validators};

/// The most bytes of answers that one run reads.
const MAX_RUN_BYTES: usize = 4 * MAX_BODY_BYTES;
/// The longest that one run may take, pauses and all pages included.
const RUN_TIME_LIMIT: Duration = Duration::from_mins(2);

/// The secrets of a polling source, opened.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The request headers.
    pub headers: Vec<(String, String)>,
    /// The password, token, key or client secret of its authentication.
    pub secret: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// A source that is to be asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Polled<'a> {
    /// Whose it is: tokens are kept for it.
    pub pipeline_id: Option<PipelineId>,
    /// What is asked.
    pub polling: &'a HttpPolling,
    /// The secrets.
    pub credentials: &'a Credentials,
    /// How often a request that fails is sent again.
    pub retries: u32,
}

/// What a poll found.
#[derive(Debug)]
pub(super) enum Found {
    /// The answer is still the one that was taken in before.
    Unchanged,
    /// Records, perhaps none.
    Records(FoundRecords),
}

/// Records that were found.
#[derive(Debug, Default)]
pub(super) struct FoundRecords {
    /// In the order in which they came.
    pub records: Vec<Value>,
    /// What names each of them; shorter when nothing does.
    pub keys: Vec<Option<RecordKey>>,
    /// How far the source is read with them, if that changed.
    pub mark: Option<Mark>,
}

/// Asks polling sources. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Poller {
    outbound: Arc<Outbound>,
    clock: Clock,
    tokens: auth::Tokens,
}

impl Poller {
    pub(super) fn new(outbound: Arc<Outbound>, clock: Clock) -> Self {
        Self {
            outbound,
            clock,
            tokens: auth::Tokens::default(),
        }
    }

    /// Reads what is new, page by page.
    pub(super) async fn fetch(&self, polled: Polled<'_>, mark: Mark) -> Result<Found, FetchError> {
        timeout(RUN_TIME_LIMIT, self.read_pages(polled, mark))
            .await
            .map_err(|_| {
                FetchError::new(
                    FetchErrorCode::Timeout,
                    format!(
                        "Reading all pages took longer than {} seconds. Ask for fewer pages, or \
                         for larger ones.",
                        RUN_TIME_LIMIT.as_secs()
                    ),
                )
            })?
    }

    async fn read_pages(&self, polled: Polled<'_>, mark: Mark) -> Result<Found, FetchError> {
        let polling = polled.polling;
        let path = parse_path(&polling.records_path)?;
        let mut cursor = CursorReader::new(polling.cursor.as_ref(), mark.cursor.clone())?;
        let mut pages = Pages::new(&polling.pagination)?;
        let first = request::first_url(polling, cursor.to_send())?;
        let body = request::body(polling, cursor.to_send());
        let known = is_conditional(polling).then(|| Validators::known(&mark, &first));
        let mut ask = Ask {
            url: pages.first(first.clone()),
            base: &first,
            body,
            known: known.flatten(),
        };
        let (mut records, mut bytes, mut asked) = (Vec::new(), 0, HashSet::new());
        let mut validators = None;
        for page in 0..polling.max_pages {
            // A page that leads back to one that was read is the end.
            if !asked.insert(ask.url.clone()) {
                break;
            }
            let answer = self.ask(polled, &ask).await?;
            if answer.status == StatusCode::NOT_MODIFIED && ask.known.is_some() {
                return Ok(Found::Unchanged);
            }
            if page > 0 && pages.ends_with(answer.status) {
                break;
            }
            bytes += answer.body.len();
            if bytes > MAX_RUN_BYTES {
                return Err(too_many_bytes());
            }
            validators = Validators::of(&answer, &first);
            let content = answers::read(&answer, polling.format)?;
            let next = pages.hint(&content.value, &answer);
            cursor.look_at_answer(&content.value);
            let found = match select(&path, content) {
                Err(error) if page > 0 && error.code == FetchErrorCode::NoRecords => Vec::new(),
                found => found?,
            };
            if pages.is_repeated(&answer.body) {
                break;
            }
            if records.len() + found.len() > MAX_RECORDS_PER_RUN {
                // The next run goes on where this one ends.
                if cursor.goes_on() && page > 0 {
                    break;
                }
                return Err(too_many_records(records.len() + found.len()));
            }
            cursor.look_at(&found);
            let count = found.len();
            records.extend(found);
            match pages.next(&ask.url, next, count)? {
                Some(url) => {
                    ask = Ask {
                        url,
                        known: None,
                        ..ask
                    }
                }
                None => break,
            }
        }
        let validators = validators.filter(|_| is_conditional(polling));
        let mut next = mark.clone();
        next.cursor = cursor.end(records.len())?;
        next.validators = validators.map(|validators| validators.to_text());
        Ok(Found::Records(FoundRecords {
            keys: keys(&records, polling.key_field.as_deref()),
            records,
            mark: (next != mark).then_some(next),
        }))
    }

    /// Asks once and shows what came. With an empty path, the longest list of objects is shown.
    pub(super) async fn test(&self, polled: Polled<'_>) -> Result<SourceTest, FetchError> {
        let polling = polled.polling;
        let given = polling.records_path.trim();
        if !given.is_empty() {
            parse_path(given)?;
        }
        let cursor = CursorReader::new(polling.cursor.as_ref(), None)?;
        let mut pages = Pages::new(&polling.pagination)?;
        let first = request::first_url(polling, cursor.to_send())?;
        let ask = Ask {
            url: pages.first(first.clone()),
            base: &first,
            body: request::body(polling, cursor.to_send()),
            known: None,
        };
        let answer = self.ask(polled, &ask).await?;
        let content = answers::read(&answer, polling.format)?;
        let next = pages.hint(&content.value, &answer);
        let candidates = paths::candidates(&content.value);
        let records_path = match given {
            "" => candidates
                .first()
                .cloned()
                .unwrap_or_else(|| "$".to_owned()),
            given => given.to_owned(),
        };
        let records = select(&parse_path(&records_path)?, content)?;
        let has_more = pages.next(&ask.url, next, records.len())?.is_some();
        Ok(SourceTest::new(
            &answer,
            records_path,
            candidates,
            records,
            has_more,
        ))
    }
}

/// Whether an answer that has not changed need not be sent again: it has to be all that is read.
fn is_conditional(polling: &HttpPolling) -> bool {
    polling.method == Method::Get && polling.pagination == Pagination::None
}

/// What names each record. One without a value in the field has no name, and is always stored.
fn keys(records: &[Value], field: Option<&str>) -> Vec<Option<RecordKey>> {
    let Some(path) = field.and_then(|field| field.parse::<FieldPath>().ok()) else {
        return Vec::new();
    };
    let key = |record: &Value| match path.get(record.as_object()?)? {
        Value::Null => None,
        value => Some(RecordKey::of(value.to_string())),
    };
    records.iter().map(key).collect()
}

fn too_many_bytes() -> FetchError {
    let message = format!(
        "The pages are larger than {} MB together. Ask for fewer of them, or go on with a cursor.",
        MAX_RUN_BYTES / 1024 / 1024
    );
    FetchError::new(FetchErrorCode::TooLarge, message)
}

fn too_many_records(count: usize) -> FetchError {
    let message = format!(
        "The pages have {count} records or more; a run takes at most {MAX_RECORDS_PER_RUN}. Ask for \
         fewer pages, or go on with a cursor."
    );
    FetchError::new(FetchErrorCode::TooLarge, message)
}
