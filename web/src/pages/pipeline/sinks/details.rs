//! The drawer of one sink: how it is, what can be done with it, and its log, live.

use cynic::{MutationBuilder, QueryBuilder, SubscriptionBuilder};
use leptos::{prelude::*, task::spawn_local};

use super::changes::{
    DeleteSink, DisableSink, EnableSink, IdVariables, ReplayDeliveries, ReplayDeliveriesVariables,
    RotateSinkSecret,
};
use super::delivery::DeliveryRow;
use super::editor::TestButton;
use super::operations::{
    DeliveriesQuery, DeliveriesVariables, Delivery, DeliveryState, LiveDeliveries,
    LiveDeliveriesVariables, Sink, SinkKind, SinkState,
};
use super::words;
use crate::api::{self, UserError};
use crate::components::toast::Toasts;
use crate::components::{
    Banner, Button, ButtonSize, Choice, CodeBlock, Column, ConfirmDialog, Drawer, Icon, LoadMore,
    Segmented, Table, Tone, use_toasts,
};
use crate::format::{count, plural, whole};
use crate::live;

/// How many deliveries a page of the log has.
const PAGE: i32 = 30;
/// How many lines of the log are kept.
const MAX_LINES: usize = 300;

/// Says what an act was refused for.
pub fn tell_errors(errors: &[UserError], toasts: Toasts) {
    for error in errors {
        toasts.error(error.message.clone());
    }
}

/// The drawer.
#[component]
pub fn Details(
    /// The sink; none while it is closed.
    opened: RwSignal<Option<Sink>>,
    /// Told of a change.
    on_change: Callback<Sink>,
    /// Told that it was deleted.
    on_deleted: Callback<cynic::Id>,
    /// Asks for the form.
    on_edit: Callback<Sink>,
) -> impl IntoView {
    let id = Memo::new(move |_| opened.with(|sink| sink.as_ref().map(|sink| sink.id.clone())));
    let title = Signal::derive(move || {
        opened.with(|sink| {
            sink.as_ref()
                .map_or_else(String::new, |sink| sink.name.clone())
        })
    });
    let content = move || {
        id.get().map(|id| {
            view! { <Content id opened on_change on_deleted on_edit/> }
        })
    };
    view! {
        <Drawer
            open=Signal::derive(move || id.get().is_some())
            on_close=Callback::new(move |()| opened.set(None))
            title
            test_id="sink-drawer"
        >
            {content}
        </Drawer>
    }
    .into_any()
}

#[component]
fn Content(
    id: cynic::Id,
    opened: RwSignal<Option<Sink>>,
    on_change: Callback<Sink>,
    on_deleted: Callback<cynic::Id>,
    on_edit: Callback<Sink>,
) -> impl IntoView {
    let facts = move || opened.get().map(|sink| view! { <Facts sink/> });
    view! {
        <div class="stack">
            {facts}
            <Acts id=id.clone() opened on_change on_deleted on_edit/>
            <TestButton id=id.clone()/>
            <Log id/>
        </div>
    }
    .into_any()
}

#[component]
fn Facts(sink: Sink) -> impl IntoView {
    let trouble = match (sink.state, sink.disabled_reason) {
        (SinkState::Disabled, Some(reason)) => {
            Some((Tone::Warn, words::disabled(reason).to_owned()))
        }
        (SinkState::Failing, _) => {
            let error = sink.last_error.clone().unwrap_or_default();
            Some((
                Tone::Bad,
                format!("{error} It is tried again by itself, and nothing is lost."),
            ))
        }
        _ => None,
    };
    let skipped = whole(sink.skipped_records);
    let faulty = whole(sink.faulty_records);
    let counts = &sink.counts;
    view! {
        <p class="mono small sink-request">{words::target(&sink)}</p>
        {trouble.map(|(tone, text)| view! { <Banner tone test_id="sink-trouble">{text}</Banner> })}
        <dl class="sink-facts">
            <div><dt>"Last hour"</dt><dd class="num">{count(counts.delivered_last_hour.into())}</dd></div>
            <div><dt>"Last 24 hours"</dt><dd class="num">{count(counts.delivered_last_day.into())}</dd></div>
            <div><dt>"Given up, 24 hours"</dt><dd class="num">{count(counts.dead_last_day.into())}</dd></div>
            <div><dt>"Waiting"</dt><dd class="num">{count(whole(counts.lag_records))}</dd></div>
        </dl>
        {(skipped > 0).then(|| view! {
            <p class="small muted">{plural(skipped, "record was", "records were")} " deleted before being sent."</p>
        })}
        {(faulty > 0).then(|| view! {
            <p class="small muted">
                {plural(faulty, "record", "records")} " could not be sent. The last one: " {sink.last_fault}
            </p>
        })}
    }
    .into_any()
}

#[component]
fn Acts(
    id: cynic::Id,
    opened: RwSignal<Option<Sink>>,
    on_change: Callback<Sink>,
    on_deleted: Callback<cynic::Id>,
    on_edit: Callback<Sink>,
) -> impl IntoView {
    let (busy, toasts) = (RwSignal::new(false), use_toasts());
    let (deleting, rotating) = (RwSignal::new(false), RwSignal::new(false));
    let secret = RwSignal::new(None::<String>);
    let id = StoredValue::new(id);
    let variables = move || IdVariables { id: id.get_value() };
    let is_on = move || {
        opened.with(|sink| {
            sink.as_ref()
                .is_some_and(|sink| sink.state != SinkState::Disabled)
        })
    };
    let is_signed = move || {
        opened.with(|sink| {
            sink.as_ref()
                .is_some_and(|sink| sink.kind == SinkKind::Webhook)
        })
    };
    let switch = move || {
        let is_on = untrack(is_on);
        busy.set(true);
        spawn_local(async move {
            let answer = if is_on {
                let answer = api::run(DisableSink::build(variables())).await;
                answer.map(|answer| (answer.disable_sink.sink, answer.disable_sink.user_errors))
            } else {
                let answer = api::run(EnableSink::build(variables())).await;
                answer.map(|answer| (answer.enable_sink.sink, answer.enable_sink.user_errors))
            };
            match answer {
                Ok((Some(sink), _)) => on_change.run(sink),
                Ok((None, errors)) => tell_errors(&errors, toasts),
                Err(error) => toasts.api_error(&error),
            }
            busy.set(false);
        });
    };
    let rotate = Callback::new(move |()| {
        spawn_local(async move {
            match api::run(RotateSinkSecret::build(variables())).await {
                Ok(answer) => {
                    tell_errors(&answer.rotate_sink_secret.user_errors, toasts);
                    secret.set(answer.rotate_sink_secret.signing_secret);
                }
                Err(error) => toasts.api_error(&error),
            }
            rotating.set(false);
        });
    });
    let delete = Callback::new(move |()| {
        spawn_local(async move {
            match api::run(DeleteSink::build(variables())).await {
                Ok(answer) => {
                    tell_errors(&answer.delete_sink.user_errors, toasts);
                    if let Some(id) = answer.delete_sink.deleted_id {
                        toasts.success("The sink is deleted.");
                        opened.set(None);
                        on_deleted.run(id);
                    }
                }
                Err(error) => toasts.api_error(&error),
            }
            deleting.set(false);
        });
    });
    let edit = move || {
        if let Some(sink) = opened.get_untracked() {
            on_edit.run(sink);
        }
    };
    view! {
        <div class="row">
            <Button size=ButtonSize::Small busy on_click=switch test_id="switch-sink">
                {move || if is_on() { "Switch off" } else { "Switch on" }}
            </Button>
            <Button size=ButtonSize::Small icon=Icon::Edit on_click=edit test_id="edit-sink">"Change"</Button>
            <Show when=is_signed>
                <Button size=ButtonSize::Small icon=Icon::Key on_click=move || rotating.set(true) test_id="rotate-secret">"New secret"</Button>
            </Show>
            <Button size=ButtonSize::Small icon=Icon::Trash on_click=move || deleting.set(true) test_id="delete-sink">"Delete"</Button>
        </div>
        {move || secret.get().map(|secret| view! {
            <p class="small">"The new signing secret; it is never shown again. For 24 hours messages are signed with the old one, too."</p>
            <CodeBlock code=secret label="The signing secret" test_id="signing-secret"/>
        })}
        <ConfirmDialog
            open=rotating
            on_close=move || rotating.set(false)
            title="Make a new signing secret?"
            message="Messages are signed with both secrets for 24 hours. Change it at your server within that time."
            confirm="Make a new one"
            on_confirm=rotate
        />
        <ConfirmDialog
            open=deleting
            on_close=move || deleting.set(false)
            title="Delete this sink?"
            message="It sends nothing any more, and its log goes with it. The records stay. This cannot be undone."
            confirm="Delete sink"
            on_confirm=delete
        />
    }
    .into_any()
}

/// The choices of what the log shows.
const SHOWN: [(&str, &str, &[DeliveryState]); 3] = [
    ("all", "All", &[]),
    (
        "failed",
        "Failed",
        &[DeliveryState::Dead, DeliveryState::Failed],
    ),
    ("waiting", "Waiting", &[DeliveryState::Pending]),
];

fn states(word: &str) -> &'static [DeliveryState] {
    let found = SHOWN.into_iter().find(|(own, ..)| *own == word);
    found.map_or(&[], |(.., states)| states)
}

#[component]
fn Log(id: cynic::Id) -> impl IntoView {
    let lines = RwSignal::new(Vec::<Delivery>::new());
    let (total, end) = (RwSignal::new(0_i64), RwSignal::new(None::<String>));
    let (busy, replaying, toasts) = (RwSignal::new(false), RwSignal::new(false), use_toasts());
    let shown = RwSignal::new("all".to_owned());
    let id = StoredValue::new(id);
    let load = move |after: Option<String>| {
        let variables = DeliveriesVariables {
            id: id.get_value(),
            first: PAGE,
            after: after.clone(),
            states: states(&shown.get_untracked()).to_vec(),
        };
        busy.set(true);
        spawn_local(async move {
            match api::run(DeliveriesQuery::build(variables)).await {
                Ok(answer) => {
                    let page = answer.sink.deliveries;
                    let info = page.page_info;
                    total.set(page.total_count.into());
                    end.set(info.end_cursor.filter(|_| info.has_next_page));
                    lines.update(|lines| {
                        if after.is_none() {
                            lines.clear();
                        }
                        lines.extend(page.nodes);
                        lines.truncate(MAX_LINES);
                    });
                }
                Err(error) => toasts.api_error(&error),
            }
            busy.set(false);
        });
    };
    Effect::new(move |_| {
        shown.track();
        load(None);
    });
    let put = Callback::new(move |delivery: Delivery| {
        lines.update(
            |lines| match lines.iter_mut().find(|line| line.id == delivery.id) {
                Some(line) => *line = delivery,
                None if states(&shown.get_untracked()).is_empty() => {
                    lines.insert(0, delivery);
                    lines.truncate(MAX_LINES);
                    total.update(|total| *total += 1);
                }
                None => {}
            },
        );
    });
    live::subscribe(
        move |_| {
            LiveDeliveries::build(LiveDeliveriesVariables {
                sink_id: id.get_value(),
            })
        },
        |_: &LiveDeliveries| None,
        move |event| {
            if let Ok(event) = event {
                put.run(event.sink_deliveries);
            }
        },
    );
    let replay = Callback::new(move |()| {
        let variables = ReplayDeliveriesVariables {
            sink_id: id.get_value(),
            states: vec![DeliveryState::Dead],
        };
        spawn_local(async move {
            match api::run(ReplayDeliveries::build(variables)).await {
                Ok(answer) => {
                    tell_errors(&answer.replay_deliveries.user_errors, toasts);
                    let replayed = answer.replay_deliveries.replayed.unwrap_or_default();
                    let text = plural(replayed.into(), "delivery is", "deliveries are");
                    toasts.success(format!("{text} sent again."));
                    load(None);
                }
                Err(error) => toasts.api_error(&error),
            }
            replaying.set(false);
        });
    });
    let columns = vec![
        Column::text("When"),
        Column::text("State"),
        Column::text("What"),
        Column::text("Answer"),
        Column::number("Took"),
        Column::text(""),
    ];
    let choices = SHOWN
        .map(|(word, label, _)| Choice::new(word, label))
        .to_vec();
    let count = Signal::derive(move || i64::try_from(lines.with(Vec::len)).unwrap_or(i64::MAX));
    view! {
        <section class="stack sink-log" data-testid="sink-log">
            <div class="row spread">
                <h3>"Deliveries"</h3>
                <Segmented label="Which" choices value=shown on_change=Callback::new(move |word| shown.set(word))/>
                <Button size=ButtonSize::Small icon=Icon::Refresh on_click=move || replaying.set(true) test_id="replay-all">
                    "Replay given up"
                </Button>
            </div>
            <Show
                when=move || !lines.with(Vec::is_empty)
                fallback=|| view! { <p class="muted small">"Nothing yet. Deliveries appear here as they happen."</p> }
            >
                <Table label="Deliveries" columns=columns.clone() test_id="delivery-table">
                    <For each=move || lines.get() key=|line| line.id.inner().to_owned() let:line>
                        {
                            let first = line.clone();
                            let own = line.id;
                            let delivery = Memo::new(move |before: Option<&Delivery>| {
                                let found = lines.with(|lines| lines.iter().find(|line| line.id == own).cloned());
                                found.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
                            });
                            view! { <DeliveryRow delivery=Signal::derive(move || delivery.get()) on_change=put/> }
                        }
                    </For>
                </Table>
                <LoadMore
                    shown=count
                    total=Signal::derive(move || total.get().max(count.get()))
                    has_more=Signal::derive(move || end.with(Option::is_some))
                    busy
                    on_more=Callback::new(move |()| load(end.get_untracked()))
                />
            </Show>
            <ConfirmDialog
                open=replaying
                on_close=move || replaying.set(false)
                title="Send what was given up again?"
                message="Up to 1,000 deliveries are sent again, the oldest first, under their old ids. They go beside what is sent live."
                confirm="Send again"
                on_confirm=replay
            />
        </section>
    }
    .into_any()
}
