//! One connection that speaks `graphql-transport-ws`, the protocol of GraphQL over websockets. It
//! introduces itself, answers and sends pings, and tells its owner what happens; when to connect,
//! and what for, is decided in `live`.
//!
//! The browser's own events drive it. A client library with its channels, streams and an actor is
//! several times the code, and every page with live data would load it first.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use gloo_timers::callback::{Interval, Timeout};
use leptos::prelude::window;
use serde_json::{Value, json};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{CloseEvent, MessageEvent, WebSocket};

const PROTOCOL: &str = "graphql-transport-ws";
const CONNECT_TIMEOUT_MS: u32 = 10_000;
/// When nothing was heard for so long the server is asked whether it is still there, and when
/// nothing is heard for so long again the connection is given up.
const KEEP_ALIVE_MS: u32 = 15_000;
/// Stands for a close without a code: the connection was lost, or given up from here.
const LOST: u16 = 1006;

/// What happens on a connection.
pub enum Happening {
    /// Operations can be started.
    Ready,
    /// An answer of an operation, as a GraphQL response.
    Answer(u64, Value),
    /// An operation is over.
    Complete(u64),
    /// The connection is over, with the code of its close. Nothing more happens.
    Lost(u16),
}

/// A connection; dropping it closes it, and then nothing more happens either.
pub struct Socket {
    inner: Rc<Inner>,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_close: Closure<dyn Fn(CloseEvent)>,
    _on_open: Closure<dyn Fn()>,
}

struct Inner {
    socket: WebSocket,
    tell: Box<dyn Fn(Happening)>,
    /// Gives the connection up when it is not acknowledged in time.
    deadline: RefCell<Option<Timeout>>,
    keep_alive: RefCell<Option<Interval>>,
    /// How often in a row nothing was heard when it was time to ask.
    silences: Cell<u8>,
}

impl Socket {
    /// Begins to connect; none when the browser does not even try.
    pub fn open(tell: impl Fn(Happening) + 'static) -> Option<Self> {
        let location = window().location();
        let scheme = match location.protocol().ok()?.as_str() {
            "https:" => "wss",
            _ => "ws",
        };
        let url = format!("{scheme}://{}/graphql/ws", location.host().ok()?);
        let inner = Rc::new(Inner {
            socket: WebSocket::new_with_str(&url, PROTOCOL).ok()?,
            tell: Box::new(tell),
            deadline: RefCell::new(None),
            keep_alive: RefCell::new(None),
            silences: Cell::new(0),
        });
        inner.expect_acknowledgement();

        let on_open = {
            let inner = Rc::clone(&inner);
            Closure::<dyn Fn()>::new(move || inner.send(&json!({ "type": "connection_init" })))
        };
        let on_message = {
            let inner = Rc::clone(&inner);
            Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
                let text = event.data().as_string();
                let message = text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
                match message {
                    Some(message) => inner.take(message),
                    // Whatever this is, it is not the protocol.
                    None => (inner.tell)(Happening::Lost(LOST)),
                }
            })
        };
        let on_close = {
            let inner = Rc::clone(&inner);
            Closure::<dyn Fn(CloseEvent)>::new(move |event: CloseEvent| {
                (inner.tell)(Happening::Lost(event.code()));
            })
        };
        let socket = &inner.socket;
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Some(Self {
            inner,
            _on_message: on_message,
            _on_close: on_close,
            _on_open: on_open,
        })
    }

    /// Starts an operation under an id that no other one of this connection has had.
    pub fn start(&self, id: u64, request: Value) {
        self.inner.send(&json!({
            "id": id.to_string(),
            "type": "subscribe",
            "payload": request,
        }));
    }

    /// Ends an operation.
    pub fn complete(&self, id: u64) {
        self.inner
            .send(&json!({ "id": id.to_string(), "type": "complete" }));
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let socket = &self.inner.socket;
        socket.set_onopen(None);
        socket.set_onmessage(None);
        socket.set_onclose(None);
        self.inner.deadline.take();
        self.inner.keep_alive.take();
        drop(socket.close());
    }
}

impl Inner {
    /// A message that cannot be sent is one of a connection whose end is about to be told.
    fn send(&self, message: &Value) {
        drop(self.socket.send_with_str(&message.to_string()));
    }

    fn expect_acknowledgement(self: &Rc<Self>) {
        let inner = Rc::clone(self);
        let give_up = move || (inner.tell)(Happening::Lost(LOST));
        self.deadline
            .replace(Some(Timeout::new(CONNECT_TIMEOUT_MS, give_up)));
    }

    fn keep_alive(self: &Rc<Self>) {
        let inner = Rc::clone(self);
        let ask = move || match inner.silences.replace(inner.silences.get() + 1) {
            0 => {}
            1 => inner.send(&json!({ "type": "ping" })),
            _ => (inner.tell)(Happening::Lost(LOST)),
        };
        self.keep_alive
            .replace(Some(Interval::new(KEEP_ALIVE_MS, ask)));
    }

    /// Understands a message of the server.
    fn take(self: &Rc<Self>, mut message: Value) {
        self.silences.set(0);
        let id = message["id"].as_str().and_then(|id| id.parse().ok());
        let payload = message.get_mut("payload").map(Value::take);
        let payload = payload.unwrap_or_default();
        match (message["type"].as_str().unwrap_or_default(), id) {
            ("connection_ack", _) => {
                self.deadline.take();
                self.keep_alive();
                (self.tell)(Happening::Ready);
            }
            ("ping", _) => self.send(&json!({ "type": "pong" })),
            ("next", Some(id)) => (self.tell)(Happening::Answer(id, payload)),
            // Here the payload is the list of errors; the rest of the client knows responses.
            ("error", Some(id)) => {
                (self.tell)(Happening::Answer(id, json!({ "errors": payload })));
                (self.tell)(Happening::Complete(id));
            }
            ("complete", Some(id)) => (self.tell)(Happening::Complete(id)),
            _ => {}
        }
    }
}
