//! Polling sources: what is asked, who asks, how the answer goes on, and what of it is new.

use async_graphql::{Enum, InputObject, SimpleObject};
use dash_shared::sources::polling::{self, HttpPolling, MAX_PAGES};
use serde_json::Value;

use super::super::errors::UserError;
use super::super::int;
use super::super::steps::{Field, FieldMapping};
use super::RunError;
use crate::engine;
use crate::pipelines::{NewCredentials, NewHeader};

/// An address that is asked at an interval or at set times, and answers JSON, NDJSON or CSV.
#[derive(Debug, SimpleObject)]
pub struct HttpPollingSource {
    /// The address, with placeholders.
    url: String,
    /// The method.
    method: PollMethod,
    /// What is added to the query of the address.
    query: Vec<QueryParameter>,
    /// The names of the request headers. Their values are secrets and never shown.
    header_names: Vec<String>,
    /// The body of a POST.
    body: Option<RequestBody>,
    /// Who asks. Its secret is never shown.
    auth: PollAuth,
    /// The time from one poll to the next, in seconds; null when it is polled at set times.
    interval_seconds: Option<i32>,
    /// The times at which it is polled; null when it is polled at an interval.
    cron: Option<CronSchedule>,
    /// How the answer is written.
    format: AnswerFormat,
    /// A JSONPath (RFC 9535) to the records in the answer; the lines of a CSV or of NDJSON are under
    /// `$`.
    records_path: String,
    /// How the answer goes on.
    pagination: Pagination,
    /// How many pages a run reads at most.
    max_pages: i32,
    /// Where the next run goes on.
    cursor: Option<PollCursor>,
    /// The field that names a record: one that is stored already is left out.
    key_field: Option<String>,
}

/// A query parameter.
#[derive(Debug, SimpleObject)]
pub struct QueryParameter {
    /// The name.
    name: String,
    /// The value, with placeholders.
    value: String,
}

/// The body of a request.
#[derive(Debug, SimpleObject)]
pub struct RequestBody {
    /// What it is, such as `application/json`.
    content_type: String,
    /// The text, with placeholders.
    text: String,
}

/// Who asks.
#[derive(Debug, SimpleObject)]
pub struct PollAuth {
    /// The kind, which says what else there is.
    kind: PollAuthKind,
    /// The user of `BASIC`.
    user_name: Option<String>,
    /// Where the key of `API_KEY` is sent.
    place: Option<ApiKeyPlace>,
    /// The name of the header or query parameter of `API_KEY`.
    name: Option<String>,
    /// The address that gives tokens, of `OAUTH2`.
    token_url: Option<String>,
    /// The client of `OAUTH2`.
    client_id: Option<String>,
    /// What the token of `OAUTH2` is to allow.
    scope: Option<String>,
    /// Whom the token of `OAUTH2` is for.
    audience: Option<String>,
    /// Where the client of `OAUTH2` and its secret are sent.
    client_place: Option<OAuthClientPlace>,
}

/// The times at which a source is polled.
#[derive(Debug, SimpleObject)]
pub struct CronSchedule {
    /// Five fields (minute, hour, day, month, weekday), or six with seconds first.
    expression: String,
    /// The IANA name of the zone whose clock is meant, such as `Europe/Berlin`.
    time_zone: String,
}

/// How an answer goes on.
#[derive(Debug, SimpleObject)]
pub struct Pagination {
    /// The kind, which says what else there is.
    kind: PaginationKind,
    /// The query parameter of `PAGE`, `OFFSET` and `CURSOR`.
    parameter: Option<String>,
    /// The number of the first page, of `PAGE`.
    first: Option<i32>,
    /// The query parameter with the size of a page, of `PAGE` and `OFFSET`.
    size_parameter: Option<String>,
    /// How many records a page has, of `PAGE` and `OFFSET`; a shorter one is the last.
    size: Option<i32>,
    /// A JSONPath to what asks for the next page, of `CURSOR` and `NEXT_URL`.
    path: Option<String>,
}

/// Where the next run goes on: a value of what came, sent where `{{cursor}}` is.
#[derive(Debug, SimpleObject)]
pub struct PollCursor {
    /// Where the value is.
    place: CursorPlace,
    /// The path of the field in each record, or a JSONPath into the answer.
    path: String,
    /// Which of several values it is.
    pick: CursorPick,
    /// What is sent the first time.
    initial: Option<String>,
}

/// The method of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "polling::Method")]
pub enum PollMethod {
    /// Without a body.
    Get,
    /// With a body, for searches that need one.
    Post,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum PollAuthKind {
    /// Nobody in particular.
    None,
    /// A user with a password.
    Basic,
    /// Whoever has a token.
    Bearer,
    /// Whoever has a key.
    ApiKey,
    /// A client that gets itself tokens (OAuth 2.0, client credentials).
    #[graphql(name = "OAUTH2")]
    OAuth2,
}

/// Where an API key is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "polling::ApiKeyPlace")]
pub enum ApiKeyPlace {
    /// In a header.
    Header,
    /// In the query.
    Query,
}

/// Where a client of OAuth 2.0 and its secret are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "OAuthClientPlace", remote = "polling::ClientPlace")]
pub enum OAuthClientPlace {
    /// In the header `Authorization`, as every server takes it.
    Header,
    /// In the form.
    Body,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "polling::AnswerFormat")]
pub enum AnswerFormat {
    /// As its content type says.
    Auto,
    /// JSON.
    Json,
    /// A JSON value on each line.
    Ndjson,
    /// Comma-separated values, a record on each line.
    Csv,
}

/// How an answer goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum PaginationKind {
    /// It does not.
    None,
    /// Pages have numbers.
    Page,
    /// A page begins after so many records.
    Offset,
    /// A page holds what asks for the next.
    Cursor,
    /// The header `Link` has the address of the next page.
    Link,
    /// A page holds the address of the next.
    NextUrl,
}

/// Where an incremental cursor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "polling::CursorPlace")]
pub enum CursorPlace {
    /// In each record.
    Records,
    /// In the answer, once.
    Answer,
}

/// Which of several values is the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "polling::CursorPick")]
pub enum CursorPick {
    /// The highest number, the latest time, the last text in the order of characters.
    Highest,
    /// The one that came last.
    Last,
}

fn whole(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A negative number is less than anything allows.
fn natural(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

impl HttpPollingSource {
    pub(super) fn of(polling: &HttpPolling) -> Self {
        let polling = polling.clone();
        let (interval_seconds, cron) = match polling.schedule {
            polling::Schedule::Every { interval_seconds } => (Some(whole(interval_seconds)), None),
            polling::Schedule::Cron { cron, time_zone } => {
                let cron = CronSchedule {
                    expression: cron,
                    time_zone,
                };
                (None, Some(cron))
            }
        };
        Self {
            url: polling.url,
            method: polling.method.into(),
            query: polling
                .query
                .into_iter()
                .map(|polling::Parameter { name, value }| QueryParameter { name, value })
                .collect(),
            header_names: polling.header_names,
            body: polling.body.map(|body| RequestBody {
                content_type: body.content_type,
                text: body.text,
            }),
            auth: PollAuth::of(polling.auth),
            interval_seconds,
            cron,
            format: polling.format.into(),
            records_path: polling.records_path,
            pagination: Pagination::of(polling.pagination),
            max_pages: whole(polling.max_pages),
            cursor: polling.cursor.map(|cursor| PollCursor {
                place: cursor.place.into(),
                path: cursor.path,
                pick: cursor.pick.into(),
                initial: cursor.initial,
            }),
            key_field: polling.key_field,
        }
    }
}

impl PollAuth {
    fn of(auth: polling::Auth) -> Self {
        let none = Self {
            kind: PollAuthKind::None,
            user_name: None,
            place: None,
            name: None,
            token_url: None,
            client_id: None,
            scope: None,
            audience: None,
            client_place: None,
        };
        match auth {
            polling::Auth::None => none,
            polling::Auth::Basic { user_name } => Self {
                kind: PollAuthKind::Basic,
                user_name: Some(user_name),
                ..none
            },
            polling::Auth::Bearer => Self {
                kind: PollAuthKind::Bearer,
                ..none
            },
            polling::Auth::ApiKey { place, name } => Self {
                kind: PollAuthKind::ApiKey,
                place: Some(place.into()),
                name: Some(name),
                ..none
            },
            polling::Auth::OAuth2(client) => Self {
                kind: PollAuthKind::OAuth2,
                token_url: Some(client.token_url),
                client_id: Some(client.client_id),
                scope: client.scope,
                audience: client.audience,
                client_place: Some(client.client_place.into()),
                ..none
            },
        }
    }
}

impl Pagination {
    fn of(pagination: polling::Pagination) -> Self {
        let none = Self {
            kind: PaginationKind::None,
            parameter: None,
            first: None,
            size_parameter: None,
            size: None,
            path: None,
        };
        match pagination {
            polling::Pagination::None => none,
            polling::Pagination::Page {
                parameter,
                first,
                size_parameter,
                size,
            } => Self {
                kind: PaginationKind::Page,
                parameter: Some(parameter),
                first: Some(whole(first)),
                size_parameter,
                size: size.map(whole),
                ..none
            },
            polling::Pagination::Offset {
                parameter,
                size_parameter,
                size,
            } => Self {
                kind: PaginationKind::Offset,
                parameter: Some(parameter),
                size_parameter,
                size: size.map(whole),
                ..none
            },
            polling::Pagination::Cursor { parameter, path } => Self {
                kind: PaginationKind::Cursor,
                parameter: Some(parameter),
                path: Some(path),
                ..none
            },
            polling::Pagination::Link => Self {
                kind: PaginationKind::Link,
                ..none
            },
            polling::Pagination::NextUrl { path } => Self {
                kind: PaginationKind::NextUrl,
                path: Some(path),
                ..none
            },
        }
    }
}

/// An address to poll. The address, the values of the query and the body may hold placeholders:
/// `{{cursor}}` for where the run before ended, `{{secrets.name}}` for a secret of the team.
#[derive(Debug, InputObject)]
pub struct HttpPollingSourceInput {
    /// An `http` or `https` address.
    url: String,
    /// The method.
    #[graphql(default_with = "PollMethod::Get")]
    method: PollMethod,
    /// What is added to the query of the address.
    #[graphql(default)]
    query: Vec<QueryParameterInput>,
    /// Request headers.
    #[graphql(default)]
    headers: Vec<HeaderInput>,
    /// The body of a POST.
    body: Option<RequestBodyInput>,
    /// Who asks; nobody in particular without it.
    auth: Option<PollAuthInput>,
    /// The time from one poll to the next, in seconds; the plan sets the shortest. Either this or
    /// `cron` is needed.
    interval_seconds: Option<i32>,
    /// The times at which it is polled; the plan sets the shortest time between two of them.
    cron: Option<CronScheduleInput>,
    /// How the answer is written.
    #[graphql(default_with = "AnswerFormat::Auto")]
    format: AnswerFormat,
    /// A JSONPath (RFC 9535) to the records in the answer: to a list of them, or to each. The lines of
    /// a CSV or of NDJSON are a list under `$`. In a test, an empty path looks for the longest list of
    /// objects.
    #[graphql(default_with = "String::from(\"$\")")]
    records_path: String,
    /// How the answer goes on; not at all without it.
    pagination: Option<PaginationInput>,
    /// How many pages a run reads at most, 1 to 100. What is beyond is left to the next run, which
    /// begins at the cursor if there is one.
    #[graphql(default_with = "whole(MAX_PAGES)")]
    max_pages: i32,
    /// Where the next run goes on; at the beginning without it.
    cursor: Option<PollCursorInput>,
    /// The path of the field that names a record, such as `id`: one that is stored already is left
    /// out.
    key_field: Option<String>,
}

/// A query parameter.
#[derive(Debug, InputObject)]
pub struct QueryParameterInput {
    /// The name.
    name: String,
    /// The value, with placeholders.
    value: String,
}

/// A request header.
#[derive(Debug, InputObject)]
pub struct HeaderInput {
    /// The name.
    pub(in super::super) name: String,
    /// The value, a secret. Without one, the stored value of the same name is kept.
    pub(in super::super) value: Option<String>,
}

/// The body of a request.
#[derive(Debug, InputObject)]
pub struct RequestBodyInput {
    /// What it is, such as `application/json`.
    content_type: String,
    /// The text, with placeholders.
    text: String,
}

/// Who asks.
#[derive(Debug, InputObject)]
pub struct PollAuthInput {
    /// The kind, which says what else is looked at.
    kind: PollAuthKind,
    /// The password of `BASIC`, the token of `BEARER`, the key of `API_KEY`, the client's secret of
    /// `OAUTH2`. Without one, the stored one is kept.
    secret: Option<String>,
    /// The user of `BASIC`.
    user_name: Option<String>,
    /// Where the key of `API_KEY` is sent; in a header without it.
    place: Option<ApiKeyPlace>,
    /// The name of the header or query parameter of `API_KEY`.
    name: Option<String>,
    /// The address that gives tokens, of `OAUTH2`.
    token_url: Option<String>,
    /// The client of `OAUTH2`.
    client_id: Option<String>,
    /// What the token of `OAUTH2` is to allow.
    scope: Option<String>,
    /// Whom the token of `OAUTH2` is for.
    audience: Option<String>,
    /// Where the client of `OAUTH2` and its secret are sent; in a header without it.
    client_place: Option<OAuthClientPlace>,
}

/// The times at which a source is polled.
#[derive(Debug, InputObject)]
pub struct CronScheduleInput {
    /// Five fields (minute, hour, day, month, weekday), or six with seconds first.
    expression: String,
    /// The IANA name of the zone whose clock is meant, such as `Europe/Berlin`.
    #[graphql(default_with = "String::from(\"UTC\")")]
    time_zone: String,
}

/// How an answer goes on.
#[derive(Debug, InputObject)]
pub struct PaginationInput {
    /// The kind, which says what else is looked at.
    kind: PaginationKind,
    /// The query parameter of `PAGE`, `OFFSET` and `CURSOR`.
    parameter: Option<String>,
    /// The number of the first page, of `PAGE`; 1 without it.
    first: Option<i32>,
    /// The query parameter with the size of a page, of `PAGE` and `OFFSET`.
    size_parameter: Option<String>,
    /// How many records a page has, of `PAGE` and `OFFSET`; a shorter one is the last.
    size: Option<i32>,
    /// A JSONPath to what asks for the next page, of `CURSOR` and `NEXT_URL`.
    path: Option<String>,
}

/// Where the next run goes on: a value of what came, sent where `{{cursor}}` is.
#[derive(Debug, InputObject)]
pub struct PollCursorInput {
    /// Where the value is.
    #[graphql(default_with = "CursorPlace::Records")]
    place: CursorPlace,
    /// The path of the field in each record, such as `updated_at`, or a JSONPath into the answer.
    path: String,
    /// Which of several values it is.
    #[graphql(default_with = "CursorPick::Highest")]
    pick: CursorPick,
    /// What is sent the first time. Without it, a query parameter that is nothing but `{{cursor}}` is
    /// then left out.
    initial: Option<String>,
}

impl HttpPollingSourceInput {
    /// The definition, and the secrets that belong to it.
    pub(in super::super) fn into_parts(self) -> (HttpPolling, NewCredentials) {
        let headers = self.headers.into_iter();
        let headers = headers.map(|header| NewHeader {
            name: header.name,
            value: header.value,
        });
        let (auth, secret) = match self.auth {
            Some(auth) => auth.into_parts(),
            None => (polling::Auth::None, None),
        };
        let polling = HttpPolling {
            url: self.url,
            schedule: match self.cron {
                Some(cron) => polling::Schedule::Cron {
                    cron: cron.expression.trim().to_owned(),
                    time_zone: cron.time_zone.trim().to_owned(),
                },
                None => polling::Schedule::Every {
                    interval_seconds: natural(self.interval_seconds.unwrap_or(0)),
                },
            },
            method: self.method.into(),
            query: self
                .query
                .into_iter()
                .map(|QueryParameterInput { name, value }| polling::Parameter { name, value })
                .collect(),
            header_names: Vec::new(),
            body: self.body.map(|body| polling::RequestBody {
                content_type: body.content_type,
                text: body.text,
            }),
            auth,
            format: self.format.into(),
            records_path: self.records_path,
            pagination: self
                .pagination
                .map_or(polling::Pagination::None, Into::into),
            max_pages: natural(self.max_pages),
            cursor: self.cursor.map(|cursor| polling::Cursor {
                place: cursor.place.into(),
                path: cursor.path.trim().to_owned(),
                pick: cursor.pick.into(),
                initial: filled(cursor.initial),
            }),
            key_field: filled(self.key_field),
        };
        let credentials = NewCredentials {
            headers: headers.collect(),
            secret,
        };
        (polling, credentials)
    }
}

impl PollAuthInput {
    fn into_parts(self) -> (polling::Auth, Option<String>) {
        let text = |text: Option<String>| filled(text).unwrap_or_default();
        let auth = match self.kind {
            PollAuthKind::None => polling::Auth::None,
            PollAuthKind::Basic => polling::Auth::Basic {
                user_name: text(self.user_name),
            },
            PollAuthKind::Bearer => polling::Auth::Bearer,
            PollAuthKind::ApiKey => polling::Auth::ApiKey {
                place: self.place.map(Into::into).unwrap_or_default(),
                name: text(self.name),
            },
            PollAuthKind::OAuth2 => polling::Auth::OAuth2(polling::OAuth2 {
                token_url: text(self.token_url),
                client_id: text(self.client_id),
                scope: filled(self.scope),
                audience: filled(self.audience),
                client_place: self.client_place.map(Into::into).unwrap_or_default(),
            }),
        };
        (auth, self.secret)
    }
}

impl From<PaginationInput> for polling::Pagination {
    fn from(input: PaginationInput) -> Self {
        let parameter = filled(input.parameter).unwrap_or_default();
        let path = filled(input.path).unwrap_or_default();
        let (size_parameter, size) = (filled(input.size_parameter), input.size.map(natural));
        match input.kind {
            PaginationKind::None => Self::None,
            PaginationKind::Page => Self::Page {
                parameter,
                first: natural(input.first.unwrap_or(1)),
                size_parameter,
                size,
            },
            PaginationKind::Offset => Self::Offset {
                parameter,
                size_parameter,
                size,
            },
            PaginationKind::Cursor => Self::Cursor { parameter, path },
            PaginationKind::Link => Self::Link,
            PaginationKind::NextUrl => Self::NextUrl { path },
        }
    }
}

/// A polling source to try.
#[derive(Debug, InputObject)]
pub struct TestSourceInput {
    /// The source; without it, the pipeline's own is asked.
    pub(in super::super) source: Option<HttpPollingSourceInput>,
    /// The pipeline whose stored secrets are used where none are given.
    pub(in super::super) pipeline_id: Option<async_graphql::ID>,
}

/// The result of `testSource`: what came, or why nothing did.
#[derive(Debug, SimpleObject)]
pub struct TestSourcePayload {
    /// What came.
    pub(in super::super) result: Option<SourceTest>,
    /// Why nothing could be read.
    pub(in super::super) error: Option<RunError>,
    /// What to fix in the input.
    pub(in super::super) user_errors: Vec<UserError>,
}

/// What a source answered: its first page.
#[derive(Debug, SimpleObject)]
pub struct SourceTest {
    /// The HTTP status.
    status: i32,
    /// How long the answer took, in milliseconds.
    duration_ms: i32,
    /// The path that was used: the one given, or the most promising one.
    records_path: String,
    /// The paths under which there are lists of objects, the longest list first.
    records_path_candidates: Vec<String>,
    /// How many records there are.
    record_count: i32,
    /// The first of them, at most 20.
    records: Vec<Value>,
    /// Whether there is another page.
    has_more_pages: bool,
    /// The fields of the records, with the types that fit.
    fields: Vec<Field>,
    /// What the transform could begin with.
    suggested_fields: Vec<FieldMapping>,
    /// The suggested field that probably says when a record happened.
    suggested_time_field: Option<String>,
    /// The fields that could name a record, the most promising one first.
    key_field_candidates: Vec<String>,
    /// The fields that could be the cursor, the most promising one first.
    cursor_candidates: Vec<String>,
}

impl From<engine::SourceTest> for SourceTest {
    fn from(test: engine::SourceTest) -> Self {
        let texts = |paths: Vec<dash_shared::fields::FieldPath>| {
            paths.iter().map(ToString::to_string).collect()
        };
        Self {
            status: i32::from(test.status),
            duration_ms: int(test.duration_ms),
            records_path: test.records_path,
            records_path_candidates: test.candidates,
            record_count: i32::try_from(test.record_count).unwrap_or(i32::MAX),
            records: test.records,
            has_more_pages: test.has_more,
            fields: test.fields.into_iter().map(Field::from).collect(),
            suggested_fields: test.mapping.iter().map(FieldMapping::of).collect(),
            suggested_time_field: test.time_field,
            key_field_candidates: texts(test.key_fields),
            cursor_candidates: texts(test.cursor_fields),
        }
    }
}

/// The polled pipeline to begin anew.
#[derive(Debug, InputObject)]
pub struct ResetPollCursorInput {
    /// The pipeline.
    pub(in super::super) id: async_graphql::ID,
    /// The value that the next poll begins at; without it, it begins as the first poll did.
    pub(in super::super) cursor: Option<String>,
}

/// The next times of a cron expression, or what is wrong with it.
#[derive(Debug, SimpleObject)]
pub struct CronTimes {
    /// The next three times.
    pub(in super::super) times: Vec<chrono::DateTime<chrono::Utc>>,
    /// What is wrong, for people.
    pub(in super::super) problem: Option<String>,
}
