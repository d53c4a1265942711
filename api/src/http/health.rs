//! Health for whoever runs Dash: is it alive, can it serve, how is it doing.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Json, Response};
use dash_migrations::{Migrator, MigratorTrait as _};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::problems::Problem;
use crate::app::App;
use crate::telemetry::{self, RequestId};

/// How long the database may take to answer.
const DATABASE_TIME_LIMIT: Duration = Duration::from_secs(2);

/// The process is there and answers.
pub(super) async fn alive() -> Response {
    Json(json!({ "status": "alive" })).into_response()
}

/// The process can do its work: the database answers and has the newest schema, and no shutdown
/// has begun.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    let problem = if app.stopping.is_cancelled() {
        Some("shutting down")
    } else {
        database_problem(&app).await
    };
    match problem {
        None => Json(json!({ "status": "ready" })).into_response(),
        Some(problem) => {
            let body = Json(json!({ "status": "not ready", "problem": problem }));
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}

/// All metrics in Prometheus' text format; with the operator's token, if there is one.
pub(super) async fn metrics(
    State(app): State<Arc<App>>,
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
) -> Response {
    if let Some(token) = &app.config.secrets.metrics_token
        && !shows_token(&headers, token)
    {
        let message = "The metrics need the header Authorization: Bearer DASH_METRICS_TOKEN.";
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message);
        return problem.response(&request_id);
    }
    let content_type = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (content_type, telemetry::metrics().render()).into_response()
}

async fn database_problem(app: &App) -> Option<&'static str> {
    let pending = Migrator::get_pending_migrations_read_only(app.db.orm());
    match tokio::time::timeout(DATABASE_TIME_LIMIT, pending).await {
        Ok(Ok(pending)) => (!pending.is_empty()).then_some("the database waits for a migration"),
        Ok(Err(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready");
            Some("the database fails")
        }
        Err(_) => Some("the database does not answer"),
    }
}

/// Hashes are compared, so that the time taken tells nothing about the token.
fn shows_token(headers: &HeaderMap, token: &str) -> bool {
    let shown = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    shown.is_some_and(|shown| Sha256::digest(shown) == Sha256::digest(token))
}
