//! What Dash tells its operator: log lines, metrics, and the request id that ties them together.
//!
//! Domains log through `tracing` and count through `metrics`; this module decides where that goes.

use std::fmt;
use std::io::IsTerminal;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogConfig, LogFormat};

/// Upper bounds of the buckets of all durations, in seconds.
const DURATION_BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// How often recorded durations are sorted into their buckets when nobody asks for the metrics.
const UPKEEP_EVERY: Duration = Duration::from_secs(10);

/// Names one request in answers, logs and errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The longest id that is taken over from a caller.
    const MAX_BYTES: usize = 64;

    /// A new one.
    pub fn new() -> Self {
        Self(uuid::Uuid::now_v7().simple().to_string().into())
    }

    /// The id that the caller chose, if it is harmless in a log line.
    pub fn parse(text: &str) -> Option<Self> {
        let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let valid = (1..=Self::MAX_BYTES).contains(&text.len()) && text.bytes().all(harmless);
        valid.then(|| Self(text.into()))
    }

    /// The id as text: ASCII letters, digits, `-`, `_` and `.`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Sends log lines to the standard error stream, and panics with them.
pub fn init(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.filter)
        .with_context(|| format!("DASH_LOG: \"{}\" is no log filter", config.filter))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match config.format {
        LogFormat::Json => subscriber
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .finish()
            .try_init(),
        LogFormat::Text => subscriber
            .with_ansi(std::io::stderr().is_terminal())
            .compact()
            .finish()
            .try_init(),
    }
    .context("cannot start logging")?;
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "a task panicked")));
    Ok(())
}

/// The metrics of this process, collected from the first call on.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        let recorder = builder
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), DURATION_BUCKETS)
            .unwrap_or_default()
            .build_recorder();
        let handle = recorder.handle();
        // Refused only where another recorder is installed already: that one then counts.
        let _ = metrics::set_global_recorder(recorder);
        describe();
        handle
    })
}

/// Counts something in a gauge while it lives.
#[derive(Debug)]
pub struct Counted(&'static str);

impl Counted {
    /// Counts one more in the gauge of this name.
    pub fn new(gauge: &'static str) -> Self {
        metrics::gauge!(gauge).increment(1.0);
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!(self.0).decrement(1.0);
    }
}

/// Keeps the memory of unread metrics bounded. Never ends.
pub async fn run_metrics_upkeep() {
    let mut ticks = tokio::time::interval(UPKEEP_EVERY);
    loop {
        ticks.tick().await;
        metrics().run_upkeep();
    }
}

fn describe() {
    metrics::describe_gauge!("dash_build_info", "The version of Dash that is running.");
    metrics::gauge!("dash_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    metrics::describe_counter!("dash_http_requests_total", "Answered HTTP requests.");
    metrics::describe_histogram!(
        "dash_http_request_duration_seconds",
        metrics::Unit::Seconds,
        "How long answering an HTTP request took."
    );
    metrics::describe_gauge!(
        "dash_http_connections",
        "Open connections, websockets included."
    );
    metrics::describe_gauge!("dash_websocket_connections", "Open GraphQL websockets.");
    metrics::describe_gauge!(
        "dash_subscriptions",
        "Subscriptions, each of one subscriber."
    );
    metrics::describe_gauge!(
        "dash_subscription_executions",
        "Different subscriptions: those who ask the same share one."
    );
    metrics::describe_counter!(
        "dash_subscription_messages_encoded_total",
        "Messages to websockets that were worked out and encoded."
    );
    metrics::describe_counter!(
        "dash_subscription_messages_sent_total",
        "Messages that were sent to websockets; one that is encoded may be sent to many."
    );
    metrics::describe_counter!(
        "dash_database_statements_total",
        "Statements that the database was given."
    );
    metrics::describe_counter!("dash_records_received_total", "Records that came in.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_of_the_caller_is_taken_only_if_it_is_harmless() {
        let longest = "a".repeat(64);
        for text in ["a", "5b-x_y.Z", &longest] {
            assert_eq!(RequestId::parse(text).unwrap().as_str(), text);
        }
        let too_long = "a".repeat(65);
        for text in ["", "a b", "a\nb", "ü", "<b>", &too_long] {
            assert_eq!(RequestId::parse(text), None, "{text}");
        }
        assert_ne!(RequestId::new(), RequestId::new());
    }

    #[test]
    fn metrics_have_help_and_buckets() {
        metrics();
        metrics::histogram!("dash_http_request_duration_seconds").record(0.002);
        let text = metrics().render();
        assert!(
            text.contains("# HELP dash_build_info The version"),
            "{text}"
        );
        assert!(text.contains("dash_http_request_duration_seconds_bucket{le=\"0.0025\"} 1"));
    }
}
