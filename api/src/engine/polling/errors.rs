//! Why an address yields no records.

use crate::outbound::{OutboundError, OutboundErrorKind};

/// The kinds of reasons why an address yields no records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchErrorCode {
    /// The server cannot be reached.
    Unreachable,
    /// The server did not answer in time.
    Timeout,
    /// The server answered with a status other than 2xx.
    BadStatus,
    /// The answer is not JSON, and nothing says that it is CSV or NDJSON.
    NotJson,
    /// The answer is CSV, and a line of it cannot be read.
    InvalidCsv,
    /// The answer is too large, or has too many records or columns.
    TooLarge,
    /// The path leads to nothing.
    NoRecords,
    /// Dash does not ask this address.
    ForbiddenTarget,
    /// The path is not a JSONPath, or would cost too much.
    InvalidPath,
    /// The server that gives tokens gives none.
    NoToken,
    /// Nothing that came has a value where the cursor should be.
    NoCursor,
    /// A secret that the source names is not there.
    NoSecret,
    /// The stored secrets cannot be opened.
    SecretsLost,
    /// A request to a webhook did not prove who sent it.
    InvalidSignature,
    /// Something failed inside Dash.
    Internal,
}

impl FetchErrorCode {
    /// All codes.
    pub const ALL: [Self; 15] = [
        Self::Unreachable,
        Self::Timeout,
        Self::BadStatus,
        Self::NotJson,
        Self::InvalidCsv,
        Self::TooLarge,
        Self::NoRecords,
        Self::ForbiddenTarget,
        Self::InvalidPath,
        Self::NoToken,
        Self::NoCursor,
        Self::NoSecret,
        Self::SecretsLost,
        Self::InvalidSignature,
        Self::Internal,
    ];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::BadStatus => "bad_status",
            Self::NotJson => "not_json",
            Self::InvalidCsv => "invalid_csv",
            Self::TooLarge => "too_large",
            Self::NoRecords => "no_records",
            Self::ForbiddenTarget => "forbidden_target",
            Self::InvalidPath => "invalid_path",
            Self::NoToken => "no_token",
            Self::NoCursor => "no_cursor",
            Self::NoSecret => "no_secret",
            Self::SecretsLost => "secrets_lost",
            Self::InvalidSignature => "invalid_signature",
            Self::Internal => "internal",
        }
    }

    /// The code with this word; what is unknown is internal.
    pub fn parse(word: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|code| code.as_str() == word)
            .unwrap_or(Self::Internal)
    }
}

/// What a failure lets expect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outlook {
    /// The next poll may go well.
    #[default]
    Open,
    /// The server asks not to be asked for so long.
    NotWithin {
        /// How long, in milliseconds.
        ms: i64,
    },
    /// Somebody has to change something.
    Hopeless,
}

/// Why an address yields no records: a code for programs, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FetchError {
    /// The kind of reason.
    pub code: FetchErrorCode,
    /// What happened and what to do.
    pub message: String,
    /// What it lets expect.
    pub outlook: Outlook,
}

impl FetchError {
    pub(in crate::engine) fn new(code: FetchErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            outlook: Outlook::Open,
        }
    }

    pub(in crate::engine) const fn with(mut self, outlook: Outlook) -> Self {
        self.outlook = outlook;
        self
    }

    pub(in crate::engine) fn internal(message: &str) -> Self {
        Self::new(FetchErrorCode::Internal, message)
    }

    /// The stored secrets cannot be opened.
    pub fn secrets_lost() -> Self {
        Self::new(
            FetchErrorCode::SecretsLost,
            "The stored secrets cannot be opened: the key that Dash was started with has changed. \
             Enter them again.",
        )
    }

    /// A secret that the source names is not there.
    pub fn no_secret(name: &str) -> Self {
        Self::new(
            FetchErrorCode::NoSecret,
            format!(
                "There is no secret “{name}”. Add it in the team's settings, or take it out of the source."
            ),
        )
    }
}

impl From<OutboundError> for FetchError {
    fn from(error: OutboundError) -> Self {
        let code = match error.kind {
            OutboundErrorKind::InvalidUrl
            | OutboundErrorKind::InvalidHeader
            | OutboundErrorKind::Unreachable
            | OutboundErrorKind::BrokeOff => FetchErrorCode::Unreachable,
            OutboundErrorKind::ForbiddenTarget => FetchErrorCode::ForbiddenTarget,
            OutboundErrorKind::Timeout => FetchErrorCode::Timeout,
            OutboundErrorKind::TooLarge => FetchErrorCode::TooLarge,
            OutboundErrorKind::TooManyRedirects => FetchErrorCode::BadStatus,
        };
        Self::new(code, error.message)
    }
}
