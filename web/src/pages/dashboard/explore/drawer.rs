//! A drawer with the records behind a widget, the newest first, page by page. A line opens to the
//! whole record as it is stored.

use std::collections::HashSet;

use cynic::QueryBuilder;
use leptos::{ev, prelude::*, task::spawn_local};
use web_sys::HtmlElement;

use super::{
    super::{
        conditions,
        operations::{FoundRecords, Record, SearchQuery, SearchVariables},
        tiles::range_input,
    },
    Explored, words,
};
use crate::{
    api::{self, ApiError, DateTime},
    components::{
        Banner, Button, ButtonLink, CopyButton, Drawer, EmptyState, ErrorPanel, Icon, IconView,
        Menu, Skeleton, Tone,
        export::{ExportItems, Exported},
        json_view::JsonView,
        record_line::record_line,
    },
    format::{self, plural},
};

/// How far the search is.
#[derive(Clone, Debug, PartialEq)]
enum Phase {
    /// The first page is on its way.
    Loading,
    /// There is a page.
    Ready,
    /// There is none.
    Failed(ApiError),
}

/// A search and what it has found.
#[derive(Clone, Copy)]
struct Search {
    phase: RwSignal<Phase>,
    records: RwSignal<Vec<Record>>,
    /// Where it goes on, if there may be more.
    next: RwSignal<Option<String>>,
    /// Whether another page is on its way.
    busy: RwSignal<bool>,
    /// Why that did not come.
    failure: RwSignal<Option<ApiError>>,
    /// Counts the searches: what an earlier one finds is not shown any more.
    number: StoredValue<u32>,
}

impl Search {
    fn new() -> Self {
        Self {
            phase: RwSignal::new(Phase::Loading),
            records: RwSignal::new(Vec::new()),
            next: RwSignal::new(None),
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
            number: StoredValue::new(0),
        }
    }

    /// Begins anew.
    fn start(self, explored: Explored) {
        self.number
            .update_value(|number| *number = number.wrapping_add(1));
        self.phase.set(Phase::Loading);
        self.records.set(Vec::new());
        self.next.set(None);
        self.busy.set(false);
        self.failure.set(None);
        let number = self.number.get_value();
        spawn_local(async move {
            let answer = find(explored, None).await;
            if !self.is_current(number) {
                return;
            }
            match answer {
                Ok(found) => {
                    self.add(found);
                    self.phase.set(Phase::Ready);
                }
                Err(error) => self.phase.set(Phase::Failed(error)),
            }
        });
    }

    /// Gets the next page.
    fn go_on(self, explored: Explored) {
        self.busy.set(true);
        self.failure.set(None);
        let (number, after) = (self.number.get_value(), self.next.get_untracked());
        spawn_local(async move {
            let answer = find(explored, after).await;
            if !self.is_current(number) {
                return;
            }
            match answer {
                Ok(found) => self.add(found),
                Err(error) => self.failure.set(Some(error)),
            }
            self.busy.set(false);
        });
    }

    fn add(self, found: FoundRecords) {
        self.next.set(found.end_cursor);
        self.records.update(|records| {
            let known: HashSet<_> = records.iter().map(|record| record.id.clone()).collect();
            let new = found.nodes.into_iter();
            records.extend(new.filter(|record| !known.contains(&record.id)));
        });
    }

    fn is_current(self, number: u32) -> bool {
        self.number.try_get_value() == Some(number)
    }
}

/// Shows the records that are looked at until it is closed.
#[component]
pub fn ExploreDrawer(
    /// What is looked at; none while the drawer is closed.
    explored: RwSignal<Option<Explored>>,
) -> impl IntoView {
    let search = Search::new();
    let start = move || {
        if let Some(explored) = explored.get() {
            search.start(explored);
        }
    };
    Effect::new(move |_| start());
    let title = Signal::derive(move || {
        explored.with(|explored| explored.as_ref().map(words::title).unwrap_or_default())
    });
    let is_empty = Memo::new(move |_| search.records.with(Vec::is_empty));
    let is_over = Memo::new(move |_| search.next.with(Option::is_none));
    let body = move || match search.phase.get() {
        Phase::Loading => view! { <Waiting/> }.into_any(),
        Phase::Failed(error) => {
            view! { <ErrorPanel error on_retry=move || untrack(start)/> }.into_any()
        }
        Phase::Ready if is_empty.get() && is_over.get() => view! { <Nothing explored/> }.into_any(),
        Phase::Ready => view! {
            <ul class="found-records" data-testid="found-records">
                <For
                    each=move || search.records.get()
                    key=|record| record.id.clone()
                    children=|record| view! { <FoundRecord record/> }
                />
            </ul>
            <Foot search explored/>
        }
        .into_any(),
    };
    view! {
        <Drawer
            open=Signal::derive(move || explored.with(Option::is_some))
            on_close=move || explored.set(None)
            title
            test_id="explore-drawer"
        >
            <div class="explore">{body}</div>
        </Drawer>
    }
}

#[component]
fn FoundRecord(record: Record) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let toggled = move |event: ev::Event| {
        let details = event_target::<HtmlElement>(&event);
        is_open.set(details.has_attribute("open"));
    };
    let (id, time_ms) = (record.id.into_inner(), record.time.ms());
    let received_ms = record.received_at.ms();
    let fields = StoredValue::new(record.fields.0);
    let whole = move || {
        let text = fields.with_value(serde_json::to_string_pretty);
        view! {
            <div class="found-record-head small">
                <span class="faint">
                    "Received " <span class="num">{format::date_time(received_ms)}</span>
                </span>
                <CopyButton text=text.unwrap_or_default() label="Copy JSON"/>
            </div>
            <JsonView value=fields.get_value() label="The whole record"/>
        }
    };
    view! {
        <li>
            <details class="found-record" data-testid="found-record" data-record=id on:toggle=toggled>
                <summary>
                    <IconView icon=Icon::ChevronRight/>
                    <time class="num faint" datetime=DateTime::from_ms(time_ms).0>
                        {format::date_time(time_ms)}
                    </time>
                    <span class="event-told">{fields.with_value(record_line)}</span>
                </summary>
                <Show when=move || is_open.get()>
                    <div class="found-record-whole">{whole()}</div>
                </Show>
            </details>
        </li>
    }
    .into_any()
}

/// How much is seen, and a button for more of it.
#[component]
fn Foot(search: Search, explored: RwSignal<Option<Explored>>) -> impl IntoView {
    let go_on = move || {
        if let Some(explored) = explored.get_untracked() {
            search.go_on(explored);
        }
    };
    let shown = Memo::new(move |_| search.records.with(Vec::len));
    let has_more = Memo::new(move |_| search.next.with(Option::is_some));
    let text = move || match (shown.get(), has_more.get()) {
        (0, _) => {
            "None of the newest records meets the conditions. There are older ones.".to_owned()
        }
        (count, has_more) => {
            let count = plural(
                i64::try_from(count).unwrap_or(i64::MAX),
                "record",
                "records",
            );
            if has_more {
                format!("The newest {count}")
            } else {
                format!("{count} in all")
            }
        }
    };
    let exported = move || {
        let explored = explored.get_untracked();
        let explored = explored.as_ref();
        Exported {
            pipeline_id: cynic::Id::new(explored.map_or("", |explored| &*explored.pipeline_id)),
            range: explored.map(|explored| range_input(explored.range)),
            filters: explored
                .map_or_else(Vec::new, |explored| conditions::inputs(&explored.filters)),
        }
    };
    let button = move || {
        if shown.get() == 0 {
            "Search older ones"
        } else {
            "Load more"
        }
    };
    view! {
        {move || search.failure.get().map(|failure| view! {
            <Banner tone=Tone::Bad>{failure.message}</Banner>
        })}
        <div class="load-more">
            <span class="faint small num" role="status">{text}</span>
            <span class="row">
                <Menu
                    label="Save these records"
                    trigger=|| view! { <IconView icon=Icon::Download/> "Export" }
                    test_id="explore-export"
                >
                    <ExportItems exported=move |()| exported()/>
                </Menu>
                <Show when=move || has_more.get()>
                    <Button busy=search.busy on_click=go_on test_id="explore-more">{button}</Button>
                </Show>
            </span>
        </div>
    }
}

#[component]
fn Waiting() -> impl IntoView {
    let lines = (0..8).map(|_| view! { <Skeleton height="36px"/> });
    view! {
        <div class="explore-waiting" aria-busy="true" aria-label="Loading the records">
            {lines.collect_view()}
        </div>
    }
}

/// Says that there are none, and where to look instead.
#[component]
fn Nothing(explored: RwSignal<Option<Explored>>) -> impl IntoView {
    let text = move || {
        explored.with(|explored| {
            let has_filters = explored
                .as_ref()
                .is_some_and(|explored| !explored.filters.is_empty());
            if has_filters {
                "No record of this time meets the conditions."
            } else {
                "No record has a time in this range."
            }
        })
    };
    let pipeline = Signal::derive(move || {
        explored.with(|explored| {
            let id = explored.as_ref().map(|explored| &*explored.pipeline_id);
            format!("/pipelines/{}", id.unwrap_or_default())
        })
    });
    view! {
        <EmptyState icon=Icon::Search title="No records" text=untrack(text) test_id="explore-empty">
            <ButtonLink href=pipeline icon=Icon::Pipelines>"Open the pipeline"</ButtonLink>
        </EmptyState>
    }
}

async fn find(explored: Explored, after: Option<String>) -> Result<FoundRecords, ApiError> {
    let variables = SearchVariables {
        id: cynic::Id::new(&explored.pipeline_id),
        range: range_input(explored.range),
        filters: conditions::inputs(&explored.filters),
        after,
    };
    let answer = api::run(SearchQuery::build(variables)).await?;
    Ok(answer.pipeline.find_records)
}
