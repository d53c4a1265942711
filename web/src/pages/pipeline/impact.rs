//! “What would change?”: what an edited transform would have done to the last day, asked for with a
//! click, beside the transform.

use cynic::QueryBuilder;
use leptos::{prelude::*, task::spawn_local};
use serde_json::Value;

use super::trial_operations::{
    self as operations, ImpactExample, ImpactKind, ImpactPreviewInput, ImpactQuery, ImpactSide,
    ImpactVariables,
};
use crate::api::{self, Json};
use crate::components::{
    Banner, Button, Choice, FormError, Icon, Segmented, Skeleton, Tag, Tone, bind,
};
use crate::format::{count, plural};

/// The effects in the order in which they are shown, with their words and colours.
const EFFECTS: [(ImpactKind, &str, &str, Tone); 6] = [
    (ImpactKind::NewlyFailing, "failing", "would fail", Tone::Bad),
    (
        ImpactKind::NewlyDropped,
        "dropped",
        "would be left out",
        Tone::Warn,
    ),
    (ImpactKind::Changed, "changed", "would change", Tone::Accent),
    (
        ImpactKind::NewlyStored,
        "stored",
        "would be stored",
        Tone::Ok,
    ),
    (ImpactKind::Mended, "mended", "would be mended", Tone::Ok),
    (
        ImpactKind::Unchanged,
        "unchanged",
        "stay the same",
        Tone::Neutral,
    ),
];

/// What a draft would change.
#[component]
pub fn Impact(
    /// The pipeline.
    pipeline_id: cynic::Id,
    /// The steps as they are edited, as documents.
    draft_steps: Signal<Vec<Value>>,
    /// The time field as it is edited.
    draft_time_field: Signal<Option<String>>,
) -> impl IntoView {
    let found = RwSignal::new(None::<operations::Impact>);
    let (busy, failure) = (RwSignal::new(false), RwSignal::new(None::<String>));
    // What was found is about another draft as soon as something is edited.
    let is_old = RwSignal::new(false);
    Effect::new(move || {
        draft_steps.track();
        draft_time_field.track();
        is_old.set(true);
    });
    let ask = move || {
        let steps = draft_steps.get_untracked().into_iter().map(Json);
        let input = ImpactPreviewInput {
            pipeline_id: pipeline_id.clone(),
            steps: steps.collect(),
            time_field: Some(draft_time_field.get_untracked().unwrap_or_default()),
        };
        busy.set(true);
        failure.set(None);
        is_old.set(false);
        spawn_local(async move {
            let answer = api::run(ImpactQuery::build(ImpactVariables { input })).await;
            if busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Err(error) => failure.set(Some(error.message)),
                Ok(answer) => {
                    let payload = answer.impact_preview;
                    failure.set(
                        payload
                            .user_errors
                            .into_iter()
                            .next()
                            .map(|one| one.message),
                    );
                    found.set(payload.impact);
                }
            }
        });
    };
    let content = move || {
        if busy.get() {
            return view! { <Skeleton height="120px"/> }.into_any();
        }
        match found.get() {
            None => ().into_any(),
            Some(impact) => view! { <Found impact/> }.into_any(),
        }
    };
    view! {
        <section class="stack impact" data-testid="impact">
            <div class="row spread wrap">
                <p class="small muted">"Tries the change on what came in during the last 24 hours. Nothing is stored."</p>
                <Button icon=Icon::Eye busy on_click=ask test_id="impact-ask">"What would change?"</Button>
            </div>
            <FormError error=failure/>
            <Show when=move || is_old.get() && found.with(Option::is_some) && !busy.get()>
                <Banner tone=Tone::Neutral>"The transform was edited since. Ask again."</Banner>
            </Show>
            {content}
        </section>
    }
    .into_any()
}

fn count_of(impact: &operations::Impact, kind: ImpactKind) -> i32 {
    match kind {
        ImpactKind::Unchanged => impact.unchanged,
        ImpactKind::Changed => impact.changed,
        ImpactKind::NewlyDropped => impact.newly_dropped,
        ImpactKind::NewlyStored => impact.newly_stored,
        ImpactKind::NewlyFailing => impact.newly_failing,
        ImpactKind::Mended => impact.mended,
    }
}

#[component]
fn Found(impact: operations::Impact) -> impl IntoView {
    if impact.events == 0 {
        return view! {
            <p class="muted small">"Nothing came in during the last 24 hours, so there is nothing to try it on."</p>
        }
        .into_any();
    }
    let all = f64::from(impact.events.max(1));
    let there =
        EFFECTS.map(|(kind, key, words, tone)| (count_of(&impact, kind), kind, key, words, tone));
    let there: Vec<_> = there.into_iter().filter(|effect| effect.0 > 0).collect();
    let bar = there
        .iter()
        .map(|(number, _, _, words, tone)| {
            let share = f64::from(*number) / all * 100.0;
            view! {
                <span class=format!("impact-part {}", tone.class()) style:width=format!("{share:.2}%") title=*words></span>
            }
        })
        .collect_view();
    let legend = there
        .iter()
        .map(|(number, _, _, words, tone)| {
            let text = format!("{} {words}", count((*number).into()));
            view! { <Tag tone=*tone>{text}</Tag> }
        })
        .collect_view();
    let looked_at = if impact.complete {
        format!(
            "{} of the last 24 hours",
            plural(impact.events.into(), "event", "events")
        )
    } else {
        format!(
            "the newest {}",
            plural(impact.events.into(), "event", "events")
        )
    };
    let widgets = (!impact.widgets.is_empty()).then(|| {
        let rows = impact.widgets.iter().map(|widget| {
            let href = format!("/dashboards/{}", widget.dashboard_id.inner());
            view! {
                <li>
                    <a class="link" href=href>{widget.dashboard_name.clone()}</a>
                    " · " {widget.title.clone()} " uses "
                    <code>{widget.fields.join(", ")}</code>
                </li>
            }
        });
        let rows = rows.collect_view();
        view! {
            <Banner tone=Tone::Warn test_id="impact-widgets">
                <p><b>"Widgets would lose what they show."</b></p>
                <ul class="plain small">{rows}</ul>
            </Banner>
        }
    });
    let fields = (!impact.fields.is_empty()).then(|| {
        let rows = impact.fields.iter().map(|field| {
            let (tone, word, records) = match (field.records_before, field.records_after) {
                (before, 0) => (Tone::Bad, "disappears", before),
                (0, after) => (Tone::Ok, "new", after),
                (_, after) => (Tone::Warn, "holds something else", after),
            };
            view! {
                <li class="row wrap small">
                    <code>{field.path.clone()}</code>
                    <Tag tone>{word}</Tag>
                    <span class="muted num">{plural(records.into(), "record", "records")}</span>
                </li>
            }
        });
        let rows = rows.collect_view();
        view! {
            <h3 class="small">"Fields"</h3>
            <ul class="plain" data-testid="impact-fields">{rows}</ul>
        }
    });
    let examples = impact.examples.clone();
    view! {
        <div class="impact-bar" role="img" aria-label=looked_at.clone()>{bar}</div>
        <p class="row wrap" data-testid="impact-counts">{legend} <span class="small faint">{looked_at}</span></p>
        {widgets}
        {fields}
        <Examples examples/>
    }
    .into_any()
}

#[component]
fn Examples(examples: Vec<ImpactExample>) -> impl IntoView {
    let kinds = EFFECTS
        .into_iter()
        .filter(|(kind, ..)| examples.iter().any(|example| example.kind == *kind));
    let choices: Vec<Choice> = kinds
        .map(|(_, key, words, _)| Choice::new(key, words))
        .collect();
    let Some(first) = EFFECTS
        .into_iter()
        .find(|(kind, ..)| examples.iter().any(|example| example.kind == *kind))
    else {
        return ().into_any();
    };
    let chosen = RwSignal::new(first.1.to_owned());
    let rows = move || {
        let key = chosen.get();
        let kind = EFFECTS.into_iter().find(|(_, own, ..)| *own == key);
        let of_kind = examples
            .iter()
            .filter(|example| kind.is_some_and(|(kind, ..)| kind == example.kind));
        of_kind
            .map(|example| {
                view! {
                    <li class="impact-example">
                        <pre class="mono tiny faint">{example.received.0.to_string()}</pre>
                        <div class="version-pair">
                            {side("Now", &example.before)}
                            {side("After the change", &example.after)}
                        </div>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <Segmented label="Examples" choices value=chosen on_change=bind(chosen)/>
        <ul class="plain" data-testid="impact-examples">{rows}</ul>
    }
    .into_any()
}

fn side(title: &'static str, side: &ImpactSide) -> AnyView {
    let text = match (&side.error, side.records.is_empty()) {
        (Some(error), _) => format!("fails: {}", error.message),
        (None, true) => "is left out".to_owned(),
        (None, false) => {
            let records = side
                .records
                .iter()
                .map(|record| serde_json::to_string_pretty(&record.0).unwrap_or_default());
            records.collect::<Vec<_>>().join("\n")
        }
    };
    view! {
        <div>
            <p class="tiny muted">{title}</p>
            <pre class="mono small">{text}</pre>
        </div>
    }
    .into_any()
}
