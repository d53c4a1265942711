//! The form of a polled source: address, interval, headers, path to the records. Used for new
//! pipelines and for the tab “Source”.

use dash_shared::plans::{Plan, duration_text};
use dash_shared::sources::HttpPolling;
use leptos::prelude::*;

use super::mutations::{HeaderInput, HttpPollingSourceInput};
use super::queries::HttpPollingSource;
use crate::api::FormErrors;
use crate::components::header_editor::{HeaderDraft, HeaderEditor};
use crate::components::{Field, Icon, IconView, Input, unique_id};

/// The intervals to choose from, in seconds.
const INTERVALS: [u32; 9] = [1, 10, 60, 300, 900, 3_600, 21_600, 43_200, 86_400];
/// The errors that the form shows itself.
pub const SHOWN_ERRORS: &[&str] = &["url", "intervalSeconds", "recordsPath"];

/// What is being entered.
#[derive(Clone, Copy, Debug)]
pub struct PollingDraft {
    /// The address.
    pub url: RwSignal<String>,
    /// The time from one poll to the next.
    pub interval_seconds: RwSignal<u32>,
    /// What is sent along.
    pub headers: HeaderDraft,
    /// Where the records are.
    pub records_path: RwSignal<String>,
}

impl PollingDraft {
    /// An empty form; polls as often as suits most, if the plan allows it.
    pub fn new(plan: Plan) -> Self {
        let shortest = plan.limits().shortest_polling_interval_seconds;
        Self {
            url: RwSignal::new(String::new()),
            interval_seconds: RwSignal::new(shortest.max(300)),
            headers: HeaderDraft::new(),
            records_path: RwSignal::new(String::new()),
        }
    }

    /// Starts again from what is saved.
    pub fn load(self, source: &HttpPollingSource) {
        self.url.set(source.url.clone());
        self.interval_seconds
            .set(u32::try_from(source.interval_seconds).unwrap_or(900));
        self.headers.load(&source.header_names);
        self.records_path.set(source.records_path.clone());
    }

    /// What to send to the API; tracked.
    pub fn input(self) -> HttpPollingSourceInput {
        let header = |(name, value)| HeaderInput { name, value };
        HttpPollingSourceInput {
            url: self.url.get().trim().to_owned(),
            interval_seconds: i32::try_from(self.interval_seconds.get()).unwrap_or(i32::MAX),
            headers: self.headers.values().into_iter().map(header).collect(),
            records_path: path_or_root(&self.records_path.get()),
        }
    }

    /// Whether it differs from what is saved; tracked.
    pub fn differs(self, saved: &HttpPollingSource) -> bool {
        let input = self.input();
        let names: Vec<&String> = input.headers.iter().map(|header| &header.name).collect();
        let saved_names: Vec<&String> = saved.header_names.iter().collect();
        input.url != saved.url
            || input.interval_seconds != saved.interval_seconds
            || input.records_path != saved.records_path
            || names != saved_names
            || input.headers.iter().any(|header| header.value.is_some())
    }

    /// Checks it with the shared rules; whether it may be sent.
    pub fn check(self, plan: Plan, errors: FormErrors) -> bool {
        let input = untrack(|| self.input());
        let polling = HttpPolling {
            url: input.url,
            interval_seconds: self.interval_seconds.get_untracked(),
            header_names: input
                .headers
                .into_iter()
                .map(|header| header.name)
                .collect(),
            records_path: input.records_path,
        };
        let problems = polling.check(plan);
        errors.clear();
        for problem in &problems {
            errors.add_invalid(problem);
        }
        problems.is_empty()
    }
}

fn path_or_root(path: &str) -> String {
    match path.trim() {
        "" => "$".to_owned(),
        path => path.to_owned(),
    }
}

/// The form's fields, without buttons.
#[component]
pub fn PollingFields(
    /// What is being entered.
    draft: PollingDraft,
    /// The plan that decides which intervals there are.
    plan: Plan,
    /// What is wrong with it.
    errors: FormErrors,
    /// Whether the address has the keyboard when the form appears.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let edit = move |field: &'static str, signal: RwSignal<String>| {
        Callback::new(move |text| {
            errors.clear_field(field);
            signal.set(text);
        })
    };
    view! {
        <Field label="Address" error=errors.field("url") hint="An address that answers GET requests with JSON or CSV.">
            <Input
                value=draft.url
                on_input=edit("url", draft.url)
                kind="url"
                mono=true
                autofocus
                placeholder="https://api.example.com/orders"
                test_id="polling-url"
            />
        </Field>
        <IntervalPicker draft plan error=errors.field("intervalSeconds")/>
        <HeaderEditor draft=draft.headers errors/>
        <Field
            label="Where the records are"
            error=errors.field("recordsPath")
            hint="A JSONPath: $ is the whole answer or the lines of a CSV, $.data a list inside it. Left empty, the test finds the longest list."
        >
            <Input
                value=draft.records_path
                on_input=edit("recordsPath", draft.records_path)
                mono=true
                placeholder="found by the test"
                test_id="records-path"
            />
        </Field>
    }
    .into_any()
}

/// The intervals; those the plan does not include name the plan that does.
#[component]
fn IntervalPicker(draft: PollingDraft, plan: Plan, error: Signal<Option<String>>) -> impl IntoView {
    let group = unique_id("interval");
    let chosen = draft.interval_seconds;
    let saved = chosen.get_untracked();
    let mut intervals = INTERVALS.to_vec();
    if !intervals.contains(&saved) {
        intervals.push(saved);
        intervals.sort_unstable();
    }
    let choices = intervals
        .into_iter()
        .map(|seconds| {
            let allowing = Plan::ALL
                .into_iter()
                .find(|plan| plan.limits().shortest_polling_interval_seconds <= seconds);
            let allowed = plan.check_polling_interval(seconds).is_ok();
            let badge = allowing.filter(|_| !allowed).map(Plan::name);
            view! {
                <label class="interval" class:locked=!allowed title=badge.map(|name| format!("Included in {name}"))>
                    <input
                        type="radio"
                        name=group.clone()
                        value=seconds
                        disabled=!allowed
                        prop:checked=move || chosen.get() == seconds
                        on:change=move |_| chosen.set(seconds)
                    />
                    <span>{duration_text(seconds)}{badge.map(|name| view! { <span class="tag">{name}</span> })}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <div class="field">
            <span class="field-label">"Ask every"</span>
            <div class="intervals" role="radiogroup" aria-label="Ask every" data-testid="intervals">{choices}</div>
            {move || error.get().map(|message| view! {
                <p class="field-error"><IconView icon=Icon::Alert/><span>{message}</span></p>
            })}
        </div>
    }
    .into_any()
}
