//! Everything that is HTTP: GraphQL and its websocket, webhooks, health, metrics, the built client.
//!
//! Handlers check what is the protocol's business (methods, media types, sizes, origins), hand on
//! to GraphQL or a domain, and turn what comes back into an answer. No rule of the product is here.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::app::App;

mod bodies;
mod callers;
mod client_files;
mod documents;
mod exports;
mod graphql;
mod health;
mod hooks;
mod origins;
mod problems;
mod requests;
mod security;
mod serving;
mod uploads;
mod websocket;

use bodies::Bodies;
use client_files::ClientFiles;
use serving::Limits;

/// The largest body of a GraphQL request.
const MAX_GRAPHQL_BODY_BYTES: usize = 1024 * 1024;
/// A sender that pauses for longer in the middle of a body is given up.
const BODY_PAUSE: Duration = Duration::from_secs(30);

/// All routes of Dash.
pub fn router(app: Arc<App>) -> Router {
    let graphql = Router::new()
        .route(
            "/graphql",
            get(graphql::get)
                .post(graphql::post)
                .fallback(graphql::method_not_allowed),
        )
        .layer(DefaultBodyLimit::max(MAX_GRAPHQL_BODY_BYTES))
        .layer(CompressionLayer::new());
    let bodies = Bodies::new();
    let receive = move |app, request| hooks::receive(app, bodies.clone(), request);
    let hooks = Router::new().route(
        "/hooks/{key}",
        post(receive)
            .options(hooks::preflight)
            .fallback(hooks::method_not_allowed),
    );
    let is_https = app.config.http.is_https();
    let files = Arc::new(ClientFiles::new(&app.config.http));
    Router::new()
        .merge(graphql)
        .merge(exports::router())
        .merge(uploads::router())
        .route("/graphql/ws", get(websocket::upgrade))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(move |request| client_files::serve(files, request))
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
        // What is posted to a hook has a time limit of its own.
        .merge(hooks)
        .layer(requests::Observe { is_https })
        .with_state(app)
}

/// Serves `app` on `listener` until it shuts down and the requests under way are answered.
pub async fn serve(app: Arc<App>, listener: TcpListener) -> io::Result<()> {
    let stopping = app.stopping.clone();
    serving::serve(listener, router(app), stopping, Limits::default()).await;
    Ok(())
}
