//! What a live widget costs that 1,000 people look at, against one that a single person looks at: the
//! database work while it changes ten times a second, and how much later its changes are seen. With
//! either, a change may wait for a tenth of a second until the widget may change again.

use std::process::Command;
use std::time::{Duration, Instant};

use dash_tests::{Client, TestApp};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::report::{Goal, Measurement};

/// How many look at the widget.
const SUBSCRIBERS: usize = 1_000;
/// How many of them connect at once.
const CONNECTING: usize = 16;
/// How often the widget changes, and how many of the changes count.
const PERIOD: Duration = Duration::from_millis(100);
const WARM_UP: usize = 10;
const CHANGES: usize = 100;
/// A run that takes longer has failed.
const TIME_LIMIT: Duration = Duration::from_mins(2);
/// Both ends of all connections are in this process.
const OPEN_FILES: usize = 2 * SUBSCRIBERS + 500;

const QUERY: &str = "subscription ($id: ID!) { dashboard(id: $id) { data { ... on StatData { value } \
                     } } }";

/// Measures.
pub async fn measure() -> Vec<Measurement> {
    allow_open_files();
    let one = run(1).await;
    let many = run(SUBSCRIBERS).await;
    vec![
        Measurement {
            name: "fan-out to 1,000, database work".to_owned(),
            value: many.statements,
            unit: "statements",
            baseline: one.statements,
            goal: Goal::RatioAtMost(1.5),
        },
        Measurement {
            name: "fan-out to 1,000, added latency, p99".to_owned(),
            value: many.p99_ms - one.p99_ms,
            unit: "ms",
            baseline: one.p99_ms,
            goal: Goal::AtMost(50.0),
        },
    ]
}

/// What was found with so many subscribers.
struct Found {
    /// Statements that the database was given while the widget changed.
    statements: f64,
    /// From the beginning of a post to the message that shows it, in the 99th percentile of all
    /// changes and subscribers.
    p99_ms: f64,
}

async fn run(subscribers: usize) -> Found {
    let app = TestApp::builder().real_clock().start().await;
    let owner = app.owner("ann").await;
    let (pipeline, url) = owner.new_webhook("Fan-out").await;
    let dashboard = dashboard(&owner, &pipeline).await;

    // The subscribers have a thread and a runtime of their own, as other machines have.
    let (told, mut ready) = mpsc::channel(1);
    let (finish, seen) = oneshot::channel();
    let watchers = Watchers {
        url: owner.url().to_owned(),
        cookie: owner.cookie().unwrap_or_default(),
        dashboard,
        subscribers,
    };
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime can be made");
        // Whoever waits for it has given up if it is gone.
        let _ = finish.send(runtime.block_on(watchers.watch(told)));
    });
    let limited = async {
        ready.recv().await.expect("all see the widget");
        let mut ticks = tokio::time::interval(PERIOD);
        let (mut posted, mut before) = (Vec::new(), 0.0);
        for number in 1..=WARM_UP + CHANGES {
            ticks.tick().await;
            if number == WARM_UP + 1 {
                before = statements();
            }
            posted.push(Instant::now());
            let answer = owner.post(&url, &json!({ "number": number })).await;
            assert!(answer.status.is_success(), "{:#}", answer.json);
        }
        let seen = seen.await.expect("all see all changes");
        (posted, seen, statements() - before)
    };
    let limited = tokio::time::timeout(TIME_LIMIT, limited).await;
    let (posted, seen, statements) = limited.expect("it ends in time");
    thread.join().expect("the subscribers end");
    app.stop().await;
    let p99_ms = p99_ms(&posted, &seen);
    Found { statements, p99_ms }
}

async fn dashboard(owner: &Client, pipeline: &str) -> String {
    let made = owner
        .done(
            "createDashboard",
            "dashboard { id }",
            json!({"name": "Fan-out"}),
        )
        .await;
    let id = made["dashboard"]["id"].clone();
    let widget = json!({
        "kind": "STAT", "title": "Orders", "pipelineId": pipeline,
        "position": { "x": 0, "y": 0, "w": 3, "h": 2 },
    });
    let input = json!({ "id": id, "widgets": [widget] });
    owner
        .done("updateDashboard", "dashboard { id }", input)
        .await;
    id.as_str().expect("a dashboard has an id").to_owned()
}

/// Statements that the database was given since the start.
fn statements() -> f64 {
    let metrics = dash_api::telemetry::metrics().render();
    let mut lines = metrics.lines();
    let count = lines.find_map(|line| line.strip_prefix("dash_database_statements_total "));
    let count = count.and_then(|count| count.parse().ok());
    count.expect("statements are counted")
}

/// For every change and subscriber, the time to the first message that shows it or a later one.
fn p99_ms(posted: &[Instant], seen: &[Vec<Seen>]) -> f64 {
    let mut times: Vec<f64> = Vec::new();
    for (number, posted) in (1..).zip(posted).skip(WARM_UP) {
        for seen in seen {
            let shown = seen.iter().find(|seen| seen.count >= number);
            let shown = shown.expect("every change is seen").at;
            times.push(shown.duration_since(*posted).as_secs_f64() * 1_000.0);
        }
    }
    times.sort_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}

/// What a message showed, and when it was there.
struct Seen {
    count: usize,
    at: Instant,
}

/// Those who look.
struct Watchers {
    url: String,
    cookie: String,
    dashboard: String,
    subscribers: usize,
}

impl Watchers {
    /// Tells when all see the widget; returns what each saw when they have seen everything.
    async fn watch(self, ready: mpsc::Sender<()>) -> Vec<Vec<Seen>> {
        let connect = (0..self.subscribers).map(|_| self.connect());
        let connected: Vec<_> = futures_util::stream::iter(connect)
            .buffer_unordered(CONNECTING)
            .collect()
            .await;
        ready.send(()).await.expect("somebody waits");
        let watching = connected
            .into_iter()
            .map(|messages| tokio::spawn(see_all(messages)));
        let seen: Vec<_> = watching.collect();
        let mut all = Vec::with_capacity(seen.len());
        for seen in seen {
            all.push(seen.await.expect("a subscriber ends"));
        }
        all
    }

    /// Connects, subscribes, and waits for the first message.
    async fn connect(&self) -> Messages {
        let url = format!("{}/graphql/ws", self.url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("the URL is right");
        let headers = request.headers_mut();
        for (name, value) in [
            ("sec-websocket-protocol", "graphql-transport-ws"),
            ("origin", &self.url),
            ("cookie", &self.cookie),
        ] {
            headers.insert(name, value.parse().expect("a header is text"));
        }
        let config = WebSocketConfig::default().read_buffer_size(4 * 1024);
        let connected = connect_async_with_config(request, Some(config), true).await;
        let (mut socket, _) = connected.expect("the socket opens");
        for message in [
            json!({ "type": "connection_init" }),
            json!({ "id": "1", "type": "subscribe", "payload": {
                "query": QUERY, "variables": { "id": self.dashboard } } }),
        ] {
            let sent = socket.send(Message::text(message.to_string())).await;
            sent.expect("the socket takes a message");
        }
        let mut messages = Messages(socket);
        messages.next().await;
        messages
    }
}

struct Messages(
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>,
);

impl Messages {
    /// The next message that shows the widget.
    async fn next(&mut self) -> Seen {
        loop {
            let message = self.0.next().await.expect("the socket is open");
            let message = message.expect("the socket works");
            let at = Instant::now();
            if let Message::Text(text) = message
                && text.contains(r#""type":"next""#)
            {
                // A thousand parsers of JSON would be measured too.
                let value = text.split_once(r#""value":"#).map(|(_, rest)| rest);
                let value = value.and_then(|rest| rest.split(['.', '}', ',']).next());
                let count = value.and_then(|value| value.parse().ok());
                let count = count.expect("a message has a figure");
                return Seen { count, at };
            }
        }
    }
}

async fn see_all(mut messages: Messages) -> Vec<Seen> {
    let mut seen = Vec::with_capacity(CHANGES);
    while seen
        .last()
        .is_none_or(|seen: &Seen| seen.count < WARM_UP + CHANGES)
    {
        seen.push(messages.next().await);
    }
    seen
}

/// Lets this process open as many files as it needs, where the system has a command for that.
fn allow_open_files() {
    let me = std::process::id().to_string();
    let limit = format!("--nofile={OPEN_FILES}:");
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let mut lines = limits.lines();
    let allowed = lines.find_map(|line| line.strip_prefix("Max open files"));
    let allowed = allowed.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    if allowed.is_some_and(|allowed: usize| allowed < OPEN_FILES) {
        let changed = Command::new("prlimit")
            .args(["--pid", &me, &limit])
            .status();
        assert!(
            changed.is_ok_and(|status| status.success()),
            "open files are limited to fewer than {OPEN_FILES}: see `ulimit -n`"
        );
    }
}
