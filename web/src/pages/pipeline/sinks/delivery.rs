//! One line of a sink's log, and behind it each attempt: what was sent and what came back.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::{prelude::*, task::spawn_local};

use super::changes::{IdVariables, ReplayDelivery};
use super::operations::{
    AttemptsQuery, AttemptsVariables, Delivery, DeliveryAttempt, DeliveryState, NodeOfDelivery,
    SentHeader, SentRequest,
};
use super::{details::tell_errors, words};
use crate::api;
use crate::components::{
    Button, ButtonSize, CodeBlock, Icon, IconView, RelativeTime, Skeleton, Tag, use_toasts,
};
use crate::format::{duration, plural};

/// A line of the log.
#[component]
pub fn DeliveryRow(
    /// The delivery, as it is now.
    delivery: Signal<Delivery>,
    /// Told of what was replayed.
    on_change: Callback<Delivery>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let state = move || {
        let (tone, word) = delivery.with(|d| words::delivery(d.state, d.attempt_count));
        view! { <Tag tone test_id="delivery-state">{word}</Tag> }
    };
    let what = move || {
        delivery.with(|delivery| {
            let records = plural(delivery.record_count.into(), "record", "records");
            match (delivery.is_test, delivery.is_replay) {
                (true, _) => "test".to_owned(),
                (_, true) => format!("{records}, replayed"),
                _ => records,
            }
        })
    };
    let answer = move || {
        delivery.with(|delivery| match (delivery.status, &delivery.error) {
            (_, Some(error)) => error.clone(),
            (Some(status), None) => status.to_string(),
            (None, None) => String::new(),
        })
    };
    let took = move || {
        let ms = delivery.with(|delivery| delivery.duration_ms);
        ms.map_or_else(String::new, |ms| duration(ms.into()))
    };
    view! {
        <tr class="run opens" data-testid="delivery" on:click=move |_| open.update(|open| *open = !*open)>
            <td data-label="When">
                <RelativeTime at_ms=Signal::derive(move || delivery.with(|delivery| Some(delivery.created_at.ms())))/>
            </td>
            <td data-label="State">{state}</td>
            <td data-label="What">{what}</td>
            <td data-label="Answer" class="delivery-answer small">{answer}</td>
            <td class="r num" data-label="Took">{took}</td>
            <td class="r">
                <button
                    type="button"
                    class="row-toggle"
                    class:open=open
                    aria-expanded=move || open.get().to_string()
                    aria-label="Show the attempts"
                >
                    <IconView icon=Icon::ChevronRight/>
                </button>
            </td>
        </tr>
        {move || open.get().then(|| view! {
            <tr class="row-details"><td colspan="6"><Attempts delivery on_change/></td></tr>
        })}
    }
    .into_any()
}

#[component]
fn Attempts(delivery: Signal<Delivery>, on_change: Callback<Delivery>) -> impl IntoView {
    let attempts = RwSignal::new(None::<Vec<DeliveryAttempt>>);
    let busy = RwSignal::new(false);
    let toasts = use_toasts();
    let tried =
        Memo::new(move |_| delivery.with(|delivery| (delivery.id.clone(), delivery.attempt_count)));
    Effect::new(move |_| {
        let (id, _) = tried.get();
        spawn_local(async move {
            let answer = api::run(AttemptsQuery::build(AttemptsVariables { id })).await;
            match answer.map(|answer| answer.node) {
                Ok(Some(NodeOfDelivery::Delivery(found))) => attempts.set(Some(found.attempts)),
                Ok(_) => attempts.set(Some(Vec::new())),
                Err(error) => toasts.api_error(&error),
            }
        });
    });
    let replay = move || {
        let id = delivery.with_untracked(|delivery| delivery.id.clone());
        busy.set(true);
        spawn_local(async move {
            match api::run(ReplayDelivery::build(IdVariables { id })).await {
                Ok(answer) => {
                    tell_errors(&answer.replay_delivery.user_errors, toasts);
                    if let Some(delivery) = answer.replay_delivery.delivery {
                        on_change.run(delivery);
                        toasts.success("It is sent again.");
                    }
                }
                Err(error) => toasts.api_error(&error),
            }
            busy.set(false);
        });
    };
    let can_replay = move || {
        delivery.with(|delivery| delivery.state != DeliveryState::Pending && !delivery.is_test)
    };
    let listed = move || match attempts.get() {
        None => view! { <Skeleton height="80px"/> }.into_any(),
        Some(all) if all.is_empty() => {
            view! { <p class="muted small">"Nothing was sent yet."</p> }.into_any()
        }
        Some(all) => all
            .into_iter()
            .rev()
            .map(|attempt| view! { <AttemptView attempt/> })
            .collect_view()
            .into_any(),
    };
    view! {
        <div class="stack">
            <div class="row spread">
                <code class="tiny">{move || delivery.with(|delivery| delivery.message_id.clone())}</code>
                <Show when=can_replay>
                    <Button size=ButtonSize::Small icon=Icon::Refresh busy on_click=replay test_id="replay">"Send again"</Button>
                </Show>
            </div>
            {listed}
        </div>
    }
    .into_any()
}

#[component]
fn AttemptView(attempt: DeliveryAttempt) -> impl IntoView {
    let at = attempt.started_at.ms();
    let response = attempt.response.map(|response| {
        let head = format!("Answer {}", response.status);
        let cut = response.is_cut;
        view! {
            <p class="small"><b>{head}</b></p>
            <Headers headers=response.headers/>
            <Body body=response.body label="The answer" cut/>
        }
    });
    view! {
        <section class="attempt stack">
            <p class="small">
                <b>{format!("Attempt {}", attempt.number)}</b> " "
                <span class="faint"><RelativeTime at_ms=Some(at)/></span>
            </p>
            {attempt.error.map(|error| view! { <p class="bad-text small" data-testid="attempt-error">{error}</p> })}
            <RequestView request=attempt.request/>
            {response}
        </section>
    }
    .into_any()
}

/// A request as it was or would be sent.
#[component]
pub fn RequestView(
    /// It.
    request: SentRequest,
) -> impl IntoView {
    view! {
        <p class="mono small sink-request"><b>{request.method}</b> " " {request.url}</p>
        <Headers headers=request.headers/>
        <Body body=pretty(request.body) label="What is sent" cut=request.is_cut/>
    }
    .into_any()
}

#[component]
fn Headers(headers: Vec<SentHeader>) -> impl IntoView {
    let lines = headers
        .into_iter()
        .map(|header| view! { <dt>{header.name}</dt><dd>{header.value}</dd> })
        .collect_view();
    view! { <dl class="sink-headers mono tiny">{lines}</dl> }.into_any()
}

#[component]
fn Body(body: String, label: &'static str, cut: bool) -> impl IntoView {
    if body.is_empty() {
        return view! { <p class="faint tiny">"No body."</p> }.into_any();
    }
    view! {
        <CodeBlock code=body label wrap=true/>
        {cut.then(|| view! { <p class="faint tiny">"Only the beginning is kept."</p> })}
    }
    .into_any()
}

/// JSON with line breaks; other text as it is.
fn pretty(body: String) -> String {
    let json = serde_json::from_str::<serde_json::Value>(&body).ok();
    let pretty = json.and_then(|json| serde_json::to_string_pretty(&json).ok());
    pretty.unwrap_or(body)
}
