//! The form of a polled source: address, interval, headers, path to the records; and behind one
//! button, fetched when it is pressed, all that few sources need. Used for new pipelines and for the
//! tab “Source”.

use dash_shared::plans::{Plan, duration_text};
use dash_shared::sources::HttpPolling;
use dash_shared::sources::polling::{MAX_PAGES, Schedule};
use leptos::prelude::*;

use super::polling_source::{
    AnswerFormat, CronScheduleInput, CursorPick, CursorPlace, HeaderInput, HttpPollingSourceInput,
    PaginationInput, PaginationKind, PollAuthInput, PollAuthKind, PollCursorInput, PollMethod,
    QueryParameterInput, RequestBodyInput, SavedSource,
};
use super::source_test::TestState;
use crate::api::FormErrors;
use crate::components::header_editor::{HeaderDraft, HeaderEditor};
use crate::components::{Button, ButtonSize, Field, Icon, IconView, Input, Skeleton, unique_id};
use crate::format::time_zone;
use crate::parts;

/// The intervals to choose from, in seconds.
const INTERVALS: [u32; 9] = [1, 10, 60, 300, 900, 3_600, 21_600, 43_200, 86_400];
/// What the fields' errors begin with that the form shows itself.
const SHOWN_ERRORS: [&str; 4] = ["url", "intervalSeconds", "recordsPath", "headers"];
/// What those begin with that it shows behind the button.
const MORE_ERRORS: [&str; 9] = [
    "method",
    "query",
    "body",
    "auth",
    "cron",
    "pagination",
    "maxPages",
    "cursor",
    "keyField",
];

/// Whether the form shows an error at this place.
pub fn is_shown(at: &str) -> bool {
    let first = at.split('.').next().unwrap_or(at);
    SHOWN_ERRORS.contains(&first) || MORE_ERRORS.contains(&first)
}

/// What few sources need.
#[derive(Clone, Debug, PartialEq)]
pub struct More {
    /// The method.
    pub method: PollMethod,
    /// The query parameters, `name=value` on each line.
    pub query: String,
    /// The body of a POST.
    pub body: RequestBodyInput,
    /// Who asks.
    pub auth: PollAuthInput,
    /// The kind of authentication whose secret is saved.
    pub saved_auth: PollAuthKind,
    /// How the answer is written.
    pub format: AnswerFormat,
    /// How it goes on.
    pub pagination: PaginationInput,
    /// How many pages a run reads.
    pub max_pages: i32,
    /// Where the next run goes on, if it does.
    pub cursor: PollCursorInput,
    /// Whether it does.
    pub has_cursor: bool,
    /// The field that names a record.
    pub key_field: String,
    /// The set times.
    pub cron: CronScheduleInput,
    /// Whether it is polled at set times.
    pub is_cron: bool,
}

impl More {
    fn new() -> Self {
        Self {
            method: PollMethod::Get,
            query: String::new(),
            body: RequestBodyInput {
                content_type: "application/json".to_owned(),
                text: String::new(),
            },
            auth: PollAuthInput {
                kind: PollAuthKind::None,
                secret: None,
                user_name: None,
                place: None,
                name: None,
                token_url: None,
                client_id: None,
                scope: None,
                audience: None,
                client_place: None,
            },
            saved_auth: PollAuthKind::None,
            format: AnswerFormat::Auto,
            pagination: PaginationInput {
                kind: PaginationKind::None,
                parameter: None,
                first: None,
                size_parameter: None,
                size: None,
                path: None,
            },
            max_pages: i32::try_from(MAX_PAGES).unwrap_or(i32::MAX),
            cursor: PollCursorInput {
                place: CursorPlace::Records,
                path: String::new(),
                pick: CursorPick::Highest,
                initial: None,
            },
            has_cursor: false,
            key_field: String::new(),
            cron: CronScheduleInput {
                expression: String::new(),
                time_zone: time_zone(),
            },
            is_cron: false,
        }
    }

    fn of(source: &SavedSource) -> Self {
        let mut more = Self::new();
        more.method = source.method;
        let lines = source.query.iter();
        let lines = lines.map(|parameter| format!("{}={}", parameter.name, parameter.value));
        more.query = lines.collect::<Vec<_>>().join("\n");
        if let Some(body) = &source.body {
            more.body.content_type.clone_from(&body.content_type);
            more.body.text.clone_from(&body.text);
        }
        let auth = source.auth.clone();
        more.saved_auth = auth.kind;
        more.auth = PollAuthInput {
            kind: auth.kind,
            secret: None,
            user_name: auth.user_name,
            place: auth.place,
            name: auth.name,
            token_url: auth.token_url,
            client_id: auth.client_id,
            scope: auth.scope,
            audience: auth.audience,
            client_place: auth.client_place,
        };
        more.format = source.format;
        let pagination = source.pagination.clone();
        more.pagination = PaginationInput {
            kind: pagination.kind,
            parameter: pagination.parameter,
            first: pagination.first,
            size_parameter: pagination.size_parameter,
            size: pagination.size,
            path: pagination.path,
        };
        more.max_pages = source.max_pages;
        if let Some(cursor) = source.cursor.clone() {
            more.has_cursor = true;
            more.cursor = PollCursorInput {
                place: cursor.place,
                path: cursor.path,
                pick: cursor.pick,
                initial: cursor.initial,
            };
        }
        more.key_field = source.key_field.clone().unwrap_or_default();
        if let Some(cron) = source.cron.clone() {
            more.is_cron = true;
            more.cron = CronScheduleInput {
                expression: cron.expression,
                time_zone: cron.time_zone,
            };
        }
        more
    }

    fn parameters(&self) -> Vec<QueryParameterInput> {
        let lines = self.query.lines().filter(|line| !line.trim().is_empty());
        let parameter = |line: &str| {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            QueryParameterInput {
                name: name.trim().to_owned(),
                value: value.to_owned(),
            }
        };
        lines.map(parameter).collect()
    }
}

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
    /// What few sources need.
    pub more: RwSignal<More>,
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
            more: RwSignal::new(More::new()),
        }
    }

    /// Starts again from what is saved.
    pub fn load(self, source: &SavedSource) {
        self.url.set(source.url.clone());
        let interval = source.interval_seconds.and_then(|s| u32::try_from(s).ok());
        if let Some(seconds) = interval {
            self.interval_seconds.set(seconds);
        }
        self.headers.load(&source.header_names);
        self.records_path.set(source.records_path.clone());
        self.more.set(More::of(source));
    }

    /// What to send to the API; tracked.
    pub fn input(self) -> HttpPollingSourceInput {
        let header = |(name, value)| HeaderInput { name, value };
        let more = self.more.get();
        let interval = i32::try_from(self.interval_seconds.get()).unwrap_or(i32::MAX);
        HttpPollingSourceInput {
            url: self.url.get().trim().to_owned(),
            method: more.method,
            query: more.parameters(),
            headers: self.headers.values().into_iter().map(header).collect(),
            body: Some(more.body)
                .filter(|body| more.method == PollMethod::Post && !body.text.is_empty()),
            auth: Some(more.auth).filter(|auth| auth.kind != PollAuthKind::None),
            interval_seconds: Some(interval).filter(|_| !more.is_cron),
            cron: Some(more.cron).filter(|_| more.is_cron),
            format: more.format,
            records_path: path_or_root(&self.records_path.get()),
            pagination: Some(more.pagination)
                .filter(|pagination| pagination.kind != PaginationKind::None),
            max_pages: more.max_pages,
            cursor: Some(more.cursor).filter(|_| more.has_cursor),
            key_field: Some(more.key_field).filter(|field| !field.trim().is_empty()),
        }
    }

    /// Checks what every source has with the shared rules; the server checks the rest. Returns
    /// whether it may be sent.
    pub fn check(self, plan: Plan, errors: FormErrors) -> bool {
        let input = untrack(|| self.input());
        // The server knows the times of a cron expression.
        let interval_seconds = self.interval_seconds.get_untracked();
        let mut polling = HttpPolling::get(input.url, Schedule::Every { interval_seconds });
        let names = input.headers.into_iter().map(|header| header.name);
        polling.header_names = names.collect();
        polling.records_path = input.records_path;
        let mut problems = polling.check(plan);
        problems.retain(|problem| {
            let first = problem.field.first().map_or("", String::as_str);
            SHOWN_ERRORS.contains(&first)
                && !(first == "intervalSeconds" && input.interval_seconds.is_none())
        });
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
    /// What the source answered, if it was tested.
    test: RwSignal<TestState>,
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
    let is_cron = Memo::new(move |_| draft.more.with(|more| more.is_cron));
    view! {
        <Field label="Address" error=errors.field("url") hint="An address that answers with JSON, NDJSON or CSV.">
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
        <Show when=move || !is_cron.get()>
            <IntervalPicker draft plan error=errors.field("intervalSeconds")/>
        </Show>
        <HeaderEditor draft=draft.headers errors/>
        <Field
            label="Where the records are"
            error=errors.field("recordsPath")
            hint="A JSONPath: $ is the whole answer or its lines, $.data a list inside it. Left empty, the test finds the longest list."
        >
            <Input
                value=draft.records_path
                on_input=edit("recordsPath", draft.records_path)
                mono=true
                placeholder="found by the test"
                test_id="records-path"
            />
        </Field>
        <MoreFields draft test errors/>
    }
    .into_any()
}

/// The button that fetches the rest of the form; it is there at once if something of it is used, or
/// is wrong.
#[component]
fn MoreFields(draft: PollingDraft, test: RwSignal<TestState>, errors: FormErrors) -> impl IntoView {
    let is_wrong = Memo::new(move |_| {
        let is_base = |at: &str| !MORE_ERRORS.contains(&at.split('.').next().unwrap_or(at));
        errors.other_than(is_base).with(Option::is_some)
    });
    let opened = RwSignal::new(false);
    let is_open = Memo::new(move |was: Option<&bool>| {
        let is_used = draft.more.with(|more| *more != More::new());
        was.copied().unwrap_or(false) || opened.get() || is_used || is_wrong.get()
    });
    move || {
        if is_open.get() {
            let waiting = view! { <Skeleton height="180px"/> }.into_any();
            let failed = || view! { <p class="field-error">{parts::MISSING}</p> }.into_any();
            return parts::later(parts::polling_more(draft, test, errors), waiting, failed);
        }
        view! {
            <div class="row wrap">
                <Button
                    size=ButtonSize::Small
                    icon=Icon::Plus
                    on_click=move || opened.set(true)
                    test_id="polling-more"
                >
                    "More options"
                </Button>
                <span class="field-hint">"Authentication, pages, only what is new, set times."</span>
            </div>
        }
        .into_any()
    }
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
