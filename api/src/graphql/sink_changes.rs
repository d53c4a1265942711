//! Making, changing, trying and replaying sinks.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};
use dash_shared::sinks::SinkDefinition;

use super::deliveries::{Delivery, DeliveryFilterInput, delivery_id};
use super::errors::{UserError, UserErrorCode, payload};
use super::pipelines::pipeline_id;
use super::sink_targets::{SinkFilter, SinkTargetInput};
use super::sinks::{Sink, sink_id};
use super::{date_time, scope, services};
use crate::sinks::{NewSink, SinkChanges, Start};

/// A new sink.
#[derive(Debug, InputObject)]
pub struct CreateSinkInput {
    /// The pipeline whose records it sends.
    pipeline_id: ID,
    /// The name.
    name: String,
    /// Where records go, and how they look there.
    target: SinkTargetInput,
    /// Which records go there; all of them without it.
    filter: Option<SinkFilter>,
    /// The cursor of the record to begin with; the next one that is stored without it.
    from_record: Option<String>,
}

/// The result of `createSink`.
#[derive(Debug, SimpleObject)]
pub struct CreateSinkPayload {
    /// The new sink.
    sink: Option<Sink>,
    /// What a webhook's messages are signed with. It is never shown again.
    signing_secret: Option<String>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// Changes to a sink; what is left out stays.
#[derive(Debug, InputObject)]
pub struct UpdateSinkInput {
    /// The sink.
    id: ID,
    /// A new name.
    name: Option<String>,
    /// A changed target, of the same kind.
    target: Option<SinkTargetInput>,
    /// Another filter; null takes it away.
    filter: MaybeUndefined<SinkFilter>,
}

macro_rules! sink_acts {
    ($($(#[$doc:meta])* $input:ident => $(#[$payload_doc:meta])* $payload:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, InputObject)]
        pub struct $input {
            /// The sink.
            id: ID,
        }

        $(#[$payload_doc])*
        #[derive(Debug, SimpleObject)]
        pub struct $payload {
            /// The sink after it.
            sink: Option<Sink>,
            /// What to fix.
            user_errors: Vec<UserError>,
        }
    )*};
}

sink_acts! {
    /// The sink to enable.
    EnableSinkInput =>
    /// The result of `enableSink`.
    EnableSinkPayload;
    /// The sink to disable.
    DisableSinkInput =>
    /// The result of `disableSink`.
    DisableSinkPayload;
}

/// The result of `updateSink`.
#[derive(Debug, SimpleObject)]
pub struct UpdateSinkPayload {
    /// The changed sink.
    sink: Option<Sink>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The sink to delete.
#[derive(Debug, InputObject)]
pub struct DeleteSinkInput {
    /// The sink.
    id: ID,
}

/// The result of `deleteSink`.
#[derive(Debug, SimpleObject)]
pub struct DeleteSinkPayload {
    /// The id of the deleted sink.
    deleted_id: Option<ID>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The webhook that gets a new signing key.
#[derive(Debug, InputObject)]
pub struct RotateSinkSecretInput {
    /// The sink.
    id: ID,
}

/// The result of `rotateSinkSecret`.
#[derive(Debug, SimpleObject)]
pub struct RotateSinkSecretPayload {
    /// The sink.
    sink: Option<Sink>,
    /// The new key. It is never shown again.
    signing_secret: Option<String>,
    /// Until when messages are signed with the old key, too.
    old_secret_valid_until: Option<DateTime<Utc>>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The sink to try.
#[derive(Debug, InputObject)]
pub struct SendTestToSinkInput {
    /// The sink.
    id: ID,
}

/// The result of `sendTestToSink`.
#[derive(Debug, SimpleObject)]
pub struct SendTestToSinkPayload {
    /// What came of it.
    delivery: Option<Delivery>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The delivery to send again.
#[derive(Debug, InputObject)]
pub struct ReplayDeliveryInput {
    /// The delivery.
    id: ID,
}

/// The result of `replayDelivery`.
#[derive(Debug, SimpleObject)]
pub struct ReplayDeliveryPayload {
    /// The delivery, which waits to be sent.
    delivery: Option<Delivery>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

/// The deliveries to send again.
#[derive(Debug, InputObject)]
pub struct ReplayDeliveriesInput {
    /// The sink.
    sink_id: ID,
    /// Which of its deliveries; those that wait already are left out.
    filter: Option<DeliveryFilterInput>,
}

/// The result of `replayDeliveries`.
#[derive(Debug, SimpleObject)]
pub struct ReplayDeliveriesPayload {
    /// How many are sent again: at most 1,000, the oldest ones.
    replayed: Option<i32>,
    /// What to fix.
    user_errors: Vec<UserError>,
}

#[derive(Debug, Default)]
pub struct SinksMutation;

#[Object]
impl SinksMutation {
    /// Makes a sink; it sends at once.
    async fn create_sink(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: CreateSinkInput,
    ) -> async_graphql::Result<CreateSinkPayload> {
        let scope = scope(ctx)?;
        let wrong = |user_errors| CreateSinkPayload {
            sink: None,
            signing_secret: None,
            user_errors,
        };
        let filter = match input.filter.map(SinkFilter::read).transpose() {
            Ok(filter) => filter.flatten(),
            Err(user_errors) => return Ok(wrong(user_errors)),
        };
        let start = match input.from_record.map(|cursor| cursor.parse()) {
            None => Start::Now,
            Some(Ok(seq)) => Start::Record(seq),
            Some(Err(_)) => {
                let message = "This is not the cursor of a record.";
                let error = UserError::at("fromRecord", UserErrorCode::Invalid, message);
                return Ok(wrong(vec![error]));
            }
        };
        let (target, secrets) = input.target.read();
        let new = NewSink {
            pipeline_id: pipeline_id(&input.pipeline_id)?,
            name: input.name,
            definition: SinkDefinition::new(target, filter),
            secrets,
            start,
        };
        let created = services(ctx)?.sinks.create(&scope, new).await;
        let (created, user_errors) = payload(ctx, created)?;
        let (sink, signing_secret) = created
            .map(|created| (Sink(created.sink), created.signing_key))
            .unzip();
        Ok(CreateSinkPayload {
            sink,
            signing_secret: signing_secret.flatten(),
            user_errors,
        })
    }

    /// Changes a sink; what waits to be sent is sent as it says then.
    async fn update_sink(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: UpdateSinkInput,
    ) -> async_graphql::Result<UpdateSinkPayload> {
        let scope = scope(ctx)?;
        let filter = match input.filter {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(filter) => match filter.read() {
                Ok(filter) => Some(filter),
                Err(user_errors) => {
                    return Ok(UpdateSinkPayload {
                        sink: None,
                        user_errors,
                    });
                }
            },
        };
        let changes = SinkChanges {
            name: input.name,
            target: input.target.map(SinkTargetInput::read),
            filter,
        };
        let id = sink_id(&input.id)?;
        let updated = services(ctx)?.sinks.update(&scope, id, changes).await;
        let (sink, user_errors) = payload(ctx, updated)?;
        Ok(UpdateSinkPayload {
            sink: sink.map(Sink),
            user_errors,
        })
    }

    /// Deletes a sink with its log. Records stay. This cannot be undone.
    async fn delete_sink(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: DeleteSinkInput,
    ) -> async_graphql::Result<DeleteSinkPayload> {
        let deleted = services(ctx)?
            .sinks
            .delete(&scope(ctx)?, sink_id(&input.id)?)
            .await;
        let (deleted, user_errors) = payload(ctx, deleted)?;
        Ok(DeleteSinkPayload {
            deleted_id: deleted.map(|()| input.id),
            user_errors,
        })
    }

    /// Makes a sink send again, from where it stopped.
    async fn enable_sink(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: EnableSinkInput,
    ) -> async_graphql::Result<EnableSinkPayload> {
        let enabled = services(ctx)?
            .sinks
            .enable(&scope(ctx)?, sink_id(&input.id)?)
            .await;
        let (sink, user_errors) = payload(ctx, enabled)?;
        Ok(EnableSinkPayload {
            sink: sink.map(Sink),
            user_errors,
        })
    }

    /// Makes a sink stop; records wait, for as long as they are kept.
    async fn disable_sink(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: DisableSinkInput,
    ) -> async_graphql::Result<DisableSinkPayload> {
        let disabled = services(ctx)?
            .sinks
            .disable_by_hand(&scope(ctx)?, sink_id(&input.id)?)
            .await;
        let (sink, user_errors) = payload(ctx, disabled)?;
        Ok(DisableSinkPayload {
            sink: sink.map(Sink),
            user_errors,
        })
    }

    /// Gives a webhook a new signing key. For 24 hours its messages are signed with the old one, too.
    async fn rotate_sink_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: RotateSinkSecretInput,
    ) -> async_graphql::Result<RotateSinkSecretPayload> {
        let rotated = services(ctx)?
            .sinks
            .rotate_key(&scope(ctx)?, sink_id(&input.id)?)
            .await;
        let (rotated, user_errors) = payload(ctx, rotated)?;
        let until = rotated.as_ref();
        let until = until.map(|rotated| date_time(rotated.old_key_until_ms));
        let (sink, signing_secret) = rotated
            .map(|rotated| (Sink(rotated.sink), rotated.signing_key))
            .unzip();
        Ok(RotateSinkSecretPayload {
            sink,
            signing_secret,
            old_secret_valid_until: until,
            user_errors,
        })
    }

    /// Sends the newest record once, marked as a test, and returns what came of it.
    async fn send_test_to_sink(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: SendTestToSinkInput,
    ) -> async_graphql::Result<SendTestToSinkPayload> {
        let sent = services(ctx)?
            .sinks
            .send_test(&scope(ctx)?, sink_id(&input.id)?)
            .await;
        let (sent, user_errors) = payload(ctx, sent)?;
        Ok(SendTestToSinkPayload {
            delivery: sent.map(|(_, delivery)| Delivery(delivery)),
            user_errors,
        })
    }

    /// Sends a delivery again that has ended, under the same message id. It goes beside what is sent
    /// live; one that waits already is left alone.
    async fn replay_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: ReplayDeliveryInput,
    ) -> async_graphql::Result<ReplayDeliveryPayload> {
        let replayed = services(ctx)?
            .sinks
            .replay(&scope(ctx)?, delivery_id(&input.id)?)
            .await;
        let (delivery, user_errors) = payload(ctx, replayed)?;
        Ok(ReplayDeliveryPayload {
            delivery: delivery.map(Delivery),
            user_errors,
        })
    }

    /// Sends many deliveries again, the oldest first, under their message ids.
    async fn replay_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do, and with what.")] input: ReplayDeliveriesInput,
    ) -> async_graphql::Result<ReplayDeliveriesPayload> {
        let filter = input.filter.unwrap_or_default().into();
        let replayed = services(ctx)?
            .sinks
            .replay_all(&scope(ctx)?, sink_id(&input.sink_id)?, &filter)
            .await;
        let (replayed, user_errors) = payload(ctx, replayed)?;
        Ok(ReplayDeliveriesPayload {
            replayed: replayed.map(|count| i32::try_from(count).unwrap_or(i32::MAX)),
            user_errors,
        })
    }
}
