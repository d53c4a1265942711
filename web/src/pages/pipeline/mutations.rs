//! What the pipeline pages tell the API to do: create, change, pause, resume, run, delete and test.

use dash_shared::fields::FieldType;
use dash_shared::transform::{self as shared, mapping};
use serde_json::json;

use super::polling_source::HttpPollingSourceInput;
use super::queries::{Pipeline, RunError};
use crate::api::{Json, UserError, pipelines::DashboardId, schema};

/// The source of a new or changed pipeline.
#[derive(cynic::InputObject, Clone, Debug)]
#[cynic(rename_all = "camelCase")]
pub enum SourceInput {
    /// A secret URL.
    Webhook(WebhookSourceInput),
    /// A polled address.
    HttpPolling(Box<HttpPollingSourceInput>),
    /// Files.
    FileUpload(FileUploadSourceInput),
}

/// A source of files.
#[derive(cynic::InputObject, Clone, Debug)]
pub struct FileUploadSourceInput {
    /// Where the name of a record is.
    pub key_path: Option<String>,
}

/// A webhook source.
#[derive(cynic::InputObject, Clone, Debug)]
pub struct WebhookSourceInput {
    /// Whether the URL is replaced by a new one.
    pub regenerate_url: bool,
}

/// Mapping steps as the API takes them. Written by hand: the form of all kinds of steps is not for
/// every page.
pub fn map_steps(steps: &[shared::Step]) -> Vec<Json> {
    let field = |mapping: &mapping::FieldMapping| {
        let mut field = json!({ "from": mapping.from.to_string(), "to": mapping.to });
        if let Some(cast) = mapping.cast {
            field["cast"] = match cast {
                FieldType::Text => "text",
                FieldType::Number => "number",
                FieldType::Boolean => "boolean",
                FieldType::Time => "time",
            }
            .into();
        }
        field
    };
    steps
        .iter()
        .filter_map(|step| match &step.action {
            shared::Action::Map(map) => Some(Json(json!({
                "kind": "map",
                "fields": map.fields.iter().map(field).collect::<Vec<_>>(),
                "keep_rest": map.keep_rest,
                "on_error": match step.on_error {
                    shared::OnError::Fail => "fail",
                    shared::OnError::Drop => "drop",
                    shared::OnError::Keep => "keep",
                },
            }))),
            _ => None,
        })
        .collect()
}

/// A new pipeline.
#[derive(cynic::InputObject, Debug)]
pub struct CreatePipelineInput {
    /// What it is called.
    pub name: String,
    /// Where its data comes from.
    pub source: SourceInput,
    /// What is done with it.
    pub steps: Vec<Json>,
    /// The field that says when a record happened.
    pub time_field: Option<String>,
}

/// Variables of [`CreatePipeline`].
#[derive(cynic::QueryVariables, Debug)]
pub struct CreatePipelineVariables {
    /// The whole pipeline.
    pub input: CreatePipelineInput,
}

/// Creates a pipeline.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreatePipelineVariables")]
pub struct CreatePipeline {
    /// It, or what to fix.
    #[arguments(input: $input)]
    pub create_pipeline: CreatePipelinePayload,
}

/// The answer to [`CreatePipeline`].
#[derive(cynic::QueryFragment, Debug)]
pub struct CreatePipelinePayload {
    /// The new pipeline.
    pub pipeline: Option<Pipeline>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// A change of a pipeline. What is none stays.
#[derive(cynic::InputObject, Debug)]
pub struct UpdatePipelineInput {
    /// Which.
    pub id: cynic::Id,
    /// A new name.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new source, of the same kind.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceInput>,
    /// New steps.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<Json>>,
    /// The field that says when a record happened; an empty text is when it was received.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub time_field: Option<String>,
    /// How many days records are kept; 0 is as many as the plan allows.
    #[cynic(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<i32>,
}

impl UpdatePipelineInput {
    /// A change of nothing.
    pub const fn nothing(id: cynic::Id) -> Self {
        Self {
            id,
            name: None,
            source: None,
            steps: None,
            time_field: None,
            retention_days: None,
        }
    }
}

/// Variables of [`UpdatePipeline`].
#[derive(cynic::QueryVariables, Debug)]
pub struct UpdatePipelineVariables {
    /// The change.
    pub input: UpdatePipelineInput,
}

/// Changes a pipeline.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UpdatePipelineVariables")]
pub struct UpdatePipeline {
    /// It, or what to fix.
    #[arguments(input: $input)]
    pub update_pipeline: UpdatePipelinePayload,
}

/// The answer to [`UpdatePipeline`].
#[derive(cynic::QueryFragment, Debug)]
pub struct UpdatePipelinePayload {
    /// The changed pipeline.
    pub pipeline: Option<Pipeline>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// Variables of the operations that take a pipeline's id alone.
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct IdVariables {
    /// Which.
    pub id: cynic::Id,
}

/// Pauses a pipeline.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "IdVariables")]
pub struct PausePipeline {
    /// It, or what to fix.
    #[arguments(input: { id: $id })]
    pub pause_pipeline: PausePipelinePayload,
}

/// The answer to [`PausePipeline`].
#[derive(cynic::QueryFragment, Debug)]
pub struct PausePipelinePayload {
    /// The pipeline.
    pub pipeline: Option<Pipeline>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// Resumes a pipeline.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "IdVariables")]
pub struct ResumePipeline {
    /// It, or what to fix.
    #[arguments(input: { id: $id })]
    pub resume_pipeline: ResumePipelinePayload,
}

/// The answer to [`ResumePipeline`].
#[derive(cynic::QueryFragment, Debug)]
pub struct ResumePipelinePayload {
    /// The pipeline.
    pub pipeline: Option<Pipeline>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// Runs a pipeline now.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "IdVariables")]
pub struct RunPipeline {
    /// It, or what to fix.
    #[arguments(input: { id: $id })]
    pub run_pipeline: RunPipelinePayload,
}

/// The answer to [`RunPipeline`].
#[derive(cynic::QueryFragment, Debug)]
pub struct RunPipelinePayload {
    /// The pipeline.
    pub pipeline: Option<Pipeline>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// Deletes a pipeline and its records.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "IdVariables")]
pub struct DeletePipeline {
    /// What to fix, if anything.
    #[arguments(input: { id: $id })]
    pub delete_pipeline: DeletePipelinePayload,
}

/// The answer to [`DeletePipeline`].
#[derive(cynic::QueryFragment, Debug)]
pub struct DeletePipelinePayload {
    /// What to fix.
    pub user_errors: Vec<UserError>,
}

/// Variables of [`TestSource`].
#[derive(cynic::QueryVariables, Debug)]
pub struct TestSourceVariables {
    /// The source to ask once; none for the saved one.
    pub source: Option<HttpPollingSourceInput>,
    /// The pipeline whose saved secrets are sent.
    pub pipeline_id: Option<cynic::Id>,
}

/// Asks an address once, without storing anything.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "TestSourceVariables")]
pub struct TestSource {
    /// What it answered.
    #[arguments(input: { source: $source, pipelineId: $pipeline_id })]
    pub test_source: TestSourcePayload,
}

/// The answer to [`TestSource`].
#[derive(cynic::QueryFragment, Debug)]
pub struct TestSourcePayload {
    /// What was found.
    pub result: Option<SourceTest>,
    /// Why nothing was found.
    pub error: Option<RunError>,
    /// What to fix in the form.
    pub user_errors: Vec<UserError>,
}

/// What an address answered.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct SourceTest {
    /// The HTTP status.
    pub status: i32,
    /// How long it took.
    pub duration_ms: i32,
    /// The path that was used.
    pub records_path: String,
    /// Other places with records.
    pub records_path_candidates: Vec<String>,
    /// How many records are there.
    pub record_count: i32,
    /// The first of them.
    pub records: Vec<Json>,
    /// Whether there is another page.
    pub has_more_pages: bool,
    /// Fields that could name a record.
    pub key_field_candidates: Vec<String>,
    /// Fields that could be the cursor.
    pub cursor_candidates: Vec<String>,
}

/// Variables of [`SuggestDashboard`].
#[derive(cynic::QueryVariables, Debug)]
pub struct SuggestDashboardVariables {
    /// What it is called.
    pub name: String,
    /// What it shows.
    pub pipeline_id: cynic::Id,
}

/// Makes a dashboard with the widgets that suit a pipeline.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SuggestDashboardVariables")]
pub struct SuggestDashboard {
    /// It, or what to fix.
    #[arguments(input: { name: $name, pipelineId: $pipeline_id })]
    pub create_dashboard: SuggestDashboardPayload,
}

/// The answer to [`SuggestDashboard`].
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "CreateDashboardPayload")]
pub struct SuggestDashboardPayload {
    /// The new dashboard.
    pub dashboard: Option<DashboardId>,
    /// What to fix.
    pub user_errors: Vec<UserError>,
}
