//! What can go wrong between a page and the API, in words for people; and the errors of a form,
//! each at its field.

use dash_shared::Invalid;
use leptos::prelude::*;
use serde_json::Value;

use super::schema;

/// The kinds of failures a page may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// Nobody is logged in, or the session ended.
    Unauthenticated,
    /// The role does not allow it.
    Forbidden,
    /// There is no such thing, or it belongs to another team.
    NotFound,
    /// The request does not fit the schema.
    BadUserInput,
    /// The plan does not include it.
    PlanRequired,
    /// Too many requests.
    RateLimited,
    /// The server took too long.
    Timeout,
    /// The server could not be reached.
    Offline,
    /// Anything else.
    Internal,
}

/// A failure of a whole operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// Its kind.
    pub code: ErrorCode,
    /// What happened and what to do, in a sentence or two.
    pub message: String,
    /// What support needs to find it in the logs.
    pub request_id: Option<String>,
}

impl ApiError {
    fn new(code: ErrorCode, message: &str) -> Self {
        Self {
            code,
            message: message.to_owned(),
            request_id: None,
        }
    }

    /// Something failed that the user cannot help.
    pub fn internal() -> Self {
        Self::new(
            ErrorCode::Internal,
            "Something went wrong on our side. Try again in a moment.",
        )
    }

    /// The server could not be reached.
    pub fn offline() -> Self {
        Self::new(
            ErrorCode::Offline,
            "Dash cannot be reached. Check your connection and try again.",
        )
    }

    /// The answer does not fit this client: the server was updated underneath it.
    pub fn outdated() -> Self {
        Self::new(
            ErrorCode::Internal,
            "Dash was updated while this page was open. Reload it to go on.",
        )
    }

    /// The best that can be said of an answer that is no GraphQL response.
    pub fn from_status(status: u16) -> Self {
        match status {
            401 => Self::new(ErrorCode::Unauthenticated, "Log in to go on."),
            408 | 504 => Self::new(ErrorCode::Timeout, "That took too long. Try again."),
            429 => Self::new(
                ErrorCode::RateLimited,
                "Too many requests in a short time. Wait a moment and try again.",
            ),
            502 | 503 => Self::offline(),
            _ => Self::internal(),
        }
    }

    /// The same error with the id of the request that caused it, unless it has one.
    #[must_use]
    pub fn with_request_id(mut self, id: Option<String>) -> Self {
        self.request_id = self.request_id.or(id);
        self
    }

    /// The first error of a GraphQL response, if it has any.
    pub fn first_of(response: &Value) -> Option<Self> {
        let error = response.get("errors")?.as_array()?.first()?;
        let extension = |key: &str| error.get("extensions")?.get(key)?.as_str();
        let code = match extension("code") {
            Some("UNAUTHENTICATED") => ErrorCode::Unauthenticated,
            Some("FORBIDDEN") => ErrorCode::Forbidden,
            Some("NOT_FOUND") => ErrorCode::NotFound,
            Some("BAD_USER_INPUT") => ErrorCode::BadUserInput,
            Some("PLAN_REQUIRED") => ErrorCode::PlanRequired,
            Some("RATE_LIMITED") => ErrorCode::RateLimited,
            Some("TIMEOUT") => ErrorCode::Timeout,
            _ => ErrorCode::Internal,
        };
        let message = error.get("message").and_then(Value::as_str);
        Some(Self {
            code,
            message: message.map_or_else(|| Self::internal().message, str::to_owned),
            request_id: extension("requestId").map(str::to_owned),
        })
    }
}

/// The kinds of problems a mutation reports at a field.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserErrorCode {
    /// A value is needed.
    Required,
    /// The value has the wrong form.
    Invalid,
    /// Too long, or too many.
    TooLong,
    /// Too short.
    TooShort,
    /// Somebody else has it already.
    Taken,
    /// What is referred to does not exist.
    NotFound,
    /// It was changed in the meantime.
    Conflict,
    /// The plan's limit is reached.
    LimitReached,
    /// The plan does not include it.
    PlanRequired,
    /// E-mail address and password do not belong together.
    WrongCredentials,
    /// The address could not be reached.
    Unreachable,
    /// A test case of the transform fails.
    TestsFailed,
    /// A code this client does not know yet.
    #[cynic(fallback)]
    Other,
}

/// Something the user can fix in the input of a mutation.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// The path of the input's field; none for the form as a whole.
    pub field: Option<Vec<String>>,
    /// What is wrong and what would be right.
    pub message: String,
    /// Its kind.
    pub code: UserErrorCode,
}

/// The errors of one form: `field` gives those of one input, `general` those of none.
#[derive(Clone, Copy, Debug)]
pub struct FormErrors(RwSignal<Vec<(String, String)>>);

impl Default for FormErrors {
    fn default() -> Self {
        Self::new()
    }
}

impl FormErrors {
    /// A form without errors.
    pub fn new() -> Self {
        Self(RwSignal::new(Vec::new()))
    }

    /// Forgets all errors.
    pub fn clear(self) {
        self.0.set(Vec::new());
    }

    /// Forgets the errors of one field, once it is edited.
    pub fn clear_field(self, path: &str) {
        if self
            .0
            .with_untracked(|all| all.iter().any(|(at, _)| at == path))
        {
            self.0.update(|all| all.retain(|(at, _)| at != path));
        }
    }

    /// Adds an error at a field (dots separate the levels; empty for the form).
    pub fn add(self, path: &str, message: impl Into<String>) {
        self.0
            .update(|all| all.push((path.to_owned(), message.into())));
    }

    /// Adds what the shared validation found.
    pub fn add_invalid(self, invalid: &Invalid) {
        self.add(&invalid.field.join("."), &*invalid.message);
    }

    /// Shows the errors of a mutation's payload; returns whether there were any.
    pub fn set_user_errors(self, errors: &[UserError]) -> bool {
        let path = |error: &UserError| {
            let path = error.field.as_deref().unwrap_or_default();
            let path = path.strip_prefix(&["input".to_owned()]).unwrap_or(path);
            path.join(".")
        };
        self.0.set(
            errors
                .iter()
                .map(|error| (path(error), error.message.clone()))
                .collect(),
        );
        !errors.is_empty()
    }

    /// Shows the failure of the whole operation above the form.
    pub fn set_api_error(self, error: &ApiError) {
        self.0.set(vec![(String::new(), error.message.clone())]);
    }

    /// Whether there is any error.
    pub fn any(self) -> bool {
        self.0.with(|all| !all.is_empty())
    }

    /// The first error at a field.
    pub fn field(self, path: impl Into<String>) -> Signal<Option<String>> {
        let (errors, path) = (self.0, path.into());
        Signal::derive(move || {
            errors.with(|all| {
                all.iter()
                    .find(|(at, _)| *at == path)
                    .map(|(_, message)| message.clone())
            })
        })
    }

    /// The first error at none of the `known` fields, so that nothing the server says is lost.
    pub fn other(self, known: &'static [&'static str]) -> Signal<Option<String>> {
        self.other_than(move |at| known.contains(&at))
    }

    /// The first error at a field for which `is_shown` is false.
    pub fn other_than(
        self,
        is_shown: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Signal<Option<String>> {
        let errors = self.0;
        Signal::derive(move || {
            errors.with(|all| {
                all.iter()
                    .find(|(at, _)| !is_shown(at))
                    .map(|(_, message)| message.clone())
            })
        })
    }
}
