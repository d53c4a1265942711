//! Two versions of a pipeline side by side: which steps were added, removed, moved and changed, and
//! what else differs.

use dash_shared::transform::compare::{Difference, StepChange, compare_steps, differences};
use leptos::prelude::*;
use serde_json::Value;

use super::version_operations::Version;
use crate::components::{Tag, Tone};

/// The comparison.
#[component]
pub fn Comparison(
    /// The one on the left.
    before: Version,
    /// The one on the right.
    after: Version,
) -> impl IntoView {
    let (old, new) = (documents(&before), documents(&after));
    let changes = compare_steps(&old, &new, kind_of);
    let mut facts: Vec<Difference> = Vec::new();
    let mut differ = |what: &str, old: Value, new: Value| {
        for mut found in differences(&old, &new) {
            found.path = if found.path.is_empty() {
                what.to_owned()
            } else {
                format!("{what} · {}", found.path)
            };
            facts.push(found);
        }
    };
    differ("name", before.name.into(), after.name.into());
    differ("source", before.source.0, after.source.0);
    differ(
        "time field",
        before.time_field.into(),
        after.time_field.into(),
    );
    let same = facts.is_empty() && changes.is_empty();
    let facts = (!facts.is_empty()).then(|| view! { <Differences found=facts/> });
    let left = column("Before", &old, &changes, false);
    let right = column("After", &new, &changes, true);
    let details = changes.iter().filter_map(|change| match *change {
        StepChange::Changed { from, to } => {
            let found = differences(old.get(from - 1)?, new.get(to - 1)?);
            let title = format!("Step {to}, {}", kind_of(new.get(to - 1)?).replace('_', " "));
            Some(view! {
                <h3 class="small">{title}</h3>
                <Differences found/>
            })
        }
        _ => None,
    });
    let details = details.collect_view();
    view! {
        {same.then(|| view! { <p class="muted small">"They are the same."</p> })}
        {facts}
        <div class="version-pair" data-testid="comparison">{left}{right}</div>
        {details}
    }
    .into_any()
}

fn documents(version: &Version) -> Vec<Value> {
    version.steps.iter().map(|step| step.0.clone()).collect()
}

fn kind_of(step: &Value) -> &str {
    step.get("kind").and_then(Value::as_str).unwrap_or_default()
}

fn column(title: &'static str, steps: &[Value], changes: &[StepChange], is_new: bool) -> AnyView {
    let mark_of = |number: usize| {
        changes.iter().find_map(|change| match *change {
            StepChange::Added { to } if is_new && to == number => Some((Tone::Ok, "added")),
            StepChange::Removed { from } if !is_new && from == number => {
                Some((Tone::Bad, "removed"))
            }
            StepChange::Moved { from, to } if number == if is_new { to } else { from } => {
                Some((Tone::Accent, "moved"))
            }
            StepChange::Changed { from, to } if number == if is_new { to } else { from } => {
                Some((Tone::Warn, "changed"))
            }
            _ => None,
        })
    };
    let rows = steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            let mark = mark_of(index + 1);
            let class = mark.map_or("", |(tone, _)| tone.class());
            let json = serde_json::to_string_pretty(step).unwrap_or_default();
            view! {
                <li>
                    <details class=format!("version-step {class}")>
                        <summary>
                            <span class="num faint">{index + 1}</span>
                            <b>{kind_of(step).replace('_', " ")}</b>
                            {mark.map(|(tone, word)| view! { <Tag tone>{word}</Tag> })}
                        </summary>
                        <pre class="mono small">{json}</pre>
                    </details>
                </li>
            }
        })
        .collect_view();
    let empty = steps
        .is_empty()
        .then(|| view! { <p class="faint small">"No steps: records are stored as they come."</p> });
    view! {
        <section>
            <h3 class="small muted">{title}</h3>
            <ol class="plain version-steps">{rows}</ol>
            {empty}
        </section>
    }
    .into_any()
}

/// Places where two values differ, each with what was and what is there.
#[component]
pub fn Differences(
    /// They.
    found: Vec<Difference>,
) -> impl IntoView {
    let text = |value: Option<Value>| {
        value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
    };
    let rows = found
        .into_iter()
        .map(|one| {
            view! {
                <li class="difference">
                    <span class="mono muted">{one.path}</span>
                    <del class="mono">{text(one.before)}</del>
                    <span aria-hidden="true">"→"</span>
                    <ins class="mono">{text(one.after)}</ins>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="plain differences small">{rows}</ul> }.into_any()
}
