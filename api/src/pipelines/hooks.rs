//! Webhooks as they come: what a URL leads to, whether more may come now, and who has to know when
//! something is refused.

use std::sync::Arc;

use bytes::Bytes;
use dash_shared::plans::{Plan, WebhookRate};
use dash_shared::sources::Source;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::gate::Gate;
use super::source_check::is_hook_key;
use super::{Pipeline, PipelineState, Pipelines, PipelinesError, entity, signing};
use crate::accounts;
use crate::engine::{
    BodyError, Definition, ReceiveError, Received, Reception, Sent, SignatureError, WriteError,
};

/// Why a webhook was refused.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// No pipeline has this URL.
    #[error("no pipeline has this URL; it may have been deleted, or its URL changed")]
    Unknown,
    /// The pipeline is paused.
    #[error("the pipeline is paused; resume it to receive data")]
    Paused,
    /// More comes in than the plan allows.
    #[error(
        "more is coming in than this pipeline takes: {} a second, {} at once; try again in a \
         moment, or send several records in one body",
        .rate.per_second,
        .rate.burst
    )]
    TooFast {
        /// What it takes.
        rate: WebhookRate,
        /// When the next one may come.
        retry_after_seconds: u32,
    },
    /// It does not prove who sent it.
    #[error(transparent)]
    Signature(SignatureError),
    /// The secrets cannot be opened, so that nothing can be proved.
    #[error(
        "the secret of this webhook cannot be opened: the key that Dash was started with has \
         changed; enter the secret again"
    )]
    SecretsLost,
    /// The body holds no records that can be read.
    #[error(transparent)]
    Body(BodyError),
    /// The records could not be stored.
    #[error(transparent)]
    Write(WriteError),
    /// The pipeline could not be read.
    #[error("the pipeline could not be read")]
    Pipelines(#[source] Arc<PipelinesError>),
}

impl From<ReceiveError> for HookError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Signature(error) => Self::Signature(error),
            ReceiveError::Body(error) => Self::Body(error),
            ReceiveError::Write(error) => Self::Write(error),
        }
    }
}

/// What a webhook's key leads to.
#[derive(Debug)]
pub struct Hook {
    definition: Definition,
    state: PipelineState,
    /// None when the secrets cannot be opened.
    reception: Option<Reception>,
    rate: WebhookRate,
    gate: Arc<Gate>,
}

impl Pipelines {
    /// Finds what a webhook's URL leads to, and whether something may come now. A body is worth
    /// reading only after that.
    pub async fn open_hook(&self, hook_key: &str) -> Result<Arc<Hook>, HookError> {
        // What cannot be a key is not looked up; the database does not even take all of it.
        if !is_hook_key(hook_key) {
            return Err(HookError::Unknown);
        }
        let hook = self
            .hooks
            .try_get_with(hook_key.to_owned(), self.load_hook(hook_key))
            .await
            .map_err(|error| match &*error {
                PipelinesError::NotFound => HookError::Unknown,
                _ => HookError::Pipelines(error),
            })?;
        if hook.state == PipelineState::Paused {
            return Err(HookError::Paused);
        }
        if let Err(wait_us) = hook.gate.pass(hook.rate, self.clock.now_ms()) {
            metrics::counter!("dash_webhooks_refused_total", "reason" => "rate").increment(1);
            let seconds = wait_us.max(1).unsigned_abs().div_ceil(1_000_000);
            return Err(HookError::TooFast {
                rate: hook.rate,
                retry_after_seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
            });
        }
        Ok(hook)
    }

    /// Takes in what was posted to a webhook's URL; returns when its records are durable. What has
    /// a name is stored once, however often it comes.
    pub async fn receive(
        &self,
        hook: &Hook,
        sent: Sent<'_>,
        body: &Bytes,
    ) -> Result<Received, HookError> {
        let reception = hook.reception.as_ref().ok_or(HookError::SecretsLost)?;
        let received = self.engine.receive(&hook.definition, reception, sent, body);
        match received.await {
            Ok(received) => Ok(received),
            Err(ReceiveError::Signature(error)) => {
                self.note_refusal(hook, &error).await;
                Err(HookError::Signature(error))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Counts that something was refused, and lets the pipeline's owners see it in its runs: once a
    /// minute for each reason.
    async fn note_refusal(&self, hook: &Hook, error: &SignatureError) {
        let fault = error.fault();
        metrics::counter!("dash_webhooks_refused_total", "reason" => fault.as_str()).increment(1);
        if !hook.gate.is_news(fault, self.clock.now_ms()) {
            return;
        }
        let message = format!("Deliveries were refused: {error}. This is told once a minute.");
        let noted = self.engine.note_refusal(&hook.definition, fault, message);
        if let Err(error) = noted.await {
            // The sender is refused all the same.
            tracing::warn!(%error, "a refused delivery could not be noted");
        }
    }

    async fn load_hook(&self, hook_key: &str) -> Result<Arc<Hook>, PipelinesError> {
        let row = entity::Entity::find()
            .filter(entity::Column::HookKey.eq(hook_key))
            .one(self.db.orm())
            .await?
            .ok_or(PipelinesError::NotFound)?;
        let pipeline = Pipeline::try_from(row)?;
        let Source::Webhook(webhook) = &pipeline.source else {
            return Err(PipelinesError::NotFound);
        };
        let secrets = signing::open(&self.secrets, &pipeline);
        if secrets.is_none() {
            tracing::warn!(pipeline = %pipeline.id, "a webhook's secrets cannot be opened");
        }
        let reception = secrets.map(|secrets| Reception::new(webhook, &secrets));
        let reception = reception.transpose().map_err(PipelinesError::Damaged)?;
        let teams = [pipeline.team_id].into();
        let plans = accounts::plans_of(&self.db, &teams, self.clock.now_ms()).await?;
        let plan = plans.get(&pipeline.team_id).copied().unwrap_or(Plan::Free);
        Ok(Arc::new(Hook {
            state: pipeline.state,
            definition: self.definition(&pipeline)?,
            reception,
            rate: plan.limits().webhook_rate,
            gate: self.gates.of(pipeline.id).await,
        }))
    }
}
