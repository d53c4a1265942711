//! The one socket of the app: every subscription of every page shares it. When it is lost it is
//! opened again, at once when the browser is back online, else with growing pauses, and every
//! subscription goes on after the last cursor it has seen.
//!
//! Pages call [`subscribe`]; the frame shows [`LiveState`].

mod socket;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use cynic::{QueryVariables, StreamingOperation};
use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use self::socket::{Happening, Socket};
use crate::api::{self, ApiError, ErrorCode};

const FIRST_PAUSE_MS: f64 = 500.0;
const LONGEST_PAUSE_MS: f64 = 20_000.0;
const RESTART_PAUSE_MS: u32 = 3_000;
/// The closes that say that nobody is logged in.
const UNAUTHENTICATED: [u16; 2] = [4401, 4403];

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
        let idle = HUB.with_borrow_mut(|hub| hub.remove(self.0));
        if idle {
            set_state(LiveState::Idle);
        }
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
    let ended = HUB.with_borrow_mut(|hub| (std::mem::take(&mut hub.entries), hub.link.take()));
    drop(ended);
    set_state(LiveState::Idle);
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

    drop(window_event_listener(leptos::ev::online, |_| retry_now()));
    drop(window_event_listener(leptos::ev::visibilitychange, |_| {
        retry_now();
    }));
    drop(window_event_listener(leptos::ev::offline, |_| give_up()));
}

#[derive(Clone, Copy)]
struct LiveContext(RwSignal<LiveState>);

type Request = Box<dyn Fn(Option<String>) -> Value>;
type Deliver = Box<dyn Fn(Result<Value, ApiError>) -> Option<String>>;

/// A subscription.
struct Entry {
    key: u64,
    inner: Rc<EntryInner>,
    /// The id of its operation on the socket.
    running: Option<u64>,
    /// Starts it again after a while.
    restart: Option<Timeout>,
}

struct EntryInner {
    request: Request,
    deliver: Deliver,
    cursor: RefCell<Option<String>>,
}

/// The way to the server.
enum Link {
    /// It is being opened.
    Opening(Socket),
    /// Operations run on it.
    Open(Socket),
    /// It was lost; the timer opens it again.
    Pausing(#[expect(dead_code, reason = "runs as long as it is held")] Timeout),
}

/// All subscriptions, and the one socket that they share. Signals, and what pages do with events,
/// may come back to it: nothing of that happens while it is borrowed.
#[derive(Default)]
struct Hub {
    entries: Vec<Entry>,
    next_key: u64,
    next_operation: u64,
    link: Option<Link>,
    /// How often in a row the socket could not be opened.
    failures: i32,
}

thread_local! {
    static HUB: RefCell<Hub> = RefCell::default();
    static STATE: Cell<Option<RwSignal<LiveState>>> = const { Cell::new(None) };
}

impl Hub {
    fn add(&mut self, request: Request, deliver: Deliver) -> u64 {
        let key = self.next_key;
        self.next_key += 1;
        self.entries.push(Entry {
            key,
            inner: Rc::new(EntryInner {
                request,
                deliver,
                cursor: RefCell::new(None),
            }),
            running: None,
            restart: None,
        });
        key
    }

    /// Ends a subscription; true when now nothing waits for a socket any more. An open one stays:
    /// the next page will want it.
    fn remove(&mut self, key: u64) -> bool {
        let Some(at) = self.entries.iter().position(|entry| entry.key == key) else {
            return false;
        };
        let entry = self.entries.swap_remove(at);
        match (&self.link, entry.running) {
            (Some(Link::Open(socket)), Some(operation)) => socket.complete(operation),
            (Some(Link::Open(_)), None) => {}
            _ if self.entries.is_empty() => {
                self.link = None;
                return true;
            }
            _ => {}
        }
        false
    }

    /// Starts a subscription on the open socket; without one it starts when there is one.
    fn start(&mut self, key: u64) {
        let Some(Link::Open(socket)) = &self.link else {
            return;
        };
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key) {
            let operation = self.next_operation;
            self.next_operation += 1;
            entry.running = Some(operation);
            entry.restart = None;
            let after = entry.inner.cursor.borrow().clone();
            socket.start(operation, (entry.inner.request)(after));
        }
    }

    /// The subscription that runs as this operation.
    fn running(&self, operation: u64) -> Option<(u64, Rc<EntryInner>)> {
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.running == Some(operation))?;
        Some((entry.key, Rc::clone(&entry.inner)))
    }

    /// Starts a subscription again after a pause: it ended without a lasting reason.
    fn start_later(&mut self, key: u64) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.key == key) {
            entry.running = None;
            let start = move || HUB.with_borrow_mut(|hub| hub.start(key));
            entry.restart = Some(Timeout::new(RESTART_PAUSE_MS, start));
        }
    }
}

fn register(request: Request, deliver: Deliver) -> Subscription {
    let (key, is_first) = HUB.with_borrow_mut(|hub| {
        let key = hub.add(request, deliver);
        hub.start(key);
        let is_first = hub.link.is_none();
        if is_first {
            hub.failures = 0;
        }
        (key, is_first)
    });
    if is_first {
        set_state(LiveState::Connecting);
        connect();
    }
    Subscription(key)
}

/// Opens a socket, in the place of whatever there is.
fn connect() {
    match Socket::open(happened) {
        Some(socket) => drop(swap_link(Some(Link::Opening(socket)))),
        None => pause(),
    }
}

/// What held the old socket is dropped by the caller, when nothing is borrowed any more.
fn swap_link(link: Option<Link>) -> Option<Link> {
    HUB.with_borrow_mut(|hub| std::mem::replace(&mut hub.link, link))
}

fn happened(what: Happening) {
    match what {
        Happening::Ready => ready(),
        Happening::Answer(operation, response) => answered(operation, response),
        Happening::Complete(operation) => HUB.with_borrow_mut(|hub| {
            if let Some((key, _)) = hub.running(operation) {
                hub.start_later(key);
            }
        }),
        Happening::Lost(code) => lost(code),
    }
}

fn ready() {
    HUB.with_borrow_mut(|hub| {
        if let Some(Link::Opening(socket)) = hub.link.take() {
            hub.link = Some(Link::Open(socket));
        }
        hub.failures = 0;
        let keys: Vec<_> = hub.entries.iter().map(|entry| entry.key).collect();
        for key in keys {
            hub.start(key);
        }
    });
    set_state(LiveState::Live);
}

fn answered(operation: u64, response: Value) {
    let Some((key, entry)) = HUB.with_borrow(|hub| hub.running(operation)) else {
        return;
    };
    let answer = api::open_response(response);
    if matches!(&answer, Err(error) if passes(error.code)) {
        return HUB.with_borrow_mut(|hub| {
            if let Some(Link::Open(socket)) = &hub.link {
                socket.complete(operation);
            }
            hub.start_later(key);
        });
    }
    let ended = answer.is_err();
    if let Some(cursor) = (entry.deliver)(answer) {
        entry.cursor.replace(Some(cursor));
    }
    if ended {
        Subscription(key).cancel();
    }
}

/// Whether the same subscription may well work a moment later.
const fn passes(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::RateLimited | ErrorCode::Timeout | ErrorCode::Internal
    )
}

fn lost(code: u16) {
    let before = swap_link(None);
    if matches!(before, Some(Link::Opening(_))) && UNAUTHENTICATED.contains(&code) {
        api::unauthenticated();
    }
    drop(before);
    pause();
}

/// Opens a lost socket again after a while, if anybody wants it.
fn pause() {
    let is_wanted = HUB.with_borrow_mut(|hub| {
        for entry in &mut hub.entries {
            entry.running = None;
        }
        if hub.entries.is_empty() {
            hub.link = None;
            return false;
        }
        let timer = Timeout::new(pause_ms(hub.failures), connect);
        hub.failures += 1;
        hub.link = Some(Link::Pausing(timer));
        true
    });
    set_state(if is_wanted {
        LiveState::Reconnecting
    } else {
        LiveState::Idle
    });
}

/// Ends a pause: there is reason to hope.
fn retry_now() {
    if HUB.with_borrow(|hub| matches!(hub.link, Some(Link::Pausing(_)))) {
        connect();
    }
}

/// Takes a socket for lost: the network is gone, and the browser would notice only much later.
fn give_up() {
    if HUB.with_borrow(|hub| matches!(hub.link, Some(Link::Open(_) | Link::Opening(_)))) {
        lost(0);
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
