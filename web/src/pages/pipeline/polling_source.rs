//! A polled source with all that it has, as the API takes it and shows it. Only the form knows it:
//! what other pages show of a source is in `queries`.

use super::queries::CronSchedule;
use crate::api::schema;

/// The method of the requests.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollMethod {
    /// Without a body.
    Get,
    /// With a body.
    Post,
}

/// Who asks.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollAuthKind {
    /// Nobody in particular.
    None,
    /// A user with a password.
    Basic,
    /// Whoever has a token.
    Bearer,
    /// Whoever has a key.
    ApiKey,
    /// A client that gets itself tokens.
    #[cynic(rename = "OAUTH2")]
    OAuth2,
}

/// Where an API key is sent.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyPlace {
    /// In a header.
    Header,
    /// In the query.
    Query,
}

/// Where a client of OAuth 2.0 and its secret are sent.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "OAuthClientPlace")]
pub enum ClientPlace {
    /// In a header.
    Header,
    /// In the form.
    Body,
}

/// How an answer is written.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFormat {
    /// As its content type says.
    Auto,
    /// JSON.
    Json,
    /// A JSON value on each line.
    Ndjson,
    /// CSV.
    Csv,
}

/// How an answer goes on.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaginationKind {
    /// It does not.
    None,
    /// Pages have numbers.
    Page,
    /// A page begins after so many records.
    Offset,
    /// A page holds what asks for the next.
    Cursor,
    /// The header `Link` has the next address.
    Link,
    /// A page holds the next address.
    NextUrl,
}

/// Where the incremental cursor is.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum CursorPlace {
    /// In each record.
    Records,
    /// In the answer, once.
    Answer,
}

/// Which of several values is the cursor.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum CursorPick {
    /// The highest.
    Highest,
    /// The last.
    Last,
}

/// A polled source as it is entered.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct HttpPollingSourceInput {
    /// The address.
    pub url: String,
    /// The method.
    pub method: PollMethod,
    /// What is added to the query.
    pub query: Vec<QueryParameterInput>,
    /// What is sent along.
    pub headers: Vec<HeaderInput>,
    /// The body of a POST.
    pub body: Option<RequestBodyInput>,
    /// Who asks.
    pub auth: Option<PollAuthInput>,
    /// The time from one poll to the next.
    pub interval_seconds: Option<i32>,
    /// Or the times at which it is polled.
    pub cron: Option<CronScheduleInput>,
    /// How the answer is written.
    pub format: AnswerFormat,
    /// Where the records are.
    pub records_path: String,
    /// How the answer goes on.
    pub pagination: Option<PaginationInput>,
    /// How many pages a run reads.
    pub max_pages: i32,
    /// Where the next run goes on.
    pub cursor: Option<PollCursorInput>,
    /// The field that names a record.
    pub key_field: Option<String>,
}

/// A query parameter.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct QueryParameterInput {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A request header.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct HeaderInput {
    /// Its name.
    pub name: String,
    /// Its value; none leaves the saved one as it is.
    pub value: Option<String>,
}

/// The body of a request.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct RequestBodyInput {
    /// What it is.
    pub content_type: String,
    /// The text.
    pub text: String,
}

/// Who asks.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct PollAuthInput {
    /// The kind.
    pub kind: PollAuthKind,
    /// The secret; none leaves the saved one as it is.
    pub secret: Option<String>,
    /// The user.
    pub user_name: Option<String>,
    /// Where a key is sent.
    pub place: Option<ApiKeyPlace>,
    /// What it is called there.
    pub name: Option<String>,
    /// The address that gives tokens.
    pub token_url: Option<String>,
    /// The client.
    pub client_id: Option<String>,
    /// What the token is to allow.
    pub scope: Option<String>,
    /// Whom it is for.
    pub audience: Option<String>,
    /// Where the client and its secret are sent.
    pub client_place: Option<ClientPlace>,
}

/// The times at which a source is polled.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct CronScheduleInput {
    /// The cron expression.
    pub expression: String,
    /// Whose clock is meant.
    pub time_zone: String,
}

/// How an answer goes on.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct PaginationInput {
    /// The kind.
    pub kind: PaginationKind,
    /// The parameter that asks for a page.
    pub parameter: Option<String>,
    /// The number of the first page.
    pub first: Option<i32>,
    /// The parameter with the size of a page.
    pub size_parameter: Option<String>,
    /// The size of a page.
    pub size: Option<i32>,
    /// A path to what asks for the next page.
    pub path: Option<String>,
}

/// Where the next run goes on.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct PollCursorInput {
    /// Where the value is.
    pub place: CursorPlace,
    /// The field, or a path into the answer.
    pub path: String,
    /// Which of several values.
    pub pick: CursorPick,
    /// What is sent the first time.
    pub initial: Option<String>,
}

/// A polled source as it is saved.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "HttpPollingSource")]
pub struct SavedSource {
    /// The address.
    pub url: String,
    /// The method.
    pub method: PollMethod,
    /// What is added to the query.
    pub query: Vec<QueryParameter>,
    /// The headers that are sent; their values are never shown.
    pub header_names: Vec<String>,
    /// The body of a POST.
    pub body: Option<RequestBody>,
    /// Who asks.
    pub auth: PollAuth,
    /// The time from one poll to the next.
    pub interval_seconds: Option<i32>,
    /// Or the times at which it is polled.
    pub cron: Option<CronSchedule>,
    /// How the answer is written.
    pub format: AnswerFormat,
    /// Where the records are.
    pub records_path: String,
    /// How the answer goes on.
    pub pagination: Pagination,
    /// How many pages a run reads.
    pub max_pages: i32,
    /// Where the next run goes on.
    pub cursor: Option<PollCursor>,
    /// The field that names a record.
    pub key_field: Option<String>,
}

/// A query parameter.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct QueryParameter {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// The body of a request.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct RequestBody {
    /// What it is.
    pub content_type: String,
    /// The text.
    pub text: String,
}

/// Who asks.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct PollAuth {
    /// The kind.
    pub kind: PollAuthKind,
    /// The user.
    pub user_name: Option<String>,
    /// Where a key is sent.
    pub place: Option<ApiKeyPlace>,
    /// What it is called there.
    pub name: Option<String>,
    /// The address that gives tokens.
    pub token_url: Option<String>,
    /// The client.
    pub client_id: Option<String>,
    /// What the token is to allow.
    pub scope: Option<String>,
    /// Whom it is for.
    pub audience: Option<String>,
    /// Where the client and its secret are sent.
    pub client_place: Option<ClientPlace>,
}

/// How an answer goes on.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct Pagination {
    /// The kind.
    pub kind: PaginationKind,
    /// The parameter that asks for a page.
    pub parameter: Option<String>,
    /// The number of the first page.
    pub first: Option<i32>,
    /// The parameter with the size of a page.
    pub size_parameter: Option<String>,
    /// The size of a page.
    pub size: Option<i32>,
    /// A path to what asks for the next page.
    pub path: Option<String>,
}

/// Where the next run goes on.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct PollCursor {
    /// Where the value is.
    pub place: CursorPlace,
    /// The field, or a path into the answer.
    pub path: String,
    /// Which of several values.
    pub pick: CursorPick,
    /// What is sent the first time.
    pub initial: Option<String>,
}

/// The source of a pipeline, of which only a polled one is looked at.
#[derive(cynic::InlineFragments, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Source")]
pub enum AnySource {
    /// A polled one.
    Polled(Box<SavedSource>),
    /// Another one.
    #[cynic(fallback)]
    Other,
}

/// A pipeline's source.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Pipeline")]
pub struct PolledPipeline {
    /// Where its data comes from.
    pub source: AnySource,
}

/// Variables of [`SourceQuery`].
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct SourceVariables {
    /// Which pipeline.
    pub id: cynic::Id,
}

/// Asks for the whole source of a pipeline.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "SourceVariables")]
pub struct SourceQuery {
    /// The pipeline.
    #[arguments(id: $id)]
    pub pipeline: PolledPipeline,
}
