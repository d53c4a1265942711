//! Webhooks: how senders prove who they are, what names a delivery, and changing their secrets.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use dash_shared::sources::webhook::{
    HmacEncoding, HmacHash, HmacHeader, Idempotency, SECRET_HEADER, Signature, Webhook,
};

use crate::graphql::errors::{UserError, payload};
use crate::graphql::pipelines::{Pipeline, pipeline_id};
use crate::graphql::{scope, services};
use crate::pipelines::{self, NewWebhook, new_secret};

/// A secret URL that others post to: JSON, NDJSON, CSV or a form.
#[derive(Debug, SimpleObject)]
pub struct WebhookSource {
    /// Whoever knows it can send records, unless senders have to prove who they are.
    url: String,
    /// How senders prove who they are.
    signature: WebhookSignature,
    /// What names a delivery or a record, so that each is stored once.
    idempotency: WebhookIdempotency,
}

/// How the senders of a webhook prove who they are.
#[derive(Debug, SimpleObject)]
pub struct WebhookSignature {
    /// The scheme.
    scheme: WebhookSignatureScheme,
    /// The header, where the scheme does not say it.
    header: Option<String>,
    /// The hash function of an HMAC.
    hash: Option<WebhookHash>,
    /// How an HMAC is written.
    encoding: Option<WebhookEncoding>,
    /// What stands before an HMAC.
    prefix: Option<String>,
    /// Whether there is a secret. It is never shown.
    has_secret: bool,
    /// Whether the secret before this one is still good, too.
    has_previous_secret: bool,
}

/// What names a delivery or a record of a webhook.
#[derive(Debug, SimpleObject)]
pub struct WebhookIdempotency {
    /// Where the name is.
    by: WebhookIdempotencyKind,
    /// The header.
    header: Option<String>,
    /// The JSONPath.
    path: Option<String>,
}

/// How a sender can prove who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum WebhookSignatureScheme {
    /// Not at all: who knows the URL may send.
    None,
    /// It sends the secret itself: in a header, as a bearer token, or as `?key=` of the URL.
    SharedSecret,
    /// Standard Webhooks, as of Svix and many services.
    StandardWebhooks,
    /// Stripe: `Stripe-Signature`.
    Stripe,
    /// GitHub: `X-Hub-Signature-256`.
    Github,
    /// Shopify: `X-Shopify-Hmac-Sha256`.
    Shopify,
    /// Slack: `X-Slack-Signature`. Its question whether the URL is right is answered.
    Slack,
    /// An HMAC of the body in a header.
    Hmac,
}

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "HmacHash")]
pub enum WebhookHash {
    /// SHA-256.
    #[graphql(name = "SHA256")]
    Sha256,
    /// SHA-512.
    #[graphql(name = "SHA512")]
    Sha512,
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "HmacEncoding")]
pub enum WebhookEncoding {
    /// As hexadecimal digits.
    Hex,
    /// As base64.
    #[graphql(name = "BASE64")]
    Base64,
}

/// Where the name of a delivery or a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum WebhookIdempotencyKind {
    /// In one of the headers that senders usually take: `Idempotency-Key`, `webhook-id`, `svix-id`,
    /// `X-GitHub-Delivery`, `X-Shopify-Webhook-Id`. The first one counts.
    UsualHeaders,
    /// In a header.
    Header,
    /// At a path in the body: it names the delivery.
    BodyPath,
    /// At a path in each record: it names the record.
    RecordPath,
}

impl WebhookSource {
    pub(super) fn of(pipeline: &pipelines::Pipeline, webhook: &Webhook, public_url: &str) -> Self {
        let key = pipeline.hook_key.as_deref().unwrap_or_default();
        Self {
            url: format!("{public_url}/hooks/{key}"),
            signature: WebhookSignature {
                has_secret: pipeline.has_secret(),
                has_previous_secret: pipeline.has_previous_secret(),
                ..WebhookSignature::of(&webhook.signature)
            },
            idempotency: WebhookIdempotency::of(&webhook.idempotency),
        }
    }
}

impl WebhookSignature {
    fn of(signature: &Signature) -> Self {
        let plain = |scheme| Self {
            scheme,
            header: None,
            hash: None,
            encoding: None,
            prefix: None,
            has_secret: false,
            has_previous_secret: false,
        };
        match signature {
            Signature::None => plain(WebhookSignatureScheme::None),
            Signature::SharedSecret { header } => Self {
                header: Some(header.clone()),
                ..plain(WebhookSignatureScheme::SharedSecret)
            },
            Signature::StandardWebhooks => plain(WebhookSignatureScheme::StandardWebhooks),
            Signature::Stripe => plain(WebhookSignatureScheme::Stripe),
            Signature::Github => plain(WebhookSignatureScheme::Github),
            Signature::Shopify => plain(WebhookSignatureScheme::Shopify),
            Signature::Slack => plain(WebhookSignatureScheme::Slack),
            Signature::Hmac(hmac) => Self {
                header: Some(hmac.header.clone()),
                hash: Some(hmac.hash.into()),
                encoding: Some(hmac.encoding.into()),
                prefix: Some(hmac.prefix.clone()),
                ..plain(WebhookSignatureScheme::Hmac)
            },
        }
    }
}

impl WebhookIdempotency {
    fn of(idempotency: &Idempotency) -> Self {
        let (by, header, path) = match idempotency {
            Idempotency::UsualHeaders => (WebhookIdempotencyKind::UsualHeaders, None, None),
            Idempotency::Header { name } => {
                (WebhookIdempotencyKind::Header, Some(name.clone()), None)
            }
            Idempotency::BodyPath { path } => {
                (WebhookIdempotencyKind::BodyPath, None, Some(path.clone()))
            }
            Idempotency::RecordPath { path } => {
                (WebhookIdempotencyKind::RecordPath, None, Some(path.clone()))
            }
        };
        Self { by, header, path }
    }
}

/// A webhook. On an update, what is left out stays.
#[derive(Debug, InputObject)]
pub struct WebhookSourceInput {
    /// Makes a new URL; the old one stops working.
    #[graphql(default = false)]
    regenerate_url: bool,
    /// How senders prove who they are; not at all on a new webhook, if it is left out.
    signature: Option<WebhookSignatureInput>,
    /// What names a delivery or a record; the usual headers on a new webhook, if it is left out.
    idempotency: Option<WebhookIdempotencyInput>,
}

/// How the senders of a webhook prove who they are.
#[derive(Debug, InputObject)]
pub struct WebhookSignatureInput {
    /// The scheme.
    scheme: WebhookSignatureScheme,
    /// The header of a shared secret (`X-Webhook-Secret` if it is left out) or of an HMAC.
    header: Option<String>,
    /// The hash function of an HMAC.
    #[graphql(default_with = "WebhookHash::Sha256")]
    hash: WebhookHash,
    /// How an HMAC is written.
    #[graphql(default_with = "WebhookEncoding::Hex")]
    encoding: WebhookEncoding,
    /// What stands before an HMAC in its header, such as `sha256=`.
    #[graphql(default)]
    prefix: String,
    /// The secret. Without one, the stored one of the same scheme is kept.
    secret: Option<String>,
    /// Makes a secret up, which the payload shows this once.
    #[graphql(default = false)]
    generate_secret: bool,
}

/// What names a delivery or a record of a webhook.
#[derive(Debug, InputObject)]
pub struct WebhookIdempotencyInput {
    /// Where the name is.
    by: WebhookIdempotencyKind,
    /// The header.
    header: Option<String>,
    /// A JSONPath (RFC 9535): from the body as a whole, or from each record.
    path: Option<String>,
}

impl WebhookSourceInput {
    /// Makes the secret up that is asked for, and returns it.
    pub(in crate::graphql) fn make_secret(&mut self) -> Option<String> {
        let asked = self.signature.as_mut()?;
        if !asked.generate_secret || asked.scheme == WebhookSignatureScheme::None {
            return None;
        }
        let secret = new_secret(&asked.signature());
        asked.secret = Some(secret.clone());
        Some(secret)
    }
}

impl WebhookSignatureInput {
    fn signature(&self) -> Signature {
        let header = || self.header.clone().map(|header| header.trim().to_owned());
        match self.scheme {
            WebhookSignatureScheme::None => Signature::None,
            WebhookSignatureScheme::SharedSecret => Signature::SharedSecret {
                header: header().unwrap_or_else(|| SECRET_HEADER.to_owned()),
            },
            WebhookSignatureScheme::StandardWebhooks => Signature::StandardWebhooks,
            WebhookSignatureScheme::Stripe => Signature::Stripe,
            WebhookSignatureScheme::Github => Signature::Github,
            WebhookSignatureScheme::Shopify => Signature::Shopify,
            WebhookSignatureScheme::Slack => Signature::Slack,
            WebhookSignatureScheme::Hmac => Signature::Hmac(HmacHeader {
                header: header().unwrap_or_default(),
                hash: self.hash.into(),
                encoding: self.encoding.into(),
                prefix: self.prefix.trim().to_owned(),
            }),
        }
    }
}

impl From<WebhookIdempotencyInput> for Idempotency {
    fn from(input: WebhookIdempotencyInput) -> Self {
        let text = |text: Option<String>| text.unwrap_or_default().trim().to_owned();
        match input.by {
            WebhookIdempotencyKind::UsualHeaders => Self::UsualHeaders,
            WebhookIdempotencyKind::Header => Self::Header {
                name: text(input.header),
            },
            WebhookIdempotencyKind::BodyPath => Self::BodyPath {
                path: text(input.path),
            },
            WebhookIdempotencyKind::RecordPath => Self::RecordPath {
                path: text(input.path),
            },
        }
    }
}

impl From<WebhookSourceInput> for NewWebhook {
    fn from(input: WebhookSourceInput) -> Self {
        Self {
            regenerate_url: input.regenerate_url,
            signature: input
                .signature
                .as_ref()
                .map(WebhookSignatureInput::signature),
            secret: input.signature.and_then(|signature| signature.secret),
            idempotency: input.idempotency.map(Idempotency::from),
        }
    }
}

/// A new secret for the senders of a webhook.
#[derive(Debug, InputObject)]
pub struct RotateWebhookSecretInput {
    /// The pipeline.
    id: ID,
    /// The new secret; Dash makes one up without it.
    secret: Option<String>,
    /// Whether the secret until now stays good beside it, until `removePreviousWebhookSecret` or the
    /// next new one.
    #[graphql(default = true)]
    keep_previous: bool,
}

/// The result of `rotateWebhookSecret`.
#[derive(Debug, SimpleObject)]
pub struct RotateWebhookSecretPayload {
    /// The pipeline after it.
    pipeline: Option<Pipeline>,
    /// The secret that Dash made up. It is shown this once.
    secret: Option<String>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The webhook whose old secret is not good any more.
#[derive(Debug, InputObject)]
pub struct RemovePreviousWebhookSecretInput {
    /// The pipeline.
    id: ID,
}

/// The result of `removePreviousWebhookSecret`.
#[derive(Debug, SimpleObject)]
pub struct RemovePreviousWebhookSecretPayload {
    /// The pipeline after it.
    pipeline: Option<Pipeline>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

#[derive(Debug, Default)]
pub struct WebhooksMutation;

#[Object]
impl WebhooksMutation {
    /// Gives the senders of a webhook a new secret. Until the old one is removed, both are good, so
    /// that nothing is lost while they change.
    async fn rotate_webhook_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: RotateWebhookSecretInput,
    ) -> async_graphql::Result<RotateWebhookSecretPayload> {
        let scope = scope(ctx)?;
        let pipelines = &services(ctx)?.pipelines;
        let id = pipeline_id(&input.id)?;
        let made = match &input.secret {
            Some(_) => Ok(None),
            None => pipelines.make_secret(&scope, id).await.map(Some),
        };
        let rotated = match made {
            Ok(made) => {
                let secret = input
                    .secret
                    .as_deref()
                    .or(made.as_deref())
                    .unwrap_or_default();
                let rotated = pipelines.rotate_secret(&scope, id, secret, input.keep_previous);
                rotated.await.map(|pipeline| (pipeline, made))
            }
            Err(error) => Err(error),
        };
        let (rotated, user_errors) = payload(ctx, rotated)?;
        let (pipeline, secret) = rotated.unzip();
        Ok(RotateWebhookSecretPayload {
            pipeline: pipeline.map(Pipeline),
            secret: secret.flatten(),
            user_errors,
        })
    }

    /// Takes the old secret of a webhook away: deliveries that are signed with it are refused.
    async fn remove_previous_webhook_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: RemovePreviousWebhookSecretInput,
    ) -> async_graphql::Result<RemovePreviousWebhookSecretPayload> {
        let id = pipeline_id(&input.id)?;
        let pipelines = &services(ctx)?.pipelines;
        let removed = pipelines.remove_previous_secret(&scope(ctx)?, id).await;
        let (pipeline, user_errors) = payload(ctx, removed)?;
        Ok(RemovePreviousWebhookSecretPayload {
            pipeline: pipeline.map(Pipeline),
            user_errors,
        })
    }
}
