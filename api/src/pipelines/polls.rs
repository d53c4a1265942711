//! Running polls: the job of a polled pipeline, what its outcome means for the next one, and pausing
//! what fails for too long.

use std::collections::BTreeMap;

use dash_shared::ids::{PipelineId, TeamId};
use dash_shared::sources::Source;
use dash_shared::sources::polling::HttpPolling;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QuerySelect};

use super::filling::Filled;
use super::runtime::{MANUAL, describe};
use super::{Pipeline, PipelineState, Pipelines, PipelinesError, entity, schedule};
use crate::data::RunTrigger;
use crate::engine::{Credentials, Definition, FetchError, Outlook, Polled};
use crate::jobs::{Job, Next};

/// How often a pipeline may fail in a row before it is paused, if it did so for a while.
const MAX_FAILURES: i32 = 20;
/// How long it has to have failed.
const FAILING_FOR_MS: i64 = 3_600_000;
/// How often it may fail in a row with what only somebody can mend.
const MAX_HOPELESS_FAILURES: i32 = 10;

impl Pipelines {
    pub(super) async fn run_poll(&self, job: &Job, id: PipelineId) -> Result<Next, PipelinesError> {
        let manual = job.payload == MANUAL;
        let Some(pipeline) = self.load(id).await? else {
            return Ok(Next::Done);
        };
        let running = pipeline.state == PipelineState::Running;
        let Source::HttpPolling(polling) = &pipeline.source else {
            return Ok(Next::Done);
        };
        if !running && !manual {
            return Ok(Next::Done);
        }
        let trigger = if manual {
            RunTrigger::Manual
        } else {
            RunTrigger::Schedule
        };
        // The due time names the batch: taken over after a crash, it is the same batch.
        let batch_key = format!("poll:{}", job.run_at_ms);
        let failure = match self.poll(&pipeline, polling, trigger, batch_key).await {
            Ok(failure) => failure,
            Err(next) => return Ok(next),
        };
        let now_ms = self.clock.now_ms();
        let failures = match &failure {
            None => 0,
            Some(_) => pipeline.consecutive_failures.saturating_add(1),
        };
        let paused = self
            .note_outcome(&pipeline, failures, failure.as_ref())
            .await?;
        if !running || paused {
            return Ok(Next::Done);
        }
        let schedule = &polling.schedule;
        let run_at_ms = match failure.map(|failure| failure.outlook) {
            None => schedule::next_slot(schedule, id, job.run_at_ms, now_ms),
            Some(outlook) => {
                let wait_ms = match outlook {
                    Outlook::NotWithin { ms } => ms,
                    Outlook::Open | Outlook::Hopeless => 0,
                };
                let not_before_ms = now_ms.saturating_add(wait_ms);
                schedule::next_after_failures(schedule, id, failures, now_ms, not_before_ms)
            }
        };
        Ok(Next::At {
            run_at_ms,
            payload: String::new(),
        })
    }

    /// Polls once; returns why nothing could be read. What fails inside Dash is tried again.
    async fn poll(
        &self,
        pipeline: &Pipeline,
        polling: &HttpPolling,
        trigger: RunTrigger,
        batch_key: String,
    ) -> Result<Option<FetchError>, Next> {
        let retry = |error: &dyn std::error::Error| Next::Retry(describe(error));
        let mut definition = self.definition(pipeline).map_err(|error| retry(&error))?;
        let filled = match definition.credentials.take() {
            None => None,
            Some(credentials) => {
                let filled = self
                    .fill(pipeline.team_id, polling.clone(), credentials)
                    .await;
                Some(filled.map_err(|error| retry(&error))?)
            }
        };
        let filled = match filled {
            Some(Ok(filled)) => Some(filled),
            Some(Err(error)) => {
                let told = self
                    .engine
                    .fail(&definition, trigger, batch_key, error)
                    .await;
                return told.map(Some).map_err(|error| retry(&error));
            }
            None => None,
        };
        if let Some(filled) = &filled {
            definition = Definition {
                source: Source::HttpPolling(Box::new(filled.polling.clone())),
                credentials: Some(filled.credentials.clone()),
                ..definition
            };
        }
        let redact = |text: &str| match &filled {
            Some(filled) => filled.redact(text),
            None => text.to_owned(),
        };
        match self
            .engine
            .poll(&definition, trigger, batch_key, redact)
            .await
        {
            Ok(Polled::Stored(_) | Polled::Unchanged) => Ok(None),
            Ok(Polled::Failed(error)) => Ok(Some(error)),
            Err(error) => Err(retry(&error)),
        }
    }

    /// Puts the team's secrets into a source.
    pub(super) async fn fill(
        &self,
        _team_id: TeamId,
        polling: HttpPolling,
        credentials: Credentials,
    ) -> Result<Result<Filled, FetchError>, PipelinesError> {
        // No team has secrets of its own yet: a source that names one is told so.
        Ok(Filled::new(polling, credentials, &BTreeMap::new()))
    }

    /// Remembers since when a pipeline fails, and pauses it when that is too long; writes only when
    /// something changes. Returns whether it is paused.
    async fn note_outcome(
        &self,
        pipeline: &Pipeline,
        failures: i32,
        failure: Option<&FetchError>,
    ) -> Result<bool, PipelinesError> {
        if failures == pipeline.consecutive_failures {
            return Ok(false);
        }
        let now_ms = self.clock.now_ms();
        let transaction = self.db.begin_write().await?;
        let found = entity::Entity::find_by_id(pipeline.id.uuid())
            .lock_exclusive()
            .one(&*transaction)
            .await?;
        // Deleted in the meantime: nothing to remember. Resumed or changed: it is a new beginning.
        let Some(row) = found.filter(|row| {
            row.consecutive_failures == pipeline.consecutive_failures
                && row.version == pipeline.version
        }) else {
            return Ok(false);
        };
        let is_running = pipeline.state == PipelineState::Running
            && row.state == PipelineState::Running.as_str();
        let since_ms = row.failing_since_ms.unwrap_or(now_ms);
        let mut row = row.into_active_model();
        row.consecutive_failures = Set(failures);
        row.failing_since_ms = Set((failures > 0).then_some(since_ms));
        let reason = failure
            .filter(|_| is_running)
            .and_then(|failure| reason_to_pause(failure, failures, now_ms - since_ms));
        let paused = reason.is_some();
        if let Some(reason) = reason {
            tracing::info!(pipeline = %pipeline.id, failures, "a pipeline fails and is paused");
            metrics::counter!("dash_pipelines_paused_total").increment(1);
            row.state = Set(PipelineState::Paused.as_str().to_owned());
            row.paused_reason = Set(Some(reason));
        }
        row.update(&*transaction).await?;
        transaction.commit().await?;
        Ok(paused)
    }
}

/// Why a pipeline that failed so often and for so long is not polled any more.
fn reason_to_pause(failure: &FetchError, failures: i32, failing_for_ms: i64) -> Option<String> {
    let is_hopeless = failure.outlook == Outlook::Hopeless && failures >= MAX_HOPELESS_FAILURES;
    let is_too_long = failures >= MAX_FAILURES && failing_for_ms >= FAILING_FOR_MS;
    (is_hopeless || is_too_long).then(|| {
        format!(
            "Dash paused this pipeline after {failures} polls in a row had failed. The last one: {} \
             Mend the source, then resume the pipeline.",
            failure.message
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::FetchErrorCode;

    #[test]
    fn what_cannot_mend_itself_is_paused_earlier() {
        let check = |outlook, failures, minutes: i64, expected: bool| {
            let failure = FetchError {
                code: FetchErrorCode::BadStatus,
                message: "No.".to_owned(),
                outlook,
            };
            let reason = reason_to_pause(&failure, failures, minutes * 60_000);
            assert_eq!(reason.is_some(), expected, "{failures} {minutes}");
        };
        check(Outlook::Open, 19, 600, false);
        check(Outlook::Open, 20, 59, false);
        check(Outlook::Open, 20, 60, true);
        check(Outlook::NotWithin { ms: 1 }, 20, 60, true);
        check(Outlook::Hopeless, 9, 600, false);
        check(Outlook::Hopeless, 10, 0, true);
    }
}
