//! The codes of errors in the API: `extensions.code` of top-level errors, and `code` of what the
//! caller can fix.

/// The code of a top-level GraphQL error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// Nobody is logged in.
    Unauthenticated,
    /// The role does not allow it.
    Forbidden,
    /// There is no such thing, or it is another tenant's.
    NotFound,
    /// The request itself is wrong: syntax, validation, limits.
    BadUserInput,
    /// The plan does not include it.
    PlanRequired,
    /// Too many requests.
    RateLimited,
    /// It took too long.
    Timeout,
    /// Something failed inside Dash.
    Internal,
}

impl ErrorCode {
    /// The code as it is written in `extensions.code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::PlanRequired => "PLAN_REQUIRED",
            Self::RateLimited => "RATE_LIMITED",
            Self::Timeout => "TIMEOUT",
            Self::Internal => "INTERNAL",
        }
    }
}
