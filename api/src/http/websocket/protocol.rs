//! What of `graphql-transport-ws` the library leaves open: the order of messages, ids in use,
//! how many subscriptions one connection has, and the close codes.

use std::borrow::Cow;
use std::collections::HashSet;

use dash_shared::codes::ErrorCode;
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
    pub(super) const GOING_AWAY: Self = Self::new(1001);
    pub(super) const TOO_FAST: Self = Self::new(1008);
    pub(super) const SESSION_ENDED: Self = Self::new(4403);
    pub(super) const INIT_TIMEOUT: Self = Self::new(4408);

    const fn new(code: u16) -> Self {
        Self {
            code,
            reason: String::new(),
        }
    }

    pub(super) fn invalid(problem: &str) -> Self {
        // A reason has at most 123 bytes.
        let problem: String = problem.chars().take(40).collect();
        Self {
            code: 4400,
            reason: format!("Invalid message: {problem}"),
        }
    }
}

/// What to do with a message of the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Accepted {
    /// The library takes it.
    Forward,
    /// It is answered at once.
    Answer(String),
}

/// Where a connection stands.
#[derive(Debug, Default)]
pub(super) struct Protocol {
    initialised: bool,
    acknowledged: bool,
    operations: HashSet<String>,
}

/// What every message has.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
}

impl Protocol {
    /// Whether the client has introduced itself.
    pub(super) const fn is_initialised(&self) -> bool {
        self.initialised
    }

    /// Takes note of a message of the client, and says what to do with it.
    pub(super) fn accept(&mut self, text: &str) -> Result<Accepted, Close> {
        let head: Head<'_> =
            serde_json::from_str(text).map_err(|error| Close::invalid(&error.to_string()))?;
        let id = || {
            head.id
                .as_deref()
                .ok_or_else(|| Close::invalid("the id is missing"))
        };
        match &*head.kind {
            "connection_init" if self.initialised => Err(Close {
                code: 4429,
                reason: "Too many initialisation requests".to_owned(),
            }),
            "connection_init" => {
                self.initialised = true;
                Ok(Accepted::Forward)
            }
            "subscribe" => self.subscribe(id()?),
            "complete" => {
                self.operations.remove(id()?);
                Ok(Accepted::Forward)
            }
            "ping" | "pong" => Ok(Accepted::Forward),
            other => Err(Close::invalid(&format!("unknown type {other}"))),
        }
    }

    fn subscribe(&mut self, id: &str) -> Result<Accepted, Close> {
        if !self.acknowledged {
            return Err(Close {
                code: 4401,
                reason: "Unauthorized".to_owned(),
            });
        }
        if id.is_empty() || id.len() > MAX_ID_BYTES {
            return Err(Close::invalid("the id is empty or too long"));
        }
        if self.operations.contains(id) {
            let short: String = id.chars().take(24).collect();
            let reason = format!("Subscriber for {short} already exists");
            return Err(Close { code: 4409, reason });
        }
        if self.operations.len() >= MAX_OPERATIONS {
            let message = format!("One connection has at most {MAX_OPERATIONS} operations.");
            let error = json!({ "message": message, "extensions": { "code": ErrorCode::RateLimited.as_str() } });
            let answer = json!({ "type": "error", "id": id, "payload": [error] });
            return Ok(Accepted::Answer(answer.to_string()));
        }
        self.operations.insert(id.to_owned());
        Ok(Accepted::Forward)
    }

    /// Takes note of a message of the library, and says whether the client gets it: that an
    /// operation is complete is not told to a client that completed it itself.
    pub(super) fn passes(&mut self, text: &str) -> bool {
        if text.starts_with(r#"{"type":"connection_ack""#) {
            self.acknowledged = true;
        }
        if !text.starts_with(r#"{"type":"complete""#) {
            return true;
        }
        let head = serde_json::from_str::<Head<'_>>(text).ok();
        head.and_then(|head| head.id)
            .is_some_and(|id| self.operations.remove(&*id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INIT: &str = r#"{"type":"connection_init"}"#;

    fn open() -> Protocol {
        let mut protocol = Protocol::default();
        assert_eq!(protocol.accept(INIT), Ok(Accepted::Forward));
        assert!(protocol.passes(r#"{"type":"connection_ack"}"#));
        protocol
    }

    fn subscribe(id: &str) -> String {
        json!({ "id": id, "type": "subscribe", "payload": { "query": "{ a }" } }).to_string()
    }

    fn code(result: Result<Accepted, Close>) -> u16 {
        result.unwrap_err().code
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
        ] {
            assert_eq!(code(open().accept(text)), 4400, "{text}");
        }
    }

    #[test]
    fn an_id_is_used_by_one_operation_at_a_time() {
        let mut protocol = open();
        assert_eq!(protocol.accept(&subscribe("a")), Ok(Accepted::Forward));
        assert_eq!(code(protocol.accept(&subscribe("a"))), 4409);
        assert_eq!(
            protocol.accept(r#"{"type":"complete","id":"a"}"#),
            Ok(Accepted::Forward)
        );
        assert!(
            !protocol.passes(r#"{"type":"complete","id":"a"}"#),
            "the client knows"
        );
        assert_eq!(protocol.accept(&subscribe("a")), Ok(Accepted::Forward));
        assert!(protocol.passes(r#"{"type":"complete","id":"a"}"#));
        assert_eq!(protocol.accept(&subscribe("a")), Ok(Accepted::Forward));
    }

    #[test]
    fn one_operation_too_many_is_refused_alone() {
        let mut protocol = open();
        for n in 0..MAX_OPERATIONS {
            assert_eq!(
                protocol.accept(&subscribe(&n.to_string())),
                Ok(Accepted::Forward)
            );
        }
        let refused = protocol.accept(&subscribe("more")).unwrap();
        assert!(matches!(refused, Accepted::Answer(text) if text.contains(r#""id":"more""#)));
        assert!(protocol.passes(r#"{"type":"complete","id":"0"}"#));
        assert_eq!(protocol.accept(&subscribe("more")), Ok(Accepted::Forward));
    }
}
