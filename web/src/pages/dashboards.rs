//! The gallery of dashboards, and making a new one.

pub mod new_dialog;
mod thumbnail;

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use self::thumbnail::Thumbnail;
use super::dashboard::{
    operations::{Dashboard, Gallery, GalleryVariables},
    toolbox::{Named, toolbox},
};
use crate::{
    api::{self, ApiError, PageInfo, accounts::Role},
    components::{
        Button, ButtonKind, EmptyState, ErrorPanel, Icon, Menu, MenuItem, MenuSeparator, PageHead,
        RelativeTime, Skeleton, toast::Toasts, use_toasts,
    },
    format,
    parts::prefetch,
    session::use_session,
};

#[derive(Clone, Debug, PartialEq)]
enum Loaded {
    Waiting,
    Ready,
    Failed(ApiError),
}

/// All dashboards of the team.
#[component]
pub fn DashboardsPage() -> impl IntoView {
    let session = use_session();
    let loaded = RwSignal::new(Loaded::Waiting);
    let dashboards = RwSignal::new(Vec::<Dashboard>::new());
    let page = RwSignal::new(None::<PageInfo>);
    let is_creating = RwSignal::new(false);
    let renaming = RwSignal::new(None::<Named>);
    let deleting = RwSignal::new(None::<Named>);
    let may_edit = Signal::derive(move || {
        session
            .viewer()
            .is_some_and(|viewer| viewer.role != Role::Viewer)
    });
    let toasts = use_toasts();
    let load = move || spawn_local(load_page(loaded, dashboards, page, toasts));
    load();

    let create = Callback::new(move |()| is_creating.set(true));
    let renamed = Callback::new(move |changed: Dashboard| {
        dashboards.update(|all| {
            if let Some(known) = all.iter_mut().find(|known| known.id == changed.id) {
                *known = changed;
            }
        });
    });
    let deleted = Callback::new(move |id: String| {
        dashboards.update(|all| all.retain(|known| known.id.inner() != id));
    });
    let toolbox = toolbox();
    let is_empty = Memo::new(move |_| dashboards.with(Vec::is_empty));
    let cards = move || {
        view! {
            <div class="gallery" data-testid="gallery">
                <For
                    each=move || dashboards.get()
                    key=|dashboard| (dashboard.id.clone(), dashboard.version)
                    children=move |dashboard| {
                        view! { <DashboardCard dashboard may_edit renaming deleting/> }
                    }
                />
            </div>
            <Show when=move || {
                page.with(|page| page.as_ref().is_some_and(|page| page.has_next_page))
            }>
                <div class="row centred">
                    <Button on_click=load>"Show more"</Button>
                </div>
            </Show>
        }
    };
    let body = move || match loaded.get() {
        Loaded::Waiting => view! { <Waiting/> }.into_any(),
        Loaded::Failed(error) => view! {
            <ErrorPanel error on_retry=move || {
                loaded.set(Loaded::Waiting);
                load();
            }/>
        }
        .into_any(),
        Loaded::Ready => {
            prefetch::dashboard_when_idle();
            if is_empty.get() {
                view! { <Nothing may_edit create/> }.into_any()
            } else {
                cards().into_any()
            }
        }
    };
    view! {
        <PageHead title="Dashboards">
            <Show when=move || may_edit.get()>
                <Button
                    kind=ButtonKind::Primary
                    icon=Icon::Plus
                    on_click=create
                    test_id="new-dashboard"
                >
                    "New dashboard"
                </Button>
            </Show>
        </PageHead>
        <div class="page">{body}</div>
        {toolbox.once(move || is_creating.get(), move |tools| (tools.create)(is_creating))}
        {toolbox.once(
            move || renaming.with(Option::is_some),
            move |tools| (tools.rename)(renaming, renamed),
        )}
        {toolbox.once(
            move || deleting.with(Option::is_some),
            move |tools| (tools.delete)(deleting, deleted),
        )}
    }
}

async fn load_page(
    loaded: RwSignal<Loaded>,
    dashboards: RwSignal<Vec<Dashboard>>,
    page: RwSignal<Option<PageInfo>>,
    toasts: Toasts,
) {
    let after = page
        .try_get_untracked()
        .flatten()
        .and_then(|page| page.end_cursor);
    let is_first = after.is_none();
    let answer = api::run(Gallery::build(GalleryVariables { after })).await;
    // The page may have been left meanwhile.
    if loaded.is_disposed() {
        return;
    }
    match answer {
        Ok(answer) => {
            let found = answer.dashboards;
            dashboards.update(|all| all.extend(found.nodes));
            page.set(Some(found.page_info));
            loaded.set(Loaded::Ready);
        }
        Err(error) if is_first => loaded.set(Loaded::Failed(error)),
        Err(error) => toasts.api_error(&error),
    }
}

#[component]
fn DashboardCard(
    dashboard: Dashboard,
    may_edit: Signal<bool>,
    renaming: RwSignal<Option<Named>>,
    deleting: RwSignal<Option<Named>>,
) -> impl IntoView {
    let id = dashboard.id.inner().to_owned();
    let href = format!("/dashboards/{id}");
    let named = StoredValue::new(Named {
        id,
        name: dashboard.name.clone(),
    });
    let count = i64::try_from(dashboard.widgets.len()).unwrap_or_default();
    let updated_ms = dashboard.updated_at.ms();
    let name = dashboard.name.clone();
    view! {
        <article class="card gallery-card" data-testid="dashboard-card">
            <Thumbnail dashboard/>
            <div class="gallery-foot">
                <div class="gallery-words">
                    <a class="gallery-link" href=href>{name}</a>
                    <span class="faint small">
                        {format::plural(count, "widget", "widgets")} " · updated "
                        <RelativeTime at_ms=Some(updated_ms)/>
                    </span>
                </div>
                <Show when=move || may_edit.get()>
                    <div class="gallery-menu">
                        <Menu label="Dashboard menu">
                            <MenuItem
                                icon=Icon::Edit
                                on_click=move || renaming.set(Some(named.get_value()))
                            >
                                "Rename"
                            </MenuItem>
                            <MenuSeparator/>
                            <MenuItem
                                icon=Icon::Trash
                                danger=true
                                on_click=move || deleting.set(Some(named.get_value()))
                            >
                                "Delete"
                            </MenuItem>
                        </Menu>
                    </div>
                </Show>
            </div>
        </article>
    }
}

#[component]
fn Waiting() -> impl IntoView {
    let card = || {
        view! {
            <div class="card gallery-card">
                <div class="thumbnail"></div>
                <div class="gallery-foot">
                    <div class="gallery-words">
                        <Skeleton width="140px" height="16px"/>
                        <Skeleton width="180px" height="14px"/>
                    </div>
                </div>
            </div>
        }
    };
    view! {
        <div class="gallery" aria-busy="true" aria-label="Loading dashboards">
            {card()} {card()} {card()}
        </div>
    }
}

#[component]
fn Nothing(may_edit: Signal<bool>, create: Callback<()>) -> impl IntoView {
    let navigate = use_navigate();
    let start = Callback::new(move |()| navigate("/", NavigateOptions::default()));
    view! {
        <EmptyState
            icon=Icon::Dashboards
            title="No dashboards yet"
            text="A dashboard shows the records of your pipelines as they come in: figures, lines and tables, live."
            test_id="dashboards-empty"
        >
            <Show when=move || may_edit.get()>
                <Button
                    kind=ButtonKind::Primary
                    icon=Icon::Plus
                    on_click=create
                    test_id="new-first-dashboard"
                >
                    "New dashboard"
                </Button>
                <Button icon=Icon::Spark on_click=start>"Try with demo data"</Button>
            </Show>
        </EmptyState>
    }
}
