//! The one mapping from the domains' errors to the API: what the caller can fix becomes a
//! `userErrors` entry, everything else a top-level error with a code. Internal detail goes to the
//! log and never to the caller.

use async_graphql::{Context, Enum, Error, ErrorExtensions, SimpleObject};
use dash_shared::codes::ErrorCode;
use dash_shared::{Invalid, InvalidCode};

use crate::accounts::AccountsError;
use crate::dashboards::DashboardsError;
use crate::data::{ReadError, WriteError};
use crate::pipelines::PipelinesError;
use crate::sinks::SinksError;
use crate::telemetry::RequestId;

/// What kind of problem an input has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum UserErrorCode {
    /// A value is needed and missing.
    Required,
    /// The value is not of the right form.
    Invalid,
    /// The value is longer, or the list has more items, than is allowed.
    TooLong,
    /// The value is shorter than is allowed.
    TooShort,
    /// The value has to be unique and is in use.
    Taken,
    /// There is no such object.
    NotFound,
    /// Somebody else changed the object in the meantime.
    Conflict,
    /// A limit of the plan or of the log-in protection is reached.
    LimitReached,
    /// The plan does not include it.
    PlanRequired,
    /// The e-mail address or the password is wrong.
    WrongCredentials,
    /// A server that had to be asked cannot be reached.
    Unreachable,
    /// A test case of the transform fails.
    TestsFailed,
}

/// A problem with an input that the caller can fix.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// The path of the input field, from the input object down; none when it is about the whole.
    pub field: Option<Vec<String>>,
    /// What is wrong and what would be right, for people.
    pub message: String,
    /// What kind of problem it is, for programs.
    pub code: UserErrorCode,
}

impl UserError {
    pub(super) fn at(field: &str, code: UserErrorCode, message: impl Into<String>) -> Self {
        Self {
            field: Some(vec![field.to_owned()]),
            message: message.into(),
            code,
        }
    }

    fn of_whole(code: UserErrorCode, message: impl Into<String>) -> Self {
        Self {
            field: None,
            message: message.into(),
            code,
        }
    }
}

impl From<Invalid> for UserError {
    fn from(invalid: Invalid) -> Self {
        Self {
            field: Some(invalid.field),
            message: invalid.message,
            code: match invalid.code {
                InvalidCode::Required => UserErrorCode::Required,
                InvalidCode::Invalid => UserErrorCode::Invalid,
                InvalidCode::TooLong => UserErrorCode::TooLong,
                InvalidCode::TooShort => UserErrorCode::TooShort,
                InvalidCode::PlanRequired => UserErrorCode::PlanRequired,
            },
        }
    }
}

/// A mutation's failure: for the payload, or for the top level.
pub(super) enum Failure {
    User(Vec<UserError>),
    Top(Error),
}

impl Failure {
    fn invalid(found: Vec<Invalid>) -> Self {
        Self::User(found.into_iter().map(UserError::from).collect())
    }
}

/// A domain's error as the API shows it.
pub(super) trait IntoFailure: std::error::Error {
    fn into_failure(self, ctx: &Context<'_>) -> Failure;
}

impl IntoFailure for PipelinesError {
    fn into_failure(self, ctx: &Context<'_>) -> Failure {
        match self {
            Self::Invalid(found) => Failure::invalid(found),
            Self::NotRunnable => Failure::User(vec![UserError::at(
                "id",
                UserErrorCode::Invalid,
                "Only pipelines that poll can be run now. This one takes data in as it comes.",
            )]),
            Self::NotFound => Failure::Top(not_found("pipeline")),
            Self::NoVersion => Failure::Top(not_found("version")),
            Self::NoTest => Failure::Top(not_found("test case")),
            Self::TestNameTaken => Failure::User(vec![UserError::at(
                "name",
                UserErrorCode::Taken,
                "Another test case has this name. Choose another one.",
            )]),
            Self::TestsFailed(results) => {
                let errors = results.iter().map(|result| {
                    let problem = result.verdict.problem.as_deref().unwrap_or_default();
                    UserError::at(
                        "steps",
                        UserErrorCode::TestsFailed,
                        format!("The test case “{}” fails: {problem}.", result.test.name),
                    )
                });
                Failure::User(errors.collect())
            }
            Self::ImpactRunning => Failure::User(vec![UserError::of_whole(
                UserErrorCode::LimitReached,
                "An impact preview of your team is running. Wait until it has ended.",
            )]),
            Self::Replay(WriteError::Busy | WriteError::Stale) => {
                Failure::User(vec![UserError::of_whole(
                    UserErrorCode::LimitReached,
                    "Too much is waiting to be stored. Try again in a moment.",
                )])
            }
            Self::Replay(error) => Failure::Top(internal(ctx, &error)),
            Self::Forbidden(error) => Failure::Top(forbidden(error)),
            Self::Read(error) => error.into_failure(ctx),
            error @ (Self::Database(_) | Self::Damaged(_)) => Failure::Top(internal(ctx, &error)),
        }
    }
}

impl IntoFailure for DashboardsError {
    fn into_failure(self, ctx: &Context<'_>) -> Failure {
        match self {
            Self::Invalid(found) => Failure::invalid(found),
            Self::Conflict { .. } => Failure::User(vec![UserError::at(
                "version",
                UserErrorCode::Conflict,
                "Somebody else changed this dashboard in the meantime. Reload it, or save without \
                 a version to overwrite their changes.",
            )]),
            Self::NotFound => Failure::Top(not_found("dashboard")),
            Self::Forbidden(error) => Failure::Top(forbidden(error)),
            Self::Pipelines(error) => error.into_failure(ctx),
            error @ (Self::Database(_) | Self::Damaged(_)) => Failure::Top(internal(ctx, &error)),
        }
    }
}

impl IntoFailure for SinksError {
    fn into_failure(self, ctx: &Context<'_>) -> Failure {
        match self {
            Self::Invalid(found) => Failure::invalid(found),
            Self::TooMany(most) => Failure::User(vec![UserError::at(
                "pipelineId",
                UserErrorCode::LimitReached,
                format!("A pipeline has at most {most} sinks. Delete one to make another."),
            )]),
            Self::NotFound => Failure::Top(not_found("sink")),
            Self::NoDelivery => Failure::Top(not_found("delivery")),
            Self::Forbidden(error) => Failure::Top(forbidden(error)),
            Self::Pipelines(error) => error.into_failure(ctx),
            Self::Read(error) => error.into_failure(ctx),
            error @ (Self::Database(_) | Self::Damaged(_)) => Failure::Top(internal(ctx, &error)),
        }
    }
}

impl IntoFailure for ReadError {
    fn into_failure(self, ctx: &Context<'_>) -> Failure {
        Failure::Top(unreadable(ctx, &self))
    }
}

impl IntoFailure for std::sync::Arc<ReadError> {
    fn into_failure(self, ctx: &Context<'_>) -> Failure {
        Failure::Top(unreadable(ctx, &self))
    }
}

fn unreadable(ctx: &Context<'_>, error: &ReadError) -> Error {
    let bad_input = |message: String| error_with_code(ErrorCode::BadUserInput, message);
    match error {
        ReadError::NotFound => not_found("record"),
        ReadError::TooManyRecords(limit) => bad_input(format!(
            "With these filters more than {limit} records have to be read one by one. Choose a \
             shorter range."
        )),
        ReadError::TooManyGroups(limit) => bad_input(format!(
            "The records fall into more than {limit} groups. Group by a field with fewer values, \
             or choose a shorter range."
        )),
        ReadError::TooManyBuckets(limit) => bad_input(format!(
            "The range has more than {limit} buckets. Choose wider ones, or a shorter range."
        )),
        ReadError::Preparing { done, of } => error_with_code(
            ErrorCode::Timeout,
            format!(
                "{of} records are being counted for the first time: {} %. Ask again in a moment.",
                done * 100 / (*of).max(1)
            ),
        ),
        ReadError::Database(_) | ReadError::Damaged(_) => internal(ctx, error),
    }
}

impl IntoFailure for AccountsError {
    fn into_failure(self, ctx: &Context<'_>) -> Failure {
        match self {
            Self::Invalid(found) => Failure::invalid(found),
            Self::EmailTaken => Failure::User(vec![UserError::at(
                "email",
                UserErrorCode::Taken,
                "There is an account with this e-mail address. Log in instead.",
            )]),
            Self::WrongCredentials => Failure::User(vec![UserError::of_whole(
                UserErrorCode::WrongCredentials,
                "The e-mail address or the password is wrong.",
            )]),
            Self::Throttled {
                retry_after_seconds,
            } => Failure::User(vec![UserError::of_whole(
                UserErrorCode::LimitReached,
                format!(
                    "Too many tries. Try again in {}.",
                    wait_text(retry_after_seconds)
                ),
            )]),
            error => Failure::Top(internal(ctx, &error)),
        }
    }
}

fn wait_text(seconds: u32) -> String {
    match seconds.div_ceil(60) {
        0 | 1 => "a minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

/// The top-level error of something that is read.
pub(super) fn top_level<E: IntoFailure>(ctx: &Context<'_>, error: E) -> Error {
    match error.into_failure(ctx) {
        Failure::Top(error) => error,
        Failure::User(errors) => {
            let message = errors
                .first()
                .map(|error| error.message.clone())
                .unwrap_or_default();
            error_with_code(ErrorCode::BadUserInput, message)
        }
    }
}

/// What a loader answers; its error is shared by all who asked.
pub(super) fn loaded<T>(
    ctx: &Context<'_>,
    result: Result<T, std::sync::Arc<ReadError>>,
) -> async_graphql::Result<T> {
    result.map_err(|error| internal(ctx, &*error))
}

/// Splits a mutation's result into what succeeded and what the caller can fix.
pub(super) fn payload<T, E: IntoFailure>(
    ctx: &Context<'_>,
    result: Result<T, E>,
) -> async_graphql::Result<(Option<T>, Vec<UserError>)> {
    match result {
        Ok(value) => Ok((Some(value), Vec::new())),
        Err(error) => match error.into_failure(ctx) {
            Failure::User(errors) => Ok((None, errors)),
            Failure::Top(error) => Err(error),
        },
    }
}

/// A top-level error with its code in `extensions.code`.
pub fn error_with_code(code: ErrorCode, message: impl Into<String>) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code.as_str()))
}

pub(super) fn unauthenticated() -> Error {
    error_with_code(ErrorCode::Unauthenticated, "Log in to do this.")
}

pub(super) fn not_found(what: &str) -> Error {
    error_with_code(
        ErrorCode::NotFound,
        format!("There is no such {what}. It may have been deleted, or it is not yours to see."),
    )
}

fn forbidden(error: crate::accounts::Forbidden) -> Error {
    error_with_code(
        ErrorCode::Forbidden,
        format!(
            "Your role in this team is {}; this needs {}. Ask an owner of the team.",
            error.is.as_str(),
            error.needed.as_str()
        ),
    )
}

fn internal(ctx: &Context<'_>, error: &dyn std::error::Error) -> Error {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    let request_id = ctx
        .data_opt::<RequestId>()
        .map(ToString::to_string)
        .unwrap_or_default();
    tracing::error!(
        error = causes.join(": "),
        request_id,
        "a request failed inside Dash"
    );
    error_with_code(ErrorCode::Internal, internal_message(&request_id))
}

fn internal_message(request_id: &str) -> String {
    let told = if request_id.is_empty() {
        String::new()
    } else {
        format!(" Tell us the request id {request_id} if it stays.")
    };
    format!("Something failed inside Dash. Nothing was changed; try again.{told}")
}

/// Whether an error is one of Dash itself.
pub fn is_internal(error: &async_graphql::ServerError) -> bool {
    let code = error
        .extensions
        .as_ref()
        .and_then(|extensions| extensions.get("code"));
    code == Some(&ErrorCode::Internal.as_str().into())
}
