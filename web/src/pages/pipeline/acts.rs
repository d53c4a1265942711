//! The acts of pipelines that the list, the page and the new-pipeline flow share: each asks the
//! API, says in a message how it went, and returns what there is to go on with.

use cynic::MutationBuilder;

use super::mutations::{
    DeletePipeline, IdVariables, PausePipeline, ResumePipeline, RunPipeline, SourceInput,
    SuggestDashboard, SuggestDashboardVariables, UpdatePipeline, UpdatePipelineInput,
    UpdatePipelineVariables,
};
use super::queries::Pipeline;
use crate::api::{self, ApiError, ErrorCode, FormErrors, Json, UserError};
use crate::components::toast::Toasts;

/// What can be done with a pipeline in one click.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Stop taking in data.
    Pause,
    /// Take in data again.
    Resume,
    /// Ask the source now.
    Run,
}

/// Does it; none when it failed, which the person was told.
pub async fn act(act: Act, id: cynic::Id, toasts: Toasts) -> Option<Pipeline> {
    let variables = IdVariables { id };
    let answer = match act {
        Act::Pause => api::run(PausePipeline::build(variables))
            .await
            .map(|answer| {
                let payload = answer.pause_pipeline;
                (payload.pipeline, payload.user_errors)
            }),
        Act::Resume => api::run(ResumePipeline::build(variables))
            .await
            .map(|answer| {
                let payload = answer.resume_pipeline;
                (payload.pipeline, payload.user_errors)
            }),
        Act::Run => api::run(RunPipeline::build(variables)).await.map(|answer| {
            let payload = answer.run_pipeline;
            (payload.pipeline, payload.user_errors)
        }),
    };
    let pipeline = told(answer, toasts)?;
    toasts.success(match act {
        Act::Pause => format!("“{}” is paused. What was stored stays.", pipeline.name),
        Act::Resume => format!("“{}” is running.", pipeline.name),
        Act::Run => format!("“{}” runs now.", pipeline.name),
    });
    Some(pipeline)
}

/// Deletes a pipeline with its records; whether it worked.
pub async fn delete(id: cynic::Id, name: &str, toasts: Toasts) -> bool {
    let answer = api::run(DeletePipeline::build(IdVariables { id })).await;
    let answer = answer.map(|answer| (Some(()), answer.delete_pipeline.user_errors));
    let deleted = told(answer, toasts).is_some();
    if deleted {
        toasts.success(format!("“{name}” and its records are deleted."));
    }
    deleted
}

/// Makes the dashboard that suits a pipeline; returns its id.
pub async fn suggest_dashboard(id: cynic::Id, name: &str, toasts: Toasts) -> Option<String> {
    let variables = SuggestDashboardVariables {
        name: name.to_owned(),
        pipeline_id: id,
    };
    let answer = api::run(SuggestDashboard::build(variables)).await;
    let answer = answer.map(|answer| {
        let payload = answer.create_dashboard;
        (payload.dashboard, payload.user_errors)
    });
    Some(told(answer, toasts)?.id.into_inner())
}

/// A change to save.
#[derive(Debug)]
pub enum Change {
    /// Another name.
    Name(String),
    /// Another source of the same kind.
    Source(SourceInput),
    /// Another number of days that records are kept; 0 is as many as the plan allows.
    Retention(i32),
}

/// Saves a change; what is wrong with it appears in `errors`.
pub async fn update(pipeline: &Pipeline, change: Change, errors: FormErrors) -> Option<Pipeline> {
    let mut input = UpdatePipelineInput::nothing(pipeline.id.clone());
    match change {
        Change::Name(name) => input.name = Some(name),
        Change::Source(source) => input.source = Some(source),
        Change::Retention(days) => input.retention_days = Some(days),
    }
    match api::run(UpdatePipeline::build(UpdatePipelineVariables { input })).await {
        Ok(answer) => {
            let payload = answer.update_pipeline;
            place_errors(errors, &payload.user_errors);
            payload.pipeline
        }
        Err(error) => {
            errors.set_api_error(&error);
            None
        }
    }
}

/// Saves another transform: the documents of its steps, and the field that says when a record
/// happened. Returns the changed pipeline, or what to fix.
pub async fn save_transform(
    id: cynic::Id,
    steps: Vec<Json>,
    time_field: Option<String>,
) -> Result<(Option<Pipeline>, Vec<UserError>), ApiError> {
    let input = UpdatePipelineInput {
        steps: Some(steps),
        time_field: Some(time_field.unwrap_or_default()),
        ..UpdatePipelineInput::nothing(id)
    };
    let answer = api::run(UpdatePipeline::build(UpdatePipelineVariables { input })).await?;
    let payload = answer.update_pipeline;
    Ok((payload.pipeline, payload.user_errors))
}

/// Shows a payload's errors in a form whose fields are named from the source's own fields on:
/// `url` for `source.httpPolling.url`. Returns whether there were any.
pub fn place_errors(errors: FormErrors, problems: &[UserError]) -> bool {
    errors.clear();
    for problem in problems {
        let path = problem.field.as_deref().unwrap_or_default();
        let outer = ["input", "source", "httpPolling", "webhook"];
        let inner: Vec<&str> = path
            .iter()
            .map(String::as_str)
            .skip_while(|name| outer.contains(name))
            .collect();
        errors.add(&inner.join("."), &*problem.message);
    }
    !problems.is_empty()
}

/// Takes the result out of an answer, or says what went wrong.
fn told<T>(answer: Result<(Option<T>, Vec<UserError>), ApiError>, toasts: Toasts) -> Option<T> {
    match answer {
        Ok((result, problems)) => {
            if let Some(problem) = problems.first() {
                toasts.error(&*problem.message);
                return None;
            }
            result
        }
        Err(error) => {
            if error.code != ErrorCode::Unauthenticated {
                toasts.api_error(&error);
            }
            None
        }
    }
}
