//! GraphQL over a websocket (`graphql-transport-ws`): many subscriptions on one connection.
//!
//! The library speaks the protocol. This module holds the socket around it: it checks who comes,
//! bounds what one connection can cost, notices dead ones, and ends those whose session ended.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::http::{WebSocket as GraphqlSocket, WebSocketProtocols, WsMessage};
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::SplitSink;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::callers::{Caller, UnknownCaller, request_id};
use super::documents::Guarded;
use super::origins;
use super::problems::Problem;
use crate::accounts::SessionToken;
use crate::app::App;

mod protocol;

use protocol::{Accepted, Close, Protocol};

/// The only protocol that is spoken.
const PROTOCOL: &str = "graphql-transport-ws";
/// The largest message of a client.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;
/// Messages of a client that wait to be worked on.
const MAX_WAITING_MESSAGES: usize = 128;
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
        .on_upgrade(move |socket| converse(app, socket, caller))
}

/// Counts an open connection while it lives.
struct Counted;

impl Counted {
    fn new() -> Self {
        metrics::gauge!("dash_websocket_connections").increment(1.0);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!("dash_websocket_connections").decrement(1.0);
    }
}

async fn converse(app: Arc<App>, socket: WebSocket, caller: Caller) {
    let _counted = Counted::new();
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

/// Carries messages both ways until one side ends it. Returns why, if the client is to be told.
async fn pump(
    app: &App,
    sink: &mut SplitSink<WebSocket, Message>,
    incoming: &mut stream::SplitStream<WebSocket>,
    caller: Caller,
    token: Option<SessionToken>,
) -> Option<Close> {
    let (queue, mut waiting) = mpsc::channel::<Bytes>(MAX_WAITING_MESSAGES);
    let requests = stream::poll_fn(move |context| waiting.poll_recv(context));
    let executor = Guarded(app.schema.clone());
    let answers = GraphqlSocket::new(executor, requests, WebSocketProtocols::GraphQLWS)
        .connection_data(caller.into_data());
    let mut answers = std::pin::pin!(answers);

    let mut protocol = Protocol::default();
    let opened = Instant::now();
    let mut heard = opened;
    let mut pings = every(PING_EVERY);
    let mut session_checks = every(SESSION_CHECK_EVERY);
    let mut log_out = token.clone().map_or_else(
        || std::future::pending().boxed(),
        |token| app.accounts.log_out_of(token).boxed(),
    );
    loop {
        let outgoing = tokio::select! {
            () = app.stopping.cancelled() => return Some(Close::GOING_AWAY),
            () = sleep_until(opened + INIT_TIME_LIMIT), if !protocol.is_initialised() => {
                return Some(Close::INIT_TIMEOUT);
            }
            _ = pings.tick() => {
                if heard.elapsed() > SILENCE_LIMIT {
                    return None;
                }
                Some(Message::Ping(Bytes::new()))
            }
            () = &mut log_out => return Some(Close::SESSION_ENDED),
            _ = session_checks.tick() => {
                if session_ended(app, token.as_ref()).await {
                    return Some(Close::SESSION_ENDED);
                }
                None
            }
            message = incoming.next() => {
                heard = Instant::now();
                match message? {
                    Ok(Message::Text(text)) => match protocol.accept(&text) {
                        Ok(Accepted::Forward) => {
                            if queue.try_send(Bytes::from(text)).is_err() {
                                return Some(Close::TOO_FAST);
                            }
                            None
                        }
                        Ok(Accepted::Answer(answer)) => Some(Message::Text(answer.into())),
                        Err(close) => return Some(close),
                    },
                    Ok(Message::Binary(_)) => return Some(Close::invalid("text is expected")),
                    Ok(Message::Close(_)) | Err(_) => return None,
                    Ok(Message::Ping(_) | Message::Pong(_)) => None,
                }
            }
            answer = answers.next() => match answer? {
                WsMessage::Text(text) => {
                    protocol.passes(&text).then(|| Message::Text(Utf8Bytes::from(text)))
                }
                WsMessage::Close(code, reason) => return Some(Close { code, reason }),
            },
        };
        if let Some(message) = outgoing
            && !matches!(
                timeout(SEND_TIME_LIMIT, sink.send(message)).await,
                Ok(Ok(()))
            )
        {
            return None;
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
