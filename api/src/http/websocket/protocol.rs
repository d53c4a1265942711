//! The protocol `graphql-transport-ws`: the order of messages, ids in use, how many operations one
//! connection has, and the close codes. It knows no socket: text goes in, and what to do comes out.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Request;
use dash_shared::codes::ErrorCode;
use futures_util::stream::{AbortHandle, AbortRegistration};
use serde::Deserialize;
use serde_json::json;

/// The most operations at the same time on one connection.
const MAX_OPERATIONS: usize = 64;
/// The longest id of an operation, in bytes.
const MAX_ID_BYTES: usize = 128;

/// Why the server closes a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u16,
    pub(super) reason: String,
}

impl Close {
    fn new(code: u16, reason: &str) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
        }
    }

    pub(super) fn going_away() -> Self {
        Self::new(1001, "Dash stops")
    }

    pub(super) fn too_slow() -> Self {
        Self::new(1008, "The client does not take its messages")
    }

    pub(super) fn session_ended() -> Self {
        Self::new(4403, "The session has ended")
    }

    pub(super) fn init_timeout() -> Self {
        Self::new(4408, "Connection initialisation timeout")
    }

    pub(super) fn invalid(problem: &str) -> Self {
        // A reason has at most 123 bytes.
        let problem: String = problem.chars().take(40).collect();
        Self::new(4400, &format!("Invalid message: {problem}"))
    }
}

/// What to do with a message of the client.
#[derive(Debug)]
pub(super) enum Accepted {
    /// It is answered at once.
    Answer(String),
    /// An operation begins.
    Start(Operation),
    /// Nothing is to be done.
    Noted,
}

/// An operation that a client starts.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) id: Arc<str>,
    pub(super) request: Box<Request>,
    /// Whatever works for it ends when the client has enough.
    pub(super) until: AbortRegistration,
}

/// A message of the client.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ClientMessage {
    ConnectionInit,
    Subscribe { id: String, payload: Box<Request> },
    Complete { id: String },
    Ping,
    Pong,
}

/// Where a connection stands.
#[derive(Debug, Default)]
pub(super) struct Protocol {
    initialised: bool,
    operations: HashMap<Arc<str>, AbortHandle>,
}

impl Protocol {
    /// Whether the client has introduced itself.
    pub(super) const fn is_initialised(&self) -> bool {
        self.initialised
    }

    /// Takes note of a message of the client, and says what to do with it.
    pub(super) fn accept(&mut self, text: &str) -> Result<Accepted, Close> {
        let message: ClientMessage =
            serde_json::from_str(text).map_err(|error| Close::invalid(&error.to_string()))?;
        match message {
            ClientMessage::ConnectionInit if self.initialised => {
                Err(Close::new(4429, "Too many initialisation requests"))
            }
            ClientMessage::ConnectionInit => {
                self.initialised = true;
                Ok(Accepted::Answer(r#"{"type":"connection_ack"}"#.to_owned()))
            }
            ClientMessage::Subscribe { id, payload } => self.subscribe(id.into(), payload),
            ClientMessage::Complete { id } => {
                if let Some(operation) = self.operations.remove(&*id) {
                    operation.abort();
                }
                Ok(Accepted::Noted)
            }
            ClientMessage::Ping => Ok(Accepted::Answer(r#"{"type":"pong"}"#.to_owned())),
            ClientMessage::Pong => Ok(Accepted::Noted),
        }
    }

    fn subscribe(&mut self, id: Arc<str>, request: Box<Request>) -> Result<Accepted, Close> {
        if !self.initialised {
            return Err(Close::new(4401, "Unauthorized"));
        }
        if id.is_empty() || id.len() > MAX_ID_BYTES {
            return Err(Close::invalid("the id is empty or too long"));
        }
        if self.operations.contains_key(&id) {
            let short: String = id.chars().take(24).collect();
            let reason = format!("Subscriber for {short} already exists");
            return Err(Close { code: 4409, reason });
        }
        if self.operations.len() >= MAX_OPERATIONS {
            let message = format!("One connection has at most {MAX_OPERATIONS} operations.");
            let error = json!({ "message": message, "extensions": { "code": ErrorCode::RateLimited.as_str() } });
            let answer = json!({ "id": &*id, "type": "error", "payload": [error] });
            return Ok(Accepted::Answer(answer.to_string()));
        }
        let (handle, until) = AbortHandle::new_pair();
        self.operations.insert(Arc::clone(&id), handle);
        Ok(Accepted::Start(Operation { id, request, until }))
    }

    /// Takes note that an operation has no more answers; returns the message that says so.
    pub(super) fn complete(&mut self, id: &str) -> String {
        self.operations.remove(id);
        json!({ "id": id, "type": "complete" }).to_string()
    }
}

/// What a message with an answer of an operation begins with; the answer and [`NEXT_END`] follow.
pub(super) fn next_begin(id: &str) -> String {
    format!(r#"{{"id":{},"type":"next","payload":"#, json!(id))
}

/// What such a message ends with.
pub(super) const NEXT_END: &str = "}";

#[cfg(test)]
mod tests {
    use super::*;

    const INIT: &str = r#"{"type":"connection_init"}"#;

    fn open() -> Protocol {
        let mut protocol = Protocol::default();
        let answer = protocol.accept(INIT).unwrap();
        assert!(matches!(answer, Accepted::Answer(text) if text == r#"{"type":"connection_ack"}"#));
        protocol
    }

    fn subscribe(id: &str) -> String {
        json!({ "id": id, "type": "subscribe", "payload": { "query": "{ a }" } }).to_string()
    }

    fn code(result: Result<Accepted, Close>) -> u16 {
        result.unwrap_err().code
    }

    /// Starts an operation that is allowed to.
    fn start(protocol: &mut Protocol, id: &str) -> Operation {
        match protocol.accept(&subscribe(id)) {
            Ok(Accepted::Start(operation)) => operation,
            other => panic!("{id}: {other:?}"),
        }
    }

    #[test]
    fn messages_out_of_order_close_the_connection() {
        assert_eq!(code(Protocol::default().accept(&subscribe("a"))), 4401);
        assert_eq!(code(open().accept(INIT)), 4429);
        for text in [
            "",
            "x",
            "[]",
            "{}",
            r#"{"type":"bogus"}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"subscribe","id":"a"}"#,
            r#"{"type":"subscribe","payload":{"query":"{ a }"}}"#,
        ] {
            assert_eq!(code(open().accept(text)), 4400, "{text}");
        }
        assert_eq!(code(open().accept(&subscribe(""))), 4400);
        assert_eq!(code(open().accept(&subscribe(&"a".repeat(129)))), 4400);
    }

    #[test]
    fn a_ping_is_answered_and_a_pong_is_not() {
        let answer = open().accept(r#"{"type":"ping","payload":{"a":1}}"#);
        assert!(matches!(answer, Ok(Accepted::Answer(text)) if text == r#"{"type":"pong"}"#));
        let answer = open().accept(r#"{"type":"pong"}"#);
        assert!(matches!(answer, Ok(Accepted::Noted)));
    }

    #[test]
    fn an_id_is_used_by_one_operation_at_a_time() {
        let mut protocol = open();
        start(&mut protocol, "a");
        assert_eq!(code(protocol.accept(&subscribe("a"))), 4409);
        let done = protocol.accept(r#"{"type":"complete","id":"a"}"#);
        assert!(matches!(done, Ok(Accepted::Noted)));
        start(&mut protocol, "a");
        let told: serde_json::Value = serde_json::from_str(&protocol.complete("a")).unwrap();
        assert_eq!(told, json!({ "id": "a", "type": "complete" }));
        start(&mut protocol, "a");
    }

    #[test]
    fn what_works_for_an_operation_ends_with_it() {
        let mut protocol = open();
        let operation = start(&mut protocol, "a");
        let other = start(&mut protocol, "b");
        protocol.accept(r#"{"type":"complete","id":"a"}"#).unwrap();
        assert!(operation.until.handle().is_aborted());
        assert!(!other.until.handle().is_aborted());
    }

    #[test]
    fn one_operation_too_many_is_refused_alone() {
        let mut protocol = open();
        for n in 0..MAX_OPERATIONS {
            start(&mut protocol, &n.to_string());
        }
        let refused = protocol.accept(&subscribe("more")).unwrap();
        assert!(matches!(refused, Accepted::Answer(text) if text.contains(r#""id":"more""#)));
        protocol.complete("0");
        start(&mut protocol, "more");
    }

    #[test]
    fn an_id_is_sent_back_as_it_came() {
        for id in ["1", "a\"b\\c", "ä\n"] {
            let message = [&next_begin(id), r#"{"data":null}"#, NEXT_END].concat();
            let message: serde_json::Value = serde_json::from_str(&message).unwrap();
            let expected = json!({ "id": id, "type": "next", "payload": { "data": null } });
            assert_eq!(message, expected);
        }
    }
}
