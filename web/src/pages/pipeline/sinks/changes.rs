//! What the tab “Sinks” tells the API to do.

use super::operations::{
    Delivery, DeliveryState, DigestPeriod, EmailWhen, HttpMethod, SentRequest, Sink,
};
use crate::api::{UserError, schema};

#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct SinkBatchInput {
    pub records: i32,
    pub seconds: i32,
}

#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct HeaderInput {
    pub name: String,
    pub value: Option<String>,
}

#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct HttpSinkInput {
    pub method: HttpMethod,
    pub url: String,
    pub headers: Vec<HeaderInput>,
    pub content_type: String,
    pub body: String,
    pub batch: Option<SinkBatchInput>,
}

#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct WebhookSinkInput {
    pub url: String,
    pub event_type: String,
    pub batch: Option<SinkBatchInput>,
}

#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct EmailTimingInput {
    pub when: EmailWhen,
    pub every: Option<DigestPeriod>,
    pub minutes: Option<i32>,
    pub at_hour: Option<i32>,
    pub time_zone: Option<String>,
    pub quiet_minutes: Option<i32>,
}

#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct EmailSinkInput {
    pub to: Vec<String>,
    pub subject: String,
    pub message: String,
    pub timing: EmailTimingInput,
}

#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct SlackSinkInput {
    pub url: Option<String>,
    pub message: String,
}

#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct ZapierSinkInput {
    pub url: Option<String>,
    pub batch: Option<SinkBatchInput>,
}

/// Where records go.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
#[cynic(rename_all = "camelCase")]
pub enum SinkTargetInput {
    Http(HttpSinkInput),
    Webhook(WebhookSinkInput),
    Email(EmailSinkInput),
    Slack(SlackSinkInput),
    Zapier(ZapierSinkInput),
}

/// Which records go there.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct SinkFilterInput {
    pub formula: Option<String>,
}

#[derive(cynic::InputObject, Clone, Debug, PartialEq)]
pub struct SinkPreviewInput {
    pub pipeline_id: cynic::Id,
    pub target: SinkTargetInput,
    pub filter: Option<SinkFilterInput>,
    pub sink_id: Option<cynic::Id>,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct SinkPreviewVariables {
    pub input: SinkPreviewInput,
}

/// What a sink would send.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "SinkPreviewVariables")]
pub struct SinkPreviewQuery {
    #[arguments(input: $input)]
    pub sink_preview: SinkPreview,
}

/// Which record a preview shows.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleKind {
    Matching,
    Newest,
    Invented,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct SinkPreview {
    pub request: Option<SentRequest>,
    pub error: Option<String>,
    pub notes: Vec<String>,
    pub sample: Option<SampleKind>,
    pub user_errors: Vec<UserError>,
}

#[derive(cynic::InputObject, Debug)]
pub struct CreateSinkInput {
    pub pipeline_id: cynic::Id,
    pub name: String,
    pub target: SinkTargetInput,
    pub filter: Option<SinkFilterInput>,
}

#[derive(cynic::InputObject, Debug)]
pub struct UpdateSinkInput {
    pub id: cynic::Id,
    pub name: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub target: Option<SinkTargetInput>,
    pub filter: Option<SinkFilterInput>,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct CreateSinkVariables {
    pub input: CreateSinkInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateSinkVariables")]
pub struct CreateSink {
    #[arguments(input: $input)]
    pub create_sink: CreateSinkPayload,
}

#[derive(cynic::QueryFragment, Debug)]
pub struct CreateSinkPayload {
    pub sink: Option<Sink>,
    pub signing_secret: Option<String>,
    pub user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct UpdateSinkVariables {
    pub input: UpdateSinkInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UpdateSinkVariables")]
pub struct UpdateSink {
    #[arguments(input: $input)]
    pub update_sink: UpdateSinkPayload,
}

#[derive(cynic::QueryFragment, Debug)]
pub struct UpdateSinkPayload {
    pub sink: Option<Sink>,
    pub user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct IdVariables {
    pub id: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "IdVariables")]
pub struct EnableSink {
    #[arguments(input: { id: $id })]
    pub enable_sink: EnableSinkPayload,
}

#[derive(cynic::QueryFragment, Debug)]
pub struct EnableSinkPayload {
    pub sink: Option<Sink>,
    pub user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "IdVariables")]
pub struct DisableSink {
    #[arguments(input: { id: $id })]
    pub disable_sink: DisableSinkPayload,
}

#[derive(cynic::QueryFragment, Debug)]
pub struct DisableSinkPayload {
    pub sink: Option<Sink>,
    pub user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "IdVariables")]
pub struct DeleteSink {
    #[arguments(input: { id: $id })]
    pub delete_sink: DeleteSinkPayload,
}

#[derive(cynic::QueryFragment, Debug)]
pub struct DeleteSinkPayload {
    pub deleted_id: Option<cynic::Id>,
    pub user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "IdVariables")]
pub struct RotateSinkSecret {
    #[arguments(input: { id: $id })]
    pub rotate_sink_secret: RotateSinkSecretPayload,
}

#[derive(cynic::QueryFragment, Debug)]
pub struct RotateSinkSecretPayload {
    pub signing_secret: Option<String>,
    pub user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "IdVariables")]
pub struct SendTestToSink {
    #[arguments(input: { id: $id })]
    pub send_test_to_sink: SendTestToSinkPayload,
}

#[derive(cynic::QueryFragment, Debug)]
pub struct SendTestToSinkPayload {
    pub delivery: Option<Delivery>,
    pub user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "IdVariables")]
pub struct ReplayDelivery {
    #[arguments(input: { id: $id })]
    pub replay_delivery: ReplayDeliveryPayload,
}

#[derive(cynic::QueryFragment, Debug)]
pub struct ReplayDeliveryPayload {
    pub delivery: Option<Delivery>,
    pub user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables, Debug)]
pub struct ReplayDeliveriesVariables {
    pub sink_id: cynic::Id,
    pub states: Vec<DeliveryState>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ReplayDeliveriesVariables")]
pub struct ReplayDeliveries {
    #[arguments(input: { sinkId: $sink_id, filter: { states: $states } })]
    pub replay_deliveries: ReplayDeliveriesPayload,
}

#[derive(cynic::QueryFragment, Debug)]
pub struct ReplayDeliveriesPayload {
    pub replayed: Option<i32>,
    pub user_errors: Vec<UserError>,
}
