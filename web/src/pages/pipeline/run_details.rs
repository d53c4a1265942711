//! What went wrong in a run: the run's own error with what to do about it, and its records with
//! an error.

use leptos::prelude::*;

use super::event_table::step_words;
use super::feed;
use super::queries::{RecordError, Run, RunError, RunState};
use super::words;
use crate::components::json_view::JsonView;
use crate::components::{Banner, Icon, Tag, Tone};
use crate::format::{count, plural};

/// How a run ended, as a tag.
#[component]
pub fn RunTag(
    /// How.
    state: RunState,
) -> impl IntoView {
    let (tone, icon, word) = match state {
        RunState::Succeeded => (Tone::Ok, Icon::Check, "succeeded"),
        RunState::Partial => (Tone::Warn, Icon::Alert, "partly"),
        RunState::Failed => (Tone::Bad, Icon::Alert, "failed"),
    };
    view! { <Tag tone icon test_id="run-state">{word}</Tag> }
}

/// An error of a run or a test: what happened, the details, and what to do.
#[component]
pub fn RunErrorView(
    /// The error.
    error: RunError,
) -> impl IntoView {
    let (what, advice) = words::error_words(error.code);
    view! {
        <Banner tone=Tone::Bad test_id="run-error">
            <p><b>{what}"."</b>" "{error.message}</p>
            <p class="muted small">{advice}</p>
        </Banner>
    }
}

/// All that went wrong in a run.
#[component]
pub fn RunDetails(
    /// The run.
    run: Run,
) -> impl IntoView {
    let listed = i32::try_from(run.record_errors.len()).unwrap_or(i32::MAX);
    let unlisted = run.failed.saturating_sub(listed);
    view! {
        <div class="run-details stack">
            {run.error.map(|error| view! { <RunErrorView error/> })}
            {run.record_errors.into_iter().map(|error| view! { <RecordErrorView error/> }).collect_view()}
            {(unlisted > 0).then(|| view! {
                <p class="faint small">
                    {format!("{} with an error are not listed one by one.", plural(unlisted.into(), "more record", "more records"))}
                </p>
            })}
        </div>
    }
    .into_any()
}

/// One record that was not stored, and why.
#[component]
pub fn RecordErrorView(
    /// The error.
    error: RecordError,
) -> impl IntoView {
    let received = feed::received(&error.received);
    view! {
        <details class="record-error" data-testid="record-error">
            <summary>
                <span class="event-error">{step_words(error.step, &error.path)}{error.message}</span>
                <span class="event-received mono">{error.received}</span>
            </summary>
            <dl class="record-error-facts small">
                {(!error.path.is_empty()).then(|| view! {
                    <dt>"Field"</dt><dd class="mono">{error.path}</dd>
                })}
                <dt>"Value"</dt><dd class="mono">{error.value}</dd>
            </dl>
            <p class="tiny faint">"Received"</p>
            <JsonView value=received label="The record as it was received"/>
        </details>
    }
    .into_any()
}

/// A figure of a run; nothing is shown faintly.
pub fn figure(value: i32) -> AnyView {
    if value == 0 {
        view! { <span class="faint">"0"</span> }.into_any()
    } else {
        view! { <span>{count(value.into())}</span> }.into_any()
    }
}
