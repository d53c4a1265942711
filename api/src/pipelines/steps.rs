//! The steps of a pipeline as they are entered: what may be in them, what they would do with what
//! came in, and closing windows while nothing comes.

use std::collections::BTreeSet;

use dash_shared::fields::FieldPath;
use dash_shared::ids::PipelineId;
use dash_shared::sources::{Source, Webhook};
use dash_shared::transform::{Action, Definition as Steps, Step, Transform};
use dash_shared::{Invalid, InvalidCode};
use serde_json::Value;

use super::definitions::check_time_field;
use super::{Pipeline, PipelineState, Pipelines, PipelinesError};
use crate::accounts::TenantScope;
use crate::data::{ReceivedEvent, Room};
use crate::db::WriteTransaction;
use crate::engine::{Definition, Previewed};
use crate::jobs::{Job, Next};

pub(super) const WINDOWS: &str = "windows";
/// How often windows are looked at that may have ended.
const WINDOWS_PERIOD_MS: i64 = 5_000;
/// How many received events a preview takes at most.
pub const MAX_PREVIEWED: usize = 100;
/// How many bytes they have at most.
const MAX_PREVIEWED_BYTES: usize = 8 * 1024 * 1024;

/// A transform that somebody edits.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The steps.
    pub steps: Vec<Step>,
    /// The field that says when a record happened.
    pub time_field: Option<String>,
}

impl Pipelines {
    /// Checks steps that a team wants to use: their form, what the plan has, and that joined
    /// pipelines are the team's own.
    pub(super) async fn check_steps(
        &self,
        scope: &TenantScope,
        steps: &[Step],
        problems: &mut Vec<Invalid>,
    ) -> Result<Option<Transform>, PipelinesError> {
        let compiled = Transform::compile(&Steps::from(steps.to_vec()));
        let mut joined = BTreeSet::new();
        for (index, step) in steps.iter().enumerate() {
            if step.action.is_advanced()
                && let Err(problem) = scope.plan().check_advanced_steps()
            {
                problems.push(problem.under(&format!("steps.{index}")));
            }
            if let Action::Join(join) = &step.action {
                joined.insert(join.pipeline);
            }
        }
        let joined: Vec<PipelineId> = joined.into_iter().collect();
        if !joined.is_empty() {
            let known = self.existing(scope, &joined).await?;
            for (index, step) in steps.iter().enumerate() {
                if let Action::Join(join) = &step.action
                    && !known.contains(&join.pipeline)
                {
                    problems.push(Invalid::new(
                        &format!("steps.{index}.pipeline"),
                        InvalidCode::Invalid,
                        "There is no such pipeline in this team.",
                    ));
                }
            }
        }
        Ok(compiled.map_err(|found| problems.extend(found)).ok())
    }

    /// The newest events that a pipeline received, as they came in, the newest first.
    pub async fn received(
        &self,
        scope: &TenantScope,
        id: PipelineId,
        limit: usize,
    ) -> Result<Vec<ReceivedEvent>, PipelinesError> {
        let pipeline = self.get(scope, id).await?;
        let room = Room {
            events: limit.min(MAX_PREVIEWED),
            bytes: MAX_PREVIEWED_BYTES,
        };
        Ok(self
            .store
            .newest_received(pipeline.id, i64::MIN, room)
            .await?)
    }

    /// What a draft would do with these records, step by step.
    pub async fn preview(
        &self,
        scope: &TenantScope,
        draft: Draft,
        received: Vec<Value>,
    ) -> Result<Vec<Previewed>, PipelinesError> {
        let mut problems = Vec::new();
        if received.len() > MAX_PREVIEWED {
            problems.push(Invalid::new(
                "records",
                InvalidCode::TooLong,
                format!("A preview takes at most {MAX_PREVIEWED} records."),
            ));
        }
        let definition = self.draft(scope, draft, &mut problems).await?;
        match definition {
            Some(definition) if problems.is_empty() => {
                Ok(self.engine.preview(&definition, received).await?)
            }
            _ => Err(PipelinesError::Invalid(problems)),
        }
    }

    /// A draft, ready to run; it belongs to no pipeline.
    pub(super) async fn draft(
        &self,
        scope: &TenantScope,
        draft: Draft,
        problems: &mut Vec<Invalid>,
    ) -> Result<Option<Definition>, PipelinesError> {
        let transform = self.check_steps(scope, &draft.steps, problems).await?;
        let time_field: Option<Option<FieldPath>> = check_time_field(draft.time_field.as_deref())
            .map_err(|problem| problems.push(problem))
            .ok();
        let (Some(transform), Some(time_field)) = (transform, time_field) else {
            return Ok(None);
        };
        Ok(Some(Definition {
            pipeline_id: PipelineId::new(),
            team_id: scope.team_id(),
            source: Source::Webhook(Webhook::default()),
            credentials: None,
            transform,
            time_field,
        }))
    }

    /// Sees to it that windows close while a pipeline runs that has some, and only then.
    pub(super) async fn schedule_windows(
        &self,
        transaction: &WriteTransaction,
        pipeline: &Pipeline,
    ) -> Result<(), PipelinesError> {
        let has_windows = pipeline
            .steps
            .iter()
            .any(|step| matches!(step.action, Action::Window(_)));
        let key = format!("{WINDOWS}:{}", pipeline.id);
        if has_windows && pipeline.state == PipelineState::Running {
            let run_at_ms = self.clock.now_ms() + WINDOWS_PERIOD_MS;
            self.jobs
                .ensure(&**transaction, WINDOWS, &key, run_at_ms)
                .await?;
        } else {
            self.jobs.cancel(&**transaction, &key).await?;
        }
        Ok(())
    }

    pub(super) async fn run_windows(
        &self,
        job: &Job,
        id: PipelineId,
    ) -> Result<Next, PipelinesError> {
        let Some(pipeline) = self.load(id).await? else {
            return Ok(Next::Done);
        };
        let definition = self.definition(&pipeline)?;
        if pipeline.state != PipelineState::Running || !definition.transform.has_windows() {
            return Ok(Next::Done);
        }
        if let Err(error) = self.engine.close_windows(&definition).await {
            return Ok(Next::Retry(error.to_string()));
        }
        Ok(Next::At {
            run_at_ms: self.clock.now_ms().max(job.run_at_ms) + WINDOWS_PERIOD_MS,
            payload: String::new(),
        })
    }
}
