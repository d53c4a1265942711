//! Webhooks of one record each over HTTP, stored durably before the answer, against a route that
//! only parses the JSON and answers. The client is the same: bare sockets that stay open.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::post;
use dash_tests::TestApp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::rows::{per_second, record};
use crate::report::{Goal, Measurement};

const CONNECTIONS: usize = 64;
const DURATION: Duration = Duration::from_secs(10);
const WARM_UP: Duration = Duration::from_secs(2);

/// Measures.
pub async fn measure() -> Vec<Measurement> {
    let app = TestApp::builder().on_sqlite().real_clock().start().await;
    let owner = app.owner("ann").await;
    let (pipeline, url) = owner.new_webhook("Hooks").await;
    let (address, path) = split(&url);
    post_for(&address, &path, WARM_UP).await;
    let before = owner.pipeline(&pipeline).await["recordCount"].as_f64();
    let (count, rate) = post_for(&address, &path, DURATION).await;
    let after = owner.pipeline(&pipeline).await["recordCount"].as_f64();
    #[expect(clippy::cast_precision_loss, reason = "less than 2^53")]
    let counted = count as f64;
    assert_eq!(
        after.zip(before).map(|(after, before)| after - before),
        Some(counted),
        "every post that was answered is stored"
    );
    app.stop().await;

    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener
        .local_addr()
        .expect("it has an address")
        .to_string();
    let parse = |body: axum::body::Bytes| async move {
        let value: Value = serde_json::from_slice(&body).expect("it is JSON");
        axum::Json(json!({ "received": value.as_object().map_or(0, serde_json::Map::len) }))
    };
    let router = Router::new().route("/hooks/bare", post(parse));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    post_for(&address, "/hooks/bare", WARM_UP).await;
    let (_, baseline) = post_for(&address, "/hooks/bare", DURATION).await;
    server.abort();
    vec![Measurement {
        name: "webhooks of one record over HTTP, 64 connections".to_owned(),
        value: rate,
        unit: "posts/s",
        baseline,
        goal: Goal::RatioAtLeast(0.4),
    }]
}

fn split(url: &str) -> (String, String) {
    let rest = url.strip_prefix("http://").expect("it is served over HTTP");
    let (address, path) = rest.split_once('/').expect("a hook has a path");
    (address.to_owned(), format!("/{path}"))
}

/// Posts for a while; returns how many posts were answered, and how many a second.
async fn post_for(address: &str, path: &str, duration: Duration) -> (usize, f64) {
    let answered = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let answered = Arc::clone(&answered);
            let body = record(number).to_string();
            let request = format!(
                "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.len()
            );
            let address = address.to_owned();
            tokio::spawn(async move {
                let mut socket = TcpStream::connect(&address).await.expect("it listens");
                socket.set_nodelay(true).expect("a socket can be set up");
                let mut answer = vec![0; 16_384];
                while began.elapsed() < duration {
                    let sent = socket.write_all(request.as_bytes()).await;
                    sent.expect("a request is sent");
                    read_answer(&mut socket, &mut answer).await;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for connection in connections {
        connection.await.expect("a connection ends");
    }
    let count = answered.load(Ordering::Relaxed);
    (count, per_second(count, began))
}

/// Reads one answer, which has to be a success.
async fn read_answer(socket: &mut TcpStream, buffer: &mut [u8]) {
    let mut filled = 0;
    loop {
        let read = socket.read(&mut buffer[filled..]).await;
        let read = read.expect("an answer is read");
        assert!(read > 0, "the connection stays open");
        filled += read;
        let text = std::str::from_utf8(&buffer[..filled]).expect("an answer is text");
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        assert!(head.starts_with("HTTP/1.1 200"), "{text}");
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().ok())?
        });
        if body.len() >= length.expect("an answer tells its length") {
            return;
        }
    }
}
