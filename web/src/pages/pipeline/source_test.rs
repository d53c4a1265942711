//! Asking a source once and showing what came: the real first records as a table and as JSON,
//! and other places in the answer that hold records.

use cynic::MutationBuilder;
use dash_shared::fields::{SampledField, sample_fields};
use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;

use super::acts::place_errors;
use super::mutations::{SourceTest, TestSource, TestSourceVariables};
use super::outcome::Preview;
use super::outcome_table::OutcomeTable;
use super::polling_form::PollingDraft;
use super::queries::{RunError, RunErrorCode};
use super::run_details::RunErrorView;
use super::words;
use crate::api::{self, FormErrors};
use crate::components::json_view::JsonView;
use crate::components::{Choice, Icon, Segmented, Skeleton, Tag, Tone, bind};
use crate::format::{duration, plural};

/// How many fields' types are shown.
const SHOWN_TYPES: usize = 12;

/// How far a test is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TestState {
    /// Not asked yet.
    #[default]
    Idle,
    /// Asked, no answer yet.
    Running,
    /// This came.
    Done(SourceTest),
    /// Nothing usable came.
    Failed(RunError),
}

impl TestState {
    /// The records that came.
    pub fn records(&self) -> Vec<Value> {
        match self {
            Self::Done(test) => test.records.iter().map(|record| record.0.clone()).collect(),
            _ => Vec::new(),
        }
    }

    /// The fields of the records that came.
    pub fn fields(&self) -> Vec<SampledField> {
        let records = self.records();
        sample_fields(records.iter().filter_map(Value::as_object))
    }
}

/// Asks the source that is being entered, with the saved header values of `pipeline_id` where the
/// draft leaves them as they are. The path that was used is written into the draft.
pub fn test_source(
    draft: PollingDraft,
    pipeline_id: Option<cynic::Id>,
    state: RwSignal<TestState>,
    errors: FormErrors,
) {
    let mut source = untrack(|| draft.input());
    // An empty path asks the server to look for the records.
    let path = draft.records_path.get_untracked();
    path.trim().clone_into(&mut source.records_path);
    let variables = TestSourceVariables {
        source: Some(source),
        pipeline_id,
    };
    state.set(TestState::Running);
    spawn_local(async move {
        match api::run(TestSource::build(variables)).await {
            Ok(answer) => {
                let payload = answer.test_source;
                let refused = place_errors(errors, &payload.user_errors);
                state.set(match (payload.result, payload.error) {
                    (Some(result), _) if !refused => {
                        draft.records_path.set(result.records_path.clone());
                        TestState::Done(result)
                    }
                    (_, Some(error)) => TestState::Failed(error),
                    _ => TestState::Idle,
                });
            }
            Err(error) => {
                errors.set_api_error(&error);
                state.set(TestState::Idle);
            }
        }
    });
}

/// The first records that a saved source answers now; or why there are none, in a sentence.
pub async fn fetch_records(pipeline_id: cynic::Id) -> Result<Vec<Value>, String> {
    let variables = TestSourceVariables {
        source: None,
        pipeline_id: Some(pipeline_id),
    };
    let answer = api::run(TestSource::build(variables)).await;
    let payload = answer.map_err(|error| error.message)?.test_source;
    if let Some(problem) = payload.user_errors.into_iter().next() {
        return Err(problem.message);
    }
    match (payload.result, payload.error) {
        (Some(result), _) => Ok(result.records.into_iter().map(|record| record.0).collect()),
        (None, Some(error)) => Err(error.message),
        (None, None) => Err("The API did not answer.".to_owned()),
    }
}

/// What a test brought.
#[component]
pub fn TestResult(
    /// How far it is.
    state: RwSignal<TestState>,
    /// The source that was tested.
    draft: PollingDraft,
    /// Tests again, after another place was chosen.
    on_again: Callback<()>,
) -> impl IntoView {
    let choose = Callback::new(move |path: String| {
        draft.records_path.set(path);
        on_again.run(());
    });
    move || match state.get() {
        TestState::Idle => ().into_any(),
        TestState::Running => view! {
            <div class="test-result" aria-busy="true" data-testid="test-running">
                <p class="small muted">"Asking the API…"</p>
                <Skeleton height="160px"/>
            </div>
        }
        .into_any(),
        TestState::Failed(error) => {
            let shows_root = error.code == RunErrorCode::NoRecords
                && draft.records_path.with_untracked(|path| path != "$");
            view! {
                <div class="test-result" data-testid="test-failed">
                    <RunErrorView error/>
                    {shows_root.then(|| view! {
                        <button type="button" class="link small" on:click=move |_| choose.run("$".to_owned())>
                            "Look at the whole answer"
                        </button>
                    })}
                </div>
            }
            .into_any()
        }
        TestState::Done(test) => view! { <Records test choose/> }.into_any(),
    }
}

#[component]
fn Records(test: SourceTest, choose: Callback<String>) -> impl IntoView {
    let records: Vec<Value> = test.records.iter().map(|record| record.0.clone()).collect();
    let shown = RwSignal::new("table".to_owned());
    let preview = Preview::of(&[], &records);
    let fact = format!(
        "{} · {} · {} at ",
        test.status,
        duration(test.duration_ms.into()),
        plural(test.record_count.into(), "record", "records"),
    );
    let types = types_of(&records);
    let more = test.has_more_pages.then(|| {
        view! { <p class="small muted" data-testid="more-pages">"More pages follow; a run reads them too."</p> }
    });
    let mut others = test.records_path_candidates;
    if !others.iter().any(|path| path == "$") {
        others.push("$".to_owned());
    }
    others.retain(|path| *path != test.records_path);
    let others = (!others.is_empty()).then(|| {
        let buttons = others
            .into_iter()
            .map(|path| {
                let label = if path == "$" { "the whole answer".to_owned() } else { path.clone() };
                view! {
                    <button type="button" class="chip mono" on:click=move |_| choose.run(path.clone())>{label}</button>
                }
            })
            .collect_view();
        view! {
            <p class="row wrap small" data-testid="path-candidates">
                <span class="muted">"Other places"</span> {buttons}
            </p>
        }
    });
    let content = move || {
        if shown.get() == "json" {
            let all = Value::Array(records.clone());
            view! { <div class="json-box"><JsonView value=all label="The first records"/></div> }
                .into_any()
        } else {
            view! { <OutcomeTable preview=Signal::stored(preview.clone()) plain=true/> }.into_any()
        }
    };
    view! {
        <div class="test-result" data-testid="test-done">
            <div class="row spread">
                <p class="row small">
                    <Tag tone=Tone::Ok icon=Icon::Check>"connected"</Tag>
                    <span class="num muted">{fact}<code>{test.records_path}</code></span>
                </p>
                <Segmented
                    label="Show as"
                    choices=vec![
                        Choice::new("table", "Table").icon(Icon::Table),
                        Choice::new("json", "JSON").icon(Icon::Code),
                    ]
                    value=shown
                    on_change=bind(shown)
                />
            </div>
            {others}
            {more}
            {types}
            {content}
        </div>
    }
    .into_any()
}

/// The fields of the records with the types that fit, as chips.
fn types_of(records: &[Value]) -> AnyView {
    let fields = sample_fields(records.iter().filter_map(Value::as_object));
    let chips = fields
        .into_iter()
        .take(SHOWN_TYPES)
        .map(|field| {
            let name = words::shared_type_name(field.field_type);
            view! {
                <span class="chip"><code>{field.path.to_string()}</code> <span class="muted">{name}</span></span>
            }
        })
        .collect_view();
    view! { <p class="row wrap small" data-testid="test-types">{chips}</p> }.into_any()
}
