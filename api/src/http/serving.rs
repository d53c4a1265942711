//! Accepting connections, and speaking HTTP on them until Dash stops.
//!
//! A connection has a slot for as long as it is open, also when it has become a websocket; while
//! none is free, nobody else is let in. Clients that do not get round to asking for something are
//! sent away, so that slots are not held for nothing.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::serve::Listener;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many are open at the same time; the system lets further ones wait.
    connections: usize,
    /// How long the head of the first request may take to arrive.
    first_head: Duration,
    /// How long the head of each further request may take, counted from the answer before it.
    /// Longer than the pauses after which proxies give a connection up (a minute is common): one
    /// that is closed under their hands costs them a request.
    next_head: Duration,
    /// How often a client that speaks HTTP/2 is asked whether it is still there, and how long it
    /// may take to say so.
    ping: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            first_head: Duration::from_secs(15),
            next_head: Duration::from_secs(75),
            ping: Duration::from_secs(20),
        }
    }
}

/// Serves `router` on `listener` until `stopping`. Then nobody is let in any more, the requests
/// under way are answered, and the connections are closed. Websockets are left to their handlers.
pub(super) async fn serve(
    mut listener: TcpListener,
    router: Router,
    stopping: CancellationToken,
    limits: Limits,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    loop {
        let next = stopping.run_until_cancelled(accept(&mut listener, &slots));
        let Some(Some((stream, peer))) = next.await else {
            break;
        };
        let (router, stopping) = (router.clone(), stopping.clone());
        connections.spawn(speak(stream, peer, router, stopping, limits));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// The next connection, once a slot is free. The listener waits and tries again where the system
/// refuses.
async fn accept(
    listener: &mut TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(Connection, SocketAddr)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    let (stream, peer) = Listener::accept(listener).await;
    // Small live messages go out at once. A stream that refuses is only slower.
    let _ = stream.set_nodelay(true);
    Some((Connection::new(stream, slot), peer))
}

/// Answers the requests of one connection.
async fn speak(
    stream: Connection,
    peer: SocketAddr,
    router: Router,
    stopping: CancellationToken,
    limits: Limits,
) {
    let asked = Arc::new(AtomicBool::new(false));
    let is_asked = Arc::clone(&asked);
    let service = router.map_request(move |mut request: Request<_>| {
        is_asked.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(Body::new)
    });
    let mut http = Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.next_head);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.ping)
        .keep_alive_timeout(limits.ping);
    let service = TowerToHyperService::new(service);
    let mut connection = pin!(http.serve_connection_with_upgrades(TokioIo::new(stream), service));

    // The protocol is known only when its first bytes are there, and until then has no timer.
    let mut too_late = pin!(tokio::time::sleep(limits.first_head));
    let (mut is_timed, mut is_told) = (true, false);
    loop {
        tokio::select! {
            // What has arrived is looked at before the clock.
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error = &*error, "a connection broke off");
                }
                return;
            }
            () = &mut too_late, if is_timed => {
                if !asked.load(Ordering::Relaxed) {
                    tracing::debug!("a client connected and asked for nothing in time");
                    return;
                }
                is_timed = false;
            }
            () = stopping.cancelled(), if !is_told => {
                connection.as_mut().graceful_shutdown();
                is_told = true;
            }
        }
    }
}

/// An open connection with its slot, whichever protocol is spoken on it.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, slot: OwnedSemaphorePermit) -> Self {
        metrics::gauge!("dash_http_connections").increment(1.0);
        Self {
            stream,
            _slot: slot,
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        metrics::gauge!("dash_http_connections").decrement(1.0);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
