use axum::extract::ws::WebSocketUpgrade;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;

const GET: &str = "GET / HTTP/1.1\r\nHost: dash.test\r\n\r\n";
const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: dash.test\r\nConnection: Upgrade\r\n\
                       Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// Long enough for every test, and not for ever.
const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(30);
const PATIENT: Limits = Limits {
    connections: 100,
    first_head: LONG,
    next_head: LONG,
    ping: LONG,
};

/// A server of one test.
struct Server {
    address: SocketAddr,
    /// Told when a request to `/slow` is there.
    arrived: Arc<Notify>,
    /// Lets it be answered.
    go_on: Arc<Notify>,
    stopping: CancellationToken,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stopping = CancellationToken::new();
        let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let slow = (Arc::clone(&arrived), Arc::clone(&go_on));
        let router = Router::new()
            .route(
                "/",
                get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move {
                    format!("you are {peer}")
                }),
            )
            .route(
                "/slow",
                get(async move || {
                    slow.0.notify_one();
                    slow.1.notified().await;
                    "at last"
                }),
            )
            .route(
                "/ws",
                get(|upgrade: WebSocketUpgrade| async {
                    upgrade.on_upgrade(async |mut socket| while socket.recv().await.is_some() {})
                }),
            );
        let task = tokio::spawn(serve(listener, router, stopping.clone(), limits));
        Self {
            address,
            arrived,
            go_on,
            stopping,
            task,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends a request that is answered only after [`Self::go_on`].
    async fn ask_slowly(&self) -> TcpStream {
        let mut stream = self.connect().await;
        let request = GET.replacen('/', "/slow", 1);
        stream.write_all(request.as_bytes()).await.unwrap();
        self.arrived.notified().await;
        stream
    }
}

/// Sends `text` and reads until `expected` is there.
async fn ask(stream: &mut TcpStream, text: &str, expected: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    while !answer.contains(expected) {
        let mut part = [0; 1024];
        let read = stream.read(&mut part).await.unwrap();
        assert!(read > 0, "closed after {answer:?}");
        answer.push_str(str::from_utf8(&part[..read]).unwrap());
    }
}

/// Waits until the other side has closed the connection.
async fn closed(stream: &mut TcpStream) {
    let mut part = [0; 1024];
    while matches!(stream.read(&mut part).await, Ok(read) if read > 0) {}
}

#[tokio::test]
async fn whoever_does_not_finish_the_head_of_a_first_request_is_sent_away() {
    let server = Server::start(Limits {
        first_head: SHORT,
        ..PATIENT
    })
    .await;
    // A request that takes its time is not one that does not arrive.
    let mut slow = server.ask_slowly().await;
    // Nothing; half the beginning of HTTP/2, all of it; half a head.
    for beginning in [
        "",
        "PRI * HTTP",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: dash.t",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        closed(&mut stream).await;
    }
    server.go_on.notify_one();
    ask(&mut slow, "", "at last").await;
}

#[tokio::test]
async fn whoever_does_not_finish_the_head_of_a_further_request_is_sent_away() {
    let server = Server::start(Limits {
        next_head: SHORT,
        ..PATIENT
    })
    .await;
    for beginning in ["", "GET / HTTP/1.1\r\nHost: dash.t"] {
        let mut stream = server.connect().await;
        let peer = stream.local_addr().unwrap();
        ask(&mut stream, GET, &format!("you are {peer}")).await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        closed(&mut stream).await;
    }
}

#[tokio::test]
async fn while_all_slots_are_taken_nobody_else_is_let_in() {
    let server = Server::start(Limits {
        connections: 1,
        ..PATIENT
    })
    .await;
    let mut first = server.connect().await;
    ask(&mut first, GET, "you are").await;
    let mut second = server.connect().await;
    second.write_all(GET.as_bytes()).await.unwrap();
    // A connection that has become a websocket keeps its slot.
    for (request, answer) in [(GET, "you are"), (GET, "you are"), (UPGRADE, " 101 ")] {
        ask(&mut first, request, answer).await;
        let unread = second.try_read(&mut [0; 1024]).unwrap_err();
        assert_eq!(unread.kind(), io::ErrorKind::WouldBlock);
    }
    drop(first);
    ask(&mut second, "", "you are").await;
}

#[tokio::test]
async fn a_stop_lets_requests_under_way_be_answered_and_closes_unused_connections() {
    let server = Server::start(PATIENT).await;
    let mut unused = server.connect().await;
    ask(&mut unused, GET, "you are").await;
    let mut slow = server.ask_slowly().await;
    server.stopping.cancel();
    closed(&mut unused).await;
    assert!(!server.task.is_finished());
    server.go_on.notify_one();
    ask(&mut slow, "", "at last").await;
    closed(&mut slow).await;
    server.task.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}
