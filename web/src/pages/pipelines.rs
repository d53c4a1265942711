//! The list of pipelines at `/pipelines`: state, throughput, last run and errors of each, with
//! the acts that need no page of their own.

mod row;

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};

use super::home::doors::Doors;
use super::pipeline::queries::{LIST_PAGE, ListQuery, ListVariables, PipelineRow};
use crate::api::{self, ApiError};
use crate::components::{
    ButtonKind, ButtonLink, Column, EmptyState, ErrorPanel, Icon, Input, LoadMore, PageHead,
    Skeleton, Table, bind, use_toasts,
};
use crate::format::{lowercase, now_ms, plural};
use crate::parts::prefetch;
use row::Row;

/// How often the list is loaded again while it is looked at.
const REFRESH_MS: u64 = 10_000;

/// What is loaded of the list.
#[derive(Clone, Copy)]
struct List {
    rows: RwSignal<Option<Vec<PipelineRow>>>,
    total: RwSignal<i64>,
    end: RwSignal<Option<String>>,
    failure: RwSignal<Option<ApiError>>,
    busy: RwSignal<bool>,
    changed_at_ms: RwSignal<i64>,
}

impl List {
    fn new() -> Self {
        Self {
            rows: RwSignal::new(None),
            total: RwSignal::new(0),
            end: RwSignal::new(None),
            failure: RwSignal::new(None),
            busy: RwSignal::new(false),
            changed_at_ms: RwSignal::new(0),
        }
    }

    /// Loads the pages that are seen again, from the first.
    fn reload(self) {
        let count = |rows: &Option<Vec<PipelineRow>>| rows.as_ref().map_or(0, Vec::len);
        // The page may be gone by the time an act in it is done.
        let Some(shown) = self.rows.try_with_untracked(count) else {
            return;
        };
        let first = i32::try_from(shown)
            .unwrap_or(LIST_PAGE)
            .clamp(LIST_PAGE, 100);
        let asked_at_ms = now_ms();
        spawn_local(async move {
            let answer = api::run(ListQuery::build(ListVariables { first, after: None })).await;
            // What was changed here since then is newer than the answer.
            let changed_at_ms = self.changed_at_ms.try_get_untracked();
            if changed_at_ms.is_none_or(|changed_at_ms| changed_at_ms > asked_at_ms) {
                return;
            }
            match answer {
                Ok(answer) => {
                    let page = answer.pipelines;
                    let more = page.page_info.has_next_page;
                    self.total.set(page.total_count.into());
                    self.end.set(page.page_info.end_cursor.filter(|_| more));
                    self.rows.set(Some(page.nodes));
                    self.failure.set(None);
                }
                Err(error) => self.failure.set(Some(error)),
            }
        });
    }

    fn load_more(self) {
        let toasts = use_toasts();
        let variables = ListVariables {
            first: LIST_PAGE,
            after: self.end.get_untracked(),
        };
        self.busy.set(true);
        spawn_local(async move {
            match api::run(ListQuery::build(variables)).await {
                Ok(answer) => {
                    let page = answer.pipelines;
                    let more = page.page_info.has_next_page;
                    self.end.set(page.page_info.end_cursor.filter(|_| more));
                    self.rows.update(|rows| {
                        let rows = rows.get_or_insert_default();
                        rows.extend(page.nodes);
                    });
                }
                Err(error) => toasts.api_error(&error),
            }
            self.busy.set(false);
        });
    }

    fn change(self, id: &cynic::Id, change: impl FnOnce(&mut PipelineRow)) {
        self.changed_at_ms.set(now_ms());
        self.rows.update(|rows| {
            let row = rows.iter_mut().flatten().find(|row| row.id == *id);
            if let Some(row) = row {
                change(row);
            }
        });
    }

    fn remove(self, id: &cynic::Id) {
        self.changed_at_ms.set(now_ms());
        self.total.update(|total| *total -= 1);
        self.rows.update(|rows| {
            if let Some(rows) = rows {
                rows.retain(|row| row.id != *id);
            }
        });
    }
}

/// The page.
#[component]
pub fn PipelinesPage() -> impl IntoView {
    let list = List::new();
    list.reload();
    refresh_while_seen(list);
    prefetch::pipeline_when_idle();
    let filter = RwSignal::new(String::new());
    let is_empty = Memo::new(move |_| {
        list.rows
            .with(|rows| rows.as_ref().is_some_and(Vec::is_empty))
    });
    let is_loaded = Memo::new(move |_| list.rows.with(Option::is_some));
    let failure = Memo::new(move |_| list.failure.get().filter(|_| !is_loaded.get()));
    view! {
        <PageHead title="Pipelines">
            <ButtonLink href="/pipelines/new" kind=ButtonKind::Primary icon=Icon::Plus test_id="new-pipeline">
                "New pipeline"
            </ButtonLink>
        </PageHead>
        <div class="page pipelines" data-testid="pipelines-page">
            {move || match (failure.get(), is_loaded.get(), is_empty.get()) {
                (Some(error), ..) => view! {
                    <ErrorPanel error on_retry=Callback::new(move |()| list.reload())/>
                }
                .into_any(),
                (None, false, _) => view! { <Loading/> }.into_any(),
                (None, true, true) => view! { <NoPipelines/> }.into_any(),
                (None, true, false) => view! { <Listing list filter/> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Listing(list: List, filter: RwSignal<String>) -> impl IntoView {
    let shown = Memo::new(move |_| {
        let wanted = filter.with(|filter| lowercase(filter.trim()));
        list.rows.with(|rows| {
            let rows = rows.iter().flatten();
            let fits = |row: &&PipelineRow| lowercase(&row.name).contains(&wanted);
            rows.filter(fits).cloned().collect::<Vec<_>>()
        })
    });
    let columns = vec![
        Column::text("Pipeline"),
        Column::text("State"),
        Column::number("Records"),
        Column::text("Last hour"),
        Column::text("Last run"),
        Column::text("Errors"),
        Column::text(""),
    ];
    let loaded = Signal::derive(move || {
        let count = list.rows.with(|rows| rows.as_ref().map_or(0, Vec::len));
        i64::try_from(count).unwrap_or(i64::MAX)
    });
    view! {
        <div class="row spread pipelines-tools">
            <div class="filter">
                <Input value=filter on_input=bind(filter) kind="search" label="Filter pipelines by name" placeholder="Filter by name" test_id="filter"/>
            </div>
            <span class="small faint num">
                {move || plural(list.total.get(), "pipeline", "pipelines")}
            </span>
        </div>
        <section class="card">
            <Table label="Pipelines" columns test_id="pipeline-table">
                <For
                    each=move || shown.get()
                    key=|row| row.id.inner().to_owned()
                    children=move |row| view! { <Row id=row.id.clone() list/> }
                />
            </Table>
            <Show when=move || shown.with(Vec::is_empty)>
                <p class="muted small filter-none" data-testid="filter-none">
                    "No pipeline has “" {move || filter.get()} "” in its name. "
                    <button type="button" class="link" on:click=move |_| filter.set(String::new())>"Show all"</button>
                </p>
            </Show>
            <Show when=move || list.end.with(Option::is_some)>
                <LoadMore
                    shown=loaded
                    total=list.total
                    has_more=Signal::derive(move || list.end.with(Option::is_some))
                    busy=list.busy
                    on_more=Callback::new(move |()| list.load_more())
                />
            </Show>
        </section>
    }
    .into_any()
}

#[component]
fn NoPipelines() -> impl IntoView {
    view! {
        <EmptyState
            icon=Icon::Pipelines
            title="No pipelines yet"
            text="A pipeline takes in data, shapes it and stores it, so that dashboards can show it live. Pick how yours comes in."
            test_id="no-pipelines"
        />
        <Doors/>
    }
}

#[component]
fn Loading() -> impl IntoView {
    view! {
        <div class="row spread" aria-busy="true" aria-label="Loading"><Skeleton width="260px" height="32px"/></div>
        <section class="card stack pipelines-loading">
            {(0..5).map(|_| view! { <Skeleton height="36px"/> }).collect_view()}
        </section>
    }
}

/// Loads the list again every few seconds, unless the window is hidden.
fn refresh_while_seen(list: List) {
    let tick = move || {
        if !document().hidden() {
            list.reload();
        }
    };
    let handle = set_interval_with_handle(tick, std::time::Duration::from_millis(REFRESH_MS));
    on_cleanup(move || {
        if let Ok(handle) = handle {
            handle.clear();
        }
    });
}
