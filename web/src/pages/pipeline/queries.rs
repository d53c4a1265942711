//! What the pipeline pages ask the API: fragments of a pipeline, its runs and records, and the
//! two subscriptions. What they tell it to do is in `mutations`.

use dash_shared::fields::Fields;
use dash_shared::transform::{self as shared, mapping};
use serde_json::Value;

use crate::api::{DateTime, Json, PageInfo, pipelines::PipelineState, schema};

/// How many pipelines one page of the list holds.
pub const LIST_PAGE: i32 = 20;
/// How many runs one page of the history holds.
pub const RUNS_PAGE: i32 = 25;

/// What a field holds.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Any text.
    Text,
    /// A decimal number.
    Number,
    /// True or false.
    Boolean,
    /// A point in time.
    Time,
}

/// What started a run.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunTrigger {
    /// The interval.
    Schedule,
    /// A person.
    Manual,
    /// Events that came in.
    Webhook,
    /// The demo source.
    Demo,
    /// Records of another pipeline.
    Pipeline,
    /// Windows that closed.
    Window,
    /// Failed records that were put in again.
    Replay,
    /// A file.
    Upload,
}

/// How a run ended.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// All records went through.
    Succeeded,
    /// Some did.
    Partial,
    /// The run as a whole failed.
    Failed,
}

/// Why a run or a test failed.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunErrorCode {
    /// Nobody answers at the address.
    Unreachable,
    /// The answer took too long.
    Timeout,
    /// The answer was a refusal or a failure.
    BadStatus,
    /// The answer is neither JSON nor CSV.
    NotJson,
    /// A line of the CSV cannot be read.
    InvalidCsv,
    /// The answer is too large.
    TooLarge,
    /// There is nothing at the path.
    NoRecords,
    /// The address is inside a private network.
    ForbiddenTarget,
    /// The path cannot be read.
    InvalidPath,
    /// The server that gives tokens gives none.
    NoToken,
    /// Nothing has a value where the cursor should be.
    NoCursor,
    /// A secret that the source names is not there.
    NoSecret,
    /// The stored secrets cannot be opened any more.
    SecretsLost,
    /// Who sent it did not prove who they are.
    InvalidSignature,
    /// Dash itself failed.
    Internal,
    /// A code this client does not know yet.
    #[cynic(fallback)]
    Other,
}

/// Where a pipeline's data comes from.
#[derive(cynic::InlineFragments, Clone, Debug, PartialEq)]
pub enum Source {
    /// Others post it.
    WebhookSource(WebhookSource),
    /// An address is polled.
    HttpPollingSource(HttpPollingSource),
    /// Another pipeline.
    PipelineSource(PipelineSource),
    /// It is invented.
    DemoSource(DemoSource),
    /// Files are handed over.
    FileUploadSource(FileUploadSource),
    /// A kind this client does not know yet.
    #[cynic(fallback)]
    Other,
}

/// A secret URL that others post to.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct WebhookSource {
    /// The whole URL.
    pub url: String,
}

/// An address that is polled: what every page shows of it.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct HttpPollingSource {
    /// The address.
    pub url: String,
    /// The time from one poll to the next; none when it is asked at set times.
    pub interval_seconds: Option<i32>,
    /// The times at which it is asked.
    pub cron: Option<CronSchedule>,
}

/// The times at which a source is asked.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct CronSchedule {
    /// The cron expression.
    pub expression: String,
    /// Whose clock is meant.
    pub time_zone: String,
}

/// Another pipeline.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct PipelineSource {
    /// Which.
    pub pipeline_id: cynic::Id,
}

/// Files that people hand over.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct FileUploadSource {
    /// Where the name of a record is, if records have names.
    pub key_path: Option<String>,
}

/// Orders of a web shop that does not exist.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct DemoSource {
    /// What the data follows from.
    pub seed: i32,
}

/// One poll, or one batch of events.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Run {
    /// Its global id.
    pub id: cynic::Id,
    /// What started it.
    pub trigger: RunTrigger,
    /// How it ended.
    pub state: RunState,
    /// When it began.
    pub started_at: DateTime,
    /// When it ended.
    pub finished_at: DateTime,
    /// How long it took.
    pub duration_ms: i32,
    /// Records that came in.
    pub received: i32,
    /// Records that were stored.
    pub stored: i32,
    /// Records that were left out.
    pub dropped: i32,
    /// Records with an error.
    pub failed: i32,
    /// The size of what was stored.
    pub stored_bytes: f64,
    /// Why the run as a whole failed.
    pub error: Option<RunError>,
    /// The first records with an error.
    pub record_errors: Vec<RecordError>,
}

/// Why a run failed.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct RunError {
    /// The kind.
    pub code: RunErrorCode,
    /// What happened, with details.
    pub message: String,
}

/// Why a record was not stored.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The step, from 1; 0 is before the first.
    pub step: i32,
    /// The path of the value.
    pub path: String,
    /// The value, shortened.
    pub value: String,
    /// What is wrong with it.
    pub message: String,
    /// The record as it came in, as JSON text.
    pub received: String,
}

/// A run in the list of pipelines.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Run")]
pub struct LastRun {
    /// How it ended.
    pub state: RunState,
    /// When it ended.
    pub finished_at: DateTime,
    /// Records with an error.
    pub failed: i32,
    /// Why the run as a whole failed.
    pub error: Option<RunError>,
}

/// A stored record.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Record {
    /// Its global id.
    pub id: cynic::Id,
    /// Where it is in its pipeline.
    pub cursor: String,
    /// When it happened.
    pub time: DateTime,
    /// When Dash received it.
    pub received_at: DateTime,
    /// Its fields.
    pub fields: Json,
}

/// A page of runs.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct RunConnection {
    /// The runs, newest first.
    pub nodes: Vec<Run>,
    /// Where the page ends.
    pub page_info: PageInfo,
    /// How many there are in all.
    pub total_count: i32,
}

/// A page of records.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct RecordConnection {
    /// The records, newest first.
    pub nodes: Vec<Record>,
}

/// A pipeline in the list.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Pipeline")]
pub struct PipelineRow {
    /// Its global id.
    pub id: cynic::Id,
    /// What it is called.
    pub name: String,
    /// Whether it takes in data.
    pub state: PipelineState,
    /// Where its data comes from.
    pub source: Source,
    /// Records that are stored now.
    pub record_count: f64,
    /// Records in each of the last 60 minutes.
    pub throughput: Vec<i32>,
    /// Its last run.
    pub last_run: Option<LastRun>,
}

/// A page of the list.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "PipelineConnection")]
pub struct PipelineRows {
    /// The pipelines.
    pub nodes: Vec<PipelineRow>,
    /// Where the page ends.
    pub page_info: PageInfo,
    /// How many there are in all.
    pub total_count: i32,
}

/// Variables of [`ListQuery`].
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct ListVariables {
    /// How many.
    pub first: i32,
    /// The cursor of the page before.
    pub after: Option<String>,
}

/// Asks for a page of pipelines.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ListVariables")]
pub struct ListQuery {
    /// The page.
    #[arguments(first: $first, after: $after)]
    pub pipelines: PipelineRows,
}

/// A pipeline with all that its pages show, without its runs and records.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// Its global id.
    pub id: cynic::Id,
    /// What it is called.
    pub name: String,
    /// Whether it takes in data.
    pub state: PipelineState,
    /// Counts its changes.
    pub version: i32,
    /// Where its data comes from.
    pub source: Source,
    /// What is done with it.
    pub steps: Vec<Json>,
    /// The field that says when a record happened.
    pub time_field: Option<String>,
    /// Records that are stored now.
    pub record_count: f64,
    /// Their size.
    pub stored_bytes: f64,
    /// When the last one came.
    pub last_record_at: Option<DateTime>,
    /// Records in each of the last 60 minutes.
    pub throughput: Vec<i32>,
    /// How many days it keeps records, if that is less than the plan allows.
    pub retention_days: Option<i32>,
    /// Since when it fails.
    pub failing_since: Option<DateTime>,
    /// Why Dash paused it.
    pub paused_reason: Option<String>,
    /// When it is polled next.
    pub next_run_at: Option<DateTime>,
    /// When it was made.
    pub created_at: DateTime,
}

/// Variables of queries about one pipeline.
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct PipelineVariables {
    /// Which.
    pub id: cynic::Id,
}

/// Asks for a pipeline.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "PipelineVariables")]
pub struct PipelineQuery {
    /// It.
    #[arguments(id: $id)]
    pub pipeline: Pipeline,
}

/// What runs did in the minute before a moment.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct RecentActivity {
    /// Records that came in.
    pub received: i32,
    /// Records that were stored.
    pub stored: i32,
    /// The moment; runs that finished later are not counted.
    pub until: DateTime,
}

/// A pipeline's newest records and runs.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Pipeline")]
pub struct Activity {
    /// How many records are stored.
    pub record_count: f64,
    /// How many bytes they take.
    pub stored_bytes: f64,
    /// What came in during the last minute.
    pub last_minute: RecentActivity,
    /// The newest records.
    #[arguments(first: 20)]
    pub records: RecordConnection,
    /// The newest runs.
    #[arguments(first: 25)]
    pub runs: RunConnection,
}

/// Asks for what a pipeline did last.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "PipelineVariables")]
pub struct ActivityQuery {
    /// It.
    #[arguments(id: $id)]
    pub pipeline: Activity,
}

/// Variables of [`RunsQuery`].
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct RunsVariables {
    /// Whose.
    pub id: cynic::Id,
    /// How many.
    pub first: i32,
    /// The cursor of the page before.
    pub after: Option<String>,
}

/// The history of a pipeline.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Pipeline", variables = "RunsVariables")]
pub struct History {
    /// A page of it.
    #[arguments(first: $first, after: $after)]
    pub runs: RunConnection,
}

/// Asks for a page of the history.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "RunsVariables")]
pub struct RunsQuery {
    /// Whose.
    #[arguments(id: $id)]
    pub pipeline: History,
}

/// Variables of [`LiveRecords`].
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct LiveRecordsVariables {
    /// Whose.
    pub pipeline_id: cynic::Id,
    /// The cursor of the last batch that was seen.
    pub after: Option<String>,
}

/// Follows the records of a pipeline.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Subscription", variables = "LiveRecordsVariables")]
pub struct LiveRecords {
    /// What came in.
    #[arguments(pipelineId: $pipeline_id, after: $after)]
    pub pipeline_records: RecordBatch,
}

/// Records that were stored together.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
pub struct RecordBatch {
    /// Where to resume.
    pub cursor: String,
    /// The records.
    pub records: Vec<Record>,
}

/// Variables of [`LiveRuns`].
#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct LiveRunsVariables {
    /// Whose.
    pub pipeline_id: cynic::Id,
}

/// Follows the runs of a pipeline.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Subscription", variables = "LiveRunsVariables")]
pub struct LiveRuns {
    /// A run that just ended.
    #[arguments(pipelineId: $pipeline_id)]
    pub pipeline_runs: Run,
}

/// What a sink is doing.
#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkState {
    /// It sends.
    Enabled,
    /// It does not.
    Disabled,
    /// It tries, and its last deliveries failed.
    Failing,
}

/// What a sink did lately.
#[derive(cynic::QueryFragment, Clone, Copy, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "SinkCounts")]
pub struct CountsOfFlow {
    /// During the last hour.
    pub delivered_last_hour: i32,
    /// During the last 24 hours.
    pub delivered_last_day: i32,
}

/// A sink, as the picture of its pipeline has it.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Sink")]
pub struct SinkOfFlow {
    /// What it is called.
    pub name: String,
    /// What it is doing.
    pub state: SinkState,
    /// What it did lately.
    pub counts: CountsOfFlow,
}

/// The sinks of a pipeline, for its picture.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "PipelineVariables")]
pub struct SinksOfFlow {
    /// The pipeline.
    #[arguments(id: $id)]
    pub pipeline: PipelineOfFlow,
}

/// A pipeline's sinks.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Pipeline")]
pub struct PipelineOfFlow {
    /// The oldest first.
    pub sinks: Vec<SinkOfFlow>,
}

impl FieldType {
    /// The API's word for the shared type.
    pub const fn of(shared: dash_shared::fields::FieldType) -> Self {
        use dash_shared::fields::FieldType as Shared;
        match shared {
            Shared::Text => Self::Text,
            Shared::Number => Self::Number,
            Shared::Boolean => Self::Boolean,
            Shared::Time => Self::Time,
        }
    }
}

impl Pipeline {
    /// Its mapping steps as the shared transform engine runs them. The other kinds are read by the
    /// part of the program that edits them.
    pub fn shared_steps(&self) -> Vec<shared::Step> {
        self.steps
            .iter()
            .filter_map(|step| map_step(&step.0))
            .collect()
    }

    /// Records stored in the last full minute.
    pub fn per_minute(&self) -> i32 {
        let minutes = &self.throughput;
        let last_full = minutes.len().checked_sub(2).and_then(|at| minutes.get(at));
        let current = minutes.last();
        last_full.max(current).copied().unwrap_or(0)
    }
}

fn cast_of(word: &str) -> Option<dash_shared::fields::FieldType> {
    use dash_shared::fields::FieldType as Shared;
    match word {
        "text" => Some(Shared::Text),
        "number" => Some(Shared::Number),
        "boolean" => Some(Shared::Boolean),
        "time" => Some(Shared::Time),
        _ => None,
    }
}

fn map_step(document: &Value) -> Option<shared::Step> {
    let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
    if text(document, "kind")? != "map" {
        return None;
    }
    let field = |field: &Value| {
        Some(mapping::FieldMapping {
            from: text(field, "from")?.parse().ok()?,
            to: text(field, "to")?,
            cast: text(field, "cast").and_then(|word| cast_of(&word)),
        })
    };
    let fields = document.get("fields")?.as_array()?;
    Some(shared::Step {
        action: shared::Action::Map(mapping::MapStep {
            fields: fields.iter().filter_map(field).collect(),
            keep_rest: document.get("keep_rest").and_then(Value::as_bool) == Some(true),
        }),
        on_error: match text(document, "on_error").as_deref() {
            Some("drop") => shared::OnError::Drop,
            Some("keep") => shared::OnError::Keep,
            _ => shared::OnError::Fail,
        },
    })
}

impl Record {
    /// Its fields, as an object.
    pub fn object(&self) -> Fields {
        match &self.fields.0 {
            Value::Object(fields) => fields.clone(),
            _ => Fields::new(),
        }
    }
}
