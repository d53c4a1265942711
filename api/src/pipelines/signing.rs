//! The secrets of webhooks' senders: made, sealed, changed without a gap. They are never read back:
//! the one that Dash makes is shown by whoever asked for it, at that moment.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dash_shared::accounts::Role;
use dash_shared::ids::PipelineId;
use dash_shared::sources::Source;
use dash_shared::sources::webhook::{Signature, Webhook};
use dash_shared::{Invalid, InvalidCode};
use rand::Rng as _;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, IntoActiveModel};

use super::{Pipeline, Pipelines, PipelinesError, entity};
use crate::accounts::TenantScope;
use crate::secrets::SecretBox;

/// How many random bytes a secret has that Dash makes.
const SECRET_BYTES: usize = 32;

/// What a pipeline keeps of its senders' secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SealedSecrets {
    pub(super) current: Option<Vec<u8>>,
    /// Still good while senders change to the current one.
    pub(super) previous: Option<Vec<u8>>,
}

/// What a sealed secret belongs to.
fn belongs_to(id: PipelineId) -> String {
    format!("{id}/signing")
}

/// A new secret for senders that prove themselves like this.
pub fn new_secret(signature: &Signature) -> String {
    let mut bytes = [0; SECRET_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    match signature {
        Signature::StandardWebhooks => format!("whsec_{}", STANDARD.encode(bytes)),
        _ => bytes.iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        }),
    }
}

/// Seals the secret that was entered for a webhook, or keeps the stored ones.
pub(super) fn seal(
    secrets: &SecretBox,
    id: PipelineId,
    webhook: &Webhook,
    entered: Option<&str>,
    before: Option<&Pipeline>,
) -> Result<Result<SealedSecrets, Invalid>, PipelinesError> {
    let signature = &webhook.signature;
    if signature.is_none() {
        return Ok(Ok(SealedSecrets::default()));
    }
    let kept = before.filter(|pipeline| match &pipeline.source {
        Source::Webhook(before) => before.signature.is_same_scheme(signature),
        _ => false,
    });
    let kept = kept.map(|pipeline| pipeline.sealed_secrets.clone());
    let kept = kept.filter(|kept| kept.current.is_some());
    let secret = match (entered.map(str::trim), kept) {
        (None, Some(kept)) => return Ok(Ok(kept)),
        (entered, _) => entered.unwrap_or_default(),
    };
    if let Err(problem) = signature.check_secret(secret) {
        return Ok(Err(problem));
    }
    Ok(Ok(SealedSecrets {
        current: Some(seal_one(secrets, id, secret)?),
        previous: None,
    }))
}

fn seal_one(secrets: &SecretBox, id: PipelineId, secret: &str) -> Result<Vec<u8>, PipelinesError> {
    secrets
        .seal(&belongs_to(id), secret.as_bytes())
        .map_err(|error| PipelinesError::Damaged(error.to_string()))
}

/// Opens the secrets of a pipeline's senders; none when they cannot be opened, because the key has
/// changed.
pub(super) fn open(secrets: &SecretBox, pipeline: &Pipeline) -> Option<Vec<String>> {
    let sealed = &pipeline.sealed_secrets;
    let open = |sealed: &Vec<u8>| {
        let bytes = secrets.open(&belongs_to(pipeline.id), sealed).ok()?;
        String::from_utf8(bytes).ok()
    };
    let all = [sealed.current.as_ref(), sealed.previous.as_ref()];
    all.into_iter().flatten().map(open).collect()
}

impl Pipelines {
    /// Makes up a secret that the senders of a webhook can use. It is stored by whoever asked.
    pub async fn make_secret(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<String, PipelinesError> {
        scope.require(Role::Editor)?;
        let pipeline = self.get(scope, id).await?;
        Ok(match &pipeline.source {
            Source::Webhook(webhook) => new_secret(&webhook.signature),
            _ => String::new(),
        })
    }

    /// Changes the secret of a webhook's senders; the one before it stays good beside it, if that is
    /// wanted.
    pub async fn rotate_secret(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        secret: &str,
        keeps_previous: bool,
    ) -> Result<Pipeline, PipelinesError> {
        self.change_secrets(scope, id, |signature, sealed| {
            signature.check_secret(secret.trim())?;
            let previous = sealed.current.take().filter(|_| keeps_previous);
            Ok((Some(secret.trim()), previous))
        })
        .await
    }

    /// Takes the secret before the current one away: nothing that is signed with it passes.
    pub async fn remove_previous_secret(
        &self,
        scope: &TenantScope,
        id: PipelineId,
    ) -> Result<Pipeline, PipelinesError> {
        self.change_secrets(scope, id, |_, _| Ok((None, None)))
            .await
    }

    /// Stores the new secret that `change` names, or keeps the current one, and the previous one.
    async fn change_secrets<'a>(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        change: impl FnOnce(
            &Signature,
            &mut SealedSecrets,
        ) -> Result<(Option<&'a str>, Option<Vec<u8>>), Invalid>,
    ) -> Result<Pipeline, PipelinesError> {
        scope.require(Role::Editor)?;
        let (transaction, row) = self.begin_change(scope, id).await?;
        let before = Pipeline::try_from(row.clone())?;
        let invalid = |problem| PipelinesError::Invalid(vec![problem]);
        let signature = match &before.source {
            Source::Webhook(webhook) if !webhook.signature.is_none() => &webhook.signature,
            _ => {
                return Err(invalid(Invalid::new(
                    "id",
                    InvalidCode::Invalid,
                    "This pipeline has no signing secret. Choose first how senders prove who they \
                     are.",
                )));
            }
        };
        let mut sealed = before.sealed_secrets.clone();
        let (secret, previous) = change(signature, &mut sealed).map_err(invalid)?;
        let mut row: entity::ActiveModel = row.into_active_model();
        if let Some(secret) = secret {
            row.sealed_secret = Set(Some(seal_one(&self.secrets, id, secret)?));
        }
        row.sealed_previous_secret = Set(previous);
        row.version = Set(before.version + 1);
        row.updated_at_ms = Set(self.clock.now_ms());
        let pipeline = Pipeline::try_from(row.update(&*transaction).await?)?;
        transaction.commit().await?;
        self.forget_hook(&before).await;
        Ok(pipeline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dash_makes_up_is_a_good_secret() {
        for signature in [
            Signature::StandardWebhooks,
            Signature::Github,
            Signature::SharedSecret {
                header: "X-Token".to_owned(),
            },
        ] {
            let (one, other) = (new_secret(&signature), new_secret(&signature));
            assert_eq!(signature.check_secret(&one), Ok(()));
            assert_ne!(one, other);
        }
    }
}
