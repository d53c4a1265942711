//! A polled pipeline: connect and test, map what was found, name it and go.

use cynic::MutationBuilder;
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::Draft;
use super::stepper::{Step, Stepper};
use crate::api;
use crate::components::{
    Button, ButtonKind, ButtonLink, ButtonSize, Card, Field, FormError, Icon, Input, use_toasts,
};
use crate::pages::pipeline::acts::{place_errors, suggest_dashboard};
use crate::pages::pipeline::map_section::{MAX_SAMPLE, MapSection, PreviewCard};
use crate::pages::pipeline::mapping_table::MappingRules;
use crate::pages::pipeline::mutations::{
    CreatePipeline, CreatePipelineInput, CreatePipelineVariables, SourceInput, map_steps,
};
use crate::pages::pipeline::outcome::Preview;
use crate::pages::pipeline::polling_form::{PollingFields, is_shown};
use crate::pages::pipeline::polling_source::HttpPollingSourceInput;
use crate::pages::pipeline::source_test::{TestResult, TestState, test_source};
use crate::pages::pipeline::words;
use crate::session::use_session;

const CONNECT: &str = "/pipelines/new/api";
const MAP: &str = "/pipelines/new/api?step=map";
const NAME: &str = "/pipelines/new/api?step=name";

/// The steps.
#[component]
pub fn PollingSteps(
    /// What is entered.
    draft: Draft,
    /// The step in the address.
    step: Memo<String>,
) -> impl IntoView {
    // Without a test that worked there is nothing to map: a reload begins again.
    let seen = Memo::new(move |_| match step.get().as_str() {
        "map" if draft.is_tested() => "map",
        "name" if draft.is_tested() => "name",
        _ => "connect",
    });
    let steps = Signal::derive(move || {
        let source = Step::done("Source", "/pipelines/new");
        match seen.get() {
            "map" => vec![
                source,
                Step::done("Connect", CONNECT),
                Step::now("Map"),
                Step::later("Name"),
            ],
            "name" => vec![
                source,
                Step::done("Connect", CONNECT),
                Step::done("Map", MAP),
                Step::now("Name"),
            ],
            _ => vec![
                source,
                Step::now("Connect"),
                Step::later("Map"),
                Step::later("Name"),
            ],
        }
    });
    view! {
        <Stepper steps/>
        {move || match seen.get() {
            "map" => view! { <MapStep draft/> }.into_any(),
            "name" => view! { <NameStep draft/> }.into_any(),
            _ => view! { <ConnectStep draft/> }.into_any(),
        }}
    }
}

impl Draft {
    /// Whether the source answered; tracked.
    fn is_tested(self) -> bool {
        self.test.with(|test| matches!(test, TestState::Done(_)))
    }

    /// Whether what answered is what is entered now; the interval does not matter. Tracked.
    fn is_test_current(self) -> bool {
        let input = self.polling.input();
        self.is_tested()
            && self
                .tested
                .with(|tested| tested.as_ref().is_some_and(|tested| same(tested, &input)))
    }

    /// Suggests a mapping, unless it was suggested for the same source already.
    fn suggest_mapping(self) {
        let tested = self.tested.get_untracked();
        if self.mapped.get_untracked() != tested {
            self.map
                .suggest(&self.test.with_untracked(TestState::fields));
            self.mapped.set(tested);
        }
    }
}

fn same(a: &HttpPollingSourceInput, b: &HttpPollingSourceInput) -> bool {
    let without_times = |input: &HttpPollingSourceInput| HttpPollingSourceInput {
        interval_seconds: None,
        cron: None,
        ..input.clone()
    };
    without_times(a) == without_times(b)
}

#[component]
fn ConnectStep(draft: Draft) -> impl IntoView {
    let Draft {
        polling,
        test,
        tested,
        errors,
        ..
    } = draft;
    let plan = draft.plan.get_value();
    let navigate = use_navigate();
    let run_test = Callback::new(move |()| {
        if polling.check(plan, errors) {
            test_source(polling, None, test, errors);
        }
    });
    // The path that was used is in the draft by the time the test is done.
    Effect::new(move || {
        if draft.is_tested() {
            tested.set(Some(untrack(|| polling.input())));
        }
    });
    let is_testing = Signal::derive(move || test.with(|test| *test == TestState::Running));
    let is_current = Memo::new(move |_| draft.is_test_current());
    let go_on = move || {
        // The interval may have changed since the test.
        if polling.check(plan, errors) {
            draft.suggest_mapping();
            navigate(MAP, NavigateOptions::default());
        }
    };
    let submit = {
        let go_on = go_on.clone();
        move |event: web_sys::SubmitEvent| {
            event.prevent_default();
            if is_current.get_untracked() {
                go_on();
            } else if !is_testing.get_untracked() {
                run_test.run(());
            }
        }
    };
    view! {
        <div class="step-body wide">
            <header class="step-head">
                <h2 class="headline">"Connect the API"</h2>
                <p class="muted">"Dash asks it as often as you choose and stores what it answers."</p>
            </header>
            <form class="source-columns" novalidate on:submit=submit>
                <Card>
                    <div class="stack">
                        <FormError error=errors.other_than(is_shown)/>
                        <PollingFields draft=polling plan test errors autofocus=true/>
                        <div class="row step-acts">
                            <ButtonLink href="/pipelines/new" size=ButtonSize::Large>"Back"</ButtonLink>
                            <Show
                                when=move || is_current.get()
                                fallback=move || view! {
                                    <Button
                                        kind=ButtonKind::Primary
                                        size=ButtonSize::Large
                                        submit=true
                                        busy=is_testing
                                        test_id="test-source"
                                    >
                                        "Test connection"
                                    </Button>
                                }
                            >
                                <Button kind=ButtonKind::Primary size=ButtonSize::Large submit=true test_id="continue">
                                    "Continue"
                                </Button>
                            </Show>
                        </div>
                    </div>
                </Card>
                <Card title="What it answers" class="answers">
                    <Show when=move || test.with(|test| *test == TestState::Idle)>
                        <p class="muted small">
                            "The test asks the API once and shows its real first records here. Nothing is stored yet."
                        </p>
                    </Show>
                    <div class:stale=move || draft.is_tested() && !is_current.get()>
                        <TestResult state=test draft=polling on_again=run_test/>
                    </div>
                </Card>
            </form>
        </div>
    }
    .into_any()
}

#[component]
fn MapStep(draft: Draft) -> impl IntoView {
    let Draft {
        map, errors, test, ..
    } = draft;
    draft.suggest_mapping();
    let sample = Signal::derive(move || {
        let mut records = test.with(TestState::records);
        records.truncate(MAX_SAMPLE);
        records
    });
    let steps = Memo::new(move |_| map.preview());
    let preview = Memo::new(move |_| sample.with(|sample| Preview::of(&steps.get(), sample)));
    let navigate = use_navigate();
    let go_on = move || {
        errors.clear();
        match untrack(|| map.steps()) {
            Ok(_) => navigate(NAME, NavigateOptions::default()),
            Err(problems) => {
                for problem in &problems {
                    errors.add_invalid(problem);
                }
            }
        }
    };
    view! {
        <div class="step-body full">
            <header class="step-head">
                <h2 class="headline">"Choose the fields"</h2>
                <p class="muted">"Suggested from the data: names, types and time. Change what you like; it can be changed later too."</p>
            </header>
            <form
                class="stack"
                novalidate
                on:submit=move |event| {
                    event.prevent_default();
                    go_on();
                }
            >
                <FormError error=errors.other_than(|at| at == "timeField" || at.starts_with("steps.0.fields"))/>
                <Card title="Fields">
                    <MapSection draft=map sample errors/>
                    <MappingRules draft=map errors/>
                </Card>
                <PreviewCard preview sample/>
                <div class="row step-acts">
                    <ButtonLink href=CONNECT.to_owned() size=ButtonSize::Large test_id="back">"Back"</ButtonLink>
                    <Button kind=ButtonKind::Primary size=ButtonSize::Large submit=true test_id="continue">"Continue"</Button>
                </div>
            </form>
        </div>
    }
    .into_any()
}

#[component]
fn NameStep(draft: Draft) -> impl IntoView {
    let Draft { name, errors, .. } = draft;
    if name.with_untracked(String::is_empty) {
        name.set(suggest_name(&draft.polling.url.get_untracked()));
    }
    let busy = RwSignal::new(None::<bool>);
    let (session, navigate, toasts) = (use_session(), use_navigate(), use_toasts());
    let create = move |with_dashboard: bool| {
        let Some(input) = complete(draft) else {
            return;
        };
        let navigate = navigate.clone();
        busy.set(Some(with_dashboard));
        spawn_local(async move {
            match api::run(CreatePipeline::build(CreatePipelineVariables { input })).await {
                Ok(answer) => {
                    let payload = answer.create_pipeline;
                    if place_errors(errors, &payload.user_errors) {
                        let first = payload
                            .user_errors
                            .first()
                            .and_then(|error| error.field.as_deref());
                        if let Some(step) = first.and_then(step_of) {
                            navigate(step, NavigateOptions::default());
                        }
                    }
                    if let Some(pipeline) = payload.pipeline {
                        session.refresh_directory();
                        let dashboard = if with_dashboard {
                            suggest_dashboard(pipeline.id.clone(), &pipeline.name, toasts).await
                        } else {
                            None
                        };
                        let path = dashboard.map_or_else(
                            || format!("/pipelines/{}", pipeline.id.inner()),
                            |id| format!("/dashboards/{id}"),
                        );
                        session.refresh_directory();
                        let options = NavigateOptions {
                            replace: true,
                            ..Default::default()
                        };
                        navigate(&path, options);
                    }
                }
                Err(error) => errors.set_api_error(&error),
            }
            busy.set(None);
        });
    };
    let submit = create.clone();
    let facts = move || {
        let input = draft.polling.input();
        let when = match (input.cron, input.interval_seconds) {
            (Some(cron), _) => format!("at {}", cron.expression),
            (None, seconds) => format!("every {}", words::interval(seconds.unwrap_or_default())),
        };
        let mapped = draft.map.on_rows().len();
        let host = words::host(&draft.polling.url.get());
        match mapped {
            0 => format!("{host} is asked {when}; records are stored as they are."),
            1 => format!("{host} is asked {when}; 1 field is mapped."),
            count => format!("{host} is asked {when}; {count} fields are mapped."),
        }
    };
    view! {
        <div class="step-body">
            <header class="step-head">
                <h2 class="headline">"Name it and go"</h2>
                <p class="muted">{facts}</p>
            </header>
            <Card>
                <form
                    class="stack"
                    novalidate
                    on:submit=move |event| {
                        event.prevent_default();
                        submit(true);
                    }
                >
                    <FormError error=errors.other(&["name"])/>
                    <Field label="Name" error=errors.field("name")>
                        <Input
                            value=name
                            on_input=Callback::new(move |text| {
                                errors.clear_field("name");
                                name.set(text);
                            })
                            autofocus=true
                            test_id="pipeline-name"
                        />
                    </Field>
                    <div class="row step-acts">
                        <ButtonLink href=MAP.to_owned() size=ButtonSize::Large test_id="back">"Back"</ButtonLink>
                        <span class="grow"></span>
                        <Button
                            size=ButtonSize::Large
                            busy=Signal::derive(move || busy.get() == Some(false))
                            on_click=move || create(false)
                            test_id="create-pipeline"
                        >
                            "Create pipeline"
                        </Button>
                        <Button
                            kind=ButtonKind::Primary
                            size=ButtonSize::Large
                            icon=Icon::Dashboards
                            submit=true
                            busy=Signal::derive(move || busy.get() == Some(true))
                            test_id="create-with-dashboard"
                        >
                            "Create and make a dashboard"
                        </Button>
                    </div>
                </form>
            </Card>
        </div>
    }
    .into_any()
}

/// The whole input, or none when something in it is wrong, which is shown.
fn complete(draft: Draft) -> Option<CreatePipelineInput> {
    let errors = draft.errors;
    errors.clear();
    let name = dash_shared::check_name("name", "pipeline", &draft.name.get_untracked())
        .map_err(|invalid| errors.add_invalid(&invalid))
        .ok()?;
    let steps = untrack(|| draft.map.steps())
        .map_err(|problems| {
            for problem in &problems {
                errors.add_invalid(problem);
            }
        })
        .ok()?;
    Some(CreatePipelineInput {
        name,
        source: SourceInput::HttpPolling(Box::new(untrack(|| draft.polling.input()))),
        steps: map_steps(&steps),
        time_field: draft.map.time_field.get_untracked(),
    })
}

/// The step that shows an error at this path, unless it is this one.
fn step_of(field: &[String]) -> Option<&'static str> {
    let mut names = field
        .iter()
        .map(String::as_str)
        .skip_while(|name| *name == "input");
    match names.next()? {
        "source" => Some(CONNECT),
        "steps" | "timeField" => Some(MAP),
        _ => None,
    }
}

/// A name for what is at an address: `https://api.example.com/v1/orders` is `example.com orders`.
fn suggest_name(url: &str) -> String {
    let host = words::host(url);
    let host = host
        .strip_prefix("api.")
        .or_else(|| host.strip_prefix("www."))
        .unwrap_or(&host);
    let host = host.split(':').next().unwrap_or(host);
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let last = path
        .split('/')
        .skip(1)
        .filter(|part| !part.is_empty())
        .last();
    let last = last
        .and_then(|part| part.split('.').next())
        .unwrap_or_default();
    format!("{host} {}", last.replace(['_', '-'], " "))
        .trim()
        .to_owned()
}
