//! The tab “Errors”: what failed by its causes and one by one, with what can be done about it, and
//! the runs that failed as a whole.

use leptos::prelude::*;

use super::failure_desk::{FailureDesk, Which};
use super::failure_operations::{FailureGroup, FailureReplay, FailureState};
use super::failure_row::FailureRow;
use super::fix_dialog::FixDialog;
use super::queries::{Pipeline, Run};
use super::run_details::RunErrorView;
use super::{Store, use_store};
use crate::components::{
    Button, ButtonKind, ButtonSize, Card, Choice, ConfirmDialog, EmptyState, ErrorPanel, Icon,
    LoadMore, Meter, RelativeTime, Segmented, Skeleton, Tag, Tone,
};
use crate::format::{count, plural};

/// The tab.
#[component]
pub fn ErrorsTab() -> impl IntoView {
    let Store { pipeline, feed } = use_store();
    let desk = FailureDesk::new(pipeline.with_untracked(|pipeline| pipeline.id.clone()));
    // What fails while the tab is open is seen at once.
    let last_failing = Memo::new(move |_| {
        let fails = |run: &&Run| run.failed > 0;
        feed.runs
            .with(|runs| runs.iter().find(fails).map(|run| run.id.inner().to_owned()))
    });
    Effect::new(move |before: Option<Option<String>>| {
        let last = last_failing.get();
        if before.is_some_and(|before| before != last) {
            desk.reload();
        }
        last
    });
    let content = move || match desk.loaded.get() {
        None => view! { <Skeleton height="220px"/> }.into_any(),
        Some(Err(error)) => view! { <ErrorPanel error on_retry=move || desk.reload()/> }.into_any(),
        Some(Ok(_)) => view! { <Loaded desk/> }.into_any(),
    };
    let loaded = Memo::new(move |_| {
        desk.loaded
            .with(|loaded| loaded.as_ref().map(Result::is_ok))
    });
    view! {
        <div class="stack failures">
            <FailedRuns/>
            {move || { loaded.track(); untrack(content) }}
            <FixDialog desk/>
        </div>
    }
    .into_any()
}

#[component]
fn Loaded(desk: FailureDesk) -> impl IntoView {
    let open = Memo::new(move |_| of(desk, |found| found.open_failure_count).unwrap_or(0));
    let total = Memo::new(move |_| of(desk, |found| found.failures.total_count).unwrap_or(0));
    let chosen = RwSignal::new("open".to_owned());
    let choose = Callback::new(move |word: String| {
        desk.list.set(Vec::new());
        desk.state.set(match word.as_str() {
            "replayed" => FailureState::Replayed,
            "dismissed" => FailureState::Dismissed,
            _ => FailureState::Open,
        });
        chosen.set(word);
    });
    let nothing = move || {
        let (title, text) = match desk.state.get() {
            FailureState::Open => (
                "No errors",
                "Records that a step cannot handle are listed here, with the reason and what came in. They can be mended and put in again.",
            ),
            FailureState::Replayed => (
                "Nothing was put in again",
                "Failed records that went through later are listed here.",
            ),
            FailureState::Dismissed => (
                "Nothing was dismissed",
                "Failed records that do not matter are listed here, and can be opened again.",
            ),
        };
        view! { <EmptyState icon=Icon::Check title text test_id="no-errors"/> }
    };
    view! {
        <Groups desk open/>
        <div class="row spread wrap">
            <Segmented
                label="Which failed records"
                choices=vec![
                    Choice::new("open", "Open"),
                    Choice::new("replayed", "Put in again"),
                    Choice::new("dismissed", "Dismissed"),
                ]
                value=chosen
                on_change=choose
            />
            <span class="small muted num">{move || plural(total.get().into(), "record", "records")}</span>
        </div>
        <Show when=move || !desk.list.with(Vec::is_empty) fallback=nothing>
            <section class="card failure-list" data-testid="failures">
                <For each=move || desk.list.get() key=|failure| (failure.id.inner().to_owned(), failure.message.clone()) let:failure>
                    <FailureRow desk failure/>
                </For>
                <LoadMore
                    shown=Signal::derive(move || i64::try_from(desk.list.with(Vec::len)).unwrap_or(i64::MAX))
                    total=Signal::derive(move || i64::from(total.get()))
                    has_more=Signal::derive(move || desk.end.with(Option::is_some))
                    busy=desk.busy
                    on_more=Callback::new(move |()| desk.more())
                />
            </section>
        </Show>
    }
    .into_any()
}

/// Something of what was loaded last; tracked.
fn of<T>(desk: FailureDesk, take: impl Fn(&super::failure_operations::Failing) -> T) -> Option<T> {
    desk.loaded
        .with(|loaded| loaded.as_ref()?.as_ref().ok().map(take))
}

/// The causes, and what is done with all of them.
#[component]
fn Groups(desk: FailureDesk, open: Memo<i32>) -> impl IntoView {
    let groups =
        Memo::new(move |_| of(desk, |found| found.failure_groups.clone()).unwrap_or_default());
    let replay = Memo::new(move |_| of(desk, |found| found.failure_replay.clone()).flatten());
    let runs =
        Memo::new(move |_| replay.with(|replay| replay.as_ref().is_some_and(|one| one.running)));
    let asks = RwSignal::new(false);
    let actions = move || {
        view! {
            <Button
                size=ButtonSize::Small
                kind=ButtonKind::Ghost
                disabled=runs
                on_click=move || asks.set(true)
                test_id="dismiss-all"
            >
                "Dismiss all"
            </Button>
            <Button
                size=ButtonSize::Small
                icon=Icon::Refresh
                busy=Signal::derive(move || desk.busy.get() || runs.get())
                on_click=move || desk.replay(Which::All)
                test_id="replay-all"
            >
                "Put all in again"
            </Button>
        }
    };
    view! {
        {move || replay.get().map(|replay| view! { <Progress replay/> })}
        <Show when=move || 0 < open.get()>
            <Card class="failure-groups" title="Why records failed" actions test_id="failure-groups">
                <ul class="plain">
                    <For each=move || groups.get() key=|group| (group.step, group.path.clone(), group.count) let:group>
                        <Group group/>
                    </For>
                </ul>
                <p class="muted small">
                    "Change the "<TransformLink/>" so that it can handle them, then put them in again. Each one is stored once."
                </p>
            </Card>
        </Show>
        <ConfirmDialog
            open=asks
            on_close=move || asks.set(false)
            title="Dismiss all failed records?"
            message="They are not stored and no longer listed as open. You can take it back."
            confirm="Dismiss all"
            on_confirm=Callback::new(move |()| {
                asks.set(false);
                desk.dismiss(Which::All);
            })
        />
    }
    .into_any()
}

#[component]
fn Group(group: FailureGroup) -> impl IntoView {
    let pipeline = use_store().pipeline;
    let place = {
        let (step, path) = (group.step, group.path.clone());
        move || pipeline.with(|pipeline| place_words(pipeline, step, &path))
    };
    view! {
        <li class="failure-group" data-testid="failure-group">
            <span class="failure-cause">{group.message}</span>
            <span class="small muted">{place}</span>
            <span class="num">{plural(group.count.into(), "record", "records")}</span>
            <span class="small faint"><RelativeTime at_ms=Some(group.last_at.ms())/></span>
        </li>
    }
    .into_any()
}

/// Where something failed: `step 2 cast · total`.
pub fn place_words(pipeline: &Pipeline, step: i32, path: &str) -> String {
    let index = usize::try_from(step)
        .ok()
        .and_then(|step| step.checked_sub(1));
    let place = match index {
        None => "before the first step".to_owned(),
        Some(index) => match pipeline
            .steps
            .get(index)
            .and_then(|step| step.0.get("kind"))
        {
            Some(kind) => format!(
                "step {step} {}",
                kind.as_str().unwrap_or_default().replace('_', " ")
            ),
            None => "after the last step".to_owned(),
        },
    };
    if path.is_empty() {
        place
    } else {
        format!("{place} · {path}")
    }
}

#[component]
fn TransformLink() -> impl IntoView {
    let pipeline = use_store().pipeline;
    let href = move || {
        let id = pipeline.with(|pipeline| pipeline.id.inner().to_owned());
        format!("/pipelines/{id}/transform")
    };
    view! { <a class="link" href=href>"transform"</a> }
}

/// How far putting all in again has come; the last time it ended, if that was with errors.
#[component]
fn Progress(replay: FailureReplay) -> impl IntoView {
    if !replay.running {
        return ().into_any();
    }
    let (done, total) = (f64::from(replay.done), f64::from(replay.total));
    view! {
        <Card test_id="replay-progress">
            <div class="row spread small">
                <span>
                    {format!("{} of {} are in again", count(replay.done.into()), count(replay.total.into()))}
                </span>
                {(replay.failed > 0).then(|| view! {
                    <Tag tone=Tone::Warn>{format!("{} failed again", count(replay.failed.into()))}</Tag>
                })}
            </div>
            <Meter value=Signal::stored(done) max=Signal::stored(total) label="Put in again" warns=false/>
            <p class="tiny faint">"It goes on when you leave this page."</p>
        </Card>
    }
    .into_any()
}

/// The loaded runs that failed as a whole: nothing came in that could be listed.
#[component]
fn FailedRuns() -> impl IntoView {
    let feed = use_store().feed;
    let failed = Memo::new(move |_| {
        feed.runs.with(|runs| {
            let failed = runs.iter().filter(|run| run.error.is_some());
            failed.take(5).cloned().collect::<Vec<Run>>()
        })
    });
    view! {
        <Show when=move || !failed.with(Vec::is_empty)>
            <Card class="errors" title="Runs that failed" test_id="errors">
                <For each=move || failed.get() key=|run| run.id.inner().to_owned() let:run>
                    <section class="errors-run">
                        <h3 class="small"><RelativeTime at_ms=Some(run.finished_at.ms())/></h3>
                        {run.error.map(|error| view! { <RunErrorView error/> })}
                    </section>
                </For>
            </Card>
        </Show>
    }
}
