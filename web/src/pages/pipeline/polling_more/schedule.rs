//! When the source is asked: at an interval or at set times, with the next of them.

use std::time::Duration;

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};

use super::super::polling_form::More;
use super::{Choices, Editor, Line};
use crate::api::{self, scalars::DateTime, schema};
use crate::components::{Icon, IconView, RelativeTime};

/// How long an expression has to stand before its times are asked for.
const SETTLED: Duration = Duration::from_millis(400);

pub(super) fn schedule(editor: Editor) -> AnyView {
    let kind = editor.choice(Choices {
        at: "cron",
        label: "It is asked",
        options: &[("every", "At an interval"), ("cron", "At set times (cron)")],
        test_id: "schedule-kind",
        get: |more| if more.is_cron { "cron" } else { "every" },
        set: |more, chosen| more.is_cron = chosen == "cron",
    });
    let is_cron = editor.value(|more| more.is_cron);
    let fields = move || is_cron.get().then(|| cron_fields(editor));
    let fields = view! { {kind} {fields} }.into_any();
    let summary = |more: &More| {
        if more.is_cron {
            format!("at {}", more.cron.expression)
        } else {
            "At an interval".to_owned()
        }
    };
    editor.section("Schedule", &["cron"], "section-schedule", summary, fields)
}

fn cron_fields(editor: Editor) -> AnyView {
    let expression = editor.line(Line {
        at: "cron.expression",
        label: "Cron expression",
        hint: "Minute, hour, day, month, weekday: 0 9 * * 1-5 is nine o’clock on weekdays.",
        placeholder: "0 9 * * 1-5",
        test_id: "cron-expression",
        get: |more| more.cron.expression.clone(),
        set: |more, text| more.cron.expression = text,
    });
    let zone = editor.line(Line {
        at: "cron.timeZone",
        label: "Time zone",
        hint: "Whose clock is meant.",
        placeholder: "Europe/Berlin",
        test_id: "cron-zone",
        get: |more| more.cron.time_zone.clone(),
        set: |more, text| more.cron.time_zone = text,
    });
    let times = next_times(editor);
    view! { {expression} {zone} {times} }.into_any()
}

/// Variables of [`CronQuery`].
#[derive(cynic::QueryVariables, Clone, Debug)]
struct CronVariables {
    expression: String,
    time_zone: String,
}

/// Asks for the next times of a cron expression.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "CronVariables")]
struct CronQuery {
    #[arguments(expression: $expression, timeZone: $time_zone)]
    cron_times: CronTimes,
}

/// The next times, or what is wrong.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq)]
struct CronTimes {
    times: Vec<DateTime>,
    problem: Option<String>,
}

/// The next times of the expression, a moment after it was entered.
fn next_times(editor: Editor) -> AnyView {
    let entered = editor.value(|more| (more.cron.expression.clone(), more.cron.time_zone.clone()));
    let found = RwSignal::new(None::<CronTimes>);
    Effect::new(move || {
        let wanted = entered.get();
        if wanted.0.trim().is_empty() {
            found.set(None);
            return;
        }
        set_timeout(
            move || {
                // What was typed meanwhile is asked for by its own turn.
                if entered.try_get_untracked().as_ref() != Some(&wanted) {
                    return;
                }
                let variables = CronVariables {
                    expression: wanted.0.clone(),
                    time_zone: wanted.1.clone(),
                };
                spawn_local(async move {
                    let answer = api::run(CronQuery::build(variables)).await.ok();
                    if entered.try_get_untracked().as_ref() == Some(&wanted) {
                        found.try_set(answer.map(|answer| answer.cron_times));
                    }
                });
            },
            SETTLED,
        );
    });
    let shown = move || {
        let found = found.get()?;
        if let Some(problem) = found.problem {
            let view = view! {
                <p class="field-error"><IconView icon=Icon::Alert/><span>{problem}</span></p>
            };
            return Some(view.into_any());
        }
        let times = found
            .times
            .iter()
            .map(|time| view! { <li><RelativeTime at_ms=Some(time.ms())/></li> })
            .collect_view();
        let view = view! {
            <div class="small" data-testid="cron-times">
                <p class="muted">"Next"</p>
                <ul class="facts">{times}</ul>
            </div>
        };
        Some(view.into_any())
    };
    view! { <div aria-live="polite">{shown}</div> }.into_any()
}
