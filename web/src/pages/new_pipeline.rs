//! Making a pipeline at `/pipelines/new/:kind?`: choose a source, then its own steps. The step is
//! in the address (`?step=`), what is entered lives here, so one can go back without losing it.

mod file;
mod polling;
mod stepper;
mod waiting;
mod webhook;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::home::doors::Doors;
use super::pipeline::map_draft::MapDraft;
use super::pipeline::polling_form::PollingDraft;
use super::pipeline::polling_source::HttpPollingSourceInput;
use super::pipeline::source_test::TestState;
use crate::api::FormErrors;
use crate::components::{Crumb, PageHead};
use crate::session::use_session;
use dash_shared::plans::Plan;
use stepper::{Step, Stepper};

/// What is entered, whichever step is seen.
#[derive(Clone, Copy, Debug)]
pub struct Draft {
    /// What the pipeline will be called.
    pub name: RwSignal<String>,
    /// The polled source.
    pub polling: PollingDraft,
    /// What the source answered.
    pub test: RwSignal<TestState>,
    /// The source that answered.
    pub tested: RwSignal<Option<HttpPollingSourceInput>>,
    /// The mapping.
    pub map: MapDraft,
    /// The source that the mapping was suggested for.
    pub mapped: RwSignal<Option<HttpPollingSourceInput>>,
    /// What is wrong with any of it.
    pub errors: FormErrors,
    /// The plan, which decides how often may be polled.
    pub plan: StoredValue<Plan>,
}

impl Draft {
    fn new() -> Self {
        let viewer = untrack(|| use_session().viewer());
        let plan = viewer.map_or(Plan::Free, |viewer| viewer.organization.plan.shared());
        Self {
            name: RwSignal::new(String::new()),
            polling: PollingDraft::new(plan),
            test: RwSignal::new(TestState::Idle),
            tested: RwSignal::new(None),
            map: MapDraft::new(),
            mapped: RwSignal::new(None),
            errors: FormErrors::new(),
            plan: StoredValue::new(plan),
        }
    }
}

/// The page.
#[component]
pub fn NewPipelinePage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let draft = Draft::new();
    let kind = Memo::new(move |_| params.with(|params| params.get("kind").unwrap_or_default()));
    let step = Memo::new(move |_| query.with(|query| query.get("step").unwrap_or_default()));
    let made = Memo::new(move |_| query.with(|query| query.get("id")));
    // Each kind's steps are one view, so that going from step to step keeps what is in it.
    let content = move || match kind.get().as_str() {
        "webhook" => view! { <webhook::WebhookSteps draft made/> }.into_any(),
        "file" => view! { <file::FileSteps draft made/> }.into_any(),
        "api" => view! { <polling::PollingSteps draft step/> }.into_any(),
        _ => view! { <Choose/> }.into_any(),
    };
    view! {
        <PageHead title="New pipeline" crumbs=vec![Crumb::new("Pipelines", "/pipelines")]/>
        <div class="page new-pipeline" data-testid="new-pipeline-page">{content}</div>
    }
}

#[component]
fn Choose() -> impl IntoView {
    let steps = vec![
        Step::now("Source"),
        Step::later("Connect"),
        Step::later("Map"),
        Step::later("Name"),
    ];
    view! {
        <Stepper steps/>
        <header class="step-head">
            <h2 class="headline">"Where does the data come from?"</h2>
            <p class="muted">"Everything but the kind of source can be changed later."</p>
        </header>
        <Doors/>
    }
}
