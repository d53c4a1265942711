//! What the tab “Sinks” asks the API.

pub use crate::pages::pipeline::queries::SinkState;

use crate::api::{DateTime, PageInfo, schema};

/// A kind of sink.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkKind {
    Http,
    Webhook,
    Email,
    Slack,
    Zapier,
}

/// Why a sink is disabled.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkDisabledReason {
    ByHand,
    Gone,
    Failing,
    Plan,
}

/// A method of HTTP.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    Post,
    Put,
    Patch,
    Get,
}

/// When a mail is sent.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailWhen {
    EachRecord,
    Digest,
    Condition,
}

/// How often a digest is sent.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestPeriod {
    Minutes,
    Hour,
    Day,
}

/// What a sink did lately, and what it has to do.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct SinkCounts {
    pub delivered_last_hour: i32,
    pub delivered_last_day: i32,
    pub dead_last_day: i32,
    pub pending: i32,
    pub lag_records: f64,
}

/// How many records are sent together.
#[derive(cynic::QueryFragment, Clone, Copy, Debug, PartialEq, Eq)]
pub struct SinkBatch {
    pub records: i32,
    pub seconds: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct HttpSink {
    pub method: HttpMethod,
    pub url: String,
    pub header_names: Vec<String>,
    pub content_type: String,
    pub body: String,
    pub batch: SinkBatch,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct WebhookSink {
    pub url: String,
    pub event_type: String,
    pub batch: SinkBatch,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct EmailTiming {
    pub when: EmailWhen,
    pub every: Option<DigestPeriod>,
    pub minutes: Option<i32>,
    pub at_hour: Option<i32>,
    pub quiet_minutes: Option<i32>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct EmailSink {
    pub to: Vec<String>,
    pub subject: String,
    pub message: String,
    pub timing: EmailTiming,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct SlackSink {
    pub message: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct ZapierSink {
    pub batch: SinkBatch,
}

/// Where records go, and how they look there.
#[derive(cynic::InlineFragments, Clone, Debug, PartialEq, Eq)]
pub enum SinkTarget {
    HttpSink(HttpSink),
    WebhookSink(WebhookSink),
    EmailSink(EmailSink),
    SlackSink(SlackSink),
    ZapierSink(ZapierSink),
    #[cynic(fallback)]
    Other,
}

/// Which records are sent, as far as this page changes it.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct SinkFilter {
    pub formula: Option<String>,
}

/// A sink.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Sink {
    pub id: cynic::Id,
    pub name: String,
    pub kind: SinkKind,
    pub state: SinkState,
    pub disabled_reason: Option<SinkDisabledReason>,
    pub failing_since: Option<DateTime>,
    pub last_error: Option<String>,
    pub next_attempt_at: Option<DateTime>,
    pub skipped_records: f64,
    pub faulty_records: f64,
    pub last_fault: Option<String>,
    pub counts: SinkCounts,
    pub target: SinkTarget,
    pub filter: Option<SinkFilter>,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct SinksVariables {
    pub id: cynic::Id,
}

/// The sinks of a pipeline.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "SinksVariables")]
pub struct SinksQuery {
    #[arguments(id: $id)]
    pub pipeline: PipelineSinks,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Pipeline")]
pub struct PipelineSinks {
    pub sinks: Vec<Sink>,
}

/// What became of a delivery.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    Pending,
    Delivered,
    Failed,
    Dead,
    Skipped,
}

/// One message to a sink's target.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Delivery {
    pub id: cynic::Id,
    pub message_id: String,
    pub state: DeliveryState,
    pub is_test: bool,
    pub is_replay: bool,
    pub record_count: i32,
    pub attempt_count: i32,
    pub next_attempt_at: Option<DateTime>,
    pub status: Option<i32>,
    pub error: Option<String>,
    pub duration_ms: Option<i32>,
    pub created_at: DateTime,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct DeliveriesVariables {
    pub id: cynic::Id,
    pub first: i32,
    pub after: Option<String>,
    pub states: Vec<DeliveryState>,
}

/// A page of a sink's log.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "DeliveriesVariables")]
pub struct DeliveriesQuery {
    #[arguments(id: $id)]
    pub sink: SinkDeliveries,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Sink", variables = "DeliveriesVariables")]
pub struct SinkDeliveries {
    #[arguments(first: $first, after: $after, filter: { states: $states })]
    pub deliveries: DeliveryPage,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "DeliveryConnection")]
pub struct DeliveryPage {
    pub nodes: Vec<Delivery>,
    pub total_count: i32,
    pub page_info: PageInfo,
}

#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct LiveDeliveriesVariables {
    pub sink_id: cynic::Id,
}

/// Follows a sink's log.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Subscription", variables = "LiveDeliveriesVariables")]
pub struct LiveDeliveries {
    #[arguments(sinkId: $sink_id)]
    pub sink_deliveries: Delivery,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct AttemptsVariables {
    pub id: cynic::Id,
}

/// The attempts at a delivery.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "AttemptsVariables")]
pub struct AttemptsQuery {
    #[arguments(id: $id)]
    pub node: Option<NodeOfDelivery>,
}

#[derive(cynic::InlineFragments, Debug)]
#[cynic(graphql_type = "Node")]
pub enum NodeOfDelivery {
    Delivery(DeliveryAttempts),
    #[cynic(fallback)]
    Other,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Delivery")]
pub struct DeliveryAttempts {
    pub attempts: Vec<DeliveryAttempt>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct DeliveryAttempt {
    pub number: i32,
    pub started_at: DateTime,
    pub duration_ms: i32,
    pub request: SentRequest,
    pub response: Option<SinkResponse>,
    pub error: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct SentHeader {
    pub name: String,
    pub value: String,
}

/// What was sent, or would be.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct SentRequest {
    pub method: String,
    pub url: String,
    pub headers: Vec<SentHeader>,
    pub body: String,
    pub is_cut: bool,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct SinkResponse {
    pub status: i32,
    pub headers: Vec<SentHeader>,
    pub body: String,
    pub is_cut: bool,
}
