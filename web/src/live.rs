//! The one socket of the app: every subscription of every page shares it. When it is lost it is
//! opened again, at once when the browser is back online, else with growing pauses, and every
//! subscription goes on after the last cursor it has seen.
//!
//! Pages call [`subscribe`]; the frame shows [`LiveState`].

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use cynic::{QueryVariables, StreamingOperation};
use futures_util::{
    StreamExt,
    future::{AbortHandle, Either, abortable, select},
};
use gloo_timers::future::TimeoutFuture;
use graphql_ws_client::{
    Client, ConnectionActor, graphql::GraphqlOperation, ws_stream_wasm::Connection,
};
use leptos::{prelude::*, task::spawn_local};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use ws_stream_wasm::WsMeta;

use crate::api::{self, ApiError, ErrorCode};

const PROTOCOL: &str = "graphql-transport-ws";
const CONNECT_TIMEOUT_MS: u32 = 10_000;
const KEEP_ALIVE: Duration = Duration::from_secs(20);
const FIRST_PAUSE_MS: f64 = 500.0;
const LONGEST_PAUSE_MS: f64 = 20_000.0;
const RESTART_PAUSE_MS: u32 = 3_000;
const BUFFERED_EVENTS: usize = 64;

/// Whether what is on the page is live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LiveState {
    /// Nothing on the page wants to be.
    #[default]
    Idle,
    /// The socket is being opened for the first time.
    Connecting,
    /// It is.
    Live,
    /// The socket was lost and is being opened again.
    Reconnecting,
}

/// A running subscription. It also ends with the component that started it.
#[derive(Clone, Copy, Debug)]
pub struct Subscription(u64);

impl Subscription {
    /// Ends it.
    pub fn cancel(self) {
        SOCKET.with_borrow_mut(|socket| socket.remove(self.0));
    }
}

/// Starts a subscription that outlives the loss of the socket.
///
/// `operation` is called for every (re)start with the last cursor that `cursor` found in an
/// event. `on_event` gets every event, and an error when the server ended the subscription for
/// good. It ends with the current reactive owner.
pub fn subscribe<Q, V>(
    operation: impl Fn(Option<String>) -> StreamingOperation<Q, V> + 'static,
    cursor: impl Fn(&Q) -> Option<String> + 'static,
    on_event: impl Fn(Result<Q, ApiError>) + 'static,
) -> Subscription
where
    Q: DeserializeOwned + 'static,
    V: QueryVariables + Serialize + 'static,
{
    let deliver = move |answer: Result<Value, ApiError>| {
        let event = answer.and_then(api::decode::<Q>);
        let seen = event.as_ref().ok().and_then(&cursor);
        on_event(event);
        seen
    };
    let request = move |after| serde_json::to_value(operation(after)).unwrap_or_default();
    let subscription = register(Box::new(request), Box::new(deliver));
    if Owner::current().is_some() {
        on_cleanup(move || subscription.cancel());
    }
    subscription
}

/// Closes the socket and ends all subscriptions: nobody is logged in any more.
pub fn close() {
    SOCKET.with_borrow_mut(|socket| {
        for entry in socket.entries.drain(..) {
            entry.stop();
        }
        socket.generation += 1;
        socket.client = None;
        socket.interrupt();
    });
}

/// The state of the socket; tracked.
pub fn state() -> LiveState {
    use_context::<LiveContext>().map_or(LiveState::Idle, |live| live.0.get())
}

/// Puts the socket's state into context and listens to the browser going on- and offline.
pub fn provide() {
    let state = RwSignal::new(LiveState::Idle);
    provide_context(LiveContext(state));
    STATE.set(Some(state));

    let retry = || SOCKET.with_borrow_mut(Socket::retry_now);
    drop(window_event_listener(leptos::ev::online, move |_| retry()));
    drop(window_event_listener(
        leptos::ev::visibilitychange,
        move |_| retry(),
    ));
    drop(window_event_listener(leptos::ev::offline, |_| {
        SOCKET.with_borrow_mut(Socket::interrupt);
    }));
}

#[derive(Clone, Copy)]
struct LiveContext(RwSignal<LiveState>);

type Request = Box<dyn Fn(Option<String>) -> Value>;
type Deliver = Box<dyn Fn(Result<Value, ApiError>) -> Option<String>>;

struct Entry {
    key: u64,
    inner: Rc<EntryInner>,
    running: Option<AbortHandle>,
}

struct EntryInner {
    request: Request,
    deliver: Deliver,
    cursor: RefCell<Option<String>>,
}

impl Entry {
    fn stop(&self) {
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

#[derive(Default)]
struct Socket {
    entries: Vec<Entry>,
    next_key: u64,
    client: Option<Client>,
    kept: bool,
    /// Counts the calls of [`close`]: a socket that was opened before one belongs to a session that
    /// is over.
    generation: u64,
    /// Ends what the keeper is waiting for: the loss of the socket, or a pause.
    interrupt: Option<AbortHandle>,
}

thread_local! {
    static SOCKET: RefCell<Socket> = RefCell::default();
    static STATE: Cell<Option<RwSignal<LiveState>>> = const { Cell::new(None) };
}

impl Socket {
    fn remove(&mut self, key: u64) {
        if let Some(at) = self.entries.iter().position(|entry| entry.key == key) {
            self.entries.swap_remove(at).stop();
        }
        if self.entries.is_empty() && self.client.is_none() {
            self.interrupt();
        }
    }

    fn interrupt(&mut self) {
        if let Some(interrupt) = self.interrupt.take() {
            interrupt.abort();
        }
    }

    fn retry_now(&mut self) {
        if self.client.is_none() {
            self.interrupt();
        }
    }

    /// Takes over a socket that was opened in a generation; false when it is of no use any more.
    fn open(&mut self, generation: u64, client: Client, interrupt: AbortHandle) -> bool {
        let is_wanted = self.generation == generation && !self.entries.is_empty();
        if is_wanted {
            self.client = Some(client);
            self.interrupt = Some(interrupt);
        }
        is_wanted
    }

    /// Starts all entries.
    fn start_all(&mut self) {
        let keys: Vec<_> = self.entries.iter().map(|entry| entry.key).collect();
        for key in keys {
            self.start(key);
        }
    }

    /// Starts an entry on the open socket; without one it starts when there is one.
    fn start(&mut self, key: u64) {
        let Some(client) = self.client.clone() else {
            return;
        };
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key) {
            let (drive, running) = abortable(drive(client, key, entry.inner.clone()));
            entry.running = Some(running);
            spawn_local(async move {
                let _aborted = drive.await;
            });
        }
    }
}

fn register(request: Request, deliver: Deliver) -> Subscription {
    let (key, keep) = SOCKET.with_borrow_mut(|socket| {
        let key = socket.next_key;
        socket.next_key += 1;
        socket.entries.push(Entry {
            key,
            inner: Rc::new(EntryInner {
                request,
                deliver,
                cursor: RefCell::new(None),
            }),
            running: None,
        });
        socket.start(key);
        (key, !std::mem::replace(&mut socket.kept, true))
    });
    if keep {
        spawn_local(keep_connected());
    }
    Subscription(key)
}

/// Reads one subscription until it ends, the socket is lost, or nobody wants it any more.
async fn drive(client: Client, key: u64, entry: Rc<EntryInner>) {
    let request = RawOperation((entry.request)(entry.cursor.borrow().clone()));
    let Ok(mut events) = client.subscribe(request).await else {
        return;
    };
    while let Some(Ok(event)) = events.next().await {
        let answer = api::open_response(event);
        if matches!(&answer, Err(error) if passes(error.code)) {
            break;
        }
        let ended = answer.is_err();
        if let Some(cursor) = (entry.deliver)(answer) {
            entry.cursor.replace(Some(cursor));
        }
        if ended {
            return SOCKET.with_borrow_mut(|socket| socket.remove(key));
        }
    }
    // The server ended it without a lasting reason, or the socket went away meanwhile, in
    // which case the keeper starts it again and aborts this.
    drop(events);
    TimeoutFuture::new(RESTART_PAUSE_MS).await;
    SOCKET.with_borrow_mut(|socket| socket.start(key));
}

/// Whether the same subscription may well work a moment later.
const fn passes(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::RateLimited | ErrorCode::Timeout | ErrorCode::Internal
    )
}

/// Keeps the socket open for as long as there are subscriptions.
async fn keep_connected() {
    let mut failures = 0;
    set_state(LiveState::Connecting);
    while SOCKET.with_borrow(|socket| !socket.entries.is_empty()) {
        let generation = SOCKET.with_borrow(|socket| socket.generation);
        if let Some((client, actor)) = connect(generation).await {
            failures = 0;
            let (lost, interrupt) = abortable(actor.into_future());
            if !SOCKET.with_borrow_mut(|socket| socket.open(generation, client, interrupt)) {
                // Dropping it closes it; whoever is there now gets one of their own.
                continue;
            }
            set_state(LiveState::Live);
            SOCKET.with_borrow_mut(Socket::start_all);
            let _aborted = lost.await;
            SOCKET.with_borrow_mut(|socket| {
                socket.client = None;
                socket.entries.iter().for_each(Entry::stop);
            });
        }
        if SOCKET.with_borrow(|socket| socket.entries.is_empty()) {
            break;
        }
        set_state(LiveState::Reconnecting);
        let (pause, interrupt) = abortable(TimeoutFuture::new(pause_ms(failures)));
        SOCKET.with_borrow_mut(|socket| socket.interrupt = Some(interrupt));
        let _aborted = pause.await;
        failures += 1;
    }
    SOCKET.with_borrow_mut(|socket| {
        socket.kept = false;
        socket.client = None;
    });
    set_state(LiveState::Idle);
}

/// Opens a socket for the session of a generation.
async fn connect(generation: u64) -> Option<(Client, ConnectionActor)> {
    let opened = async {
        let location = window().location();
        let scheme = match location.protocol().ok()?.as_str() {
            "https:" => "wss",
            _ => "ws",
        };
        let url = format!("{scheme}://{}/graphql/ws", location.host().ok()?);
        let socket = WsMeta::connect(url, vec![PROTOCOL]).await.ok()?;
        let built = Client::build(Connection::new(socket).await)
            .subscription_buffer_size(BUFFERED_EVENTS)
            .keep_alive_interval(KEEP_ALIVE)
            .keep_alive_retries(1)
            .await;
        // A refusal says nothing of a session that began meanwhile.
        if let Err(graphql_ws_client::Error::Close(4401 | 4403, _)) = &built
            && SOCKET.with_borrow(|socket| socket.generation == generation)
        {
            api::unauthenticated();
        }
        built.ok()
    };
    match select(Box::pin(opened), TimeoutFuture::new(CONNECT_TIMEOUT_MS)).await {
        Either::Left((opened, _)) => opened,
        Either::Right(_) => None,
    }
}

/// Twice as long after every failure, and never for two clients the same.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 250 and 20,000"
)]
fn pause_ms(failures: i32) -> u32 {
    let pause = (FIRST_PAUSE_MS * 2_f64.powi(failures.min(8))).min(LONGEST_PAUSE_MS);
    (pause * (0.5 + js_sys::Math::random() / 2.0)) as u32
}

fn set_state(new: LiveState) {
    if let Some(state) = STATE.get() {
        state.set(new);
    }
}

/// An operation that is JSON already, and whose answers stay JSON: the socket's code exists
/// once, whatever the number of subscriptions in the app.
struct RawOperation(Value);

impl Serialize for RawOperation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl GraphqlOperation for RawOperation {
    type Response = Value;
    type Error = serde_json::Error;

    fn decode(&self, data: Value) -> Result<Value, serde_json::Error> {
        Ok(data)
    }
}
