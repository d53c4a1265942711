//! A subscriber over graphql-transport-ws: several subscriptions on one socket.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::client::Client;

/// How long a message may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open socket.
#[derive(Debug)]
pub struct Live {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    waiting: HashMap<String, VecDeque<Value>>,
    next_id: u32,
}

impl Live {
    /// Connects with the session of `client`, as a page of Dash does.
    pub async fn connect(client: &Client) -> Self {
        let connected = Self::connect_from(client, client.url()).await;
        connected.expect("the socket opens")
    }

    /// Connects with the session of `client` as a page of `origin` does; the error is the status of
    /// the refusal.
    pub async fn connect_from(client: &Client, origin: &str) -> Result<Self, u16> {
        let url = client.url().replacen("http", "ws", 1);
        let mut request = format!("{url}/graphql/ws").into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert(
            "sec-websocket-protocol",
            "graphql-transport-ws".parse().unwrap(),
        );
        headers.insert("origin", origin.parse().unwrap());
        if let Some(cookie) = client.cookie() {
            headers.insert("cookie", cookie.parse().unwrap());
        }
        let socket = match connect_async(request).await {
            Ok((socket, _)) => socket,
            Err(tungstenite::Error::Http(refusal)) => return Err(refusal.status().as_u16()),
            Err(error) => panic!("the socket does not open: {error}"),
        };
        let mut live = Self {
            socket,
            waiting: HashMap::new(),
            next_id: 1,
        };
        live.send(json!({ "type": "connection_init" })).await;
        assert_eq!(live.receive().await["type"], "connection_ack");
        Ok(live)
    }

    /// Subscribes; the id names the subscription.
    pub async fn subscribe(&mut self, query: &str, variables: Value) -> String {
        let id = self.next_id.to_string();
        self.next_id += 1;
        let payload = json!({ "query": query, "variables": variables });
        self.send(json!({ "type": "subscribe", "id": id, "payload": payload }))
            .await;
        id
    }

    /// Ends a subscription.
    pub async fn unsubscribe(&mut self, id: &str) {
        self.send(json!({ "type": "complete", "id": id })).await;
    }

    /// The next message of a subscription: its data, or `{"errors": …}`, or null at its end.
    pub async fn next(&mut self, id: &str) -> Value {
        loop {
            if let Some(value) = self.waiting.get_mut(id).and_then(VecDeque::pop_front) {
                return value;
            }
            let message = self.receive().await;
            let value = match message["type"].as_str().unwrap_or_default() {
                "next" if message["payload"]["errors"].is_null() => {
                    message["payload"]["data"].clone()
                }
                "next" => message["payload"].clone(),
                "error" => json!({ "errors": message["payload"] }),
                "complete" => Value::Null,
                "ping" => {
                    self.send(json!({ "type": "pong" })).await;
                    continue;
                }
                _ => continue,
            };
            let from = message["id"].as_str().unwrap_or_default().to_owned();
            self.waiting.entry(from).or_default().push_back(value);
        }
    }

    /// Whether a subscription stays silent for a while.
    pub async fn is_silent(&mut self, id: &str, wait: Duration) -> bool {
        tokio::time::timeout(wait, self.next(id)).await.is_err()
    }

    /// Waits for the server to close the socket; returns the code it gives.
    pub async fn closed(mut self) -> Option<u16> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            match message.expect("the socket is closed in time") {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// Closes the socket without a word, as a lost connection does.
    pub fn cut(self) {
        drop(self);
    }

    async fn send(&mut self, message: Value) {
        self.socket
            .send(Message::text(message.to_string()))
            .await
            .expect("the socket is open");
    }

    async fn receive(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next())
                .await
                .expect("a message comes in time")
                .expect("the socket is open")
                .expect("the socket works");
            if let Message::Text(text) = message {
                return serde_json::from_str(&text).expect("messages are JSON");
            }
            assert!(!message.is_close(), "the socket was closed: {message}");
        }
    }
}
