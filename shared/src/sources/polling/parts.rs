//! The parts of a polling source.

use serde::{Deserialize, Serialize};

/// When a source is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Schedule {
    /// Again and again.
    Every {
        /// The time from one poll to the next.
        interval_seconds: u32,
    },
    /// At the times of a cron expression.
    Cron {
        /// Five fields, or six with seconds first.
        cron: String,
        /// The IANA name of the zone whose clock is meant.
        time_zone: String,
    },
}

/// The method of the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Without a body.
    #[default]
    Get,
    /// With a body, for searches that need one.
    Post,
}

/// A query parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// The name.
    pub name: String,
    /// The value, with placeholders.
    pub value: String,
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestBody {
    /// What it is.
    pub content_type: String,
    /// The text, with placeholders.
    pub text: String,
}

/// Who asks. Each kind but none has one secret: a password, a token, a key or a client's secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Auth {
    /// Nobody in particular.
    #[default]
    None,
    /// A user with a password (RFC 7617).
    Basic {
        /// The user.
        user_name: String,
    },
    /// Whoever has a token (RFC 6750).
    Bearer,
    /// Whoever has a key.
    ApiKey {
        /// Where it is sent.
        place: ApiKeyPlace,
        /// The name of the header or the query parameter.
        name: String,
    },
    /// A client that gets itself a token (RFC 6749, section 4.4).
    #[serde(rename = "oauth2")]
    OAuth2(OAuth2),
}

/// Where an API key is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiKeyPlace {
    /// In a header.
    #[default]
    Header,
    /// In the query.
    Query,
}

/// How a client gets itself a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuth2 {
    /// The address that gives tokens.
    pub token_url: String,
    /// The client.
    pub client_id: String,
    /// What the token is to allow.
    pub scope: Option<String>,
    /// Whom the token is for; some servers want to know.
    pub audience: Option<String>,
    /// Where the client and its secret are sent.
    #[serde(default)]
    pub client_place: ClientPlace,
}

/// Where a client and its secret are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientPlace {
    /// In the header `Authorization`, as every server takes it.
    #[default]
    Header,
    /// In the form.
    Body,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerFormat {
    /// As its content type says.
    #[default]
    Auto,
    /// JSON.
    Json,
    /// A JSON value on each line.
    Ndjson,
    /// CSV.
    Csv,
}

/// How an answer goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Pagination {
    /// It does not.
    #[default]
    None,
    /// Pages have numbers.
    Page {
        /// The parameter with the number.
        parameter: String,
        /// The number of the first page.
        first: u32,
        /// The parameter with the size.
        size_parameter: Option<String>,
        /// How many records a page has; a shorter one is the last.
        size: Option<u32>,
    },
    /// A page begins after so many records.
    Offset {
        /// The parameter with how many records come before.
        parameter: String,
        /// The parameter with the size.
        size_parameter: Option<String>,
        /// How many records a page has; a shorter one is the last.
        size: Option<u32>,
    },
    /// A page holds what asks for the next.
    Cursor {
        /// The parameter that it is sent in.
        parameter: String,
        /// A JSONPath to it.
        path: String,
    },
    /// The header `Link` has the address of the next page (RFC 8288).
    Link,
    /// A page holds the address of the next.
    NextUrl {
        /// A JSONPath to it.
        path: String,
    },
}

/// Where the next run goes on: a value of what came that is sent with the next request, where
/// `{{cursor}}` is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Where the value is.
    pub place: CursorPlace,
    /// The field of a record, or a JSONPath into the answer.
    pub path: String,
    /// Which of several values it is.
    #[serde(default)]
    pub pick: CursorPick,
    /// What is sent the first time.
    #[serde(default)]
    pub initial: Option<String>,
}

/// Where a cursor is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CursorPlace {
    /// In each record.
    #[default]
    Records,
    /// In the answer, once.
    Answer,
}

/// Which of several values is the cursor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CursorPick {
    /// The highest number, the latest time, the last text in the order of characters.
    #[default]
    Highest,
    /// The one that came last.
    Last,
}
