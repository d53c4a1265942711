//! GraphQL over a websocket (`graphql-transport-ws`): many subscriptions on one connection.
//!
//! This module holds the socket: it checks who comes, carries messages, bounds what one connection
//! can cost, notices dead ones, and ends those whose session ended. What is sent is worked out
//! elsewhere, once for all who ask the same; a slow socket holds up nobody but itself.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Data;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{Abortable, BoxStream, SelectAll, SplitSink, SplitStream};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _, stream};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::callers::{Caller, UnknownCaller, request_id};
use super::documents::Guarded;
use super::origins;
use super::problems::Problem;
use crate::accounts::SessionToken;
use crate::app::App;
use crate::telemetry::Counted;

mod protocol;

use protocol::{Accepted, Close, NEXT_END, Operation, Protocol, next_begin};

/// The only protocol that is spoken.
const PROTOCOL: &str = "graphql-transport-ws";
/// The largest message of a client.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;
/// What is read from a socket at once. Clients send little; it is held for every connection.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// A client that has not introduced itself by then is sent away.
const INIT_TIME_LIMIT: Duration = Duration::from_secs(10);
/// How often a client is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(25);
/// A client that was not heard of for so long is gone.
const SILENCE_LIMIT: Duration = Duration::from_secs(70);
/// A client that does not take a message for so long is gone.
const SEND_TIME_LIMIT: Duration = Duration::from_secs(20);
/// How long a client may take to agree that the connection is over.
const CLOSE_TIME_LIMIT: Duration = Duration::from_secs(2);
/// How often it is checked whether the session still lives.
const SESSION_CHECK_EVERY: Duration = Duration::from_mins(1);

/// Opens a connection.
pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let id = request_id(&parts.extensions);
    let bad_request =
        |message: &str| Problem::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message).response(&id);
    let Ok(upgrade) = upgrade else {
        return bad_request("This is the address of a websocket: connect with one.");
    };
    // A page of another site can open websockets here with the browser's cookies, and no
    // preflight stops it.
    let own = origins::is_own(&parts.headers, &app.config.http.public_url);
    let caller = if own {
        Caller::of(&app, &parts).await
    } else {
        Err(UnknownCaller::ForeignOrigin)
    };
    let caller = match caller {
        Ok(caller) => caller,
        Err(UnknownCaller::ForeignOrigin) => {
            let message = "A page of another site cannot connect.";
            return Problem::new(StatusCode::FORBIDDEN, "FORBIDDEN", message).response(&id);
        }
        Err(UnknownCaller::Accounts(error)) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "cannot authenticate"
            );
            return Problem::unavailable().response(&id);
        }
    };
    let upgrade = upgrade.protocols([PROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return bad_request("The websocket must speak the protocol graphql-transport-ws.");
    }
    upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .read_buffer_size(READ_BUFFER_BYTES)
        .on_upgrade(move |socket| converse(app, socket, caller))
}

async fn converse(app: Arc<App>, socket: WebSocket, caller: Caller) {
    let _counted = Counted::new("dash_websocket_connections");
    let token = caller.token.clone().filter(|_| caller.viewer.is_some());
    let (mut sink, mut incoming) = socket.split();
    let end = pump(&app, &mut sink, &mut incoming, caller, token).await;
    // A connection ends in order when both sides have said so; one that is dead does not answer.
    let farewell = async {
        if let Some(close) = end {
            let frame = CloseFrame {
                code: close.code,
                reason: close.reason.into(),
            };
            sink.send(Message::Close(Some(frame))).await?;
            while incoming.next().await.is_some_and(|message| message.is_ok()) {}
        }
        sink.close().await
    };
    if !matches!(timeout(CLOSE_TIME_LIMIT, farewell).await, Ok(Ok(()))) {
        tracing::debug!("a websocket was cut off");
    }
}

/// Something to tell the client about one of its operations.
enum Told {
    /// An answer, as a whole message.
    Next(String),
    /// There are no more.
    Complete(Arc<str>),
}

type Running = SelectAll<Abortable<BoxStream<'static, Told>>>;

/// Starts an operation; its answers come when they are asked for, never before.
fn start(
    app: &App,
    caller: &Arc<Data>,
    operation: Operation,
) -> Abortable<BoxStream<'static, Told>> {
    let Operation { id, request, until } = operation;
    let executor = Guarded(app.schema.clone());
    let answers = app
        .subscriptions
        .execute(executor, *request, Arc::clone(caller));
    let begin = next_begin(&id);
    let told = answers
        .map(move |answer| Told::Next([&*begin, &*answer, NEXT_END].concat()))
        .chain(stream::once(std::future::ready(Told::Complete(id))));
    Abortable::new(told.boxed(), until)
}

/// Carries messages both ways until one side ends it. Returns why, if the client is to be told.
async fn pump(
    app: &App,
    sink: &mut SplitSink<WebSocket, Message>,
    incoming: &mut SplitStream<WebSocket>,
    caller: Caller,
    token: Option<SessionToken>,
) -> Option<Close> {
    let caller = Arc::new(caller.into_data());
    let mut running = Running::new();
    let mut protocol = Protocol::default();
    let opened = Instant::now();
    let mut heard = opened;
    let mut pings = every(PING_EVERY);
    let mut session_checks = every(SESSION_CHECK_EVERY);
    let log_out = token.clone().map_or_else(
        || std::future::pending().boxed(),
        |token| app.accounts.log_out_of(token).boxed(),
    );
    let over = async {
        tokio::select! {
            () = app.stopping.cancelled() => Close::going_away(),
            () = log_out => Close::session_ended(),
        }
    };
    let mut over = std::pin::pin!(over);
    loop {
        let outgoing = tokio::select! {
            close = &mut over => return Some(close),
            () = sleep_until(opened + INIT_TIME_LIMIT), if !protocol.is_initialised() => {
                return Some(Close::init_timeout());
            }
            _ = pings.tick() => {
                if heard.elapsed() > SILENCE_LIMIT {
                    return None;
                }
                Message::Ping(Bytes::new())
            }
            _ = session_checks.tick() => {
                if session_ended(app, token.as_ref()).await {
                    return Some(Close::session_ended());
                }
                continue;
            }
            message = incoming.next() => {
                heard = Instant::now();
                match message? {
                    Ok(Message::Text(text)) => match protocol.accept(&text) {
                        Ok(Accepted::Start(operation)) => {
                            running.push(start(app, &caller, operation));
                            continue;
                        }
                        Ok(Accepted::Answer(answer)) => Message::Text(answer.into()),
                        Ok(Accepted::Noted) => continue,
                        Err(close) => return Some(close),
                    },
                    Ok(Message::Binary(_)) => return Some(Close::invalid("text is expected")),
                    Ok(Message::Close(_)) | Err(_) => return None,
                    Ok(Message::Ping(_) | Message::Pong(_)) => continue,
                }
            }
            Some(told) = running.next() => Message::Text(match told {
                Told::Next(message) => {
                    metrics::counter!("dash_subscription_messages_sent_total").increment(1);
                    message.into()
                }
                Told::Complete(id) => protocol.complete(&id).into(),
            }),
        };
        tokio::select! {
            close = &mut over => return Some(close),
            sent = timeout(SEND_TIME_LIMIT, sink.send(outgoing)) => match sent {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_elapsed) => return Some(Close::too_slow()),
            },
        }
    }
}

/// Ticks from one period on.
fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.reset();
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Whether a session that opened the connection is over. A database that fails ends nothing.
async fn session_ended(app: &App, token: Option<&SessionToken>) -> bool {
    match token {
        Some(token) => matches!(app.accounts.authenticate(token).await, Ok(None)),
        None => false,
    }
}
