//! What the form of a webhook's senders asks the API, and tells it.

use crate::api::{UserError, schema};

/// How a sender proves who it is.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookSignatureScheme {
    /// Not at all.
    None,
    /// With the secret itself.
    SharedSecret,
    /// Standard Webhooks.
    StandardWebhooks,
    /// Stripe.
    Stripe,
    /// GitHub.
    Github,
    /// Shopify.
    Shopify,
    /// Slack.
    Slack,
    /// An HMAC in a header.
    Hmac,
}

/// A hash function.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookHash {
    /// SHA-256.
    #[cynic(rename = "SHA256")]
    Sha256,
    /// SHA-512.
    #[cynic(rename = "SHA512")]
    Sha512,
}

/// How bytes are written.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookEncoding {
    /// As hexadecimal digits.
    #[cynic(rename = "HEX")]
    Hex,
    /// As base64.
    #[cynic(rename = "BASE64")]
    Base64,
}

/// Where the name of a delivery or a record is.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookIdempotencyKind {
    /// In the headers that senders usually take.
    UsualHeaders,
    /// In a header.
    Header,
    /// In the body.
    BodyPath,
    /// In each record.
    RecordPath,
}

/// Variables of [`SendersQuery`].
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct SendersVariables {
    /// The pipeline.
    pub id: cynic::Id,
}

/// What is known of a webhook's senders.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "SendersVariables")]
pub struct SendersQuery {
    /// The pipeline.
    #[arguments(id: $id)]
    pub pipeline: SendersOf,
}

/// A pipeline, as far as its senders are concerned.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Pipeline")]
pub struct SendersOf {
    /// Its source.
    pub source: SourceOfSenders,
}

/// A source.
#[derive(cynic::InlineFragments, Clone, Debug)]
#[cynic(graphql_type = "Source")]
pub enum SourceOfSenders {
    /// A webhook.
    WebhookSource(SendersSource),
    /// Another kind.
    #[cynic(fallback)]
    Other,
}

/// A webhook's senders.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "WebhookSource")]
pub struct SendersSource {
    /// How they prove who they are.
    pub signature: WebhookSignature,
    /// What names their deliveries.
    pub idempotency: WebhookIdempotency,
}

/// How senders prove who they are.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct WebhookSignature {
    /// The scheme.
    pub scheme: WebhookSignatureScheme,
    /// The header.
    pub header: Option<String>,
    /// The hash function.
    pub hash: Option<WebhookHash>,
    /// How it is written.
    pub encoding: Option<WebhookEncoding>,
    /// What stands before it.
    pub prefix: Option<String>,
    /// Whether there is a secret.
    pub has_secret: bool,
    /// Whether the one before it is good, too.
    pub has_previous_secret: bool,
}

/// What names a delivery.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct WebhookIdempotency {
    /// Where the name is.
    pub by: WebhookIdempotencyKind,
    /// The header.
    pub header: Option<String>,
    /// The path.
    pub path: Option<String>,
}

/// How senders prove who they are, as it is entered.
#[derive(cynic::InputObject, Clone, Debug)]
#[cynic(graphql_type = "WebhookSignatureInput")]
pub struct SignatureInput {
    /// The scheme.
    pub scheme: WebhookSignatureScheme,
    /// The header.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The hash function.
    pub hash: WebhookHash,
    /// How it is written.
    pub encoding: WebhookEncoding,
    /// What stands before it.
    pub prefix: String,
    /// The secret; none keeps the stored one.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Whether Dash makes one.
    pub generate_secret: bool,
}

/// What names a delivery, as it is entered.
#[derive(cynic::InputObject, Clone, Debug)]
#[cynic(graphql_type = "WebhookIdempotencyInput")]
pub struct IdempotencyInput {
    /// Where the name is.
    pub by: WebhookIdempotencyKind,
    /// The header.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The path.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// A webhook's senders, as they are entered.
#[derive(cynic::InputObject, Clone, Debug)]
#[cynic(graphql_type = "WebhookSourceInput")]
pub struct SendersInput {
    /// How they prove who they are.
    pub signature: Option<SignatureInput>,
    /// What names their deliveries.
    pub idempotency: Option<IdempotencyInput>,
}

/// The source of a changed pipeline.
#[derive(cynic::InputObject, Clone, Debug)]
#[cynic(graphql_type = "SourceInput", rename_all = "camelCase")]
pub enum SendersSourceInput {
    /// A webhook.
    Webhook(SendersInput),
}

/// Variables of [`SaveSenders`].
#[derive(cynic::QueryVariables, Debug)]
pub struct SaveSendersVariables {
    /// The pipeline.
    pub id: cynic::Id,
    /// Its source.
    pub source: SendersSourceInput,
}

/// Changes a webhook's senders.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SaveSendersVariables")]
pub struct SaveSenders {
    /// It, or what to fix.
    #[arguments(input: { id: $id, source: $source })]
    pub update_pipeline: SavedSenders,
}

/// The answer to [`SaveSenders`].
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "UpdatePipelinePayload")]
pub struct SavedSenders {
    /// The pipeline.
    pub pipeline: Option<SendersOf>,
    /// The secret that Dash made.
    pub webhook_secret: Option<String>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// Variables of [`RotateSecret`].
#[derive(cynic::QueryVariables, Debug)]
pub struct RotateSecretVariables {
    /// The pipeline.
    pub id: cynic::Id,
    /// The new secret; Dash makes one without it.
    pub secret: Option<String>,
}

/// Adds a secret and keeps the one before.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RotateSecretVariables")]
pub struct RotateSecret {
    /// It, or what to fix.
    #[arguments(input: { id: $id, secret: $secret })]
    pub rotate_webhook_secret: RotatedSecret,
}

/// The answer to [`RotateSecret`].
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "RotateWebhookSecretPayload")]
pub struct RotatedSecret {
    /// The pipeline.
    pub pipeline: Option<SendersOf>,
    /// The secret that Dash made.
    pub secret: Option<String>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// Takes the secret before the current one away.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SendersVariables")]
pub struct RemoveSecret {
    /// It, or what to fix.
    #[arguments(input: { id: $id })]
    pub remove_previous_webhook_secret: RemovedSecret,
}

/// The answer to [`RemoveSecret`].
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "RemovePreviousWebhookSecretPayload")]
pub struct RemovedSecret {
    /// The pipeline.
    pub pipeline: Option<SendersOf>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}
