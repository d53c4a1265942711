//! The records that are stored: about 300 bytes in 8 fields, and a way to send many of them through
//! the engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use dash_api::engine::Sent;
use dash_tests::TestApp;
use serde_json::{Value, json};

/// How many records a body has.
pub const BODY_RECORDS: usize = 100;
/// How many bodies are on their way at once.
const SENDERS: usize = 32;

/// A record.
pub fn record(number: usize) -> Value {
    let city = ["Berlin", "Lyon", "Osaka", "Bergen"][number % 4];
    #[expect(clippy::cast_precision_loss, reason = "a sum of money")]
    let total = (number % 100_000) as f64 / 100.0;
    json!({
        "order": format!("ord_{number:012}"),
        "customer": format!("Customer {}", number.wrapping_mul(2_654_435_761) % 1_000),
        "city": city,
        "product": format!("Product {} in the colour of the sea", number % 300),
        "total_eur": total,
        "items": number % 7 + 1,
        "paid": !number.is_multiple_of(3),
        "note": "delivered to the neighbour on the second floor, who was kind enough to \
                 sign for it and to keep it until the evening of the same day, as always",
    })
}

/// The body with the records from `first` on.
pub fn body(first: usize) -> bytes::Bytes {
    let records: Vec<_> = (first..first + BODY_RECORDS).map(record).collect();
    Value::from(records).to_string().into()
}

/// Sends bodies through the engine, each made by `body_of` its number, until there are `bodies`.
/// Returns how many records a second were stored.
pub async fn send(
    app: &TestApp,
    hook_key: &str,
    bodies: usize,
    body_of: impl Fn(usize) -> bytes::Bytes + Send + Sync + 'static,
) -> f64 {
    let (body_of, next) = (Arc::new(body_of), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let (pipelines, key) = (app.app.pipelines.clone(), hook_key.to_owned());
            let (body_of, next) = (Arc::clone(&body_of), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= bodies {
                        return;
                    }
                    let hook = pipelines.open_hook(&key).await.expect("there is a hook");
                    let body = body_of(number);
                    let sent = Sent {
                        header: &|_| None,
                        query: "",
                        body: &body,
                    };
                    let received = pipelines.receive(&hook, sent, &body).await;
                    received.expect("a body is stored");
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.expect("a sender ends");
    }
    per_second(bodies * BODY_RECORDS, began)
}

/// The rate since `began`.
#[expect(clippy::cast_precision_loss, reason = "less than 2^53")]
pub fn per_second(count: usize, began: Instant) -> f64 {
    count as f64 / began.elapsed().as_secs_f64()
}
