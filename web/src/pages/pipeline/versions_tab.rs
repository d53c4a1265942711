//! The tab “Versions”: who changed the pipeline, when and what; any two compared, and any of them
//! brought back.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::{prelude::*, task::spawn_local};

use super::use_store;
use super::version_comparison::Comparison;
use super::version_operations::{
    RestoreVariables, RestoreVersion, VERSIONS_PAGE, Version, VersionsQuery, VersionsVariables,
};
use crate::api::{self, ApiError};
use crate::components::{
    Button, ButtonSize, Card, ConfirmDialog, ErrorPanel, Field, Icon, LoadMore, RelativeTime,
    Select, SelectOption, Skeleton, Tag, Tone, bind, use_toasts,
};
use crate::format::plural;
use crate::session::use_session;

/// The tab.
#[component]
pub fn VersionsTab() -> impl IntoView {
    let store = use_store();
    let list = RwSignal::new(None::<Result<Vec<Version>, ApiError>>);
    let (end, total, busy) = (
        RwSignal::new(None::<String>),
        RwSignal::new(0),
        RwSignal::new(false),
    );
    let load = move |after: Option<String>| {
        let variables = VersionsVariables {
            id: store
                .pipeline
                .with_untracked(|pipeline| pipeline.id.clone()),
            first: VERSIONS_PAGE,
            after: after.clone(),
        };
        busy.set(true);
        spawn_local(async move {
            let answer = api::run(VersionsQuery::build(variables)).await;
            // The tab may have been left.
            if busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Err(error) => list.set(Some(Err(error))),
                Ok(answer) => {
                    let page = answer.pipeline.versions;
                    total.set(page.total_count);
                    let cursor = page.page_info.end_cursor;
                    end.set(cursor.filter(|_| page.page_info.has_next_page));
                    list.update(|list| match list {
                        Some(Ok(versions)) if after.is_some() => versions.extend(page.nodes),
                        _ => *list = Some(Ok(page.nodes)),
                    });
                }
            }
        });
    };
    // Again after each change, here or elsewhere.
    let version = Memo::new(move |_| store.pipeline.with(|pipeline| pipeline.version));
    Effect::new(move || {
        version.track();
        load(None);
    });
    let restoring = RwSignal::new(None::<Version>);
    move || match list.get() {
        None => view! { <Skeleton height="220px"/> }.into_any(),
        Some(Err(error)) => view! { <ErrorPanel error on_retry=move || load(None)/> }.into_any(),
        Some(Ok(versions)) => {
            let shown = i64::try_from(versions.len()).unwrap_or(i64::MAX);
            let rows = versions
                .iter()
                .map(|one| view! { <VersionRow version=one.clone() current=version restoring/> })
                .collect_view();
            view! {
                <div class="stack versions">
                    <Compare versions=versions.clone()/>
                    <Card title="Versions" test_id="versions">
                        <ul class="plain">{rows}</ul>
                        <LoadMore
                            shown=Signal::stored(shown)
                            total=Signal::derive(move || i64::from(total.get()))
                            has_more=Signal::derive(move || end.with(Option::is_some))
                            busy
                            on_more=Callback::new(move |()| load(end.get_untracked()))
                        />
                    </Card>
                    <Restore restoring/>
                </div>
            }
            .into_any()
        }
    }
}

#[component]
fn VersionRow(
    version: Version,
    current: Memo<i32>,
    restoring: RwSignal<Option<Version>>,
) -> impl IntoView {
    let number = version.version;
    let author = version
        .author
        .clone()
        .unwrap_or_else(|| "somebody".to_owned());
    let (summary, at) = (version.summary.clone(), version.at.ms());
    let steps = plural(
        i64::try_from(version.steps.len()).unwrap_or(i64::MAX),
        "step",
        "steps",
    );
    let act = move || {
        if current.get() == number {
            return view! { <Tag tone=Tone::Ok>"current"</Tag> }.into_any();
        }
        let version = version.clone();
        view! {
            <Button
                size=ButtonSize::Small
                icon=Icon::Undo
                on_click=move || restoring.set(Some(version.clone()))
                test_id="restore"
            >
                "Restore"
            </Button>
        }
        .into_any()
    };
    view! {
        <li class="version-row" data-testid="version">
            <b class="num">{number}</b>
            <span class="version-words">
                <span>{summary}</span>
                <span class="small muted">{author} " · " <RelativeTime at_ms=Some(at)/> " · " {steps}</span>
            </span>
            {act}
        </li>
    }
    .into_any()
}

/// Any two versions, side by side.
#[component]
fn Compare(versions: Vec<Version>) -> impl IntoView {
    let name = |version: &Version| version.version.to_string();
    let newest = versions.first().map(name).unwrap_or_default();
    let before = versions.get(1).map_or_else(|| newest.clone(), name);
    let (old, new) = (RwSignal::new(before), RwSignal::new(newest));
    let options: Vec<SelectOption> = versions
        .iter()
        .map(|version| {
            let label = format!("{}: {}", version.version, version.summary);
            SelectOption::new(version.version.to_string(), label)
        })
        .collect();
    let options = Signal::stored(options);
    let versions = StoredValue::new(versions);
    let find = move |number: String| {
        versions.with_value(|versions| {
            let mut all = versions.iter();
            all.find(|version| version.version.to_string() == number)
                .cloned()
        })
    };
    let compared = move || {
        let pair = find(old.get()).zip(find(new.get()));
        pair.map(|(before, after)| view! { <Comparison before after/> })
    };
    view! {
        <Show when=move || versions.with_value(|versions| versions.len() > 1)>
            <Card title="Compare" test_id="compare">
                <div class="version-pair">
                    <Field label="From">
                        <Select value=old on_change=bind(old) options test_id="compare-from"/>
                    </Field>
                    <Field label="To">
                        <Select value=new on_change=bind(new) options test_id="compare-to"/>
                    </Field>
                </div>
                {compared}
            </Card>
        </Show>
    }
    .into_any()
}

/// Asks before a version is brought back, and brings it back.
#[component]
fn Restore(restoring: RwSignal<Option<Version>>) -> impl IntoView {
    let store = use_store();
    let (busy, toasts, session) = (RwSignal::new(false), use_toasts(), use_session());
    let title = move || {
        restoring.with(|version| {
            version.as_ref().map_or_else(String::new, |version| {
                format!("Restore version {}?", version.version)
            })
        })
    };
    let go = move || {
        let Some(version) = restoring.get_untracked() else {
            return;
        };
        let variables = RestoreVariables {
            pipeline_id: store
                .pipeline
                .with_untracked(|pipeline| pipeline.id.clone()),
            version: version.version,
        };
        busy.set(true);
        spawn_local(async move {
            let answer = api::run(RestoreVersion::build(variables)).await;
            if busy.try_set(false).is_some() {
                return;
            }
            restoring.set(None);
            match answer {
                Err(error) => toasts.api_error(&error),
                Ok(answer) => {
                    let payload = answer.restore_pipeline_version;
                    for problem in payload.user_errors.into_iter().take(3) {
                        toasts.error(problem.message);
                    }
                    if let Some(pipeline) = payload.pipeline {
                        store.replace(pipeline);
                        session.refresh_directory();
                        toasts.success(format!("Version {} is back.", version.version));
                    }
                }
            }
        });
    };
    view! {
        <ConfirmDialog
            open=Signal::derive(move || restoring.with(Option::is_some))
            on_close=move || restoring.set(None)
            title=Signal::derive(title)
            message="Its name, steps and time field become a new version, and records that come in from now on go through them. The source stays as it is. Test cases have to pass."
            confirm="Restore"
            busy
            on_confirm=Callback::new(move |()| go())
        />
    }
}
